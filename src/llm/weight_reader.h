// SPDX-License-Identifier: GPL-3.0-or-later
// What both file formats do alike once the tensors are known: look-up with an expected shape, raw bytes, checked floats.
#pragma once
#include "llm/bounded_file.h"
#include "llm/tensor_info.h"
#include <string_view>

namespace carousel {

Result<const TensorInfo*> presentTensor(const TensorInfo* found, std::string_view name, const std::string& path); // CL-2031
Result<const TensorInfo*> tensorOfShape(const TensorInfo* found, std::string_view name, const std::vector<std::uint64_t>& dims,
                                        const std::string& path); // CL-2031, CL-2032
Result<std::vector<std::byte>> readRaw(const BoundedFile& file, const TensorInfo& tensor);
Result<std::vector<float>> readFloats(const BoundedFile& file, const TensorInfo& tensor, std::uint64_t firstRow,
                                      std::uint64_t rows); // CL-2032..2034
// The same into memory of the caller: `out` has exactly rows * columns values.
Result<void> readFloatsInto(const BoundedFile& file, const TensorInfo& tensor, std::uint64_t firstRow, std::uint64_t rows,
                            std::span<float> out);
constexpr const char* readableTypes = "F32, F16, BF16, F64, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K and Q6_K"; // for messages

} // namespace carousel
