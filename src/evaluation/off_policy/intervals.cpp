// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/off_policy/intervals.h"
#include "base/parallel.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace carousel::off_policy {

namespace {
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double sumOf(const std::vector<double>& values) {
    constexpr std::size_t grain = 32768;
    std::vector<double> chunks((values.size() + grain - 1) / grain);
    parallelFor(values.size(), grain, [&](std::size_t begin, std::size_t end) {
        CompensatedSum sum;
        for (std::size_t i = begin; i < end; ++i)
            sum.add(values[i]);
        chunks[begin / grain] = sum.total();
    });
    CompensatedSum sum;
    for (const double chunk : chunks)
        sum.add(chunk);
    return sum.total();
}
} // namespace

double Recipe::value(const double* sums, double rows) const {
    double total = 0;
    for (const auto c : linear)
        total += sums[c];
    total /= rows;
    for (const auto& ratio : ratios)
        total += sums[ratio.numerator] / sums[ratio.denominator] * (ratio.share == noColumn ? 1.0 : sums[ratio.share] / rows);
    return total;
}

Clusters denseClusters(const std::vector<std::int32_t>& cluster, std::size_t rows) {
    Clusters result;
    result.count = rows;
    if (cluster.empty())
        return result;
    std::unordered_map<std::int32_t, std::int32_t> number;
    std::vector<std::size_t> size;
    result.of.reserve(cluster.size());
    for (const auto id : cluster) {
        const auto [at, fresh] = number.try_emplace(id, static_cast<std::int32_t>(number.size()));
        if (fresh)
            size.push_back(0);
        result.of.push_back(at->second);
        ++size[static_cast<std::size_t>(at->second)];
    }
    result.count = size.size();
    result.largest = *std::max_element(size.begin(), size.end());
    return result;
}

double anytimeMultiplier(double units, double tuned, double confidence) {
    const double alpha = 1 - confidence;
    const double rho2 = (-2 * std::log(alpha) + std::log(1 - 2 * std::log(alpha))) / tuned;
    const double spread = units * rho2;
    return std::sqrt(2 * (spread + 1) / spread * std::log(std::sqrt(spread + 1) / alpha));
}

double bernsteinHalfWidth(double variance, double range, double units, double confidence) {
    const double logarithm = std::log(4 / (1 - confidence)); // half of alpha on either side
    return std::sqrt(2 * variance * logarithm / units) + 7 * range * logarithm / (3 * (units - 1));
}

Result<void> checkOptions(const OffPolicyOptions& options) {
    auto refuse = [](const std::string& what, const std::string& hint) { return fail(ErrorKind::input, "CL-8030", what, hint); };
    if (!(options.confidence > 0 && options.confidence < 1))
        return refuse(fmt::format("confidence is {}, but must lie between 0 and 1", options.confidence), "Use 0.95, for example.");
    if (options.draws < 0)
        return refuse(fmt::format("draws is {}, but must not be negative", options.draws), "Use 1000, for example, or 0 for no bootstrap.");
    if (options.tuning != "mse bound" && options.tuning != "slope")
        return refuse(fmt::format("tuning is '{}', but can only be 'mse bound' or 'slope'", options.tuning), "Choose one of the two.");
    if (options.lambda.size() > 1 && options.lambda.size() != 5)
        return refuse(
            fmt::format("lambda has {} values; it takes none (tuned), one (for all) or five (clipped IPS, Switch-DR, DRos, SG-IPS, SG-DR)",
                        options.lambda.size()),
            "Give none, one or five values.");
    return {};
}

std::vector<double> influence(const Recipe& recipe, const std::vector<std::vector<double>>& columns) {
    const std::size_t n = columns.empty() ? 0 : columns.front().size();
    const double rows = static_cast<double>(n);
    std::vector<double> psi(n, 0.0);
    for (const auto c : recipe.linear) {
        const double mean = sumOf(columns[c]) / rows;
        for (std::size_t i = 0; i < n; ++i)
            psi[i] += columns[c][i] - mean;
    }
    for (const auto& part : recipe.ratios) {
        const auto& num = columns[part.numerator];
        const auto& den = columns[part.denominator];
        const double below = sumOf(den), ratio = sumOf(num) / below;
        const double share = part.share == noColumn ? 1.0 : sumOf(columns[part.share]) / rows, scale = share * rows / below;
        for (std::size_t i = 0; i < n; ++i)
            psi[i] += scale * (num[i] - ratio * den[i]);
        if (part.share != noColumn)
            for (std::size_t i = 0; i < n; ++i)
                psi[i] += ratio * (columns[part.share][i] - share);
    }
    return psi;
}

