// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes of a model, read from its file and checked against its tensors, so that the arithmetic can trust every number it indexes with.
#pragma once
#include "llm/gguf.h"
#include "llm/safetensors.h"

namespace carousel {

// A Llama-type decoder in a GGUF file.
struct LlamaShape {
    std::int64_t blocks = 0, width = 0, feedForward = 0, heads = 0, keyValueHeads = 0, headSize = 0, vocabulary = 0, contextLength = 0;
    double ropeBase = 10000, rmsEpsilon = 1e-5;
    bool tiedHead = true; // no output.weight: the head is token_embd
    std::int64_t parameters = 0;
};
// CL-2035 another architecture; CL-2030..2032 a key, tensor or shape that does not fit.
Result<LlamaShape> llamaShape(const GgufFile& file);

// A BERT-type encoder in a safetensors file with its config.json.
struct BertShape {
    std::int64_t blocks = 0, width = 0, feedForward = 0, heads = 0, headSize = 0, vocabulary = 0, positions = 0;
    double normEpsilon = 1e-12;
    std::int64_t parameters = 0;
};
Result<BertShape> bertShape(const SafetensorsFile& file, const std::string& configFile);

} // namespace carousel
