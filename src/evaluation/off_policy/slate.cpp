// SPDX-License-Identifier: GPL-3.0-or-later
// Slates: one term per slate, and for self-normalised estimators one ratio per slot, weighted by how many slates reach that slot.
#include "evaluation/off_policy/slate.h"
#include "evaluation/off_policy/intervals.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>
#include <map>

namespace carousel {

namespace {
using namespace off_policy;

bool usesMarginal(SlatePolicy e) {
    return e == SlatePolicy::iips || e == SlatePolicy::sniips || e == SlatePolicy::pi;
}
bool selfNormalised(SlatePolicy e) {
    return e == SlatePolicy::snsips || e == SlatePolicy::snrips || e == SlatePolicy::sniips;
}
const SlatePolicyInfo& infoOf(SlatePolicy estimator) {
    const auto& all = slatePolicyEstimators();
    return *std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.estimator == estimator; });
}

std::string refusal(SlatePolicy estimator, const SlateLog& log) {
    const auto& info = infoOf(estimator);
    auto missing = [&](const char* what) { return fmt::format("needs {}: this log has none, so {} is not available", what, info.name); };
    if (usesMarginal(estimator)) {
        if (log.marginal.empty())
            return missing("propensities of an item in its slot (marginal)");
        if (log.targetMarginal.empty())
            return missing("the target policy's probability of an item in its slot (marginal)");
        return {};
    }
    if (log.conditional.empty())
        return missing("propensities of an item given the items before it (conditional)");
    if (log.targetConditional.empty())
        return missing("the target policy's probability of an item given the items before it (conditional)");
    if (estimator == SlatePolicy::cascadeDr) {
        if (log.predicted.empty())
            return missing("predicted rewards of the logged items");
        if (log.predictedUnderTarget.empty())
            return missing("predicted rewards under the target policy");
    }
    return {};
}

struct Weights {
    std::vector<double> slot;  // per row: what multiplies the slot's reward
    std::size_t notFinite = 0; // slate + 1 whose weight no number can hold; 0: none
};
Weights slotWeights(SlatePolicy estimator, const SlateLog& log) {
    Weights result;
    result.slot.resize(log.reward.size());
    const bool marginal = usesMarginal(estimator), whole = estimator == SlatePolicy::sips || estimator == SlatePolicy::snsips;
    for (std::size_t s = 0; s < log.slates(); ++s) {
        const std::size_t begin = log.offsets[s], end = log.offsets[s + 1];
        double product = 1, sum = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const double ratio = marginal ? log.targetMarginal[i] / log.marginal[i] : log.targetConditional[i] / log.conditional[i];
            product = product == 0 ? 0 : product * ratio; // once 0 the slate counts for nothing, however large what follows
            sum += ratio;
            result.slot[i] = marginal ? ratio : product;
        }
        if (estimator == SlatePolicy::pi)
            product = 1 - static_cast<double>(end - begin) + sum;
        if (whole || estimator == SlatePolicy::pi)
            std::fill(result.slot.begin() + static_cast<std::ptrdiff_t>(begin), result.slot.begin() + static_cast<std::ptrdiff_t>(end),
                      product);
        for (std::size_t i = begin; i < end; ++i)
            if (!std::isfinite(result.slot[i]) && result.notFinite == 0)
                result.notFinite = s + 1;
    }
    return result;
}

