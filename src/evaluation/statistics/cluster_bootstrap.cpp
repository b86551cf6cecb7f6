// SPDX-License-Identifier: GPL-3.0-or-later
// A weight is read off 16 bits of Philox 4x32-10 by comparing with eight thresholds; these are rounded so that the mean is exactly 1 (the
// variance is 1 - 3e-5, the largest weight 8). Sixteen counters give 128 weights. Sums run in eight lanes that are added at the end, with
// vector registers and without, so the digits are the same on both ways.
#include "evaluation/statistics/cluster_bootstrap.h"
#include "base/parallel.h"
#include "base/random.h"
#include <Random123/philox.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>

#if defined(__x86_64__) && defined(__GNUC__)
#define CAROUSEL_AVX2
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wuninitialized" // GCC 12's own header warns of registers that it leaves undefined on purpose
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace carousel {

namespace {
constexpr std::size_t counters = 16, weightsPerBlock = 8 * counters, blockUnits = 2048, lanes = 8, widest = 4;
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

r123::Philox4x32::ctr_type words(std::uint64_t key, std::uint64_t counter) {
    const r123::Philox4x32::ctr_type c{{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}};
    const r123::Philox4x32::key_type k{{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
    return r123::Philox4x32()(c, k);
}
// Weight `at` of a block is in half at % 2 of word (at / 2) / counters of counter (at / 2) % counters.
void blockPortable(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    for (std::size_t c = 0; c < counters; ++c) {
        const auto four = words(key, block * counters + c);
        for (std::size_t w = 0; w < 4; ++w) {
            out[2 * (w * counters + c)] = weightOf(four[w] & 0xFFFF);
            out[2 * (w * counters + c) + 1] = weightOf(four[w] >> 16);
        }
    }
}
// sums[c][lane] += weight[i] * columns[c][i], lane = i % 8, n a multiple of 8.
template <std::size_t W> void addPortable(const std::uint8_t* weight, const double* const* columns, std::size_t n, double (*sums)[lanes]) {
    for (std::size_t i = 0; i < n; i += lanes)
        for (std::size_t c = 0; c < W; ++c)
            for (std::size_t j = 0; j < lanes; ++j)
                sums[c][j] += static_cast<double>(weight[i + j]) * columns[c][i + j];
}

#ifdef CAROUSEL_AVX2
// Words stand in the low halves of 64-bit lanes, where the widening multiplication reads them without any shuffle.
__attribute__((target("avx2"))) void blockAvx2(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57), low = _mm256_set1_epi64x(0xFFFFFFFF);
    __m256i c[4][4];
    for (int h = 0; h < 4; ++h) {
        const auto at = static_cast<long long>(block * counters) + 4 * h;
        const __m256i counter = _mm256_setr_epi64x(at, at + 1, at + 2, at + 3);
        c[h][0] = _mm256_and_si256(counter, low);
        c[h][1] = _mm256_srli_epi64(counter, 32);
        c[h][2] = c[h][3] = _mm256_setzero_si256();
    }
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const __m256i key0 = _mm256_set1_epi64x(k0), key1 = _mm256_set1_epi64x(k1);
        for (int h = 0; h < 4; ++h) {
            const __m256i a = _mm256_mul_epu32(m0, c[h][0]), b = _mm256_mul_epu32(m1, c[h][2]);
            c[h][0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), c[h][1]), key0);
            c[h][1] = b; // high halves are dropped by the next multiplication and the last mask
            c[h][2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), c[h][3]), key1);
            c[h][3] = a;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6), flip = _mm256_set1_epi16(-32768);
    for (int w = 0; w < 4; ++w) {
        __m256i count[2];
        for (int h = 0; h < 2; ++h) {
            const __m256i left = _mm256_permutevar8x32_epi32(c[2 * h][w], even), right = _mm256_permutevar8x32_epi32(c[2 * h + 1][w], even);
            const __m256i bits = _mm256_xor_si256(_mm256_blend_epi32(left, right, 0xF0), flip); // unsigned order as signed
            count[h] = _mm256_setzero_si256();
            for (const std::uint32_t limit : atLeast)
                count[h] = _mm256_sub_epi16(
                    count[h], _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(static_cast<int>(limit) - 32768)), bits));
        }
        const __m256i packed = _mm256_packus_epi16(count[0], count[1]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * w), _mm256_permute4x64_epi64(packed, 0xD8));
    }
}
template <std::size_t W>
__attribute__((target("avx2"))) void addAvx2(const std::uint8_t* weight, const double* const* columns, std::size_t n,
                                             double (*sums)[lanes]) {
    __m256d total[W][2];
    for (std::size_t c = 0; c < W; ++c) {
        total[c][0] = _mm256_loadu_pd(sums[c]);
        total[c][1] = _mm256_loadu_pd(sums[c] + 4);
    }
    for (std::size_t i = 0; i < n; i += lanes) {
        const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(weight + i)));
        const __m256d first = _mm256_cvtepi32_pd(_mm256_castsi256_si128(wide)),
                      second = _mm256_cvtepi32_pd(_mm256_extracti128_si256(wide, 1));
        for (std::size_t c = 0; c < W; ++c) {
            total[c][0] = _mm256_add_pd(total[c][0], _mm256_mul_pd(first, _mm256_loadu_pd(columns[c] + i)));
            total[c][1] = _mm256_add_pd(total[c][1], _mm256_mul_pd(second, _mm256_loadu_pd(columns[c] + i + 4)));
        }
    }
    for (std::size_t c = 0; c < W; ++c) {
        _mm256_storeu_pd(sums[c], total[c][0]);
        _mm256_storeu_pd(sums[c] + 4, total[c][1]);
    }
}
// The same with registers twice as wide, an exclusive or of three at once, and comparisons that are masks. Products and sums stay apart, as on
// the other ways: one that is rounded once would give other digits.
#define CAROUSEL_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"), optimize("fp-contract=off")))
// `B` blocks at once, so that one's multiplications run while the other's are awaited.
template <int B> CAROUSEL_AVX512 void blocksAvx512(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    const __m512i m0 = _mm512_set1_epi64(0xD2511F53), m1 = _mm512_set1_epi64(0xCD9E8D57), low = _mm512_set1_epi64(0xFFFFFFFF);
    __m512i c[2 * B][4];
    for (int h = 0; h < 2 * B; ++h) {
        const auto at = static_cast<long long>(block * counters) + 8 * h;
        const __m512i counter = _mm512_add_epi64(_mm512_set1_epi64(at), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
        c[h][0] = _mm512_and_si512(counter, low);
        c[h][1] = _mm512_srli_epi64(counter, 32);
        c[h][2] = c[h][3] = _mm512_setzero_si512();
    }
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    constexpr int exclusiveOr = 0x96;
    for (int round = 0; round < 10; ++round) {
        const __m512i key0 = _mm512_set1_epi64(k0), key1 = _mm512_set1_epi64(k1);
        for (int h = 0; h < 2 * B; ++h) {
            const __m512i a = _mm512_mul_epu32(m0, c[h][0]), b = _mm512_mul_epu32(m1, c[h][2]);
            c[h][0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(b, 32), c[h][1], key0, exclusiveOr);
            c[h][1] = b; // high halves are dropped by the next multiplication and the last narrowing
            c[h][2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(a, 32), c[h][3], key1, exclusiveOr);
            c[h][3] = a;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    // The upper five bits say between which two of the larger thresholds a value lies: what it weighs above both, and the one to compare with.
    // The four smallest are rare enough (1 in 273) to be looked at only where a value among 32 is below them.
    static constexpr auto table = [] {
        std::array<std::array<std::uint16_t, 32>, 2> made{}; // weight without the comparison, threshold (0: none)
        for (std::uint32_t part = 0; part < 32; ++part)
            for (std::size_t k = 0; k < 4; ++k) {
                made[0][part] = static_cast<std::uint16_t>(made[0][part] + (atLeast[k] >= (part + 1) << 11));
                if (atLeast[k] > part << 11 && atLeast[k] < (part + 1) << 11)
                    made[1][part] = static_cast<std::uint16_t>(atLeast[k]);
            }
        return made;
    }();
    const __m512i base = _mm512_loadu_si512(table[0].data()), threshold = _mm512_loadu_si512(table[1].data()), one = _mm512_set1_epi16(1);
    for (int at = 0; at < 4 * B; ++at) {
        const int w = at % 4, h = at / 4 * 2;
        const __m512i bits = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(c[h][w])), _mm512_cvtepi64_epi32(c[h + 1][w]), 1);
        const __m512i part = _mm512_srli_epi16(bits, 11);
        __m512i count = _mm512_permutexvar_epi16(part, base);
        count = _mm512_mask_add_epi16(count, _mm512_cmplt_epu16_mask(bits, _mm512_permutexvar_epi16(part, threshold)), count, one);
        if (_mm512_cmplt_epu16_mask(bits, _mm512_set1_epi16(static_cast<short>(atLeast[4]))) != 0)
            for (std::size_t k = 4; k < atLeast.size(); ++k)
                count = _mm512_mask_add_epi16(count, _mm512_cmplt_epu16_mask(bits, _mm512_set1_epi16(static_cast<short>(atLeast[k]))), count, one);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * at), _mm512_cvtepi16_epi8(count));
    }
}
template <std::size_t W>
CAROUSEL_AVX512 void addAvx512(const std::uint8_t* weight, const double* const* columns, std::size_t n, double (*sums)[lanes]) {
    __m512d total[W];
    for (std::size_t c = 0; c < W; ++c)
        total[c] = _mm512_loadu_pd(sums[c]);
    for (std::size_t i = 0; i < n; i += lanes) {
        const __m512d wide = _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(weight + i))));
        for (std::size_t c = 0; c < W; ++c)
            total[c] = _mm512_add_pd(total[c], _mm512_mul_pd(wide, _mm512_loadu_pd(columns[c] + i)));
    }
    for (std::size_t c = 0; c < W; ++c)
        _mm512_storeu_pd(sums[c], total[c]);
}
// Sum of n weights.
__attribute__((target("avx2"))) std::uint64_t totalAvx2(const std::uint8_t* weight, std::size_t n) {
    __m256i sums = _mm256_setzero_si256();
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32)
        sums = _mm256_add_epi64(sums, _mm256_sad_epu8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(weight + i)), _mm256_setzero_si256()));
    std::uint64_t four[4];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(four), sums);
    std::uint64_t out = four[0] + four[1] + four[2] + four[3];
    for (; i < n; ++i)
        out += weight[i];
    return out;
}
const bool haveAvx2 = __builtin_cpu_supports("avx2");
const bool haveAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
constexpr std::size_t together = 2; // blocks
void fillBlocks(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    if (haveAvx512) {
        blocksAvx512<together>(key, block, out);
        return;
    }
    for (std::size_t b = 0; b < together; ++b)
        haveAvx2 ? blockAvx2(key, block + b, out + b * weightsPerBlock) : blockPortable(key, block + b, out + b * weightsPerBlock);
}
void fillBlock(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    haveAvx512 ? blocksAvx512<1>(key, block, out) : haveAvx2 ? blockAvx2(key, block, out) : blockPortable(key, block, out);
}
template <std::size_t W> void addColumns(const std::uint8_t* weight, const double* const* columns, std::size_t n, double (*sums)[lanes]) {
    haveAvx512 ? addAvx512<W>(weight, columns, n, sums) : haveAvx2 ? addAvx2<W>(weight, columns, n, sums) : addPortable<W>(weight, columns, n, sums);
}
std::uint64_t totalWeight(const std::uint8_t* weight, std::size_t n) { return haveAvx2 ? totalAvx2(weight, n) : std::accumulate(weight, weight + n, std::uint64_t(0)); }
#else
constexpr std::size_t together = 1; // blocks
void fillBlocks(std::uint64_t key, std::uint64_t block, std::uint8_t* out) { blockPortable(key, block, out); }
void fillBlock(std::uint64_t key, std::uint64_t block, std::uint8_t* out) {
    blockPortable(key, block, out);
}
template <std::size_t W> void addColumns(const std::uint8_t* weight, const double* const* columns, std::size_t n, double (*sums)[lanes]) {
    addPortable<W>(weight, columns, n, sums);
}
std::uint64_t totalWeight(const std::uint8_t* weight, std::size_t n) { return std::accumulate(weight, weight + n, std::uint64_t(0)); }
#endif

