// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/log_design.h"
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <cmath>
#include <tuple>
#include <unordered_map>

namespace carousel::bias {

namespace {
std::uint64_t mix(std::uint64_t x) { // the finaliser of SplitMix64
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
std::uint64_t slotsKey(const ClickLog& log, std::size_t s) {
    std::uint64_t key = 0;
    for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
        key += mix(static_cast<std::uint64_t>(log.slot[r]) + 1);
    return key;
}

// Largest noncentrality with which a value this small would still turn up once in twenty times.
double noncentralityBound(double degrees, double statistic) {
    try {
        if (boost::math::cdf(boost::math::chi_squared(degrees), statistic) <= 0.05)
            return 0;
        return boost::math::non_central_chi_squared::find_non_centrality(degrees, statistic, 0.05);
    } catch (const std::exception&) {
        return std::numeric_limits<double>::infinity();
    }
}

bool has(const ClickLog& log, std::size_t s, std::size_t slot, std::size_t& row) {
    const std::size_t begin = log.offsets[s], end = log.offsets[s + 1];
    if (begin + slot < end && static_cast<std::size_t>(log.slot[begin + slot]) == slot) { // whole slates
        row = begin + slot;
        return true;
    }
    for (std::size_t r = begin; r < end && static_cast<std::size_t>(log.slot[r]) <= slot; ++r)
        if (static_cast<std::size_t>(log.slot[r]) == slot) {
            row = r;
            return true;
        }
    return false;
}

void readPropensities(const ClickLog& log, PolicyDesign& policy) {
    if (log.propensity.empty())
        return;
    std::size_t rows = 0, known = 0, own = 0;
    double low = std::numeric_limits<double>::infinity(), high = 0, sum = 0;
    for (const auto s : policy.sessions) {
        const auto length = static_cast<double>(log.offsets[s + 1] - log.offsets[s]);
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const auto p = static_cast<double>(log.propensity[r]);
            ++rows;
            if (!std::isfinite(p) || p <= 0 || p > 1 + 1e-6)
                continue;
            ++known;
            own += std::fabs(p * length - 1) < 1e-3;
            low = std::min(low, p);
            high = std::max(high, p);
            sum += p;
        }
    }
    policy.known = known > 0 && static_cast<double>(known) >= 0.99 * static_cast<double>(rows);
    if (!policy.known)
        return;
    policy.meanPropensity = sum / static_cast<double>(known);
    policy.ofOwnItems = own == known && high <= 0.5 + 1e-6;
    policy.constant = high <= 0.5 + 1e-6 && (high - low <= 1e-3 * high || policy.ofOwnItems);
}

struct Alike { // a session whose pair of slots holds the same two items, among the same items, as others with this key
    std::uint64_t key;
    std::uint32_t session;
    bool turned; // the larger code comes first
};
struct Exchange { // one policy at one pair of slots
    std::int64_t held = 0, repeated = 0, exchanged = 0;
    double groups = 0, statistic = 0;
};

// Sorts the sessions of a policy that hold both slots into groups that show the same items with the same two at the pair.
std::vector<Alike> alikeAt(const ClickLog& log, const PolicyDesign& policy, const std::vector<std::uint64_t>& set, const SwapPair& pair) {
    std::vector<Alike> alike;
    for (const auto s : policy.sessions) {
        std::size_t a = 0, b = 0;
        if (!has(log, s, pair.first, a) || !has(log, s, pair.second, b) || log.item[a] == log.item[b])
            continue;
        const auto low = static_cast<std::uint64_t>(std::min(log.item[a], log.item[b])),
                   high = static_cast<std::uint64_t>(std::max(log.item[a], log.item[b]));
        alike.push_back({mix(set[s] ^ mix(low << 32 | high)), s, log.item[a] > log.item[b]});
    }
    std::sort(alike.begin(), alike.end(),
              [](const Alike& x, const Alike& y) { return x.key != y.key ? x.key < y.key : x.session < y.session; });
    return alike;
}

// Calls body(begin, end, turned) for every group.
template <class Body> void forGroups(const std::vector<Alike>& alike, const Body& body) {
    for (std::size_t begin = 0, end = 0; begin < alike.size(); begin = end) {
        std::int64_t turned = 0;
        for (end = begin; end < alike.size() && alike[end].key == alike[begin].key; ++end)
            turned += alike[end].turned;
        body(begin, end, turned);
    }
}

void findSwaps(const ClickLog& log, std::int64_t minimumOverlap, const RunControl& control, LogDesign& design) {
    std::vector<std::uint64_t> set(log.sessions());
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        set[s] = slotsKey(log, s);
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            set[s] += mix(static_cast<std::uint64_t>(log.item[r]) + (std::uint64_t(1) << 40));
    }
    const auto slots = static_cast<std::size_t>(log.slots);
    for (std::size_t k = 1; k < slots; ++k)
        design.swaps.push_back({0, k});
    for (std::size_t k = 1; k + 1 < slots; ++k)
        design.swaps.push_back({k, k + 1});
    for (std::size_t p = 0; p < design.swaps.size(); ++p) {
        SwapPair best = design.swaps[p]; // the sum over policies that exchange it, else the policy that comes closest
        for (const auto& policy : design.policies) {
            if (control.stopRequested())
                return;
            const auto alike = alikeAt(log, policy, set, best);
            Exchange found;
            found.held = static_cast<std::int64_t>(alike.size());
            forGroups(alike, [&](std::size_t begin, std::size_t end, std::int64_t turned) {
                const auto n = static_cast<std::int64_t>(end - begin);
                if (n < 2)
                    return;
                found.repeated += n;
                found.exchanged += turned > 0 && turned < n ? n : 0;
                ++found.groups;
                found.statistic += static_cast<double>((2 * turned - n) * (2 * turned - n)) / static_cast<double>(n);
            });
            if (found.groups == 0)
                continue;
            const double pValue = boost::math::cdf(boost::math::complement(boost::math::chi_squared(found.groups), found.statistic));
            const double imbalance = std::sqrt(noncentralityBound(found.groups, found.statistic) / static_cast<double>(found.repeated));
            // Taste exchanges items too. What tells a coin from it: most visits repeat a set of items, and both orders come equally often.
            if (found.exchanged >= minimumOverlap && 2 * found.repeated >= found.held && pValue >= 1e-3 && imbalance <= 0.25) {
                if (!best.usable)
                    best = design.swaps[p], best.usable = true, best.imbalance = 0;
                best.repeated += found.repeated;
                best.exchanged += found.exchanged;
                best.pValue = std::min(best.pValue, pValue);
                best.imbalance = std::max(best.imbalance, imbalance);
                // A click counts for its order of its group, both orders being given the same weight.
                forGroups(alike, [&](std::size_t begin, std::size_t end, std::int64_t turned) {
                    const auto n = static_cast<std::int64_t>(end - begin), straight = n - turned;
                    if (turned == 0 || straight == 0)
                        return;
                    for (std::size_t i = begin; i < end; ++i) {
                        const auto share = static_cast<double>(alike[i].turned ? straight : turned) / static_cast<double>(n);
                        std::size_t a = 0, b = 0;
                        has(log, alike[i].session, best.first, a);
                        has(log, alike[i].session, best.second, b);
                        if (log.click[a])
                            design.swapClicks.push_back({alike[i].session, static_cast<std::uint16_t>(p), false, share});
                        if (log.click[b])
                            design.swapClicks.push_back({alike[i].session, static_cast<std::uint16_t>(p), true, share});
                    }
                });
            } else if (!best.usable && (found.exchanged > best.exchanged || best.repeated == 0)) {
                best.held = found.held;
                best.repeated = found.repeated;
                best.exchanged = found.exchanged;
                best.pValue = pValue;
                best.imbalance = imbalance;
            }
        }
        design.swaps[p] = best;
    }
    // Keys sort sessions in a way that depends on item codes; sums must not.
    std::sort(design.swapClicks.begin(), design.swapClicks.end(), [](const SwapClick& x, const SwapClick& y) {
        return std::tie(x.session, x.pair, x.second) < std::tie(y.session, y.pair, y.second);
    });
}
} // namespace

