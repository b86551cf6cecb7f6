// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model answers Yes or No as for llm_yes_no, with collaborative vectors of the user and of each candidate inside the
// prompt, mapped to the width of its token embeddings: what all users together did, which no title tells. The place of the vectors is that
// of CoLLM (Zhang et al. 2023, arXiv:2310.19488); the model stays frozen, and the map is not trained through it but found by aligning
// items' vectors with their titles' token embeddings (as A-LLMRec's first stage aligns the two sides, here by ridge regression;
// support/alignment.h).
#include "base/random.h"
#include "stages/plugin.h"
#include "support/alignment.h"
#include "support/item_factors.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel {
namespace {

const char* const defaultPrompt = "You know a person's taste and say whether an item suits it.\n"
                                  "{{#anyLiked}}Liked, latest first:\n{{#liked}}- {{item}}\n{{/liked}}{{/anyLiked}}"
                                  "{{#anyDisliked}}Disliked, latest first:\n{{#disliked}}- {{item}}\n{{/disliked}}{{/anyDisliked}}"
                                  "{{#user}}What people of the same taste like: {{user}}\n{{/user}}"
                                  "Does this person like the next item? Answer Yes or No.\n"
                                  "Next item:";

struct Settings : plugin::Asked {
    static constexpr const char* id = "cf_injection";
    std::string tail, before, yes, no;
    bool user = true, item = true, shuffled = false;
    double leastMass = 0.01, l2 = 1;
    std::size_t factors = 32;
};

std::size_t marksIn(std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find(injectedMark); at != std::string_view::npos; at = text.find(injectedMark, at + 1))
        ++count;
    return count;
}

// The same direction with length 1; empty where there is none.
std::vector<float> unit(std::vector<float> v) {
    double squares = 0;
    for (const float x : v)
        squares += double(x) * x;
    if (!(squares > 1e-24))
        return {};
    for (float& x : v)
        x = static_cast<float>(x / std::sqrt(squares));
    return v;
}

