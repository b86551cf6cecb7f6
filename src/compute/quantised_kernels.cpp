// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled once per instruction set (CAROUSEL_KERNEL_SET names it), as cpu_kernels.cpp is, and under the same rules.
#include "compute/quantised_kernels.h"
#include <immintrin.h>

namespace carousel {
namespace {

#define CAROUSEL_INLINE __attribute__((always_inline)) inline

#if defined(__AVX512BW__)
constexpr int lanes = 16;
constexpr int mostRows = 6; // 12 whole-number and 12 fp32 sums in 32 registers
typedef __m512i Words;
typedef __m512 Floats;
CAROUSEL_INLINE Words loadWords(const void* p) {
    return _mm512_loadu_si512(p);
}
CAROUSEL_INLINE void storeWords(void* p, Words v) {
    _mm512_storeu_si512(p, v);
}
CAROUSEL_INLINE Words pairToAll(const std::int16_t* p) {
    std::int32_t pair;
    __builtin_memcpy(&pair, p, 4);
    return _mm512_set1_epi32(pair);
}
CAROUSEL_INLINE Words zeroWords() {
    return _mm512_setzero_si512();
}
CAROUSEL_INLINE Words addWords(Words a, Words b) {
    return _mm512_add_epi32(a, b);
}
template <int Bits> CAROUSEL_INLINE Words shiftUp(Words v) {
    return _mm512_slli_epi16(v, Bits);
}
template <int Bits> CAROUSEL_INLINE Words shiftDown(Words v) {
    return _mm512_srli_epi16(v, Bits);
}
template <int Bits> CAROUSEL_INLINE Words shiftDownSigned(Words v) {
    return _mm512_srai_epi16(v, Bits);
}
CAROUSEL_INLINE Words lowNibble(Words v) {
    return _mm512_and_si512(v, _mm512_set1_epi16(15));
}
CAROUSEL_INLINE Floats toFloats(Words v) {
    return _mm512_cvtepi32_ps(v);
}
CAROUSEL_INLINE Floats loadFloats(const float* p) {
    return _mm512_loadu_ps(p);
}
CAROUSEL_INLINE void storeFloats(float* p, Floats v) {
    _mm512_storeu_ps(p, v);
}
CAROUSEL_INLINE Floats all(float x) {
    return _mm512_set1_ps(x);
}
CAROUSEL_INLINE Floats times(Floats a, Floats b) {
    return _mm512_mul_ps(a, b);
}
CAROUSEL_INLINE Floats plusProduct(Floats sum, Floats a, Floats b) {
    return _mm512_fmadd_ps(a, b, sum);
}
CAROUSEL_INLINE Floats halves(const std::uint8_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
CAROUSEL_INLINE Words sizeBits(Floats v) {
    return _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7FFFFFFF));
}
CAROUSEL_INLINE Words larger(Words a, Words b) {
    return _mm512_max_epi32(a, b);
}
CAROUSEL_INLINE std::int32_t largestOf(Words v) {
    return _mm512_reduce_max_epi32(v);
}
CAROUSEL_INLINE std::int32_t sumOf(Words v) {
    return _mm512_reduce_add_epi32(v);
}
CAROUSEL_INLINE Words nearest(Floats v) {
    return _mm512_cvtps_epi32(v);
}
CAROUSEL_INLINE void storeShort(std::int16_t* p, Words v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtsepi32_epi16(v));
}
CAROUSEL_INLINE Words plusPairs(Words sum, Words w, Words a) {
#if defined(__AVX512VNNI__)
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(a)); // GCC 12 spills sums that sit in an array when the intrinsic is used
    return sum;
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(w, a));
#endif
}
#else
constexpr int lanes = 8;
constexpr int mostRows = 3;
typedef __m256i Words;
typedef __m256 Floats;
CAROUSEL_INLINE Words loadWords(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
CAROUSEL_INLINE void storeWords(void* p, Words v) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}
CAROUSEL_INLINE Words pairToAll(const std::int16_t* p) {
    std::int32_t pair;
    __builtin_memcpy(&pair, p, 4);
    return _mm256_set1_epi32(pair);
}
CAROUSEL_INLINE Words zeroWords() {
    return _mm256_setzero_si256();
}
CAROUSEL_INLINE Words addWords(Words a, Words b) {
    return _mm256_add_epi32(a, b);
}
template <int Bits> CAROUSEL_INLINE Words shiftUp(Words v) {
    return _mm256_slli_epi16(v, Bits);
}
template <int Bits> CAROUSEL_INLINE Words shiftDown(Words v) {
    return _mm256_srli_epi16(v, Bits);
}
template <int Bits> CAROUSEL_INLINE Words shiftDownSigned(Words v) {
    return _mm256_srai_epi16(v, Bits);
}
CAROUSEL_INLINE Words lowNibble(Words v) {
    return _mm256_and_si256(v, _mm256_set1_epi16(15));
}
CAROUSEL_INLINE Floats toFloats(Words v) {
    return _mm256_cvtepi32_ps(v);
}
CAROUSEL_INLINE Floats loadFloats(const float* p) {
    return _mm256_loadu_ps(p);
}
CAROUSEL_INLINE void storeFloats(float* p, Floats v) {
    _mm256_storeu_ps(p, v);
}
CAROUSEL_INLINE Floats all(float x) {
    return _mm256_set1_ps(x);
}
CAROUSEL_INLINE Floats times(Floats a, Floats b) {
    return _mm256_mul_ps(a, b);
}
CAROUSEL_INLINE Floats plusProduct(Floats sum, Floats a, Floats b) {
    return _mm256_fmadd_ps(a, b, sum);
}
CAROUSEL_INLINE Floats halves(const std::uint8_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
CAROUSEL_INLINE Words sizeBits(Floats v) {
    return _mm256_and_si256(_mm256_castps_si256(v), _mm256_set1_epi32(0x7FFFFFFF));
}
CAROUSEL_INLINE Words larger(Words a, Words b) {
    return _mm256_max_epi32(a, b);
}
CAROUSEL_INLINE std::int32_t largestOf(Words v) {
    __m128i x = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
CAROUSEL_INLINE std::int32_t sumOf(Words v) {
    __m128i x = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
CAROUSEL_INLINE Words nearest(Floats v) {
    return _mm256_cvtps_epi32(v);
}
CAROUSEL_INLINE void storeShort(std::int16_t* p, Words v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}
CAROUSEL_INLINE Words plusPairs(Words sum, Words w, Words a) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(w, a));
}
#endif

constexpr std::int64_t vectorBytes = panelOutputs * 4; // of a word vector of the panel: a pair of 16-bit words per output
constexpr std::int64_t pairs = quantisedBlock / 2;

// Nearest whole numbers of x * up, at most 32767 in size: pairs go to q, `step` pairs apart. Returns their sum.
CAROUSEL_INLINE std::int32_t roundBlock(const float* x, float up, std::int16_t* values, std::int16_t* q, std::int64_t step) {
    Words total = zeroWords();
#pragma GCC unroll 4
    for (int i = 0; i < quantisedBlock; i += lanes) {
        const Words value = nearest(times(loadFloats(x + i), all(up)));
        storeShort(values + i, value);
        total = addWords(total, value);
    }
    for (int pair = 0; pair < pairs; ++pair)
        __builtin_memcpy(q + 2 * pair * step, values + 2 * pair, 4);
    return sumOf(total);
}

// Row `row` of a tile of `rows`.
bool quantiseRow(const float* x, std::int64_t rows, std::int64_t row, std::int64_t inputs, std::int16_t* q, std::int16_t* rest,
                 float* scales) {
    const std::int64_t blocks = inputs / quantisedBlock;
    const auto scalesOf = [&](std::int64_t block) { return scales + (block * rows + row) * 4; };
    // Sizes are compared by their bits, where NaN is above everything: it then spoils the scale, and with it every result.
    std::int32_t top = 0;
    for (std::int64_t block = 0; block < blocks; ++block) {
        Words most = zeroWords();
#pragma GCC unroll 4
        for (int i = 0; i < quantisedBlock; i += lanes)
            most = larger(most, sizeBits(loadFloats(x + block * quantisedBlock + i)));
        const std::int32_t bits = largestOf(most);
        __builtin_memcpy(scalesOf(block), &bits, 4);
        top = bits > top ? bits : top;
    }
    // The mean binary exponent of the blocks' largest values; far smaller ones count as if they were 2^-16 of the largest.
    const auto exponent = [&](std::int64_t block) {
        std::int32_t bits;
        __builtin_memcpy(&bits, scalesOf(block), 4);
        const std::int32_t lowest = (top >> 23) - 16;
        return bits >> 23 > lowest ? bits >> 23 : lowest;
    };
    std::int64_t exponents = 0;
    for (std::int64_t block = 0; block < blocks; ++block)
        exponents += exponent(block);
    bool any = false;
    for (std::int64_t block = 0; block < blocks; ++block) {
        const bool stands = exponent(block) * blocks * 2 >= exponents * 2 + 3 * blocks;
        float* scale = scalesOf(block);
        const float* from = x + block * quantisedBlock;
        const std::int64_t at = (block * pairs * rows + row) * 2;
        const float largest = scale[0], up = largest > 1e-30f ? 32767.0f / largest : 0.0f, step = largest / 32767.0f;
        std::int16_t values[quantisedBlock];
        const std::int32_t sum = roundBlock(from, up, values, q + at, rows);
        scale[0] = step;
        scale[1] = step * static_cast<float>(sum);
        scale[2] = scale[3] = 0;
        if (stands) {
            float left[quantisedBlock];
            for (int i = 0; i < quantisedBlock; ++i)
                left[i] = from[i] - step * static_cast<float>(values[i]);
            scale[2] = step * (0.5f / 32767.0f);
            scale[3] = scale[2] * static_cast<float>(roundBlock(left, up * 65534.0f, values, rest + at, rows));
            any = true;
        }
    }
    return any;
}

bool quantiseTile(const float* x, std::int64_t rows, std::int64_t inputs, std::int16_t* q, std::int16_t* rest, float* scales) {
    bool any = false;
    for (std::int64_t row = 0; row < rows; ++row)
        any |= quantiseRow(x + row * inputs, rows, row, inputs, q, rest, scales);
    return any;
}

// Weights of pair n of a word vector, as 16-bit numbers.
template <int Bits, int N> CAROUSEL_INLINE Words weights(Words v) {
    if constexpr (Bits == 8)
        return shiftDownSigned<8>(N == 0 ? shiftUp<8>(v) : v);
    else if constexpr (N == 0)
        return lowNibble(v);
    else if constexpr (N == 3)
        return shiftDown<12>(v);
    else
        return lowNibble(shiftDown<4 * N>(v));
}

// What a block adds to the sums of a row: d * s * (sum of products) + m * s * (sum of q).
template <int Bits> CAROUSEL_INLINE Floats plusBlock(Floats sum, Words products, Floats d, Floats m, const float* scales) {
    sum = plusProduct(sum, toFloats(products), times(d, all(scales[0])));
    if constexpr (Bits == 4)
        sum = plusProduct(sum, m, all(scales[1]));
    return sum;
}

// Pairs n, n + 1, ... of one word vector. With few rows the sums of several pairs run side by side, since each step waits for the one
// before.
template <int Bits, int Rows, int Side, int N>
CAROUSEL_INLINE void plusVector(Words v0, Words v1, const std::int16_t* q, Words (&sums)[Rows][2][Side]) {
    if constexpr (N < 16 / Bits) {
        const Words w0 = weights<Bits, N>(v0), w1 = weights<Bits, N>(v1);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            const Words a = pairToAll(q + (N * Rows + r) * 2);
            sums[r][0][N % Side] = plusPairs(sums[r][0][N % Side], w0, a);
            sums[r][1][N % Side] = plusPairs(sums[r][1][N % Side], w1, a);
        }
        plusVector<Bits, Rows, Side, N + 1>(v0, v1, q, sums);
    }
}

