// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled once per instruction set (CAROUSEL_KERNEL_SET names it) with the compiler's vector types. Nothing from the standard library
// that could be inlined is used here: a copy compiled for AVX-512 must never be picked by the linker for another file.
// A row's result depends on that row and the keys it sees alone, never on its neighbours in a tile: this is what makes scores
// independent of how candidates are grouped.
#include "compute/cpu_kernels.h"

namespace carousel {
namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX2__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
typedef float Floats __attribute__((vector_size(lanes * 4)));
typedef std::int32_t Ints __attribute__((vector_size(lanes * 4)));
#define CAROUSEL_INLINE __attribute__((always_inline)) inline

CAROUSEL_INLINE Floats load(const float* p) {
    Floats v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
CAROUSEL_INLINE void store(float* p, Floats v) {
    __builtin_memcpy(p, &v, sizeof v);
}
CAROUSEL_INLINE Floats all(float x) {
    return x - Floats{};
}
CAROUSEL_INLINE float sum(Floats v) {
    float s = 0;
    for (int i = 0; i < lanes; ++i)
        s += v[i];
    return s;
}
CAROUSEL_INLINE Floats select(Ints condition, Floats yes, Floats no) {
    return reinterpret_cast<Floats>((reinterpret_cast<Ints>(yes) & condition) | (reinterpret_cast<Ints>(no) & ~condition));
}

// e^x with a relative error of about 2e-7; 0 below -87, e^88 above 88. Range reduction by ln 2 in two parts, then a Taylor polynomial.
CAROUSEL_INLINE Floats exponential(Floats x) {
    const Floats low = all(-87.0f), high = all(88.0f);
    const Ints tooSmall = x < low;
    x = select(tooSmall, low, x);
    x = select(x > high, high, x);
    const float rounder = 12582912.0f; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    const Floats shifted = x * 1.44269504f + rounder;
    const Floats n = shifted - rounder;
    const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    Floats p = all(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const Ints exponent = (reinterpret_cast<Ints>(shifted) - reinterpret_cast<Ints>(all(rounder))) << 23;
    const Floats y = reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
    return select(tooSmall, Floats{}, y);
}

// bf16 is the upper half of a float. NaNs stay NaNs unless their payload is all in the lower half, which the arithmetic here does not make.
typedef std::uint16_t Halves __attribute__((vector_size(lanes * 2)));
CAROUSEL_INLINE void put(float* y, Floats v) { store(y, v); }
CAROUSEL_INLINE void put(std::uint16_t* y, Floats v) {
    const Ints bits = reinterpret_cast<Ints>(v);
    const Ints rounded = (bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16;
    const Halves narrow = __builtin_convertvector(rounded, Halves);
    __builtin_memcpy(y, &narrow, sizeof narrow);
}
CAROUSEL_INLINE void put(float* y, float v) { *y = v; }
CAROUSEL_INLINE void put(std::uint16_t* y, float v) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &v, sizeof bits);
    *y = static_cast<std::uint16_t>((bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16);
}

template <class Out> CAROUSEL_INLINE void normRows(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, Out* y) {
    for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
        Floats squares{};
        std::int64_t i = 0;
        for (; i + lanes <= width; i += lanes)
            squares += load(x + i) * load(x + i);
        float total = sum(squares);
        for (std::int64_t j = i; j < width; ++j)
            total += x[j] * x[j];
        const float factor = 1.0f / __builtin_sqrtf(total / static_cast<float>(width) + epsilon);
        for (i = 0; i + lanes <= width; i += lanes)
            put(y + i, load(x + i) * factor * load(weight + i));
        for (; i < width; ++i)
            put(y + i, x[i] * factor * weight[i]);
    }
}
void rmsNorm(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, float* y) {
    normRows(x, weight, epsilon, rows, width, y);
}
void rmsNormHalf(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, std::uint16_t* y) {
    normRows(x, weight, epsilon, rows, width, y);
}

typedef std::uint16_t Halves __attribute__((vector_size(lanes * 2)));
// To bf16, to the nearest, ties to even.
CAROUSEL_INLINE void storeHalf(std::uint16_t* p, Floats v) {
    const Ints bits = reinterpret_cast<Ints>(v);
    const Halves h = __builtin_convertvector((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16, Halves);
    __builtin_memcpy(p, &h, sizeof h);
}

void layerNorm(const float* x, const float* plus, const float* weight, const float* bias, float epsilon, std::int64_t rows,
               std::int64_t width, float* y, std::uint16_t* half) {
    for (std::int64_t row = 0; row < rows; ++row, x += width, y += width) {
        Floats sums{};
        std::int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            const Floats v = plus ? load(x + i) + load(plus + i) : load(x + i);
            store(y + i, v);
            sums += v;
        }
        float total = sum(sums);
        for (; i < width; ++i) {
            y[i] = plus ? x[i] + plus[i] : x[i];
            total += y[i];
        }
        const float mean = total / static_cast<float>(width);
        Floats squares{};
        for (i = 0; i + lanes <= width; i += lanes)
            squares += (load(y + i) - mean) * (load(y + i) - mean);
        float spread = sum(squares);
        for (; i < width; ++i)
            spread += (y[i] - mean) * (y[i] - mean);
        const float factor = 1.0f / __builtin_sqrtf(spread / static_cast<float>(width) + epsilon);
        for (i = 0; i + lanes <= width; i += lanes) {
            const Floats v = (load(y + i) - mean) * factor * load(weight + i) + load(bias + i);
            store(y + i, v);
            if (half)
                storeHalf(half + i, v);
        }
        for (; i < width; ++i) {
            y[i] = (y[i] - mean) * factor * weight[i] + bias[i];
            if (half) {
                std::uint32_t bits;
                __builtin_memcpy(&bits, y + i, 4);
                half[i] = static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
            }
        }
        plus = plus ? plus + width : nullptr;
        half = half ? half + width : nullptr;
    }
}

void rotate(float* x, std::int64_t heads, int headSize, const float* cosine, const float* signedSine) {
    Ints swap;
    for (int i = 0; i < lanes; ++i)
        swap[i] = i ^ 1;
    for (std::int64_t head = 0; head < heads; ++head, x += headSize)
        for (int i = 0; i < headSize; i += lanes) {
            const Floats v = load(x + i);
            store(x + i, v * load(cosine + i) + __builtin_shuffle(v, swap) * load(signedSine + i));
        }
}

void rotateHalves(float* x, std::int64_t heads, int headSize, const float* cosine, const float* signedSine) {
    const int half = headSize / 2;
    for (std::int64_t head = 0; head < heads; ++head, x += headSize)
        for (int i = 0; i < half; i += lanes) {
            const Floats a = load(x + i), b = load(x + half + i);
            store(x + i, a * load(cosine + i) + b * load(signedSine + i));
            store(x + half + i, b * load(cosine + half + i) + a * load(signedSine + half + i));
        }
}

template <class Out> CAROUSEL_INLINE void gateRows(const float* gateUp, std::int64_t rows, std::int64_t width, Out* y) {
    for (std::int64_t row = 0; row < rows; ++row, gateUp += 2 * width, y += width) {
        std::int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            const Floats gate = load(gateUp + i);
            put(y + i, gate / (1.0f + exponential(-gate)) * load(gateUp + width + i));
        }
        for (; i < width; ++i)
            put(y + i, gateUp[i] / (1.0f + __builtin_expf(-gateUp[i])) * gateUp[width + i]);
    }
}
void swiGlu(const float* gateUp, std::int64_t rows, std::int64_t width, float* y) { gateRows(gateUp, rows, width, y); }
void swiGluHalf(const float* gateUp, std::int64_t rows, std::int64_t width, std::uint16_t* y) { gateRows(gateUp, rows, width, y); }

// sums[r] += A[r][0..depth) * B[0..depth)[2 vectors]: the inner loop of both attention products, held in registers.
template <int Rows>
CAROUSEL_INLINE void product(const float* a, std::int64_t aStride, const float* b, std::int64_t bStride, std::int64_t depth,
                             Floats (&sums)[Rows][2]) {
    for (std::int64_t k = 0; k < depth; ++k) {
        const Floats b0 = load(b + k * bStride), b1 = load(b + k * bStride + lanes);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const Floats x = all(a[r * aStride + k]);
            sums[r][0] += x * b0;
            sums[r][1] += x * b1;
        }
    }
}

