// SPDX-License-Identifier: GPL-3.0-or-later
// Checks, views and selections of click logs.
#include "evaluation/click_models/click_log.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

std::size_t ClickLog::clusters() const {
    if (cluster.empty())
        return sessions();
    return static_cast<std::size_t>(*std::max_element(cluster.begin(), cluster.end())) + 1;
}

bool ClickLog::wholeSlates() const {
    for (std::size_t s = 0; s < sessions(); ++s)
        for (std::size_t r = offsets[s]; r < offsets[s + 1]; ++r)
            if (static_cast<std::size_t>(slot[r]) != r - offsets[s])
                return false;
    return true;
}

bool ClickLog::knowsReach() const {
    return std::any_of(reached.begin(), reached.end(), [](std::uint8_t value) { return value != reachUnknown; });
}

bool ClickLog::severalClicks() const {
    for (std::size_t s = 0; s < sessions(); ++s) {
        int clicks = 0;
        for (std::size_t r = offsets[s]; r < offsets[s + 1]; ++r)
            clicks += click[r];
        if (clicks > 1)
            return true;
    }
    return false;
}

SessionView session(const ClickLog& log, std::size_t index) {
    const std::size_t begin = log.offsets[index], n = log.offsets[index + 1] - begin;
    SessionView view;
    view.item = std::span(log.item).subspan(begin, n);
    view.slot = std::span(log.slot).subspan(begin, n);
    view.click = std::span(log.click).subspan(begin, n);
    if (!log.reached.empty())
        view.reached = std::span(log.reached).subspan(begin, n);
    return view;
}

namespace {
tl::unexpected<Error> refused(std::string message, std::string hint) {
    return fail(ErrorKind::input, "CL-8020", std::move(message), std::move(hint));
}
Result<void> checkLengths(const ClickLog& log) {
    const std::size_t rows = log.item.size();
    const std::string hint = "Give every column one value per row, and cluster and policy one value per session.";
    auto differs = [&](const char* name, std::size_t size, std::size_t wanted) {
        return refused(fmt::format("Click log: column '{}' has {} values, {} are needed.", name, size, wanted), hint);
    };
    if (log.offsets.empty() || log.offsets.front() != 0 || log.offsets.back() != rows)
        return refused(
            fmt::format("Click log: the offsets end at {}, the log has {} rows.", log.offsets.empty() ? 0 : log.offsets.back(), rows),
            "Offsets begin at 0 and end at the number of rows.");
    if (log.slot.size() != rows)
        return differs("slot", log.slot.size(), rows);
    if (log.click.size() != rows)
        return differs("click", log.click.size(), rows);
    if (!log.reached.empty() && log.reached.size() != rows)
        return differs("reached", log.reached.size(), rows);
    if (!log.propensity.empty() && log.propensity.size() != rows)
        return differs("propensity", log.propensity.size(), rows);
    if (!log.cluster.empty() && log.cluster.size() != log.sessions())
        return differs("cluster", log.cluster.size(), log.sessions());
    if (!log.policy.empty() && log.policy.size() != log.sessions())
        return differs("policy", log.policy.size(), log.sessions());
    if (!log.itemNames.empty() && log.itemNames.size() != static_cast<std::size_t>(std::max(log.items, 0)))
        return differs("itemNames", log.itemNames.size(), static_cast<std::size_t>(std::max(log.items, 0)));
    return {};
}
} // namespace

