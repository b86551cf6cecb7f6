// SPDX-License-Identifier: GPL-3.0-or-later
// Are logged propensities right? If item d stands in a slot with probability e(d), then w = (1 / items in the support) / e(d) has mean 1
// there. Items count as the support when their logged propensity makes at least ten showings expected, which does not look at whether they
// came up more or less often than that; all others weigh 0, which leaves the mean at 1. Standard errors are between clusters.
// Where slots are filled one after the other a propensity may be meant given the items before: then the items of the support that are still
// free take the place of the whole support, and the mean is 1 again. A policy's propensities are right when one of the two readings holds.
#include "base/text.h"
#include "evaluation/position_bias/assumptions.h"
#include "evaluation/position_bias/describe.h"
#include "evaluation/position_bias/words.h"
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel::bias {

namespace {
struct Place { // one policy and slot
    double n = 0, sum = 0, error = 0, mean = 0;
    std::size_t support = 0;
};

// Mean weight and its standard error per slot of one policy; `givenBefore`: propensities are meant given the items in the slots before.
std::vector<Place> weights(const ClickLog& log, const PolicyDesign& policy, bool givenBefore) {
    const auto slots = static_cast<std::size_t>(log.slots), items = static_cast<std::size_t>(log.items);
    std::vector<double> shown(slots * items, 0), propensity(slots * items, 0);
    std::vector<Place> places(slots);
    const auto known = [&](std::size_t r) { return std::isfinite(log.propensity[r]) && log.propensity[r] > 0; };
    for (const auto s : policy.sessions)
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            if (known(r)) {
                const std::size_t at = static_cast<std::size_t>(log.slot[r]) * items + static_cast<std::size_t>(log.item[r]);
                ++shown[at];
                propensity[at] += static_cast<double>(log.propensity[r]);
                ++places[static_cast<std::size_t>(log.slot[r])].n;
            }
    std::vector<char> supported(slots * items, 0);
    for (std::size_t k = 0; k < slots; ++k)
        for (std::size_t at = k * items; at < (k + 1) * items; ++at)
            if (shown[at] > 0 && places[k].n * propensity[at] / shown[at] >= 10)
                supported[at] = 1, ++places[k].support;
    const auto isSupported = [&](std::size_t k, std::size_t r) { return supported[k * items + static_cast<std::size_t>(log.item[r])] != 0; };
    const auto weight = [&](std::size_t first, std::size_t r) {
        const auto k = static_cast<std::size_t>(log.slot[r]);
        if (!isSupported(k, r))
            return 0.0;
        std::size_t possible = places[k].support;
        for (std::size_t before = first; givenBefore && before < r; ++before)
            possible -= isSupported(k, before);
        return 1 / (static_cast<double>(std::max<std::size_t>(possible, 1)) * static_cast<double>(log.propensity[r]));
    };
    for (const auto s : policy.sessions)
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            if (known(r))
                places[static_cast<std::size_t>(log.slot[r])].sum += weight(log.offsets[s], r);
    for (auto& place : places)
        place.mean = place.n > 0 ? place.sum / place.n : 0;
    std::vector<std::uint32_t> order(policy.sessions);
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return log.cluster.empty() ? a < b : log.cluster[a] < log.cluster[b]; });
    std::vector<double> off(slots, 0), squares(slots, 0);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t s = order[i];
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            if (known(r))
                off[static_cast<std::size_t>(log.slot[r])] += weight(log.offsets[s], r) - places[static_cast<std::size_t>(log.slot[r])].mean;
        if (i + 1 == order.size() || log.cluster.empty() || log.cluster[order[i + 1]] != log.cluster[s])
            for (std::size_t k = 0; k < slots; ++k) {
                squares[k] += off[k] * off[k];
                off[k] = 0;
            }
    }
    for (std::size_t k = 0; k < slots; ++k)
        places[k].error = places[k].n > 0 ? std::sqrt(squares[k]) / places[k].n : 0;
    return places;
}

struct Reading { // all slots of one policy
    double largest = -1, pValue = 1, within = 0;
    std::size_t tested = 0, outside = 0, slot = 0;
    std::int64_t n = 0;
    Place worst;
};
Reading read(const std::vector<Place>& places) {
    Reading out;
    for (std::size_t k = 0; k < places.size(); ++k) {
        const auto& place = places[k];
        if (place.n < 30 || place.support < 2)
            continue;
        ++out.tested;
        out.n += static_cast<std::int64_t>(place.n);
        const double off = place.mean - 1;
        out.within = std::max(out.within, std::fabs(off) + 3 * place.error);
        // Weights that are all alike have no spread: then only rounding may part them from 1.
        const double z = place.error > 1e-9 ? std::fabs(off) / place.error : std::fabs(off) < 1e-4 ? 0 : 1e3;
        out.outside += z > 3;
        if (z > out.largest) {
            out.largest = z;
            out.worst = place;
            out.slot = k;
        }
        out.pValue = std::min(out.pValue, z > 37 ? 0.0 : 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z)));
    }
    return out;
}
} // namespace

