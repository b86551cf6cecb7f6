// SPDX-License-Identifier: GPL-3.0-or-later
// From scores to the list that metrics read, and the check that refuses what cannot be ranked.
#include "evaluation/metrics/ranking.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace carousel {

Result<RankedUser> rankUser(std::span<const std::int32_t> items, std::span<const double> scores, std::span<const std::int32_t> targets,
                            std::span<const float> gains, std::size_t depth) {
    if (items.size() != scores.size() || (!gains.empty() && gains.size() != targets.size()))
        return fail(
            ErrorKind::input, "CL-8002",
            fmt::format("{} items have {} scores, and {} targets have {} gains", items.size(), scores.size(), targets.size(), gains.size()),
            "Give one score per item, and one gain per target or none.");
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isnan(scores[i]))
            return fail(
                ErrorKind::input, "CL-8002", fmt::format("the score of item {} (row {}) is not a number", items[i], i + 1),
                "Mark the score as invalid and give it a fallback value before ranking; a missing number has no place in an order.");
    std::vector<std::size_t> order(items.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : items[a] < items[b]; });

    RankedUser user;
    user.ranked = static_cast<std::int32_t>(items.size());
    user.targets.assign(targets.begin(), targets.end());
    user.gains.assign(gains.begin(), gains.end());
    user.targetRank.assign(targets.size(), 0);
    user.targetTies.assign(targets.size(), 1);
    std::unordered_map<std::int32_t, std::size_t> wanted;
    for (std::size_t i = 0; i < targets.size(); ++i)
        wanted.emplace(targets[i], i);
    double pairsLost = 0, found = 0;
    const double all = static_cast<double>(items.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t last = first + 1;
        while (last < order.size() && scores[order[last]] == scores[order[first]])
            ++last;
        double here = 0;
        for (std::size_t i = first; i < last; ++i) {
            if (i < depth) {
                user.items.push_back(items[order[i]]);
                // The place of the group stands for its score: doubles that differ must not become equal floats.
                user.rankScore.push_back(static_cast<float>(order.size() - first));
            }
            if (const auto it = wanted.find(items[order[i]]); it != wanted.end()) {
                user.targetRank[it->second] = static_cast<std::int32_t>(first) + 1;
                user.targetTies[it->second] = static_cast<std::int32_t>(last - first);
                here += gains.empty() || gains[it->second] > 0 ? 1 : 0;
            }
        }
        found += here;
        const double size = static_cast<double>(last - first);
        // A relevant item loses to every other item above it, and half to every other item tied with it.
        const double irrelevantAbove = static_cast<double>(first) - (found - here);
        pairsLost += here * (irrelevantAbove + (size - here) / 2);
        first = last;
    }
    const double others = all - found;
    user.auc = found > 0 && others > 0 ? 1 - pairsLost / (found * others) : -1;
    return user;
}

Result<void> checkRanking(std::span<const RankedUser> users) {
    for (std::size_t row = 0; row < users.size(); ++row) {
        const auto& user = users[row];
        auto refuse = [&](const std::string& what) {
            return fail(ErrorKind::input, "CL-8002", fmt::format("the list of user row {} cannot be evaluated: {}", row, what),
                        "Look at the strategy's scores for this user; nothing was computed from them.");
        };
        if (!user.rankScore.empty() && user.rankScore.size() != user.items.size())
            return refuse(fmt::format("{} items but {} scores", user.items.size(), user.rankScore.size()));
        if ((!user.gains.empty() && user.gains.size() != user.targets.size()) || user.targetRank.size() != user.targetTies.size() ||
            (!user.targetRank.empty() && user.targetRank.size() != user.targets.size()))
            return refuse(fmt::format("{} targets but {} gains, {} ranks, {} tie sizes", user.targets.size(), user.gains.size(),
                                      user.targetRank.size(), user.targetTies.size()));
        for (std::size_t i = 0; i < user.rankScore.size(); ++i) {
            if (std::isnan(user.rankScore[i]))
                return refuse(fmt::format("the score at position {} is not a number", i + 1));
            if (i > 0 && user.rankScore[i] > user.rankScore[i - 1])
                return refuse(
                    fmt::format("the score rises from position {} to {} ({} to {})", i, i + 1, user.rankScore[i - 1], user.rankScore[i]));
        }
        for (std::size_t i = 0; i < user.gains.size(); ++i)
            if (!std::isfinite(user.gains[i]))
                return refuse(fmt::format("the gain of target {} is not a finite number", user.targets[i]));
        for (std::size_t i = 0; i < user.targetRank.size(); ++i)
            if (user.targetRank[i] < 0 || (user.targetRank[i] > 0 && user.targetTies[i] < 1))
                return refuse(
                    fmt::format("target {} has rank {} in a group of {}", user.targets[i], user.targetRank[i], user.targetTies[i]));
        if (std::isnan(user.auc))
            return refuse("its AUC is not a number");
    }
    return {};
}

} // namespace carousel
