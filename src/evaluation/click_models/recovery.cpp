// SPDX-License-Identifier: GPL-3.0-or-later
// Known-truth check: logs drawn from known parameters, fitted, and how often the intervals hold the truth.
#include "base/parallel.h"
#include "base/random.h"
#include "evaluation/click_models/fit.h"
#include "evaluation/statistics/proportion.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

namespace carousel {

namespace {
using K = ClickModelKind;

ClickLog drawLog(const ClickModel& model, const RecoveryPlan& plan, std::uint64_t seed) {
    ClickLog log;
    log.items = plan.items;
    log.slots = plan.slots;
    const auto n = static_cast<std::size_t>(plan.slots), rows = n * plan.sessions;
    const bool reach = plan.reachLogged && plan.truth.window > 0;
    log.item.resize(rows);
    log.slot.resize(rows);
    log.click.resize(rows);
    log.reached.resize(reach ? rows : 0);
    log.offsets.resize(plan.sessions + 1);
    std::vector<std::int32_t> order(static_cast<std::size_t>(plan.items));
    std::iota(order.begin(), order.end(), 0);
    RandomStream random(seed, "slates"); // one stream: a partial shuffle of any order is a fair slate
    for (std::size_t s = 0; s < plan.sessions; ++s) {
        log.offsets[s + 1] = (s + 1) * n;
        for (std::size_t k = 0; k < n; ++k) {
            const std::uint64_t word = random.next32(), left = order.size() - k;
            std::swap(order[k], order[k + static_cast<std::size_t>((word * left) >> 32)]); // favours none by more than left / 2^32
            log.item[s * n + k] = order[k];
            log.slot[s * n + k] = static_cast<std::int16_t>(k);
        }
        const std::span<std::uint8_t> reached = reach ? std::span(log.reached).subspan(s * n, n) : std::span<std::uint8_t>();
        SessionView view = session(log, s);
        view.reached = {};
        model.draw(view, seed, s, std::span(log.click).subspan(s * n, n), reached);
    }
    return log;
}

} // namespace

ClickModelParameters sampleTruth(ClickModelKind kind, std::int32_t items, std::int32_t slots, std::uint64_t seed) {
    ClickModelParameters truth;
    if (kind != K::carousel && kind != K::pbm)
        return truth;
    RandomStream random(seed, "sample truth");
    for (std::int32_t i = 0; i < items; ++i)
        truth.attraction.push_back(0.05 + 0.25 * random.uniform());
    constexpr double looks[] = {.95, .86, .77, .69, .62, .55};
    const int places = kind == K::carousel ? 6 : slots;
    for (int k = 0; k < places; ++k)
        truth.examination.push_back(k < 6 ? looks[k] : looks[5] * std::pow(0.9, k - 5));
    if (kind == K::carousel) {
        truth.window = 6;
        truth.swipe = .35;
    }
    return truth;
}

Result<std::vector<RecoveryRow>> checkRecovery(const RecoveryPlan& asked, const ClickFitOptions& options, const RunControl& control) {
    RecoveryPlan plan = asked;
    if (plan.truth.attraction.empty() && plan.kind != K::rankCtr)
        plan.truth = sampleTruth(plan.kind, plan.items, plan.slots, plan.seed);
    if (plan.slots < 1 || plan.slots > plan.items || plan.sessions < 1 || plan.repetitions < 1)
        return fail(ErrorKind::usage, "CL-8036",
                    fmt::format("Recovery: {} sessions of {} slots over {} items, {} repetitions.", plan.sessions, plan.slots, plan.items,
                                plan.repetitions),
                    "Give at least one session, slot and repetition, and as many items as slots.");
    CAROUSEL_ASSIGN(const std::unique_ptr<ClickModel> model, makeClickModel(plan.kind, plan.truth, plan.items, plan.slots));
    ClickModelFit known;
    known.kind = plan.kind;
    known.parameters = plan.truth;
    const std::vector<ParameterEstimate> truth = globalParameters(known);
    ClickFitOptions fitting = options;
    if (plan.kind == K::carousel)
        fitting.window = plan.truth.window;

    const auto repetitions = static_cast<std::size_t>(plan.repetitions);
    std::vector<std::vector<ParameterEstimate>> found(repetitions);
    std::atomic<bool> failed{false};
    std::atomic<int> done{0};
    Error error;
    parallelFor(repetitions, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end && !failed; ++r) {
            auto once = [&]() -> Result<void> {
                const ClickLog log = drawLog(*model, plan, RandomStream(plan.seed, "recovery", r).next64());
                CAROUSEL_ASSIGN(const ClickModelFit fit, fitClickModel(plan.kind, log, fitting, RunControl()));
                IntervalOptions intervals = plan.intervals;
                intervals.seed = RandomStream(plan.seed, "recovery intervals", r).next64();
                CAROUSEL_ASSIGN(found[r], parameterIntervals(log, fit, fitting, intervals, RunControl()));
                return {};
            };
            if (control.stopRequested()) {
                if (!failed.exchange(true))
                    error = RunControl::cancelled("The known-truth check");
            } else if (auto result = once(); !result && !failed.exchange(true)) {
                error = result.error();
            }
            control.report("Known-truth check", ++done, static_cast<double>(repetitions), "repetitions");
        }
    });
    if (failed)
        return fail(error);

    std::vector<RecoveryRow> rows;
    for (std::size_t i = 0; i < truth.size(); ++i) {
        RecoveryRow row{truth[i].block, truth[i].label, truth[i].value, 0, 0, {}, 0};
        int covered = 0;
        for (const auto& estimates : found) {
            const ParameterEstimate& estimate = estimates[i];
            // A parameter that the log fixes has no interval; then only the truth itself will do.
            const bool none = std::isnan(estimate.interval.low);
            const double low = none ? estimate.value : estimate.interval.low, high = none ? estimate.value : estimate.interval.high;
            covered += low <= row.truth && row.truth <= high;
            row.meanEstimate += estimate.value / static_cast<double>(repetitions);
            row.meanWidth += (high - low) / static_cast<double>(repetitions);
        }
        row.coverage = covered / static_cast<double>(repetitions);
        row.coverageInterval = clopperPearson(covered, plan.repetitions, 0.95);
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace carousel
