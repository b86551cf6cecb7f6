// SPDX-License-Identifier: GPL-3.0-or-later
// The specification of an analysis: which log or runs, and options declared once as ParameterSpecs, so that the form in the window,
// `--set clicks.window=7`, validation and the table in the report follow by themselves. As TOML:
//
//   dataset = "six-of-hundreds"      # clicks, position-bias, off-policy
//   seed = 1
//   [clicks]                         # or [position_bias], [off_policy], [lens], [rows]: the options of its kind
//   window = 6
//   [[strategy]]                     # off-policy: the policies to evaluate; ab-test: the arms; as in a study
//   name = "rules"
//   scorer = "sequence_rules"
#pragma once
#include "experiment/specification.h"
#include "stages/compute_choice.h"

namespace carousel {

enum class AnalysisKind { clicks, positionBias, offPolicy, lens, rows, likes, ratings, tasks, abTest, abCheck, placement };
const char* name(AnalysisKind kind);  // "clicks", "position-bias", "off-policy", "lens", "rows", "likes", "ratings", "tasks", "ab-test", "ab-check", "placement"
const char* title(AnalysisKind kind); // "Click models", "Position bias", "Off-policy evaluation", "Position lens", "Carousel rows", "Like prediction", "Rating prediction",
                                      // "Five tasks, one model", "A/B simulation", "Check of stopping rules", "Where the language model pays"
bool takesStrategies(AnalysisKind kind); // off-policy, ab-test, ab-check, placement: [[strategy]] of the file
Result<AnalysisKind> analysisKind(const std::string& name); // CL-3060

// The options of a kind, in the order of the form. Reading them has no side effects.
const std::vector<ParameterSpec>& analysisParameters(AnalysisKind kind);

struct AnalysisSpec {
    AnalysisKind kind = AnalysisKind::clicks;
    std::string dataset;            // clicks, position-bias, off-policy
    std::vector<std::int64_t> runs; // lens (one or two), rows (two to eight)
    Parameters options;             // resolved
    std::uint64_t seed = 1;
    std::string device = defaultDevice(), compute = "auto"; // as in a study
    std::vector<StrategySpec> strategies;                   // off-policy, ab-test (the arms), placement (the plain one)
};
// Defaults for everything but data set, runs and strategies.
AnalysisSpec defaultAnalysis(AnalysisKind kind);
// `toml` may be empty (defaults). `sets`: "window=7" or "clicks.window=7", "dataset=...", "seed=3", "NAME:scorer.count=20". Errors
// CL-3061.. name the key path and what is allowed. A study file is accepted too: its dataset, seed, device, compute type and strategies are
// taken.
Result<AnalysisSpec> parseAnalysis(AnalysisKind kind, const std::string& toml, const PluginRegistry& plugins,
                                   std::span<const std::string> sets = {});
std::string toToml(const AnalysisSpec& spec);                                           // resolved; parseAnalysis(kind, toToml(x)) == x
Result<AnalysisSpec> resolved(const AnalysisSpec& spec, const PluginRegistry& plugins); // built in the window

} // namespace carousel
