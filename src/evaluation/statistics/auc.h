// SPDX-License-Identifier: GPL-3.0-or-later
// Areas under the ROC curve of several methods on the same questions, with paired intervals.
#pragma once
#include "base/area_under_roc.h"
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// For several columns of scores of the same rows under shared Poisson draws of clusters (a user's rows are drawn together), so
// that differences between columns are paired. area[column]; draws[column][draw]. Error: cancelled.
struct AreaDraws {
    std::vector<double> area;
    std::vector<std::vector<double>> draws;
    // Mean of some columns (e.g. seeds of one method) less the mean of others (may be empty): value and percentile interval.
    struct Estimate {
        double value = 0;
        Interval interval;
    };
    Estimate mean(std::span<const std::size_t> columns, std::span<const std::size_t> less, double confidence) const;
};
Result<AreaDraws> areaDraws(std::span<const std::vector<double>> columns, std::span<const std::uint8_t> positive,
                            std::span<const std::int32_t> cluster, int draws, std::uint64_t seed, const RunControl& control);

} // namespace carousel
