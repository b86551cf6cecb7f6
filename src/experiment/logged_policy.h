// SPDX-License-Identifier: GPL-3.0-or-later
// Any strategy of a project as the evaluated policy on a log with propensities. The strategy is fitted on all interactions before the log begins
// (or all of them when times are unknown), orders the catalogue for every user of the log, and is read as a policy: temperature 0 shows its order;
// temperature T > 0 draws slates without replacement (Plackett-Luce) with weights exp(-(rank - 1) / T), rank in positions, tied items at
// their mean rank. Items that the strategy does not rank (seen ones) have probability 0.
#pragma once
#include "evaluation/off_policy/slate.h"
#include "experiment/logged_feedback.h"
#include "experiment/run_experiment.h"

namespace carousel {

struct RankedCatalogue {
    std::vector<Code> items;   // best first
    std::vector<float> rank;   // 1-based; tied items share their mean rank
};
struct StrategyOrders {
    std::map<Code, RankedCatalogue> users;
    std::vector<std::string> notes;
    Cost cost;
    double seconds = 0;
};
// Orders for the given users (ascending codes). Cancelled and plugin errors come through.
Result<StrategyOrders> orderForUsers(DatasetPtr dataset, const StrategySpec& strategy, std::span<const Code> users, std::int64_t before,
                                     std::uint64_t seed, const std::string& device, const ExperimentHost& host, const RunControl& control);

// Target probabilities of the logged items, slot by slot.
struct TargetPropensities {
    std::vector<double> conditional;  // per row, exact
    std::vector<double> marginal;     // per row: exact for temperature 0 and for slot 0; else mean over `drawsPerUser` drawn slates (Gumbel top-k)
    double unsupported = 0;           // share of the policy's own first choices that the log never shows to anybody
};
Result<TargetPropensities> targetPropensities(const SelectedLog& log, const Dataset& dataset, const StrategyOrders& orders, double temperature,
                                              int drawsPerUser, std::uint64_t seed, const RunControl& control);

// Predicted click rates for DM and DR, cross-fitted by user folds: q(x, a, slot) = item rate shrunk to its category's, that to the mean, times the
// slot's relative examination (rank CTR of the training folds). Value of a slot and all after it for Cascade-DR: Q_l(a) = q_l(a) + (1 - q_l(a)) B_{l+1}.
struct CrossFittedRewards {
    std::vector<double> predicted;            // per row, of the logged item
    std::vector<double> predictedUnderTarget; // per row, under the target's conditional distribution
    std::vector<double> slotUnderTarget;      // per row, under what the target shows in that slot whatever stands before; empty unless asked for
    std::vector<double> tail, tailUnderTarget;// the same for the reward of this slot and all after it
    std::vector<std::string> notes;
};
Result<CrossFittedRewards> crossFittedRewards(const SelectedLog& log, const Dataset& dataset, const StrategyOrders& orders, double temperature,
                                              std::span<const double> rowReward, int folds, std::uint64_t seed, const RunControl& control);

} // namespace carousel
