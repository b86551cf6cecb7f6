// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals of global parameters: refits on redrawn clusters, or the sandwich of robust_intervals.cpp.
#include "base/parallel.h"
#include "evaluation/click_models/fit_steps.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <atomic>

namespace carousel {

namespace {
Result<void> redraw(const ClickLog& log, const ClickModelFit& fit, const ParameterLayout& layout, const ClickFitOptions& options,
                    const IntervalOptions& intervals, const RunControl& control, std::vector<ParameterEstimate>& estimates) {
    const auto draws = static_cast<std::size_t>(std::max(intervals.draws, 1));
    const std::size_t clusters = log.clusters();
    std::vector<std::vector<double>> values(estimates.size(), std::vector<double>(draws));
    ClickFitOptions refit = options;
    if (refit.method != "gradient")
        refit.method = "em";
    std::atomic<bool> failed{false};
    std::atomic<int> done{0};
    Error error;
    parallelFor(draws, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint8_t> weight(clusters);
        for (std::size_t d = begin; d < end && !failed; ++d) {
            poissonWeights(intervals.seed, static_cast<std::uint32_t>(d), 0, weight);
            auto once = [&]() -> Result<void> {
                CAROUSEL_ASSIGN(const ClickCounts counts, countClicks(layout, log, weight, control));
                CAROUSEL_ASSIGN(Climb climbed, climb(counts, warmStart(layout, fit.parameters), refit, control));
                if (options.relativeToFirst)
                    scaleToFirst(layout, climbed.expectation, climbed.p);
                ClickModelFit drawn;
                drawn.kind = fit.kind;
                drawn.parameters = layout.unpack(climbed.p);
                const auto list = globalParameters(drawn);
                for (std::size_t i = 0; i < list.size(); ++i)
                    values[i][d] = list[i].value;
                return {};
            };
            if (auto result = once(); !result && !failed.exchange(true))
                error = result.error();
            control.report("Redrawing clusters", ++done, static_cast<double>(draws), "draws");
        }
    });
    if (failed)
        return fail(error);
    for (std::size_t i = 0; i < estimates.size(); ++i)
        estimates[i].interval = percentileInterval(std::move(values[i]), intervals.confidence);
    if (fit.kind == ClickModelKind::carousel) { // what is held fixed was not estimated
        if (layout.fixedContinue)
            estimates[estimates.size() - 2].interval = noInterval();
        if (layout.fixedReset)
            estimates.back().interval = noInterval();
    }
    return {};
}
} // namespace

Result<std::vector<ParameterEstimate>> parameterIntervals(const ClickLog& log, const ClickModelFit& fit, const ClickFitOptions& options,
                                                          const IntervalOptions& intervals, const RunControl& control) {
    std::vector<ParameterEstimate> estimates = globalParameters(fit);
    const bool robust = intervals.method == "robust";
    if ((!robust && intervals.method != "bootstrap") || (robust && fit.kind != ClickModelKind::pbm && fit.kind != ClickModelKind::carousel))
        return fail(ErrorKind::usage, "CL-8024",
                    fmt::format("Click model {} has no intervals by method '{}'.", clickModels()[static_cast<std::size_t>(fit.kind)].id,
                                intervals.method),
                    "Use bootstrap; robust for pbm and carousel.");
    if (estimates.empty())
        return estimates;
    const ParameterLayout layout =
        parameterLayout(fit.kind, log, fit.kind == ClickModelKind::carousel ? fit.parameters.window : options.window);
    if (layout.pack(fit.parameters).size() != layout.total)
        return fail(ErrorKind::input, "CL-8022",
                    fmt::format("The fit has {} parameters, this log needs {}.", layout.pack(fit.parameters).size(), layout.total),
                    "Give the log that the model was fitted to.");
    if (robust) {
        CAROUSEL_ASSIGN(const ClickCounts counts, countClicks(layout, log, {}, control));
        CAROUSEL_TRY(robustIntervals(log, counts, layout.pack(fit.parameters), intervals, control, estimates));
    } else {
        CAROUSEL_TRY(redraw(log, fit, layout, options, intervals, control, estimates));
    }
    return estimates;
}

} // namespace carousel
