// SPDX-License-Identifier: GPL-3.0-or-later
// Click models side by side on one log: fitted on all of it, judged on clusters that the judged fit has not seen.
#include "evaluation/click_models/fit.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <chrono>
#include <cmath>

namespace carousel {

namespace {
// Mean per session with an interval over clusters.
Result<Interval> meanInterval(const std::vector<double>& values, const ClickLog& log, const IntervalOptions& intervals,
                              const RunControl& control) {
    const std::vector<std::span<const double>> columns{values};
    CAROUSEL_ASSIGN(const BootstrapSums sums, bootstrapSums(columns, log.cluster, std::max(intervals.draws, 200), intervals.seed, control));
    std::vector<double> means;
    for (int d = 0; d < sums.draws; ++d)
        means.push_back(sums.at(d, 0) / sums.weight[static_cast<std::size_t>(d)]);
    return percentileInterval(std::move(means), intervals.confidence);
}

Result<void> fillRow(ModelComparisonRow& row, const ClickLog& log, const ClickLogParts& parts, const ClickFitOptions& options,
                     const IntervalOptions& intervals, const RunControl& control) {
    const ClickModelKind kind = row.info.kind;
    CAROUSEL_ASSIGN(row.fit, fitClickModel(kind, log, options, control.slice(0, 0.2)));
    CAROUSEL_ASSIGN(ClickModelFit seen, fitClickModel(kind, parts.first, options, control.slice(0.2, 0.4)));
    CAROUSEL_ASSIGN(const std::unique_ptr<ClickModel> model, makeClickModel(kind, std::move(seen.parameters), log.items, log.slots));
    row.heldOut = scoreClickModel(*model, parts.second);
    CAROUSEL_ASSIGN(row.heldOutInterval, meanInterval(row.heldOut.perSession, parts.second, intervals, control));
    IntervalOptions own = intervals;
    if (kind != ClickModelKind::pbm && kind != ClickModelKind::carousel)
        own.method = "bootstrap";
    CAROUSEL_ASSIGN(row.estimates, parameterIntervals(log, row.fit, options, own, control.slice(0.4, 1)));
    return {};
}
} // namespace

Result<ModelComparison> compareClickModels(const ClickLog& log, const std::vector<ClickModelKind>& kinds, const ClickFitOptions& options,
                                           const IntervalOptions& intervals, double heldOutShare, const RunControl& control) {
    const ClickLogParts parts = splitByCluster(log, heldOutShare, options.seed);
    if (parts.first.sessions() == 0 || parts.second.sessions() == 0)
        return fail(ErrorKind::input, "CL-8023",
                    fmt::format("Comparing click models: {} sessions to fit on and {} held out, of {} clusters with share {}.",
                                parts.first.sessions(), parts.second.sessions(), log.clusters(), heldOutShare),
                    "Give more sessions, or a share between 0 and 1.");
    ModelComparison comparison;
    comparison.sessions = log.sessions();
    comparison.heldOutSessions = parts.second.sessions();
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const SessionView view = session(log, s);
        const auto clicks = static_cast<std::size_t>(std::count(view.click.begin(), view.click.end(), 1));
        comparison.clicks += clicks;
        comparison.sessionsWithoutClick += clicks == 0;
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        ModelComparisonRow row;
        row.info = clickModels()[static_cast<std::size_t>(kinds[i])];
        const auto start = std::chrono::steady_clock::now();
        const double n = static_cast<double>(kinds.size()), from = static_cast<double>(i) / n;
        if (auto filled = fillRow(row, log, parts, options, intervals, control.slice(from, from + 1 / n)); !filled) {
            if (filled.error().code != "CL-8023" && filled.error().code != "CL-8024")
                return fail(filled.error());
            row.refused = filled.error().message;
        }
        row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        comparison.rows.push_back(std::move(row));
    }
    for (std::size_t i = 0; i < comparison.rows.size(); ++i)
        if (const ModelComparisonRow& row = comparison.rows[i];
            row.refused.empty() &&
            (comparison.best < 0 ||
             row.heldOut.logLikelihood > comparison.rows[static_cast<std::size_t>(comparison.best)].heldOut.logLikelihood))
            comparison.best = static_cast<int>(i);
    if (comparison.best < 0)
        return comparison;
    const std::vector<double> best = comparison.rows[static_cast<std::size_t>(comparison.best)].heldOut.perSession;
    for (ModelComparisonRow& row : comparison.rows) {
        if (!row.refused.empty())
            continue;
        std::vector<double> gap(best.size());
        for (std::size_t s = 0; s < gap.size(); ++s)
            gap[s] = row.heldOut.perSession[s] - best[s];
        double sum = 0;
        for (const double value : gap)
            sum += value;
        row.toBest = sum / static_cast<double>(gap.size());
        CAROUSEL_ASSIGN(row.toBestInterval, meanInterval(gap, parts.second, intervals, control));
    }
    return comparison;
}

} // namespace carousel