// Whether a row of the tile has a rest in this block; `scales` are those of the rest.
template <int Rows> CAROUSEL_INLINE bool anyRest(const float* scales) {
    bool any = false;
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
        any |= scales[r * 4] != 0;
    return any;
}

// Every block of a tile of rows, or (Rest) a second time those blocks where a row has a rest, added to what the first time gave.
template <int Bits, int Rows, bool Rest>
CAROUSEL_INLINE void fewRows(const std::uint8_t* panel, std::int64_t blocks, const std::int16_t* q, const float* scales, float* y,
                             std::int64_t stride) {
    constexpr int side = Rows == 1 ? 16 / Bits : Rows == 2 ? 2 : 1;
    for (int column = 0; column < panelOutputs; column += 2 * lanes) {
        Floats out[Rows][2];
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            out[r][0] = Rest ? loadFloats(y + r * stride + column) : all(0);
            out[r][1] = Rest ? loadFloats(y + r * stride + column + lanes) : all(0);
        }
        for (std::int64_t block = 0; block < blocks; ++block) {
            const float* scale = scales + block * Rows * 4 + (Rest ? 2 : 0);
            if (Rest && !anyRest<Rows>(scale))
                continue;
            const std::uint8_t* words = panel + block * panelBlockBytes(Bits) + column * 4;
            const std::uint8_t* factors = panel + block * panelBlockBytes(Bits) + Bits * vectorBytes + column * 2;
            Words sums[Rows][2][side];
#pragma GCC unroll 8
            for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
                for (int s = 0; s < side; ++s)
                    sums[r][0][s] = sums[r][1][s] = zeroWords();
#pragma GCC unroll 8
            for (int v = 0; v < Bits; ++v)
                plusVector<Bits, Rows, side, 0>(loadWords(words + v * vectorBytes), loadWords(words + v * vectorBytes + lanes * 4),
                                                q + (block * quantisedBlock + v * (32 / Bits)) * Rows, sums);
            const Floats d0 = halves(factors), d1 = halves(factors + lanes * 2);
            Floats m0 = d0, m1 = d1;
            if constexpr (Bits == 4) {
                m0 = halves(factors + panelOutputs * 2);
                m1 = halves(factors + panelOutputs * 2 + lanes * 2);
            }
#pragma GCC unroll 8
            for (int r = 0; r < Rows; ++r) {
                Words p0 = sums[r][0][0], p1 = sums[r][1][0];
#pragma GCC unroll 4
                for (int s = 1; s < side; ++s) {
                    p0 = addWords(p0, sums[r][0][s]);
                    p1 = addWords(p1, sums[r][1][s]);
                }
                out[r][0] = plusBlock<Bits>(out[r][0], p0, d0, m0, scale + r * 4);
                out[r][1] = plusBlock<Bits>(out[r][1], p1, d1, m1, scale + r * 4);
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            storeFloats(y + r * stride + column, out[r][0]);
            storeFloats(y + r * stride + column + lanes, out[r][1]);
        }
    }
}

