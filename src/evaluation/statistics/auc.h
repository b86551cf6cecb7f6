// SPDX-License-Identifier: GPL-3.0-or-later
// Area under the ROC curve: the probability that a positive scores above a negative, ties as half (Hanley and McNeil, Radiology 1982).
#pragma once
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// NaN where one of the two classes has no (weighted) member. `weights`: per row, or empty.
double areaUnderRoc(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::uint8_t> weights = {});

// The same for several columns of scores of the same rows under shared Poisson draws of clusters (a user's rows are drawn together), so
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