template <int Rows>
CAROUSEL_INLINE void scoreKeys(const float* queries, int headSize, const float* keys, std::int64_t count, float* scores,
                               std::int64_t stride) {
    for (std::int64_t block = 0; block * keyBlock < count; ++block)
        for (int column = 0; column < keyBlock; column += 2 * lanes) {
            Floats sums[Rows][2] = {};
            product<Rows>(queries, headSize, keys + block * headSize * keyBlock + column, keyBlock, headSize, sums);
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                store(scores + r * stride + block * keyBlock + column, sums[r][0]);
                store(scores + r * stride + block * keyBlock + column + lanes, sums[r][1]);
            }
        }
}

CAROUSEL_INLINE std::int64_t wholeBlocks(std::int64_t count) {
    return (count + keyBlock - 1) / keyBlock * keyBlock;
}

// The largest visible score; hidden ones up to the end of the last needed block are set so low that their exponential is zero.
CAROUSEL_INLINE float hideAndMaximum(float* scores, std::int64_t visible, std::int64_t columns, float largest) {
    for (std::int64_t i = visible; i < columns; ++i)
        scores[i] = -1e30f;
    Floats best = all(largest);
    for (std::int64_t i = 0; i < columns; i += lanes) {
        const Floats v = load(scores + i);
        best = select(v > best, v, best);
    }
    for (int i = 0; i < lanes; ++i)
        largest = best[i] > largest ? best[i] : largest;
    return largest;
}

