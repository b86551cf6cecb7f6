// SPDX-License-Identifier: GPL-3.0-or-later
// Trains an encoder-decoder from nothing: tokenizer, epochs of pairs, steps, validations, checkpoints, and the model's files at the end.
#pragma once
#include "llm/text_to_text.h"
#include "llm/torch_module.h"

namespace carousel {

// Same request and device: the same bytes, whatever the number of threads, also when stopped and resumed in between (unless settings.seconds is set). Then the
// report says cancelled, and the folder's checkpoint holds the last finished step. fp32 whatever is asked for.
// CL-2173, CL-2174; CL-2172 and others of trainSentencePiece(); CL-2145, CL-2146 of the checkpoint; CL-2175 loss or gradient are no longer
// finite; errors of pairs(), of files and of the device.
Result<TextToTextReport> trainTextToText(const OpenOptions& options, const TextToTextRequest& request, const RunControl& control);

} // namespace carousel
