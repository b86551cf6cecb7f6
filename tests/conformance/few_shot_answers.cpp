// SPDX-License-Identifier: GPL-3.0-or-later
// Worked examples in prompts: what they hold, that they are true, and that an answer never stands in its own question.
#include "scripted_model.h"
#include "support/worked_examples.h"
#include <set>

namespace carousel::conformance {

namespace {

// Eight users meet six items each in their own order: items 0, 2, 4 are rated 5, items 1, 3 are rated 1, item 5 is rated 3.
TrainingView tastes(bool dislikes = true) {
    std::vector<Event> events;
    for (Code u = 0; u < 8; ++u)
        for (Code k = 0; k < 6; ++k) {
            const Code item = (u + k) % 6;
            events.push_back({u, item, !dislikes || item % 2 == 0 ? 5.0f : item == 5 ? 3.0f : 1.0f});
        }
    return ratings({"a", "b", "c", "a", "b", "c", "a", "b"}, 9, events); // the last user and the last two items are new
}

struct Turn {
    std::string question, answer;
    std::size_t asked = 0; // the item, from the question's last line
    bool showsItself = false;
};
// The examples of a talk; "item N" is asked about at the end, what was liked stands in lines "- item N".
std::vector<Turn> turnsOf(const std::vector<ChatMessage>& talk) {
    std::vector<Turn> out;
    for (std::size_t i = 0; i + 1 < talk.size(); i += 2) {
        Turn turn{talk[i].content, talk[i + 1].content};
        turn.asked = numberIn(turn.question);
        turn.showsItself = turn.question.find(fmt::format("- item {}\n", turn.asked)) != std::string::npos;
        out.push_back(std::move(turn));
    }
    return out;
}

std::string rolesOf(const std::vector<ChatMessage>& talk) {
    std::string out;
    for (const auto& message : talk)
        out += message.role.front();
    return out;
}

} // namespace

void checkFewShotAnswers(const PluginRegistry& registry, Report& report) {
    using plugin::WorkedKind;
    report.check("worked examples", "likes and dislikes in turn, other users, something before, by the seed alone", [&]() -> std::string {
        const auto training = tastes();
        const auto drawn = [&](WorkedKind kind, std::size_t count, std::uint64_t seed) {
            return must(plugin::workedEvents(training, kind, count, seed, "test", {}));
        };
        std::set<std::vector<Code>> draws;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto worked = drawn(WorkedKind::likedOrNot, 5, seed);
            if (worked.events.size() != 5 || worked.note.find("3 liked and 2 disliked") == std::string::npos)
                return worked.note;
            std::set<Code> users;
            std::vector<Code> items;
            for (std::size_t i = 0; i < 5; ++i) {
                const auto& event = worked.events[i];
                users.insert(event.user);
                items.push_back(event.item);
                if (event.place == 0 || training.historyItems(event.user)[event.place] != event.item)
                    return "an example is no event with something before it";
                if ((i % 2 == 0) != (*event.preference >= training.positiveFrom()) || event.item == 5)
                    return "not a like and a dislike in turn";
            }
            if (users.size() != 5)
                return "a user stands in two examples";
            const auto again = drawn(WorkedKind::likedOrNot, 5, seed);
            for (std::size_t i = 0; i < 5; ++i)
                if (again.events[i].user != worked.events[i].user || again.events[i].item != items[i])
                    return "drawn twice with one seed, they differ";
            draws.insert(items);
        }
        if (draws.size() < 5)
            return "the seed changes nothing";
        if (drawn(WorkedKind::liked, 100, 1).events.size() != 8)
            return "more examples than users, or fewer";
        return drawn(WorkedKind::rated, 0, 1).events.empty() ? "" : "none were asked for";
    });
    report.check("worked examples", "where nobody dislikes anything, what was never met stands for it; no scale, no ratings",
                 [&]() -> std::string {
                     const auto training = tastes(false);
                     const auto worked = must(plugin::workedEvents(training, WorkedKind::likedOrNot, 6, 3, "test", {}));
                     std::set<Code> never;
                     for (std::size_t i = 1; i < worked.events.size(); i += 2) {
                         if (worked.events[i].preference || worked.events[i].place != 6)
                             return "an event stands where none should";
                         never.insert(worked.events[i].item);
                     }
                     for (const Code item : never)
                         if (item != 6 && item != 7)
                             return fmt::format("item {} was met", item);
                     if (worked.events.size() != 6 || worked.note.find("never met") == std::string::npos)
                         return worked.note;
                     const auto rated = must(plugin::workedEvents(training, WorkedKind::rated, 6, 3, "test", {}));
                     return rated.events.empty() && rated.note.find("no scale") != std::string::npos ? "" : "ratings without a scale";
                 });
    report.check("worked examples", "a stop ends the search", [&]() -> std::string {
        const auto stopped = plugin::workedEvents(tastes(), WorkedKind::liked, 4, 1, "test", stoppedControl());
        return !stopped && stopped.error().kind == ErrorKind::cancelled ? "" : "not stopped";
    });
    report.check("scorer/llm_yes_no", "worked examples are true, hide their answer and are the same for all", [&]() -> std::string {
        const auto training = tastes();
        ScriptedModel model;
        model.answer = [](const std::string&, const std::string& branch) -> ScriptedModel::Said {
            return {{static_cast<float>(numberIn(branch)), 0}};
        };
        const auto scorer = fitted(registry, "llm_yes_no", training, model.environment(),
                                   {{"shots", std::int64_t(4)}, {"yes", std::string("Sure")}, {"shotHistory", std::int64_t(2)}});
        for (const Code user : {Code(0), Code(8)}) {
            model.talks.clear();
            if (auto wrong = near(answerOf(*scorer, training, user).score, {0, 1, 2, 3, 4, 5, 6, 7}); !wrong.empty())
                return wrong;
            if (model.talks.size() != 1 || rolesOf(model.talks[0]) != "uauauauau")
                return "the turns are " + rolesOf(model.talks[0]);
        }
        const auto turns = turnsOf(model.talks[0]);
        for (std::size_t i = 0; i < turns.size(); ++i) {
            if (turns[i].answer != (turns[i].asked % 2 == 0 ? "Sure" : "No") || (turns[i].answer == "Sure") != (i % 2 == 0))
                return fmt::format("'{}' is answered {}", turns[i].question, turns[i].answer);
            if (turns[i].showsItself || turns[i].question.find("Next item: item") == std::string::npos)
                return "a question shows its own answer: " + turns[i].question;
            if (std::count(turns[i].question.begin(), turns[i].question.end(), '-') > 4) // two liked, two disliked
                return "an example shows more than it may";
        }
        const auto items = catalogue(training);
        const auto explained = nlohmann::json::parse(scorer->explain({0, items, training, {}}, 3));
        if (explained["workedExamples"].size() != 4 || explained["workedExamples"][1]["answer"] != turns[1].answer)
            return "explain does not show them";
        if (scorer->notes().size() != 1)
            return "no note tells what they are";
        model.talks.clear();
        const auto plain = fitted(registry, "llm_yes_no", training, model.environment());
        answerOf(*plain, training, 0);
        return rolesOf(model.talks.back()) == "u" && plain->notes().empty() ? "" : "examples although none were asked for";
    });
    report.check("scorer/llm_rating", "worked examples give the users' points; calibration leaves them out", [&]() -> std::string {
        const auto training = tastes();
        ScriptedModel model;
        model.answer = [](const std::string&, const std::string& branch) -> ScriptedModel::Said {
            return {{0, 0, 0, 1, static_cast<float>(numberIn(branch))}};
        };
        const auto scorer = fitted(registry, "llm_rating", training, model.environment(),
                                   {{"shots", std::int64_t(6)}, {"calibrationEvents", std::int64_t(1000)}});
        if (model.branchPrompts.size() != 8 * 5 - 6) // all but each user's first, and the examples
            return fmt::format("{} events were asked about", model.branchPrompts.size());
        for (const auto& turn : turnsOf(model.talks.back())) {
            if (turn.answer != (turn.asked % 2 == 0 ? "5" : turn.asked == 5 ? "3" : "1"))
                return fmt::format("item {} is rated {}", turn.asked, turn.answer);
            if (turn.showsItself)
                return "a question shows its own answer: " + turn.question;
        }
        return rolesOf(model.talks.back()) == "uauauauauauau" ? "" : "the turns are " + rolesOf(model.talks.back());
    });
    report.check("scorer/llm_likelihood", "worked examples answer with what was liked next, in the neutral prompt too",
                 [&]() -> std::string {
                     const auto training = tastes();
                     ScriptedModel model;
                     model.likelihood = [](const std::string&, const std::string& text) { return -static_cast<double>(numberIn(text)); };
                     const auto scorer = fitted(registry, "llm_likelihood", training, model.environment(), {{"shots", std::int64_t(2)}});
                     answerOf(*scorer, training, 0);
                     if (model.talks.size() != 2)
                         return fmt::format("{} calls", model.talks.size());
                     for (const auto& talk : model.talks) {
                         if (rolesOf(talk) != "uauau")
                             return "the turns are " + rolesOf(talk);
                         for (std::size_t i = 0; i < 4; i += 2) {
                             if (numberIn(talk[i + 1].content) % 2 != 0)
                                 return "not a liked item: " + talk[i + 1].content;
                             if (talk[i].content.find("- " + talk[i + 1].content + "\n") != std::string::npos)
                                 return "a question shows its own answer: " + talk[i].content;
                         }
                     }
                     return model.talks[0][4].content != model.talks[1][4].content ? "" : "both questions are the same";
                 });
    report.check(
        "scorer/llm_pairwise", "worked examples set a liked item beside one never met, as A and as B in turn", [&]() -> std::string {
            const auto training = tastes();
            ScriptedModel model;
            model.answer = [](const std::string&, const std::string&) -> ScriptedModel::Said { return {{1, 0}}; };
            const auto scorer = fitted(registry, "llm_pairwise", training, model.environment(), {{"shots", std::int64_t(4)}});
            answerOf(*scorer, training, 0);
            for (const auto& talk : model.talks) {
                if (rolesOf(talk) != "uauauauau")
                    return "the turns are " + rolesOf(talk);
                for (std::size_t i = 0; i < 8; i += 2) {
                    const std::string &question = talk[i].content, &answer = talk[i + 1].content;
                    const auto item = [&](const char* letter) { return question.substr(question.find(letter) + 4, 6); };
                    const auto better = item(answer == "A" ? "\nA: " : "\nB: "), worse = item(answer == "A" ? "\nB: " : "\nA: ");
                    if (answer != (i % 4 == 0 ? "A" : "B") || numberIn(better) % 2 != 0 || numberIn(better) > 4 || numberIn(worse) < 6)
                        return fmt::format("'{}' is answered {}", question, answer);
                    if (question.find("- " + better + "\n") != std::string::npos)
                        return "a question shows its own answer: " + question;
                }
            }
            return model.talks.empty() ? "nothing was asked" : "";
        });
    report.check(
        "feature/llm_tags", "worked examples carry an item's own tag, other tags first, and are not counted as hits", [&]() -> std::string {
            const auto training = tastes();
            ScriptedModel model;
            model.likelihood = [](const std::string&, const std::string&) { return -1.0; };
            const auto& entry = *must(registry.find(StageKind::feature, "llm_tags"));
            const auto made = [&](std::int64_t shots) {
                return must(must(entry.manifest.createFeature(parametersOf(entry, {{"shots", shots}, {"tagField", std::string("genre")}}),
                                                              model.environment()))
                                ->build(training, {}));
            };
            const auto table = made(3);
            std::set<std::string> answers;
            for (std::size_t i = 0; i < 6; i += 2) {
                const auto& talk = model.talks.back();
                const std::string tags = "abcabcab", item = talk[i].content;
                if (talk[i + 1].content != std::string(1, tags[numberIn(item)]))
                    return item + " is tagged " + talk[i + 1].content;
                answers.insert(talk[i + 1].content);
            }
            if (answers.size() != 3 || rolesOf(model.talks.back()) != "uauauau" || rolesOf(model.talks.front()) != "uauauau")
                return "the turns are " + rolesOf(model.talks.back());
            const auto judged = [](const FeatureTable& each) {
                for (const auto& note : each.notes)
                    if (note.find("items that have both") != std::string::npos)
                        return note.substr(note.find(" of ", note.find("values for")) + 4, 1);
                return std::string("none");
            };
            const auto before = judged(made(0));
            if (judged(table) != "5" || before != "8")
                return fmt::format("{} and {} items are judged", judged(table), before);
            return "";
        });
}

} // namespace carousel::conformance