OrderTest testOrder(const ClickLog& log, std::span<const std::uint32_t> sessions, const RunControl& control) {
    OrderTest test;
    std::unordered_map<std::uint64_t, std::int64_t> patterns;
    std::uint64_t pattern = 0;
    std::int64_t most = 0;
    for (const auto s : sessions)
        if (log.offsets[s + 1] - log.offsets[s] >= 2)
            if (const auto count = ++patterns[slotsKey(log, s)]; count > most)
                most = count, pattern = slotsKey(log, s);
    if (most == 0)
        return test;
    std::vector<std::uint32_t> used;
    for (const auto s : sessions)
        if (log.offsets[s + 1] - log.offsets[s] >= 2 && slotsKey(log, s) == pattern)
            used.push_back(s);
    const std::size_t m = log.offsets[used[0] + 1] - log.offsets[used[0]];
    const auto items = static_cast<std::size_t>(log.items);

    // Where each item was shown: positions (used session, place) by item.
    std::vector<std::size_t> offsets(items + 1, 0);
    for (const auto s : used)
        for (std::size_t j = 0; j < m; ++j)
            ++offsets[static_cast<std::size_t>(log.item[log.offsets[s] + j]) + 1];
    for (std::size_t i = 0; i < items; ++i)
        offsets[i + 1] += offsets[i];
    std::vector<std::size_t> shown(offsets.back());
    auto next = offsets;
    for (const auto s : used)
        for (std::size_t j = 0; j < m; ++j)
            shown[next[static_cast<std::size_t>(log.item[log.offsets[s] + j])]++] = log.offsets[s] + j;
    std::vector<std::uint32_t> sessionOf(log.rows());
    for (const auto s : used)
        for (std::size_t j = 0; j < m; ++j)
            sessionOf[log.offsets[s] + j] = s;

    // Items whose expected count per slot is at least 2. Standardised counts of items i and j have correlation -n_ij / ((m - 1) sqrt(n_i
    // n_j)) with n_ij the sessions that show both, so the sum of squares has the first two moments below.
    const auto count = [&](std::size_t i) { return offsets[i + 1] - offsets[i]; };
    const auto enough = [&](std::size_t i) { return count(i) >= 2 * m; };
    std::vector<double> perSlot(m);
    std::vector<std::uint32_t> together(items, 0);
    std::vector<std::int32_t> touched;
    double sum = 0, trace = 0, squares = 0;
    const auto places = static_cast<double>(m);
    for (std::size_t i = 0; i < items; ++i) {
        if (control.stopRequested())
            return {};
        if (!enough(i))
            continue;
        ++test.items;
        std::fill(perSlot.begin(), perSlot.end(), 0.0);
        touched.clear();
        for (std::size_t at = offsets[i]; at < offsets[i + 1]; ++at) {
            const std::size_t row = shown[at], begin = log.offsets[sessionOf[row]];
            ++perSlot[row - begin];
            for (std::size_t j = 0; j < m; ++j) {
                const auto other = static_cast<std::size_t>(log.item[begin + j]);
                if (other == i || !enough(other))
                    continue;
                if (together[other]++ == 0)
                    touched.push_back(static_cast<std::int32_t>(other));
            }
        }
        const auto n = static_cast<double>(count(i));
        for (const double observed : perSlot)
            sum += (observed - n / places) * (observed - n / places) / (n / places);
        trace += 1;
        squares += 1;
        for (const auto other : touched) {
            const auto both = static_cast<double>(together[static_cast<std::size_t>(other)]);
            squares += both * both / ((places - 1) * (places - 1) * n * static_cast<double>(count(static_cast<std::size_t>(other))));
            together[static_cast<std::size_t>(other)] = 0;
        }
        test.impressions += static_cast<std::int64_t>(count(i));
    }
    test.slots = static_cast<int>(m);
    if (test.items == 0)
        return test;
    test.possible = true;
    const double scale = squares / trace;
    test.degrees = (places - 1) * trace / scale;
    test.statistic = sum / scale;
    test.pValue = boost::math::cdf(boost::math::complement(boost::math::chi_squared(test.degrees), test.statistic));
    test.deviation = std::sqrt(noncentralityBound(test.degrees, test.statistic) * scale / static_cast<double>(test.impressions));
    return test;
}

