// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/estimators.h"
#include <cmath>
#include <limits>

namespace carousel::bias {

namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
double ratio(double numerator, double denominator) {
    return denominator > 0 ? numerator / denominator : nan;
}

std::vector<double> fromNaive(const Plan& plan, const Sums& sums) {
    std::vector<double> clicks(plan.slots, 0), impressions(plan.slots, 0), result(plan.slots, nan);
    for (std::size_t c = 0; c < sums.cells.size(); ++c) {
        clicks[static_cast<std::size_t>(plan.index.slot[c])] += sums.cells[c].clicks;
        impressions[static_cast<std::size_t>(plan.index.slot[c])] += sums.cells[c].impressions;
    }
    for (std::size_t k = 0; k < plan.slots; ++k)
        result[k] = ratio(ratio(clicks[k], impressions[k]), ratio(clicks[0], impressions[0]));
    return result;
}

// Slots are compared within the same sessions, where both had as many impressions: the ratio of click rates is that of clicks.
std::vector<double> fromShuffled(const Plan& plan, const Sums& sums) {
    std::vector<double> result(plan.slots, nan);
    for (std::size_t k = 0; k < plan.slots; ++k)
        result[k] = ratio(sums.clicks[k], sums.first[k]);
    return result;
}

std::vector<double> fromSwaps(const Plan& plan, const Sums& sums) {
    std::vector<double> result(plan.slots, nan), next(plan.slots, nan);
    const auto& swaps = plan.design.swaps;
    for (std::size_t p = 0; p < swaps.size(); ++p) {
        if (!swaps[p].usable)
            continue;
        (swaps[p].first == 0 ? result : next)[swaps[p].second] = ratio(sums.swapSecond[p], sums.swapFirst[p]);
    }
    result[0] = 1;
    const auto direct = [&](std::size_t k) { return swaps[k - 1].usable; }; // pair (0, k) stands at k - 1
    for (std::size_t k = 2; k < plan.slots; ++k)
        if (!direct(k))
            result[k] = result[k - 1] * next[k];
    return result;
}

std::vector<double> fromPivot(const Plan& plan, const PairCounts& pairs) {
    std::vector<double> result(plan.slots, nan);
    result[0] = 1;
    for (std::size_t k = 1; k < plan.slots; ++k)
        if (plan.pairUsed(k, 0))
            result[k] = ratio(pairs.rate[pairs.at(k, 0)], pairs.rate[pairs.at(0, k)]);
    return result;
}

std::vector<double> fromChain(const Plan& plan, const PairCounts& pairs) {
    std::vector<double> result(plan.slots, nan);
    result[0] = 1;
    for (std::size_t k = 1; k < plan.slots && plan.pairUsed(k, k - 1); ++k)
        result[k] = result[k - 1] * ratio(pairs.rate[pairs.at(k, k - 1)], pairs.rate[pairs.at(k - 1, k)]);
    return result;
}

std::vector<double> fromAllPairs(const Plan& plan, const PairCounts& pairs, const ProductFit* start, double tolerance, ProductFit* out) {
    std::vector<ProductCell> cells;
    for (std::size_t k = 0; k < plan.slots; ++k)
        for (std::size_t l = k + 1; l < plan.slots; ++l) {
            if (!plan.pairUsed(k, l) || pairs.items[pairs.at(k, l)] == 0)
                continue;
            const auto row = static_cast<std::int32_t>(pairs.at(k, l));
            const auto items = static_cast<double>(pairs.items[pairs.at(k, l)]);
            cells.push_back({row, static_cast<std::int16_t>(k), false, items, pairs.rate[pairs.at(k, l)]});
            cells.push_back({row, static_cast<std::int16_t>(l), false, items, pairs.rate[pairs.at(l, k)]});
        }
    ProductFitOptions options;
    options.start = start;
    options.tolerance = tolerance;
    auto fit = fitProduct(cells, static_cast<std::int32_t>(plan.slots * plan.slots), static_cast<std::int32_t>(plan.slots), options);
    auto result = fit.column;
    if (out)
        *out = std::move(fit);
    return result;
}

std::vector<double> fromRegression(const Plan& plan, const Sums& sums, const ProductFit* start, double tolerance, ProductFit* out) {
    ProductFitOptions options;
    options.start = start;
    options.tolerance = tolerance;
    auto fit = fitProduct(productCells(plan.index, sums.cells), plan.index.items, plan.index.slots, options);
    auto result = fit.column;
    if (out)
        *out = std::move(fit);
    return result;
}
} // namespace

