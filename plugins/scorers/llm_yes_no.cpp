// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model reads what the user liked and disliked and answers Yes or No for each candidate; the score is
// logit(Yes) - logit(No) at the answer's place. The history is read once, each candidate is a short branch behind it. No text is
// generated, so there is nothing to parse; when the model would rather say something else, the score is flagged invalid.
#include "stages/plugin.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

const char* const defaultPrompt = "You know a person's taste and say whether an item suits it.\n"
                                  "{{#anyLiked}}Liked, latest first:\n{{#liked}}- {{item}}\n{{/liked}}{{/anyLiked}}"
                                  "{{#anyDisliked}}Disliked, latest first:\n{{#disliked}}- {{item}}\n{{/disliked}}{{/anyDisliked}}"
                                  "Does this person like the next item? Answer Yes or No.\n"
                                  "Next item:";

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_yes_no";
    std::string tail, yes, no;
    double leastMass = 0.01, neutralWeight = 0, blend = 0;
};

class LlmYesNo final : public plugin::AskingScorer<Settings> {
public:
    LlmYesNo(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_TRY(begin(input, control));
        return workExamples(
            input.training, plugin::WorkedKind::likedOrNot,
            [&](const std::string& prompt, const plugin::WorkedEvent& event) { return prompt + branchFor(event.item) + m_settings.tail; },
            [&](const plugin::WorkedEvent& event) {
                return event.preference && *event.preference >= input.training.positiveFrom() ? m_settings.yes : m_settings.no;
            },
            control);
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_yes_no"));
        if (request.candidates.empty())
            return {};
        const bool blending = m_settings.blend > 0;
        if (blending && request.retrieverScores.size() != request.candidates.size())
            return fail(ErrorKind::internal, "CL-6026",
                        fmt::format("llm_yes_no is to blend with its retriever but got {} retriever scores for {} candidates.",
                                    request.retrieverScores.size(), request.candidates.size()),
                        "Set blend to 0.");
        CAROUSEL_ASSIGN(const auto model, openModel());
        CAROUSEL_ASSIGN(const auto answers, ask(*model, promptFor(request.training, request.user), request.candidates, control));
        std::optional<BranchScores> neutral;
        if (m_settings.neutralWeight > 0) {
            CAROUSEL_ASSIGN(neutral, ask(*model, promptFor(request.training, noCode), request.candidates, control));
        }
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            scores[i] = difference(answers, i);
            if (neutral)
                scores[i] -= static_cast<float>(m_settings.neutralWeight) * difference(*neutral, i);
            status[i] = answers.truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
            if (answers.missing(i) || (neutral && neutral->missing(i))) // a server gave no usable answer for this one
                status[i] = ScoreStatus::missing;
            else if (!std::isfinite(scores[i]) || !(answers.answerMass[i] >= m_settings.leastMass))
                status[i] = ScoreStatus::invalid;
        }
        plugin::imputeFailed(scores, status);
        if (blending) {
            const auto own = plugin::rankShares(scores), retrieved = plugin::rankShares(request.retrieverScores);
            for (std::size_t i = 0; i < scores.size(); ++i)
                scores[i] = static_cast<float>((1 - m_settings.blend) * own[i] + m_settings.blend * retrieved[i]);
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto model = openModel();
        if (!model)
            return nlohmann::json{{"error", describe(model.error())}}.dump();
        const auto prompt = promptFor(request.training, request.user);
        const auto answers = ask(**model, prompt, std::span<const Code>(&item, 1), {});
        if (!answers)
            return nlohmann::json{{"error", describe(answers.error())}}.dump();
        const double gap = difference(*answers, 0);
        if (answers->missing(0))
            return nlohmann::json{{"prompt", prompt}, {"missing", answers->reasons[0]}}.dump(-1, ' ', false,
                                                                                             nlohmann::json::error_handler_t::replace);
        nlohmann::json out{{"prompt", prompt + branchFor(item) + m_settings.tail},
                           {"logitYes", answers->logits.values[0]},
                           {"logitNo", answers->logits.values[1]},
                           {"probabilityYes", 1 / (1 + std::exp(-gap))},
                           {"answerMass", answers->answerMass[0]},
                           {"bound", answers->censored[0] != 0}};
        addExamplesTo(out);
        return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    std::string branchFor(Code item) const { return " " + m_itemText[static_cast<std::size_t>(item)]; }

    static float difference(const BranchScores& answers, std::size_t i) { return answers.logits.row(i)[0] - answers.logits.row(i)[1]; }

    Result<BranchScores> ask(LanguageModel& model, const std::string& prompt, std::span<const Code> items,
                             const RunControl& control) const {
        BranchRequest request;
        request.shared = asked(prompt);
        for (const auto item : items)
            request.branches.push_back(branchFor(item));
        request.tail = m_settings.tail;
        request.answers = {m_settings.yes, m_settings.no};
        return plugin::scoreBranchesInFixedOrder(model, request, control);
    }
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_yes_no";
    out.name = "Language model: Yes or No";
    out.summary =
        "Shows a language model the user's likes and dislikes and asks Yes or No for each candidate; scores by logit(Yes) - logit(No).";
    out.source = "Two-way softmax over Yes and No as in TALLRec (Bao et al., RecSys 2023), zero-shot; with worked examples few-shot (Brown "
                 "et al., NeurIPS 2020)";
    out.usesLanguageModel = true;
    out.twin = "sequence_rules";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        plugin::withShots({
            plugin::prompt(
                "prompt", "Prompt", defaultPrompt,
                "What stands before the candidate. {{#liked}}{{item}}{{/liked}} and {{#disliked}}{{item}}{{/disliked}} repeat for "
                "the history. End right before the "
                "item: all before it is read once per user."),
            plugin::prompt("tail", "After the item", "",
                           "What stands after the candidate; every word here is read again for each candidate."),
            plugin::text("yes", "Word for yes", "Yes", "The answer that speaks for the item; its first token counts."),
            plugin::text("no", "Word for no", "No", "The answer that speaks against it; its first token counts."),
            plugin::number("leastMass", "Least answer share", 0.01, 0, 1, "",
                           "Where yes and no together are less probable than this, the model would rather say something else: the score is "
                           "flagged invalid and counted."),
            plugin::number("neutralWeight", "Neutral correction", 0, 0, 2, "",
                           "How much of the item's score for a user without history is taken off; doubles the cost, removes a liking for "
                           "some titles."),
            plugin::number("blend", "Blend with retriever", 0, 0, 1, "",
                           "0: the model alone. Above: this share of the retriever's rank is mixed into the model's rank."),
        }));
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        if (p.text("yes").empty() || p.text("no").empty() || p.text("yes") == p.text("no"))
            return fail(ErrorKind::input, "CL-6028",
                        fmt::format("llm_yes_no: the answers '{}' and '{}' must be two different words.", p.text("yes"), p.text("no")),
                        "Set parameters yes and no.");
        Settings s{std::move(asked)};
        s.tail = p.text("tail"), s.yes = p.text("yes"), s.no = p.text("no");
        s.leastMass = p.number("leastMass"), s.neutralWeight = p.number("neutralWeight"), s.blend = p.number("blend");
        return std::make_unique<LlmYesNo>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
