// SPDX-License-Identifier: GPL-3.0-or-later
// A logging policy worked out from its own propensities, where that is possible: then its probability is known for every item and slate,
// not only for what it showed. It can be evaluated on other policies' slates (a check of the log against itself), several loggers can be
// balanced, and marginal propensities follow for later slots.
#pragma once
#include "experiment/logged_policy_weights.h"

namespace carousel {

// The weights that explain propensities given the slots before: p = weight / free weight, slot after slot. Those of first slots are read
// off, the others solved for, then every row is predicted.
struct SolvedWeights {
    static constexpr double tolerance = 1e-3; // printed digits of a propensity
    std::vector<double> weight;               // per item, adding up to 1 when all are known; 0: never shown
    double worst = 0;                         // largest relative deviation of a row; above 0.5 it was given up
};
SolvedWeights solvedWeights(const ClickLog& log, std::size_t policy); // whole slates with propensities

struct LoggerModel {
    std::string policy, words; // what was found, or why not
    bool known = false;
    std::vector<double> logWeights; // per item; a Plackett-Luce policy that is the same for everybody
    std::vector<double> first;      // per item: probability of the first slot
};
// One per policy of the log, in its order. Uniform, or one weight per item that explains every logged propensity within 0.1 %.
std::vector<LoggerModel> loggerModels(const SelectedLog& log, const Dataset& dataset, const std::vector<PropensityReading>& readings);

// Propensities of the logged rows under the policy that showed them; empty column: not known, `why...` says so.
struct LoggedPropensities {
    std::vector<double> conditional, marginal; // per row
    std::string whyNoConditional, whyNoMarginal;
    std::vector<std::string> notes;
};
Result<LoggedPropensities> loggedPropensities(const SelectedLog& log, const Dataset& dataset,
                                              const std::vector<PropensityReading>& readings, const std::vector<LoggerModel>& models,
                                              std::uint64_t seed, const RunControl& control);

} // namespace carousel
