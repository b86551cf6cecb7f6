// SPDX-License-Identifier: GPL-3.0-or-later
// Off-policy evaluation of one action per round: what would the target policy have earned on this log? Notation of Saito et al. (Open
// Bandit Pipeline, NeurIPS 2021 D&B): w = pi_e(a|x) / pi_b(a|x), q = predicted reward, q(x, pi_e) = sum_a pi_e(a|x) q(x, a).
//   RM      E[1{w>0} r] / E[1{w>0}], deterministic targets       IPS      E[w r]                clipped  E[min(w, lambda) r]
//   SNIPS   E[w r] / E[w]                                        DM       E[q(x, pi_e)]
//   DR      E[q(x, pi_e) + w (r - q)]                            SNDR     E[q(x, pi_e) + w (r - q) / E[w]]
//   Switch-DR  E[q(x, pi_e) + 1{w <= lambda} w (r - q)]          DRos     E[q(x, pi_e) + lambda w / (w^2 + lambda) (r - q)]
//   SG-IPS, SG-DR  weight w / (1 - lambda + lambda w)            MIPS     IPS with w marginalised over action embeddings (Saito, ICML 2022)
// Everything here is O(rounds): the caller passes numbers of the logged action, or uses expectedReward for the sum over actions.
#pragma once
#include "base/run_control.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

// Columns of equal length (rounds); those an estimator does not need may be empty.
struct BanditLog {
    std::vector<double> reward;              // r, finite
    std::vector<double> propensity;          // pi_b(a|x), (0, 1]
    std::vector<double> target;              // pi_e(a|x), [0, 1]
    std::vector<double> predicted;           // q(x, a) of the logged action
    std::vector<double> predictedUnderTarget;// q(x, pi_e)
    std::vector<double> embeddingWeight;     // w(x, e) for MIPS
    std::vector<std::int32_t> cluster;       // what is resampled together; empty: every round alone
    std::vector<std::uint8_t> logger;        // several logging policies; empty: one
    std::vector<double> mixturePropensity;   // mean over loggers, by their share, of their propensity for a (balanced weights)
    double rewardLow = 0, rewardHigh = 1;    // range of a reward, for bounds and warnings
    std::size_t rounds() const { return reward.size(); }
};
// CL-8030 names column, round and value: lengths differ, propensity outside (0,1], target outside [0,1], reward not finite or out of range.
Result<void> checkBanditLog(const BanditLog& log);

// out[i] = sum over actions of policy[i, a] * predicted[i, a]; both rounds x actions, row-major. Lengths must match (CL-8030).
Result<void> expectedReward(std::span<const double> policy, std::span<const double> predicted, std::size_t actions, std::span<double> out);
// out[i] = values[i, action[i]].
Result<void> ofLoggedAction(std::span<const double> values, std::span<const std::int32_t> action, std::size_t actions, std::span<double> out);

// Both at once, for a log whose reward column is filled: target, predicted and predictedUnderTarget in one sweep over the two tables.
Result<void> readPolicy(std::span<const double> policy, std::span<const double> predicted, std::span<const std::int32_t> action,
                        std::size_t actions, BanditLog& log);

enum class OffPolicy { rm, ips, clippedIps, snips, dm, dr, sndr, switchDr, drOs, sgIps, sgDr, mips, balancedIps, weightedIps, weightedDr };
struct OffPolicyInfo {
    OffPolicy estimator = OffPolicy::ips;
    std::string id, name, formula;
    std::string assumption;       // one sentence: what must be true
    bool needsPropensity = true, needsPrediction = false, hasLambda = false;
};
const std::vector<OffPolicyInfo>& offPolicyEstimators(); // in the order of the enum

struct LambdaChoice {
    double lambda = 0;
    std::string method;           // "given", "slope", "mse bound"
    std::vector<double> candidates, score; // what was tried; score: half width (slope) or MSE bound
};
struct OffPolicyOptions {
    // Empty: by `tuning`. Otherwise used for clippedIps, switchDr (default infinity), drOs, sgIps, sgDr.
    std::vector<double> lambda;
    std::string tuning = "mse bound"; // or "slope": SLOPE++ (Su et al., ICML 2020; Tucker and Lee, 2021), C = sqrt 6 - 1, delta 0.1
    int draws = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
struct PolicyEstimate {
    std::string id, name;
    double value = 0;
    double standardError = 0;     // cluster-robust, linearised for ratios
    Interval bootstrap;           // percentile, clusters redrawn
    Interval bernstein;           // empirical Bernstein (Maurer and Pontil, 2009) on bounded terms; wide and honest. NaN for ratios
    Interval anytime;             // asymptotic confidence sequence (Waudby-Smith et al., 2021), valid at every n looked at
    LambdaChoice lambda;          // where the estimator has one
    std::string assumption;
    std::string refused;          // "needs propensities: ..."; empty: estimated
    std::vector<std::string> notes; // "value 1.14 lies outside the range of a reward [0, 1]"
};
// One estimator with a given lambda: the plain mean, no interval (what is compared with other programs).
Result<double> offPolicyValue(OffPolicy estimator, const BanditLog& log, double lambda = 0);
// All asked for, with intervals on shared draws. An estimator that this log cannot support is `refused` with its reason, not an error.
Result<std::vector<PolicyEstimate>> estimatePolicy(const std::vector<OffPolicy>& estimators, const BanditLog& log, const OffPolicyOptions& options,
                                                   const RunControl& control);

// V(first) - V(second) on one log (Jeunen, Delta-OPE, 2024): E[(pi_1 - pi_2)/pi_b r], and with the control variate
// beta = Cov(dw r, dw) / Var(dw), dw = (pi_1 - pi_2)/pi_b, whose mean is 0.
struct DifferenceEstimate {
    double ips = 0, controlled = 0, beta = 0;
    Interval ipsInterval, controlledInterval;
    double standardErrorIps = 0, standardErrorControlled = 0;
};
Result<DifferenceEstimate> estimateDifference(const BanditLog& first, std::span<const double> secondTarget, const OffPolicyOptions& options,
                                              const RunControl& control);

} // namespace carousel
