// SPDX-License-Identifier: GPL-3.0-or-later
// No scorer receives a label of the validation or test part. By type: what is handed to a stage has these members and no way to a data
// set's interactions or to a split. By behaviour: two data sets that agree in the training part and differ in every test label give the
// same scores, bit by bit.
#include "base/random.h"
#include "checks.h"
#include "prompt_checks.h"
#include <cmath>
#include <cstring>
#include <numeric>
#include <regex>

namespace carousel::conformance {

namespace {

// A name under which a label, a split or the rows behind a view could be had.
template <class T>
concept reachesLabels = requires(T& t) {
    t.targets;
}
|| requires(T& t) {
    t.targets();
}
|| requires(T& t) {
    t.testTargets;
}
|| requires(T& t) {
    t.validationTargets;
}
|| requires(T& t) {
    t.labels;
}
|| requires(T& t) {
    t.relevant;
}
|| requires(T& t) {
    t.liked;
}
|| requires(T& t) {
    t.part;
}
|| requires(T& t) {
    t.split;
}
|| requires(T& t) {
    t.split();
}
|| requires(T& t) {
    t.dataset;
}
|| requires(T& t) {
    t.dataset();
}
|| requires(T& t) {
    t.interactions;
}
|| requires(T& t) {
    t.interactions();
}
|| requires(T& t) {
    t.impressions;
}
|| requires(T& t) {
    t.impressions();
}
|| requires(T& t) {
    t.m_dataset;
};
static_assert(reachesLabels<Split> && reachesLabels<Dataset>, "the concept must know what it looks for");
static_assert(!reachesLabels<ScoreRequest> && !reachesLabels<const TrainingView> && !reachesLabels<FitInput> &&
              !reachesLabels<StageEnvironment> && !reachesLabels<ComposeTools> && !reachesLabels<const EntityTable>);
static_assert(!std::is_convertible_v<TrainingView, DatasetPtr> && !std::is_convertible_v<TrainingView, const Dataset&> &&
              !std::is_base_of_v<Dataset, TrainingView> && !std::is_constructible_v<Split, TrainingView>);
static_assert(!std::is_constructible_v<ScoreRequest, Split> && !std::is_constructible_v<FitInput, Split> &&
              !std::is_constructible_v<ScoreRequest, DatasetPtr> && !std::is_constructible_v<FitInput, DatasetPtr>);
// Users and items are all that a view shows of the data set beside the training events.
static_assert(std::is_same_v<decltype(std::declval<const TrainingView&>().users()), const EntityTable&> &&
              std::is_same_v<decltype(std::declval<const TrainingView&>().items()), const EntityTable&>);

// These do not compile when a member is added: whoever adds one decides here that it holds no label.
[[maybe_unused]] void membersAreKnown(const ScoreRequest& request, const FitInput& input, const StageEnvironment& environment) {
    const auto& [user, candidates, training, retrieverScores] = request;
    static_assert(std::is_same_v<decltype(user), const Code> && std::is_same_v<decltype(candidates), const std::span<const Code>> &&
                  std::is_same_v<decltype(training), const TrainingView&> &&
                  std::is_same_v<decltype(retrieverScores), const std::span<const float>>);
    const auto& [view, features, embeddings] = input;
    static_assert(std::is_same_v<decltype(view), const TrainingView&>);
    const auto& [model, cache, cost, seed, device, plainScorer, otherScorer] = environment; // the last two make scorers, which see what is here
    (void)features, (void)embeddings, (void)model, (void)cache, (void)cost, (void)seed, (void)device, (void)plainScorer, (void)otherScorer;
}

struct Twin {
    DatasetPtr dataset;
    Split split;
    SmallData data; // the training part alone
};

// 24 users with ratings of 8 of 16 items; the last two of each are validation and test. `other`: those name other items, rated otherwise,
// at other times.
Twin twin(bool other) {
    auto data = std::make_shared<Dataset>();
    data->name = "labels";
    const std::size_t items = 16;
    AttributeColumn title("title", FieldType::token), genre("genre", FieldType::tokenSeq);
    for (std::size_t i = 0; i < items; ++i) {
        data->items.ids.add(fmt::format("i{}", i));
        const std::string text = fmt::format("item {}", i), kind = fmt::format("kind {}", i % 3);
        const std::string_view words[] = {text}, kinds[] = {kind};
        title.appendTokens(words);
        genre.appendTokens(kinds);
    }
    data->items.attributes = {title, genre};
    auto& table = data->interactions;
    table.kinds = {"rating"};
    Twin out;
    out.split.validationTargets.resize(24);
    out.split.testTargets.resize(24);
    for (std::size_t u = 0; u < 24; ++u) {
        const auto user = data->users.ids.add(fmt::format("u{}", u));
        for (std::size_t k = 0; k < 8; ++k) {
            const bool held = k >= 6;
            const auto item = static_cast<Code>((u * 5 + k * 3 + (held && other ? 8 : 0)) % items);
            // Within the scale of the training part: it is the data set's, and no secret.
            const float rating = held && other ? 1 : static_cast<float>(1 + (u + 2 * k) % 5);
            table.user.push_back(user);
            table.item.push_back(item);
            table.kind.push_back(0);
            table.value.push_back(held && !other ? 5 : rating);
            table.time.push_back(1000000000 + static_cast<std::int64_t>(k * 86400 + u) + (held && other ? 999 : 0));
            out.split.part.push_back(k == 7 ? Part::test : held ? Part::validation : Part::train);
            if (held && !other)
                (k == 7 ? out.split.testTargets : out.split.validationTargets)[u].push_back(item);
        }
    }
    data->digest = other ? "other" : "one";
    out.dataset = data;
    auto view = must(TrainingView::make(out.dataset, out.split, must(presetEventModel("combined")), false));
    out.data = {"labels", out.dataset, std::move(view), true};
    return out;
}

struct Answer {
    std::vector<std::uint32_t> bits; // of every score, then the flags
    std::vector<std::string> words;  // notes and explanations
    bool operator==(const Answer&) const = default;
};

Answer answerOf(const PluginRegistry& registry, const PluginEntry& entry, const SmallData& data) {
    Bench bench;
    const auto features = plainFeatures(registry, data);
    const auto embeddings = freeVectors(registry, data);
    const auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()));
    must(scorer->fit({data.training, features, embeddings}, {}));
    Answer out;
    out.words = scorer->notes();
    for (std::string& note : out.words) // how long something took is no word about labels
        note = std::regex_replace(note, std::regex("teacher [0-9.e+-]+, student [0-9.e+-]+"), "seconds");
    std::vector<Code> items(data.training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    for (Code user = 0; user < static_cast<Code>(data.training.userCount()); ++user) {
        std::vector<float> scores(items.size()), retrieved(items.size());
        for (std::size_t i = 0; i < items.size(); ++i)
            retrieved[i] = static_cast<float>(i % 5);
        std::vector<ScoreStatus> status(items.size());
        must(scorer->score({user, items, data.training, retrieved}, scores, status, {}));
        for (std::size_t i = 0; i < items.size(); ++i) {
            std::uint32_t bits;
            std::memcpy(&bits, &scores[i], sizeof bits);
            out.bits.push_back(bits);
            out.bits.push_back(static_cast<std::uint32_t>(status[i]));
        }
        if (user < 3)
            out.words.push_back(scorer->explain({user, items, data.training, retrieved}, 0));
    }
    return out;
}

} // namespace

