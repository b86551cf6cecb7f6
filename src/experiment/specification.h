// SPDX-License-Identifier: GPL-3.0-or-later
// The specification of a study: one TOML file, one meaning. Reading it resolves every default; the resolved form is what is hashed,
// stored and printed in reports.
#pragma once
#include "data/split.h"
#include "stages/compute_choice.h"
#include "stages/plugin.h"
#include <array>
#include <map>

namespace carousel {

struct StageSpec {
    std::string plugin;
    Parameters parameters; // resolved
    bool operator==(const StageSpec&) const = default;
};

// What a strategy learns from the data set's carousel log, besides the interactions; see training_clicks.h. In the file:
// [strategy.training].
struct TrainingSpec {
    std::string clicks =
        "none";             // "none", "evidence" (click rates per item, for controllers), "naive" (clicks as events too), "ips" (weighted)
    double examination = 0; // theta of the log's pages falls by this factor per place; 0: evaluation.examination
    double clip = 20;       // largest weight of a click
    double logShare = 0.5;  // of the log's sessions, earliest first: the rest stays for off-policy evaluation
    bool operator==(const TrainingSpec&) const = default;
};

struct StrategySpec {
    std::string name; // unique in the study
    std::string eventModel = "combined";
    TrainingSpec training;           // resolved: the default as a whole when clicks is "none"
    std::array<StageSpec, 4> stages; // indexed by StageKind
    const StageSpec& stage(StageKind kind) const { return stages[static_cast<std::size_t>(kind)]; }
    StageSpec& stage(StageKind kind) { return stages[static_cast<std::size_t>(kind)]; }
    bool operator==(const StrategySpec&) const = default;
};

struct EvaluationSpec {
    int k = 10;                // metrics at k
    int window = 6;            // slots visible without a swipe
    double swipe = 0.35;       // probability to swipe on after a page without a click
    double examination = 0.85; // in-page examination falls geometrically: theta_k = examination^k (k = 0-based place in the page)
    int users = 0;             // evaluate this many users drawn with the seed; 0: all users with a target
    int depth = 100;           // items stored per user
    int bootstrap = 1000;      // resamples for intervals
    double confidence = 0.95;
    bool refitOnValidation = true; // fit on train + validation before testing (disclosed on every row)
    std::string value = "auto";    // item attribute that a click is worth; "auto": price when the data has one, else 1; "one": 1
    bool operator==(const EvaluationSpec&) const = default;
};

struct StudySpec {
    std::string name = "study";
    std::string dataset; // name in the project
    SplitSpec split;
    EvaluationSpec evaluation;
    std::uint64_t seed = 1;
    std::string device = defaultDevice(); // where language models compute, and in which numbers: stages/compute_choice.h
    std::string compute = "auto";
    bool controls = true;      // "controls" = "auto": strategies that it lacks are added, see control_strategies.h; false, "none": a designed
                               // study, whose strategies are all of it
    bool freshAnswers = false; // "answers" = "fresh": requests ask models afresh even what the project has kept, so that they cost what a
                               // new request costs; preparation still takes what is kept. false, "kept": nothing is asked again
    std::vector<StrategySpec> strategies;
    // [endpoints.NAME]: servers that stages name as "server:NAME"; resolved, see stages/endpoint.h. Consent to send data there is not given
    // here.
    std::map<std::string, Parameters> endpoints;
};

// Errors CL-3005.. name the key path and what is allowed. `sets`: "scorer.count=20" for all strategies, "NAME:scorer.count=20" for one,
// "training.clicks=ips", "scorer=popularity" to switch a plugin, "scorer.llm=off" to put the plain twin in a place ("on": the language
// model one), "evaluation.users=200", "split.method=ratio-global", "seed=7". In the file, `like = "NAME"` starts a strategy from an earlier
// one.
Result<StudySpec> parseStudy(const std::string& toml, const PluginRegistry& plugins, std::span<const std::string> sets = {});
std::string toToml(const StudySpec& spec);        // resolved; parseStudy(toToml(x)) == x
std::string canonicalJson(const StudySpec& spec); // sorted keys, for hashing
std::string canonicalJson(const StrategySpec& spec);
// The strategy with one place switched to its plugin's twin; CL-3008 when the plugin has none.
Result<StrategySpec> withTwin(const StrategySpec& strategy, StageKind kind, const PluginRegistry& plugins);
// Fills defaults and checks every parameter of a strategy built in the window.
Result<StrategySpec> resolved(const StrategySpec& strategy, const PluginRegistry& plugins);

} // namespace carousel
