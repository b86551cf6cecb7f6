// SPDX-License-Identifier: GPL-3.0-or-later
// Stored blocks to floats. Loops are plain so that the compiler can use what the machine has; multiplication and addition stay two
// roundings (no fused form), so every machine gives the same values.
#include "llm/tensor_info.h"
#include <algorithm>
#include <bit>
#include <cstring>

// One copy of each loop for machines with AVX2 and one for all, chosen when the library is loaded. Sanitizers cannot run in such a choice.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CAROUSEL_FAST_LOOP __attribute__((target_clones("avx2", "default")))
#else
#define CAROUSEL_FAST_LOOP
#endif

namespace carousel {

namespace {

static_assert(std::endian::native == std::endian::little, "model files are little-endian; this machine needs byte swapping here");

template <class T> inline T load(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// The exponent is moved from bias 15 to 127 by a multiplication, which is exact and does subnormal numbers too; infinities and NaNs are put
// right afterwards. No branch, so that a loop over it can be vectorised.
inline float widen(std::uint16_t bits) {
    const std::uint32_t magnitude = bits & 0x7FFFu;
    const auto moved = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112f);
    const std::uint32_t special = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
    return std::bit_cast<float>(moved | special | static_cast<std::uint32_t>(bits & 0x8000u) << 16);
}
inline float half(const std::byte* at) {
    return widen(load<std::uint16_t>(at));
}
inline const std::uint8_t* bytes(const std::byte* at) {
    return reinterpret_cast<const std::uint8_t*>(at);
}

CAROUSEL_FAST_LOOP void halves(const std::byte* in, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] = widen(load<std::uint16_t>(in + 2 * i));
}

CAROUSEL_FAST_LOOP void brainFloats(const std::byte* in, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(in + 2 * i)) << 16);
}

CAROUSEL_FAST_LOOP void q80(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 34, to += 32) {
        const float d = half(in);
        const auto* q = reinterpret_cast<const std::int8_t*>(in + 2);
        for (int j = 0; j < 32; ++j)
            to[j] = d * static_cast<float>(q[j]);
    }
}

CAROUSEL_FAST_LOOP void q40(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 18, to += 32) {
        const float d = half(in);
        const std::uint8_t* q = bytes(in + 2);
        for (int j = 0; j < 16; ++j)
            to[j] = d * static_cast<float>((q[j] & 15) - 8);
        for (int j = 0; j < 16; ++j)
            to[j + 16] = d * static_cast<float>((q[j] >> 4) - 8);
    }
}

CAROUSEL_FAST_LOOP void q41(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 20, to += 32) {
        const float d = half(in), m = half(in + 2);
        const std::uint8_t* q = bytes(in + 4);
        for (int j = 0; j < 16; ++j)
            to[j] = d * static_cast<float>(q[j] & 15) + m;
        for (int j = 0; j < 16; ++j)
            to[j + 16] = d * static_cast<float>(q[j] >> 4) + m;
    }
}

CAROUSEL_FAST_LOOP void q50(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 22, to += 32) {
        const float d = half(in);
        const auto fifth = load<std::uint32_t>(in + 2);
        const std::uint8_t* q = bytes(in + 6);
        for (int j = 0; j < 16; ++j)
            to[j] = d * static_cast<float>(static_cast<int>((q[j] & 15u) | ((fifth >> j) & 1u) << 4) - 16);
        for (int j = 0; j < 16; ++j)
            to[j + 16] = d * static_cast<float>(static_cast<int>((q[j] >> 4) | ((fifth >> (j + 16)) & 1u) << 4) - 16);
    }
}

CAROUSEL_FAST_LOOP void q51(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 24, to += 32) {
        const float d = half(in), m = half(in + 2);
        const auto fifth = load<std::uint32_t>(in + 4);
        const std::uint8_t* q = bytes(in + 8);
        for (int j = 0; j < 16; ++j)
            to[j] = d * static_cast<float>(static_cast<int>((q[j] & 15u) | ((fifth >> j) & 1u) << 4)) + m;
        for (int j = 0; j < 16; ++j)
            to[j + 16] = d * static_cast<float>(static_cast<int>((q[j] >> 4) | ((fifth >> (j + 16)) & 1u) << 4)) + m;
    }
}

