// SPDX-License-Identifier: GPL-3.0-or-later
// Two policies on one log, each as one term and one weight per round or slate: a term's mean estimates the policy's value (IPS: w r; RIPS:
// sum over slots of w_{1:l} r_l), a weight's mean is 1. Their difference d = E[t_1 - t_2], and with the control variate
//   d - beta E[w_1 - w_2], beta = Cov(t_1 - t_2, w_1 - w_2) / Var(w_1 - w_2), since E[w_1 - w_2] = 0   (Jeunen, Delta-OPE, 2024)
// What both choose alike cancels row by row. Standard errors: squares of cluster sums of the linearised value, times G / (G - 1). Pure; any thread.
#pragma once
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <limits>
#include <span>

namespace carousel {

struct PolicyTerms {
    std::span<const double> term, weight; // rows
};
struct PairedDifference {
    double first = 0, second = 0;                            // values
    double plain = 0, controlled = 0, beta = 0;              // first less second
    Interval plainInterval = noInterval(), controlledInterval = noInterval(); // percentiles over clusters redrawn; none with one cluster or no draws
    // NaN with one cluster. beta's own error does not count: 0 multiplies it.
    double standardError = std::numeric_limits<double>::quiet_NaN();       // of controlled
    double secondStandardError = std::numeric_limits<double>::quiet_NaN(); // of second
    double relative = std::numeric_limits<double>::quiet_NaN();            // controlled / second; NaN where second is 0
    double relativeStandardError = std::numeric_limits<double>::quiet_NaN(); // delta method
    std::size_t clusters = 0;
};
// `cluster`: per row, from 0 up; empty: every row alone. CL-8037: no rows, or columns of other lengths. Cancelled.
Result<PairedDifference> pairedDifference(const PolicyTerms& first, const PolicyTerms& second, std::span<const std::int32_t> cluster, int draws,
                                          double confidence, std::uint64_t seed, const RunControl& control);

} // namespace carousel
