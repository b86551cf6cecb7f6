// SPDX-License-Identifier: GPL-3.0-or-later
// What a user did, in the forms in which scorers and prompts need it.
#pragma once
#include "data/split.h"

namespace carousel::plugin {

inline bool isKnownUser(const TrainingView& training, Code user) {
    return user >= 0 && static_cast<std::size_t>(user) < training.userCount();
}

// Distinct items, newest first; an item that was met several times counts with its newest event.
struct Taste {
    std::vector<Code> liked, disliked;
};
inline constexpr std::size_t allEvents = static_cast<std::size_t>(-1);
// `before`: only the events at places smaller than this, where a prompt must not know what came later.
Taste tasteOf(const TrainingView& training, Code user, std::size_t maximumLiked, std::size_t maximumDisliked,
              std::size_t before = allEvents);

// Distinct items that the user has met in any way, ascending: seen ones, and clicks of a log, which do not count as seen.
std::vector<Code> metItems(const TrainingView& training, Code user);

// Where every event says the same (a shop that knows purchases alone), nobody rated anything.
bool hasScale(const TrainingView& training);

// Which events of a history a scorer learns from.
enum class EventChoice { liked, notDisliked, all };
Result<EventChoice> eventChoice(const std::string& text);
inline std::vector<std::string> eventChoices() {
    return {"liked", "not disliked", "all"};
}

// A user's items under `choice`, oldest first, the last `limit` of them (0: all). `distinct` keeps the newest event of each item.
// placesOf gives their places in the history instead.
std::vector<std::size_t> placesOf(const TrainingView& training, Code user, EventChoice choice, std::size_t limit, bool distinct);
std::vector<Code> sequenceOf(const TrainingView& training, Code user, EventChoice choice, std::size_t limit, bool distinct);

} // namespace carousel::plugin
