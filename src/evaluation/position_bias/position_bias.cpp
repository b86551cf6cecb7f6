// SPDX-License-Identifier: GPL-3.0-or-later
// The bench: seven estimates on one log, what each rests on, intervals from the same draws of the clusters, and the verdict.
#include "evaluation/position_bias/position_bias.h"
#include "base/parallel.h"
#include "evaluation/position_bias/describe.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <atomic>
#include <cmath>

namespace carousel {

using namespace bias;

namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> overlapOf(Method method, const Plan& plan, const Sums& sums) {
    const auto& pairs = plan.pairs;
    std::vector<double> overlap(plan.slots, 0);
    for (std::size_t k = 0; k < plan.slots; ++k)
        switch (method) {
        case naive:
            overlap[k] = static_cast<double>(pairs.impressions[pairs.at(k, k)]);
            break;
        case randomised:
            overlap[k] = plan.shuffledSessions[k];
            break;
        case pivot:
            overlap[k] = k > 0 && plan.pairUsed(k, 0) ? static_cast<double>(pairs.overlap(k, 0)) : 0;
            break;
        case chain: // its weakest link
            if (k > 0 && plan.pairUsed(k, k - 1)) {
                const auto link = static_cast<double>(pairs.overlap(k, k - 1));
                overlap[k] = k == 1 ? link : std::min(link, overlap[k - 1]);
            }
            break;
        case allPairs:
            for (std::size_t l = 0; l < plan.slots; ++l)
                if (l != k && plan.pairUsed(k, l))
                    overlap[k] += static_cast<double>(pairs.impressions[pairs.at(k, l)]);
            break;
        default:
            break;
        }
    if (method == swapped) {
        const auto& swaps = plan.design.swaps;
        std::vector<double> link(plan.slots, 0);
        for (const auto& pair : swaps)
            if (pair.usable)
                (pair.first == 0 ? overlap : link)[pair.second] = static_cast<double>(pair.exchanged);
        for (std::size_t k = 2; k < plan.slots; ++k)
            if (overlap[k] == 0 && link[k] > 0)
                overlap[k] = std::min(link[k], overlap[k - 1]);
    }
    if (method == regressionEm)
        for (std::size_t item = 0; item < static_cast<std::size_t>(plan.index.items); ++item)
            if (plan.index.offsets[item + 1] - plan.index.offsets[item] > 1)
                for (std::size_t c = plan.index.offsets[item]; c < plan.index.offsets[item + 1]; ++c)
                    overlap[static_cast<std::size_t>(plan.index.slot[c])] += sums.cells[c].impressions;
    // The first position is where the others are measured from: it rests on the most that any of them has.
    if (method == swapped || method == pivot || method == chain)
        overlap[0] = *std::max_element(overlap.begin(), overlap.end());
    return overlap;
}

bool applies(Method method, const Plan& plan) {
    switch (method) {
    case naive:
    case regressionEm:
        return true;
    case randomised:
        return plan.design.anyShuffled();
    case swapped:
        return plan.design.anySwap();
    default:
        return plan.harvest;
    }
}
} // namespace

Result<void> bias::checkBiasLog(const ClickLog& log, const PositionBiasOptions& options) {
    if (options.draws < 0 || options.draws > 100000 || !(options.confidence > 0 && options.confidence < 1) || options.window < 1 ||
        options.minimumOverlap < 1)
        return fail(ErrorKind::usage, "CL-8033",
                    fmt::format("position bias cannot use {} draws, confidence {}, a window of {} and a minimum overlap of {}",
                                options.draws, options.confidence, options.window, options.minimumOverlap),
                    "Use 0 to 100000 draws, a confidence between 0 and 1, and a window and an overlap of at least 1.");
    CAROUSEL_TRY(checkClickLog(log));
    if (log.slots < 2)
        return fail(ErrorKind::input, "CL-8032",
                    fmt::format("the log has {} position{}; position bias compares at least two", log.slots, log.slots == 1 ? "" : "s"),
                    "Choose a log whose slates show more than one item.");
    if (std::none_of(log.click.begin(), log.click.end(), [](auto click) { return click != 0; }))
        return fail(ErrorKind::input, "CL-8032", fmt::format("the log has {} sessions and no click", log.sessions()),
                    "Choose a log with clicks, or check which column of the file holds them.");
    if (log.rows() >= (std::uint64_t(1) << 32))
        return fail(ErrorKind::input, "CL-8032", fmt::format("the log has {} rows; position bias reads up to 4294967295", log.rows()),
                    "Take a part of the log.");
    return {};
}

