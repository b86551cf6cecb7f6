// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/describe.h"
#include "base/text.h"
#include "evaluation/position_bias/words.h"
#include <cmath>

namespace carousel::bias {

namespace {
std::string figures(double value) {
    return threeFigures(value);
}

std::string pOf(double p) {
    return p < 1e-4 ? "p below 0.0001" : fmt::format("p = {:.2g}", p);
}

// What is missing at single positions of an estimate that is there.
std::string gaps(const Plan& plan, const PositionBiasEstimate& estimate) {
    std::vector<std::size_t> without, zero;
    for (std::size_t k = 1; k < plan.slots; ++k) {
        if (!std::isfinite(estimate.relative[k]))
            without.push_back(k);
        else if (estimate.relative[k] == 0)
            zero.push_back(k);
    }
    std::string text;
    if (!without.empty())
        text += fmt::format(" Nothing can be said of {}.", positions(without));
    if (!zero.empty())
        text += fmt::format(" No click at {}: the value is 0 and has no interval.", positions(zero));
    return text;
}

std::string designWords(const Plan& plan) {
    std::string text;
    std::size_t told = 0;
    for (const auto& policy : plan.design.policies) {
        if (told == 3) {
            text += fmt::format("; and {} more", plan.design.policies.size() - told);
            break;
        }
        text += (told++ ? "; " : "") + orderOf(policy);
    }
    return text;
}

std::string swapWords(const Plan& plan, bool supported) {
    const SwapPair* best = nullptr;
    std::size_t usable = 0;
    for (const auto& pair : plan.design.swaps) {
        usable += pair.usable;
        if (!best || (pair.usable && !best->usable) || (pair.usable == best->usable && pair.exchanged > best->exchanged))
            best = &pair;
    }
    if (supported)
        return fmt::format("{} of positions {} exchanged at random between visits with the same items, most often positions {} and {} "
                           "({}, both orders equally frequent: {}). A ranker that decides by "
                           "taste between two items that are liked equally often would look the same.",
                           count(static_cast<double>(usable), "pair", "pairs"), usable == 1 ? "is" : "are", best->first + 1,
                           best->second + 1, count(static_cast<double>(best->exchanged), "visit", "visits"), pOf(best->pValue));
    if (best->repeated == 0)
        return fmt::format(
            "No two of the {} show the same items with the same two of them at a pair of positions, so no exchange can be seen.",
            count(static_cast<double>(plan.log->sessions()), "visit", "visits"));
    if (best->exchanged < plan.minimumOverlap)
        return fmt::format("No pair of positions is exchanged often enough: the most is {} at positions {} and {}, of {} that repeat the "
                           "same items there; {} are needed.",
                           count(static_cast<double>(best->exchanged), "visit", "visits"), best->first + 1, best->second + 1,
                           withThousands(best->repeated), plan.minimumOverlap);
    if (2 * best->repeated < best->held)
        return fmt::format(
            "Items change places at positions {} and {} in {}, but only {} of {} visits of that policy repeat a set of items "
            "there: that is how taste orders items, not how a coin does.",
            best->first + 1, best->second + 1, count(static_cast<double>(best->exchanged), "visit", "visits"),
            withThousands(best->repeated), withThousands(best->held));
    return fmt::format(
        "Items change places at positions {} and {} in {}, but nothing shows that a coin decides: of {} that repeat the same "
        "items there, one order may come in up to {} (both equally frequent: {}).",
        best->first + 1, best->second + 1, count(static_cast<double>(best->exchanged), "visit", "visits"), withThousands(best->repeated),
        percent(0.5 + std::min(best->imbalance, 1.0) / 2), pOf(best->pValue));
}

std::string harvestWords(Method method, const Plan& plan, const PositionBiasEstimate& estimate) {
    const auto& pairs = plan.pairs;
    std::size_t several = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(plan.index.items); ++i)
        several += plan.index.offsets[i + 1] - plan.index.offsets[i] > 1;
    const auto shown = count(static_cast<double>(several), "item was shown", "items were shown");
    if (!plan.harvest)
        return fmt::format(
            "{} at more than one position, but by one policy that does not choose at random ({}): who sees an item where may "
            "then follow from how much they like it. A second policy or a random order is needed.",
            shown, designWords(plan));
    std::vector<std::size_t> thin, silent;
    std::int64_t most = 0;
    std::size_t links = 0;
    for (std::size_t k = 0; k < plan.slots; ++k)
        for (std::size_t l = k + 1; l < plan.slots; ++l) {
            const bool asked = method == allPairs || (method == pivot ? k == 0 : l == k + 1);
            if (!asked)
                continue;
            most = std::max(most, pairs.overlap(k, l));
            links += plan.pairUsed(k, l);
            if (method != allPairs && !plan.pairUsed(k, l))
                thin.push_back(l);
            else if (method != allPairs && pairs.rate[pairs.at(method == pivot ? 0 : k, l)] <= 0)
                silent.push_back(method == pivot ? l : k);
        }
    const char* what = method == pivot ? "with position 1" : method == chain ? "with its neighbour" : "with another";
    std::string text =
        fmt::format("{} at more than one position{}; {} of positions share at least {} impressions {}.", shown,
                    plan.design.policies.size() > 1 ? fmt::format(" by {} policies", plan.design.policies.size()) : "",
                    count(static_cast<double>(links), "pair", "pairs"), plan.minimumOverlap, method == allPairs ? "on both sides" : what);
    if (links == 0)
        return text + fmt::format(" The most that any pair shares is {}.", count(static_cast<double>(most), "impression", "impressions"));
    if (!thin.empty())
        text += fmt::format(" Too few shared impressions {}: {}.", method == pivot ? "with position 1" : "with the position before",
                            positions(thin));
    if (!silent.empty())
        text += method == pivot ? fmt::format(" Position 1 has no click on the items it shares with {}.", positions(silent))
                                : fmt::format(" No click on the items shared with the next position: {}.", positions(silent));
    if (estimate.supported)
        text += plan.design.policies.size() > 1 ? " Holds if the policy that serves a visit does not depend on the user's taste."
                                                : " Holds because the order of the one policy is drawn at random.";
    else if (method == allPairs)
        text += " No pair ties another position to position 1 by clicks.";
    return text + (estimate.supported ? gaps(plan, estimate) : "");
}
} // namespace

