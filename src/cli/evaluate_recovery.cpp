// SPDX-License-Identifier: GPL-3.0-or-later
// evaluate recovery: logs drawn from a known truth, fitted, and how often the intervals hold it.
#include "base/random.h"
#include "base/text.h"
#include "cli/evaluate.h"
#include "cli/table.h"
#include "evaluation/click_models/fit.h"
#include <cmath>

namespace carousel::cli {

using nlohmann::json;

namespace {
// A shop's carousel: attraction between 2 % and 25 %, examination that falls along the page, a third of the visits swipes on.
ClickModelParameters truthOf(const RecoveryOptions& options) {
    ClickModelParameters truth;
    RandomStream random(static_cast<std::uint64_t>(options.seed), "recovery attraction");
    for (std::int64_t i = 0; i < options.items; ++i)
        truth.attraction.push_back(0.02 + 0.23 * random.uniform());
    const bool paged = options.model == "carousel";
    for (std::int64_t k = 0; k < (paged ? options.window : options.slots); ++k)
        truth.examination.push_back(std::pow(0.9, static_cast<double>(k)));
    if (paged) {
        truth.window = static_cast<int>(options.window);
        truth.swipe = 0.35;
        truth.continueAfterClick = 0.4;
        truth.reset = options.reachNotLogged ? 1.0 : 0.9;
    }
    return truth;
}
json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }
} // namespace

Result<Answer> evaluateRecovery(Session& session, const RecoveryOptions& options) {
    if (options.slots > options.items)
        return fail(ErrorKind::usage, "CL-3000", fmt::format("{} slots need at least as many items, not {}.", options.slots, options.items), "Raise --items.");
    CAROUSEL_ASSIGN(const auto* info, clickModelInfo(options.model));
    RecoveryPlan plan;
    plan.kind = info->kind;
    plan.truth = truthOf(options);
    plan.items = static_cast<std::int32_t>(options.items);
    plan.slots = static_cast<std::int32_t>(options.slots);
    plan.sessions = static_cast<std::size_t>(options.sessions);
    plan.repetitions = static_cast<int>(options.repetitions);
    plan.reachLogged = !options.reachNotLogged;
    plan.intervals.method = options.intervals;
    plan.intervals.draws = static_cast<int>(options.draws);
    plan.seed = static_cast<std::uint64_t>(options.seed);
    ClickFitOptions fit;
    fit.window = static_cast<int>(options.window);
    fit.seed = plan.seed;
    CAROUSEL_ASSIGN(const auto rows, checkRecovery(plan, fit, session.control()));

    Answer answer;
    TextTable table({"Parameter", ">Truth", ">Mean estimate", ">Mean width", ">Covered", ">Clopper-Pearson 95 %"});
    auto list = json::array();
    double covered = 0;
    std::size_t counted = 0;
    for (const auto& row : rows) {
        if (std::isfinite(row.coverage)) {
            covered += row.coverage;
            ++counted;
        }
        table.add({row.block == row.label ? row.label : row.block + ", " + row.label, fmt::format("{:.4f}", row.truth), fmt::format("{:.4f}", row.meanEstimate), fmt::format("{:.4f}", row.meanWidth),
                   std::isfinite(row.coverage) ? fmt::format("{:.1f} %", 100 * row.coverage) : "n/a",
                   std::isfinite(row.coverageInterval.low) ? fmt::format("[{:.1f} %, {:.1f} %]", 100 * row.coverageInterval.low, 100 * row.coverageInterval.high) : ""});
        list.push_back({{"block", row.block}, {"label", row.label}, {"truth", number(row.truth)}, {"meanEstimate", number(row.meanEstimate)}, {"meanWidth", number(row.meanWidth)},
                        {"coverage", number(row.coverage)}, {"coverageInterval", {number(row.coverageInterval.low), number(row.coverageInterval.high)}}});
    }
    const double pooled = counted > 0 ? covered / static_cast<double>(counted) : std::nan("");
    answer.text = fmt::format("{}: {} logs of {} sessions, {} positions, {} items, {}; 95 % {} intervals\n\n{}\nPooled over {} parameters: {} covered.\n", info->name, options.repetitions,
                              withThousands(options.sessions), options.slots, options.items, options.reachNotLogged ? "reach not logged" : "reach logged where the model has it", options.intervals, table.text(), counted,
                              std::isfinite(pooled) ? fmt::format("{:.2f} %", 100 * pooled) : "n/a");
    answer.data = {{"model", info->id}, {"sessions", options.sessions}, {"repetitions", options.repetitions}, {"intervals", options.intervals}, {"seed", options.seed}, {"parameters", list}, {"pooledCoverage", number(pooled)}};
    return answer;
}

} // namespace carousel::cli
