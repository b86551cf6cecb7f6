// SPDX-License-Identifier: GPL-3.0-or-later
// Worked examples for a prompt (few-shot, Brown et al., NeurIPS 2020): questions of the same form whose answers the training part knows,
// put before the question as earlier turns of the talk. They are the same for every user, so that a model reads them once.
#pragma once
#include "base/parameters.h"
#include "base/result.h"
#include "base/run_control.h"
#include "data/split.h"
#include "stages/language_model.h"
#include <optional>
#include <string>
#include <vector>

namespace carousel::plugin {

// An event of the training part that a question can be asked about: the user had met something before, and the item not yet.
struct WorkedEvent {
    Code user = noCode, item = noCode;
    std::size_t place = 0;           // in the user's history; a question must show only what stands before it
    std::optional<float> preference; // empty: no event, an item drawn among those that the user never met
    Code other = noCode;             // of WorkedKind::likedAgainstNotMet: an item that the user never met
};

enum class WorkedKind {
    likedOrNot, // likes and dislikes in turn, a like first; where nobody dislikes anything, items that were never met stand for dislikes
    liked,      // likes alone
    likedAgainstNotMet, // likes, each with an item that was never met
    rated,              // any event, as they come; none where all preferences are equal, since then nobody rated
};

struct WorkedEvents {
    std::vector<WorkedEvent> events; // fewer than asked for where the data has no more
    std::string note;                // what they are, for people
};
// At most one event of a user; which ones is decided by `seed` alone. Errors: a stop.
Result<WorkedEvents> workedEvents(const TrainingView& training, WorkedKind kind, std::size_t count, std::uint64_t seed,
                                  const std::string& owner, const RunControl& control);

// One example as two turns.
inline void addExample(std::vector<ChatMessage>& messages, std::string question, std::string answer) {
    messages.push_back({"user", std::move(question)});
    messages.push_back({"assistant", std::move(answer)});
}
// The examples and then the question.
std::vector<ChatMessage> afterExamples(const std::vector<ChatMessage>& examples, std::string question);

// The parameter "shots"; withShots appends it and "shotHistory" to a scorer's own.
ParameterSpec shotParameter();
std::vector<ParameterSpec> withShots(std::vector<ParameterSpec> own);

} // namespace carousel::plugin
