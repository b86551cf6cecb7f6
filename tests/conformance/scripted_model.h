// SPDX-License-Identifier: GPL-3.0-or-later
// A model whose answers are written down, and small rated data to ask it about: for known answers of scorers.
#pragma once
#include "checks.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::conformance {

struct Event {
    Code user, item;
    float rating; // 1..5
};

// Items titled "item 0", "item 1", ... with one tag each (empty: none); events in the order of time.
inline TrainingView ratings(const std::vector<std::string>& tags, std::size_t users, const std::vector<Event>& events) {
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

// A model whose answers are written down: by the line that is asked about, or by prompt and text.
class ScriptedModel final : public LanguageModel {
public:
    struct Said {
        std::vector<float> logits;
        float mass = 1;
    };
    std::function<Said(const std::string& prompt, const std::string& branch)> answer;
    std::function<std::string(const std::string& prompt)> written;
    std::function<double(const std::string& prompt, const std::string& text)> likelihood;
    std::vector<std::string> branchPrompts, continuations; // what was asked, in order
    std::vector<std::vector<ChatMessage>> talks;           // all messages of every call

    ScriptedModel() { m_info.id = m_info.sha256 = "scripted"; }
    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>&, Pooling, const RunControl&) override { return Matrix(); }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl&) override {
        BranchScores out;
        talks.push_back(request.shared);
        out.logits = Matrix(request.branches.size(), request.answers.size());
        for (std::size_t i = 0; i < request.branches.size(); ++i) {
            branchPrompts.push_back(request.shared.back().content + request.branches[i]);
            const auto said = answer(request.shared.back().content, request.branches[i]);
            std::copy(said.logits.begin(), said.logits.end(), out.logits.row(i).begin());
            out.answerMass.push_back(said.mass);
            out.truncated.push_back(0);
        }
        return out;
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl&) override {
        ContinuationScores out;
        talks.push_back(request.messages);
        for (const auto& text : request.continuations) {
            continuations.push_back(request.messages.back().content + "|" + text);
            out.logProbability.push_back(likelihood(request.messages.back().content, text));
            out.tokens.push_back(static_cast<int>(countTokens(text)));
        }
        return out;
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions&, const RunControl&) override {
        Generated out;
        talks.push_back(messages);
        out.text = written(messages.back().content);
        return out;
    }
    std::int64_t countTokens(const std::string& text) const override { return std::count(text.begin(), text.end(), ' ') + 1; }

    StageEnvironment environment() {
        StageEnvironment out;
        out.languageModel = [this](const std::string&) -> Result<LanguageModel*> { return this; };
        out.cost = &m_cost;
        return out;
    }

private:
    ModelInfo m_info;
    CostMeter m_cost;
};

inline std::size_t numberIn(const std::string& branch) { // " item 3" -> 3
    return static_cast<std::size_t>(branch.back() - '0');
}

struct Answer {
    std::vector<float> score;
    std::vector<ScoreStatus> status;
};

inline std::vector<Code> catalogue(const TrainingView& training) {
    std::vector<Code> items(training.itemCount());
    std::iota(items.begin(), items.end(), 0);
    return items;
}

inline Answer answerOf(const Scorer& scorer, const TrainingView& training, Code user) {
    const auto items = catalogue(training);
    Answer out{std::vector<float>(items.size()), std::vector<ScoreStatus>(items.size())};
    must(scorer.score({user, items, training, {}}, out.score, out.status, {}));
    return out;
}

inline std::unique_ptr<Scorer> fitted(const PluginRegistry& registry, const std::string& id, const TrainingView& training,
                                      const StageEnvironment& environment,
                                      std::initializer_list<std::pair<std::string, ParameterValue>> set = {}) {
    const auto& entry = *must(registry.find(StageKind::scorer, id));
    auto scorer = must(entry.manifest.createScorer(parametersOf(entry, set), environment));
    const FeatureTable features;
    const EmbeddingTable none;
    must(scorer->fit({training, features, none}, {}));
    return scorer;
}

inline std::string near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance = 1e-6) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (!(std::abs(got[i] - wanted[i]) <= tolerance))
            return fmt::format("item {}: {} instead of {}", i, got[i], wanted[i]);
    return got.size() == wanted.size() ? "" : "another number of scores";
}

} // namespace carousel::conformance
