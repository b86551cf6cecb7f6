// SPDX-License-Identifier: GPL-3.0-or-later
// Two runs over the same users: if neither were better, each user's difference could as well have the other sign. The p value is the
// share of random sign patterns at least as extreme, the observed one counted in, so it is never 0.
#include "base/parallel.h"
#include "base/random.h"
#include "evaluation/statistics/bootstrap.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

PairedDifference pairedDifference(std::span<const float> a, std::span<const float> b, const MetricOptions& options) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    const std::size_t n = std::min(a.size(), b.size());
    std::vector<float> rows(n, std::numeric_limits<float>::quiet_NaN()); // gaps stay, so that all comparisons share their draws
    std::vector<double> differences;
    for (std::size_t i = 0; i < n; ++i)
        if (std::isfinite(a[i]) && std::isfinite(b[i])) {
            rows[i] = b[i] - a[i];
            differences.push_back(static_cast<double>(b[i]) - static_cast<double>(a[i]));
        }
    PairedDifference result;
    result.users = static_cast<std::int64_t>(differences.size());
    if (differences.empty()) {
        result.difference = undefined;
        result.interval = {undefined, undefined};
        result.words = "not comparable";
        return result;
    }
    result.difference = meanOfFinite(differences).mean;
    result.interval = bootstrapMean(rows, options.bootstrap, options.confidence, options.seed);

    std::erase(differences, 0.0); // equal users change no sign pattern
    const auto flips = static_cast<std::size_t>(std::max(options.bootstrap, 1));
    double observed = 0, scale = 0;
    for (const double d : differences) {
        observed += d;
        scale += std::fabs(d);
    }
    const double threshold = std::fabs(observed) - 1e-12 * scale; // a pattern that equals the observed one must count despite rounding
    std::vector<char> extreme(flips, 0);
    parallelFor(flips, 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t f = begin; f < end; ++f) {
            RandomStream stream(options.seed, "sign-flip", f);
            double sum = 0;
            std::uint32_t bits = 0;
            for (std::size_t i = 0; i < differences.size(); ++i) {
                if (i % 32 == 0)
                    bits = stream.next32();
                sum += (bits >> (i % 32)) & 1u ? differences[i] : -differences[i];
            }
            extreme[f] = std::fabs(sum) >= threshold;
        }
    });
    const auto count = std::count(extreme.begin(), extreme.end(), 1);
    result.pValue = static_cast<double>(count + 1) / static_cast<double>(flips + 1);
    const bool significant = result.pValue <= 1 - options.confidence;
    result.words = !significant ? "not significant" : result.difference > 0 ? "higher" : "lower";
    return result;
}

} // namespace carousel