Plan makePlan(const ClickLog& log, std::int64_t minimumOverlap, const RunControl& control) {
    Plan plan;
    plan.log = &log;
    plan.slots = static_cast<std::size_t>(log.slots);
    plan.minimumOverlap = minimumOverlap;
    plan.index = indexCells(log);
    plan.design = readDesign(log, minimumOverlap, control);
    std::vector<CellCount> counts;
    countCells(log, plan.index, {}, counts);
    plan.pairs = countPairs(plan.index, counts);
    plan.harvest = plan.design.policies.size() > 1 || plan.design.anyRandom();
    plan.shuffledSessions.assign(plan.slots, 0);
    for (const auto& policy : plan.design.policies) {
        if (!policy.shuffled)
            continue;
        for (const auto s : policy.sessions) {
            const std::size_t begin = log.offsets[s], end = log.offsets[s + 1];
            if (begin == end || log.slot[begin] != 0)
                continue;
            bool clicked = false;
            for (std::size_t r = begin; r < end; ++r) {
                ++plan.shuffledSessions[static_cast<std::size_t>(log.slot[r])];
                clicked = clicked || log.click[r];
            }
            if (clicked)
                plan.shuffled.push_back(s);
        }
    }
    return plan;
}

void sumLog(const Plan& plan, std::span<const std::uint8_t> weight, Sums& sums) {
    const auto& log = *plan.log;
    const auto weightOf = [&](std::size_t s) { return weight.empty() ? 1.0 : static_cast<double>(weight[clusterOf(log, s)]); };
    countCells(log, plan.index, weight, sums.cells);
    sums.clicks.assign(plan.slots, 0);
    sums.first.assign(plan.slots, 0);
    for (const auto s : plan.shuffled) {
        const double w = weightOf(s);
        if (w == 0)
            continue;
        const double atFirst = log.click[log.offsets[s]] ? w : 0;
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const auto k = static_cast<std::size_t>(log.slot[r]);
            sums.first[k] += atFirst;
            sums.clicks[k] += log.click[r] ? w : 0;
        }
    }
    sums.swapFirst.assign(plan.design.swaps.size(), 0);
    sums.swapSecond.assign(plan.design.swaps.size(), 0);
    for (const auto& click : plan.design.swapClicks)
        (click.second ? sums.swapSecond : sums.swapFirst)[click.pair] += weightOf(click.session) * click.share;
}

std::vector<double> estimate(Method method, const Plan& plan, const Sums& sums, ProductFit* fit) {
    // Draws begin at the estimate of the whole log and stop well below the width of an interval.
    const bool draw = fit == nullptr;
    const auto* start = draw && !plan.start[method].column.empty() ? &plan.start[method] : nullptr;
    const double tolerance = draw ? 1e-5 : 1e-10;
    switch (method) {
    case naive:
        return fromNaive(plan, sums);
    case randomised:
        return fromShuffled(plan, sums);
    case swapped:
        return fromSwaps(plan, sums);
    case regressionEm:
        return fromRegression(plan, sums, start, tolerance, fit);
    default:
        break;
    }
    const auto pairs = countPairs(plan.index, sums.cells);
    return method == pivot   ? fromPivot(plan, pairs)
           : method == chain ? fromChain(plan, pairs)
                             : fromAllPairs(plan, pairs, start, tolerance, fit);
}

} // namespace carousel::bias
