// SPDX-License-Identifier: GPL-3.0-or-later
// Least squares with an L2 penalty (Hoerl and Kennard, Technometrics 1970), for heads on hidden states that give a number on a scale.
#pragma once
#include "base/result.h"
#include "evaluation/statistics/linear_model.h"
#include <span>

namespace carousel {

// Minimises sum_i (y_i - z_i)^2 + l2 * |weight|^2; the intercept bears no penalty. l2 > 0. Solved in whichever is fewer, rows or columns.
// CL-3094: no rows, lengths that differ, values that are not finite.
Result<LinearModel> fitRidge(const Matrix& rows, std::span<const double> wanted, double l2);

} // namespace carousel
