// SPDX-License-Identifier: GPL-3.0-or-later
// Is the experiment what it was meant to be? Checks that come before any effect is believed. Pure functions.
#pragma once
#include "evaluation/ab_test/effect.h"

namespace carousel {

struct HealthTest {
    double statistic = 0, pValue = 1;
    int degrees = 0;
};
// Sample ratio mismatch: chi-squared of the units found in each arm against the planned shares (any positive scale). Fewer than two arms: p = 1.
HealthTest sampleRatio(std::span<const double> found, std::span<const double> planned);

// Balance before the experiment: Welch's test of each covariate, one metric a column; p values after Bonferroni over columns. Rows are users.
std::vector<double> prePeriodBalance(std::span<const std::vector<double>> control, std::span<const std::vector<double>> treatment);

// Users seen in more than one arm. `arms`: per exposure, with `user` of the same length.
struct MultipleExposure {
    std::size_t users = 0, inSeveral = 0;
    double share() const { return users > 0 ? static_cast<double>(inSeveral) / static_cast<double>(users) : 0; }
};
MultipleExposure multipleExposure(std::span<const std::int32_t> user, std::span<const std::int32_t> arm);

} // namespace carousel
