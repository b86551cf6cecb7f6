// SPDX-License-Identifier: GPL-3.0-or-later
// Bootstrap of sums, means and ratios over a million rows: Poisson(1) weights (Oza and Russell, AISTATS 2001; Chamandy et al., 2012), one
// per row or per cluster of rows (a user's sessions are drawn together). Every draw sees the same weights in every column, so that
// ratios and differences share their draws. Counter-based: the same numbers for any thread count.
#pragma once
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include "evaluation/statistics/poisson_weights.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// sums[draw * columns.size() + c] = sum over rows of weight * columns[c][row]. `cluster`: per row, 0..clusters-1, or empty (every row is
// its own). Rows are streamed in blocks, so the cost is rows * draws additions whatever the memory. All columns have equal length.
// Error: kind cancelled.
struct BootstrapSums {
    int draws = 0;
    std::size_t columns = 0;
    std::vector<double> sums;        // draws x columns
    std::vector<double> weight;      // per draw: sum of the weights over rows
    double at(int draw, std::size_t column) const { return sums[static_cast<std::size_t>(draw) * columns + column]; }
};
Result<BootstrapSums> bootstrapSums(std::span<const std::span<const double>> columns, std::span<const std::int32_t> cluster, int draws,
                                    std::uint64_t seed, const RunControl& control);

// Percentile interval of draws (linear interpolation between order statistics); non-finite draws are left out; none left: NaN.
Interval percentileInterval(std::vector<double> draws, double confidence);

} // namespace carousel