template <int Bits, int Rows, bool Rest>
CAROUSEL_INLINE void manyRows(const std::int16_t* words, const float* factors, std::int64_t blocks, const std::int16_t* q,
                              const float* scales, float* y, std::int64_t stride) {
    for (int column = 0; column < panelOutputs; column += 2 * lanes) {
        Floats out[Rows][2];
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            out[r][0] = Rest ? loadFloats(y + r * stride + column) : all(0);
            out[r][1] = Rest ? loadFloats(y + r * stride + column + lanes) : all(0);
        }
        for (std::int64_t block = 0; block < blocks; ++block) {
            const float* scale = scales + block * Rows * 4 + (Rest ? 2 : 0);
            if (Rest && !anyRest<Rows>(scale))
                continue;
            const std::int16_t* from = words + block * quantisedBlock * panelOutputs + column * 2;
            const std::int16_t* a = q + block * quantisedBlock * Rows;
            Words sums[Rows][2];
#pragma GCC unroll 8
            for (int r = 0; r < Rows; ++r)
                sums[r][0] = sums[r][1] = zeroWords();
#pragma GCC unroll 16
            for (int pair = 0; pair < pairs; ++pair) {
                const Words w0 = loadWords(from + pair * panelOutputs * 2), w1 = loadWords(from + pair * panelOutputs * 2 + lanes * 2);
#pragma GCC unroll 8
                for (int r = 0; r < Rows; ++r) {
                    const Words both = pairToAll(a + (pair * Rows + r) * 2);
                    sums[r][0] = plusPairs(sums[r][0], w0, both);
                    sums[r][1] = plusPairs(sums[r][1], w1, both);
                }
            }
            const float* d = factors + block * 2 * panelOutputs + column;
            const Floats d0 = loadFloats(d), d1 = loadFloats(d + lanes);
            const Floats m0 = loadFloats(d + panelOutputs), m1 = loadFloats(d + panelOutputs + lanes);
#pragma GCC unroll 8
            for (int r = 0; r < Rows; ++r) {
                out[r][0] = plusBlock<Bits>(out[r][0], sums[r][0], d0, m0, scale + r * 4);
                out[r][1] = plusBlock<Bits>(out[r][1], sums[r][1], d1, m1, scale + r * 4);
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            storeFloats(y + r * stride + column, out[r][0]);
            storeFloats(y + r * stride + column + lanes, out[r][1]);
        }
    }
}

