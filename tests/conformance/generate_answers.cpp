// SPDX-License-Identifier: GPL-3.0-or-later
// Known answers of the scorer that lets a model write items: names that begin or repeat each other, answers that are near an item or share
// its words, and answers that lead nowhere.
#include "checks.h"
#include "support/grounding.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

namespace carousel::conformance {

namespace {

using Set = std::initializer_list<std::pair<std::string, ParameterValue>>;

// Items with these titles; user 0 has liked the items of `liked`, oldest first, and user 1 nothing.
TrainingView titled(const std::vector<std::string>& titles, const std::vector<Code>& liked) {
    auto data = std::make_shared<Dataset>();
    data->name = "titled";
    data->interactions.kinds = {"like"};
    AttributeColumn title("title", FieldType::token);
    for (std::size_t i = 0; i < titles.size(); ++i) {
        data->items.ids.add(fmt::format("id{}", i));
        const std::string_view name = titles[i];
        title.appendTokens({&name, 1});
    }
    data->items.attributes.push_back(std::move(title));
    data->users.ids.add("u0");
    data->users.ids.add("u1");
    for (std::size_t k = 0; k < liked.size(); ++k) {
        data->interactions.user.push_back(0);
        data->interactions.item.push_back(liked[k]);
        data->interactions.kind.push_back(0);
        data->interactions.value.push_back(1);
        data->interactions.time.push_back(1000000000 + static_cast<std::int64_t>(k));
    }
    Split split;
    split.part.assign(data->interactions.size(), Part::train);
    return must(TrainingView::make(data, split, must(presetEventModel("combined")), false));
}

struct Asked {
    std::vector<float> score;
    std::vector<ScoreStatus> status;
    nlohmann::json explained; // of item 0
    std::vector<std::string> notes;
    // Items with a score of the given status, best first.
    std::vector<std::size_t> best(ScoreStatus wanted) const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < score.size(); ++i)
            if (status[i] == wanted)
                out.push_back(i);
        std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
        return out;
    }
    std::size_t count(ScoreStatus wanted) const { return static_cast<std::size_t>(std::count(status.begin(), status.end(), wanted)); }
};

struct Model {
    std::function<float(const std::string&, char)> begins = {};
    std::function<std::string(const std::string&)> write = {};
};

Asked ask(const PluginRegistry& registry, const std::vector<std::string>& titles, Set set, const Model& model,
          const std::vector<Code>& liked = {0}, Code user = 0) {
    const auto training = titled(titles, liked);
    Bench bench;
    bench.model.begins = model.begins;
    bench.model.write = model.write;
    const auto& entry = *must(registry.find(StageKind::scorer, "llm_generate"));
    const auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), bench.environment()));
    const FeatureTable features;
    const EmbeddingTable none;
    must(scorer->fit({training, features, none}, {}));
    std::vector<Code> items(titles.size());
    std::iota(items.begin(), items.end(), 0);
    std::vector<float> retrieved; // the retriever likes later items better
    for (const auto item : items)
        retrieved.push_back(static_cast<float>(item));
    Asked out{std::vector<float>(items.size()), std::vector<ScoreStatus>(items.size()), {}, scorer->notes()};
    must(scorer->score({user, items, training, retrieved}, out.score, out.status, {}));
    out.explained = nlohmann::json::parse(scorer->explain({user, items, training, retrieved}, 0));
    return out;
}

// A model that wants to write `text`: 12 for its next byte, and for the end after it; 0 for all others.
Model wants(const std::string& text) {
    return {[=](const std::string& begun, char next) {
        const bool onTheWay = begun.size() <= text.size() && text.compare(0, begun.size(), begun) == 0;
        return onTheWay && next == (begun.size() < text.size() ? text[begun.size()] : '\0') ? 12.0f : 0.0f;
    }};
}
Model writes(const std::string& answers) { // several, with \x1d between them
    return {{}, [=](const std::string&) { return answers; }};
}

const std::vector<std::string> oddTitles{"Heat", "Heat 2", "Heat 2 (2)", "Heat", "", "Heat", "日本語", "日本", "Žlutý", "Heat (2)", " "};

std::string checkNames() {
    std::size_t changed = 0;
    const auto names = plugin::distinctNames({"Heat", "Heat", "", "Heat (2)", "Heat", ""}, &changed);
    const std::vector<std::string> wanted{"Heat", "Heat (3)", "(no title)", "Heat (2)", "Heat (4)", "(no title) (2)"};
    if (names != wanted || changed != 4)
        return fmt::format("{} ({} changed)", fmt::join(names, ", "), changed);
    for (const auto& [written, plain] : std::initializer_list<std::pair<std::string, std::string>>{{"  \"Heat\"\nmore", "Heat"},
                                                                                                   {"1. **Heat 2**", "Heat 2"},
                                                                                                   {"1984", "1984"},
                                                                                                   {"- 'M'", "M"},
                                                                                                   {"2001: A Space", "2001: A Space"},
                                                                                                   {"\n\n", ""},
                                                                                                   {"\"", "\""}})
        if (plugin::plainAnswer(written) != plain)
            return "plainAnswer of " + written + " is " + plugin::plainAnswer(written);
    return plugin::wordsOf("The Žlutý-kůň, 2 TIMES") == std::vector<std::string>{"the", "Žlutý", "kůň", "2", "times"} ? ""
                                                                                                                      : "wordsOf is wrong";
}

