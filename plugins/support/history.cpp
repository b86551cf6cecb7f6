// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/history.h"
#include <algorithm>
#include <optional>
#include <unordered_set>

namespace carousel::plugin {

Taste tasteOf(const TrainingView& training, Code user, std::size_t maximumLiked, std::size_t maximumDisliked, std::size_t before) {
    Taste taste;
    if (!isKnownUser(training, user))
        return taste;
    const auto items = training.historyItems(user);
    const auto preference = training.historyPreference(user);
    std::unordered_set<Code> met;
    for (std::size_t i = std::min(before, items.size()); i-- > 0;) {
        if (taste.liked.size() >= maximumLiked && taste.disliked.size() >= maximumDisliked)
            break;
        if (!met.insert(items[i]).second)
            continue;
        if (preference[i] >= training.positiveFrom()) {
            if (taste.liked.size() < maximumLiked)
                taste.liked.push_back(items[i]);
        } else if (preference[i] <= training.negativeUpTo() && taste.disliked.size() < maximumDisliked) {
            taste.disliked.push_back(items[i]);
        }
    }
    return taste;
}

std::vector<Code> metItems(const TrainingView& training, Code user) {
    if (!isKnownUser(training, user))
        return {};
    const auto seen = training.seenItems(user), history = training.historyItems(user);
    std::vector<Code> out(seen.begin(), seen.end());
    out.insert(out.end(), history.begin(), history.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

bool hasScale(const TrainingView& training) {
    std::optional<float> first;
    for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user)
        for (const float one : training.historyPreference(user)) {
            if (first && one != *first)
                return true;
            first = one;
        }
    return false;
}

Result<EventChoice> eventChoice(const std::string& text) {
    if (text == "liked")
        return EventChoice::liked;
    if (text == "not disliked")
        return EventChoice::notDisliked;
    if (text == "all")
        return EventChoice::all;
    return fail(ErrorKind::input, "CL-3004", fmt::format("'{}' is not one of: {}.", text, fmt::join(eventChoices(), ", ")),
                "Choose one of the listed values.");
}

std::vector<std::size_t> placesOf(const TrainingView& training, Code user, EventChoice choice, std::size_t limit, bool distinct) {
    std::vector<std::size_t> out;
    if (!isKnownUser(training, user))
        return out;
    const auto items = training.historyItems(user);
    const auto preference = training.historyPreference(user);
    std::unordered_set<Code> met;
    for (std::size_t i = items.size(); i-- > 0 && (limit == 0 || out.size() < limit);) {
        const bool wanted = choice == EventChoice::all || (choice == EventChoice::liked && preference[i] >= training.positiveFrom()) ||
                            (choice == EventChoice::notDisliked && preference[i] > training.negativeUpTo());
        if (wanted && (!distinct || met.insert(items[i]).second))
            out.push_back(i);
    }
    std::reverse(out.begin(), out.end());
    return out;
}

std::vector<Code> sequenceOf(const TrainingView& training, Code user, EventChoice choice, std::size_t limit, bool distinct) {
    std::vector<Code> out;
    const auto places = placesOf(training, user, choice, limit, distinct);
    out.reserve(places.size());
    for (const auto place : places)
        out.push_back(training.historyItems(user)[place]);
    return out;
}

} // namespace carousel::plugin
