// SPDX-License-Identifier: GPL-3.0-or-later
// Two policies on one log. What both choose alike cancels round by round; the control variate removes what dw alone explains.
#include "evaluation/off_policy/intervals.h"
#include "evaluation/off_policy/round_terms.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>

namespace carousel {

namespace {
enum Column : std::size_t { weightedReward, weight, squareReward, square, columnCount }; // dw r, dw, dw^2 r, dw^2

struct Fitted {
    double ips = 0, beta = 0, controlled = 0;
};
Fitted fit(const double* sums, double rows) {
    const double reward = sums[weightedReward] / rows, mean = sums[weight] / rows;
    const double variance = sums[square] / rows - mean * mean, covariance = sums[squareReward] / rows - reward * mean;
    Fitted result;
    result.ips = reward;
    // Equal weights everywhere leave nothing to control for: what is left of the variance is rounding.
    if (variance > 1e-14 * sums[square] / rows)
        result.beta = covariance / variance;
    result.controlled = reward - result.beta * mean;
    return result;
}
} // namespace

Result<DifferenceEstimate> estimateDifference(const BanditLog& first, std::span<const double> secondTarget, const OffPolicyOptions& options,
                                              const RunControl& control) {
    using namespace off_policy;
    auto refuse = [](const std::string& what, const std::string& hint) { return fail(ErrorKind::input, "CL-8030", what, hint); };
    CAROUSEL_TRY(checkOptions(options));
    CAROUSEL_TRY(checkBanditLog(first));
    const std::size_t n = first.rounds();
    if (first.propensity.empty())
        return refuse("the difference of two policies needs propensities: this log has none", "Use a log whose propensities were kept.");
    if (first.target.empty())
        return refuse("the difference of two policies needs the first policy's probability of the logged action: column 'target' is empty",
                      "Fill the column.");
    if (secondTarget.size() != n)
        return refuse(fmt::format("column 'second target' has {} values, but the log has {} rounds", secondTarget.size(), n),
                      "Give one value per round.");
    for (std::size_t i = 0; i < n; ++i)
        if (!(secondTarget[i] >= 0 && secondTarget[i] <= 1))
            return refuse(fmt::format("column 'second target', round {}: {} is not a probability from 0 to 1", i + 1, secondTarget[i]),
                          "Give the second policy's probability of the logged action.");

    std::vector<std::vector<double>> columns(columnCount, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i) {
        const double dw = (first.target[i] - secondTarget[i]) / first.propensity[i];
        columns[weightedReward][i] = dw * first.reward[i];
        columns[weight][i] = dw;
        columns[squareReward][i] = dw * dw * first.reward[i];
        columns[square][i] = dw * dw;
    }
    double sums[columnCount];
    for (std::size_t c = 0; c < columnCount; ++c) {
        CompensatedSum sum;
        for (const double v : columns[c])
            sum.add(v);
        sums[c] = sum.total();
    }
    const Fitted fitted = fit(sums, static_cast<double>(n));
    DifferenceEstimate result;
    result.ips = fitted.ips;
    result.controlled = fitted.controlled;
    result.beta = fitted.beta;
    if (!std::isfinite(result.ips) || !std::isfinite(result.controlled))
        return refuse("column 'propensity': some are so small that the weights cannot be summed",
                      "Look at the smallest propensities of this log.");

    const Clusters clusters = denseClusters(first.cluster, n);
    std::vector<double> plain(n), controlled(n); // beta's own error does not count: E[dw] = 0 multiplies it
    for (std::size_t i = 0; i < n; ++i) {
        plain[i] = columns[weightedReward][i] - fitted.ips;
        controlled[i] = columns[weightedReward][i] - fitted.beta * columns[weight][i] - fitted.controlled;
    }
    result.standardErrorIps = clusteredError(plain, clusters);
    result.standardErrorControlled = clusteredError(controlled, clusters);
    result.ipsInterval = result.controlledInterval = noInterval();
    if (options.draws > 0 && clusters.count > 1) {
        const std::vector<std::span<const double>> views(columns.begin(), columns.end());
        CAROUSEL_ASSIGN(const BootstrapSums draws, bootstrapSums(views, clusters.of, options.draws, options.seed, control));
        std::vector<double> withoutControl, withControl;
        for (int d = 0; d < draws.draws; ++d) {
            const Fitted drawn = fit(&draws.sums[static_cast<std::size_t>(d) * columnCount], draws.weight[static_cast<std::size_t>(d)]);
            withoutControl.push_back(drawn.ips);
            withControl.push_back(drawn.controlled);
        }
        result.ipsInterval = percentileInterval(std::move(withoutControl), options.confidence);
        result.controlledInterval = percentileInterval(std::move(withControl), options.confidence);
    }
    return result;
}

} // namespace carousel
