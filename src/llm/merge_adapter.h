// SPDX-License-Identifier: GPL-3.0-or-later
// A model with its adapter written into its weights, as a model file of its own: nothing but the changed matrices differs from the base.
#pragma once
#include "base/run_control.h"
#include "llm/model_shelf.h"

namespace carousel {

struct MergedModel {
    std::string path; // what opens as a model: the .gguf file, or the folder
    std::int64_t changedMatrices = 0, bytes = 0;
};

// `location`: "MODEL@ADAPTER" resolved. A GGUF base gives the file `output`, which ends in .gguf and keeps every key, tokenizer and chat
// template; a safetensors base gives the folder `output` with model.safetensors and the base's other files. Changed matrices are stored in
// fp32 as W + scale B A, all others byte for byte. The weights appear whole or not at all.
// Errors: those of opening; CL-2144; CL-2148: no adapter, a name that does not fit, a GGUF header that lies otherwise than it says, or a
// file that cannot be written; cancelled.
Result<MergedModel> writeMerged(const ModelLocation& location, const std::string& output, const RunControl& control);

} // namespace carousel