double clusteredError(const std::vector<double>& psi, const Clusters& clusters) {
    const double g = static_cast<double>(clusters.count), n = static_cast<double>(psi.size());
    if (clusters.count < 2)
        return unknown;
    std::vector<double> sums;
    if (!clusters.of.empty()) {
        sums.assign(clusters.count, 0.0);
        for (std::size_t i = 0; i < psi.size(); ++i)
            sums[static_cast<std::size_t>(clusters.of[i])] += psi[i];
    }
    CompensatedSum squares;
    for (const double s : sums.empty() ? psi : sums)
        squares.add(s * s);
    return std::sqrt(squares.total() * g / (g - 1)) / n;
}

PolicyEstimate emptyEstimate(const std::string& id, const std::string& name, const std::string& assumption) {
    PolicyEstimate estimate;
    estimate.id = id;
    estimate.name = name;
    estimate.assumption = assumption;
    estimate.value = estimate.standardError = unknown;
    estimate.bootstrap = estimate.bernstein = estimate.anytime = noInterval();
    return estimate;
}

Result<void> addIntervals(std::vector<PolicyEstimate>& estimates, const std::vector<Recipe>& recipes,
                          const std::vector<std::vector<double>>& columns, std::size_t rows, const Clusters& clusters, double low,
                          double high, const OffPolicyOptions& options, const RunControl& control) {
    const double n = static_cast<double>(rows), g = static_cast<double>(clusters.count);
    std::vector<double> sums;
    for (const auto& column : columns)
        sums.push_back(sumOf(column));
    BootstrapSums draws;
    if (options.draws > 0 && clusters.count > 1 && !columns.empty()) {
        const std::vector<std::span<const double>> views(columns.begin(), columns.end());
        CAROUSEL_ASSIGN(draws, bootstrapSums(views, clusters.of, options.draws, options.seed, control));
    }
    for (std::size_t k = 0; k < estimates.size(); ++k) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("The intervals"));
        PolicyEstimate& estimate = estimates[k];
        const Recipe& recipe = recipes[k];
        if (!estimate.refused.empty())
            continue;
        estimate.value = recipe.value(sums.data(), n);
        if (!std::isfinite(estimate.value)) {
            estimate.value = unknown;
            estimate.refused = "some propensities are so small that the weights cannot be summed";
            continue;
        }
        if (estimate.value < low || estimate.value > high)
            estimate.notes.push_back(
                fmt::format("value {:.4g} lies outside the range of a reward [{:.6g}, {:.6g}]", estimate.value, low, high));
        if (clusters.count < 2) {
            estimate.notes.push_back(fmt::format("no interval: {} {} cannot show how much the value varies", rows,
                                                 clusters.of.empty() ? "round" : "rounds of one cluster"));
            continue;
        }
        estimate.standardError = clusteredError(influence(recipe, columns), clusters);
        const double anytime = estimate.standardError * anytimeMultiplier(g, g, options.confidence);
        estimate.anytime = {estimate.value - anytime, estimate.value + anytime};
        if (draws.draws > 0) {
            std::vector<double> values;
            std::size_t lost = 0;
            for (int d = 0; d < draws.draws; ++d) {
                values.push_back(
                    recipe.value(&draws.sums[static_cast<std::size_t>(d) * draws.columns], draws.weight[static_cast<std::size_t>(d)]));
                lost += !std::isfinite(values.back());
            }
            estimate.bootstrap = percentileInterval(std::move(values), options.confidence);
            if (lost > 0)
                estimate.notes.push_back(
                    fmt::format("{} of {} bootstrap draws had no weight to divide by and were left out", lost, draws.draws));
        }
        if (!recipe.ratios.empty()) {
            estimate.notes.push_back("no empirical Bernstein interval: a ratio has no bounded terms to average");
        } else if (std::isfinite(recipe.termRange)) {
            // The mean over rows is (G / n) times the mean over clusters of cluster sums; a sum spans at most its rows times a term's
            // range.
            CompensatedSum squares;
            std::vector<double> of(clusters.count, 0.0);
            for (std::size_t i = 0; i < rows; ++i) {
                double term = 0;
                for (const auto c : recipe.linear)
                    term += columns[c][i];
                of[clusters.of.empty() ? i : static_cast<std::size_t>(clusters.of[i])] += term;
            }
            const double mean = estimate.value * n / g;
            for (const double s : of)
                squares.add((s - mean) * (s - mean));
            const double half = g / n *
                                bernsteinHalfWidth(squares.total() / (g - 1), recipe.termRange * static_cast<double>(clusters.largest), g,
                                                   options.confidence);
            estimate.bernstein = {estimate.value - half, estimate.value + half};
        } else {
            estimate.notes.push_back("no empirical Bernstein interval: nothing bounds a single term of this estimator");
        }
    }
    return {};
}

} // namespace carousel::off_policy
