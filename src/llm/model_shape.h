// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes of an encoder, read from its file and checked against its tensors, so that the arithmetic can trust every number it indexes with.
#pragma once
#include "llm/safetensors.h"

namespace carousel {

// A BERT-type encoder in a safetensors file with its config.json.
struct BertShape {
    std::int64_t blocks = 0, width = 0, feedForward = 0, heads = 0, headSize = 0, vocabulary = 0, positions = 0;
    double normEpsilon = 1e-12;
    std::int64_t parameters = 0;
};
// CL-2035 another architecture; CL-2031..2033 a tensor that does not fit.
Result<BertShape> bertShape(const SafetensorsFile& file, const std::string& configFile);

} // namespace carousel
