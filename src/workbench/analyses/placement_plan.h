// SPDX-License-Identifier: GPL-3.0-or-later
// What a placement study runs: the plain strategy, the one with a language model at all four places, and every combination between as an
// ordinary stored study per seed.
#pragma once
#include "evaluation/factorial/factorial.h"
#include "experiment/analysis_specification.h"
#include "workbench/workbench.h"

namespace carousel::analyses {

constexpr std::array<StageKind, 4> placementPlaces{StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller};
const char* placementTitle(std::size_t place); // "features", "encoder", "scorer", "controller"
std::string combinationName(std::uint32_t mask); // "plain", "LLM at encoder + scorer", "LLM at all four"

struct PlacementPlan {
    StrategySpec off, on; // plain everywhere, and the other plugin everywhere
    FactorialDesign design;
    std::int64_t shots = 0;          // worked examples of the few-shot combinations; 0: there are none
    std::uint32_t shotPlaces = 0;    // the places whose prompts hold them
    // Per run of the design its strategy with worked examples: of those without such a place the run itself.
    std::vector<std::size_t> fewShotRuns;
    std::array<std::string, 4> titleOff, titleOn; // names of the plugins
    std::array<bool, 4> asksModel{};              // whether what stands there when on asks a language model
    std::array<std::string, 4> model;             // its id on the shelf; empty: none
    std::vector<StudySpec> studies;               // one per seed; strategies in the order of design.runs, few-shot ones behind
    StudySpec costs;                              // the same strategies on a few users, asked afresh
    std::vector<std::string> notes;

    std::size_t strategies() const; // runs of the design and few-shot ones
    std::size_t runOf(std::size_t strategy) const; // the run of the design that it is, or is with worked examples
    std::string title(std::size_t strategy) const; // "LLM at scorer", "LLM at scorer, 4 examples"
};
// Errors: CL-7100 more than two strategies, CL-7101 a first strategy that asks a language model, CL-7102 a place whose plugin has no twin,
// CL-7103 two strategies that are equal at a place.
Result<PlacementPlan> placementPlan(const AnalysisSpec& spec, const PluginRegistry& plugins);

// The study as it stands in the project, run or taken up again where something is missing. `computed`: runs that were not complete before.
struct PlacementStudy {
    std::int64_t study = 0;
    std::vector<std::int64_t> runs; // in the order of the strategies, all complete
    std::size_t computed = 0;
};
// CL-7104 when the project is read-only and something is missing, CL-7105 when a strategy failed, CL-7106 when one is still
// missing.
Result<PlacementStudy> placementStudy(Workbench& bench, const StudySpec& study, const RunControl& control);

} // namespace carousel::analyses
