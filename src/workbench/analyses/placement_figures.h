// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers of a placement study, from its stored runs: what every place gains, shares, interactions, costs, verdicts.
#pragma once
#include "evaluation/factorial/placement_verdict.h"
#include "evaluation/statistics/interval.h"
#include "workbench/analyses/placement_plan.h"
#include <optional>

namespace carousel::analyses {

struct PlacementEstimate {
    double value = 0, standardError = 0;
    Interval interval;
};

// One metric on one set of rows (a row: one user under one seed).
struct PlacementGains {
    std::size_t rows = 0;
    std::vector<PlacementEstimate> levels;     // per run
    std::vector<PlacementEstimate> effects;    // by mask of places; [0] the mean. In a half design both of an aliased pair are the same
    std::array<PlacementEstimate, 4> gain;     // Shapley share of the whole gain; in a half design the effect of the place (with aliases)
    std::array<PlacementEstimate, 4> share;    // gain / total; only meaningful when totalIsClear
    PlacementEstimate total;                   // all on less all off
    bool totalIsClear = false;                 // its interval leaves out 0
    std::array<bool, 4> reachesNothing{};      // no user's figure changes with the place in any pair
};

struct RequestCost { // of one request, asked afresh
    double seconds = 0, modelSeconds = 0, tokens = 0;
};
struct PlaceCost { // what switching the place on adds to a request: mean over the pairs that differ in it alone
    double seconds = 0, tokens = 0, money = 0 /* per 1,000 requests; NaN: no price */, wattHours = 0 /* per 1,000 requests */;
    double medianOff = 0, medianOn = 0, p95Off = 0, p95On = 0; // seconds of a request with it off and on, all combinations of the others
    double modelBytes = 0, memoryBytes = 0; // of the model's files; to open it and read a usual prompt (llm/model_memory.h). 0: no model there
};
struct PlacementSlice {
    std::string id, title;
    std::size_t users = 0;   // rows
    PlacementGains gains;    // empty with fewer than ten rows
    PlacementGains fewShot;  // the same with worked examples; empty without any
};
// The same factorial with worked examples in the prompts, on the same rows and draws.
struct FewShotFigures {
    PlacementGains gains, other; // as in PlacementFigures
    PlacementGains change;       // less zero-shot, row by row; its levels are those of the combinations' differences
    std::array<PlaceCost, 4> cost;
    std::array<PlacementVerdict, 4> verdict{};
};

struct PlacementFigures {
    PlacementPlan plan;
    std::string datasetTitle, metricTitle, valueNote, valueTitle;
    std::size_t datasetUsers = 0, users = 0 /* per seed */, seeds = 0, computedRuns = 0, allRuns = 0;
    bool byValue = false;
    PlacementGains gains, other;               // by the metric that decides, and by the one beside it
    std::vector<PlacementSlice> slices;
    std::optional<FewShotFigures> fewShot;
    std::vector<std::vector<RequestCost>> requests; // per strategy, per timed user
    std::vector<Cost> preparation;                  // per strategy, when it was done with the least from kept answers
    std::array<PlaceCost, 4> cost;
    std::array<PlacementEvidence, 4> evidence;
    std::array<PlacementVerdict, 4> verdict{};
    std::vector<std::string> warnings;
    std::vector<std::string> reports, fewShotReports; // what the plugins say of themselves with all four on, under the first seed
    const PlacementEstimate& level(std::size_t strategy) const;      // by the metric that decides
    const PlacementEstimate& otherLevel(std::size_t strategy) const; // by the one beside it
    double meanSeconds(std::size_t strategy) const;
    double meanTokens(std::size_t strategy) const;
    std::vector<std::size_t> front() const; // strategies that no other beats in both the metric and whole milliseconds, quickest first
};
// Quantile of a few numbers, linear between neighbours; NaN without any.
double quantileOf(std::vector<double> values, double share);

Result<PlacementFigures> placementFigures(Workbench& bench, const AnalysisSpec& spec, PlacementPlan plan, const RunControl& control);

Result<AnalysisDocument> placementReport(const AnalysisSpec& spec, const PlacementFigures& figures);

} // namespace carousel::analyses
