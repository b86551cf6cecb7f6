// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/linear_model.h"
#include <algorithm>
#include <cmath>

namespace carousel {

double LinearModel::linear(std::span<const float> row) const {
    double sum = intercept;
    for (std::size_t i = 0; i < weight.size(); ++i)
        if (scale[i] > 0)
            sum += weight[i] * (row[i] - mean[i]) / scale[i];
    return sum;
}

LinearModel standardising(const Matrix& rows) {
    const std::size_t n = rows.rows, columns = rows.columns;
    LinearModel model{std::vector<double>(columns, 0), std::vector<double>(columns, 0), std::vector<double>(columns, 0), 0};
    for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t r = 0; r < n; ++r)
            model.mean[c] += rows.row(r)[c] / static_cast<double>(n);
        double squares = 0;
        for (std::size_t r = 0; r < n; ++r)
            squares += std::pow(rows.row(r)[c] - model.mean[c], 2);
        model.scale[c] = std::sqrt(squares / static_cast<double>(n));
        if (model.scale[c] <= 1e-12 * std::max(1.0, std::fabs(model.mean[c])))
            model.scale[c] = 0;
    }
    return model;
}

} // namespace carousel
