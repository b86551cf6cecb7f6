// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated experiments whose true effect is known: how often do the judge's intervals hold it, and how often does its rule find an effect where
// there is none? Every repetition draws its users from the same people anew, assigns them anew and draws their visits anew.
#pragma once
#include "evaluation/ab_test/experiment.h"
#include "evaluation/statistics/interval.h"
#include "workbench/simulation/world.h"

namespace carousel {

struct CoveragePlan {
    SlateSource *control = nullptr, *treatment = nullptr; // do not learn
    SimulationSettings simulation;                        // seed of the truth; feedback as wanted
    ExperimentDesign design;
    std::size_t users = 2000; // of an experiment
    int repetitions = 500;
    int truthRounds = 40;     // times that everybody lives in both arms, for the true effect
    std::uint64_t seed = 1;
};
struct CoverageRow {
    std::string method;      // "plain", "CUPED", "regression"
    double coverage = 0;     // share of intervals that hold the true effect
    Interval interval;       // of that share: Clopper-Pearson, 95 %
    double meanEstimate = 0, meanWidth = 0;
};
struct CoverageCheck {
    double control = 0, treatment = 0, effect = 0, effectError = 0; // truth, and its standard error from the repetitions
    std::vector<CoverageRow> rows;
    // Both arms the control: shares of experiments with an effect, of the fixed test at the end and of the rule at any look.
    double falseFixed = 0, falseRule = 0;
    Interval falseFixedInterval, falseRuleInterval;
    double found = 0; // of the experiments with the true effect, by the rule
    Interval foundInterval;
    int repetitions = 0;
};
// Errors of the simulation and of the judge; cancelled.
Result<CoverageCheck> checkCoverage(const SimulationWorld& world, const CoveragePlan& plan, const RunControl& control);

} // namespace carousel
