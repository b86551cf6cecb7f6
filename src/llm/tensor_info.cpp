// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/tensor_info.h"
#include <bit>
#include <cstring>

namespace carousel {

namespace {

template <class T> T load(const std::byte* at) {
    static_assert(std::endian::native == std::endian::little, "model files are little-endian; this machine needs byte swapping here");
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

float half(const std::byte* at) {
    return halfToFloat(load<std::uint16_t>(at));
}

} // namespace

bool readableAsFloats(TensorType type) {
    switch (type) {
    case TensorType::f32:
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::f64:
    case TensorType::q8_0:
    case TensorType::q4_0:
    case TensorType::q4_1:
        return true;
    default:
        return false;
    }
}

BlockSize blockSize(TensorType type) {
    switch (type) {
    case TensorType::f32:
    case TensorType::i32:
    case TensorType::u32:
        return {1, 4};
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::i16:
    case TensorType::u16:
        return {1, 2};
    case TensorType::f64:
    case TensorType::i64:
    case TensorType::u64:
        return {1, 8};
    case TensorType::i8:
    case TensorType::u8:
    case TensorType::boolean:
        return {1, 1};
    case TensorType::q8_0:
        return {32, 34};
    case TensorType::q4_0:
        return {32, 18};
    case TensorType::q4_1:
        return {32, 20};
    case TensorType::other:
        break;
    }
    return {};
}

float halfToFloat(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
    const std::uint32_t fraction = bits & 0x3FFu;
    if (exponent == 0) { // zero or subnormal: fraction * 2^-24 is exact in float
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31)
        return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
}

void toFloats(TensorType type, std::span<const std::byte> stored, std::span<float> out) {
    const BlockSize block = blockSize(type);
    if (block.elements == 0)
        return;
    const std::size_t blocks = out.size() / block.elements;
    const std::byte* in = stored.data();
    float* to = out.data();
    switch (type) {
    case TensorType::f32:
        std::memcpy(to, in, blocks * 4);
        break;
    case TensorType::f16:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i] = half(in + 2 * i);
        break;
    case TensorType::bf16:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(in + 2 * i)) << 16);
        break;
    case TensorType::f64:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i] = static_cast<float>(load<double>(in + 8 * i));
        break;
    case TensorType::q8_0:
        for (std::size_t i = 0; i < blocks; ++i, in += 34, to += 32) {
            const float d = half(in);
            for (int j = 0; j < 32; ++j)
                to[j] = d * static_cast<float>(static_cast<std::int8_t>(in[2 + j]));
        }
        break;
    case TensorType::q4_0:
        for (std::size_t i = 0; i < blocks; ++i, in += 18, to += 32) {
            const float d = half(in);
            for (int j = 0; j < 16; ++j) {
                const int byte = static_cast<int>(in[2 + j]);
                to[j] = d * static_cast<float>((byte & 15) - 8);
                to[j + 16] = d * static_cast<float>((byte >> 4) - 8);
            }
        }
        break;
    case TensorType::q4_1:
        for (std::size_t i = 0; i < blocks; ++i, in += 20, to += 32) {
            const float d = half(in), m = half(in + 2);
            for (int j = 0; j < 16; ++j) {
                const int byte = static_cast<int>(in[4 + j]);
                to[j] = d * static_cast<float>(byte & 15) + m;
                to[j + 16] = d * static_cast<float>(byte >> 4) + m;
            }
        }
        break;
    default:
        break;
    }
}

} // namespace carousel