void fillWeights(std::uint64_t key, std::uint64_t first, std::span<std::uint8_t> out) {
    std::uint8_t block[weightsPerBlock];
    for (std::size_t done = 0; done < out.size();) {
        const std::uint64_t at = first + done;
        const std::size_t skip = at % weightsPerBlock;
        if (skip == 0 && out.size() - done >= together * weightsPerBlock) {
            fillBlocks(key, at / weightsPerBlock, out.data() + done);
            done += together * weightsPerBlock;
            continue;
        }
        const std::size_t count = std::min(weightsPerBlock - skip, out.size() - done);
        if (count == weightsPerBlock) {
            fillBlock(key, at / weightsPerBlock, out.data() + done);
        } else {
            fillBlock(key, at / weightsPerBlock, block);
            std::copy_n(block + skip, count, out.begin() + static_cast<std::ptrdiff_t>(done));
        }
        done += count;
    }
}

// Adds the sums of one block of units; the tail that fills no lane group goes to the lanes one by one.
void addBlock(const std::uint8_t* weight, const double* const* columns, std::size_t width, std::size_t n, double (*sums)[lanes]) {
    const std::size_t whole = n - n % lanes;
    switch (width) {
    case 1:
        addColumns<1>(weight, columns, whole, sums);
        break;
    case 2:
        addColumns<2>(weight, columns, whole, sums);
        break;
    case 3:
        addColumns<3>(weight, columns, whole, sums);
        break;
    default:
        addColumns<widest>(weight, columns, whole, sums);
        break;
    }
    for (std::size_t i = whole; i < n; ++i)
        for (std::size_t c = 0; c < width; ++c)
            sums[c][i - whole] += static_cast<double>(weight[i]) * columns[c][i];
}
double total(const double* lane) {
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}
} // namespace

