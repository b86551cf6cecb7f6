// SPDX-License-Identifier: GPL-3.0-or-later
// Sums run in eight lanes that are added at the end, with vector registers and without, so the digits are the same on all ways.
#include "evaluation/statistics/cluster_bootstrap.h"
#include "base/parallel.h"
#include "evaluation/statistics/vector_intrinsics.h"
#include "evaluation/statistics/vector_path.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>

namespace carousel {

namespace {
constexpr std::size_t blockUnits = 2048, lanes = 8, widest = 4, drawsTogether = 4;
// sums[d][c][lane] += weights[d][i] * columns[c][i] for D draws and W columns, lane = i % 8, n a multiple of 8. Several draws share what is
// read of the columns, and no sum waits for its own last addition.
using Lanes = std::array<double, lanes>;
template <std::size_t W, std::size_t D>
void addPortable(const std::uint8_t* const* weights, const double* const* columns, std::size_t n, Lanes* const* sums) {
    for (std::size_t d = 0; d < D; ++d)
        for (std::size_t i = 0; i < n; i += lanes)
            for (std::size_t c = 0; c < W; ++c)
                for (std::size_t j = 0; j < lanes; ++j)
                    sums[d][c][j] += static_cast<double>(weights[d][i + j]) * columns[c][i + j];
}

#ifdef CAROUSEL_AVX2
template <std::size_t W, std::size_t D>
__attribute__((target("avx2"))) void addAvx2(const std::uint8_t* const* weights, const double* const* columns, std::size_t n,
                                             Lanes* const* sums) {
    if constexpr (W * D > 4) { // more sums than registers
        for (std::size_t d = 0; d < D; ++d)
            addAvx2<W, 1>(weights + d, columns, n, sums + d);
    } else {
        __m256d total[D][W][2];
#pragma GCC unroll 8
        for (std::size_t d = 0; d < D; ++d)
#pragma GCC unroll 8
            for (std::size_t c = 0; c < W; ++c) {
                total[d][c][0] = _mm256_loadu_pd(sums[d][c].data());
                total[d][c][1] = _mm256_loadu_pd(sums[d][c].data() + 4);
            }
        for (std::size_t i = 0; i < n; i += lanes)
#pragma GCC unroll 8
            for (std::size_t d = 0; d < D; ++d) {
                const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights[d] + i)));
                const __m256d first = _mm256_cvtepi32_pd(_mm256_castsi256_si128(wide)),
                              second = _mm256_cvtepi32_pd(_mm256_extracti128_si256(wide, 1));
#pragma GCC unroll 8
                for (std::size_t c = 0; c < W; ++c) {
                    total[d][c][0] = _mm256_add_pd(total[d][c][0], _mm256_mul_pd(first, _mm256_loadu_pd(columns[c] + i)));
                    total[d][c][1] = _mm256_add_pd(total[d][c][1], _mm256_mul_pd(second, _mm256_loadu_pd(columns[c] + i + 4)));
                }
            }
#pragma GCC unroll 8
        for (std::size_t d = 0; d < D; ++d)
#pragma GCC unroll 8
            for (std::size_t c = 0; c < W; ++c) {
                _mm256_storeu_pd(sums[d][c].data(), total[d][c][0]);
                _mm256_storeu_pd(sums[d][c].data() + 4, total[d][c][1]);
            }
    }
}
// Products and sums stay apart, as on the other ways: one that is rounded once would give other digits. Weights, 0 to 8, are looked up as numbers.
#define CAROUSEL_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"), optimize("fp-contract=off")))
template <std::size_t W, std::size_t D>
CAROUSEL_AVX512 void addAvx512(const std::uint8_t* const* weights, const double* const* columns, std::size_t n, Lanes* const* sums) {
    const __m512d small = _mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7), large = _mm512_setr_pd(8, 9, 10, 11, 12, 13, 14, 15);
    __m512d total[D][W];
#pragma GCC unroll 8
    for (std::size_t d = 0; d < D; ++d)
