// SPDX-License-Identifier: GPL-3.0-or-later
// What logistic and ridge regression share: a weighted sum of columns that are standardised by mean and deviation of the training rows.
#pragma once
#include "base/matrix.h"
#include <span>
#include <vector>

namespace carousel {

struct LinearModel {
    std::vector<double> mean, scale; // per column; scale 0: the column never changed and counts nothing
    std::vector<double> weight;      // per standardised column
    double intercept = 0;
    double standardised(std::size_t column, float value) const { return scale[column] > 0 ? (value - mean[column]) / scale[column] : 0; }
    double linear(std::span<const float> row) const; // log odds, or the number itself
};

// Means and deviations of these rows, weights 0.
LinearModel standardising(const Matrix& rows);

} // namespace carousel