// The sum is kept in units of 2^-30, as integers, and so does not depend on the order: how a row's keys are spread over parts (which prompts
// share their beginning) changes no bit of its result. Upper and lower halves are added apart: 65,536 of each fit a lane.
constexpr float unitsPerOne = 1073741824.0f;
CAROUSEL_INLINE std::int64_t exponentials(float* scores, std::int64_t columns, float largest) {
    Ints upper{}, lower{};
    for (std::int64_t i = 0; i < columns; i += lanes) {
        const Floats e = exponential(load(scores + i) - largest);
        store(scores + i, e);
        const Ints units = __builtin_convertvector(e * unitsPerOne, Ints); // at most 2^30: no score is above the largest
        upper += units >> 15;
        lower += units & 0x7FFF;
    }
    std::int64_t total = 0;
    for (int i = 0; i < lanes; ++i)
        total += static_cast<std::int64_t>(upper[i]) * 32768 + lower[i];
    return total;
}

// Calls step.template run<Rows>(first) for neighbouring rows, as many at a time as the registers hold.
template <class Step> CAROUSEL_INLINE void forRows(int first, int rows, Step step) {
    constexpr int most = lanes == 16 ? 12 : 6;
    while (rows > 0) {
        // Thirteen rows as 7 + 6 rather than 12 + 1.
        const int pieces = (rows + most - 1) / most, now = (rows + pieces - 1) / pieces;
        switch (now) {
        case 1:
            step.template run<1>(first);
            break;
        case 2:
            step.template run<2>(first);
            break;
        case 3:
            step.template run<3>(first);
            break;
        case 4:
            step.template run<4>(first);
            break;
        case 5:
            step.template run<5>(first);
            break;
        case 6:
            step.template run<6>(first);
            break;
#if defined(__AVX512F__)
        case 7:
            step.template run<7>(first);
            break;
        case 8:
            step.template run<8>(first);
            break;
        case 9:
            step.template run<9>(first);
            break;
        case 10:
            step.template run<10>(first);
            break;
        case 11:
            step.template run<11>(first);
            break;
        case 12:
            step.template run<12>(first);
            break;
#endif
        default:
            return;
        }
        first += now;
        rows -= now;
    }
}

struct ScoreStep {
    const AttentionTile& tile;
    const AttentionPart& part;
    const float* queries;
    template <int Rows> CAROUSEL_INLINE void run(int first) {
        // Visible counts never fall along the rows, so the last row needs the most.
        scoreKeys<Rows>(queries + first * tile.headSize, tile.headSize, part.keys, part.visible[first + Rows - 1],
                        tile.scratch + first * tile.scratchStride + part.column, tile.scratchStride);
    }
};

