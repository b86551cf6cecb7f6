// SPDX-License-Identifier: GPL-3.0-or-later
// A linear score learned from which of two rows stands before the other: logistic loss of the difference of their scores (RankNet, Burges
// et al., ICML 2005, with a linear score), each pair with a weight, by Newton's method. Hundreds of columns, not many thousands.
#pragma once
#include "base/result.h"
#include "evaluation/statistics/linear_model.h"
#include <cstdint>
#include <span>

namespace carousel {

struct RankedPair {
    std::uint32_t better = 0, worse = 0; // rows
    double weight = 1;                   // at least 0
};

// Minimises sum_p w_p log(1 + exp(z_worse - z_better)) + l2 / 2 * |weight|^2 over the standardised columns; l2 > 0. The intercept is 0: it
// moves no order. CL-3095: no pair with a weight above 0, a pair outside the rows, values or weights that are not finite.
Result<LinearModel> fitPairwise(const Matrix& rows, std::span<const RankedPair> pairs, double l2);

} // namespace carousel
