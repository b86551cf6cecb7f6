// SPDX-License-Identifier: GPL-3.0-or-later
// Writes small safetensors files (adapters, checkpoints) of fp32 tensors: 8 bytes of header length, a JSON header padded with blanks to a
// multiple of 8, then the values (format: huggingface/safetensors, README).
#pragma once
#include "base/result.h"
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct TensorToWrite {
    std::string name;
    std::vector<std::uint64_t> dims; // row-major; their product is values.size()
    std::span<const float> values;
};

// The bytes of a file. Tensors lie in the order given, names must differ.
std::string safetensorsBytes(const std::vector<TensorToWrite>& tensors, const std::map<std::string, std::string>& metadata);

} // namespace carousel
