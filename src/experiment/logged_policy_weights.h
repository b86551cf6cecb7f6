// SPDX-License-Identifier: GPL-3.0-or-later
// A policy over slates as log weights per item: slots are filled in order, each by a free item with probability weight / free weight
// (Plackett-Luce). An order is the limit of steep weights. One form for strategies and for logging policies whose weights are known.
#pragma once
#include "experiment/logged_policy.h"

namespace carousel {

class EvaluatedPolicy {
public:
    static EvaluatedPolicy ofOrders(const StrategyOrders& orders, double temperature, std::size_t items);
    // The same weights for every user, -infinity: never shown.
    static EvaluatedPolicy common(std::vector<double> logWeights);

    bool isCommon() const { return m_orders == nullptr; }
    bool isOrder() const { return m_orders && m_temperature <= 0; } // ties apart, nothing is drawn
    bool knows(Code user) const { return isCommon() || m_orders->users.contains(user); }
    std::size_t items() const { return m_items; }
    void logWeights(Code user, std::span<double> out) const; // knows(user), out.size() == items()

private:
    const StrategyOrders* m_orders = nullptr; // kept by the caller
    double m_temperature = 0;
    std::size_t m_items = 0;
    std::vector<double> m_common;
};

// Walks down a slate: probabilities of the next item, and expectations over it, given those already placed. O(items) to make, O(1) a step
// but for the rare case in which the placed items hold nearly all weight.
class SlateWalk {
public:
    // Spans are kept by the caller. `values`: per item, what expectations are asked of.
    explicit SlateWalk(std::span<const double> logWeights, std::vector<std::span<const double>> values = {});
    double probability(Code item) const; // of the next slot; 0 when placed or never shown
    void place(Code item);
    void restart();
    double expectation(std::size_t value) const; // sum over free items of probability * values[value][item]

private:
    struct Totals {
        double shift = 0, weight = 0;
        std::vector<double> values;
    };
    void addUp(); // weights relative to the best free item
    bool placed(Code item) const;
    double weight(Code item) const;
    std::span<const double> m_logWeights;
    std::vector<std::span<const double>> m_values;
    std::vector<Code> m_placed;
    Totals m_first, m_free;
    double m_addedUp = 0;
};

// `drawsPerUser` 0: without marginals.
Result<TargetPropensities> targetPropensities(const SelectedLog& log, const Dataset& dataset, const EvaluatedPolicy& policy,
                                              int drawsPerUser, std::uint64_t seed, const RunControl& control);
// P(item in slot), slots x items, of a policy that is the same for everybody.
Result<std::vector<double>> commonMarginals(const EvaluatedPolicy& policy, std::size_t slots, int draws, std::uint64_t seed,
                                            const RunControl& control);
// `drawsPerUser` above 0: slotUnderTarget too, exact for orders, else over that many drawn slates.
Result<CrossFittedRewards> crossFittedRewards(const SelectedLog& log, const Dataset& dataset, const EvaluatedPolicy& policy,
                                              std::span<const double> rowReward, int folds, std::uint64_t seed, const RunControl& control,
                                              int drawsPerUser = 0);
// The item attribute that groups items (category, genre ...), as one code per item, -1 unknown; empty name: the data has none.
struct ItemGroups {
    std::string attribute;
    std::vector<std::int32_t> group;
    std::size_t groups = 0;
};
ItemGroups itemGroups(const Dataset& dataset);
// Sessions by user: the user and its sessions, in order of the user code; anonymous sessions one by one.
struct UserSessions {
    Code user = noCode;
    std::vector<std::size_t> sessions;
};
std::vector<UserSessions> sessionsByUser(const SelectedLog& log, const Dataset& dataset);
// The given sessions of a selection, in that order.
SelectedLog selectSessions(const SelectedLog& log, std::span<const std::size_t> sessions);

} // namespace carousel
