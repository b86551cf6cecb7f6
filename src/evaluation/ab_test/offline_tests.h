// SPDX-License-Identifier: GPL-3.0-or-later
// Several strategies measured on the same users: which differences are more than chance, and where the spread comes from. Pure functions of
// their seed; the same result for any number of threads.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include <span>
#include <vector>

namespace carousel {

// Randomised Tukey honest significant differences (Carterette, TOIS 2012, section 4.3; Smucker, Allan and Carterette, CIKM 2007, for the
// permutation): strategies are exchanged within each user; the largest difference of means in each permutation is the yardstick for
// every pair, so that all pairs together are wrong with the level's probability. `scores[s][u]`, equal lengths, at least two strategies.
struct TukeyPair {
    std::size_t a = 0, b = 0;
    double difference = 0; // mean of b less mean of a
    double pValue = 1;     // (count + 1) / (permutations + 1): never 0
};
Result<std::vector<TukeyPair>> randomisedTukey(std::span<const std::vector<double>> scores, int permutations, std::uint64_t seed,
                                               const RunControl& control);

// Paired t test of folds or repetitions that share training data, with Nadeau and Bengio's variance (Machine Learning 2003):
// (1 / n + test share / training share) instead of 1 / n.
struct CorrectedT {
    double plain = 0, corrected = 0, pValue = 1;
};
CorrectedT correctedPairedT(std::span<const double> differences, double testByTraining);

// Where a metric's spread comes from when each user was scored under several seeds: two-way layout without repetition, method of moments.
// scores[seed][user]. Shares add up to 1; a negative estimate counts as 0.
struct VarianceSplit {
    double users = 0, seeds = 0, rest = 0; // variances: between users, between seeds, of their interaction with noise
    double standardError = 0;              // of the grand mean, with users and seeds both redrawn
};
VarianceSplit varianceSplit(std::span<const std::vector<double>> scores);

} // namespace carousel
