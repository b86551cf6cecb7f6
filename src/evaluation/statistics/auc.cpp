// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/auc.h"
#include "base/parallel.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <atomic>
#include <limits>

namespace carousel {

Result<AreaDraws> areaDraws(std::span<const std::vector<double>> columns, std::span<const std::uint8_t> positive,
                            std::span<const std::int32_t> cluster, int draws, std::uint64_t seed, const RunControl& control) {
    AreaDraws out;
    std::vector<std::vector<std::size_t>> orders;
    for (const auto& column : columns) {
        orders.push_back(ascendingOrder(column));
        out.area.push_back(areaUnderRoc(column, positive, orders.back(), [](std::size_t) { return 1.0; }));
        out.draws.emplace_back(static_cast<std::size_t>(draws), std::numeric_limits<double>::quiet_NaN());
    }
    std::int32_t clusters = 0;
    for (const std::int32_t c : cluster)
        clusters = std::max(clusters, c + 1);
    std::atomic<bool> stopped{false};
    parallelFor(static_cast<std::size_t>(draws), 8, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint8_t> weights(static_cast<std::size_t>(clusters));
        for (std::size_t draw = begin; draw < end; ++draw) {
            if (control.stopRequested()) {
                stopped = true;
                return;
            }
            poissonWeights(seed, static_cast<std::uint32_t>(draw), 0, weights);
            for (std::size_t c = 0; c < columns.size(); ++c)
                out.draws[c][draw] = areaUnderRoc(columns[c], positive, orders[c], [&](std::size_t row) {
                    return static_cast<double>(weights[static_cast<std::size_t>(cluster[row])]);
                });
        }
    });
    if (stopped)
        return fail(RunControl::cancelled("drawing users"));
    return out;
}

AreaDraws::Estimate AreaDraws::mean(std::span<const std::size_t> columns, std::span<const std::size_t> less, double confidence) const {
    const auto meanOf = [&](std::span<const std::size_t> some, auto value) {
        double sum = 0;
        for (const std::size_t c : some)
            sum += value(c) / static_cast<double>(some.size());
        return sum;
    };
    Estimate out;
    out.value = meanOf(columns, [&](std::size_t c) { return area[c]; }) - meanOf(less, [&](std::size_t c) { return area[c]; });
    std::vector<double> values;
    for (std::size_t d = 0; !columns.empty() && d < draws[columns[0]].size(); ++d)
        values.push_back(meanOf(columns, [&](std::size_t c) { return draws[c][d]; }) -
                         meanOf(less, [&](std::size_t c) { return draws[c][d]; }));
    out.interval = percentileInterval(std::move(values), confidence);
    return out;
}

} // namespace carousel