class CfInjection final : public plugin::AskingScorer<Settings> {
public:
    CfInjection(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}
    std::vector<std::string> notes() const override { return m_notes; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        m_notes.clear();
        CAROUSEL_ASSIGN(const auto model, begin(input, control));
        for (auto& line : m_itemText) // a title must not bring places for vectors of its own
            for (auto at = line.find(injectedMark); at != std::string::npos; at = line.find(injectedMark))
                line.replace(at, std::string_view(injectedMark).size(), " ");
        m_alignment.reset();
        if (!m_settings.user && !m_settings.item)
            return {};
        CAROUSEL_ASSIGN(m_factors, plugin::ItemFactors::build(input.training, plugin::EventChoice::liked, m_settings.factors,
                                                              m_environment.seed, control.slice(0, 0.5)));
        std::vector<std::string> titles;
        Matrix vectors(0, m_factors.width());
        for (std::size_t i = 0; i < m_itemText.size(); ++i)
            if (const auto own = unitOf(static_cast<Code>(i)); !own.empty()) {
                titles.push_back(" " + m_itemText[i]);
                vectors.values.insert(vectors.values.end(), own.begin(), own.end());
                ++vectors.rows;
            }
        if (titles.empty()) {
            m_notes.push_back(
                "cf_injection puts no vectors into its prompts: the training part has no liked event to make them from. It asks "
                "as llm_yes_no does.");
            return {};
        }
        CAROUSEL_ASSIGN(const auto words, model->tokenEmbeddings(titles, control.slice(0.5, 0.8)));
        CAROUSEL_ASSIGN(m_alignment, plugin::Alignment::fit(vectors, words, m_settings.l2, m_environment.seed));
        m_source.resize(m_itemText.size());
        std::iota(m_source.begin(), m_source.end(), std::size_t(0));
        if (m_settings.shuffled) {
            RandomStream random(m_environment.seed, "cf_injection shuffle");
            for (std::size_t i = m_source.size(); i > 1; --i)
                std::swap(m_source[i - 1], m_source[random.below(i)]);
        }
        m_notes.push_back(
            fmt::format("cf_injection: {} collaborative factors, mapped to the model's {} wide token embeddings by alignment "
                        "with the titles of {} items "
                        "(ridge regression; the model is frozen and nothing was trained through it). On {} titles held out "
                        "the map explains {:.1f} % of "
                        "the variance.{}{}",
                        m_factors.width(), words.columns, m_alignment->items, m_alignment->heldOut, 100 * m_alignment->explained,
                        m_alignment->heldOut > 0 && !(m_alignment->explained > 0)
                            ? " So titles do not follow from what people met here, and the vectors tell the model little that it can read."
                            : "",
                        m_settings.shuffled ? " The vectors are shuffled among items: a control that must not help." : ""));
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("cf_injection"));
        if (request.candidates.empty())
            return {};
        CAROUSEL_ASSIGN(const auto model, openModel());
        CAROUSEL_ASSIGN(const auto answers, plugin::scoreBranchesInFixedOrder(*model, asked(request, request.candidates), control));
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            scores[i] = answers.logits.row(i)[0] - answers.logits.row(i)[1];
            status[i] = answers.truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
            if (answers.missing(i))
                status[i] = ScoreStatus::missing;
            else if (!std::isfinite(scores[i]) || !(answers.answerMass[i] >= m_settings.leastMass))
                status[i] = ScoreStatus::invalid;
        }
        plugin::imputeFailed(scores, status);
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        using nlohmann::json;
        const auto text = [](const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); };
        const auto model = openModel();
        if (!model)
            return text({{"error", describe(model.error())}});
        const auto question = asked(request, std::span<const Code>(&item, 1));
        const auto answers = plugin::scoreBranchesInFixedOrder(**model, question, {});
        if (!answers)
            return text({{"error", describe(answers.error())}});
        if (answers->missing(0))
            return text({{"prompt", question.shared.back().content}, {"missing", answers->reasons[0]}});
        json out{{"prompt", question.shared.back().content + question.branches[0] + question.tail},
                 {"logitYes", answers->logits.values[0]},
                 {"logitNo", answers->logits.values[1]},
                 {"answerMass", answers->answerMass[0]},
                 {"vectorsInPrompt", question.injected.rows + (question.injectedOfBranch.empty() ? 0 : question.injectedOfBranch[0].rows)}};
        if (m_alignment) { // what the vectors alone would say
            const auto taste = unit(m_factors.userVector(request.training, request.user)), own = unitOf(item);
            if (!taste.empty() && !own.empty())
                out["cosineOfVectors"] = std::inner_product(taste.begin(), taste.end(), own.begin(), 0.0);
        }
        return text(out);
    }

