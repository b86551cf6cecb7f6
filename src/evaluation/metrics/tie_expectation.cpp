// SPDX-License-Identifier: GPL-3.0-or-later
// Derivation. A tie group holds ranks s..s+t-1, m of its t items are relevant, every order is equally likely, and everything above it is
// settled: r0 relevant items lie before it. With c = how many of its ranks are within k:
//   found      E = m c / t
//   hit        P(at least one within c) = 1 - C(t-m, c) / C(t, c)                                        (hypergeometric)
//   first hit  P(offset j) = C(t-1-j, m-1) / C(t, m); only the first group with a relevant item can hold it
//   DCG        each relevant item is at each rank with the same chance: sum of gains / t * sum of the c discounts
//   AP         E[rel(s+j) * hits up to there] = m/t * (r0 + 1 + j (m-1)/(t-1)): given that rank s+j is relevant, the other m-1 are
//              spread evenly over the t-1 other ranks, j of which lie before
// Groups are independent, and only one can straddle k.
#include "evaluation/metrics/tie_expectation.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

struct RankKernel::Sums {
    double found = 0, hit = 0, reciprocal = 0, dcg = 0, precisionSum = 0;
};

RankKernel::RankKernel(int k) : m_k(std::max(k, 1)) {
    const auto size = static_cast<std::size_t>(m_k) + 1;
    m_discount.assign(size, 0);
    m_cumulative.assign(size, 0);
    for (std::size_t r = 1; r < size; ++r) {
        m_discount[r] = 1 / std::log2(static_cast<double>(r) + 1);
        m_cumulative[r] = m_cumulative[r - 1] + m_discount[r];
    }
}

double RankKernel::discountSum(std::int64_t first, std::int64_t count) const {
    const auto before = static_cast<std::size_t>(first - 1);
    return m_cumulative[before + static_cast<std::size_t>(count)] - m_cumulative[before];
}

double RankKernel::idealDcg(std::span<const TargetPlace> places) const {
    const std::size_t n = std::min<std::size_t>(places.size(), static_cast<std::size_t>(m_k));
    const float first = places.front().gain;
    if (std::all_of(places.begin(), places.end(), [&](const TargetPlace& p) { return p.gain == first; }))
        return static_cast<double>(first) * m_cumulative[n];
    std::vector<float> gains;
    gains.reserve(places.size());
    for (const auto& place : places)
        gains.push_back(place.gain);
    std::sort(gains.begin(), gains.end(), std::greater<>());
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        sum += static_cast<double>(gains[i]) * m_discount[i + 1];
    return sum;
}

RankingFigures RankKernel::normalised(const Sums& sums, std::size_t relevant, double ideal) const {
    const double all = static_cast<double>(relevant);
    return {.hitRate = sums.hit,
            .ndcg = ideal > 0 ? sums.dcg / ideal : 0,
            .mrr = sums.reciprocal,
            .map = sums.precisionSum / std::min(all, static_cast<double>(m_k)),
            .recall = sums.found / all,
            .precision = sums.found / m_k};
}

namespace {
// Calls visit(first, last) for each run of equal rank; places are sorted, unranked ones come last and are left out.
template <class Visit> void eachGroup(std::span<const TargetPlace> places, Visit visit) {
    for (std::size_t i = 0; i < places.size() && places[i].rank > 0;) {
        std::size_t j = i + 1;
        while (j < places.size() && places[j].rank == places[i].rank)
            ++j;
        visit(i, j);
        i = j;
    }
}
void sortPlaces(std::span<TargetPlace> places) {
    auto key = [](const TargetPlace& p) { return p.rank > 0 ? p.rank : std::numeric_limits<std::int32_t>::max(); };
    std::sort(places.begin(), places.end(),
              [&](const TargetPlace& a, const TargetPlace& b) { return key(a) != key(b) ? key(a) < key(b) : a.gain > b.gain; });
}
bool hasTies(std::span<const TargetPlace> places) {
    return std::any_of(places.begin(), places.end(), [](const TargetPlace& p) { return p.rank > 0 && p.ties > 1; });
}
} // namespace

