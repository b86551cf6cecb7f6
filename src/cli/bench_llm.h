// SPDX-License-Identifier: GPL-3.0-or-later
// What bench llm does; command_bench.cpp declares its options.
#pragma once
#include "cli/session.h"
#include "stages/compute_choice.h"

namespace carousel::cli {

struct BenchOptions {
    std::string model = "smollm2-135m-instruct", device = defaultDevice(), writeTask;
    std::vector<std::string> computeTypes{"fp32", "bf16", "int16"};
    int prompts = 20, candidates = 50, repetitions = 5;
    bool here = false;       // one compute type, in this very process
    bool firstScore = false; // open the model, score one candidate, end
};
// One process for each compute type, one after the other, so that memory and start time are those of the type alone.
Result<Answer> benchLanguageModel(Session& session, const BenchOptions& options);
// The shortest command that scores: seconds from its start to the score.
Result<Answer> benchFirstScore(Session& session, const BenchOptions& options);
// Every measurement of one compute type as JSON.
Result<Answer> benchHere(Session& session, const BenchOptions& options);

} // namespace carousel::cli