std::string checkWordSearch() {
    // Three texts of 2, 1 and 3 words, mean 2; k1 1.2, b 0.75. "lamp" is in two of them: ln(1 + 1.5 / 2.5); "red" in one: ln(1 + 2.5
    // / 1.5).
    const auto search = must(plugin::WordSearch::make({"red lamp", "Lamp", "old old river"}, 1.2, 0.75, {}));
    const double lamp = std::log(1.6), red = std::log(1 + 2.5 / 1.5);
    const auto weight = [](double count, double words) { return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * words / 2)); };
    const std::vector<double> wanted{lamp * weight(1, 2) + red * weight(1, 2), lamp * weight(1, 1), 0};
    const auto got = search.scores("Red lamp?");
    for (std::size_t i = 0; i < 3; ++i)
        if (std::abs(got[i] - wanted[i]) > 1e-12)
            return fmt::format("text {}: {} in place of {}", i, got[i], wanted[i]);
    return std::abs(search.scores("old")[2] - red * weight(2, 3)) < 1e-12 ? "" : "a repeated word counts wrongly";
}

} // namespace

void checkGenerateAnswers(const PluginRegistry& registry, Report& report) {
    const auto check = [&](const std::string& what, const std::function<std::string()>& body) {
        report.check("scorer/llm_generate", what, body);
    };
    const Set few{{"beams", std::int64_t(3)}};
    report.check("grounding", "names become different, answers lose their ornaments, words are found", checkNames);
    report.check("grounding", "BM25 by hand", checkWordSearch);

    check("constrained: whatever item is wanted comes first, though names repeat and begin each other", [&]() -> std::string {
        const auto names = plugin::distinctNames([] {
            auto titles = oddTitles; // an item without a title is called by its id
            titles[4] = "id4", titles[10] = "id10";
            return titles;
        }());
        for (std::size_t item = 0; item < names.size(); ++item) {
            const auto got = ask(registry, oddTitles, few, wants(names[item]));
            if (got.best(ScoreStatus::ok).front() != item)
                return fmt::format("'{}' was wanted, item {} came first", names[item], got.best(ScoreStatus::ok).front());
            if (got.count(ScoreStatus::ok) != 3 || got.count(ScoreStatus::fallback) != oddTitles.size() - 3)
                return fmt::format("{} items reached by 3 beams", got.count(ScoreStatus::ok));
        }
        return "";
    });
    check("constrained: the score is the log-probability of the name and its end, with or without the length", [&]() -> std::string {
        const Model indifferent{[](const std::string&, char) { return 0.0f; }};
        const std::vector<std::string> titles{"a", "bcd", "bc", "efghi"};
        const auto plain = ask(registry, titles, {}, indifferent), byLength = ask(registry, titles, {{"lengthPenalty", 1.0}}, indifferent);
        for (std::size_t i = 0; i < titles.size(); ++i) {
            const double each = std::log(257.0), all = each * static_cast<double>(titles[i].size() + 1);
            if (plain.status[i] != ScoreStatus::ok || std::abs(plain.score[i] + all) > 1e-4 || std::abs(byLength.score[i] + each) > 1e-5)
                return fmt::format("'{}': {} and {}", titles[i], plain.score[i], byLength.score[i]);
        }
        return "";
    });
    check("constrained: items that no beam reached stand behind, in the retriever's order, and say so", [&]() -> std::string {
        const auto got = ask(registry, oddTitles, few, wants("Heat"));
        const auto reached = got.best(ScoreStatus::ok), rest = got.best(ScoreStatus::fallback);
        if (!std::is_sorted(rest.rbegin(), rest.rend()))
            return "the rest is not in the retriever's order";
        if (!(got.score[reached.back()] > got.score[rest.front()]) || got.explained["itemsReached"] != 3)
            return got.explained.dump();
        std::set<std::string> different;
        for (const auto& one : got.explained["written"])
            if (!one.contains("leadsTo") || !different.insert(one["leadsTo"].get<std::string>()).second)
                return "a written answer is no item, or comes twice: " + got.explained.dump();
        return got.notes.size() == 1 && got.notes[0].find("2 of 11") != std::string::npos ? ""
                                                                                          : fmt::format("{}", fmt::join(got.notes, "|"));
    });
    check("constrained: semantic ids are all different, and alike items begin alike", [&]() -> std::string {
        const std::vector<std::string> titles{"red lamp", "old river map", "red lamp", "old river map", "red lamp", "old river map"};
        const Set set{{"identifiers", std::string("semantic ids")}, {"levels", std::int64_t(1)}, {"codes", std::int64_t(2)}};
        const auto got = ask(registry, titles, set, {[](const std::string&, char) { return 0.0f; }});
        std::set<std::string> names;
        std::string lamps, maps;
        for (const auto& one : got.explained["written"]) {
            const auto id = one["text"].get<std::string>();
            names.insert(id);
            (one["leadsTo"].get<std::string>().find("lamp") != std::string::npos ? lamps : maps) += id[0];
        }
        if (names.size() != 6 || got.count(ScoreStatus::ok) != 6)
            return "not every item has an id of its own: " + got.explained.dump();
        if (lamps != std::string(3, lamps[0]) || maps != std::string(3, maps[0]) || lamps == maps)
            return "alike items do not begin alike: " + got.explained.dump();
        return got.explained["prompt"].get<std::string>().find(got.explained["name"].get<std::string>() + " red lamp") != std::string::npos
                   ? ""
                   : "the prompt does not show the history's codes";
    });
    check("nearest: the item whose text was written comes first", [&]() -> std::string {
        const std::vector<std::string> titles{"Red Lamp", "Quiet River", "Old Stone Map", "Quiet Garden", "Red Lamp"};
        const Set set{{"grounding", std::string("nearest")}};
        for (std::size_t item = 1; item < 4; ++item) {
            const auto got = ask(registry, titles, set, writes("1. \"" + titles[item] + "\"\n"));
            if (got.count(ScoreStatus::ok) != titles.size() || got.best(ScoreStatus::ok).front() != item ||
                std::abs(got.score[item]) > 1e-5 || got.score[0] != got.score[4])
                return fmt::format("'{}' written: {}", titles[item], fmt::join(got.score, " "));
        }
        // Of two answers the nearer one counts.
        const auto two = ask(registry, titles, set, writes("Quiet River\x1dOld Stone Map"));
        if (std::abs(two.score[1]) > 1e-5 || std::abs(two.score[2]) > 1e-5 || !(two.score[0] < -0.1f))
            return fmt::format("two answers: {}", fmt::join(two.score, " "));
        // Popularity: the nearest stays first, the most popular one comes next.
        const auto gain = ask(registry, titles, {{"grounding", std::string("nearest")}, {"popularityGain", 100.0}}, writes("Quiet River"),
                              {0, 0, 2, 2, 2, 4});
        const auto best = gain.best(ScoreStatus::ok);
        return best[0] == 1 && best[1] == 2 ? "" : fmt::format("with popularity: {}", fmt::join(gain.score, " "));
    });
    check("words: queries are merged rank by rank, and what shares no word stands behind", [&]() -> std::string {
        const std::vector<std::string> titles{"Red Lamp", "Quiet River", "Lamp", "River", "Old Stone", "Map"};
        const Set set{{"grounding", std::string("words")}};
        // "lamp": the shorter text first, 2 0; "quiet river": 1 3; merged 2 1 0 3, then the rest by the retriever: 5 4.
        const auto got = ask(registry, titles, set, writes("lamp\x1dquiet river"));
        if (got.best(ScoreStatus::ok) != std::vector<std::size_t>{2, 1, 0, 3} ||
            got.best(ScoreStatus::fallback) != std::vector<std::size_t>{5, 4})
            return fmt::format("{}", fmt::join(got.score, " "));
        return got.score[3] > got.score[5] ? "" : "the rest does not stand behind";
    });
    check("free answers that lead to nothing leave all candidates invalid and equal", [&]() -> std::string {
        for (const auto& [grounding, text] :
             std::initializer_list<std::pair<std::string, std::string>>{{"nearest", " \n"}, {"words", ""}, {"words", "xylophone"}}) {
            const auto got = ask(registry, {"Red Lamp", "Map", "River"}, {{"grounding", grounding}}, writes(text));
            if (got.count(ScoreStatus::invalid) != 3 || got.score != std::vector<float>(3, 0.0f) || got.explained["itemsReached"] != 0)
                return grounding + ": " + got.explained.dump();
        }
        return "";
    });
    check("candidates are shown shuffled, the same for any order of them, and only when wanted", [&]() -> std::string {
        std::vector<std::string> titles;
        for (int i = 0; i < 12; ++i)
            titles.push_back(fmt::format("Thing {:02}", i));
        const Model indifferent{[](const std::string&, char) { return 0.0f; }};
        const auto shown = ask(registry, titles, {{"showCandidates", true}}, indifferent, {0}, 1).explained["prompt"].get<std::string>(),
                   hidden = ask(registry, titles, {}, indifferent, {0}, 1).explained["prompt"].get<std::string>();
        std::vector<std::size_t> places;
        for (const auto& title : titles) {
            places.push_back(shown.find(title));
            if (places.back() == std::string::npos || hidden.find(title) != std::string::npos)
                return title + " is missing, or shown where it was not wanted";
        }
        return std::is_sorted(places.begin(), places.end()) ? "the candidates stand in the catalogue's order" : "";
    });
}

} // namespace carousel::conformance
