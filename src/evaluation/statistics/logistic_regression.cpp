// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/logistic_regression.h"
#include "evaluation/statistics/positive_definite.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

constexpr int mostSteps = 50;
constexpr double converged = 1e-9; // largest change of a coefficient

double lossOf(std::span<const double> margins, std::span<const double> coefficients, double l2) {
    double loss = 0;
    for (const double m : margins)
        loss += m > 0 ? std::log1p(std::exp(-m)) : -m + std::log1p(std::exp(m));
    for (std::size_t i = 1; i < coefficients.size(); ++i)
        loss += l2 / 2 * coefficients[i] * coefficients[i];
    return loss;
}

} // namespace

Result<LinearModel> fitLogistic(const Matrix& rows, std::span<const std::uint8_t> positive, double l2) {
    const auto refused = [](const std::string& what) {
        return fail(ErrorKind::input, "CL-3090", "A logistic regression cannot be fitted: " + what + ".",
                    "Give more examples of both kinds.");
    };
    if (rows.rows == 0 || rows.rows != positive.size() || !(l2 > 0))
        return refused("there are no examples, or labels for only some of them");
    const auto likes = static_cast<std::size_t>(std::count_if(positive.begin(), positive.end(), [](std::uint8_t p) { return p != 0; }));
    if (likes == 0 || likes == rows.rows)
        return refused(likes == 0 ? "no example is positive" : "every example is positive");
    for (const float value : rows.values)
        if (!std::isfinite(value))
            return refused("a value is not a number");

    const std::size_t n = rows.rows, columns = rows.columns, size = columns + 1;
    LinearModel model = standardising(rows);
    std::vector<double> x(n * size); // standardised, first column 1
    for (std::size_t r = 0; r < n; ++r) {
        x[r * size] = 1;
        for (std::size_t c = 0; c < columns; ++c)
            x[r * size + c + 1] = model.standardised(c, rows.row(r)[c]);
    }
    std::vector<double> coefficients(size, 0), margins(n, 0);
    const auto marginsAt = [&](std::span<const double> at) {
        std::vector<double> out(n, 0);
        for (std::size_t r = 0; r < n; ++r) {
            double z = 0;
            for (std::size_t c = 0; c < size; ++c)
                z += x[r * size + c] * at[c];
            out[r] = positive[r] ? z : -z;
        }
        return out;
    };
    double loss = lossOf(margins, coefficients, l2);
    for (int step = 0; step < mostSteps; ++step) {
        std::vector<double> hessian(size * size, 0), gradient(size, 0);
        for (std::size_t r = 0; r < n; ++r) {
            const double miss = 1 / (1 + std::exp(margins[r])), curve = std::max(miss * (1 - miss), 1e-12);
            const double* const row = x.data() + r * size;
            for (std::size_t i = 0; i < size; ++i) {
                gradient[i] += (positive[r] ? miss : -miss) * row[i];
                const double scaled = curve * row[i];
                if (scaled == 0)
                    continue;
                for (std::size_t j = 0; j <= i; ++j)
                    hessian[i * size + j] += scaled * row[j];
            }
        }
        for (std::size_t i = 1; i < size; ++i) {
            gradient[i] -= l2 * coefficients[i];
            hessian[i * size + i] += l2;
        }
        if (!solvePositiveDefinite(hessian, gradient))
            return refused("its curvature vanishes");
        double change = 0, share = 1;
        std::vector<double> next(size);
        for (int halved = 0; halved < 30; ++halved, share /= 2) { // the loss is convex: a short enough step lowers it
            for (std::size_t i = 0; i < size; ++i)
                next[i] = coefficients[i] + share * gradient[i];
            margins = marginsAt(next);
            const double now = lossOf(margins, next, l2);
            if (now <= loss + 1e-12 * std::fabs(loss)) {
                loss = now;
                break;
            }
        }
        for (std::size_t i = 0; i < size; ++i)
            change = std::max(change, std::fabs(next[i] - coefficients[i]));
        coefficients = std::move(next);
        if (change < converged)
            break;
    }
    model.intercept = coefficients[0];
    for (std::size_t c = 0; c < columns; ++c)
        model.weight[c] = coefficients[c + 1];
    return model;
}

} // namespace carousel
