// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/beyond_accuracy.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace carousel {

namespace {
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double jaccard(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
    std::size_t i = 0, j = 0, both = 0;
    while (i < a.size() && j < b.size()) {
        both += a[i] == b[j];
        const auto left = a[i], right = b[j];
        i += left <= right;
        j += right <= left;
    }
    const std::size_t either = a.size() + b.size() - both;
    return either > 0 ? static_cast<double>(both) / static_cast<double>(either) : 0;
}
double sum(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}
} // namespace

ShownList shownItems(const RankedUser& user, int k) {
    ShownList shown;
    const std::size_t n = user.items.size();
    const std::size_t cut = std::min(n, static_cast<std::size_t>(std::max(k, 0)));
    std::size_t first = cut, last = cut; // the group that straddles the cut, if one does
    if (cut > 0 && cut < n && !user.rankScore.empty() && user.rankScore[cut - 1] == user.rankScore[cut]) {
        while (first > 0 && user.rankScore[first - 1] == user.rankScore[cut])
            --first;
        while (last < n && user.rankScore[last] == user.rankScore[cut])
            ++last;
    }
    shown.certain = first;
    shown.drawn = cut - first;
    for (std::size_t i = 0; i < last; ++i)
        shown.items.push_back({user.items[i], i < first});
    return shown;
}

std::vector<float> noveltyBits(const CatalogueFacts& facts, std::size_t evaluatedUsers) {
    const double users = static_cast<double>(facts.trainingUsers > 0 ? facts.trainingUsers : evaluatedUsers);
    std::vector<float> bits(facts.popularity.size());
    for (std::size_t i = 0; i < bits.size(); ++i) {
        const double liked = std::clamp(static_cast<double>(facts.popularity[i]), 0.0, 1.0) * users;
        bits[i] = static_cast<float>(-std::log2((liked + 1) / (users + 1)));
    }
    return bits;
}

BoundedValue noveltyOf(const ShownList& shown, std::span<const float> bitsPerItem) {
    const std::size_t count = shown.certain + shown.drawn;
    double certain = 0;
    std::vector<double> open;
    for (const auto& entry : shown.items) {
        if (entry.item < 0 || static_cast<std::size_t>(entry.item) >= bitsPerItem.size())
            return {undefined, undefined, undefined};
        const double bits = static_cast<double>(bitsPerItem[static_cast<std::size_t>(entry.item)]);
        if (entry.certain)
            certain += bits;
        else
            open.push_back(bits);
    }
    if (count == 0)
        return {undefined, undefined, undefined};
    std::sort(open.begin(), open.end());
    const std::span<const double> sorted = open;
    const double n = static_cast<double>(count);
    return {(certain + shown.share() * sum(sorted)) / n, (certain + sum(sorted.first(shown.drawn))) / n,
            (certain + sum(sorted.last(shown.drawn))) / n};
}

BoundedValue diversityOf(const ShownList& shown, const CatalogueFacts& facts) {
    const std::size_t count = shown.certain + shown.drawn;
    if (count < 2 || facts.itemTokens.empty())
        return {undefined, undefined, undefined};
    for (const auto& entry : shown.items)
        if (entry.item < 0 || static_cast<std::size_t>(entry.item) >= facts.itemTokens.size())
            return {undefined, undefined, undefined};
    auto tokens = [&](std::size_t i) -> std::span<const std::int32_t> {
        return facts.itemTokens[static_cast<std::size_t>(shown.items[i].item)];
    };
    const std::size_t all = shown.items.size();
    double settled = 0;
    std::vector<double> mixed, open; // per open item: similarity to all certain ones; per pair of open items
    for (std::size_t i = 0; i < shown.certain; ++i)
        for (std::size_t j = i + 1; j < shown.certain; ++j)
            settled += jaccard(tokens(i), tokens(j));
    for (std::size_t j = shown.certain; j < all; ++j) {
        double toCertain = 0;
        for (std::size_t i = 0; i < shown.certain; ++i)
            toCertain += jaccard(tokens(i), tokens(j));
        mixed.push_back(toCertain);
        for (std::size_t i = shown.certain; i < j; ++i)
            open.push_back(jaccard(tokens(i), tokens(j)));
    }
    const double pairs = static_cast<double>(count * (count - 1) / 2);
    const double c = static_cast<double>(shown.drawn), t = static_cast<double>(all - shown.certain);
    const double bothShown = t > 1 ? c * (c - 1) / (t * (t - 1)) : 0;
    BoundedValue result;
    result.value = 1 - (settled + shown.share() * sum(mixed) + bothShown * sum(open)) / pairs;
    std::sort(mixed.begin(), mixed.end());
    std::sort(open.begin(), open.end());
    const std::span<const double> m = mixed, o = open;
    const std::size_t drawnPairs = shown.drawn > 1 ? shown.drawn * (shown.drawn - 1) / 2 : 0;
    result.worst = 1 - (settled + sum(m.last(shown.drawn)) + sum(o.last(drawnPairs))) / pairs;
    result.best = 1 - (settled + sum(m.first(shown.drawn)) + sum(o.first(drawnPairs))) / pairs;
    return result;
}

BoundedValue coverageOf(std::span<const ShownList> users, std::size_t catalogueItems) {
    if (catalogueItems == 0)
        return {undefined, undefined, undefined};
    std::vector<double> absent(catalogueItems, 1); // P(no user is shown the item)
    std::vector<char> certain(catalogueItems, 0);
    for (const auto& user : users) {
        const double share = user.share();
        for (const auto& entry : user.items) {
            if (entry.item < 0 || static_cast<std::size_t>(entry.item) >= catalogueItems)
                return {undefined, undefined, undefined};
            const auto item = static_cast<std::size_t>(entry.item);
            absent[item] *= entry.certain ? 0 : 1 - share;
            certain[item] |= entry.certain;
        }
    }
    double expected = 0, sure = 0, possible = 0;
    for (std::size_t i = 0; i < catalogueItems; ++i) {
        expected += 1 - absent[i];
        sure += certain[i] != 0;
        possible += absent[i] < 1;
    }
    const double n = static_cast<double>(catalogueItems);
    return {expected / n, sure / n, possible / n};
}

} // namespace carousel
