// SPDX-License-Identifier: GPL-3.0-or-later
// Means of columns whose rows are one user under one seed, when users and seeds are both samples: every draw takes users with replacement
// and seeds with replacement, and a row counts as often as both were drawn together (the pigeonhole bootstrap: Owen, Annals of Applied
// Statistics 1, 2007; a little wide rather than narrow). One seed: users alone are drawn. Counter-based: the same for any thread count.
#pragma once
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct CrossedMeans {
    std::vector<double> mean;  // per column
    std::size_t rows = 0;
    int draws = 0;
    std::vector<double> drawn; // draws x columns; NaN where a draw took no row
    double at(int draw, std::size_t column) const { return drawn[static_cast<std::size_t>(draw) * mean.size() + column]; }
    Interval interval(std::size_t column, double confidence) const; // percentile
    double standardError(std::size_t column) const;                 // standard deviation of the draws
};
// `user`, `seedOf`: per row, 0-based and dense. All columns have the length of `user`. Error: kind cancelled.
Result<CrossedMeans> crossedMeans(std::span<const std::vector<double>> columns, std::span<const std::int32_t> user,
                                  std::span<const std::int32_t> seedOf, int draws, std::uint64_t seed, const RunControl& control);

} // namespace carousel
