// SPDX-License-Identifier: GPL-3.0-or-later
// Logistic regression with an L2 penalty, by Newton's method (iteratively reweighted least squares; McCullagh and Nelder, Generalized
// Linear Models, 1989, section 2.5): for heads on hidden states and for blends of scores. Hundreds of columns, not many thousands.
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// Columns are standardised inside by mean and deviation of the training rows; one that never changes counts nothing.
struct LogisticModel {
    std::vector<double> mean, scale; // per column; scale 0: the column is left out
    std::vector<double> weight;      // per standardised column
    double intercept = 0;
    double linear(std::span<const float> row) const; // log odds
};

// Minimises sum_i log(1 + exp(-s_i z_i)) + l2 / 2 * |weight|^2 with s_i = +1 or -1; the intercept bears no penalty. l2 > 0. Rows: examples.
// CL-3090: no rows, not both classes, lengths that differ, values that are not finite.
Result<LogisticModel> fitLogistic(const Matrix& rows, std::span<const std::uint8_t> positive, double l2);

} // namespace carousel
