// SPDX-License-Identifier: GPL-3.0-or-later
// A logging policy worked out from its own propensities, where that is possible: then its probability is known for every item and slate,
// not only for what it showed. It can be evaluated on other policies' slates (a check of the log against itself), several loggers can be
// balanced, and marginal propensities follow for later slots.
#pragma once
#include "experiment/logged_policy_weights.h"

namespace carousel {

struct LoggerModel {
    std::string policy, words;      // what was found, or why not
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
Result<LoggedPropensities> loggedPropensities(const SelectedLog& log, const Dataset& dataset, const std::vector<PropensityReading>& readings,
                                              const std::vector<LoggerModel>& models, std::uint64_t seed, const RunControl& control);

} // namespace carousel
