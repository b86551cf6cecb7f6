// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/permutations.h"
#include "base/random.h"
#include "evaluation/statistics/rank_agreement.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace carousel::plugin {

namespace {
constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::uint64_t keyOf(std::span<const Code> sorted) { // FNV-1a over the codes
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const Code code : sorted)
        for (int byte = 0; byte < 4; ++byte)
            hash = (hash ^ ((static_cast<std::uint32_t>(code) >> (8 * byte)) & 0xFF)) * 0x100000001B3ull;
    return hash;
}

std::vector<std::size_t> shuffled(RandomStream& random, std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    for (std::size_t i = n; i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

std::size_t ordersOf(std::size_t n, std::size_t enough) { // n!, or `enough` when that is less
    std::size_t out = 1;
    for (std::size_t i = 2; i <= n && out < enough; ++i)
        out *= i;
    return std::min(out, enough);
}
} // namespace

std::vector<std::size_t> byCode(std::span<const Code> candidates) {
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return candidates[a] < candidates[b]; });
    return order;
}

SortedCandidates sortedCandidates(std::span<const Code> candidates) {
    SortedCandidates out{{}, byCode(candidates)};
    for (const auto place : out.order)
        out.items.push_back(candidates[place]);
    return out;
}

std::size_t placeOf(std::vector<Code>& items, Code item) {
    auto at = std::lower_bound(items.begin(), items.end(), item);
    if (at == items.end() || *at != item)
        at = items.insert(at, item);
    return static_cast<std::size_t>(at - items.begin());
}

Result<Rounds> distinctRounds(std::uint64_t seed, std::string_view stream, Code user, std::span<const Code> sorted, std::size_t rounds) {
    Rounds out;
    const auto wanted = ordersOf(sorted.size(), rounds);
    out.fewer = wanted < rounds;
    RandomStream random(seed, stream, static_cast<std::uint64_t>(user), keyOf(sorted));
    while (out.orders.size() < wanted) {
        auto order = shuffled(random, sorted.size());
        if (std::find(out.orders.begin(), out.orders.end(), order) == out.orders.end())
            out.orders.push_back(std::move(order));
    }
    if (const std::set<std::vector<std::size_t>> different(out.orders.begin(), out.orders.end()); different.size() != out.orders.size())
        return fail(ErrorKind::internal, "CL-6050",
                    fmt::format("Of {} orders for {} candidates only {} differ.", out.orders.size(), sorted.size(), different.size()),
                    "Report this with the run's specification; until then set rounds to 1.");
    return out;
}

std::vector<std::size_t> shuffledSlots(std::uint64_t seed, std::string_view stream, Code user, std::span<const Code> sorted,
                                       std::size_t round, std::size_t step, std::size_t slots) {
    RandomStream random(seed, fmt::format("{} {} {}", stream, round, step), static_cast<std::uint64_t>(user), keyOf(sorted));
    return shuffled(random, slots);
}

double SlotBias::of(std::size_t slot) const {
    return slot < mean.size() && share > 0 && count[slot] > 0 ? share * (mean[slot] - overall) : 0;
}

SlotBias slotBias(const std::vector<Showing>& showings) {
    SlotBias out;
    std::size_t slots = 0, all = 0;
    for (const auto& showing : showings)
        slots = std::max(slots, showing.size());
    out.mean.assign(slots, none);
    out.count.assign(slots, 0);
    std::vector<double> sum(slots, 0.0);
    double total = 0;
    for (const auto& showing : showings)
        for (std::size_t s = 0; s < showing.size(); ++s)
            if (std::isfinite(showing[s]))
                sum[s] += showing[s], total += showing[s], ++out.count[s], ++all;
    if (all == 0)
        return out;
    out.overall = total / static_cast<double>(all);
    double between = 0, within = 0;
    std::size_t filled = 0;
    for (std::size_t s = 0; s < slots; ++s)
        if (out.count[s] > 0) {
            const auto count = static_cast<double>(out.count[s]);
            out.mean[s] = sum[s] / count;
            between += count * (out.mean[s] - out.overall) * (out.mean[s] - out.overall);
            ++filled;
        }
    for (const auto& showing : showings)
        for (std::size_t s = 0; s < showing.size(); ++s)
            if (std::isfinite(showing[s]))
                within += (showing[s] - out.mean[s]) * (showing[s] - out.mean[s]);
    if (filled < 2 || all <= filled || !(between > 0))
        return out;
    const double luck = within / static_cast<double>(all - filled), seen = between / static_cast<double>(filled - 1);
    out.share = std::max(0.0, 1 - luck / seen);
    return out;
}

double meanKendall(const std::vector<std::vector<double>>& rounds) {
    double sum = 0;
    std::size_t pairs = 0;
    for (std::size_t a = 0; a < rounds.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) {
            std::vector<double> x, y;
            for (std::size_t i = 0; i < std::min(rounds[a].size(), rounds[b].size()); ++i)
                if (std::isfinite(rounds[a][i]) && std::isfinite(rounds[b][i]))
                    x.push_back(rounds[a][i]), y.push_back(rounds[b][i]);
            if (const double tau = rankAgreement(x, y).kendall; std::isfinite(tau))
                sum += tau, ++pairs;
        }
    return pairs > 0 ? sum / static_cast<double>(pairs) : none;
}

} // namespace carousel::plugin
