// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluated policy would have done with the logged items: exact given the slots before; over all that could stand before, the mean
// of that over drawn slates, which is far less noisy than counting how often the item was drawn.
#include "base/parallel.h"
#include "base/random.h"
#include "experiment/logged_policy_weights.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>

namespace carousel {

namespace {

// One drawn slate by Gumbel top-k (Yellott, 1977; Kool et al., ICML 2019). Items by falling weight, so that the tail is left early; a
// uniform below 1 - x lies below exp(-x) as well, so most items cost one random number and no logarithm.
class SlateDrawer {
public:
    SlateDrawer(std::span<const double> logWeights, std::size_t slots) : m_logWeights(logWeights), m_slots(slots) {
        for (std::size_t i = 0; i < logWeights.size(); ++i)
            if (std::isfinite(logWeights[i]))
                m_order.push_back(static_cast<Code>(i));
        std::stable_sort(m_order.begin(), m_order.end(), [&](Code a, Code b) { return at(a) > at(b); });
        for (const Code item : m_order)
            m_relative.push_back(std::exp(at(item) - at(m_order.front())));
    }
    const std::vector<std::pair<double, Code>>& draw(RandomStream& random) {
        m_best.clear();
        double threshold = -1e308, scale = 0;
        for (std::size_t i = 0; i < m_order.size(); ++i) {
            const Code item = m_order[i];
            const double lw = at(item);
            if (lw + 37 < threshold) // no Gumbel number of 53 bits is larger
                break;
            double u = random.uniform();
            if (m_best.size() == m_slots && u <= 1 - m_relative[i] * scale)
                continue;
            u = std::max(u, 1e-300);
            const double key = lw - std::log(-std::log(u));
            if (m_best.size() < m_slots) {
                m_best.emplace_back(key, item);
                std::push_heap(m_best.begin(), m_best.end(), std::greater<>());
            } else if (key > m_best.front().first) {
                std::pop_heap(m_best.begin(), m_best.end(), std::greater<>());
                m_best.back() = {key, item};
                std::push_heap(m_best.begin(), m_best.end(), std::greater<>());
            }
            if (m_best.size() == m_slots && threshold != m_best.front().first) {
                threshold = m_best.front().first;
                scale = std::exp(at(m_order.front()) - threshold);
            }
        }
        std::sort(m_best.begin(), m_best.end(), std::greater<>());
        return m_best;
    }

private:
    double at(Code item) const { return m_logWeights[static_cast<std::size_t>(item)]; }
    std::span<const double> m_logWeights;
    std::size_t m_slots;
    std::vector<Code> m_order;
    std::vector<double> m_relative; // weight of m_order[i] by that of the first
    std::vector<std::pair<double, Code>> m_best;
};

// An order shows its item of position l + 1 in slot l; tied items share their positions.
void exactMarginals(const ClickLog& log, const UserSessions& user, std::span<const double> logWeights, std::vector<double>& out) {
    std::vector<double> sorted;
    for (const double lw : logWeights)
        if (std::isfinite(lw))
            sorted.push_back(lw);
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const std::size_t s : user.sessions)
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const double lw = logWeights[static_cast<std::size_t>(log.item[r])];
            if (!std::isfinite(lw))
                continue;
            const auto [begin, end] = std::equal_range(sorted.begin(), sorted.end(), lw, std::greater<>());
            const auto slot = sorted.begin() + std::min<std::ptrdiff_t>(log.slot[r], std::ssize(sorted));
            out[r] = slot >= begin && slot < end ? 1.0 / static_cast<double>(end - begin) : 0;
        }
}

void drawnMarginals(const ClickLog& log, const UserSessions& user, std::span<const double> logWeights, SlateWalk& walk, int draws,
                    RandomStream random, std::vector<double>& out) {
    std::vector<std::pair<std::int16_t, std::size_t>> rows; // by slot, without the first
    for (const std::size_t s : user.sessions)
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            if (log.slot[r] > 0)
                rows.emplace_back(log.slot[r], r);
    if (rows.empty())
        return;
    std::sort(rows.begin(), rows.end());
    for (const auto& [slot, r] : rows)
        out[r] = 0;
    SlateDrawer drawer(logWeights, static_cast<std::size_t>(rows.back().first));
    for (int d = 0; d < draws; ++d) {
        walk.restart();
        std::size_t placed = 0;
        const auto& slate = drawer.draw(random);
        for (const auto& [slot, r] : rows) {
            for (; placed < static_cast<std::size_t>(slot) && placed < slate.size(); ++placed)
                walk.place(slate[placed].second);
            out[r] += walk.probability(log.item[r]);
        }
    }
    for (const auto& [slot, r] : rows)
        out[r] /= draws;
}

Result<void> checkKnown(const std::vector<UserSessions>& users, const EvaluatedPolicy& policy, const Dataset& dataset) {
    for (const auto& user : users)
        if (!policy.isCommon() && (user.user == noCode || !policy.knows(user.user)))
            return fail(ErrorKind::input, "CL-8035",
                        user.user == noCode
                            ? std::string("The log has anonymous sessions; a strategy orders the catalogue for known users.")
                            : fmt::format("The strategy has no order for user '{}' of the log.", dataset.users.ids.id(user.user)),
                        "Evaluate on the sessions of known users.");
    return {};
}

} // namespace

