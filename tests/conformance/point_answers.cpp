// SPDX-License-Identifier: GPL-3.0-or-later
// Known answers of scorers that ask about one candidate at a time, and of the control that asks nobody.
#include "checks.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::conformance {

namespace {

struct Event {
    Code user, item;
    float rating; // 1..5
};

// Items titled "item 0", "item 1", ... with one tag each (empty: none); events in the order of time.
TrainingView ratings(const std::vector<std::string>& tags, std::size_t users, const std::vector<Event>& events) {
    auto data = std::make_shared<Dataset>();
    data->name = "ratings";
    data->interactions.kinds = {"rating"};
    AttributeColumn title("title", FieldType::token), genre("genre", FieldType::token);
    for (std::size_t i = 0; i < tags.size(); ++i) {
        data->items.ids.add(fmt::format("i{}", i));
        const std::string text = fmt::format("item {}", i);
        const std::string_view name = text, tag = tags[i];
        title.appendTokens({&name, 1});
        if (tag.empty())
            genre.appendMissing();
        else
            genre.appendTokens({&tag, 1});
    }
    data->items.attributes.push_back(std::move(title));
    data->items.attributes.push_back(std::move(genre));
    for (std::size_t u = 0; u < users; ++u)
        data->users.ids.add(fmt::format("u{}", u));
    for (std::size_t e = 0; e < events.size(); ++e) {
        data->interactions.user.push_back(events[e].user);
        data->interactions.item.push_back(events[e].item);
        data->interactions.kind.push_back(0);
        data->interactions.value.push_back(events[e].rating);
        data->interactions.time.push_back(1000000000 + static_cast<std::int64_t>(e));
    }
    Split split;
    split.part.assign(data->interactions.size(), Part::train);
    return must(TrainingView::make(data, split, must(presetEventModel("combined")), false));
}

struct Answer {
    std::vector<float> score;
    std::vector<ScoreStatus> status;
};

std::vector<Code> catalogue(const TrainingView& training) {
    std::vector<Code> items(training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    return items;
}

Answer answerOf(const Scorer& scorer, const TrainingView& training, Code user) {
    const auto items = catalogue(training);
    Answer out{std::vector<float>(items.size()), std::vector<ScoreStatus>(items.size())};
    must(scorer.score({user, items, training, {}}, out.score, out.status, {}));
    return out;
}

std::unique_ptr<Scorer> fitted(const PluginRegistry& registry, const std::string& id, const TrainingView& training,
                               const StageEnvironment& environment,
                               std::initializer_list<std::pair<std::string, ParameterValue>> set = {}) {
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), environment));
    const FeatureTable features;
    const EmbeddingTable none;
    must(scorer->fit({training, features, none}, {}));
    return scorer;
}

std::string near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance = 1e-6) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (!(std::abs(got[i] - wanted[i]) <= tolerance))
            return fmt::format("item {}: {} instead of {}", i, got[i], wanted[i]);
    return got.size() == wanted.size() ? "" : "another number of scores";
}

} // namespace

void checkPointAnswers(const PluginRegistry& registry, Report& report) {
    report.check("scorer/text_recency", "rates by hand: by user, by tag, in the window, for a newcomer", [&]() -> std::string {
        // User 0, oldest first: disliked 0 (a), disliked 2 (b), liked 1 (a), 3 (b) neither, liked 0 (a) again: 0 counts as liked.
        const auto training = ratings({"a", "a", "b", "b", "c", ""}, 2, {{0, 0, 1}, {0, 2, 2}, {0, 1, 5}, {0, 3, 3}, {0, 0, 4}});
        Bench bench;
        auto scores = [&](Code user, const std::string& by, std::int64_t window) {
            return answerOf(*fitted(registry, "text_recency", training, bench.environment(), {{"by", by}, {"window", window}}), training,
                            user)
                .score;
        };
        const double own = 3.0 / 5, a = 3.0 / 4, b = 1.0 / 3; // 2 likes and 1 dislike; 2 and 0; 0 and 1
        if (auto wrong = near(scores(0, "tags", 10), {a, a, b, b, own, own}); !wrong.empty())
            return "by tags: " + wrong;
        if (auto wrong = near(scores(0, "user", 10), std::vector<double>(6, own)); !wrong.empty())
            return "by user: " + wrong;
        // The newest judged item alone; for b that is item 2, whatever came later under another tag.
        if (auto wrong = near(scores(0, "tags", 1), {2.0 / 3, 2.0 / 3, b, b, 2.0 / 3, 2.0 / 3}); !wrong.empty())
            return "window 1: " + wrong;
        return near(scores(1, "tags", 10), std::vector<double>(6, 0.5));
    });
}

} // namespace carousel::conformance
