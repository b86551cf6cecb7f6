// SPDX-License-Identifier: GPL-3.0-or-later
// Examples as the tokens that training computes: those that scoring the same answers behind the same prompts would compute.
#pragma once
#include "llm/chat_template.h"
#include "llm/fine_tune.h"

namespace carousel {

// The state after tokens[row] shall predict `token`.
struct TrainingTarget {
    std::int64_t row = 0;
    TokenId token = 0;
    double weight = 1; // of its cross-entropy in the loss
};
struct TrainingSequence {
    std::vector<TokenId> tokens;
    std::vector<TrainingTarget> targets; // by row
    std::uint64_t dropoutKey = 0;        // another key, another choice of inputs that are left out
};
struct TrainingText {
    std::vector<TrainingSequence> sequences; // weights of targets sum to the example's
    std::vector<std::int64_t> lengths;
    std::vector<double> weights;
    std::int64_t truncated = 0;
};

// CL-2090: a prompt that does not fit `contextLimit`. CL-2141: an answer without tokens, or learnEnd where the model knows no end.
Result<TrainingText> trainingText(const ChatTemplate& chat, const std::vector<FineTuneExample>& examples, const FineTuneSettings& settings,
                                  std::int64_t contextLimit);

// For the metric auc: the first tokens of the positive answer and of the other one, as they stand behind the prompts of `validation`, which
// checkRequest() has found to have both. CL-2141: they are the same, or not the same behind every prompt.
Result<std::vector<TokenId>> comparedTokens(const ChatTemplate& chat, const std::vector<FineTuneExample>& validation,
                                            const std::string& positive);

} // namespace carousel