#pragma GCC unroll 8
        for (std::size_t c = 0; c < W; ++c)
            total[d][c] = _mm512_loadu_pd(sums[d][c].data());
    for (std::size_t i = 0; i < n; i += lanes)
#pragma GCC unroll 8
        for (std::size_t d = 0; d < D; ++d) {
            const __m512i index = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(weights[d] + i)));
            const __m512d wide = _mm512_permutex2var_pd(small, index, large);
#pragma GCC unroll 8
            for (std::size_t c = 0; c < W; ++c)
                total[d][c] = _mm512_add_pd(total[d][c], _mm512_mul_pd(wide, _mm512_loadu_pd(columns[c] + i)));
        }
#pragma GCC unroll 8
    for (std::size_t d = 0; d < D; ++d)
#pragma GCC unroll 8
        for (std::size_t c = 0; c < W; ++c)
            _mm512_storeu_pd(sums[d][c].data(), total[d][c]);
}
// Sum of n weights.
__attribute__((target("avx2"))) std::uint64_t totalAvx2(const std::uint8_t* weight, std::size_t n) {
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    std::size_t i = 0;
    for (; i + 64 <= n; i += 64)
        for (std::size_t h = 0; h < 2; ++h)
            sums[h] = _mm256_add_epi64(
                sums[h], _mm256_sad_epu8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(weight + i + 32 * h)), _mm256_setzero_si256()));
    std::uint64_t four[4];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(four), _mm256_add_epi64(sums[0], sums[1]));
    std::uint64_t out = four[0] + four[1] + four[2] + four[3];
    for (; i < n; ++i)
        out += weight[i];
    return out;
}
const VectorPath path = vectorPath();
#endif
template <std::size_t W, std::size_t D>
void addColumns(const std::uint8_t* const* weights, const double* const* columns, std::size_t n, Lanes* const* sums) {
#ifdef CAROUSEL_AVX2
    if (path == VectorPath::avx512)
        return addAvx512<W, D>(weights, columns, n, sums);
    if (path == VectorPath::avx2)
        return addAvx2<W, D>(weights, columns, n, sums);
#endif
    addPortable<W, D>(weights, columns, n, sums);
}
std::uint64_t totalWeight(const std::uint8_t* weight, std::size_t n) {
#ifdef CAROUSEL_AVX2
    if (path != VectorPath::portable)
        return totalAvx2(weight, n);
#endif
    return std::accumulate(weight, weight + n, std::uint64_t(0));
}

// Adds the sums of one block of units in D draws; the tail that fills no lane group goes to the lanes one by one.
template <std::size_t D>
void addBlock(const std::uint8_t* const* weights, const double* const* columns, std::size_t width, std::size_t n, Lanes* const* sums) {
    const std::size_t whole = n - n % lanes;
    switch (width) {
    case 1:
        addColumns<1, D>(weights, columns, whole, sums);
        break;
    case 2:
        addColumns<2, D>(weights, columns, whole, sums);
        break;
    case 3:
        addColumns<3, D>(weights, columns, whole, sums);
        break;
    default:
        addColumns<widest, D>(weights, columns, whole, sums);
        break;
    }
    for (std::size_t i = whole; i < n; ++i)
        for (std::size_t d = 0; d < D; ++d)
            for (std::size_t c = 0; c < width; ++c)
                sums[d][c][i - whole] += static_cast<double>(weights[d][i]) * columns[c][i];
}
double total(const Lanes& lane) {
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}
} // namespace

