// SPDX-License-Identifier: GPL-3.0-or-later
// Predicted rewards, cross-fitted: a user's rewards are predicted from other users' alone, so that DM and DR do not see their own answer.
#include "base/parallel.h"
#include "base/random.h"
#include "experiment/logged_policy_weights.h"
#include <algorithm>
#include <atomic>
#include <cmath>

namespace carousel {

namespace {

constexpr double pseudoClicks = 5; // an item or category is believed in full only beyond a few clicks

// Everything learned without one fold.
struct RewardModel {
    std::vector<double> examination;           // per slot, relative: its click rate by the mean one
    std::vector<double> rate, worth, reward;   // per item: click rate at examination 1, reward of a click, product of both
    std::vector<double> afterClick, afterNone; // per slot: mean reward of later slots when this one was clicked, and when not
};

// Shrunk rate: `clicks` of `chances`, towards `prior`.
double shrunk(double clicks, double chances, double prior) {
    return prior > 0 ? (clicks + pseudoClicks) / (chances + pseudoClicks / prior) : 0;
}

RewardModel learn(const ClickLog& log, const ItemGroups& groups, std::span<const double> reward, const std::vector<std::int32_t>& fold,
                  std::int32_t without) {
    const auto slots = static_cast<std::size_t>(log.slots), items = static_cast<std::size_t>(log.items);
    RewardModel model;
    auto eachSession = [&](const auto& body) {
        for (std::size_t s = 0; s < log.sessions(); ++s)
            if (fold[s] != without)
                body(log.offsets[s], log.offsets[s + 1]);
    };
    // slots
    std::vector<double> shown(slots, 0), clicks(slots, 0), clickAfter(slots, 0), noneAfter(slots, 0), none(slots, 0);
    double allShown = 0, allClicks = 0, allReward = 0;
    eachSession([&](std::size_t begin, std::size_t end) {
        double after = 0;
        for (std::size_t r = end; r-- > begin;) {
            const auto slot = static_cast<std::size_t>(log.slot[r]);
            shown[slot] += 1;
            clicks[slot] += log.click[r];
            (log.click[r] ? clickAfter : noneAfter)[slot] += after;
            none[slot] += log.click[r] ? 0 : 1;
            after += reward[r];
            allReward += reward[r];
        }
    });
    for (std::size_t slot = 0; slot < slots; ++slot) {
        allShown += shown[slot];
        allClicks += clicks[slot];
    }
    const double mean = allShown > 0 ? allClicks / allShown : 0, worthOfClick = allClicks > 0 ? allReward / allClicks : 0;
    model.examination.assign(slots, 1);
    model.afterClick.assign(slots, 0);
    model.afterNone.assign(slots, 0);
    for (std::size_t slot = 0; slot < slots; ++slot) {
        if (mean > 0)
            model.examination[slot] = shrunk(clicks[slot], shown[slot], mean) / mean;
        model.afterClick[slot] = clicks[slot] > 0 ? clickAfter[slot] / clicks[slot] : 0;
        model.afterNone[slot] = none[slot] > 0 ? noneAfter[slot] / none[slot] : 0;
    }
    // items within categories
    std::vector<double> itemClicks(items, 0), itemChances(items, 0), itemReward(items, 0);
    eachSession([&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) {
            const auto item = static_cast<std::size_t>(log.item[r]);
            itemClicks[item] += log.click[r];
            itemReward[item] += reward[r];
            itemChances[item] += model.examination[static_cast<std::size_t>(log.slot[r])];
        }
    });
    std::vector<double> groupClicks(groups.groups, 0), groupChances(groups.groups, 0), groupReward(groups.groups, 0);
    auto groupOf = [&](std::size_t item) { return groups.group.empty() ? -1 : groups.group[item]; };
    for (std::size_t item = 0; item < items; ++item)
        if (const auto g = groupOf(item); g >= 0) {
            groupClicks[static_cast<std::size_t>(g)] += itemClicks[item];
            groupChances[static_cast<std::size_t>(g)] += itemChances[item];
            groupReward[static_cast<std::size_t>(g)] += itemReward[item];
        }
    const double strongest = model.examination.empty() ? 1 : *std::max_element(model.examination.begin(), model.examination.end());
    model.rate.resize(items);
    model.worth.resize(items);
    model.reward.resize(items);
    for (std::size_t item = 0; item < items; ++item) {
        double prior = mean, worth = worthOfClick;
        if (const auto g = groupOf(item); g >= 0) {
            const auto k = static_cast<std::size_t>(g);
            prior = shrunk(groupClicks[k], groupChances[k], mean);
            if (groupClicks[k] > 0)
                worth = groupReward[k] / groupClicks[k];
        }
        model.rate[item] = std::min(shrunk(itemClicks[item], itemChances[item], prior), 1 / std::max(strongest, 1e-12));
        model.worth[item] = itemClicks[item] > 0 ? itemReward[item] / itemClicks[item] : worth;
        model.reward[item] = model.rate[item] * model.worth[item];
    }
    return model;
}

// Mean of `values` over what an order shows in each slot; tied items share their slots.
std::vector<double> orderedMeans(std::span<const double> logWeights, const std::vector<double>& values, std::size_t slots) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < logWeights.size(); ++i)
        if (std::isfinite(logWeights[i]))
            order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logWeights[a] > logWeights[b]; });
    std::vector<double> out(slots, 0);
    for (std::size_t begin = 0, end = 0; begin < std::min(slots, order.size()); begin = end) {
        double sum = 0;
        for (; end < order.size() && logWeights[order[end]] == logWeights[order[begin]]; ++end)
            sum += values[order[end]];
        for (std::size_t slot = begin; slot < std::min(end, slots); ++slot)
            out[slot] = sum / static_cast<double>(end - begin);
    }
    return out;
}

