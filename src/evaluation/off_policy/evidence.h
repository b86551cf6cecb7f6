// SPDX-License-Identifier: GPL-3.0-or-later
// The evidence gate: how far a log can support an off-policy estimate, in words. Thresholds stand here and are printed with the reasons.
#pragma once
#include "evaluation/off_policy/slate.h"

namespace carousel {

enum class Evidence { green, amber, red };
const char* name(Evidence level); // "green", "amber", "red"
const char* words(Evidence level); // "supported", "weak", "not supported"

struct EvidenceReason {
    Evidence level = Evidence::green;
    std::string what;             // "Effective sample size"
    double value = 0, threshold = 0; // threshold that was missed, or the green one
    std::string text;             // one sentence with the numbers
};
struct EvidenceGate {
    Evidence level = Evidence::green; // the worst of the reasons
    std::vector<EvidenceReason> reasons;
    double effectiveSampleSize = 0; // (sum w)^2 / sum w^2, Kish
    double effectiveShare = 0;      // of the rounds
    double largestShare = 0;        // max w / sum w
    double meanWeight = 0, meanWeightError = 0; // E[w] should be 1
    double overlap = 0;             // sum over rounds of min(pi_e, pi_b) / pi_b / n, Bhattacharyya-like, 0..1
    double unsupported = 0;         // share of the target policy's choices that the log never shows; NaN unknown
    double spread = 0;              // (max - min) / median standard error over the estimators given
    double clicksBehind = 0;        // rounds with w > 0 and reward != 0
};
struct EvidenceThresholds {
    double amberEss = 500, redEss = 50;          // effective rounds
    double amberShare = 0.05, redShare = 0.25;   // largest weight share
    double meanWeightErrors = 3;                 // |E[w] - 1| in standard errors: red beyond
    double amberUnsupported = 0.02, redUnsupported = 0.20;
    double amberSpread = 3, redSpread = 8;       // estimators disagree
    double amberClicks = 50, redClicks = 10;     // rewards behind the estimate
};
// `weights`: pi_e / pi_b per round or slate; `unsupported` NaN when it cannot be known. No propensities at all: one red reason.
EvidenceGate evidenceGate(std::span<const double> weights, std::span<const double> rewards, double unsupported,
                          std::span<const PolicyEstimate> estimates, const EvidenceThresholds& thresholds = {});
EvidenceGate refusedEvidence(const std::string& why);

} // namespace carousel
