// SPDX-License-Identifier: GPL-3.0-or-later
// What is measured of a user in an experiment, as columns over the users of an arm, and how two arms are compared in it. Pure functions.
#pragma once
#include "evaluation/ab_test/effect.h"
#include "evaluation/simulation/simulate.h"
#include <optional>

namespace carousel {

enum class UserMetric {
    clicks, purchases, value, // per user, added up over the rounds so far
    valueWinsorised,          // the highest values set to a limit, so that a few buyers do not decide
    valueQuantile,            // an upper quantile of value over users
    clicksPerVisit, purchasesPerVisit, valuePerVisit, missedPerVisit, // sums over users divided by the sum of their visits
    left,                     // share of users who stay away
    satisfaction              // mean over users, 0 .. 1
};
std::span<const UserMetric> userMetrics();
const char* name(UserMetric metric);  // "clicks", "clicks-per-visit", ...
const char* title(UserMetric metric); // "clicks per user", ...
const char* unit(UserMetric metric);  // "clicks", "share of visits", ...
std::optional<UserMetric> userMetric(const std::string& name);
bool higherIsBetter(UserMetric metric); // not: missed per visit, left
bool isRatio(UserMetric metric);
bool growsWithRounds(UserMetric metric); // sums over rounds: shown per round where rounds are compared

// Users of one arm. Means: `denominator` is empty.
struct MetricColumn {
    std::vector<double> numerator, denominator;
};
MetricColumn metricColumn(UserMetric metric, const SimulatedArm& arm, std::span<const std::uint32_t> members);

struct MetricSettings {
    double winsorShare = 0.99, quantile = 0.9;
    int quantileDraws = 1000;
    std::uint64_t seed = 1;
};
// Sets values above the `share` quantile of all columns together to it, and returns it.
double winsoriseAll(std::span<MetricColumn> columns, double share);
// Welch for means, delta method for ratios, pooled test for shares, order statistics for quantiles (effect.h). Columns of valueWinsorised
// have been through winsoriseAll().
Effect compareColumns(UserMetric metric, const MetricColumn& control, const MetricColumn& treatment, const MetricSettings& settings, double confidence);
// One value per user whose mean is the metric and whose variance is that of its estimate times n: the value itself, or for a ratio r = N / D
// its linear part r + (n_i - r d_i) / mean d (Deng, Knoblich and Lu, KDD 2018). Empty for quantiles.
std::vector<double> linearValues(UserMetric metric, const MetricColumn& column);
// The standard error of the lift that gave `liftInterval`; NaN without one.
double liftStandardError(const Effect& effect, double confidence);

} // namespace carousel
