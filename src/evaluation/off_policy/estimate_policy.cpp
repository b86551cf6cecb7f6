// SPDX-License-Identifier: GPL-3.0-or-later
// All asked estimators on one log: what is refused and why, lambda, shared columns, intervals on shared draws.
#include "base/parallel.h"
#include "evaluation/off_policy/intervals.h"
#include "evaluation/off_policy/tuning.h"
#include <algorithm>
#include <map>

namespace carousel {

namespace {
using namespace off_policy;

// Columns that several estimators read are kept, and drawn, once.
class Columns {
public:
    std::size_t find(const std::string& key) {
        const auto [at, fresh] = m_byKey.try_emplace(key, values.size());
        if (fresh)
            values.emplace_back();
        return at->second;
    }
    std::vector<std::vector<double>> values;

private:
    std::map<std::string, std::size_t> m_byKey;
};
struct Keys {
    std::string linear, numerator, denominator;
};
Keys keysOf(OffPolicy estimator) {
    const std::string& id = infoOf(estimator).id;
    switch (estimator) {
    case OffPolicy::ips:
        return {"w r", "", ""};
    case OffPolicy::snips:
        return {"", "w r", "w"};
    case OffPolicy::dm:
        return {"q", "", ""};
    case OffPolicy::sndr:
        return {"q", "w (r - q)", "w"};
    case OffPolicy::weightedDr:
        return {"q", id + " num", id + " den"};
    default:
        return {id, id + " num", id + " den"};
    }
}

// How far one round's term can reach: a weight is at most 1 / smallest propensity, and less where the estimator bounds it.
double termRange(OffPolicy estimator, const BanditLog& log, double lambda) {
    const bool model = infoOf(estimator).needsPrediction;
    double base = 0;
    if (model) {
        const auto [low, high] = std::minmax_element(log.predictedUnderTarget.begin(), log.predictedUnderTarget.end());
        base = std::max(*high, log.rewardHigh) - std::min(*low, log.rewardLow);
    }
    if (estimator == OffPolicy::dm)
        return base;
    double largest = 0;
    auto fromSmallest = [](const std::vector<double>& p) { return 1 / *std::min_element(p.begin(), p.end()); };
    if (estimator == OffPolicy::mips)
        largest = log.propensity.empty() ? *std::max_element(log.embeddingWeight.begin(), log.embeddingWeight.end())
                                         : fromSmallest(log.propensity);
    else
        largest = fromSmallest(estimator == OffPolicy::balancedIps ? log.mixturePropensity : log.propensity);
    withWeight(estimator, lambda, [&](auto weight) {
        const double whole = largest;
        largest = weight(whole);
        if (estimator == OffPolicy::drOs)
            largest = std::max(largest, weight(std::min(whole, std::sqrt(lambda)))); // rises to sqrt(lambda), then falls
        if (estimator == OffPolicy::switchDr)
            largest = std::min(whole, lambda);
    });
    double low = log.rewardLow, high = log.rewardHigh; // of what is weighted
    if (model) {
        const auto [least, most] = std::minmax_element(log.predicted.begin(), log.predicted.end());
        low -= *most;
        high -= *least;
    }
    return base + std::max(0.0, high * largest) - std::min(0.0, low * largest);
}

Result<LambdaChoice> chooseLambda(OffPolicy estimator, const BanditLog& log, const OffPolicyOptions& options, const RunControl& control) {
    if (options.lambda.empty())
        return tuneLambda(estimator, log, options.tuning, lambdaCandidates(estimator, log), control);
    static const std::vector<OffPolicy> order{OffPolicy::clippedIps, OffPolicy::switchDr, OffPolicy::drOs, OffPolicy::sgIps,
                                              OffPolicy::sgDr};
    const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), estimator) - order.begin());
    LambdaChoice choice;
    choice.lambda = options.lambda.size() == 1 ? options.lambda.front() : options.lambda[at];
    choice.method = "given";
    choice.candidates = {choice.lambda};
    return choice;
}
} // namespace

Result<std::vector<PolicyEstimate>> estimatePolicy(const std::vector<OffPolicy>& estimators, const BanditLog& log,
                                                   const OffPolicyOptions& options, const RunControl& control) {
    CAROUSEL_TRY(checkOptions(options));
    CAROUSEL_TRY(checkBanditLog(log));
    const std::size_t n = log.rounds();
    std::vector<PolicyEstimate> estimates;
    std::vector<Recipe> recipes;
    Columns columns;
    for (const OffPolicy estimator : estimators) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Off-policy evaluation"));
        const auto& info = infoOf(estimator);
        PolicyEstimate& estimate = estimates.emplace_back(emptyEstimate(info.id, info.name, info.assumption));
        Recipe& recipe = recipes.emplace_back();
        estimate.refused = refusal(estimator, log);
        if (estimate.refused.empty() && info.hasLambda) {
            CAROUSEL_ASSIGN(estimate.lambda, chooseLambda(estimator, log, options, control));
            estimate.refused = refusedLambda(estimator, estimate.lambda.lambda);
        }
        if (!estimate.refused.empty())
            continue;
        const Rule rule = makeRule(estimator, log, estimate.lambda.lambda);
        if (!rule.note.empty())
            estimate.notes.push_back(rule.note);
        const Keys keys = keysOf(estimator);
        const std::size_t linear = hasLinear(estimator) ? columns.find(keys.linear) : noColumn;
        const std::size_t numerator = hasRatio(estimator) ? columns.find(keys.numerator) : noColumn;
        const std::size_t denominator = hasRatio(estimator) ? columns.find(keys.denominator) : noColumn;
        for (const std::size_t c : {linear, numerator, denominator})
            if (c != noColumn)
                columns.values[c].resize(n);
        auto at = [&](std::size_t c, std::size_t i) { return c == noColumn ? nullptr : columns.values[c].data() + i; };
        parallelFor(n, 32768, [&](std::size_t begin, std::size_t end) {
            fillTerms(rule, log, begin, end - begin, at(linear, begin), at(numerator, begin), at(denominator, begin));
        });
        if (linear != noColumn)
            recipe.linear.push_back(linear);
        if (numerator != noColumn)
            recipe.ratios.push_back({numerator, denominator, noColumn});
        else
            recipe.termRange = termRange(estimator, log, estimate.lambda.lambda);
        if (estimator == OffPolicy::rm) {
            const auto matched = std::count(log.target.begin(), log.target.end(), 1.0);
            estimate.notes.push_back(
                fmt::format("rests on the {} of {} rounds whose action the target policy would have chosen", matched, n));
        }
    }
    CAROUSEL_TRY(addIntervals(estimates, recipes, columns.values, n, denseClusters(log.cluster, n), log.rewardLow, log.rewardHigh, options,
                              control));
    return estimates;
}

} // namespace carousel