// Calls step.template run<Rows>(first) until all rows are done.
template <class Step> CAROUSEL_INLINE void forRows(std::int64_t rows, Step step) {
    std::int64_t first = 0;
    for (; rows - first >= mostRows; first += mostRows)
        step.template run<mostRows>(first);
    switch (rows - first) {
    case 1:
        return step.template run<1>(first);
    case 2:
        return step.template run<2>(first);
#if defined(__AVX512BW__)
    case 3:
        return step.template run<3>(first);
    case 4:
        return step.template run<4>(first);
    case 5:
        return step.template run<5>(first);
#endif
    default:
        return;
    }
}

template <int Bits, bool Rest> struct FewStep {
    const std::uint8_t* panel;
    std::int64_t blocks;
    const QuantisedActivations& x;
    float* y;
    std::int64_t stride;
    template <int Rows> CAROUSEL_INLINE void run(std::int64_t first) const {
        if (Rest && !x.hasRest[first / mostRows])
            return;
        fewRows<Bits, Rows, Rest>(panel, blocks, (Rest ? x.rest : x.q) + first * blocks * quantisedBlock, x.scales + first * blocks * 4,
                                  y + first * stride, stride);
    }
};
template <int Bits, bool Rest> struct ManyStep {
    const std::int16_t* words;
    const float* factors;
    std::int64_t blocks;
    const QuantisedActivations& x;
    float* y;
    std::int64_t stride;
    template <int Rows> CAROUSEL_INLINE void run(std::int64_t first) const {
        if (Rest && !x.hasRest[first / mostRows])
            return;
        manyRows<Bits, Rows, Rest>(words, factors, blocks, (Rest ? x.rest : x.q) + first * blocks * quantisedBlock,
                                   x.scales + first * blocks * 4, y + first * stride, stride);
    }
};