PositionBiasEstimate named(Method method) {
    struct Names {
        const char *id, *name, *needs;
    };
    static constexpr std::array<Names, methodCount> names{{
        {"naive", "Naive click rates (confounded)", "nothing; mixes what the position does with how good the items are that stand there"},
        {"randomised", "Randomised order", "visits whose order was shuffled"},
        {"swap", "Exchanged pairs", "a policy that exchanges two positions at random, half of the time"},
        {"pivot", "Harvest against position 1", "the same item at position 1 and at the other position, by two policies or by chance"},
        {"chain", "Harvest along neighbours", "the same item at each two neighbouring positions, by two policies or by chance"},
        {"all_pairs", "Harvest over all pairs", "the same item at any two positions, by two policies or by chance"},
        {"regression_em", "Position-based model (regression-EM)",
         "the same item at several positions, for reasons that have nothing to do with who sees it"},
    }};
    PositionBiasEstimate estimate;
    estimate.id = names[method].id;
    estimate.name = names[method].name;
    estimate.needs = names[method].needs;
    return estimate;
}

std::string orderOf(const PolicyDesign& policy) {
    const auto& order = policy.order;
    const auto who = policy.name == "the log" ? policy.name : fmt::format("policy \"{}\"", quotedForMessage(policy.name));
    if (!order.possible)
        return fmt::format("{}: too few repeated items to see its order ({}{})", who,
                           count(static_cast<double>(policy.sessions.size()), "visit", "visits"),
                           policy.constant ? ", constant propensities" : "");
    const auto numbers =
        fmt::format("chi-square {:.1f} on {:.1f} degrees of freedom, {}", order.statistic, order.degrees, pOf(order.pValue));
    if (policy.shuffled)
        return fmt::format("{}: {} ({})", who, policy.constant ? "shuffled, with constant propensities" : "looks shuffled", numbers);
    if (order.pValue < 1e-3)
        return fmt::format("{}: not shuffled{} ({})", who, policy.constant ? " in spite of constant propensities" : "", numbers);
    return fmt::format("{}: cannot be told from shuffled, but shares may be off by {} ({})", who, percent(order.deviation), numbers);
}

