// SPDX-License-Identifier: GPL-3.0-or-later
// Choosing the lambda of an estimator from the log. Internal to off_policy.
//   MSE bound  smallest Var / n + B^2, B = |E[(w - w') (r - q)]| + sqrt(2 E[w^2] ln(2/d) / n) + 2 max w ln(2/d) / (3 n)
//              (w' the weight that the estimator applies; Su et al., ICML 2020, shrinkage paper)
//   SLOPE++    candidates from the widest half width to the narrowest; the last one whose distance to every earlier one is at most its half
//              width + (sqrt 6 - 1) times theirs (Tucker and Lee, 2021). Half widths: Student's t, one-sided at d.
// d = 0.1 in both.
#pragma once
#include "evaluation/off_policy/round_terms.h"

namespace carousel::off_policy {

// Candidates that span the weights of this log, from the least biased to the most.
std::vector<double> lambdaCandidates(OffPolicy estimator, const BanditLog& log);
// `method`: "mse bound" or "slope". Error: cancelled.
Result<LambdaChoice> tuneLambda(OffPolicy estimator, const BanditLog& log, const std::string& method, std::vector<double> candidates,
                                const RunControl& control);
// The value that a Student t variable with `freedom` degrees of freedom exceeds with probability `tail` (0 < tail < 0.5).
double studentQuantile(double tail, double freedom);

} // namespace carousel::off_policy