// The same for a policy that draws: mean over drawn beginnings of the exact expectation of the next slot.
std::vector<double> drawnMeans(std::span<const double> logWeights, const std::vector<double>& values, std::size_t slots, int draws,
                               RandomStream random) {
    std::vector<Code> order; // the likely ones first, so that a draw ends early
    for (std::size_t i = 0; i < logWeights.size(); ++i)
        if (std::isfinite(logWeights[i]))
            order.push_back(static_cast<Code>(i));
    std::stable_sort(order.begin(), order.end(),
                     [&](Code a, Code b) { return logWeights[static_cast<std::size_t>(a)] > logWeights[static_cast<std::size_t>(b)]; });
    SlateWalk walk(logWeights, {values});
    std::vector<double> out(slots, 0);
    for (int d = 0; d < draws; ++d) {
        walk.restart();
        for (std::size_t slot = 0; slot < slots; ++slot) {
            out[slot] += walk.expectation(0) / draws;
            if (slot + 1 == slots)
                break;
            double left = random.uniform();
            Code chosen = noCode;
            for (const Code item : order)
                if (const double p = walk.probability(item); p > 0) {
                    chosen = item;
                    if ((left -= p) <= 0)
                        break;
                }
            if (chosen == noCode) // nothing left to show
                break;
            walk.place(chosen);
        }
    }
    return out;
}

} // namespace

