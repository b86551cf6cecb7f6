// SPDX-License-Identifier: GPL-3.0-or-later
// Resample b draws its row numbers from Philox 4x32-10 (Salmon et al., SC'11) under a key of its own, sixteen counters at a time for the
// sake of vector registers (the same numbers with and without them). Row numbers are shared by all columns. The draw (word * n) >> 32
// favours no row by more than 2^-32.
#include "evaluation/statistics/bootstrap.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <limits>

#if defined(__x86_64__) && defined(__GNUC__)
#define CAROUSEL_AVX2
#include <immintrin.h>
#endif

namespace carousel {

namespace {
constexpr std::size_t lanes = 16, blockRows = 4 * lanes;

// Row numbers below n (n < 2^32) for counters first .. first + 15.
void drawRowsPortable(std::uint64_t key, std::uint64_t first, std::uint32_t n, std::uint32_t* rows) {
    std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
    for (std::size_t i = 0; i < lanes; ++i) {
        const std::uint64_t counter = first + i;
        c0[i] = static_cast<std::uint32_t>(counter);
        c1[i] = static_cast<std::uint32_t>(counter >> 32);
        c2[i] = c3[i] = 0;
    }
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        for (std::size_t i = 0; i < lanes; ++i) {
            const std::uint64_t a = std::uint64_t(0xD2511F53u) * c0[i], b = std::uint64_t(0xCD9E8D57u) * c2[i];
            c0[i] = static_cast<std::uint32_t>(b >> 32) ^ c1[i] ^ k0;
            c1[i] = static_cast<std::uint32_t>(b);
            c2[i] = static_cast<std::uint32_t>(a >> 32) ^ c3[i] ^ k1;
            c3[i] = static_cast<std::uint32_t>(a);
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (std::size_t i = 0; i < lanes; ++i) {
        rows[i] = static_cast<std::uint32_t>((std::uint64_t(c0[i]) * n) >> 32);
        rows[lanes + i] = static_cast<std::uint32_t>((std::uint64_t(c1[i]) * n) >> 32);
        rows[2 * lanes + i] = static_cast<std::uint32_t>((std::uint64_t(c2[i]) * n) >> 32);
        rows[3 * lanes + i] = static_cast<std::uint32_t>((std::uint64_t(c3[i]) * n) >> 32);
    }
}

#ifdef CAROUSEL_AVX2
// Words stand in the low halves of 64-bit lanes, where the widening multiplication reads them without any shuffle.
__attribute__((target("avx2"))) void drawRowsAvx2(std::uint64_t key, std::uint64_t first, std::uint32_t n, std::uint32_t* rows) {
    const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57), low = _mm256_set1_epi64x(0xFFFFFFFF),
                  bound = _mm256_set1_epi64x(n);
    const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    for (std::size_t lane = 0; lane < lanes; lane += 8) {
        __m256i c[2][4];
        for (int h = 0; h < 2; ++h) {
            const auto at = static_cast<long long>(first + lane) + 4 * h;
            const __m256i counter = _mm256_setr_epi64x(at, at + 1, at + 2, at + 3);
            c[h][0] = _mm256_and_si256(counter, low);
            c[h][1] = _mm256_srli_epi64(counter, 32);
            c[h][2] = c[h][3] = _mm256_setzero_si256();
        }
        auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
        for (int round = 0; round < 10; ++round) {
            const __m256i key0 = _mm256_set1_epi64x(k0), key1 = _mm256_set1_epi64x(k1);
            for (int h = 0; h < 2; ++h) {
                const __m256i a = _mm256_mul_epu32(m0, c[h][0]), b = _mm256_mul_epu32(m1, c[h][2]);
                c[h][0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), c[h][1]), key0);
                c[h][1] = b; // the high half is never read: it is masked or multiplied away
                c[h][2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), c[h][3]), key1);
                c[h][3] = a;
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (int h = 0; h < 2; ++h)
            for (std::size_t w = 0; w < 4; ++w) {
                const __m256i scaled = _mm256_srli_epi64(_mm256_mul_epu32(c[h][w], bound), 32);
                _mm_storeu_si128(reinterpret_cast<__m128i*>(rows + w * lanes + lane + 4 * static_cast<std::size_t>(h)),
                                 _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(scaled, even)));
            }
    }
}
const bool haveAvx2 = __builtin_cpu_supports("avx2");
void drawRows(std::uint64_t key, std::uint64_t first, std::uint32_t n, std::uint32_t* rows) {
    haveAvx2 ? drawRowsAvx2(key, first, n, rows) : drawRowsPortable(key, first, n, rows);
}
#else
void drawRows(std::uint64_t key, std::uint64_t first, std::uint32_t n, std::uint32_t* rows) {
    drawRowsPortable(key, first, n, rows);
}
#endif

