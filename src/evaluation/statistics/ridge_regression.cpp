// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/ridge_regression.h"
#include "evaluation/statistics/positive_definite.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

Result<LinearModel> fitRidge(const Matrix& rows, std::span<const double> wanted, double l2) {
    const auto refused = [](const std::string& what) {
        return fail(ErrorKind::input, "CL-3094", "A ridge regression cannot be fitted: " + what + ".", "Give more examples.");
    };
    if (rows.rows == 0 || rows.rows != wanted.size() || !(l2 > 0))
        return refused("there are no examples, or numbers for only some of them");
    if (!std::all_of(rows.values.begin(), rows.values.end(), [](float v) { return std::isfinite(v); }) ||
        !std::all_of(wanted.begin(), wanted.end(), [](double v) { return std::isfinite(v); }))
        return refused("a value is not a number");
    const std::size_t n = rows.rows, columns = rows.columns;
    LinearModel model = standardising(rows);
    std::vector<double> x(n * columns, 0);
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            x[r * columns + c] = model.standardised(c, rows.row(r)[c]);
    model.intercept = std::accumulate(wanted.begin(), wanted.end(), 0.0) / static_cast<double>(n);
    if (columns == 0)
        return model;
    const bool byRows = n < columns; // (X X' + l2 I) a = y, weight = X' a; otherwise (X' X + l2 I) weight = X' y
    const auto size = byRows ? n : columns;
    std::vector<double> a(size * size, 0), b(size, 0);
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j <= i; ++j)
            for (std::size_t k = 0; k < (byRows ? columns : n); ++k)
                a[i * size + j] += byRows ? x[i * columns + k] * x[j * columns + k] : x[k * columns + i] * x[k * columns + j];
        a[i * size + i] += l2;
        if (byRows)
            b[i] = wanted[i] - model.intercept;
        else
            for (std::size_t r = 0; r < n; ++r)
                b[i] += x[r * columns + i] * (wanted[r] - model.intercept);
    }
    if (!solvePositiveDefinite(a, b))
        return refused("its curvature vanishes");
    if (!byRows)
        model.weight = b;
    for (std::size_t r = 0; r < n && byRows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            model.weight[c] += x[r * columns + c] * b[r];
    return model;
}

} // namespace carousel