Result<CrossFittedRewards> crossFittedRewards(const SelectedLog& selected, const Dataset& dataset, const EvaluatedPolicy& policy,
                                              std::span<const double> rowReward, int folds, std::uint64_t seed, const RunControl& control,
                                              int drawsPerUser) {
    const ClickLog& log = selected.log;
    if (rowReward.size() != log.rows())
        return fail(ErrorKind::internal, "CL-8034", fmt::format("{} rewards for {} rows of the log.", rowReward.size(), log.rows()),
                    "Give one reward per row.");
    const auto users = sessionsByUser(selected, dataset);
    const ItemGroups groups = itemGroups(dataset);
    std::vector<std::int32_t> fold(log.sessions(), 0), foldOfUser(users.size(), 0);
    for (std::size_t u = 0; u < users.size(); ++u) {
        const std::uint64_t key =
            users[u].user == noCode ? (std::uint64_t{1} << 40) + users[u].sessions.front() : static_cast<std::uint64_t>(users[u].user);
        foldOfUser[u] =
            static_cast<std::int32_t>(RandomStream(seed, "reward folds", key).below(static_cast<std::uint64_t>(std::max(folds, 2))));
        for (const std::size_t s : users[u].sessions)
            fold[s] = foldOfUser[u];
    }
    std::vector<RewardModel> models(static_cast<std::size_t>(std::max(folds, 2)));
    parallelFor(models.size(), 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t f = begin; f < end && !control.stopRequested(); ++f)
            models[f] = learn(log, groups, rowReward, fold, static_cast<std::int32_t>(f));
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("Fitting the reward model"));

    CrossFittedRewards out;
    for (auto* column : {&out.predicted, &out.predictedUnderTarget, &out.tail, &out.tailUnderTarget})
        column->assign(log.rows(), 0);
    const auto slots = static_cast<std::size_t>(log.slots);
    std::vector<std::vector<double>> commonMeans; // per fold
    if (drawsPerUser > 0) {
        out.slotUnderTarget.assign(log.rows(), 0);
        if (policy.isCommon()) {
            CAROUSEL_ASSIGN(const auto marginal, commonMarginals(policy, slots, std::max(drawsPerUser, 2000), seed, control));
            for (const auto& model : models) {
                auto& means = commonMeans.emplace_back(slots, 0.0);
                for (std::size_t slot = 0; slot < slots; ++slot)
                    for (std::size_t i = 0; i < policy.items(); ++i)
                        means[slot] += marginal[slot * policy.items() + i] * model.reward[i];
            }
        }
    }
    std::atomic<std::size_t> done{0};
    std::atomic<bool> unknownUser{false};
    parallelFor(users.size(), 4, [&](std::size_t begin, std::size_t end) {
        std::vector<double> logWeights(policy.items());
        for (std::size_t u = begin; u < end; ++u) {
            if (control.stopRequested())
                return;
            if (!policy.isCommon() && (users[u].user == noCode || !policy.knows(users[u].user))) {
                unknownUser = true;
                return;
            }
            const RewardModel& model = models[static_cast<std::size_t>(foldOfUser[u])];
            policy.logWeights(users[u].user, logWeights);
            SlateWalk walk(logWeights, {model.rate, model.reward});
            std::vector<double> means;
            if (drawsPerUser > 0)
                means = policy.isCommon()  ? commonMeans[static_cast<std::size_t>(foldOfUser[u])]
                        : policy.isOrder() ? orderedMeans(logWeights, model.reward, slots)
                                           : drawnMeans(logWeights, model.reward, slots, drawsPerUser,
                                                        RandomStream(seed, "slot rewards", static_cast<std::uint64_t>(users[u].user)));
            for (const std::size_t s : users[u].sessions) {
                walk.restart();
                for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
                    const auto item = static_cast<std::size_t>(log.item[r]), slot = static_cast<std::size_t>(log.slot[r]);
                    const double look = model.examination[slot], afterClick = model.afterClick[slot], afterNone = model.afterNone[slot];
                    const double click = look * model.rate[item], targetClick = look * walk.expectation(0);
                    out.predicted[r] = look * model.reward[item];
                    out.predictedUnderTarget[r] = look * walk.expectation(1);
                    out.tail[r] = out.predicted[r] + click * afterClick + (1 - click) * afterNone;
                    out.tailUnderTarget[r] = out.predictedUnderTarget[r] + targetClick * afterClick + (1 - targetClick) * afterNone;
                    if (!means.empty())
                        out.slotUnderTarget[r] = look * means[slot];
                    walk.place(log.item[r]);
                }
            }
        }
        control.report("Predicted rewards", static_cast<double>(done += end - begin), static_cast<double>(users.size()), "users");
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("Predicting rewards"));
    if (unknownUser)
        return fail(ErrorKind::input, "CL-8035", "The strategy has no order for a user of the log.",
                    "Evaluate on the sessions of known users.");
    out.notes.push_back(fmt::format("Predicted rewards: an item's click rate, shrunk to {} and that to the mean ({:.0f} clicks' worth "
                                    "each), times the slot's relative click "
                                    "rate; cross-fitted over {} folds of users.",
                                    groups.attribute.empty() ? std::string("the mean rate") : "its " + groups.attribute, pseudoClicks,
                                    models.size()));
    return out;
}

Result<CrossFittedRewards> crossFittedRewards(const SelectedLog& log, const Dataset& dataset, const StrategyOrders& orders,
                                              double temperature, std::span<const double> rowReward, int folds, std::uint64_t seed,
                                              const RunControl& control) {
    return crossFittedRewards(log, dataset, EvaluatedPolicy::ofOrders(orders, temperature, dataset.items.size()), rowReward, folds, seed,
                              control);
}

} // namespace carousel
