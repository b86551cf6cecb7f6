// SPDX-License-Identifier: GPL-3.0-or-later
// How fast an opened model does what the program asks of it. Wall-clock seconds of this process; run it where nothing else runs. One value
// of `seconds` for each repetition, none left out; what came before the first one warmed caches up. Thread rule: one call at a time per
// model.
#pragma once
#include "workbench/model_benchmark/task.h"

namespace carousel {

struct SpeedSample {
    std::vector<double> seconds; // one per repetition
    double units = 0;            // candidates, tokens or texts of one repetition (the mean, where they differ)
    std::vector<double> perSecond() const;
};
struct ScoringMeasure {
    SpeedSample speed;                       // units: candidates
    std::vector<std::vector<double>> scores; // per prompt and candidate: logit of the first answer less that of the second
    double prefixTokens = 0, branchTokens = 0, cachedTokens = 0; // computed per prompt (mean); kept from the prompt before
};

// The first prompt with one candidate, or one text for a model that only embeds.
Result<void> measureFirst(LanguageModel& model, BenchmarkTaskOptions options, const RunControl& control);
// One call of scoreBranches per prompt, the first prompt once more before them as a warm-up.
Result<ScoringMeasure> measureScoring(LanguageModel& model, const std::vector<BranchRequest>& prompts, const RunControl& control);
// One whole prompt for each candidate, `repetitions` candidates of the prompts in turn: what a caller without shared prefixes pays.
// Units: 1.
Result<SpeedSample> measureNaive(LanguageModel& model, const std::vector<BranchRequest>& prompts, int repetitions,
                                 const RunControl& control);
// Prompts of at least `tokens` tokens with one branch; units: tokens computed.
Result<SpeedSample> measurePrefill(LanguageModel& model, std::int64_t tokens, int repetitions, const RunControl& control);
// Greedy tokens after a prompt of about 300 that is computed already; units: tokens.
Result<SpeedSample> measureDecode(LanguageModel& model, const BranchRequest& prompt, int tokens, int repetitions,
                                  const RunControl& control);

struct EmbeddingMeasure {
    SpeedSample speed; // units: texts
    Matrix vectors;    // texts x width
};
Result<EmbeddingMeasure> measureEmbedding(LanguageModel& model, const std::vector<std::string>& texts, int repetitions,
                                          const RunControl& control);

std::int64_t peakMemoryBytes();    // most memory this process ever had resident
double secondsSinceProcessStart(); // to 0.01 s

} // namespace carousel
