// SPDX-License-Identifier: GPL-3.0-or-later
// Logs for the tests of position bias: tiny ones by hand, and simulated ones whose truth is known.
#pragma once
#include "base/random.h"
#include "evaluation/click_models/click_log.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <numeric>

namespace carousel::bias_logs {

inline void addSession(ClickLog& log, const std::vector<std::int32_t>& items, const std::vector<std::uint8_t>& clicks, int policy = 0) {
    for (std::size_t k = 0; k < items.size(); ++k) {
        log.item.push_back(items[k]);
        log.slot.push_back(static_cast<std::int16_t>(k));
        log.click.push_back(clicks[k]);
        log.items = std::max(log.items, items[k] + 1);
    }
    log.slots = std::max(log.slots, static_cast<std::int32_t>(items.size()));
    log.offsets.push_back(log.item.size());
    log.policy.push_back(static_cast<std::uint8_t>(policy));
    while (log.policies.size() <= static_cast<std::size_t>(policy))
        log.policies.push_back("policy " + std::to_string(log.policies.size()));
}

// Sizes beyond what the rows show. Here, since Qt makes a macro of the member's name.
inline void declareSize(ClickLog& log, std::int32_t items, std::int32_t positions) {
    log.items = items;
    log.slots = positions;
}

// `n` sessions like this one; slot k is clicked in the first clicks[k] of them.
inline void addSessions(ClickLog& log, int n, const std::vector<std::int32_t>& items, const std::vector<int>& clicks, int policy = 0) {
    for (int i = 0; i < n; ++i) {
        std::vector<std::uint8_t> one;
        for (const int c : clicks)
            one.push_back(i < c);
        addSession(log, items, one, policy);
    }
}

struct Simulation {
    std::vector<double> attraction, examination;
    std::size_t sessions = 20000;
    std::uint64_t seed = 1;
    // Puts the slate of a session in order: receives all item codes and keeps as many as there are slots; returns the policy.
    std::function<int(std::vector<std::int32_t>&, RandomStream&)> order;
    // P(click) of item at slot; empty: attraction x examination.
    std::function<double(std::int32_t item, std::size_t slot)> click;
};
inline ClickLog simulate(const Simulation& plan) {
    ClickLog log;
    std::vector<std::int32_t> all(plan.attraction.size());
    for (std::size_t s = 0; s < plan.sessions; ++s) {
        RandomStream random(plan.seed, "position bias test", s);
        std::iota(all.begin(), all.end(), 0);
        const int policy = plan.order(all, random);
        std::vector<std::int32_t> slate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(plan.examination.size()));
        std::vector<std::uint8_t> clicks;
        for (std::size_t k = 0; k < slate.size(); ++k) {
            const double p =
                plan.click ? plan.click(slate[k], k) : plan.attraction[static_cast<std::size_t>(slate[k])] * plan.examination[k];
            clicks.push_back(random.uniform() < p);
        }
        addSession(log, slate, clicks, policy);
    }
    log.items = static_cast<std::int32_t>(plan.attraction.size());
    return log;
}

inline void shuffle(std::vector<std::int32_t>& items, RandomStream& random) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[random.below(i)]);
}
// Best first by attraction x a taste of this user with the given spread; 0: the same order for all.
inline void sortByTaste(std::vector<std::int32_t>& items, const std::vector<double>& attraction, double spread, RandomStream& random) {
    std::vector<double> score;
    for (const double a : attraction)
        score.push_back(std::log(a) + (spread > 0 ? spread * random.normal() : 0));
    std::stable_sort(items.begin(), items.end(),
                     [&](auto a, auto b) { return score[static_cast<std::size_t>(a)] > score[static_cast<std::size_t>(b)]; });
}
inline std::vector<double> fallingAttraction(std::size_t n, double first = 0.5, double last = 0.1) {
    std::vector<double> a;
    for (std::size_t i = 0; i < n; ++i)
        a.push_back(first * std::pow(last / first, static_cast<double>(i) / static_cast<double>(n - 1)));
    return a;
}
inline const std::vector<double> knownExamination{1, 0.8, 0.62, 0.5, 0.38, 0.3};

} // namespace carousel::bias_logs