RankKernel::Sums RankKernel::strictOrder(std::span<const TargetPlace> places, bool worst) const {
    Sums sums;
    std::int64_t hits = 0;
    eachGroup(places, [&](std::size_t first, std::size_t last) {
        const auto m = static_cast<std::int64_t>(last - first);
        const std::int64_t t = std::max<std::int64_t>(places[first].ties, m);
        for (std::int64_t j = 0; j < m; ++j) {
            const std::int64_t rank = places[first].rank + (worst ? t - m + j : j);
            const auto index = worst ? last - 1 - static_cast<std::size_t>(j) : first + static_cast<std::size_t>(j);
            ++hits;
            if (rank > m_k)
                break;
            if (sums.found == 0)
                sums.reciprocal = 1 / static_cast<double>(rank);
            sums.hit = 1;
            sums.found += 1;
            sums.dcg += static_cast<double>(places[index].gain) * m_discount[static_cast<std::size_t>(rank)];
            sums.precisionSum += static_cast<double>(hits) / static_cast<double>(rank);
        }
    });
    return sums;
}

RankKernel::Sums RankKernel::expectedOrder(std::span<const TargetPlace> places) const {
    Sums sums;
    double missed = 1; // P(no relevant item so far)
    double before = 0; // relevant items above this group
    eachGroup(places, [&](std::size_t first, std::size_t last) {
        const std::int64_t s = places[first].rank;
        const auto m = static_cast<std::int64_t>(last - first);
        const std::int64_t t = std::max<std::int64_t>(places[first].ties, m);
        const std::int64_t c = std::clamp<std::int64_t>(m_k - s + 1, 0, t);
        const double share = static_cast<double>(m) / static_cast<double>(t);
        if (c > 0) {
            double gain = 0;
            for (std::size_t i = first; i < last; ++i)
                gain += static_cast<double>(places[i].gain);
            sums.found += share * static_cast<double>(c);
            sums.dcg += gain / static_cast<double>(t) * discountSum(s, c);
            const double each = t > 1 ? static_cast<double>(m - 1) / static_cast<double>(t - 1) : 0;
            double firstHere = share, none = 1; // P(first hit at offset j); P(none of the first j + 1)
            for (std::int64_t j = 0; j < c; ++j) {
                const double rank = static_cast<double>(s + j);
                sums.precisionSum += share * (before + 1 + static_cast<double>(j) * each) / rank;
                if (before == 0) {
                    sums.reciprocal += firstHere / rank;
                    none = std::max(0.0, none - firstHere);
                    firstHere = t - 1 - j > 0 ? firstHere * static_cast<double>(t - m - j) / static_cast<double>(t - 1 - j) : 0;
                }
            }
            missed *= before == 0 ? (c == t ? 0 : none) : 1;
        }
        before += static_cast<double>(m);
    });
    sums.hit = 1 - missed;
    return sums;
}

RankingFigures RankKernel::expected(std::span<TargetPlace> places) const {
    sortPlaces(places);
    const double ideal = idealDcg(places);
    return normalised(hasTies(places) ? expectedOrder(places) : strictOrder(places, false), places.size(), ideal);
}

TieFigures RankKernel::figures(std::span<TargetPlace> places) const {
    sortPlaces(places);
    const double ideal = idealDcg(places);
    TieFigures result;
    result.best = normalised(strictOrder(places, false), places.size(), ideal);
    if (!hasTies(places)) {
        result.expected = result.worst = result.best;
        return result;
    }
    result.worst = normalised(strictOrder(places, true), places.size(), ideal);
    result.expected = normalised(expectedOrder(places), places.size(), ideal);
    return result;
}

} // namespace carousel
