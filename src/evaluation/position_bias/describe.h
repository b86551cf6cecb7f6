// SPDX-License-Identifier: GPL-3.0-or-later
// What the bench says about a log, in sentences with its numbers, for readers who do not know the papers.
#pragma once
#include "evaluation/position_bias/estimators.h"
#include "evaluation/position_bias/position_bias.h"

namespace carousel::bias {

// CL-8032: the log has one position, no click or too many rows; CL-8033: options out of range; and what checkClickLog says.
Result<void> checkBiasLog(const ClickLog& log, const PositionBiasOptions& options);
PositionBiasEstimate named(Method method); // id, name and needs
std::string reasonOf(Method method, const Plan& plan, const Sums& sums, const PositionBiasEstimate& estimate);
std::string verdictOf(const Plan& plan, const PositionBias& result, const PositionBiasOptions& options);
// "policy "new": sorted (chi-square 812.4 on 95 degrees of freedom, p below 0.0001)"
std::string orderOf(const PolicyDesign& policy);

} // namespace carousel::bias
