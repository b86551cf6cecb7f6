// SPDX-License-Identifier: GPL-3.0-or-later
// Click rates per position of a data set's own log: as they are, and with the examination of a fitted carousel model divided out.
#pragma once
#include "data/dataset.h"
#include "workbench/workbench_private.h"

namespace carousel {

// Never fails for what the log lacks: then the note says why something is missing. Errors: cancelled.
Result<LogRates> estimateLogRates(const Dataset& dataset, int window, const RunControl& control);

} // namespace carousel