AssumptionTest testPropensities(const ClickLog& log, const LogDesign& design) {
    AssumptionTest test;
    test.id = "propensities";
    test.question = "Are the logged propensities right?";
    if (std::none_of(design.policies.begin(), design.policies.end(), [](const auto& policy) { return policy.known; }))
        return untestable(std::move(test),
                          "Cannot be tested: the log holds no propensities. Estimates that weigh by them are not available.");
    double p = 1, largest = -1, within = 0;
    std::size_t tested = 0, outside = 0;
    std::string worst, others;
    for (const auto& policy : design.policies) {
        if (!policy.known)
            continue;
        if (policy.ofOwnItems && policy.order.possible) {
            // Propensities of a shuffle of the visit's own items: right exactly if the order is shuffled.
            ++tested;
            test.n += policy.order.impressions;
            p = std::min(p, policy.order.pValue);
            outside += policy.order.pValue < 0.0027;
            within = std::max(within, policy.order.deviation);
            others +=
                fmt::format(" Propensities of policy \"{}\" are those of a shuffle of each visit's own items, so its order was tested: {}.",
                            quotedForMessage(policy.name), orderOf(policy));
            continue;
        }
        // Of the two readings the one that the log contradicts less.
        Reading best = read(weights(log, policy, false));
        const bool severalSlots = std::any_of(policy.sessions.begin(), policy.sessions.end(),
                                              [&](auto visit) { return log.offsets[visit + 1] - log.offsets[visit] > 1; });
        if (severalSlots)
            if (Reading given = read(weights(log, policy, true)); given.largest < best.largest) {
                best = given;
                others += fmt::format(" Propensities of policy \"{}\" are read as given the items in the positions before.",
                                      quotedForMessage(policy.name));
            }
        tested += best.tested;
        test.n += best.n;
        outside += best.outside;
        within = std::max(within, best.within);
        p = std::min(p, best.pValue);
        if (best.tested > 0 && best.largest > largest) {
            largest = best.largest;
            test.statistic = best.worst.mean;
            worst = fmt::format(
                "policy \"{}\", position {}: mean weight {:.3f} +- {:.3f} (3 standard errors) over {} impressions of {} items",
                quotedForMessage(policy.name), best.slot + 1, best.worst.mean, 3 * best.worst.error,
                withThousands(static_cast<std::int64_t>(best.worst.n)), best.worst.support);
        }
    }
    if (tested == 0)
        return untestable(std::move(test),
                          "Cannot be tested: no position of a policy has 30 impressions and two items that its propensities "
                          "make likely to be shown ten times.");
    test.pValue = std::min(1.0, p * static_cast<double>(tested));
    test.verdict = within <= 0.1 ? Assumption::holds : Assumption::notShown;
    if (!worst.empty())
        test.words =
            fmt::format("Weights (1 / items in the support) / propensity must average 1. Furthest off: {}; {} of {} outside 3 standard "
                        "errors.",
                        worst, outside, count(static_cast<double>(tested), "place", "places"));
    test.words += others;
    return test;
}

AssumptionTest testShuffledOrder(const LogDesign& design) {
    AssumptionTest test;
    test.id = "order_shuffled";
    test.question = "Is the order of the items random?";
    double p = 1, tested = 0, deviation = 0;
    std::string words;
    for (const auto& policy : design.policies) {
        words += (words.empty() ? "" : "; ") + orderOf(policy);
        if (!policy.order.possible)
            continue;
        ++tested;
        test.n += policy.order.impressions;
        deviation = std::max(deviation, policy.order.deviation);
        if (tested == 1 || policy.order.pValue < p || (policy.order.pValue == p && policy.order.statistic > test.statistic))
            p = policy.order.pValue, test.statistic = policy.order.statistic;
    }
    words +=
        ". Tested on how often each item stands at each position; a ranker that sorts for every user, with no items that are first for "
        "many, would not be noticed.";
    if (tested == 0)
        return untestable(std::move(test), "Cannot be tested: no item was shown often enough. " + words);
    test.pValue = std::min(1.0, p * tested);
    test.verdict = deviation <= 0.1 && test.pValue >= 0.05 ? Assumption::holds : Assumption::notShown;
    test.words = std::move(words);
    return test;
}

} // namespace carousel::bias
