// SPDX-License-Identifier: GPL-3.0-or-later
// A model file (or folder of files) looked at from end to end without LibTorch: structure, architecture, tokenizer, chat template, and, when
// asked for, every weight. What passes here can be opened; what does not is refused with the reader's own reason.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include "llm/model_card.h"

namespace carousel {

struct ModelFacts {
    ModelCard card;          // id, added, from and the hashes of files are left empty; licence "not stated" where the file does not say
    std::string folder;      // where the files lie
    std::string tokenizer;   // for people: "gpt2 (smollm), 49,152 tokens"
    std::string chatTemplate; // "ChatML", or why there is none
    std::uint64_t tensors = 0;
    std::vector<std::string> warnings; // oddities that do no harm
};

// The file that a model is opened by: `path` itself, or in a folder the only file of weights or the index of several. CL-2073
Result<std::string> weightsFile(const std::string& path);

// `path`: a .gguf file, a .safetensors file, or a folder with one of them. `weights`: also reads every weight and refuses values that are not
// finite (CL-2034); takes about as long as opening. Errors: those of the readers (CL-2001..2063), CL-2073 when nothing at `path` can be a model.
Result<ModelFacts> inspectModel(const std::string& path, bool weights, const RunControl& control);

} // namespace carousel
