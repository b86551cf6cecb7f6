// SPDX-License-Identifier: GPL-3.0-or-later
// Logistic regression with an L2 penalty, by Newton's method (iteratively reweighted least squares; McCullagh and Nelder, Generalized
// Linear Models, 1989, section 2.5): for heads on hidden states and for blends of scores. Hundreds of columns, not many thousands.
#pragma once
#include "base/result.h"
#include "evaluation/statistics/linear_model.h"
#include <cstdint>
#include <span>

namespace carousel {

// Minimises sum_i log(1 + exp(-s_i z_i)) + l2 / 2 * |weight|^2 with s_i = +1 or -1; the intercept bears no penalty. l2 > 0. Rows: examples.
// CL-3090: no rows, not both classes, lengths that differ, values that are not finite.
Result<LinearModel> fitLogistic(const Matrix& rows, std::span<const std::uint8_t> positive, double l2);

} // namespace carousel
