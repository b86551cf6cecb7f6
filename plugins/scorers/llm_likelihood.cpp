// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: how likely a language model finds the candidate's title as the continuation of a prompt that shows the user's taste, less
// `neutralWeight` times the same without a history (pointwise mutual information at 1). Without the neutral part short and frequent titles
// win whoever asks. The neutral part depends on the title alone: it is asked for once and kept.
// A user without a history ties all candidates at weight 1: there is nothing to tell them apart by.
#include "stages/plugin.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

std::string defaultPrompt() {
    return std::string("You know a person's taste and name an item that suits it.\n") + plugin::tasteText +
           "Which item does this person choose next? Answer with the name of the item alone.";
}

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_likelihood";
    double neutralWeight = 1;
    bool byToken = true;
};

struct Likelihood {
    double logProbability = 0;
    int tokens = 0;
};
using Likelihoods = std::map<std::string, Likelihood>; // by title

ScoreStatus statusOf(const Likelihood& one) {
    // Not a number: a server gave nothing usable. No token: there was nothing to score.
    return !std::isfinite(one.logProbability) ? ScoreStatus::missing : one.tokens <= 0 ? ScoreStatus::invalid : ScoreStatus::ok;
}

class LlmLikelihood final : public plugin::AskingScorer<Settings> {
public:
    LlmLikelihood(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_TRY(begin(input, control));
        CAROUSEL_TRY(workExamples(
            input.training, plugin::WorkedKind::liked, [](const std::string& prompt, const plugin::WorkedEvent&) { return prompt; },
            [&](const plugin::WorkedEvent& event) { return titleOf(event.item); }, control));
        m_neutralPrompt = promptFor(input.training, noCode);
        const std::lock_guard lock(m_mutex);
        m_neutral.clear();
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_likelihood"));
        if (request.candidates.empty())
            return {};
        CAROUSEL_ASSIGN(const auto model, openModel());
        CAROUSEL_ASSIGN(const auto both, ask(*model, promptFor(request.training, request.user), request.candidates, control));
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            const auto& title = titleOf(request.candidates[i]);
            scores[i] = static_cast<float>(valueOf(both, title));
            status[i] = statusOf(both.own.at(title));
            if (m_settings.neutralWeight > 0 && !plugin::failed(status[i]))
                status[i] = statusOf(both.neutral.at(title));
        }
        plugin::imputeFailed(scores, status);
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto model = openModel();
        if (!model)
            return nlohmann::json{{"error", describe(model.error())}}.dump();
        const auto prompt = promptFor(request.training, request.user);
        const auto both = ask(**model, prompt, std::span<const Code>(&item, 1), {});
        if (!both)
            return nlohmann::json{{"error", describe(both.error())}}.dump();
        const auto& title = titleOf(item);
        const auto& own = both->own.at(title);
        nlohmann::json out{{"prompt", prompt},
                           {"continuation", title},
                           {"logProbability", own.logProbability},
                           {"tokens", own.tokens},
                           {"perToken", own.logProbability / std::max(own.tokens, 1)},
                           {"score", valueOf(*both, title)}};
        if (m_settings.neutralWeight > 0) {
            out["neutralPrompt"] = m_neutralPrompt;
            out["neutralLogProbability"] = both->neutral.at(title).logProbability;
        }
        addExamplesTo(out);
        return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    struct Both {
        Likelihoods own, neutral; // neutral: empty when it is not wanted
    };

    const std::string& titleOf(Code item) const { return m_itemText[static_cast<std::size_t>(item)]; }

    double valueOf(const Both& both, const std::string& title) const {
        const auto part = [&](const Likelihood& one) {
            return m_settings.byToken ? one.logProbability / std::max(one.tokens, 1) : one.logProbability;
        };
        const double own = part(both.own.at(title));
        return m_settings.neutralWeight > 0 ? own - m_settings.neutralWeight * part(both.neutral.at(title)) : own;
    }

