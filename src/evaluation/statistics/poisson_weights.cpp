// SPDX-License-Identifier: GPL-3.0-or-later
// A weight is read off 16 bits of Philox 4x32-10 by comparing with eight thresholds. Sixteen counters, a block, give 128 weights.
#include "evaluation/statistics/poisson_weights.h"
#include "base/random.h"
#include "evaluation/statistics/vector_intrinsics.h"
#include "evaluation/statistics/vector_path.h"
#include <Random123/philox.h>
#include <algorithm>

namespace carousel {

namespace {
constexpr std::size_t counters = 16, weightsPerBlock = 8 * counters;
using RoundKeys = std::array<std::array<std::uint64_t, 2>, 10>;
// P(weight >= k) * 65536 for k = 1 .. 8; the sum is 65536.
constexpr std::array<std::uint32_t, 8> atLeast{41427, 17317, 5263, 1244, 240, 39, 5, 1};

std::uint8_t weightOf(std::uint32_t bits16) {
    std::uint8_t weight = 0;
    for (const std::uint32_t limit : atLeast)
        weight = static_cast<std::uint8_t>(weight + (bits16 < limit));
    return weight;
}
std::uint64_t keyOf(std::uint64_t seed, std::uint32_t draw) {
    return RandomStream(seed, "poisson weights", draw).next64();
}

RoundKeys roundKeys(std::uint64_t key) {
    RoundKeys keys;
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (auto& round : keys) {
        round = {k0, k1};
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return keys;
}
r123::Philox4x32::ctr_type words(std::uint64_t key, std::uint64_t counter) {
    const r123::Philox4x32::ctr_type c{{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}};
    const r123::Philox4x32::key_type k{{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
    return r123::Philox4x32()(c, k);
}
// Weight `at` of a block is in half at % 2 of word (at / 2) / counters of counter (at / 2) % counters.
void blockPortable(const RoundKeys& keys, std::uint64_t block, std::uint8_t* out) {
    const std::uint64_t key = keys[0][0] | keys[0][1] << 32;
    for (std::size_t c = 0; c < counters; ++c) {
        const auto four = words(key, block * counters + c);
        for (std::size_t w = 0; w < 4; ++w) {
            out[2 * (w * counters + c)] = weightOf(four[w] & 0xFFFF);
            out[2 * (w * counters + c) + 1] = weightOf(four[w] >> 16);
        }
    }
}

#ifdef CAROUSEL_AVX2
// Words stand in the low halves of 64-bit lanes, where the widening multiplication reads them without any shuffle. Eight counters at a time,
// which is what the registers hold. Loops are unrolled at any level of optimisation: the state must not go through memory.
__attribute__((target("avx2"))) void blockAvx2(const RoundKeys& keys, std::uint64_t block, std::uint8_t* out) {
    const auto all = [](std::uint64_t value) { return static_cast<long long>(value); };
    const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57), flip = _mm256_set1_epi16(-32768);
    // Both words' pairs of four counters each, from packed order to that of the counters.
    const __m256i sorted = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m256i joined = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (std::size_t half = 0; half < 2; ++half) {
        const std::uint64_t first = block * counters + 8 * half; // a multiple of 8: no carry into the upper word
        __m256i c[2][4];
#pragma GCC unroll 8
        for (int h = 0; h < 2; ++h) {
            c[h][0] = _mm256_add_epi64(_mm256_set1_epi64x(all((first & 0xFFFFFFFF) + 4 * static_cast<std::uint64_t>(h))), _mm256_setr_epi64x(0, 1, 2, 3));
            c[h][1] = _mm256_set1_epi64x(all(first >> 32));
            c[h][2] = c[h][3] = _mm256_setzero_si256();
        }
        for (const auto& [k0, k1] : keys) {
            const __m256i key0 = _mm256_set1_epi64x(all(k0)), key1 = _mm256_set1_epi64x(all(k1));
#pragma GCC unroll 8
            for (int h = 0; h < 2; ++h) {
                const __m256i a = _mm256_mul_epu32(m0, c[h][0]), b = _mm256_mul_epu32(m1, c[h][2]);
                c[h][0] = _mm256_xor_si256(_mm256_srli_epi64(b, 32), _mm256_xor_si256(c[h][1], key0));
                c[h][1] = b; // high halves are dropped by the next multiplication and the last blend
                c[h][2] = _mm256_xor_si256(_mm256_srli_epi64(a, 32), _mm256_xor_si256(c[h][3], key1));
                c[h][3] = a;
            }
        }
#pragma GCC unroll 8
        for (int w = 0; w < 4; w += 2) {
            __m256i count[2];
#pragma GCC unroll 8
            for (int h = 0; h < 2; ++h) {
                const __m256i two = _mm256_blend_epi32(c[h][w], _mm256_slli_epi64(c[h][w + 1], 32), 0xAA);
                const __m256i bits = _mm256_xor_si256(two, flip); // unsigned order as signed
                count[h] = _mm256_setzero_si256();
#pragma GCC unroll 8
                for (const std::uint32_t limit : atLeast)
                    count[h] = _mm256_sub_epi16(
                        count[h], _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(static_cast<int>(limit) - 32768)), bits));
            }
            const __m256i ordered = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(_mm256_packus_epi16(count[0], count[1]), sorted), joined);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 32 * w + 16 * half), _mm256_castsi256_si128(ordered));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 32 * (w + 1) + 16 * half), _mm256_extracti128_si256(ordered, 1));
        }
    }
}
#define CAROUSEL_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
// The same with registers twice as wide and an exclusive or of three at once.
//
// From 16 bits to a weight without a branch, since a wrong guess would throw away the multiplications that already run for the next blocks. The upper six bits of a
// value say between which two of the larger five thresholds it lies; at most one of them is inside. Entry minus value then has the weight in
// its upper four bits: (weight below the threshold) * 4096 + threshold - 1 - value, where the last three summands take one from the weight if
// the value is not below. The three smallest thresholds are looked up by the value itself.
constexpr std::size_t tabled = 5;
constexpr unsigned weightShift = 12, partShift = 10;
constexpr std::array<std::uint16_t, 64> weightTable = [] {
    std::array<std::uint16_t, 64> table{};
    for (std::uint32_t part = 0; part < 64; ++part) {
        const std::uint32_t from = part << partShift, to = (part + 1) << partShift;
        std::uint32_t weight = 0, threshold = to, inside = 0;
        for (std::size_t k = 0; k < tabled; ++k) {
            weight += atLeast[k] > from;
            if (atLeast[k] > from && atLeast[k] < to)
                threshold = atLeast[k], ++inside;
        }
        if (inside > 1)
            throw "two thresholds in one part";
        table[part] = static_cast<std::uint16_t>((weight << weightShift) + threshold - 1);
    }
    return table;
}();
constexpr std::array<std::uint16_t, 64> smallTable = [] {
    std::array<std::uint16_t, 64> table{};
    for (std::uint32_t bits = 0; bits < 64; ++bits)
        for (std::size_t k = tabled; k < atLeast.size(); ++k)
            table[bits] = static_cast<std::uint16_t>(table[bits] + ((bits < atLeast[k]) << weightShift));
    return table;
}();
static_assert(atLeast[tabled] < 64, "larger values must find no threshold in the last entry");
// Where pairs of weights stand after packing eight counters' words w and w + 1 beside the next eight counters'.
constexpr std::array<std::uint16_t, 32> pairOrder = [] {
    std::array<std::uint16_t, 32> order{};
    for (std::uint32_t pair = 0; pair < 32; ++pair) {
        const std::uint32_t word = pair / counters, counter = pair % counters, half = counter / 8, in = counter % 8;
        order[pair] = static_cast<std::uint16_t>(in / 2 * 8 + half * 4 + in % 2 * 2 + word);
    }
    return order;
}();
CAROUSEL_AVX512 inline __m512i all(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
// `groups` groups of `B` blocks, these at once, so that one's multiplications run while the other's are awaited. All their counters must agree in
// the upper word; that and the two words of zero leave the first two rounds fewer multiplications.
template <int B> CAROUSEL_AVX512 void blocksAvx512(const RoundKeys& keys, std::uint64_t block, std::size_t groups, std::uint8_t* out) {
    constexpr std::uint64_t factor0 = 0xD2511F53, factor1 = 0xCD9E8D57;
    constexpr int exclusiveOr = 0x96;
    const __m512i m0 = all(factor0), m1 = all(factor1);
    const std::uint64_t first = block * counters, fixed = factor0 * ((first >> 32) ^ keys[0][0]);
    __m512i next = _mm512_add_epi64(all(factor0 * (first & 0xFFFFFFFF)), _mm512_mul_epu32(m0, _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7)));
    const __m512i second = all((fixed >> 32) ^ keys[1][1]);
    const __m512i large[2] = {_mm512_loadu_si512(weightTable.data()), _mm512_loadu_si512(weightTable.data() + 32)},
                  small[2] = {_mm512_loadu_si512(smallTable.data()), _mm512_loadu_si512(smallTable.data() + 32)},
                  order = _mm512_loadu_si512(pairOrder.data()), last = _mm512_set1_epi16(63);
    const __m512i step = all(8 * factor0);
    for (; groups > 0; --groups, out += B * weightsPerBlock) {
        __m512i c[2 * B][4];
#pragma GCC unroll 8
        for (int h = 0; h < 2 * B; ++h) {
            const __m512i a = next;
            next = _mm512_add_epi64(next, step);
            const __m512i b = _mm512_mul_epu32(m1, _mm512_xor_si512(_mm512_srli_epi64(a, 32), all(keys[0][1])));
            c[h][0] = _mm512_xor_si512(_mm512_srli_epi64(b, 32), all(keys[1][0]));
            c[h][1] = b; // high halves are dropped by the next multiplication and the last shuffle
            c[h][2] = _mm512_xor_si512(a, second);
            c[h][3] = all(fixed);
        }
        for (std::size_t round = 2; round < keys.size(); ++round) {
            const __m512i key0 = all(keys[round][0]), key1 = all(keys[round][1]);
#pragma GCC unroll 8
            for (int h = 0; h < 2 * B; ++h) {
                const __m512i a = _mm512_mul_epu32(m0, c[h][0]), b = _mm512_mul_epu32(m1, c[h][2]);
                c[h][0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(b, 32), c[h][1], key0, exclusiveOr);
                c[h][1] = b;
                c[h][2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(a, 32), c[h][3], key1, exclusiveOr);
                c[h][3] = a;
            }
        }
#pragma GCC unroll 8
        for (int at = 0; at < 2 * B; ++at) {
            const int w = at % 2 * 2, h = at / 2 * 2;
            __m512i count[2];
#pragma GCC unroll 2
            for (int i = 0; i < 2; ++i) {
                const __m512i bits = _mm512_mask_shuffle_epi32(c[h + i][w], 0xAAAA, c[h + i][w + 1], _MM_PERM_CCAA);
                const __m512i entry = _mm512_permutex2var_epi16(large[0], _mm512_srli_epi16(bits, partShift), large[1]),
                              more = _mm512_permutex2var_epi16(small[0], _mm512_min_epu16(bits, last), small[1]);
                count[i] = _mm512_srli_epi16(_mm512_add_epi16(_mm512_sub_epi16(entry, bits), more), weightShift);
            }
            _mm512_storeu_si512(out + 64 * at, _mm512_permutexvar_epi16(order, _mm512_packus_epi16(count[0], count[1])));
        }
    }
}
constexpr std::size_t together = 2; // blocks at once, where registers suffice for that
const VectorPath path = vectorPath();
#endif

