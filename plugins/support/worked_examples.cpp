// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/worked_examples.h"
#include "base/random.h"
#include "support/history.h"
#include "support/specs.h"
#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace carousel::plugin {

namespace {

enum class Wanted { liked, disliked, notMet, any };

// Places of a history at which the item is met for the first time, the first event left out: nothing would stand before it.
std::vector<std::size_t> askable(const TrainingView& training, Code user, Wanted wanted) {
    std::vector<std::size_t> out;
    const auto items = training.historyItems(user);
    const auto preference = training.historyPreference(user);
    std::unordered_set<Code> met;
    for (std::size_t place = 0; place < items.size(); ++place) {
        if (!met.insert(items[place]).second || place == 0)
            continue;
        if (wanted == Wanted::any || (wanted == Wanted::liked && preference[place] >= training.positiveFrom()) ||
            (wanted == Wanted::disliked && preference[place] <= training.negativeUpTo()))
            out.push_back(place);
    }
    return out;
}

// An item that the user never met, each as likely as any other; noCode when there is none.
Code notMetBy(const TrainingView& training, Code user, RandomStream& random) {
    const auto met = metItems(training, user);
    if (met.size() >= training.itemCount())
        return noCode;
    auto rank = static_cast<Code>(random.below(training.itemCount() - met.size())); // among those never met, ascending
    for (const Code item : met)
        if (item <= rank)
            ++rank;
    return rank;
}

std::optional<WorkedEvent> drawn(const TrainingView& training, Code user, Wanted wanted, RandomStream& random) {
    if (wanted == Wanted::notMet) {
        const Code item = training.historyItems(user).empty() ? noCode : notMetBy(training, user, random);
        return item == noCode ? std::nullopt : std::optional(WorkedEvent{user, item, training.historyItems(user).size(), {}, noCode});
    }
    const auto places = askable(training, user, wanted);
    if (places.empty())
        return {};
    const std::size_t place = places[random.below(places.size())];
    return WorkedEvent{user, training.historyItems(user)[place], place, training.historyPreference(user)[place], noCode};
}

} // namespace

Result<WorkedEvents> workedEvents(const TrainingView& training, WorkedKind kind, std::size_t count, std::uint64_t seed,
                                  const std::string& owner, const RunControl& control) {
    WorkedEvents out;
    if (count == 0)
        return out;
    if (kind == WorkedKind::rated && !hasScale(training)) {
        out.note = fmt::format("{}, worked examples: none, since all events say the same and there is no scale to show.", owner);
        return out;
    }
    const std::size_t yes = kind == WorkedKind::likedOrNot ? (count + 1) / 2 : count, no = count - yes;
    std::vector<WorkedEvent> first, second; // answered yes (or whatever the event says), answered no
    std::unordered_set<Code> used;
    RandomStream random(seed, "worked examples of " + owner);
    std::vector<Code> users(training.userCount());
    std::iota(users.begin(), users.end(), 0);
    for (std::size_t i = users.size(); i > 1; --i)
        std::swap(users[i - 1], users[random.below(i)]);
    const auto fill = [&](std::vector<WorkedEvent>& list, std::size_t most, Wanted wanted) -> Result<void> {
        std::size_t looked = 0;
        for (const Code user : users) {
            if (list.size() >= most)
                break;
            if (looked++ % 256 == 0 && control.stopRequested())
                return fail(RunControl::cancelled(owner));
            if (used.count(user))
                continue;
            auto event = drawn(training, user, wanted, random);
            if (event && kind == WorkedKind::likedAgainstNotMet && (event->other = notMetBy(training, user, random)) == noCode)
                continue;
            if (event) {
                list.push_back(*event);
                used.insert(user);
            }
        }
        return {};
    };
    CAROUSEL_TRY(fill(first, yes, kind == WorkedKind::rated ? Wanted::any : Wanted::liked));
    CAROUSEL_TRY(fill(second, no, Wanted::disliked));
    bool neverMet = false;
    if (no > 0 && second.empty()) {
        CAROUSEL_TRY(fill(second, no, Wanted::notMet));
        neverMet = !second.empty();
    }
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size())
            out.events.push_back(first[i]);
        if (i < second.size())
            out.events.push_back(second[i]);
    }
    out.note =
        fmt::format("{}, worked examples: {} of {} asked for, each of another user, {}.", owner, out.events.size(), count,
                    kind == WorkedKind::rated                ? "any of their events"
                    : kind == WorkedKind::liked              ? "liked items"
                    : kind == WorkedKind::likedAgainstNotMet ? "a liked item beside one that was never met"
                    : neverMet ? fmt::format("{} liked and {} never met (nobody dislikes anything here)", first.size(), second.size())
                               : fmt::format("{} liked and {} disliked", first.size(), second.size()));
    return out;
}

std::vector<ChatMessage> afterExamples(const std::vector<ChatMessage>& examples, std::string question) {
    std::vector<ChatMessage> out = examples;
    out.push_back({"user", std::move(question)});
    return out;
}

ParameterSpec shotParameter() {
    return integer("shots", "Worked examples", 0, 0, 64, "examples",
                   "So many questions with known answers stand before the question (few-shot); 0: none (zero-shot). They are the same for "
                   "all and are read once, "
                   "but every answer looks back at them.");
}
std::vector<ParameterSpec> withShots(std::vector<ParameterSpec> own) {
    own.push_back(shotParameter());
    own.push_back(
        integer("shotHistory", "Items in an example", 5, 0, 200, "items",
                "At most so many liked and disliked items are shown in a worked example, and never more than in the question itself."));
    return own;
}

} // namespace carousel::plugin
