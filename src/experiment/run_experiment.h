// SPDX-License-Identifier: GPL-3.0-or-later
// The straight path: one strategy on one split, from features to slates. run_experiment.cpp reads top to bottom in that order.
#pragma once
#include "experiment/specification.h"

namespace carousel {

// What one user's request gave. Everything that metrics and pages need, and nothing that must be recomputed.
struct UserResult {
    Code user = noCode;
    std::vector<Code> targets;              // test items, ascending code
    std::vector<std::int32_t> targetRank;   // 1-based rank of each target in the full order (best rank of its tie group); 0: not ranked
    std::vector<std::int32_t> targetTies;   // size of the tie group it stands in (1: none)
    std::int32_t ranked = 0;                // length of the full order
    double auc = -1;                        // of targets against all other ranked items, ties as half; -1 when undefined
    std::vector<ScoredItem> slate;          // first `depth` of the order
    std::vector<float> rankScore;           // same length; equal = tied
    bool fallback = false;
    std::int32_t invalid = 0;               // scores with a status other than ok
    Cost cost;
    std::string trace;                      // JSON array of {stage, step, detail}
    bool operator==(const UserResult&) const = default;
};

// Where finished users go while a run is under way, so that a killed run resumes without computing them again.
class RunSink {
public:
    virtual ~RunSink() = default;
    virtual std::vector<Code> finishedUsers() = 0;
    virtual Result<void> append(const std::vector<UserResult>& users) = 0; // durable when it returns
};

struct RunOutcome {
    std::vector<std::string> notes;     // from features, encoder, split; disclosed with the run
    Cost preparation;                   // features, encoder, fit
    double prepareSeconds = 0, scoreSeconds = 0;
    std::int64_t users = 0;             // evaluated in all
};

struct ExperimentHost { // all owned by the caller
    const PluginRegistry* plugins = nullptr;
    std::function<Result<LanguageModel*>(const std::string&)> languageModel; // meters its work into `cost`
    CompletionCache* cache = nullptr;
    CostMeter* cost = nullptr; // never null
};

// The users a study evaluates: those with a test target, or `evaluation.users` of them drawn with the seed; ascending codes.
std::vector<Code> evaluatedUsers(const Split& split, const EvaluationSpec& evaluation, std::uint64_t seed);

Result<RunOutcome> runExperiment(DatasetPtr dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy,
                                 const ExperimentHost& host, RunSink& sink, const RunControl& control);

// SHA-256 over specification, data and split digests, plugin digests, model digests, seed and device.
std::string runFingerprint(const Dataset& dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy,
                           const PluginRegistry& plugins, const std::map<std::string, std::string>& modelSha256);

} // namespace carousel
