// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/interleaving.h"
#include "evaluation/statistics/proportion.h"
#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <unordered_set>

namespace carousel {

Interleaved teamDraft(std::span<const std::int32_t> a, std::span<const std::int32_t> b, std::size_t length, RandomStream& random) {
    Interleaved out;
    std::unordered_set<std::int32_t> taken;
    std::size_t next[2] = {0, 0};
    const std::span<const std::int32_t> lists[2] = {a, b};
    const auto pick = [&](std::size_t team) {
        auto& place = next[team];
        while (place < lists[team].size() && taken.count(lists[team][place]))
            ++place;
        if (place == lists[team].size() || out.items.size() == length)
            return false;
        taken.insert(lists[team][place]);
        out.items.push_back(lists[team][place]);
        out.team.push_back(static_cast<std::uint8_t>(team));
        return true;
    };
    for (bool grew = true; grew && out.items.size() < length;) {
        const std::size_t first = random.below(2);
        grew = pick(first);
        grew = pick(1 - first) || grew;
    }
    return out;
}

Interleaved probabilisticInterleave(std::span<const std::int32_t> a, std::span<const std::int32_t> b, std::size_t length, RandomStream& random, double tau) {
    Interleaved out;
    std::unordered_set<std::int32_t> taken;
    const std::span<const std::int32_t> lists[2] = {a, b};
    while (out.items.size() < length) {
        const std::size_t team = random.below(2);
        double total = 0;
        for (std::size_t r = 0; r < lists[team].size(); ++r)
            if (!taken.count(lists[team][r]))
                total += std::pow(static_cast<double>(r + 1), -tau);
        if (!(total > 0)) { // this list is used up; the other one may not be
            const auto& other = lists[1 - team];
            if (std::all_of(other.begin(), other.end(), [&](std::int32_t item) { return taken.count(item) > 0; }))
                break;
            continue;
        }
        double left = random.uniform() * total;
        std::int32_t chosen = -1;
        for (std::size_t r = 0; r < lists[team].size(); ++r)
            if (!taken.count(lists[team][r])) {
                chosen = lists[team][r];
                left -= std::pow(static_cast<double>(r + 1), -tau);
                if (left < 0)
                    break;
            }
        taken.insert(chosen);
        out.items.push_back(chosen);
        out.team.push_back(static_cast<std::uint8_t>(team));
    }
    return out;
}

InterleavingResult judge(std::span<const int> clicksA, std::span<const int> clicksB, double confidence) {
    InterleavingResult out;
    for (std::size_t i = 0; i < clicksA.size(); ++i)
        ++(clicksA[i] > clicksB[i] ? out.winsA : clicksB[i] > clicksA[i] ? out.winsB : out.ties);
    const auto all = static_cast<double>(clicksA.size()), decided = static_cast<double>(out.winsA + out.winsB);
    if (all > 0)
        out.preference = (static_cast<double>(out.winsA) + static_cast<double>(out.ties) / 2) / all - 0.5;
    if (decided > 0) {
        using boost::math::binomial;
        const binomial fair(decided, 0.5);
        const auto most = static_cast<double>(std::max(out.winsA, out.winsB));
        out.pValue = std::min(1.0, 2 * boost::math::cdf(boost::math::complement(fair, most - 1)));
        out.winShare = clopperPearson(static_cast<double>(out.winsA), decided, confidence);
    }
    return out;
}

} // namespace carousel