Result<BootstrapSums> bootstrapSums(std::span<const std::span<const double>> columns, std::span<const std::int32_t> cluster, int draws,
                                    std::uint64_t seed, const RunControl& control) {
    BootstrapSums result;
    result.draws = std::max(draws, 0);
    result.columns = columns.size();
    const std::size_t rows = !cluster.empty() ? cluster.size() : columns.empty() ? 0 : columns.front().size();
    const std::size_t b = static_cast<std::size_t>(result.draws);
    result.sums.assign(b * columns.size(), 0.0);
    result.weight.assign(b, 0.0);

    // A cluster's rows share their weight, so they are added up once; its number of rows is one more column.
    std::vector<std::vector<double>> gathered;
    std::vector<const double*> read;
    std::size_t units = rows;
    if (!cluster.empty()) {
        units = static_cast<std::size_t>(*std::max_element(cluster.begin(), cluster.end())) + 1;
        gathered.assign(columns.size() + 1, std::vector<double>(units, 0.0));
        for (std::size_t r = 0; r < rows; ++r) {
            const auto of = static_cast<std::size_t>(cluster[r]);
            for (std::size_t c = 0; c < columns.size(); ++c)
                gathered[c][of] += columns[c][r];
            gathered.back()[of] += 1;
        }
        for (const auto& column : gathered)
            read.push_back(column.data());
    } else {
        for (const auto& column : columns)
            read.push_back(column.data());
    }

    std::atomic<bool> stopped{false};
    constexpr std::size_t grain = 16;
    parallelFor(b, grain, [&](std::size_t begin, std::size_t end) {
        const std::size_t count = end - begin;
        std::vector<Lanes> sums(count * read.size(), Lanes{});
        std::vector<PoissonDraw> poisson;
        std::vector<std::uint64_t> weights(count, 0);
        for (std::size_t d = 0; d < count; ++d)
            poisson.emplace_back(seed, static_cast<std::uint32_t>(begin + d));
        alignas(64) std::array<std::array<std::uint8_t, blockUnits>, drawsTogether> drawn;
        const std::uint8_t* weight[drawsTogether];
        for (std::size_t k = 0; k < drawsTogether; ++k)
            weight[k] = drawn[k].data();
        for (std::size_t from = 0; from < units && !stopped; from += blockUnits) {
            if (control.stopRequested()) {
                stopped = true;
                return;
            }
            const std::size_t n = std::min(blockUnits, units - from);
            for (std::size_t d = 0; d < count;) {
                const std::size_t now = count - d >= drawsTogether ? drawsTogether : 1;
                for (std::size_t k = 0; k < now; ++k) {
                    poisson[d + k].weights(from, std::span(drawn[k]).first(n));
                    if (cluster.empty())
                        weights[d + k] += totalWeight(weight[k], n);
                }
                for (std::size_t c = 0; c < read.size(); c += widest) {
                    const std::size_t width = std::min(widest, read.size() - c);
                    const double* at[widest] = {};
                    for (std::size_t w = 0; w < width; ++w)
                        at[w] = read[c + w] + from;
                    Lanes* to[drawsTogether];
                    for (std::size_t k = 0; k < now; ++k)
                        to[k] = &sums[(d + k) * read.size() + c];
                    now == 1 ? addBlock<1>(weight, at, width, n, to) : addBlock<drawsTogether>(weight, at, width, n, to);
                }
                d += now;
            }
        }
        for (std::size_t d = 0; d < count; ++d) {
            for (std::size_t c = 0; c < columns.size(); ++c)
                result.sums[(begin + d) * columns.size() + c] = total(sums[d * read.size() + c]);
            result.weight[begin + d] =
                cluster.empty() ? static_cast<double>(weights[d]) : total(sums[d * read.size() + columns.size()]);
        }
    });
    if (stopped)
        return fail(RunControl::cancelled("The bootstrap"));
    return result;
}

Interval percentileInterval(std::vector<double> draws, double confidence) {
    std::erase_if(draws, [](double value) { return !std::isfinite(value); });
    if (draws.empty())
        return noInterval();
    std::sort(draws.begin(), draws.end());
    auto quantile = [&](double p) {
        const double at = std::clamp(p, 0.0, 1.0) * static_cast<double>(draws.size() - 1);
        const auto below = static_cast<std::size_t>(at);
        const std::size_t above = std::min(below + 1, draws.size() - 1);
        return draws[below] + (at - static_cast<double>(below)) * (draws[above] - draws[below]);
    };
    return {quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)};
}

} // namespace carousel
