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
CAROUSEL_INLINE void store(float* p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }
CAROUSEL_INLINE Floats all(float x) { return x - Floats{}; }
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

void rmsNorm(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, float* y) {
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
            store(y + i, load(x + i) * factor * load(weight + i));
        for (; i < width; ++i)
            y[i] = x[i] * factor * weight[i];
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

void swiGlu(const float* gateUp, std::int64_t rows, std::int64_t width, float* y) {
    for (std::int64_t row = 0; row < rows; ++row, gateUp += 2 * width, y += width) {
        std::int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            const Floats gate = load(gateUp + i);
            store(y + i, gate / (1.0f + exponential(-gate)) * load(gateUp + width + i));
        }
        for (; i < width; ++i)
            y[i] = gateUp[i] / (1.0f + __builtin_expf(-gateUp[i])) * gateUp[width + i];
    }
}

// sums[r] += A[r][0..depth) * B[0..depth)[2 vectors]: the inner loop of both attention products, held in registers.
template <int Rows>
CAROUSEL_INLINE void product(const float* a, std::int64_t aStride, const float* b, std::int64_t bStride, std::int64_t depth,
                             Floats (&sums)[Rows][2]) {
    for (std::int64_t k = 0; k < depth; ++k) {
        const Floats b0 = load(b + k * bStride), b1 = load(b + k * bStride + lanes);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            const Floats x = all(a[r * aStride + k]);
            sums[r][0] += x * b0;
            sums[r][1] += x * b1;
        }
    }
}

template <int Rows> CAROUSEL_INLINE void scoreKeys(const float* queries, int headSize, const float* keys, std::int64_t count, float* scores,
                                                   std::int64_t stride) {
    for (std::int64_t block = 0; block * keyBlock < count; ++block)
        for (int column = 0; column < keyBlock; column += 2 * lanes) {
            Floats sums[Rows][2] = {};
            product<Rows>(queries, headSize, keys + block * headSize * keyBlock + column, keyBlock, headSize, sums);
            for (int r = 0; r < Rows; ++r) {
                store(scores + r * stride + block * keyBlock + column, sums[r][0]);
                store(scores + r * stride + block * keyBlock + column + lanes, sums[r][1]);
            }
        }
}

CAROUSEL_INLINE std::int64_t wholeBlocks(std::int64_t count) { return (count + keyBlock - 1) / keyBlock * keyBlock; }

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

CAROUSEL_INLINE float exponentials(float* scores, std::int64_t columns, float largest) {
    Floats total{};
    for (std::int64_t i = 0; i < columns; i += lanes) {
        const Floats e = exponential(load(scores + i) - largest);
        store(scores + i, e);
        total += e;
    }
    return sum(total);
}

template <int Rows> CAROUSEL_INLINE void attendRows(const AttentionTile& tile) {
    const int size = tile.headSize;
    float queries[Rows * largestHeadSize];
    for (int r = 0; r < Rows; ++r)
        for (int i = 0; i < size; ++i)
            queries[r * size + i] = tile.queries[r][i] * tile.scale;
    // Visible counts never fall along the rows, so the last row needs the most.
    const std::int64_t shared = tile.sharedVisible[Rows - 1], own = tile.ownVisible[Rows - 1], stride = tile.scratchStride;
    const std::int64_t sharedColumns = wholeBlocks(shared), ownColumns = wholeBlocks(own);
    float* sharedScores = tile.scratch;
    float* ownScores = tile.scratch + sharedColumns;
    scoreKeys<Rows>(queries, size, tile.sharedKeys, shared, sharedScores, stride);
    scoreKeys<Rows>(queries, size, tile.ownKeys, own, ownScores, stride);
    float inverse[Rows];
    for (int r = 0; r < Rows; ++r) { // one softmax over both groups
        float largest = hideAndMaximum(sharedScores + r * stride, tile.sharedVisible[r], sharedColumns, -1e30f);
        largest = hideAndMaximum(ownScores + r * stride, tile.ownVisible[r], ownColumns, largest);
        float total = exponentials(sharedScores + r * stride, sharedColumns, largest);
        total += exponentials(ownScores + r * stride, ownColumns, largest);
        inverse[r] = 1.0f / total;
    }
    for (int column = 0; column < size; column += 2 * lanes) {
        Floats sums[Rows][2] = {};
        product<Rows>(sharedScores, stride, tile.sharedValues + column, tile.sharedValueStride, shared, sums);
        product<Rows>(ownScores, stride, tile.ownValues + column, tile.ownValueStride, own, sums);
        for (int r = 0; r < Rows; ++r) {
            store(tile.out[r] + column, sums[r][0] * inverse[r]);
            store(tile.out[r] + column + lanes, sums[r][1] * inverse[r]);
        }
    }
}

void attend(const AttentionTile& tile) {
    switch (tile.rows) {
    case 1: return attendRows<1>(tile);
    case 2: return attendRows<2>(tile);
    case 3: return attendRows<3>(tile);
    case 4: return attendRows<4>(tile);
    case 5: return attendRows<5>(tile);
    case 6: return attendRows<6>(tile);
    default: return;
    }
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
const CpuKernels CAROUSEL_PASTE(cpuKernels_, CAROUSEL_KERNEL_SET) = {CAROUSEL_TEXT(CAROUSEL_KERNEL_SET), rmsNorm, rotate, swiGlu, attend,
                                                                     logSumExp};

} // namespace carousel
