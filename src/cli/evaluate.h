// SPDX-License-Identifier: GPL-3.0-or-later
// What the evaluate commands do; command_evaluate.cpp declares their options.
#pragma once
#include "cli/session.h"

namespace carousel::cli {

struct EvaluateOptions {
    AnalysisKind kind = AnalysisKind::clicks;
    std::string specification, data, output, failOn, device, compute;
    std::vector<std::string> sets;
    std::vector<std::int64_t> runs;
    std::int64_t seed = -1, id = 0;
    bool unsaved = false, acks = false; // acks: a line on stderr after every durable commit of a run
};
Result<Answer> evaluate(Session& session, const EvaluateOptions& options);
Result<Answer> listAnalyses(Session& session);
Result<Answer> showAnalysis(Session& session, const EvaluateOptions& options);
// Keeps the analysis of a FILE.json that evaluate wrote, in this project.
Result<Answer> addAnalysis(Session& session, const std::string& file);
Result<Answer> compareAnalyses(Session& session, const EvaluateOptions& options); // options.runs: numbers of analyses
Result<Answer> removeAnalysis(Session& session, std::int64_t id);

struct RecoveryOptions {
    std::string model = "carousel", intervals = "robust";
    std::int64_t sessions = 200000, repetitions = 200, items = 100, slots = 12, window = 6, draws = 200, seed = 1;
    bool reachNotLogged = false;
};
Result<Answer> evaluateRecovery(Session& session, const RecoveryOptions& options);

} // namespace carousel::cli
