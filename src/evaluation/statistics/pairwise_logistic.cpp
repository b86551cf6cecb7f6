// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/pairwise_logistic.h"
#include "evaluation/statistics/positive_definite.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

constexpr int mostSteps = 50;
constexpr double converged = 1e-9; // largest change of a coefficient

double lossOf(double margin) { // log(1 + exp(-margin)), without overflow
    return margin > 0 ? std::log1p(std::exp(-margin)) : -margin + std::log1p(std::exp(margin));
}

} // namespace

Result<LinearModel> fitPairwise(const Matrix& rows, std::span<const RankedPair> pairs, double l2) {
    const auto refused = [](const std::string& what) {
        return fail(ErrorKind::input, "CL-3095", "An order of pairs cannot be learned: " + what + ".", "Give more examples that differ.");
    };
    if (!(l2 > 0) || std::none_of(pairs.begin(), pairs.end(), [](const RankedPair& pair) { return pair.weight > 0; }))
        return refused("there is no pair of which one stands before the other");
    for (const auto& pair : pairs)
        if (pair.better >= rows.rows || pair.worse >= rows.rows || !std::isfinite(pair.weight) || pair.weight < 0)
            return refused("a pair names no example, or its weight is negative or not a number");
    for (const float value : rows.values)
        if (!std::isfinite(value))
            return refused("a value is not a number");

    const std::size_t columns = rows.columns;
    LinearModel model = standardising(rows);
    std::vector<double> x(rows.rows * columns);
    for (std::size_t r = 0; r < rows.rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            x[r * columns + c] = model.standardised(c, rows.row(r)[c]);
    std::vector<double> weight(columns, 0), gap(columns);
    const auto gapOf = [&](const RankedPair& pair) {
        const double* const a = x.data() + pair.better * columns;
        const double* const b = x.data() + pair.worse * columns;
        for (std::size_t c = 0; c < columns; ++c)
            gap[c] = a[c] - b[c];
    };
    const auto lossAt = [&](const std::vector<double>& at) {
        std::vector<double> score(rows.rows, 0);
        for (std::size_t r = 0; r < rows.rows; ++r)
            for (std::size_t c = 0; c < columns; ++c)
                score[r] += x[r * columns + c] * at[c];
        double loss = 0;
        for (const auto& pair : pairs)
            loss += pair.weight * lossOf(score[pair.better] - score[pair.worse]);
        for (const double w : at)
            loss += l2 / 2 * w * w;
        return loss;
    };
    double loss = lossAt(weight);
    for (int step = 0; step < mostSteps; ++step) {
        std::vector<double> hessian(columns * columns, 0), slope(columns, 0);
        for (const auto& pair : pairs) {
            if (!(pair.weight > 0))
                continue;
            gapOf(pair);
            double margin = 0;
            for (std::size_t c = 0; c < columns; ++c)
                margin += gap[c] * weight[c];
            const double miss = 1 / (1 + std::exp(margin)), curve = pair.weight * miss * (1 - miss);
            for (std::size_t i = 0; i < columns; ++i) {
                slope[i] += pair.weight * miss * gap[i];
                const double scaled = curve * gap[i];
                if (scaled == 0)
                    continue;
                for (std::size_t j = 0; j <= i; ++j)
                    hessian[i * columns + j] += scaled * gap[j];
            }
        }
        for (std::size_t i = 0; i < columns; ++i) {
            slope[i] -= l2 * weight[i];
            hessian[i * columns + i] += l2;
        }
        if (!solvePositiveDefinite(hessian, slope))
            return refused("its curvature vanishes");
        double share = 1, change = 0;
        std::vector<double> next(columns);
        for (int halved = 0; halved < 30; ++halved, share /= 2) { // the loss is convex: a short enough step lowers it
            for (std::size_t i = 0; i < columns; ++i)
                next[i] = weight[i] + share * slope[i];
            if (const double now = lossAt(next); now <= loss + 1e-12 * std::fabs(loss)) {
                loss = now;
                break;
            }
        }
        for (std::size_t i = 0; i < columns; ++i)
            change = std::max(change, std::fabs(next[i] - weight[i]));
        weight = std::move(next);
        if (change < converged)
            break;
    }
    model.weight = std::move(weight);
    return model;
}

} // namespace carousel