private:
    std::vector<float> unitOf(Code item) const {
        const auto row = m_factors.items.row(static_cast<std::size_t>(item));
        return unit({row.begin(), row.end()});
    }

    // As many rows as the text has places, all of the same vector.
    static Matrix rowsFor(std::string_view text, const std::vector<float>& row) {
        Matrix out(0, row.size());
        for (std::size_t i = marksIn(text); i > 0; --i) {
            out.values.insert(out.values.end(), row.begin(), row.end());
            ++out.rows;
        }
        return out;
    }

    BranchRequest asked(const ScoreRequest& request, std::span<const Code> items) const {
        auto values = plugin::tasteValues(request.training, request.user, m_itemText, m_settings.shown);
        const bool user = m_alignment && m_settings.user, item = m_alignment && m_settings.item;
        values.texts["user"] = user ? injectedMark : "";
        BranchRequest out;
        out.shared = {{"user", m_settings.prompt.render(values)}};
        if (user)
            out.injected = rowsFor(out.shared.back().content, m_alignment->map(unit(m_factors.userVector(request.training, request.user))));
        out.tail = m_settings.tail;
        out.answers = {m_settings.yes, m_settings.no};
        for (const auto code : items) {
            out.branches.push_back(" " + m_itemText[static_cast<std::size_t>(code)] + (item ? m_settings.before + injectedMark : ""));
            if (item)
                out.injectedOfBranch.push_back(
                    rowsFor(out.branches.back(), m_alignment->map(unitOf(static_cast<Code>(m_source[static_cast<std::size_t>(code)])))));
        }
        return out;
    }

    plugin::ItemFactors m_factors;
    std::optional<plugin::Alignment> m_alignment; // none: no vectors are put in
    std::vector<std::size_t> m_source;            // whose vector each item gets
    std::vector<std::string> m_notes;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "cf_injection";
    out.name = "Language model: collaborative vectors in the prompt";
    out.summary = "Asks Yes or No with the user's and the item's collaborative vectors inside the prompt, aligned with the model's token "
                  "embeddings; embedded models only.";
    out.source =
        "Vectors in the prompt as in CoLLM (Zhang et al. 2023, arXiv:2310.19488); map by alignment in the manner of A-LLMRec's stage 1 "
        "(Kim et al., KDD 2024), by ridge regression, not trained through the model";
    out.usesLanguageModel = true;
    out.twin = "item_neighbours";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        {
            plugin::choice("inject", "Vectors of", {"user and item", "user", "item", "none"}, "user and item",
                           "Whose vectors stand in the prompt; none asks the same question without, to compare."),
            plugin::choice("vectors", "Vectors", {"own", "shuffled"}, "own",
                           "shuffled: each item gets another one's vector, a control that tells whether the vectors say anything."),
            plugin::integer("factors", "Factors", 32, 1, 512, "factors", "Width of the collaborative vectors."),
            plugin::number("l2", "L2 penalty", 1, 1e-6, 1e9, "", "Of the map; higher keeps all mapped vectors closer to each other."),
            plugin::prompt("prompt", "Prompt", defaultPrompt,
                           "What stands before the candidate, with {{#liked}}{{item}}{{/liked}} and {{#disliked}}{{item}}{{/disliked}} for "
                           "the history, and {{user}} where the user's vector goes."),
            plugin::text("before", "Before the item's vector", " like ", "What stands between the candidate's text and its vector."),
            plugin::prompt("tail", "After the item", "",
                           "What stands after the candidate; every word here is read again for each candidate."),
            plugin::text("yes", "Word for yes", "Yes", "The answer that speaks for the item; its first token counts."),
            plugin::text("no", "Word for no", "No", "The answer that speaks against it; its first token counts."),
            plugin::number("leastMass", "Least answer share", 0.01, 0, 1, "",
                           "Where yes and no together are less probable than this, the model would rather say something else: the score is "
                           "flagged invalid and counted."),
        });
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(asked)};
        s.tail = p.text("tail"), s.before = p.text("before"), s.yes = p.text("yes"), s.no = p.text("no");
        if (s.yes.empty() || s.no.empty() || s.yes == s.no)
            return fail(ErrorKind::input, "CL-6028",
                        fmt::format("cf_injection: the answers '{}' and '{}' must be two different words.", s.yes, s.no),
                        "Set parameters yes and no.");
        if (marksIn(s.tail) + marksIn(s.before) + marksIn(p.text("prompt")) > 0)
            return fail(ErrorKind::input, "CL-6077",
                        "cf_injection: a text holds the character U+FFFC, which stands for a vector inside the program.",
                        "Write {{user}} in the prompt; the item's vector is put in by itself.");
        s.user = p.text("inject").find("user") != std::string::npos, s.item = p.text("inject").find("item") != std::string::npos;
        s.shuffled = p.text("vectors") == "shuffled";
        s.leastMass = p.number("leastMass"), s.l2 = p.number("l2");
        s.factors = static_cast<std::size_t>(p.integer("factors"));
        return std::make_unique<CfInjection>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