std::uint8_t poissonWeight(std::uint64_t seed, std::uint32_t draw, std::uint64_t unit) {
    const std::uint64_t at = unit % weightsPerBlock, word = at / 2;
    const auto four = words(keyOf(seed, draw), unit / weightsPerBlock * counters + word % counters);
    const std::uint32_t bits = four[word / counters];
    return weightOf(at % 2 ? bits >> 16 : bits & 0xFFFF);
}

void poissonWeights(std::uint64_t seed, std::uint32_t draw, std::uint64_t first, std::span<std::uint8_t> out) {
    fillWeights(keyOf(seed, draw), first, out);
}

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
        std::vector<std::array<double, lanes>> sums((end - begin) * read.size());
        std::vector<std::uint64_t> keys(end - begin), weights(end - begin, 0);
        for (auto& lane : sums)
            lane.fill(0.0);
        for (std::size_t d = begin; d < end; ++d)
            keys[d - begin] = keyOf(seed, static_cast<std::uint32_t>(d));
        std::array<std::uint8_t, blockUnits> weight;
        for (std::size_t from = 0; from < units && !stopped; from += blockUnits) {
            if (control.stopRequested()) {
                stopped = true;
                return;
            }
            const std::size_t n = std::min(blockUnits, units - from);
            for (std::size_t d = 0; d < end - begin; ++d) {
                fillWeights(keys[d], from, std::span(weight).first(n));
                if (cluster.empty())
                    weights[d] += totalWeight(weight.data(), n);
                for (std::size_t c = 0; c < read.size(); c += widest) {
                    const std::size_t width = std::min(widest, read.size() - c);
                    const double* at[widest] = {};
                    for (std::size_t w = 0; w < width; ++w)
                        at[w] = read[c + w] + from;
                    addBlock(weight.data(), at, width, n, reinterpret_cast<double(*)[lanes]>(&sums[d * read.size() + c]));
                }
            }
        }
        for (std::size_t d = 0; d < end - begin; ++d) {
            for (std::size_t c = 0; c < columns.size(); ++c)
                result.sums[(begin + d) * columns.size() + c] = total(sums[d * read.size() + c].data());
            result.weight[begin + d] =
                cluster.empty() ? static_cast<double>(weights[d]) : total(sums[d * read.size() + columns.size()].data());
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
