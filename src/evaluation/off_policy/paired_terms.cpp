// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/off_policy/paired_terms.h"
#include "base/text.h"
#include "evaluation/off_policy/intervals.h"
#include "evaluation/statistics/cluster_bootstrap.h"

namespace carousel {

Result<PairedDifference> pairedDifference(const PolicyTerms& first, const PolicyTerms& second, std::span<const std::int32_t> cluster, int draws, double confidence, std::uint64_t seed,
                                          const RunControl& control) {
    const std::size_t n = first.term.size();
    if (n == 0 || first.weight.size() != n || second.term.size() != n || second.weight.size() != n || (!cluster.empty() && cluster.size() != n))
        return fail(ErrorKind::input, "CL-8037", fmt::format("Two policies of {} and {} rows cannot be compared on one log.", n, second.term.size()), "Give one term and one weight per row for each.");
    const double rows = static_cast<double>(n);
    std::vector<double> difference(n), balance(n);
    PairedDifference out;
    double meanB = 0;
    for (std::size_t i = 0; i < n; ++i) {
        difference[i] = first.term[i] - second.term[i], balance[i] = first.weight[i] - second.weight[i];
        out.first += first.term[i] / rows, out.second += second.term[i] / rows;
        out.plain += difference[i] / rows, meanB += balance[i] / rows;
    }
    double covariance = 0, variance = 0;
    for (std::size_t i = 0; i < n; ++i) {
        covariance += (difference[i] - out.plain) * (balance[i] - meanB);
        variance += (balance[i] - meanB) * (balance[i] - meanB);
    }
    out.beta = variance > 0 ? covariance / variance : 0;
    out.controlled = out.plain - out.beta * meanB;

    const off_policy::Clusters clusters = off_policy::denseClusters({cluster.begin(), cluster.end()}, n);
    out.clusters = clusters.count;
    if (clusters.count < 2) // one user drawn again is the same user: the interval would be a point
        return out;
    std::vector<double> ofDifference(n), ofSecond(n), ofRelative(n);
    out.relative = out.second != 0 ? out.controlled / out.second : out.relative;
    for (std::size_t i = 0; i < n; ++i) {
        ofDifference[i] = difference[i] - out.beta * balance[i] - out.controlled;
        ofSecond[i] = second.term[i] - out.second;
        ofRelative[i] = (ofDifference[i] - out.relative * ofSecond[i]) / out.second;
    }
    out.standardError = off_policy::clusteredError(ofDifference, clusters);
    out.secondStandardError = off_policy::clusteredError(ofSecond, clusters);
    if (out.second != 0)
        out.relativeStandardError = off_policy::clusteredError(ofRelative, clusters);
    if (draws <= 0)
        return out;
    const std::span<const double> columns[] = {difference, balance};
    CAROUSEL_ASSIGN(const auto sums, bootstrapSums(columns, cluster, draws, seed, control));
    std::vector<double> plain, controlled;
    for (int d = 0; d < sums.draws; ++d) {
        const double weight = sums.weight[static_cast<std::size_t>(d)];
        plain.push_back(sums.at(d, 0) / weight);
        controlled.push_back((sums.at(d, 0) - out.beta * sums.at(d, 1)) / weight);
    }
    out.plainInterval = percentileInterval(std::move(plain), confidence);
    out.controlledInterval = percentileInterval(std::move(controlled), confidence);
    return out;
}

} // namespace carousel
