// SPDX-License-Identifier: GPL-3.0-or-later
// Every reason carries its number and the threshold beside it, so that nobody has to take a colour on trust.
#include "evaluation/off_policy/evidence.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Worse is lower when `low`, else higher; the threshold shown is the one that was missed, or the green one.
EvidenceReason judged(std::string what, double value, double amber, double red, bool low) {
    auto beyond = [&](double limit) { return low ? value < limit : value > limit; };
    EvidenceReason reason;
    reason.what = std::move(what);
    reason.value = value;
    reason.level = beyond(red) ? Evidence::red : beyond(amber) ? Evidence::amber : Evidence::green;
    reason.threshold = reason.level == Evidence::red ? red : amber;
    return reason;
}
std::string percent(double share) {
    return fmt::format("{:.3g} %", 100 * share);
}
std::string rounded(double value) {
    return std::fabs(value) < 100 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
}
} // namespace

const char* name(Evidence level) {
    return level == Evidence::green ? "green" : level == Evidence::amber ? "amber" : "red";
}
const char* words(Evidence level) {
    return level == Evidence::green ? "supported" : level == Evidence::amber ? "weak" : "not supported";
}

EvidenceGate refusedEvidence(const std::string& why) {
    EvidenceGate gate;
    gate.level = Evidence::red;
    gate.effectiveSampleSize = gate.effectiveShare = gate.largestShare = gate.meanWeight = gate.meanWeightError = gate.overlap = unknown;
    gate.unsupported = gate.spread = gate.clicksBehind = unknown;
    gate.reasons.push_back({Evidence::red, "Not available", unknown, unknown, why});
    return gate;
}