    Result<Both> ask(LanguageModel& model, const std::string& prompt, std::span<const Code> items, const RunControl& control) const {
        Both out;
        for (const auto item : items) // in the order of titles: that of the candidates must not matter
            out.own.emplace(titleOf(item), Likelihood{});
        if (m_settings.neutralWeight > 0) {
            out.neutral = out.own;
            CAROUSEL_TRY(fillNeutral(model, out.neutral, control));
        }
        // Without a history both prompts are one; asked twice, the last digits could differ and make an order out of nothing.
        if (prompt == m_neutralPrompt && m_settings.neutralWeight > 0)
            out.own = out.neutral;
        else
            CAROUSEL_TRY(fill(model, prompt, out.own, control));
        return out;
    }

    Result<void> fillNeutral(LanguageModel& model, Likelihoods& wanted, const RunControl& control) const {
        const std::lock_guard lock(m_mutex);
        Likelihoods fresh;
        for (const auto& [title, unused] : wanted)
            if (!m_neutral.count(title))
                fresh.emplace(title, Likelihood{});
        CAROUSEL_TRY(fill(model, m_neutralPrompt, fresh, control));
        for (auto& [title, one] : wanted) {
            const auto asked = fresh.find(title);
            one = asked != fresh.end() ? asked->second : m_neutral.at(title);
            if (statusOf(one) != ScoreStatus::missing) // a server may answer next time
                m_neutral.emplace(title, one);
        }
        return {};
    }

    Result<void> fill(LanguageModel& model, const std::string& prompt, Likelihoods& wanted, const RunControl& control) const {
        if (wanted.empty())
            return {};
        ContinuationRequest request{asked(prompt), {}};
        for (const auto& [title, unused] : wanted)
            request.continuations.push_back(title);
        CAROUSEL_ASSIGN(const auto scored, model.scoreContinuations(request, control));
        if (scored.logProbability.size() != wanted.size() || scored.tokens.size() != wanted.size())
            return fail(ErrorKind::internal, "CL-6091",
                        fmt::format("llm_likelihood: the model '{}' gave {} likelihoods for {} titles.", model.info().id,
                                    scored.logProbability.size(), wanted.size()),
                        "Check the model with `models check`.");
        std::size_t i = 0;
        for (auto& [title, one] : wanted) {
            one = {scored.logProbability[i], scored.tokens[i]};
            ++i;
        }
        return {};
    }

    std::string m_neutralPrompt;
    mutable std::mutex m_mutex;
    mutable Likelihoods m_neutral; // of every title asked about so far
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_likelihood";
    out.name = "Language model: likelihood of the title";
    out.summary =
        "Scores by how likely a language model finds the item's name after the user's likes and dislikes, less how likely it finds the "
        "name without them.";
    out.source = "Query likelihood (Ponte and Croft, SIGIR 1998; with language models Sachan et al., EMNLP 2022) turned to titles; domain-"
                 "conditional PMI against the neutral prompt as in Holtzman et al., EMNLP 2021";
    out.usesLanguageModel = true;
    out.twin = "sequence_rules";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct", "The model to ask; it must be able to score whole texts, which most "
                                                       "servers are not."),
        plugin::withShots({
            plugin::prompt(
                "prompt", "Prompt", defaultPrompt(),
                "What the item's name follows as the model's answer. {{#liked}}{{item}}{{/liked}} and {{#disliked}}{{item}}{{/disliked}} "
                "repeat for the history; without one it is the neutral prompt."),
            plugin::choice("normalise", "Normalise", {"token mean", "sum"}, "token mean",
                           "token mean: the log probability per token, so that long names are not punished. sum: of the whole name."),
            plugin::number(
                "neutralWeight", "Neutral correction", 1, 0, 2, "",
                "How much of the name's likelihood without a history is taken off; 1 leaves what the history adds, 0 favours short and "
                "frequent names. Asked for once per item."),
        }));
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        return std::make_unique<LlmLikelihood>(Settings{std::move(asked), p.number("neutralWeight"), p.text("normalise") == "token mean"},
                                               environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
