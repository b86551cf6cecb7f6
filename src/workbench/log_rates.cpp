// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/log_rates.h"
#include "base/text.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "workbench/analyses/documents.h"
#include <cmath>

namespace carousel {

namespace {
constexpr int draws = 500;

// Mean probability that a position is looked at, over the sessions' slates, relative to position 1: marginal click probability over attraction.
std::vector<double> examinationByPosition(const ClickLog& log, const ClickModelFit& fit, const ClickModel& model) {
    std::vector<double> sum(static_cast<std::size_t>(log.slots)), rows(sum.size()), chance;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const auto view = session(log, s);
        chance.resize(view.size());
        model.marginal(view, chance);
        for (std::size_t r = 0; r < view.size(); ++r) {
            const double alpha = fit.parameters.attraction[static_cast<std::size_t>(view.item[r])];
            if (alpha < 1e-6)
                continue; // never clicked: its clicks say nothing about the place
            sum[static_cast<std::size_t>(view.slot[r])] += chance[r] / alpha;
            rows[static_cast<std::size_t>(view.slot[r])] += 1;
        }
    }
    const double first = rows[0] > 0 ? sum[0] / rows[0] : 0;
    for (std::size_t k = 0; k < sum.size(); ++k)
        sum[k] = rows[k] > 0 && first > 0 ? sum[k] / rows[k] / first : std::numeric_limits<double>::quiet_NaN();
    return sum;
}

Result<void> rawRates(const ClickLog& log, LogRates& out, const RunControl& control) {
    const auto slots = static_cast<std::size_t>(log.slots);
    const std::size_t clusters = log.clusters();
    std::vector<std::vector<double>> columns(2 * slots, std::vector<double>(clusters, 0.0)); // clicks, then impressions, per position and user
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const auto view = session(log, s);
        const std::size_t cluster = log.cluster.empty() ? s : static_cast<std::size_t>(log.cluster[s]);
        for (std::size_t r = 0; r < view.size(); ++r) {
            const auto k = static_cast<std::size_t>(view.slot[r]);
            columns[k][cluster] += view.click[r];
            columns[slots + k][cluster] += 1;
        }
    }
    std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    CAROUSEL_ASSIGN(const auto sums, bootstrapSums(spans, {}, draws, 1, control));
    for (std::size_t k = 0; k < slots; ++k) {
        double clicks = 0, shown = 0;
        for (std::size_t c = 0; c < clusters; ++c) {
            clicks += columns[k][c];
            shown += columns[slots + k][c];
        }
        std::vector<double> drawn;
        for (int d = 0; d < draws; ++d)
            drawn.push_back(sums.at(d, k) / sums.at(d, slots + k));
        out.raw.push_back(shown > 0 ? clicks / shown : std::numeric_limits<double>::quiet_NaN());
        out.rawInterval.push_back(clicks > 0 ? percentileInterval(std::move(drawn), 0.95) : noInterval());
    }
    return {};
}
} // namespace

Result<LogRates> estimateLogRates(const Dataset& dataset, int window, const RunControl& control) {
    LogRates out;
    const auto selected = selectLog(dataset, {});
    if (!selected) {
        out.note = "No click rates: " + selected.error().message;
        return out;
    }
    const auto& log = selected->log;
    CAROUSEL_TRY(rawRates(log, out, control.slice(0, 0.3)));
    out.note = fmt::format("Clicks per shown slate in {} logged sessions of this data set, whoever filled them.", withThousands(static_cast<std::int64_t>(log.sessions())));
    const ClickFitOptions options{.window = window};
    const auto fit = fitClickModel(ClickModelKind::carousel, log, options, control.slice(0.3, 1));
    if (!fit) {
        if (fit.error().kind == ErrorKind::cancelled)
            return fail(fit.error());
        out.note += " No correction: " + fit.error().message;
        return out;
    }
    CAROUSEL_ASSIGN(const auto model, makeClickModel(fit->kind, fit->parameters, log.items, log.slots));
    const auto examination = examinationByPosition(log, *fit, *model);
    for (std::size_t k = 0; k < out.raw.size(); ++k) {
        out.corrected.push_back(out.raw[k] / examination[k]);
        out.correctedInterval.push_back({out.rawInterval[k].low / examination[k], out.rawInterval[k].high / examination[k]});
    }
    const auto measured = analyses::measuredEvaluation(*fit, log.slots);
    out.swipe = measured.swipe;
    out.examination = measured.examination;
    out.note += fmt::format(" Corrected: divided by how often the carousel model ({} visible) says the position is looked at, relative to position 1; the intervals hold that model fixed.", window);
    return out;
}

} // namespace carousel
