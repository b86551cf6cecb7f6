// SPDX-License-Identifier: GPL-3.0-or-later
// Off-policy evaluation of whole slates, as a ladder of assumptions. rho_l = pi_e / pi_b of slot l.
//   SIPS  (prod_l rho_l) sum_l r_l             any interaction between slots is allowed; the weights explode
//   RIPS  sum_l r_l prod_{m<=l} rho_m          a slot's reward depends on the slots before it only (cascade; McInerney et al., KDD 2020)
//   IIPS  sum_l rho_l r_l                      a slot's reward depends on its own item only (marginal propensities; Li et al., KDD 2018)
//   PI    (1 - L + sum_l rho_l) * sum_l r_l    the slate's reward is a sum over slots (Swaminathan et al., NeurIPS 2017), marginal, product policies
//   SN..  each slot's weight divided by that slot's mean weight
//   Cascade-DR  sum_l [ w_{1:l} (r_l - Q_l(a_l)) + w_{1:l-1} sum_a pi_e(a) Q_l(a) ], w_{1:0} = 1 (Kiyohara et al., WSDM 2022)
#pragma once
#include "evaluation/off_policy/bandit.h"

namespace carousel {

struct SlateLog {
    std::vector<std::size_t> offsets{0};      // slates + 1
    // per slot; empty columns make the estimators that need them refuse
    std::vector<double> reward;
    std::vector<double> conditional;          // pi_b(a_l | x, a_1..a_{l-1})
    std::vector<double> targetConditional;    // pi_e(a_l | x, a_1..a_{l-1})
    std::vector<double> marginal;             // pi_b(a_l in slot l | x)
    std::vector<double> targetMarginal;
    std::vector<double> predicted;            // Q_l(a_l): expected reward of slots l.. when a_l stands there
    std::vector<double> predictedUnderTarget; // sum_a pi_e(a | a_1..a_{l-1}) Q_l(a)
    std::vector<std::int32_t> cluster;        // per slate
    double rewardLow = 0, rewardHigh = 1;     // of a slate's summed reward
    std::size_t slates() const { return offsets.size() - 1; }
};
Result<void> checkSlateLog(const SlateLog& log); // CL-8031

enum class SlatePolicy { sips, rips, iips, pi, snsips, snrips, sniips, cascadeDr };
struct SlatePolicyInfo {
    SlatePolicy estimator = SlatePolicy::sips;
    std::string id, name, formula, assumption;
};
const std::vector<SlatePolicyInfo>& slatePolicyEstimators(); // from the weakest assumption to the strongest
Result<double> slatePolicyValue(SlatePolicy estimator, const SlateLog& log);
Result<std::vector<PolicyEstimate>> estimateSlatePolicy(const std::vector<SlatePolicy>& estimators, const SlateLog& log,
                                                        const OffPolicyOptions& options, const RunControl& control);

} // namespace carousel
