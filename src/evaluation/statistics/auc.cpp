// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/auc.h"
#include "base/parallel.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>

namespace carousel {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> ascending(std::span<const double> scores) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    return order;
}

template <class Weight>
double area(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::size_t> order, Weight weight) {
    double wins = 0, negatives = 0, positives = 0;
    for (std::size_t start = 0; start < order.size();) {
        double tiedPositives = 0, tiedNegatives = 0;
        std::size_t end = start;
        for (; end < order.size() && scores[order[end]] == scores[order[start]]; ++end)
            (positive[order[end]] ? tiedPositives : tiedNegatives) += weight(order[end]);
        wins += tiedPositives * (negatives + tiedNegatives / 2);
        negatives += tiedNegatives;
        positives += tiedPositives;
        start = end;
    }
    return positives > 0 && negatives > 0 ? wins / (positives * negatives) : none;
}

} // namespace

double areaUnderRoc(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::uint8_t> weights) {
    const auto order = ascending(scores);
    return area(scores, positive, order, [&](std::size_t row) { return weights.empty() ? 1.0 : static_cast<double>(weights[row]); });
}

Result<AreaDraws> areaDraws(std::span<const std::vector<double>> columns, std::span<const std::uint8_t> positive,
                            std::span<const std::int32_t> cluster, int draws, std::uint64_t seed, const RunControl& control) {
    AreaDraws out;
    std::vector<std::vector<std::size_t>> orders;
    for (const auto& column : columns) {
        orders.push_back(ascending(column));
        out.area.push_back(area(column, positive, orders.back(), [](std::size_t) { return 1.0; }));
        out.draws.emplace_back(static_cast<std::size_t>(draws), none);
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
                out.draws[c][draw] = area(columns[c], positive, orders[c], [&](std::size_t row) {
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