template <int Bits>
void few(const std::uint8_t* panel, std::int64_t blocks, const QuantisedActivations& x, std::int64_t rows, float* y, std::int64_t stride) {
    forRows(rows, FewStep<Bits, false>{panel, blocks, x, y, stride});
    forRows(rows, FewStep<Bits, true>{panel, blocks, x, y, stride});
}
template <int Bits>
void many(const std::int16_t* words, const float* factors, std::int64_t blocks, const QuantisedActivations& x, std::int64_t rows, float* y,
          std::int64_t stride) {
    forRows(rows, ManyStep<Bits, false>{words, factors, blocks, x, y, stride});
    forRows(rows, ManyStep<Bits, true>{words, factors, blocks, x, y, stride});
}

void multiplyFew(int bits, const std::uint8_t* panel, std::int64_t blocks, const QuantisedActivations& x, std::int64_t rows, float* y,
                 std::int64_t stride) {
    bits == 4 ? few<4>(panel, blocks, x, rows, y, stride) : few<8>(panel, blocks, x, rows, y, stride);
}

void multiplyMany(int bits, const std::int16_t* words, const float* factors, std::int64_t blocks, const QuantisedActivations& x,
                  std::int64_t rows, float* y, std::int64_t stride) {
    bits == 4 ? many<4>(words, factors, blocks, x, rows, y, stride) : many<8>(words, factors, blocks, x, rows, y, stride);
}

template <int Bits, int N> CAROUSEL_INLINE void unpackVector(Words v, std::int16_t* words) {
    if constexpr (N < 16 / Bits) {
        storeWords(words + N * panelOutputs * 2, weights<Bits, N>(v));
        unpackVector<Bits, N + 1>(v, words);
    }
}
template <int Bits> void unpackPanel(const std::uint8_t* panel, std::int64_t blocks, std::int16_t* words, float* factors) {
    for (std::int64_t block = 0; block < blocks; ++block, panel += panelBlockBytes(Bits), factors += 2 * panelOutputs) {
        for (int v = 0; v < Bits; ++v, words += 16 / Bits * panelOutputs * 2)
            for (int column = 0; column < panelOutputs; column += lanes)
                unpackVector<Bits, 0>(loadWords(panel + v * vectorBytes + column * 4), words + column * 2);
        const std::uint8_t* stored = panel + Bits * vectorBytes;
        for (int column = 0; column < panelOutputs; column += lanes) {
            storeFloats(factors + column, halves(stored + column * 2));
            storeFloats(factors + panelOutputs + column, Bits == 4 ? halves(stored + panelOutputs * 2 + column * 2) : all(0));
        }
    }
}
void unpack(int bits, const std::uint8_t* panel, std::int64_t blocks, std::int16_t* words, float* factors) {
    if (bits == 4)
        unpackPanel<4>(panel, blocks, words, factors);
    else
        unpackPanel<8>(panel, blocks, words, factors);
}

} // namespace

#define CAROUSEL_PASTE_(a, b) a##b
#define CAROUSEL_PASTE(a, b) CAROUSEL_PASTE_(a, b)
#define CAROUSEL_TEXT_(a) #a
#define CAROUSEL_TEXT(a) CAROUSEL_TEXT_(a)
extern const QuantisedKernels CAROUSEL_PASTE(quantisedKernels_, CAROUSEL_KERNEL_SET);
const QuantisedKernels CAROUSEL_PASTE(quantisedKernels_, CAROUSEL_KERNEL_SET) = {
    CAROUSEL_TEXT(CAROUSEL_KERNEL_SET), mostRows, quantiseTile, multiplyFew, unpack, multiplyMany};

} // namespace carousel
