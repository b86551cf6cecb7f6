// SPDX-License-Identifier: GPL-3.0-or-later
// One tensor of a model file, and the turning of its stored bytes into floats. Shared by the GGUF and the safetensors reader.
#pragma once
#include "base/result.h"
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

enum class TensorType {
    f32,
    f16,
    bf16,
    f64,
    q8_0,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q4_k,
    q6_k,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    boolean,
    other
};

struct TensorInfo {
    std::string name;
    std::vector<std::uint64_t> dims; // row-major, the last one is the fastest: a matrix is {rows, columns}
    TensorType type = TensorType::other;
    std::string typeName;     // as the format calls it: "Q4_1", "F32"
    std::uint64_t offset = 0; // of the first byte, from the start of the file
    std::uint64_t bytes = 0;
    std::uint64_t elements = 0;
    std::uint64_t rows() const { return dims.size() < 2 ? 1 : elements / columns(); }
    std::uint64_t columns() const { return dims.empty() ? 1 : (dims.back() == 0 ? 1 : dims.back()); }
};

// Types whose values can be turned into floats; integers are not weights.
bool readableAsFloats(TensorType type);
// Elements per block and bytes per block; {1, 4} for f32, {32, 20} for q4_1; {0, 0} for other.
struct BlockSize {
    std::uint32_t elements = 0, bytes = 0;
};
BlockSize blockSize(TensorType type);
// `stored` holds whole blocks, `out` their elements. Blocks of 32: fp16 scale d (q8_0: 32 signed bytes; q4_0, q4_1: 16 bytes, weight j in
// the low half of byte j, weight j + 16 in the high half; q5_*: 4 bytes of fifth bits before these), and fp16 offset m after d in q4_1,
// q5_1: weight = d * q + m; q4_0 and q5_0 count q from -8 and -16. q4_k, q6_k: 256 weights with scales of sub-blocks. Source: the GGUF
// project's ggml-common.h and its Python package `gguf`, which the tests compare with.
void toFloats(TensorType type, std::span<const std::byte> stored, std::span<float> out);
// Whether all are finite; runs at the speed of memory.
bool allFinite(std::span<const float> values);
float halfToFloat(std::uint16_t bits);

} // namespace carousel