// Fills one block, or several of the `count` that are wanted; returns how many.
std::size_t fillBlocks(const RoundKeys& keys, std::uint64_t block, [[maybe_unused]] std::size_t count, std::uint8_t* out) {
#ifdef CAROUSEL_AVX2
    if (path == VectorPath::avx512) {
        // Groups before the counter's upper word changes.
        const std::size_t groups = std::min<std::size_t>(count, ((1ull << 32) - (block * counters & 0xFFFFFFFF)) / counters) / together;
        if (groups > 0)
            blocksAvx512<together>(keys, block, groups, out);
        else
            blocksAvx512<1>(keys, block, 1, out);
        return std::max<std::size_t>(groups * together, 1);
    }
    if (path == VectorPath::avx2) {
        blockAvx2(keys, block, out);
        return 1;
    }
#endif
    blockPortable(keys, block, out);
    return 1;
}
} // namespace

std::uint8_t poissonWeight(std::uint64_t seed, std::uint32_t draw, std::uint64_t unit) {
    const std::uint64_t at = unit % weightsPerBlock, word = at / 2;
    const auto four = words(keyOf(seed, draw), unit / weightsPerBlock * counters + word % counters);
    const std::uint32_t bits = four[word / counters];
    return weightOf(at % 2 ? bits >> 16 : bits & 0xFFFF);
}

void poissonWeights(std::uint64_t seed, std::uint32_t draw, std::uint64_t first, std::span<std::uint8_t> out) {
    PoissonDraw(seed, draw).weights(first, out);
}

PoissonDraw::PoissonDraw(std::uint64_t seed, std::uint32_t draw) : m_roundKeys(roundKeys(keyOf(seed, draw))) {}

void PoissonDraw::weights(std::uint64_t first, std::span<std::uint8_t> out) const {
    std::uint8_t block[weightsPerBlock];
    for (std::size_t done = 0; done < out.size();) {
        const std::uint64_t at = first + done;
        const std::size_t skip = at % weightsPerBlock, left = out.size() - done;
        if (skip == 0 && left >= weightsPerBlock) {
            done += weightsPerBlock * fillBlocks(m_roundKeys, at / weightsPerBlock, left / weightsPerBlock, out.data() + done);
            continue;
        }
        const std::size_t count = std::min(weightsPerBlock - skip, left);
        fillBlocks(m_roundKeys, at / weightsPerBlock, 1, block);
        std::copy_n(block + skip, count, out.begin() + static_cast<std::ptrdiff_t>(done));
        done += count;
    }
}

} // namespace carousel
