// SPDX-License-Identifier: GPL-3.0-or-later
// Writes a T5-type model as a folder that opens as any other: config.json with the names that T5 uses, spiece.model, model.safetensors.
#pragma once
#include "llm/t5_shape.h"
#include <span>
#include <string>

namespace carousel {

// `values`: all tensors of t5Tensors(shape) end to end, in that order. CL-5002, CL-5004.
Result<void> writeT5(const std::string& folder, const std::string& name, const T5Shape& shape, const std::string& spieceModel,
                     std::span<const float> values);

} // namespace carousel
