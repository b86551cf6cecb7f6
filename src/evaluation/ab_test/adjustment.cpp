// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/adjustment.h"
#include "evaluation/statistics/positive_definite.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

// Sums of squares and products within a group.
struct Within {
    double n = 0, meanY = 0, meanX = 0, xx = 0, xy = 0, yy = 0;
};
Within withinOf(std::span<const double> y, std::span<const double> x) {
    Within out;
    for (std::size_t i = 0; i < y.size(); ++i) {
        out.n += 1;
        const double fromX = x[i] - out.meanX, fromY = y[i] - out.meanY;
        out.meanX += fromX / out.n, out.meanY += fromY / out.n;
        out.xx += fromX * (x[i] - out.meanX), out.yy += fromY * (y[i] - out.meanY), out.xy += fromX * (y[i] - out.meanY);
    }
    return out;
}

double pooledVariance(const Moments& a, const Moments& b) {
    const double degrees = a.n + b.n - 2;
    return degrees > 0 ? (a.variance * (a.n - 1) + b.variance * (b.n - 1)) / degrees : 0;
}

// Least squares of one group on covariates centred at `centre`.
struct GroupFit {
    bool fitted = false;
    double intercept = 0, residualVariance = 0; // of the metric at the covariates' common mean; divided by n - p - 1
    std::vector<double> slopes;
};
GroupFit fitGroup(std::span<const double> y, const Matrix& x, const std::vector<double>& centre, const std::vector<std::size_t>& columns) {
    GroupFit out;
    const std::size_t p = columns.size(), n = y.size();
    if (n < p + 2)
        return out;
    std::vector<double> own(p, 0);
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) {
        mean += y[i] / static_cast<double>(n);
        for (std::size_t c = 0; c < p; ++c)
            own[c] += (x.row(i)[columns[c]] - centre[columns[c]]) / static_cast<double>(n);
    }
    std::vector<double> gram(p * p, 0), right(p, 0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t a = 0; a < p; ++a) {
            const double xa = x.row(i)[columns[a]] - centre[columns[a]] - own[a];
            right[a] += xa * (y[i] - mean);
            for (std::size_t b = 0; b <= a; ++b)
                gram[a * p + b] += xa * (x.row(i)[columns[b]] - centre[columns[b]] - own[b]);
        }
    if (p > 0 && !solvePositiveDefinite(gram, right))
        return out;
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
        double rest = y[i] - mean;
        for (std::size_t a = 0; a < p; ++a)
            rest -= right[a] * (x.row(i)[columns[a]] - centre[columns[a]] - own[a]);
        squares += rest * rest;
    }
    out.intercept = mean;
    for (std::size_t a = 0; a < p; ++a)
        out.intercept -= right[a] * own[a];
    out.slopes = std::move(right);
    out.residualVariance = squares / static_cast<double>(n - p - 1);
    out.fitted = true;
    return out;
}

// Columns that vary and are not linear in the ones before, by Gram-Schmidt over both groups.
std::vector<std::size_t> independentColumns(const Matrix& a, const Matrix& b) {
    const std::size_t n = a.rows + b.rows;
    std::vector<std::vector<double>> kept;
    std::vector<std::size_t> out;
    for (std::size_t c = 0; c < a.columns; ++c) {
        std::vector<double> column;
        double mean = 0, size = 0;
        for (const Matrix* m : {&a, &b})
            for (std::size_t i = 0; i < m->rows; ++i)
                column.push_back(m->row(i)[c]), mean += m->row(i)[c] / static_cast<double>(n);
        for (double& value : column)
            value -= mean, size += value * value;
        double left = size;
        for (const auto& each : kept) {
            double along = 0;
            for (std::size_t i = 0; i < n; ++i)
                along += each[i] * column[i];
            for (std::size_t i = 0; i < n; ++i)
                column[i] -= along * each[i];
        }
        left = 0;
        for (const double value : column)
            left += value * value;
        if (!(left > 1e-9 * size) || size == 0)
            continue;
        for (double& value : column)
            value /= std::sqrt(left);
        kept.push_back(std::move(column));
        out.push_back(c);
    }
    return out;
}

} // namespace

AdjustedEffect cuped(std::span<const double> controlY, std::span<const double> controlX, std::span<const double> treatmentY,
                     std::span<const double> treatmentX, double confidence) {
    const Within c = withinOf(controlY, controlX), t = withinOf(treatmentY, treatmentX);
    AdjustedEffect out;
    const double xx = c.xx + t.xx;
    out.coefficient = xx > 0 ? (c.xy + t.xy) / xx : 0;
    const double meanX = c.n + t.n > 0 ? (c.meanX * c.n + t.meanX * t.n) / (c.n + t.n) : 0;
    const auto adjusted = [&](std::span<const double> y, std::span<const double> x) {
        std::vector<double> values;
        for (std::size_t i = 0; i < y.size(); ++i)
            values.push_back(y[i] - out.coefficient * (x[i] - meanX));
        return momentsOf(values);
    };
    const Moments control = adjusted(controlY, controlX), treatment = adjusted(treatmentY, treatmentX);
    out.effect = welch(control, treatment, confidence);
    const double plain = c.yy + t.yy;
    out.varianceRatio = plain > 0 ? (control.variance * std::max(control.n - 1, 0.0) + treatment.variance * std::max(treatment.n - 1, 0.0)) / plain : 1;
    return out;
}

AdjustedEffect regressionAdjusted(std::span<const double> controlY, const Matrix& controlX, std::span<const double> treatmentY,
                                  const Matrix& treatmentX, double confidence) {
    const Moments control = momentsOf(controlY), treatment = momentsOf(treatmentY);
    AdjustedEffect out;
    out.effect = welch(control, treatment, confidence);
    const std::size_t n = controlX.rows + treatmentX.rows, p = controlX.columns;
    if (n == 0 || p == 0)
        return out;
    const auto columns = independentColumns(controlX, treatmentX);
    std::vector<double> centre(p, 0);
    for (const Matrix* m : {&controlX, &treatmentX})
        for (std::size_t i = 0; i < m->rows; ++i)
            for (std::size_t c = 0; c < p; ++c)
                centre[c] += m->row(i)[c] / static_cast<double>(n);
    const GroupFit c = fitGroup(controlY, controlX, centre, columns), t = fitGroup(treatmentY, treatmentX, centre, columns);
    if (!c.fitted || !t.fitted)
        return out;
    // The variance of what the covariates explain of the effect: they are drawn with the users.
    double between = 0;
    for (const Matrix* m : {&controlX, &treatmentX})
        for (std::size_t i = 0; i < m->rows; ++i) {
            double along = 0;
            for (std::size_t k = 0; k < columns.size(); ++k)
                along += (t.slopes[k] - c.slopes[k]) * (m->row(i)[columns[k]] - centre[columns[k]]);
            between += along * along;
        }
    const double slopes = between / static_cast<double>(n) / static_cast<double>(n);
    // As if the groups had these variances: Welch's formula then gives the adjusted error.
    const Moments adjustedControl{control.n, c.intercept, c.residualVariance + slopes * control.n / 2};
    const Moments adjustedTreatment{treatment.n, t.intercept, t.residualVariance + slopes * treatment.n / 2};
    out.effect = welch(adjustedControl, adjustedTreatment, confidence);
    const double plain = pooledVariance(control, treatment);
    out.varianceRatio = plain > 0 ? pooledVariance({control.n, 0, c.residualVariance}, {treatment.n, 0, t.residualVariance}) / plain : 1;
    return out;
}

} // namespace carousel