Result<std::vector<double>> commonMarginals(const EvaluatedPolicy& policy, std::size_t slots, int draws, std::uint64_t seed,
                                            const RunControl& control) {
    const std::size_t items = policy.items();
    std::vector<double> logWeights(items);
    policy.logWeights(noCode, logWeights);
    const double best = *std::max_element(logWeights.begin(), logWeights.end());
    std::vector<double> weight;
    double total = 0;
    for (const double lw : logWeights)
        total += weight.emplace_back(std::exp(lw - best));
    constexpr std::size_t parts = 8; // fixed, so that sums are formed in one order whatever the threads
    std::vector<std::vector<double>> part(parts, std::vector<double>(slots * items, 0));
    parallelFor(parts, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            SlateWalk walk(logWeights);
            SlateDrawer drawer(logWeights, slots);
            for (int d = static_cast<int>(p); d < draws; d += static_cast<int>(parts)) {
                if (control.stopRequested())
                    return;
                RandomStream random(seed, "common slates", static_cast<std::uint64_t>(d));
                walk.restart();
                const auto& slate = drawer.draw(random);
                double free = total;
                for (std::size_t slot = 0; slot < slots; ++slot) {
                    double* sums = part[p].data() + slot * items;
                    if (free > 1e-6 * total) {
                        for (std::size_t i = 0; i < items; ++i)
                            sums[i] += weight[i] / free;
                        for (std::size_t l = 0; l < std::min(slot, slate.size()); ++l) // placed already
                            sums[slate[l].second] -= weight[static_cast<std::size_t>(slate[l].second)] / free;
                    } else { // hardly any weight is left: the walk adds it up anew
                        for (std::size_t i = 0; i < items; ++i)
                            sums[i] += walk.probability(static_cast<Code>(i));
                    }
                    if (slot < slate.size()) {
                        walk.place(slate[slot].second);
                        free -= weight[static_cast<std::size_t>(slate[slot].second)];
                    }
                }
            }
        }
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("Drawing slates"));
    std::vector<double> out(slots * items, 0);
    for (const auto& sums : part)
        for (std::size_t k = 0; k < out.size(); ++k)
            out[k] += sums[k];
    for (double& value : out)
        value = std::max(0.0, value) / draws;
    return out;
}

Result<TargetPropensities> targetPropensities(const SelectedLog& selected, const Dataset& dataset, const EvaluatedPolicy& policy,
                                              int drawsPerUser, std::uint64_t seed, const RunControl& control) {
    const ClickLog& log = selected.log;
    const auto users = sessionsByUser(selected, dataset);
    CAROUSEL_TRY(checkKnown(users, policy, dataset));
    TargetPropensities out;
    out.conditional.assign(log.rows(), 0);
    out.marginal.assign(log.rows(), 0);
    std::vector<double> neverShown(policy.items(), 1);
    for (const std::int32_t item : log.item)
        neverShown[static_cast<std::size_t>(item)] = 0;
    std::vector<double> common;
    if (drawsPerUser <= 0)
        out.marginal.clear();
    if (policy.isCommon() && drawsPerUser > 0) {
        CAROUSEL_ASSIGN(common, commonMarginals(policy, static_cast<std::size_t>(log.slots), std::max(drawsPerUser, 2000), seed, control));
    }
    std::vector<double> unsupported(users.size(), 0);
    std::atomic<std::size_t> done{0};
    parallelFor(users.size(), 4, [&](std::size_t begin, std::size_t end) {
        std::vector<double> logWeights(policy.items());
        for (std::size_t u = begin; u < end; ++u) {
            if (control.stopRequested())
                return;
            const auto& user = users[u];
            policy.logWeights(user.user, logWeights);
            SlateWalk walk(logWeights, {neverShown});
            unsupported[u] = walk.expectation(0) * static_cast<double>(user.sessions.size());
            for (const std::size_t s : user.sessions) {
                walk.restart();
                for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
                    out.conditional[r] = walk.probability(log.item[r]);
                    if (drawsPerUser > 0 && log.slot[r] == 0)
                        out.marginal[r] = out.conditional[r];
                    else if (!common.empty())
                        out.marginal[r] =
                            common[static_cast<std::size_t>(log.slot[r]) * policy.items() + static_cast<std::size_t>(log.item[r])];
                    walk.place(log.item[r]);
                }
            }
            if (drawsPerUser <= 0)
                continue;
            if (policy.isOrder())
                exactMarginals(log, user, logWeights, out.marginal);
            else if (!policy.isCommon())
                drawnMarginals(log, user, logWeights, walk, drawsPerUser,
                               RandomStream(seed, "target slates", static_cast<std::uint64_t>(user.user)), out.marginal);
        }
        control.report("Target probabilities", static_cast<double>(done += end - begin), static_cast<double>(users.size()), "users");
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("Working out target probabilities"));
    for (const double share : unsupported)
        out.unsupported += share / static_cast<double>(std::max<std::size_t>(log.sessions(), 1));
    return out;
}

Result<TargetPropensities> targetPropensities(const SelectedLog& log, const Dataset& dataset, const StrategyOrders& orders,
                                              double temperature, int drawsPerUser, std::uint64_t seed, const RunControl& control) {
    return targetPropensities(log, dataset, EvaluatedPolicy::ofOrders(orders, temperature, dataset.items.size()), drawsPerUser, seed,
                              control);
}

} // namespace carousel
