// SPDX-License-Identifier: GPL-3.0-or-later
// How much less a slot is examined than the first one, p_k / p_1, by seven estimators on one axis, with what each needs, whether this log
// has it, and how much data it rests on. Sources: naive (confounded by relevance; shown as a warning), result randomisation (Joachims et
// al., WSDM 2017, section 5.1), swap pairs (same; FairPairs, Radlinski and Joachims, AAAI 2006), pivot, adjacent chain and AllPairs
// intervention harvesting (Agarwal et al., WSDM 2019), regression-EM (Wang et al., WSDM 2018; here with item click propensities in place of
// query-document features).
#pragma once
#include "base/run_control.h"
#include "evaluation/click_models/click_log.h"
#include "evaluation/statistics/interval.h"

namespace carousel {

struct PositionBiasOptions {
    int draws = 200;               // bootstrap over clusters
    double confidence = 0.95;
    int window = 6;
    std::int64_t minimumOverlap = 20; // impressions of shared items in both slots below which a pair of slots is not used
    std::uint64_t seed = 1;
};

struct PositionBiasEstimate {
    std::string id, name;          // "naive", "randomised", "swap", "pivot", "chain", "all_pairs", "regression_em"
    std::string needs;             // in words
    bool supported = false;
    std::string reason;            // why (not): quotes the numbers of this log
    std::vector<double> relative;  // p_k / p_1 per slot; NaN where this log says nothing
    std::vector<Interval> interval;
    std::vector<double> overlap;   // per slot: impressions that the estimate of this slot rests on
};
struct PositionBias {
    std::vector<PositionBiasEstimate> estimates; // always all seven, in that order
    std::vector<std::int64_t> sharedItems;       // slots x slots: |S_kk'|, items shown in both slots
    std::int32_t slots = 0;
    std::string verdict;                         // which of these this log supports, and why, in one or two sentences
    std::string recommended;                     // id; empty: none
};
// CL-8032: one position, no click, too many rows; CL-8033: options out of range; CL-8020 from checkClickLog.
Result<PositionBias> positionBias(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control);

// Tests of what the models assume. `broken` needs evidence (p below 0.01 after Holm over the tests run); no evidence is `notShown`.
enum class Assumption { holds, notShown, broken, unknown };
const char* name(Assumption verdict); // "supported", "not contradicted", "contradicted", "cannot be tested"
struct AssumptionTest {
    std::string id;        // "item_independence", "swipe_behaviour", "order_shuffled", "propensities"
    std::string question;  // "Does examination depend on the item?"
    Assumption verdict = Assumption::unknown;
    double statistic = 0, pValue = 1, adjustedP = 1; // NaN where it has no meaning
    std::string words;     // what was found, with numbers, and what follows for the estimates
    std::int64_t n = 0;
};
//  item_independence: residual item x slot interaction of a fitted PBM, Pearson X^2 over cells with enough expected clicks, p by
//    parametric bootstrap (the examination hypothesis).
//  swipe_behaviour: is examination after a swipe the same as before (likelihood ratio of `reset` = 1 in the carousel model, reach logged).
//  order_shuffled: are items spread over slots as in a random order (chi-square of item x slot counts per policy).
//  propensities: E[w] = 1 +- 3 SE for w = (1/items in the slot's support) / propensity per policy and slot.
Result<std::vector<AssumptionTest>> testAssumptions(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control);

} // namespace carousel
