// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals around sums, means and ratios of columns. Internal to off_policy.
// A recipe says how a value comes from column sums:  sum of mean(linear) + sum over ratios of mean(share) * sum(num) / sum(den).
//   standard error  sum over clusters of the squared cluster sums of the linearised value, times G / (G - 1)
//   bootstrap       percentiles over clusters redrawn, the same draws for every recipe
//   Bernstein       sqrt(2 Var ln(4/a) / G) + 7 R ln(4/a) / (3 (G - 1)) around the mean of G cluster sums that span at most R (Maurer and
//   Pontil) anytime         SE * sqrt(2 (G rho^2 + 1) / (G rho^2) ln(sqrt(G rho^2 + 1) / a)), rho^2 = (-2 ln a + ln(1 - 2 ln a)) / tuned
//   (Waudby-Smith et al.)
#pragma once
#include "evaluation/off_policy/bandit.h"

namespace carousel::off_policy {

constexpr std::size_t noColumn = static_cast<std::size_t>(-1);

struct Recipe {
    struct Ratio {
        std::size_t numerator = 0, denominator = 0, share = noColumn;
    };
    std::vector<std::size_t> linear;
    std::vector<Ratio> ratios;
    double termRange = std::numeric_limits<double>::quiet_NaN(); // of one row's linear term, for Bernstein; NaN: none
    double value(const double* sums, double rows) const;
};

struct Clusters {
    std::vector<std::int32_t> of; // per row, 0 .. count - 1 in order of appearance; empty: every row alone
    std::size_t count = 0;
    std::size_t largest = 1; // rows of the largest cluster
};
Clusters denseClusters(const std::vector<std::int32_t>& cluster, std::size_t rows);

// Half width of the asymptotic confidence sequence after `units`, in standard errors, with rho tuned for `tuned` units.
double anytimeMultiplier(double units, double tuned, double confidence);
// Half width of the empirical Bernstein interval of a mean of `units` values with this sample variance that span at most `range`.
double bernsteinHalfWidth(double variance, double range, double units, double confidence);

Result<void> checkOptions(const OffPolicyOptions& options);
// One row's share of the error of the value: summed and divided by the rows, the standard error's linearisation.
std::vector<double> influence(const Recipe& recipe, const std::vector<std::vector<double>>& columns);
double clusteredError(const std::vector<double>& influence, const Clusters& clusters);

// Fills value, standardError, bootstrap, bernstein, anytime and notes of estimates[k] by recipes[k]; refused ones keep NaN and have an
// empty recipe.
Result<void> addIntervals(std::vector<PolicyEstimate>& estimates, const std::vector<Recipe>& recipes,
                          const std::vector<std::vector<double>>& columns, std::size_t rows, const Clusters& clusters, double low,
                          double high, const OffPolicyOptions& options, const RunControl& control);
// What stands in every number of an estimate that was refused.
PolicyEstimate emptyEstimate(const std::string& id, const std::string& name, const std::string& assumption);

} // namespace carousel::off_policy
