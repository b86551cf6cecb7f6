// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/position_bias/assumptions.h"
#include "evaluation/position_bias/describe.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

using namespace bias;

namespace {
constexpr double level = 0.01;

// Holm: p sorted rising, times the number of tests left, never falling.
void adjust(std::vector<AssumptionTest>& tests) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < tests.size(); ++i)
        if (std::isfinite(tests[i].pValue))
            order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return tests[a].pValue < tests[b].pValue; });
    double above = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        above = std::max(above, std::min(1.0, tests[order[i]].pValue * static_cast<double>(order.size() - i)));
        tests[order[i]].adjustedP = above;
    }
}

const char* consequence(const AssumptionTest& test) {
    if (test.id == "item_independence")
        return test.verdict == Assumption::broken
                   ? " So a position does not act on all items alike, or users saw different items at different positions by taste: "
                     "position-based estimates are averages that hold for no single item."
                   : " Nothing here speaks against one examination per position for all items.";
    if (test.id == "swipe_behaviour")
        return test.verdict == Assumption::broken
                   ? " So do not carry examination from the first page over to later ones; those who swipe may also be other people."
               : test.verdict == Assumption::holds ? " The first page's examination may be used behind the fold."
                                                   : " No change is shown; a small one may be there.";
    if (test.id == "order_shuffled")
        return test.verdict == Assumption::broken
                   ? " So click rates per position of a policy that is not shuffled mix position and quality."
                   : " Click rates per position of shuffled visits may be compared as they are.";
    return test.verdict == Assumption::broken ? " So weighted estimates are biased; check how propensities were logged, and whether every "
                                                "item could come up in every visit."
                                              : " Nothing here speaks against weighting by them.";
}
} // namespace

const char* name(Assumption verdict) {
    switch (verdict) {
    case Assumption::holds:
        return "supported";
    case Assumption::notShown:
        return "not contradicted";
    case Assumption::broken:
        return "contradicted";
    default:
        return "cannot be tested";
    }
}

Result<std::vector<AssumptionTest>> testAssumptions(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control) {
    CAROUSEL_TRY(checkBiasLog(log, options));
    const auto stopped = [&] { return control.stopRequested(); };
    std::vector<AssumptionTest> tests;
    const auto design = readDesign(log, options.minimumOverlap, control, false);
    if (stopped())
        return fail(RunControl::cancelled("tests of assumptions"));
    tests.push_back(testItemIndependence(log, options, control));
    control.report("Testing assumptions", 1, 4, "tests");
    if (stopped())
        return fail(RunControl::cancelled("tests of assumptions"));
    tests.push_back(testSwipeBehaviour(log, options));
    control.report("Testing assumptions", 2, 4, "tests");
    tests.push_back(testShuffledOrder(design));
    tests.push_back(testPropensities(log, design));
    control.report("Testing assumptions", 4, 4, "tests");
    if (stopped())
        return fail(RunControl::cancelled("tests of assumptions"));
    adjust(tests);
    for (auto& test : tests) {
        if (test.verdict == Assumption::unknown)
            continue;
        if (test.adjustedP < level)
            test.verdict = Assumption::broken;
        test.words += consequence(test);
    }
    return tests;
}

} // namespace carousel