// Terms of one estimator: `linear` per slate, or numerators and denominators per slot, and shares where slates differ in length.
struct SlateTerms {
    std::vector<double> linear;
    std::vector<std::vector<double>> numerator, denominator, share;
    std::string refused;
};
SlateTerms termsOf(SlatePolicy estimator, const SlateLog& log) {
    SlateTerms terms;
    terms.refused = refusal(estimator, log);
    if (!terms.refused.empty())
        return terms;
    const Weights weights = slotWeights(estimator, log);
    if (weights.notFinite > 0) {
        terms.refused = fmt::format("the weight of slate {} is larger than a number can hold, so {} is not available", weights.notFinite,
                                    infoOf(estimator).name);
        return terms;
    }
    const std::size_t n = log.slates();
    if (!selfNormalised(estimator)) {
        terms.linear.resize(n);
        for (std::size_t s = 0; s < n; ++s) {
            CompensatedSum sum;
            double before = 1;
            for (std::size_t i = log.offsets[s]; i < log.offsets[s + 1]; ++i) {
                const double w = weights.slot[i];
                if (estimator == SlatePolicy::cascadeDr)
                    sum.add(w * (log.reward[i] - log.predicted[i]) + before * log.predictedUnderTarget[i]);
                else
                    sum.add(w * log.reward[i]);
                before = w;
            }
            terms.linear[s] = sum.total();
        }
        return terms;
    }
    std::size_t slots = 0;
    for (std::size_t s = 0; s < n; ++s)
        slots = std::max(slots, log.offsets[s + 1] - log.offsets[s]);
    terms.numerator.assign(slots, std::vector<double>(n, 0.0));
    terms.denominator = terms.share = terms.numerator;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t i = log.offsets[s]; i < log.offsets[s + 1]; ++i) {
            const std::size_t l = i - log.offsets[s];
            terms.numerator[l][s] = weights.slot[i] * log.reward[i];
            terms.denominator[l][s] = weights.slot[i];
            terms.share[l][s] = 1;
        }
    for (std::size_t l = 0; l < slots; ++l)
        if (std::all_of(terms.denominator[l].begin(), terms.denominator[l].end(), [](double w) { return w == 0; })) {
            terms.refused = fmt::format("every weight of slot {} is 0, so {} would be 0 / 0", l + 1, infoOf(estimator).name);
            return terms;
        }
    return terms;
}

// How far one slate's term can reach: products of the smallest propensities of each slot, times what a slate can earn.
double termRange(SlatePolicy estimator, const SlateLog& log) {
    const auto& propensity = usesMarginal(estimator) ? log.marginal : log.conditional;
    std::vector<double> smallest;
    for (std::size_t s = 0; s < log.slates(); ++s)
        for (std::size_t i = log.offsets[s]; i < log.offsets[s + 1]; ++i) {
            const std::size_t l = i - log.offsets[s];
            if (l == smallest.size())
                smallest.push_back(1);
            smallest[l] = std::min(smallest[l], propensity[i]);
        }
    double product = 1, sum = 0, largest = 0, range = 0;
    for (const double p : smallest) {
        product /= p;
        sum += 1 / p;
        largest = std::max(largest, 1 / p);
    }
    const double low = std::min(0.0, log.rewardLow), high = std::max(0.0, log.rewardHigh);
    switch (estimator) {
    case SlatePolicy::pi: { // weights from 1 - L to 1 - L + sum of the largest ratios
        const double l = static_cast<double>(smallest.size());
        return low == 0 ? sum * high : 2 * std::max(1 - l + sum, l - 1) * std::max(high, -low);
    }
    case SlatePolicy::cascadeDr: { // slot by slot: w_{1:l} (r - Q) and w_{1:l-1} times the expected Q
        const auto [qLow, qHigh] = std::minmax_element(log.predicted.begin(), log.predicted.end());
        const auto [uLow, uHigh] = std::minmax_element(log.predictedUnderTarget.begin(), log.predictedUnderTarget.end());
        const auto [rLow, rHigh] = std::minmax_element(log.reward.begin(), log.reward.end());
        double before = 1;
        for (const double p : smallest) {
            const double now = before / p;
            range += now * (std::max(0.0, *rHigh - *qLow) - std::min(0.0, *rLow - *qHigh));
            range += before * (std::max(0.0, *uHigh) - std::min(0.0, *uLow));
            before = now;
        }
        return range;
    }
    case SlatePolicy::iips: { // weights differ by slot, so rewards of either sign cannot cancel: bound each slot on its own when there are
                              // any
        const auto [rLow, rHigh] = std::minmax_element(log.reward.begin(), log.reward.end());
        if (*rLow >= 0)
            return largest * high;
        return sum * (std::max(0.0, *rHigh) - *rLow);
    }
    default: {
        const auto least = std::min_element(log.reward.begin(), log.reward.end());
        if (estimator == SlatePolicy::rips && *least < 0)
            return std::numeric_limits<double>::quiet_NaN(); // partial sums of a slate are not bounded by its range
        return product * (high - low);
    }
    }
}
} // namespace