EvidenceGate evidenceGate(std::span<const double> weights, std::span<const double> rewards, double unsupported,
                          std::span<const PolicyEstimate> estimates, const EvidenceThresholds& limits) {
    if (weights.empty())
        return refusedEvidence("The log has no propensities, so nothing can be said about a policy other than the one that was shown.");
    if (rewards.size() != weights.size())
        return refusedEvidence(
            fmt::format("There are {} weights but {} rewards, so they cannot belong together.", weights.size(), rewards.size()));
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (!(weights[i] >= 0) || !std::isfinite(weights[i]) || !std::isfinite(rewards[i]))
            return refusedEvidence(fmt::format("Row {} has weight {} and reward {}; a weight is finite and at least 0, a reward finite.",
                                               i + 1, weights[i], rewards[i]));

    // Everything is in units of the largest weight, so that squares of very large ones stay finite.
    EvidenceGate gate;
    const double n = static_cast<double>(weights.size()), largest = *std::max_element(weights.begin(), weights.end());
    if (largest == 0) {
        gate = refusedEvidence(
            fmt::format("The target policy would have chosen none of the {} logged choices: every weight is 0.", weights.size()));
        gate.effectiveSampleSize = gate.effectiveShare = gate.meanWeight = gate.overlap = gate.clicksBehind = 0;
        gate.unsupported = 1;
        return gate;
    }
    CompensatedSum sum, squares, common;
    double clicks = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double w = weights[i] / largest;
        sum.add(w);
        squares.add(w * w);
        common.add(std::min(weights[i], 1.0));
        clicks += weights[i] > 0 && rewards[i] != 0;
    }
    const double mean = sum.total() / n;
    CompensatedSum spread;
    for (const double w : weights)
        spread.add((w / largest - mean) * (w / largest - mean));
    gate.effectiveSampleSize = sum.total() * sum.total() / squares.total();
    gate.effectiveShare = gate.effectiveSampleSize / n;
    gate.largestShare = 1 / sum.total();
    gate.meanWeight = mean * largest;
    gate.meanWeightError = n > 1 ? std::sqrt(spread.total() / (n - 1) / n) * largest : unknown;
    gate.overlap = common.total() / n;
    gate.unsupported = unsupported;
    gate.clicksBehind = clicks;

    EvidenceReason reason = judged("Effective sample size", gate.effectiveSampleSize, limits.amberEss, limits.redEss, true);
    reason.text =
        fmt::format("{} rounds weigh as much as {} equal ones ({}); at least {:.0f} are wanted, below {:.0f} nothing can be said.",
                    weights.size(), rounded(gate.effectiveSampleSize), percent(gate.effectiveShare), limits.amberEss, limits.redEss);
    gate.reasons.push_back(reason);

    reason = judged("Largest weight", gate.largestShare, limits.amberShare, limits.redShare, false);
    reason.text = fmt::format("One round carries {} of all weight (weight {}); up to {} is fine, more than {} is not.",
                              percent(gate.largestShare), rounded(largest), percent(limits.amberShare), percent(limits.redShare));
    gate.reasons.push_back(reason);

    // With one round, or all weights alike, there is no standard error; rounding of the propensities is allowed for.
    const double gap = std::fabs(gate.meanWeight - 1);
    const bool hasError = gate.meanWeightError > 1e-9 * gate.meanWeight;
    const double errors = hasError ? gap / gate.meanWeightError : gap > 1e-6 ? std::numeric_limits<double>::infinity() : 0;
    reason = judged("Mean weight", errors, limits.meanWeightErrors, limits.meanWeightErrors, false);
    reason.text =
        fmt::format("Weights average {:.4g} and should average 1; {}. {}", gate.meanWeight,
                    hasError ? fmt::format("that is {:.3g} standard errors of {:.2g} away, and {:.3g} are allowed", errors,
                                           gate.meanWeightError, limits.meanWeightErrors)
                             : std::string("they do not vary, so there is no room for chance"),
                    reason.level == Evidence::red ? "Propensities are wrong, or the log never shows part of what the policy would choose."
                                                  : "Propensities look right.");
    gate.reasons.push_back(reason);

    if (std::isnan(unsupported)) {
        // What the log never shows is missing from the mean weight; two standard errors are left to chance. Not measured, so never red.
        const double room = std::clamp(1 - gate.meanWeight + 2 * (std::isnan(gate.meanWeightError) ? 0.0 : gate.meanWeightError), 0.0, 1.0);
        reason = judged("Choices never logged", room, limits.amberUnsupported, std::numeric_limits<double>::infinity(), false);
        reason.text = fmt::format("The log does not say which choices it could never show; the mean weight leaves room for up to {} of the "
                                  "policy's choices, and {} is fine.",
                                  percent(room), percent(limits.amberUnsupported));
    } else {
        reason = judged("Choices never logged", unsupported, limits.amberUnsupported, limits.redUnsupported, false);
        reason.text = fmt::format("The log never shows {} of what the policy would choose; up to {} is fine, more than {} is not.",
                                  percent(unsupported), percent(limits.amberUnsupported), percent(limits.redUnsupported));
    }
    gate.reasons.push_back(reason);

    reason = judged("Rewards behind the estimate", clicks, limits.amberClicks, limits.redClicks, true);
    reason.text =
        fmt::format("{:.0f} rounds that the policy could have chosen earned something; {:.0f} are wanted, fewer than {:.0f} are too few.",
                    clicks, limits.amberClicks, limits.redClicks);
    gate.reasons.push_back(reason);

    std::vector<const PolicyEstimate*> usable;
    std::vector<double> errorsOf;
    for (const auto& estimate : estimates)
        if (estimate.refused.empty() && std::isfinite(estimate.value) && std::isfinite(estimate.standardError)) {
            usable.push_back(&estimate);
            errorsOf.push_back(estimate.standardError);
        }
    gate.spread = unknown;
    if (usable.size() >= 2) {
        auto byValue = [](const PolicyEstimate* a, const PolicyEstimate* b) { return a->value < b->value; };
        const auto [low, high] = std::minmax_element(usable.begin(), usable.end(), byValue);
        std::sort(errorsOf.begin(), errorsOf.end());
        const std::size_t half = errorsOf.size() / 2;
        const double typical = errorsOf.size() % 2 ? errorsOf[half] : 0.5 * (errorsOf[half - 1] + errorsOf[half]);
        const double apart = (*high)->value - (*low)->value;
        gate.spread = typical > 0 ? apart / typical : apart > 0 ? std::numeric_limits<double>::infinity() : 0;
        reason = judged("Agreement of estimators", gate.spread, limits.amberSpread, limits.redSpread, false);
        reason.text = fmt::format(
            "{} gives {:.4g} and {} gives {:.4g}: {} standard errors apart; up to {:.3g} is fine, more than {:.3g} is not.", (*low)->name,
            (*low)->value, (*high)->name, (*high)->value, rounded(gate.spread), limits.amberSpread, limits.redSpread);
        gate.reasons.push_back(reason);
    }
    for (const auto& each : gate.reasons)
        gate.level = std::max(gate.level, each.level);
    return gate;
}

} // namespace carousel