void checkLabels(const PluginRegistry& registry, Report& report) {
    const auto one = twin(false), other = twin(true);
    report.check("labels", "the two data sets differ in every held row and in no other", [&]() -> std::string {
        const auto &a = one.dataset->interactions, &b = other.dataset->interactions;
        for (std::size_t row = 0; row < a.size(); ++row) {
            const bool held = one.split.part[row] != Part::train;
            if (held != (a.item[row] != b.item[row]) || held != (a.value[row] != b.value[row]) || held != (a.time[row] != b.time[row]))
                return fmt::format("row {}", row);
        }
        return a.size() == 192 && one.split.testTargets != other.split.testTargets ? "" : "no such data";
    });
    for (const auto& entry : registry.all())
        if (entry.manifest.kind == StageKind::scorer)
            report.check(label(entry), "other labels in the test part change no bit of a score", [&]() -> std::string {
                const auto a = answerOf(registry, entry, one.data), b = answerOf(registry, entry, other.data);
                for (std::size_t i = 0; i < a.bits.size(); ++i)
                    if (a.bits[i] != b.bits[i])
                        return fmt::format("score {} of user {} differs", i / 2 % 16, i / 32);
                return a.words == b.words ? "" : "what it says about itself differs";
            });
}

} // namespace carousel::conformance
