// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/offline_tests.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace carousel {

Result<std::vector<TukeyPair>> randomisedTukey(std::span<const std::vector<double>> scores, int permutations, std::uint64_t seed, const RunControl& control) {
    const std::size_t strategies = scores.size(), users = strategies ? scores[0].size() : 0;
    std::vector<double> mean(strategies, 0);
    for (std::size_t s = 0; s < strategies; ++s)
        for (const double value : scores[s])
            mean[s] += value / static_cast<double>(std::max<std::size_t>(users, 1));
    std::vector<double> widest(static_cast<std::size_t>(std::max(permutations, 1)), 0);
    parallelFor(widest.size(), 16, [&](std::size_t begin, std::size_t end) {
        std::vector<double> sum(strategies), row(strategies);
        for (std::size_t p = begin; p < end && !control.stopRequested(); ++p) {
            std::fill(sum.begin(), sum.end(), 0);
            RandomStream random(seed, "randomised Tukey", p);
            for (std::size_t u = 0; u < users; ++u) {
                for (std::size_t s = 0; s < strategies; ++s)
                    row[s] = scores[s][u];
                for (std::size_t s = strategies; s > 1; --s)
                    std::swap(row[s - 1], row[random.below(s)]);
                for (std::size_t s = 0; s < strategies; ++s)
                    sum[s] += row[s];
            }
            const auto [low, high] = std::minmax_element(sum.begin(), sum.end());
            widest[p] = (*high - *low) / static_cast<double>(std::max<std::size_t>(users, 1));
        }
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("the randomised Tukey test"));
    std::sort(widest.begin(), widest.end());
    std::vector<TukeyPair> out;
    for (std::size_t a = 0; a < strategies; ++a)
        for (std::size_t b = a + 1; b < strategies; ++b) {
            TukeyPair pair{a, b, mean[b] - mean[a], 1};
            const double least = std::fabs(pair.difference) - 1e-12 * (std::fabs(mean[a]) + std::fabs(mean[b])); // equal despite rounding counts
            const auto atLeast = widest.end() - std::lower_bound(widest.begin(), widest.end(), least);
            pair.pValue = static_cast<double>(atLeast + 1) / static_cast<double>(widest.size() + 1);
            out.push_back(pair);
        }
    return out;
}

CorrectedT correctedPairedT(std::span<const double> differences, double testByTraining) {
    CorrectedT out;
    const auto n = static_cast<double>(differences.size());
    if (n < 2)
        return out;
    double mean = 0, squares = 0;
    for (const double d : differences)
        mean += d / n;
    for (const double d : differences)
        squares += (d - mean) * (d - mean);
    const double variance = squares / (n - 1);
    if (!(variance > 0))
        return out;
    out.plain = mean / std::sqrt(variance / n);
    out.corrected = mean / std::sqrt(variance * (1 / n + testByTraining));
    out.pValue = 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(n - 1), std::fabs(out.corrected)));
    return out;
}

VarianceSplit varianceSplit(std::span<const std::vector<double>> scores) {
    VarianceSplit out;
    const std::size_t seeds = scores.size(), users = seeds ? scores[0].size() : 0;
    if (seeds < 2 || users < 2)
        return out;
    const auto s = static_cast<double>(seeds), u = static_cast<double>(users);
    std::vector<double> bySeed(seeds, 0), byUser(users, 0);
    double grand = 0;
    for (std::size_t i = 0; i < seeds; ++i)
        for (std::size_t j = 0; j < users; ++j) {
            bySeed[i] += scores[i][j] / u, byUser[j] += scores[i][j] / s;
            grand += scores[i][j] / (u * s);
        }
    double ofSeeds = 0, ofUsers = 0, ofRest = 0;
    for (const double mean : bySeed)
        ofSeeds += u * (mean - grand) * (mean - grand) / (s - 1);
    for (const double mean : byUser)
        ofUsers += s * (mean - grand) * (mean - grand) / (u - 1);
    for (std::size_t i = 0; i < seeds; ++i)
        for (std::size_t j = 0; j < users; ++j) {
            const double rest = scores[i][j] - bySeed[i] - byUser[j] + grand;
            ofRest += rest * rest / ((s - 1) * (u - 1));
        }
    out.rest = ofRest;
    out.seeds = std::max(0.0, (ofSeeds - ofRest) / u);
    out.users = std::max(0.0, (ofUsers - ofRest) / s);
    out.standardError = std::sqrt(out.users / u + out.seeds / s + out.rest / (s * u));
    return out;
}

} // namespace carousel