Result<PositionBias> positionBias(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control) {
    CAROUSEL_TRY(checkBiasLog(log, options));
    const RunControl bootstrap = control.slice(0.1, 1);
    Plan plan = makePlan(log, options.minimumOverlap, control);
    if (control.stopRequested())
        return fail(RunControl::cancelled("position bias"));
    Sums sums;
    sumLog(plan, {}, sums);

    PositionBias result;
    result.slots = log.slots;
    result.sharedItems = plan.pairs.items;
    std::vector<Method> used;
    for (std::size_t m = 0; m < methodCount; ++m) {
        const auto method = static_cast<Method>(m);
        PositionBiasEstimate one = named(method);
        one.relative.assign(plan.slots, nan);
        one.interval.assign(plan.slots, noInterval());
        one.overlap = overlapOf(method, plan, sums);
        if (applies(method, plan)) {
            one.relative = estimate(method, plan, sums, &plan.start[m]);
            one.supported = std::isfinite(one.relative[0]) &&
                            std::any_of(one.relative.begin() + 1, one.relative.end(), [](double value) { return std::isfinite(value); });
        }
        if (one.supported) {
            one.relative[0] = 1;
            used.push_back(method);
        } else {
            one.relative.assign(plan.slots, nan);
        }
        one.reason = reasonOf(method, plan, sums, one);
        result.estimates.push_back(std::move(one));
        if (control.stopRequested())
            return fail(RunControl::cancelled("position bias"));
    }

    // Every draw walks the log once for all methods; draws are independent, so threads cannot change them.
    const auto draws = static_cast<std::size_t>(options.draws);
    std::vector<std::vector<std::vector<double>>> drawn(methodCount, std::vector<std::vector<double>>(plan.slots));
    for (const auto method : used)
        for (auto& values : drawn[method])
            values.assign(draws, nan);
    const std::size_t clusters = log.clusters();
    std::atomic<std::size_t> done{0};
    parallelFor(draws, 1, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint8_t> weight(clusters);
        Sums part;
        for (std::size_t draw = begin; draw < end && !control.stopRequested(); ++draw) {
            poissonWeights(options.seed, static_cast<std::uint32_t>(draw), 0, weight);
            sumLog(plan, weight, part);
            for (const auto method : used) {
                if (control.stopRequested())
                    return;
                const auto relative = estimate(method, plan, part);
                for (std::size_t k = 1; k < plan.slots; ++k)
                    drawn[method][k][draw] = relative[k];
            }
            bootstrap.report("Resampling", static_cast<double>(++done), static_cast<double>(draws), "draws");
        }
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("position bias"));
    for (const auto method : used)
        for (std::size_t k = 1; k < plan.slots; ++k) // a rate of 0 has no interval that resampling could find
            if (std::isfinite(result.estimates[method].relative[k]) && result.estimates[method].relative[k] > 0 && draws > 0)
                result.estimates[method].interval[k] = percentileInterval(std::move(drawn[method][k]), options.confidence);

    for (const auto method : {randomised, allPairs, regressionEm})
        if (result.recommended.empty() && result.estimates[method].supported)
            result.recommended = result.estimates[method].id;
    result.verdict = verdictOf(plan, result, options);
    return result;
}

} // namespace carousel