std::string reasonOf(Method method, const Plan& plan, const Sums& sums, const PositionBiasEstimate& estimate) {
    const auto& pairs = plan.pairs;
    switch (method) {
    case naive: {
        if (!estimate.supported)
            return fmt::format("Position 1 has {} in {}: nothing to divide by.",
                               count(static_cast<double>(pairs.clicks[0]), "click", "clicks"),
                               count(static_cast<double>(pairs.impressions[0]), "impression", "impressions"));
        return fmt::format("Click rate {} at position 1, over {} in all. Confounded: better items usually stand further ahead, so the fall "
                           "is not the position's alone.",
                           percent(static_cast<double>(pairs.clicks[0]) / static_cast<double>(pairs.impressions[0])),
                           count(static_cast<double>(plan.log->rows()), "impression", "impressions")) +
               gaps(plan, estimate);
    }
    case randomised: {
        const bool any = plan.design.anyShuffled();
        const auto first = plan.shuffledSessions[0];
        if (!any)
            return fmt::format("No policy shuffles its order: {}.", designWords(plan));
        if (!estimate.supported)
            return fmt::format("{} was shuffled, but position 1 has {} there: nothing to divide by.", count(first, "visit", "visits"),
                               count(sums.clicks[0], "click", "clicks"));
        return fmt::format("{} with a shuffled order; {}.", count(first, "visit", "visits"), designWords(plan)) + gaps(plan, estimate);
    }
    case swapped: {
        const bool any = plan.design.anySwap();
        auto text = swapWords(plan, any);
        if (any && !estimate.supported)
            text += " But no pair reaches position 1 with a click there.";
        return text + (estimate.supported ? gaps(plan, estimate) : "");
    }
    case regressionEm: {
        std::size_t several = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(plan.index.items); ++i)
            several += plan.index.offsets[i + 1] - plan.index.offsets[i] > 1;
        const auto shown = count(static_cast<double>(several), "item was shown", "items were shown");
        if (!estimate.supported)
            return fmt::format("{} at more than one position, and none of them ties another position to position 1 by clicks: examination "
                               "cannot be told from attraction.",
                               shown);
        return fmt::format("{} at more than one position. A model: it takes an item to be as attractive to those who see it late as to "
                           "those who see it first, which a ranker that knows the user breaks{}.",
                           shown, plan.start[regressionEm].converged ? "" : " (the fit stopped before it converged)") +
               gaps(plan, estimate);
    }
    default:
        return harvestWords(method, plan, estimate);
    }
}

std::string verdictOf(const Plan& plan, const PositionBias& result, const PositionBiasOptions& options) {
    std::string supported;
    for (std::size_t m = 1; m < methodCount; ++m)
        if (result.estimates[m].supported)
            supported += (supported.empty() ? "" : ", ") + result.estimates[m].name;
    if (result.recommended.empty())
        return fmt::format(
            "This log supports no estimate of what a position does. {} {} Only the click rates remain, and they mix position "
            "with the quality of the items.",
            result.estimates[randomised].reason, result.estimates[regressionEm].reason);
    const PositionBiasEstimate* chosen = nullptr;
    for (const auto& estimate : result.estimates)
        if (estimate.id == result.recommended)
            chosen = &estimate;
    std::size_t last = 1; // the furthest position that it speaks of
    for (std::size_t k = 1; k < plan.slots; ++k)
        if (std::isfinite(chosen->relative[k]))
            last = k;
    const auto naiveValue = result.estimates[naive].relative[last];
    const auto interval = chosen->interval[last];
    const auto ends = std::isfinite(interval.low) ? fmt::format(" ({} interval {} to {})", percent(options.confidence),
                                                                figures(interval.low), figures(interval.high))
                                                  : std::string();
    std::string text =
        result.recommended == "regression_em"
            ? fmt::format("With caution: only a model separates position from taste here ({}), since the log holds neither a "
                          "random order nor positions shared between policies.",
                          chosen->name)
            : fmt::format("Use \"{}\"; this log supports {}.", chosen->name, supported);
    text += fmt::format(" It puts position {} at {} of the examination of position 1{}", last + 1, figures(chosen->relative[last]), ends);
    text += std::isfinite(naiveValue) ? fmt::format("; the click rates alone would say {}.", figures(naiveValue)) : ".";
    if (plan.slots > static_cast<std::size_t>(options.window))
        text +=
            fmt::format(" From position {} on, behind the fold, this contains whether the position came into view, and everywhere whether "
                        "an earlier click ended the visit.",
                        options.window + 1);
    return text;
}

} // namespace carousel::bias