const std::vector<SlatePolicyInfo>& slatePolicyEstimators() {
    static const std::vector<SlatePolicyInfo> all{
        {SlatePolicy::sips, "sips", "SIPS", "E[(prod_l rho_l) sum_l r_l]",
         "Slots may act on each other in any way; only the propensities must be right. The weights explode with the number of slots."},
        {SlatePolicy::snsips, "snsips", "SNSIPS", "SIPS, weights divided by their mean",
         "As SIPS, steadier, with a bias that vanishes as the log grows."},
        {SlatePolicy::rips, "rips", "RIPS", "E[sum_l r_l prod_{m<=l} rho_m]",
         "People read from the first slot on: a slot's reward depends on its own item and the items before it, not on those behind."},
        {SlatePolicy::snrips, "snrips", "SNRIPS", "RIPS, each slot's weights divided by their mean",
         "As RIPS, steadier, with a bias that vanishes as the log grows."},
        {SlatePolicy::cascadeDr, "cascade-dr", "Cascade-DR", "E[sum_l w_{1:l} (r_l - Q_l) + w_{1:l-1} sum_a pi_e(a) Q_l(a)]",
         "As RIPS; a reward model takes out variance and need not be right as long as the propensities are."},
        {SlatePolicy::pi, "pi", "Pseudo-inverse", "E[(1 - L + sum_l rho_l) sum_l r_l]",
         "The slate's reward is a sum of one unknown number per slot and item, and both policies choose slot by slot."},
        {SlatePolicy::iips, "iips", "IIPS", "E[sum_l rho_l r_l]",
         "A slot's reward depends on its own item and slot alone; the neighbours do not matter."},
        {SlatePolicy::sniips, "sniips", "SNIIPS", "IIPS, each slot's weights divided by their mean",
         "As IIPS, steadier, with a bias that vanishes as the log grows."},
    };
    return all;
}

Result<void> checkSlateLog(const SlateLog& log) {
    auto refuse = [](const std::string& what, const std::string& hint) { return fail(ErrorKind::input, "CL-8031", what, hint); };
    const std::size_t rows = log.reward.size();
    if (log.offsets.size() < 2)
        return refuse("column 'offsets' names no slates: the log is empty", "Choose a log, or a part of it, with at least one slate.");
    if (log.offsets.front() != 0 || log.offsets.back() != rows)
        return refuse(
            fmt::format("column 'offsets' runs from {} to {}, but the log has {} slots", log.offsets.front(), log.offsets.back(), rows),
            "Offsets begin at 0 and end at the number of slots.");
    for (std::size_t s = 0; s < log.slates(); ++s)
        if (log.offsets[s + 1] <= log.offsets[s])
            return refuse(fmt::format("column 'offsets', slate {}: begins at slot {} and ends at {}, so it has no slots", s + 1,
                                      log.offsets[s], log.offsets[s + 1]),
                          "Leave slates without items out of the log.");
    if (!log.cluster.empty() && log.cluster.size() != log.slates())
        return refuse(fmt::format("column 'cluster' has {} values, but the log has {} slates", log.cluster.size(), log.slates()),
                      "Give one cluster per slate, or leave the column empty.");
    for (std::size_t s = 0; s < log.cluster.size(); ++s)
        if (log.cluster[s] < 0)
            return refuse(fmt::format("column 'cluster', slate {}: {} is not a cluster number of at least 0", s + 1, log.cluster[s]),
                          "Number clusters from 0.");
    enum Kind { number, propensity, probability };
    struct Named {
        const char* name;
        const std::vector<double>& values;
        Kind kind;
    };
    const Named columns[] = {{"reward", log.reward, number},
                             {"conditional", log.conditional, propensity},
                             {"targetConditional", log.targetConditional, probability},
                             {"marginal", log.marginal, propensity},
                             {"targetMarginal", log.targetMarginal, probability},
                             {"predicted", log.predicted, number},
                             {"predictedUnderTarget", log.predictedUnderTarget, number}};
    for (const auto& [name, values, kind] : columns) {
        if (!values.empty() && values.size() != rows)
            return refuse(fmt::format("column '{}' has {} values, but the log has {} slots", name, values.size(), rows),
                          "Give one value per slot, or leave the column empty.");
        std::size_t s = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            while (i >= log.offsets[s + 1])
                ++s;
            const double v = values[i];
            const bool good = kind == number ? std::isfinite(v) : v <= 1 && (kind == propensity ? v > 0 : v >= 0);
            if (!good)
                return refuse(fmt::format("column '{}', slate {}, slot {}: {} is not {}", name, s + 1, i - log.offsets[s] + 1, v,
                                          kind == number       ? "a finite number"
                                          : kind == propensity ? "a probability above 0 and at most 1"
                                                               : "a probability from 0 to 1"),
                              kind == propensity ? "A propensity is the probability with which the logging policy showed the item."
                                                 : "Correct the value, or leave the slate out.");
        }
    }
    if (!(log.rewardLow <= log.rewardHigh) || !std::isfinite(log.rewardHigh - log.rewardLow))
        return refuse(fmt::format("the range of a slate's reward, {} to {}, is empty or not finite", log.rewardLow, log.rewardHigh),
                      "Set the smallest and the largest sum of rewards that a slate can have.");
    for (std::size_t s = 0; s < log.slates(); ++s) {
        double sum = 0;
        for (std::size_t i = log.offsets[s]; i < log.offsets[s + 1]; ++i)
            sum += log.reward[i];
        const double slack = 1e-9 * std::max({1.0, std::fabs(log.rewardLow), std::fabs(log.rewardHigh)});
        if (sum < log.rewardLow - slack || sum > log.rewardHigh + slack)
            return refuse(fmt::format("column 'reward', slate {}: its slots sum to {}, which is not a reward from {} to {}", s + 1, sum,
                                      log.rewardLow, log.rewardHigh),
                          "Correct the rewards, or widen the range of a slate's reward.");
    }
    return {};
}

