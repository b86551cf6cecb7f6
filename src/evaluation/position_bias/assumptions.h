// SPDX-License-Identifier: GPL-3.0-or-later
// The four tests of what click models and position-bias estimates assume, one function each; testAssumptions runs them and adjusts p.
#pragma once
#include "evaluation/position_bias/log_design.h"
#include "evaluation/position_bias/position_bias.h"

namespace carousel::bias {

AssumptionTest testItemIndependence(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control);
AssumptionTest testSwipeBehaviour(const ClickLog& log, const PositionBiasOptions& options);
AssumptionTest testShuffledOrder(const LogDesign& design);
AssumptionTest testPropensities(const ClickLog& log, const LogDesign& design);

// A test that has no p-value, with the reason.
inline AssumptionTest untestable(AssumptionTest test, std::string why) {
    test.verdict = Assumption::unknown;
    test.statistic = test.pValue = test.adjustedP = std::numeric_limits<double>::quiet_NaN();
    test.words = std::move(why);
    return test;
}

} // namespace carousel::bias