Result<void> checkClickLog(const ClickLog& log) {
    CAROUSEL_TRY(checkLengths(log));
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        if (log.offsets[s + 1] < log.offsets[s])
            return refused(
                fmt::format("Click log: session {} ends at row {}, before it begins ({}).", s, log.offsets[s + 1], log.offsets[s]),
                "Offsets must not fall.");
        if (!log.cluster.empty() && log.cluster[s] < 0)
            return refused(fmt::format("Click log: session {} has cluster {}.", s, log.cluster[s]), "Clusters are counted from 0.");
        if (!log.policy.empty() && !log.policies.empty() && log.policy[s] >= log.policies.size())
            return refused(fmt::format("Click log: session {} has policy {}, {} are named.", s, log.policy[s], log.policies.size()),
                           "Name every policy.");
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const std::size_t row = r - log.offsets[s];
            if (log.item[r] < 0 || log.item[r] >= log.items)
                return refused(
                    fmt::format("Click log: session {}, row {}: item code {} is outside 0..{}.", s, row, log.item[r], log.items - 1),
                    "Number the items from 0 and set the number of items.");
            if (log.slot[r] < 0 || log.slot[r] >= log.slots)
                return refused(fmt::format("Click log: session {}, row {}: slot {} is outside 0..{}.", s, row, log.slot[r], log.slots - 1),
                               "Number the slots from 0 and set the number of slots.");
            if (row > 0 && log.slot[r] <= log.slot[r - 1])
                return refused(fmt::format("Click log: session {}, row {}: slot {} follows slot {}.", s, row, log.slot[r], log.slot[r - 1]),
                               "Sort the rows of a session by slot; a slot holds one item.");
            if (log.click[r] > 1)
                return refused(fmt::format("Click log: session {}, row {}: click is {}.", s, row, log.click[r]), "A click is 0 or 1.");
            if (!log.reached.empty() && log.reached[r] > 1 && log.reached[r] != reachUnknown)
                return refused(fmt::format("Click log: session {}, row {}: reached is {}.", s, row, log.reached[r]),
                               "Reached is 0, 1, or 255 when it was not logged.");
            if (!log.reached.empty() && log.reached[r] == 0 && log.click[r] == 1)
                return refused(
                    fmt::format("Click log: session {}, row {}: a click on slot {} that is logged as not reached.", s, row, log.slot[r]),
                    "Correct the reach column, or leave it out.");
        }
    }
    return {};
}

ClickLog selectSessions(const ClickLog& log, std::span<const std::size_t> sessions) {
    ClickLog part;
    part.items = log.items;
    part.slots = log.slots;
    part.policies = log.policies;
    part.itemNames = log.itemNames;
    std::size_t rows = 0;
    for (const std::size_t s : sessions)
        rows += log.offsets[s + 1] - log.offsets[s];
    part.offsets.reserve(sessions.size() + 1);
    part.item.reserve(rows);
    part.slot.reserve(rows);
    part.click.reserve(rows);
    auto append = [](auto& to, const auto& from, std::size_t begin, std::size_t end) {
        if (!from.empty())
            to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(begin), from.begin() + static_cast<std::ptrdiff_t>(end));
    };
    for (const std::size_t s : sessions) {
        const std::size_t begin = log.offsets[s], end = log.offsets[s + 1];
        append(part.item, log.item, begin, end);
        append(part.slot, log.slot, begin, end);
        append(part.click, log.click, begin, end);
        append(part.reached, log.reached, begin, end);
        append(part.propensity, log.propensity, begin, end);
        append(part.cluster, log.cluster, s, s + 1);
        append(part.policy, log.policy, s, s + 1);
        part.offsets.push_back(part.item.size());
    }
    return part;
}

ClickLogParts splitByCluster(const ClickLog& log, double share, std::uint64_t seed) {
    const std::size_t clusters = log.clusters();
    std::vector<std::size_t> order(clusters);
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomStream random(seed, "click log split");
    const auto wanted =
        std::min(clusters, static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(clusters))));
    std::vector<std::size_t> second(clusters, 0);
    for (std::size_t i = 0; i < wanted; ++i) {
        std::swap(order[i], order[i + static_cast<std::size_t>(random.below(clusters - i))]);
        second[order[i]] = 1;
    }
    std::vector<std::size_t> lists[2];
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const std::size_t of = log.cluster.empty() ? s : static_cast<std::size_t>(log.cluster[s]);
        lists[second[of]].push_back(s);
    }
    return {selectSessions(log, lists[0]), selectSessions(log, lists[1])};
}

} // namespace carousel