// 256 weights: fp16 d and dmin, 12 bytes with eight 6-bit scales and eight 6-bit minima, 128 bytes of 4-bit weights in four runs of 64.
CAROUSEL_FAST_LOOP void q4k(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 144, to += 256) {
        const float d = half(in), least = half(in + 2);
        const std::uint8_t* packed = bytes(in + 4);
        float scale[8], minimum[8];
        for (int j = 0; j < 4; ++j) {
            scale[j] = d * static_cast<float>(packed[j] & 63);
            minimum[j] = least * static_cast<float>(packed[j + 4] & 63);
            scale[j + 4] = d * static_cast<float>((packed[j + 8] & 15) | (packed[j] >> 6) << 4);
            minimum[j + 4] = least * static_cast<float>((packed[j + 8] >> 4) | (packed[j + 4] >> 6) << 4);
        }
        const std::uint8_t* q = bytes(in + 16);
        for (int run = 0; run < 4; ++run, q += 32) {
            float* at = to + 64 * run;
            for (int j = 0; j < 32; ++j)
                at[j] = scale[2 * run] * static_cast<float>(q[j] & 15) - minimum[2 * run];
            for (int j = 0; j < 32; ++j)
                at[j + 32] = scale[2 * run + 1] * static_cast<float>(q[j] >> 4) - minimum[2 * run + 1];
        }
    }
}

// 256 weights: 128 bytes of low halves, 64 bytes of high pairs of bits, 16 signed scales of 16 weights each, fp16 d; weights count from
// -32.
CAROUSEL_FAST_LOOP void q6k(const std::byte* in, float* to, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i, in += 210, to += 256) {
        const float d = half(in + 208);
        const auto* scales = reinterpret_cast<const std::int8_t*>(in + 192);
        for (int part = 0; part < 2; ++part) {
            const std::uint8_t *low = bytes(in) + 64 * part, *high = bytes(in + 128) + 32 * part;
            for (int quarter = 0; quarter < 4; ++quarter)
                for (int side = 0; side < 2; ++side) {
                    const float scale = d * static_cast<float>(scales[8 * part + 2 * quarter + side]);
                    const std::uint8_t *l = low + 32 * (quarter & 1) + 16 * side, *h = high + 16 * side;
                    float* at = to + 128 * part + 32 * quarter + 16 * side;
                    const int lowShift = quarter < 2 ? 0 : 4, highShift = 2 * quarter;
                    for (int j = 0; j < 16; ++j)
                        at[j] = scale * static_cast<float>(((l[j] >> lowShift) & 15) + 16 * ((h[j] >> highShift) & 3) - 32);
                }
        }
    }
}

CAROUSEL_FAST_LOOP std::uint32_t largestMagnitude(const float* values, std::size_t count) {
    std::uint32_t worst = 0;
    for (std::size_t i = 0; i < count; ++i)
        worst = std::max(worst, std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFFu);
    return worst;
}

} // namespace

float halfToFloat(std::uint16_t bits) {
    return widen(bits);
}

bool allFinite(std::span<const float> values) {
    return largestMagnitude(values.data(), values.size()) < 0x7F800000u; // infinities and NaNs are those from here on
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
        if (blocks > 0)
            std::memcpy(to, in, blocks * 4);
        break;
    case TensorType::f16:
        halves(in, to, blocks);
        break;
    case TensorType::bf16:
        brainFloats(in, to, blocks);
        break;
    case TensorType::f64:
        for (std::size_t i = 0; i < blocks; ++i)
            to[i] = static_cast<float>(load<double>(in + 8 * i));
        break;
    case TensorType::q8_0:
        q80(in, to, blocks);
        break;
    case TensorType::q4_0:
        q40(in, to, blocks);
        break;
    case TensorType::q4_1:
        q41(in, to, blocks);
        break;
    case TensorType::q5_0:
        q50(in, to, blocks);
        break;
    case TensorType::q5_1:
        q51(in, to, blocks);
        break;
    case TensorType::q4_k:
        q4k(in, to, blocks);
        break;
    case TensorType::q6_k:
        q6k(in, to, blocks);
        break;
    default:
        break;
    }
}

} // namespace carousel
