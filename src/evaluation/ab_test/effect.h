// SPDX-License-Identifier: GPL-3.0-or-later
// What a treatment did to a metric, from two groups of users: difference, interval, p value, relative lift. One value per unit of
// randomisation (a user); whoever has several rows a user adds them up first, or the intervals are too narrow. Pure functions; any thread.
#pragma once
#include "evaluation/statistics/interval.h"
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct Moments {
    double n = 0, mean = 0, variance = 0; // variance: divided by n - 1; 0 with fewer than two values
};
Moments momentsOf(std::span<const double> values);

struct Effect {
    double control = 0, treatment = 0;   // estimates of the two groups
    double difference = 0, standardError = 0;
    double degrees = 0;                  // of freedom; infinite for normal approximations
    double statistic = 0, pValue = 1;    // two-sided
    Interval interval = noInterval();
    // Relative change, by the delta method (Oehlert 1992); none where the control's mean is within five standard errors of 0, since a ratio
    // to nothing has no useful interval.
    double lift = 0;
    Interval liftInterval = noInterval();
    bool hasLift = false;
};

// Welch's t (1947), degrees of freedom after Satterthwaite. Groups of fewer than two values, or without any spread, give p = 1 and no interval.
Effect welch(const Moments& control, const Moments& treatment, double confidence);
// Shares: pooled variance for the test (so that under no effect it is right), unpooled for the interval.
struct Share {
    double successes = 0, n = 0;
};
Effect compareShares(const Share& control, const Share& treatment, double confidence);

// Ratio of two sums, such as clicks per impression with users as units: variance by the delta method
//   (v_n - 2 r c + r^2 v_d) / (n d^2)      (Deng, Knoblich and Lu, KDD 2018, equation 5)
struct RatioMoments {
    double n = 0, numerator = 0, denominator = 0, numeratorVariance = 0, denominatorVariance = 0, covariance = 0; // means and moments over units
};
RatioMoments ratioMomentsOf(std::span<const double> numerator, std::span<const double> denominator);
Effect compareRatios(const RatioMoments& control, const RatioMoments& treatment, double confidence);

// Difference of the q-quantiles, 0 < q < 1. The bootstrap distribution of a sample quantile is that of the order statistic whose number is
// binomial (n + 1, q) (Schultzberg and Ankargren, 2022): no resampling. The p value is from the same draws, never 0.
Effect compareQuantiles(std::vector<double> control, std::vector<double> treatment, double q, int draws, double confidence, std::uint64_t seed);

// Values above the `share` quantile of both groups together become it (share 0.99: the highest hundredth); the limit is returned.
double winsorise(std::span<double> control, std::span<double> treatment, double share);

} // namespace carousel
