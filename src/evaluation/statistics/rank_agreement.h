// SPDX-License-Identifier: GPL-3.0-or-later
// How well two lists of scores of the same things agree, in order and in value.
#pragma once
#include <span>

namespace carousel {

struct RankAgreement {
    double spearman = 0;          // Pearson's correlation of the ranks; tied values share the mean of their ranks
    double kendall = 0;           // tau-b (Kendall 1945): (concordant - discordant) / sqrt(pairs not tied in a * pairs not tied in b)
    double largestDifference = 0; // max |a - b|
};
// Of the first min(a, b) values, which must be finite. Correlations are NaN where one list has a single value throughout. O(n^2).
RankAgreement rankAgreement(std::span<const double> a, std::span<const double> b);

} // namespace carousel
