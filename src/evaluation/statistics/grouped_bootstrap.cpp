// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/grouped_bootstrap.h"
#include "base/parallel.h"
#include <algorithm>
#include <atomic>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <unordered_map>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace carousel {

namespace {
// Distinct rows in ascending order and how often each stands there; false when there are too many.
struct Groups {
    std::vector<double> values; // groups x columns
    std::vector<double> count;
};
bool groupRows(std::span<const std::span<const double>> columns, std::size_t rows, Groups& out) {
    const std::size_t width = columns.size(), most = rows / 8;
    struct Key {
        const std::vector<double>* rows;
        std::size_t at, width;
        bool operator==(const Key& other) const { return std::equal(rows->begin() + static_cast<std::ptrdiff_t>(at), rows->begin() + static_cast<std::ptrdiff_t>(at + width), other.rows->begin() + static_cast<std::ptrdiff_t>(other.at)); }
    };
    struct Hash {
        std::size_t operator()(const Key& key) const { return XXH3_64bits(key.rows->data() + key.at, key.width * sizeof(double)); }
    };
    std::vector<double> kept((most + 1) * width);
    std::unordered_map<Key, double, Hash> counts;
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t at = counts.size() * width;
        for (std::size_t c = 0; c < width; ++c)
            kept[at + c] = columns[c][r] + 0.0; // -0 as 0
        ++counts[Key{&kept, at, width}];
        if (counts.size() > most)
            return false;
    }
    std::vector<std::pair<std::size_t, double>> order; // where its values stand
    for (const auto& [key, n] : counts)
        order.emplace_back(key.at, n);
    std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
        const auto first = kept.begin() + static_cast<std::ptrdiff_t>(a.first), second = kept.begin() + static_cast<std::ptrdiff_t>(b.first);
        return std::lexicographical_compare(first, first + static_cast<std::ptrdiff_t>(width), second, second + static_cast<std::ptrdiff_t>(width));
    });
    for (const auto& [at, n] : order) {
        out.values.insert(out.values.end(), kept.begin() + static_cast<std::ptrdiff_t>(at), kept.begin() + static_cast<std::ptrdiff_t>(at + width));
        out.count.push_back(n);
    }
    return true;
}
} // namespace

double poissonVariate(double mean, RandomStream& random) {
    if (!(mean > 0))
        return 0;
    if (mean < 10) {
        double k = 0, chance = std::exp(-mean), left = random.uniform() - chance;
        for (; left >= 0 && k < 200; left -= chance)
            chance *= mean / ++k;
        return k;
    }
    const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b, inverse = 1.1239 + 1.1328 / (b - 3.4), ready = 0.9277 - 3.6224 / (b - 2), logMean = std::log(mean);
    for (;;) {
        const double u = random.uniform() - 0.5, v = 1 - random.uniform(), from = 0.5 - std::fabs(u);
        const double k = std::floor((2 * a / from + b) * u + mean + 0.43);
        if (from >= 0.07 && v <= ready)
            return k;
        if (k < 0 || (from < 0.013 && v > from))
            continue;
        if (std::log(v * inverse / (a / (from * from) + b)) <= k * logMean - mean - boost::math::lgamma(k + 1))
            return k;
    }
}

Result<BootstrapSums> groupedBootstrapSums(std::span<const std::span<const double>> columns, int draws, std::uint64_t seed, const RunControl& control) {
    const std::size_t rows = columns.empty() ? 0 : columns.front().size(), width = columns.size();
    Groups groups;
    if (rows == 0 || !groupRows(columns, rows, groups))
        return bootstrapSums(columns, {}, draws, seed, control);
    BootstrapSums out;
    out.draws = std::max(draws, 0), out.columns = width;
    out.sums.assign(static_cast<std::size_t>(out.draws) * width, 0.0);
    out.weight.assign(static_cast<std::size_t>(out.draws), 0.0);
    std::atomic<bool> stopped{false};
    parallelFor(static_cast<std::size_t>(out.draws), 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t d = begin; d < end && !stopped; ++d) {
            if (control.stopRequested()) {
                stopped = true;
                return;
            }
            RandomStream random(seed, "grouped poisson weights", d);
            for (std::size_t g = 0; g < groups.count.size(); ++g) {
                const double weight = poissonVariate(groups.count[g], random);
                out.weight[d] += weight;
                for (std::size_t c = 0; c < width; ++c)
                    out.sums[d * width + c] += weight * groups.values[g * width + c];
            }
        }
    });
    if (stopped)
        return fail(RunControl::cancelled("The bootstrap"));
    return out;
}

} // namespace carousel
