// SPDX-License-Identifier: GPL-3.0-or-later
// How plugins ask a language model: answers kept in the host's cache, every call counted, and the same request in the same bytes
// whatever the order of its parts.
#pragma once
#include "stages/stage.h"
#include <map>
#include <memory>

namespace carousel::plugin {

// The model of the environment, cached and counted. Keep it no longer than the environment.
class CountedModel {
public:
    static Result<CountedModel> open(const StageEnvironment& environment, const std::string& modelId);
    LanguageModel& operator*() const { return *m_model; }
    LanguageModel* operator->() const { return m_model; }

private:
    std::shared_ptr<LanguageModel> m_owned; // the counting layer, when the host has not put one on
    LanguageModel* m_model = nullptr;
};

// scoreBranches with equal branches asked once and all in a fixed order, so that the answer for a branch does not depend on where it stood.
Result<BranchScores> scoreBranchesInFixedOrder(LanguageModel& model, const BranchRequest& request, const RunControl& control);

// Embeds texts in chunks with progress and stop; rows as given. `stage` names the work for people.
Result<Matrix> embedAll(LanguageModel& model, const std::vector<std::string>& texts, Pooling pooling, const std::string& stage,
                        const RunControl& control);

// How likely each option is as the answer to `prompt`, less `neutralWeight` times the same under `neutralPrompt` (which takes away what the
// model prefers before it knows anything: short and frequent words).
struct OptionScores {
    std::vector<double> score, logProbability, neutral;
    std::vector<double> share; // softmax of score, sums to 1
    std::size_t best = 0;      // first of the highest
    double margin = 0;         // best score less the second best; 0 with fewer than two options
};
Result<OptionScores> scoreOptions(LanguageModel& model, const std::string& prompt, const std::string& neutralPrompt,
                                  const std::vector<std::string>& options, double neutralWeight, const RunControl& control);
// The same with the neutral log probabilities at hand (empty: none are taken off) and whatever was said before.
Result<OptionScores> scoreOptions(LanguageModel& model, std::vector<ChatMessage> messages, const std::vector<double>& neutral,
                                  const std::vector<std::string>& options, double neutralWeight, const RunControl& control);

} // namespace carousel::plugin