// One pass over the draws of a resample; sums[w] += table[row * W + w]. W is known to the compiler for the common narrow tables.
template <std::size_t W> void sumDraws(const float* table, std::uint64_t key, std::uint32_t n, double* sums) {
    std::uint32_t rows[blockRows];
    double total[W][4] = {};
    for (std::uint64_t done = 0; done < n; done += blockRows) {
        drawRows(key, done / 4, n, rows);
        const std::size_t count = std::min<std::uint64_t>(blockRows, n - done);
        if (count == blockRows)
            for (std::size_t i = 0; i < blockRows; i += 4)
                for (std::size_t w = 0; w < W; ++w)
                    for (std::size_t j = 0; j < 4; ++j)
                        total[w][j] += static_cast<double>(table[rows[i + j] * W + w]);
        else
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t w = 0; w < W; ++w)
                    total[w][i % 4] += static_cast<double>(table[rows[i] * W + w]);
    }
    for (std::size_t w = 0; w < W; ++w)
        sums[w] = (total[w][0] + total[w][1]) + (total[w][2] + total[w][3]);
}

double quantile(const std::vector<double>& sorted, double p) {
    const double at = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}
} // namespace

std::vector<Interval> bootstrapMeans(std::span<const std::vector<float>> columns, int resamples, double confidence, std::uint64_t seed) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    std::vector<Interval> intervals(columns.size(), {undefined, undefined});
    std::size_t n = 0;
    for (const auto& column : columns)
        n = std::max(n, column.size());
    if (n == 0 || n >= (std::size_t(1) << 32) || resamples < 1)
        return intervals;

    // Up to eight columns share a pass: values, then one column of 0/1 for each that has gaps, since a resample must count what it drew.
    struct Slot {
        std::size_t column;
        bool counts;
    };
    std::vector<Slot> slots;
    std::vector<char> gaps(columns.size(), 0);
    for (std::size_t c = 0; c < columns.size(); ++c) {
        std::size_t finite = 0;
        for (const float value : columns[c])
            finite += std::isfinite(value);
        if (finite == 0)
            continue;
        slots.push_back({c, false});
        gaps[c] = finite < n;
        if (gaps[c])
            slots.push_back({c, true});
    }
    const auto b = static_cast<std::size_t>(resamples);
    std::vector<std::uint64_t> keys(b);
    for (std::size_t i = 0; i < b; ++i)
        keys[i] = RandomStream(seed, "bootstrap", i).next64();
    std::vector<std::vector<double>> sums(slots.size(), std::vector<double>(b));
    for (std::size_t from = 0; from < slots.size();) {
        const std::size_t left = slots.size() - from;
        const std::size_t width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        std::vector<float> table(n * width, 0.0f);
        for (std::size_t w = 0; w < width; ++w) {
            const auto& slot = slots[from + w];
            const auto& column = columns[slot.column];
            for (std::size_t row = 0; row < column.size(); ++row)
                if (std::isfinite(column[row]))
                    table[row * width + w] = slot.counts ? 1.0f : column[row];
        }
        parallelFor(b, 8, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                double part[8];
                const auto rows = static_cast<std::uint32_t>(n);
                switch (width) {
                case 8:
                    sumDraws<8>(table.data(), keys[i], rows, part);
                    break;
                case 4:
                    sumDraws<4>(table.data(), keys[i], rows, part);
                    break;
                case 2:
                    sumDraws<2>(table.data(), keys[i], rows, part);
                    break;
                default:
                    sumDraws<1>(table.data(), keys[i], rows, part);
                    break;
                }
                for (std::size_t w = 0; w < width; ++w)
                    sums[from + w][i] = part[w];
            }
        });
        from += width;
    }
    for (std::size_t s = 0; s < slots.size(); ++s) {
        if (slots[s].counts)
            continue;
        const std::size_t c = slots[s].column;
        std::vector<double> means;
        means.reserve(b);
        for (std::size_t i = 0; i < b; ++i)
            if (const double drawn = gaps[c] ? sums[s + 1][i] : static_cast<double>(n); drawn > 0)
                means.push_back(sums[s][i] / drawn);
        if (means.empty())
            continue;
        std::sort(means.begin(), means.end());
        intervals[c] = {quantile(means, (1 - confidence) / 2), quantile(means, (1 + confidence) / 2)};
    }
    return intervals;
}

Interval bootstrapMean(std::span<const float> values, int resamples, double confidence, std::uint64_t seed) {
    const std::vector<std::vector<float>> column{{values.begin(), values.end()}};
    return bootstrapMeans(column, resamples, confidence, seed).front();
}

} // namespace carousel
