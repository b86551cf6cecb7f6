// SPDX-License-Identifier: GPL-3.0-or-later
// Trains an adapter: examples to token ids, steps, validations, checkpoints, and the adapter's files at the end.
#pragma once
#include "llm/fine_tune.h"
#include "llm/torch_module.h"

namespace carousel {

// Same request, model, device and threads: the same bytes, also when stopped and resumed in between. A stop is seen within a block of the
// model; then the report says cancelled and the folder's checkpoint holds the last finished step.
// CL-2140..2146; CL-2147 loss or gradient are no longer finite; errors of the readers and of the device.
Result<FineTuneReport> fineTune(const ModelLocation& location, const OpenOptions& options, const FineTuneRequest& request,
                                const RunControl& control);

} // namespace carousel