bool LogDesign::anyShuffled() const {
    return std::any_of(policies.begin(), policies.end(), [](const auto& policy) { return policy.shuffled; });
}
bool LogDesign::anySwap() const {
    return std::any_of(swaps.begin(), swaps.end(), [](const auto& pair) { return pair.usable; });
}
bool LogDesign::anyRandom() const {
    return anyShuffled() || anySwap() ||
           std::any_of(policies.begin(), policies.end(), [](const auto& policy) { return policy.known && policy.meanPropensity < 0.99; });
}

LogDesign readDesign(const ClickLog& log, std::int64_t minimumOverlap, const RunControl& control, bool withSwaps) {
    LogDesign design;
    std::vector<std::vector<std::uint32_t>> sessions(256);
    for (std::size_t s = 0; s < log.sessions(); ++s)
        sessions[log.policy.empty() ? 0 : log.policy[s]].push_back(static_cast<std::uint32_t>(s));
    for (std::size_t code = 0; code < sessions.size(); ++code) {
        if (sessions[code].empty())
            continue;
        PolicyDesign policy;
        policy.name = code < log.policies.size() ? log.policies[code] : log.policy.empty() ? "the log" : "policy " + std::to_string(code);
        policy.sessions = std::move(sessions[code]);
        policy.order = testOrder(log, policy.sessions, control);
        readPropensities(log, policy);
        // A share that is off by up to a fifth still leaves the slots comparable; a test that could not notice more says nothing.
        const bool contradicted = policy.order.possible && policy.order.pValue < 1e-3;
        policy.shuffled = !contradicted && (policy.constant || (policy.order.possible && policy.order.deviation <= 0.2));
        design.policies.push_back(std::move(policy));
    }
    if (withSwaps)
        findSwaps(log, minimumOverlap, control, design);
    return design;
}

} // namespace carousel::bias