struct ValueStep {
    const AttentionTile& tile;
    const AttentionPart& part;
    template <int Rows> CAROUSEL_INLINE void run(int first) {
        const std::int64_t count = part.visible[first + Rows - 1];
        for (int column = 0; column < tile.headSize; column += 2 * lanes) {
            Floats sums[Rows][2];
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                sums[r][0] = load(tile.out[first + r] + column);
                sums[r][1] = load(tile.out[first + r] + column + lanes);
            }
            product<Rows>(tile.scratch + first * tile.scratchStride + part.column, tile.scratchStride, part.values + column,
                          part.valueStride, count, sums);
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                store(tile.out[first + r] + column, sums[r][0]);
                store(tile.out[first + r] + column + lanes, sums[r][1]);
            }
        }
    }
};

// Turns a row's scores into weights: one softmax over its parts. Returns what the weighted sum must be multiplied by.
CAROUSEL_INLINE float softmaxRow(const AttentionTile& tile, int row) {
    float* scores = tile.scratch + row * tile.scratchStride;
    float largest = -1e30f;
    std::int64_t total = 0;
    for (std::int64_t p = 0; p < tile.partCount; ++p) {
        const AttentionPart& part = tile.parts[p];
        if (row >= part.firstRow && row < part.firstRow + part.rows)
            largest = hideAndMaximum(scores + part.column, part.visible[row], wholeBlocks(part.visible[row]), largest);
    }
    for (std::int64_t p = 0; p < tile.partCount; ++p) {
        const AttentionPart& part = tile.parts[p];
        if (row < part.firstRow || row >= part.firstRow + part.rows)
            continue;
        const std::int64_t columns = wholeBlocks(part.visible[row]);
        total += exponentials(scores + part.column, columns, largest);
        // Rows further down the part see more keys.
        const std::int64_t end = part.column + part.visible[part.firstRow + part.rows - 1];
        for (std::int64_t i = part.column + columns; i < end; ++i)
            scores[i] = 0;
    }
    return static_cast<float>(static_cast<double>(unitsPerOne) / static_cast<double>(total));
}

void attend(const AttentionTile& tile) {
    const int size = tile.headSize;
    float queries[attentionRows * largestHeadSize];
    for (int r = 0; r < tile.rows; ++r)
        for (int i = 0; i < size; ++i) {
            queries[r * size + i] = tile.queries[r][i] * tile.scale;
            tile.out[r][i] = 0;
        }
    for (std::int64_t p = 0; p < tile.partCount; ++p)
        forRows(tile.parts[p].firstRow, tile.parts[p].rows, ScoreStep{tile, tile.parts[p], queries});
    float inverse[attentionRows];
    for (int r = 0; r < tile.rows; ++r)
        inverse[r] = softmaxRow(tile, r);
    for (std::int64_t p = 0; p < tile.partCount; ++p)
        forRows(tile.parts[p].firstRow, tile.parts[p].rows, ValueStep{tile, tile.parts[p]});
    for (int r = 0; r < tile.rows; ++r)
        for (int i = 0; i < size; ++i)
            tile.out[r][i] *= inverse[r];
}

double logSumExp(const float* x, std::int64_t count) {
    float largest = x[0];
    for (std::int64_t i = 1; i < count; ++i)
        largest = x[i] > largest ? x[i] : largest;
    double total = 0;
    std::int64_t i = 0;
    constexpr std::int64_t stretch = 64 * lanes; // float sums stay short; the long sum is in double
    while (i + lanes <= count) {
        Floats part{};
        const std::int64_t end = count - i < stretch ? i + (count - i) / lanes * lanes : i + stretch;
        for (; i < end; i += lanes)
            part += exponential(load(x + i) - largest);
        total += static_cast<double>(sum(part));
    }
    for (; i < count; ++i)
        total += __builtin_exp(static_cast<double>(x[i]) - largest);
    return largest + __builtin_log(total);
}

} // namespace

#define CAROUSEL_PASTE_(a, b) a##b
#define CAROUSEL_PASTE(a, b) CAROUSEL_PASTE_(a, b)
#define CAROUSEL_TEXT_(a) #a
#define CAROUSEL_TEXT(a) CAROUSEL_TEXT_(a)
extern const CpuKernels CAROUSEL_PASTE(cpuKernels_, CAROUSEL_KERNEL_SET);
const CpuKernels CAROUSEL_PASTE(cpuKernels_, CAROUSEL_KERNEL_SET) = {
    CAROUSEL_TEXT(CAROUSEL_KERNEL_SET), rmsNorm, rotate, rotateHalves, swiGlu, rmsNormHalf, swiGluHalf, layerNorm, attend, logSumExp};

} // namespace carousel