Result<double> slatePolicyValue(SlatePolicy estimator, const SlateLog& log) {
    CAROUSEL_TRY(checkSlateLog(log));
    const SlateTerms terms = termsOf(estimator, log);
    if (!terms.refused.empty())
        return fail(ErrorKind::input, "CL-8031", terms.refused, infoOf(estimator).assumption);
    auto sum = [](const std::vector<double>& values) {
        CompensatedSum total;
        for (const double v : values)
            total.add(v);
        return total.total();
    };
    const double n = static_cast<double>(log.slates());
    if (terms.numerator.empty())
        return sum(terms.linear) / n;
    CompensatedSum value;
    for (std::size_t l = 0; l < terms.numerator.size(); ++l)
        value.add(sum(terms.share[l]) / n * sum(terms.numerator[l]) / sum(terms.denominator[l]));
    return value.total();
}

Result<std::vector<PolicyEstimate>> estimateSlatePolicy(const std::vector<SlatePolicy>& estimators, const SlateLog& log,
                                                        const OffPolicyOptions& options, const RunControl& control) {
    CAROUSEL_TRY(checkOptions(options));
    CAROUSEL_TRY(checkSlateLog(log));
    std::vector<PolicyEstimate> estimates;
    std::vector<Recipe> recipes;
    std::vector<std::vector<double>> columns;
    auto keep = [&](std::vector<double>&& column) {
        columns.push_back(std::move(column));
        return columns.size() - 1;
    };
    std::vector<std::size_t> shareOf; // per slot, once for all estimators
    for (const SlatePolicy estimator : estimators) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Off-policy evaluation of slates"));
        const auto& info = infoOf(estimator);
        PolicyEstimate& estimate = estimates.emplace_back(emptyEstimate(info.id, info.name, info.assumption));
        Recipe& recipe = recipes.emplace_back();
        SlateTerms terms = termsOf(estimator, log);
        estimate.refused = terms.refused;
        if (!estimate.refused.empty())
            continue;
        if (terms.numerator.empty()) {
            recipe.linear.push_back(keep(std::move(terms.linear)));
            recipe.termRange = termRange(estimator, log);
            continue;
        }
        const auto slots = terms.numerator.size();
        while (shareOf.size() < slots) {
            auto& share = terms.share[shareOf.size()];
            const bool all = std::all_of(share.begin(), share.end(), [](double v) { return v == 1; });
            shareOf.push_back(all ? noColumn : keep(std::move(share)));
        }
        for (std::size_t l = 0; l < slots; ++l) {
            const std::size_t numerator = keep(std::move(terms.numerator[l]));
            recipe.ratios.push_back({numerator, keep(std::move(terms.denominator[l])), shareOf[l]});
        }
    }
    CAROUSEL_TRY(addIntervals(estimates, recipes, columns, log.slates(), denseClusters(log.cluster, log.slates()), log.rewardLow,
                              log.rewardHigh, options, control));
    return estimates;
}

} // namespace carousel
