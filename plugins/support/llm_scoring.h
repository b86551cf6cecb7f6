// SPDX-License-Identifier: GPL-3.0-or-later
// What scorers with a language model share: items as lines of a prompt, a user's taste as text, the parameters for both, and what becomes
// of an answer that failed.
#pragma once
#include "base/parameters.h"
#include "stages/stage.h"
#include "support/history.h"
#include "support/model_calls.h"
#include "support/permutations.h"
#include "support/prompt_template.h"
#include "support/worked_examples.h"
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace carousel::plugin {

// How a scorer shows a user and items; read from parameters of these names: retriever, count, liked, disliked, itemText, textLength, and
// where a scorer has them shots, shotHistory.
struct Shown {
    std::string retriever;
    int candidates = 50;
    std::size_t liked = 10, disliked = 5, textLength = 80;
    bool useFeatureText = false;
    std::size_t shots = 0, shotHistory = 0; // worked examples, and the items shown in one
};

// What every scorer of this kind is set by; its Settings derive from it and name the plugin: static constexpr const char* id.
struct Asked {
    std::string model;
    PromptTemplate prompt;
    Shown shown;
};
// The manifest's parameters: the model, those of Shown with `count` candidates, then the scorer's own, among them "prompt".
std::vector<ParameterSpec> askedParameters(ParameterSpec model, std::vector<ParameterSpec> own, std::int64_t count = 50);
// CL-6021 for a prompt that is no template, CL-6027 when the retriever is `plugin` itself.
Result<Asked> askedFrom(const Parameters& parameters, const std::string& plugin);

// One line per item: its title, or the text that the feature place wrote; cut at textLength bytes.
Result<std::vector<std::string>> itemLines(const FitInput& input, const Shown& shown, const std::string& plugin, const RunControl& control);

// Values for a template with {{#liked}}{{item}}{{/liked}}, {{#disliked}}{{item}}{{/disliked}} and the conditions anyLiked, anyDisliked;
// newest first. An unknown user (noCode) has neither. `before`: as the user was before the event at this place of the history.
PromptValues tasteValues(const TrainingView& training, Code user, const std::vector<std::string>& lines, const Shown& shown,
                         std::size_t before = allEvents);

// The beginning of a prompt that shows a taste; what is asked follows it.
extern const char* const tasteText;

inline bool failed(ScoreStatus status) {
    return status == ScoreStatus::invalid || status == ScoreStatus::missing;
}
// A failed answer stays flagged; its number becomes `known`, else the mean of the valid ones, so that nothing downstream sees a wild value.
void imputeFailed(std::span<float> scores, std::span<const ScoreStatus> status, std::optional<double> known = {});
// Ranks spread over 0..1, best 1; equal values share the mean of their ranks.
std::vector<double> rankShares(std::span<const float> values);

// The frame of a scorer that shows a taste and some of its retriever's items to a model.
template <class Settings> class AskingScorer : public Scorer {
public:
    std::optional<RetrieverChoice> retriever() const final {
        return RetrieverChoice{m_settings.shown.retriever, m_settings.shown.candidates};
    }
    bool oneAtATime() const final { return true; }
    std::vector<std::string> notes() const override {
        return m_worked.note.empty() ? std::vector<std::string>{} : std::vector<std::string>{m_worked.note};
    }
    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_TRY(begin(input, control));
        return {};
    }

protected:
    AskingScorer(Settings settings, StageEnvironment environment)
        : m_settings(std::move(settings)), m_environment(std::move(environment)) {}

    // What fit() begins with: items become lines, and a model that is missing is found out now, not after the first users.
    Result<CountedModel> begin(const FitInput& input, const RunControl& control) {
        CAROUSEL_ASSIGN(m_itemText, itemLines(input, m_settings.shown, Settings::id, control));
        return openModel();
    }
    Result<CountedModel> openModel() const { return CountedModel::open(m_environment, m_settings.model); }
    // `before`: see tasteOf.
    std::string promptFor(const TrainingView& training, Code user, std::size_t before = allEvents) const {
        return m_settings.prompt.render(tasteValues(training, user, m_itemText, m_settings.shown, before));
    }

    // Worked examples of `kind`, asked as `question(prompt, event)` and answered as `answer(event)`; part of fit(), after begin().
    template <class Question, class Answer>
    Result<void> workExamples(const TrainingView& training, WorkedKind kind, Question question, Answer answer, const RunControl& control) {
        CAROUSEL_ASSIGN(m_worked, workedEvents(training, kind, m_settings.shown.shots, m_environment.seed, Settings::id, control));
        Shown shown = m_settings.shown;
        shown.liked = std::min(shown.liked, shown.shotHistory), shown.disliked = std::min(shown.disliked, shown.shotHistory);
        m_examples.clear();
        for (const auto& event : m_worked.events)
            addExample(m_examples,
                       question(m_settings.prompt.render(tasteValues(training, event.user, m_itemText, shown, event.place)), event),
                       answer(event));
        return {};
    }
    std::vector<ChatMessage> asked(std::string question) const { return afterExamples(m_examples, std::move(question)); }
    // For explain(): the examples as they stand before the question; nothing without any.
    void addExamplesTo(nlohmann::json& explanation) const {
        for (std::size_t i = 0; i + 1 < m_examples.size(); i += 2)
            explanation["workedExamples"].push_back({{"question", m_examples[i].content}, {"answer", m_examples[i + 1].content}});
    }

    // For scorers whose prompts hold several candidates: `judge` gets them ascending, so that their order tells it nothing, and its
    // outcome's scores and status are put back in the order asked.
    template <class Judge>
    Result<void> scoreByCode(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status, const RunControl& control,
                             Judge judge) const {
        if (control.stopRequested())
            return fail(RunControl::cancelled(Settings::id));
        const auto [items, order] = sortedCandidates(request.candidates);
        CAROUSEL_ASSIGN(const auto outcome, judge(items));
        for (std::size_t i = 0; i < order.size(); ++i)
            scores[order[i]] = outcome.scores[i], status[order[i]] = outcome.status[i];
        return {};
    }

    const Settings m_settings;
    const StageEnvironment m_environment;
    std::vector<std::string> m_itemText; // per item, after begin()
    WorkedEvents m_worked;               // after workExamples()
    std::vector<ChatMessage> m_examples; // the same in words
};

} // namespace carousel::plugin
