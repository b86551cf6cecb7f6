// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model reads a user's taste and an item; its hidden state goes into a small linear head that was trained on what users
// of the training part did with items when their history was as long as it is in the prompt. The model itself stays as it is.
#include "base/random.h"
#include "evaluation/statistics/logistic_regression.h"
#include "evaluation/statistics/ridge_regression.h"
#include "stages/plugin.h"
#include "support/history.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>

namespace carousel {
namespace {

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_projection";
    std::string tail;
    Pooling pooling = Pooling::last;
    bool rating = false, withRetriever = false;
    std::size_t examples = 256;
    double l2 = 30;
};

// Would the user, as they were before this place of their history, like this item?
struct Question {
    Code user = noCode, item = noCode;
    std::size_t place = 0;
    double preference = 0; // -1..1
    bool liked = false;
};

class LlmProjection final : public plugin::AskingScorer<Settings> {
public:
    LlmProjection(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}
    std::vector<std::string> notes() const override { return m_notes; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_ASSIGN(const auto model, begin(input, control));
        m_notes.clear();
        m_head = {};
        const auto questions = sample(input.training);
        CAROUSEL_ASSIGN(const auto retrieved, retrieverColumn(input, questions, control));
        m_width = static_cast<std::size_t>(model->info().width);
        const auto columns = m_width + (m_settings.withRetriever ? 1 : 0);
        Matrix rows(0, columns);
        std::vector<std::uint8_t> liked;
        std::vector<double> rating;
        std::size_t unusable = 0;
        for (std::size_t first = 0; first < questions.size();) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("llm_projection"));
            auto last = first; // questions about one moment share their prompt
            std::vector<Code> items;
            for (; last < questions.size() && questions[last].user == questions[first].user &&
                   questions[last].place == questions[first].place;
                 ++last)
                items.push_back(questions[last].item);
            CAROUSEL_ASSIGN(const auto states,
                            read(*model, promptFor(input.training, questions[first].user, questions[first].place), items, control));
            for (std::size_t i = 0; i < items.size(); ++i) {
                const auto state = states.rows.row(i);
                if (!usable(state)) {
                    ++unusable;
                    continue;
                }
                rows.values.insert(rows.values.end(), state.begin(), state.end());
                if (m_settings.withRetriever)
                    rows.values.push_back(static_cast<float>(retrieved[first + i]));
                ++rows.rows;
                liked.push_back(questions[first + i].liked);
                rating.push_back(3 + 2 * questions[first + i].preference);
            }
            first = last;
            control.report("Reading training questions", static_cast<double>(first), static_cast<double>(questions.size()), "questions");
        }
        if (unusable > 0)
            m_notes.push_back(fmt::format("llm_projection: {} of {} hidden states held values that are not numbers and were left out.",
                                          unusable, questions.size()));
        return train(rows, liked, rating);
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_projection"));
        const auto n = request.candidates.size();
        if (n == 0)
            return {};
        if (m_settings.withRetriever && request.retrieverScores.size() != n)
            return fail(ErrorKind::internal, "CL-6068",
                        fmt::format("llm_projection looks at its retriever's ranks but got {} retriever scores for {} candidates.",
                                    request.retrieverScores.size(), n),
                        "Set withRetriever to false.");
        const auto shares = plugin::rankShares(request.retrieverScores);
        if (!m_head) { // nothing was learned: the retriever's order, said to be that
            for (std::size_t i = 0; i < n; ++i) {
                scores[i] = shares.size() == n ? static_cast<float>(shares[i]) : 0;
                status[i] = ScoreStatus::fallback;
            }
            return {};
        }
        CAROUSEL_ASSIGN(const auto model, openModel());
        CAROUSEL_ASSIGN(const auto states, read(*model, promptFor(request.training, request.user), request.candidates, control));
        for (std::size_t i = 0; i < n; ++i) {
            const auto state = states.rows.row(i);
            std::vector<float> row(state.begin(), state.end());
            if (m_settings.withRetriever)
                row.push_back(static_cast<float>(nearTop(shares[i], n)));
            scores[i] = usable(state) ? static_cast<float>(m_head->linear(row)) : NAN;
            status[i] = !std::isfinite(scores[i]) ? ScoreStatus::invalid : states.truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
        }
        plugin::imputeFailed(scores, status);
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        using nlohmann::json;
        const auto text = [](const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); };
        if (!m_head)
            return text({{"learned", false}, {"notes", m_notes}});
        const auto model = openModel();
        if (!model)
            return text({{"error", describe(model.error())}});
        const auto prompt = promptFor(request.training, request.user);
        const auto states = read(**model, prompt, std::span<const Code>(&item, 1), {});
        if (!states)
            return text({{"error", describe(states.error())}});
        json out{{"prompt", prompt + " " + m_itemText[static_cast<std::size_t>(item)] + m_settings.tail},
                 {"head", m_settings.rating ? "rating" : "like"},
                 {"intercept", m_head->intercept},
                 {"truncated", states->truncated[0] != 0}};
        const auto state = states->rows.row(0);
        if (!usable(state)) {
            out["invalid"] = "the hidden state holds a value that is not a number";
            return text(out);
        }
        double fromState = 0, fromRetriever = 0;
        for (std::size_t c = 0; c < m_width; ++c)
            fromState += contribution(c, state[c]);
        const auto at = std::find(request.candidates.begin(), request.candidates.end(), item) - request.candidates.begin();
        if (m_settings.withRetriever && static_cast<std::size_t>(at) < request.retrieverScores.size()) {
            const auto near =
                nearTop(plugin::rankShares(request.retrieverScores)[static_cast<std::size_t>(at)], request.retrieverScores.size());
            out["retrieverShare"] = near;
            out["contributionOfRetriever"] = fromRetriever = contribution(m_width, near);
        }
        const double sum = m_head->intercept + fromState + fromRetriever;
        out["contributionOfHiddenState"] = fromState;
        out["sum"] = sum;
        if (m_settings.rating)
            out["rating"] = std::clamp(sum, 1.0, 5.0);
        else
            out["probability"] = 1 / (1 + std::exp(-sum));
        return text(out);
    }

private:
    static bool usable(std::span<const float> state) {
        return std::all_of(state.begin(), state.end(), [](float v) { return std::isfinite(v); });
    }
    double contribution(std::size_t column, double value) const {
        return m_head->scale[column] > 0 ? m_head->weight[column] * (value - m_head->mean[column]) / m_head->scale[column] : 0;
    }
    // 1 for the retriever's best of `of` items, falling evenly to 0 at as many places as it hands on, and 0 behind them.
    double nearTop(double rankShare, std::size_t of) const {
        const double rank = (1 - rankShare) * static_cast<double>(of - 1);
        return std::max(0.0, 1 - rank / std::max(1, m_settings.shown.candidates - 1));
    }

    // Equal items asked once and all in a fixed order, so that a state does not depend on where its item stood.
    Result<HiddenVectors> read(LanguageModel& model, const std::string& prompt, std::span<const Code> items,
                               const RunControl& control) const {
        HiddenRequest request;
        request.shared = {{"user", prompt}};
        request.tail = m_settings.tail;
        request.pooling = m_settings.pooling;
        const auto branch = [&](Code item) { return " " + m_itemText[static_cast<std::size_t>(item)]; };
        for (const auto item : items)
            request.branches.push_back(branch(item));
        std::sort(request.branches.begin(), request.branches.end());
        request.branches.erase(std::unique(request.branches.begin(), request.branches.end()), request.branches.end());
        CAROUSEL_ASSIGN(auto answer, model.hiddenStates(request, control));
        const auto n = request.branches.size();
        if (answer.rows.rows != n || answer.rows.columns != m_width || answer.truncated.size() != n)
            return fail(ErrorKind::internal, "CL-9020",
                        fmt::format("The model '{}' gave {} hidden states of width {} for {} texts and width {}.", model.info().id,
                                    answer.rows.rows, answer.rows.columns, n, m_width),
                        "Check the model with `models check`.");
        HiddenVectors out = answer;
        out.rows = Matrix(items.size(), m_width);
        out.truncated.assign(items.size(), 0);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto at = static_cast<std::size_t>(std::lower_bound(request.branches.begin(), request.branches.end(), branch(items[i])) -
                                                     request.branches.begin());
            std::copy_n(answer.rows.row(at).begin(), m_width, out.rows.row(i).begin());
            out.truncated[i] = answer.truncated[at];
        }
        return out;
    }

    // Half liked events and half disliked ones, drawn from all users' histories; where there are too few dislikes, items that the user of a
    // liked event has never met stand in for them. Sorted, questions about one moment side by side.
    std::vector<Question> sample(const TrainingView& training) {
        std::vector<Question> likes, dislikes;
        for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user) {
            const auto items = training.historyItems(user);
            const auto preference = training.historyPreference(user);
            std::unordered_set<Code> met; // an item met again is in its own prompt: nothing to learn
            for (std::size_t place = 0; place < items.size(); ++place) {
                if (!met.insert(items[place]).second || place == 0)
                    continue;
                const Question question{user, items[place], place, preference[place], preference[place] >= training.positiveFrom()};
                if (question.liked)
                    likes.push_back(question);
                else if (preference[place] <= training.negativeUpTo())
                    dislikes.push_back(question);
            }
        }
        RandomStream random(m_environment.seed, "llm_projection questions");
        const auto draw = [&](std::vector<Question>& from, std::size_t count) {
            for (std::size_t i = 0; i < from.size() && i < count; ++i)
                std::swap(from[i], from[i + random.below(from.size() - i)]);
            from.resize(std::min(from.size(), count));
        };
        const auto half = std::max<std::size_t>(1, m_settings.examples / 2);
        draw(likes, half);
        draw(dislikes, likes.size());
        std::size_t unseen = 0;
        auto out = dislikes;
        for (const auto& question : likes) {
            out.push_back(question);
            if (dislikes.size() + unseen >= likes.size())
                continue;
            const auto met = plugin::metItems(training, question.user);
            for (int tried = 0; tried < 50; ++tried) {
                const auto item = static_cast<Code>(random.below(training.itemCount()));
                if (std::binary_search(met.begin(), met.end(), item))
                    continue;
                out.push_back({question.user, item, question.place, -1, false});
                ++unseen;
                break;
            }
        }
        std::sort(out.begin(), out.end(), [](const Question& a, const Question& b) {
            return std::tuple(a.user, a.place, a.item) < std::tuple(b.user, b.place, b.item);
        });
        m_notes.push_back(fmt::format("llm_projection learned from {} liked and {} disliked events and {} items never met{}.", likes.size(),
                                      dislikes.size(), unseen,
                                      unseen > 0 ? ", which stand in for dislikes that are missing: some of them may be liked" : ""));
        return out;
    }

    // Per question how near to the top the retriever put the item when it knew nothing from the first question about the user on.
    Result<std::vector<double>> retrieverColumn(const FitInput& input, const std::vector<Question>& questions,
                                                const RunControl& control) const {
        std::vector<double> out(questions.size(), 0);
        if (!m_settings.withRetriever || questions.empty())
            return out;
        if (!m_environment.plainScorer)
            return fail(ErrorKind::plugin, "CL-6069",
                        "llm_projection is to look at its retriever's ranks where no other scorer is offered.",
                        "Set withRetriever to false.");
        const auto& training = input.training;
        std::vector<std::uint8_t> hidden(static_cast<std::size_t>(training.events()), 0);
        for (std::size_t i = 0; i < questions.size(); ++i) // sorted: the first question about a user is the earliest
            if (i == 0 || questions[i].user != questions[i - 1].user) {
                const auto first = training.firstEventOf(questions[i].user);
                std::fill(hidden.begin() + static_cast<std::ptrdiff_t>(first + questions[i].place),
                          hidden.begin() + static_cast<std::ptrdiff_t>(first + training.historyItems(questions[i].user).size()),
                          std::uint8_t{1});
            }
        CAROUSEL_ASSIGN(const auto before, training.without(hidden));
        CAROUSEL_ASSIGN(const auto retriever, m_environment.plainScorer(m_settings.shown.retriever));
        CAROUSEL_TRY(retriever->fit({before, input.features, input.embeddings}, control));
        std::vector<double> near(training.itemCount());
        for (std::size_t i = 0; i < questions.size(); ++i) {
            const auto user = questions[i].user;
            if (i == 0 || user != questions[i - 1].user) {
                if (control.stopRequested())
                    return fail(RunControl::cancelled("llm_projection"));
                std::vector<Code> unseen;
                const auto seen = before.seenItems(user);
                for (Code item = 0; item < static_cast<Code>(training.itemCount()); ++item)
                    if (!std::binary_search(seen.begin(), seen.end(), item))
                        unseen.push_back(item);
                std::vector<float> scores(unseen.size());
                std::vector<ScoreStatus> status(unseen.size());
                CAROUSEL_TRY(retriever->score({user, unseen, before, {}}, scores, status, control));
                const auto shares = plugin::rankShares(scores);
                near.assign(training.itemCount(), 0);
                for (std::size_t k = 0; k < unseen.size(); ++k)
                    near[static_cast<std::size_t>(unseen[k])] = nearTop(shares[k], unseen.size());
            }
            out[i] = near[static_cast<std::size_t>(questions[i].item)];
        }
        return out;
    }

    Result<void> train(const Matrix& rows, const std::vector<std::uint8_t>& liked, const std::vector<double>& rating) {
        const auto likes = std::count(liked.begin(), liked.end(), std::uint8_t{1});
        if (likes == 0 || likes == static_cast<std::ptrdiff_t>(liked.size())) {
            m_notes.push_back(
                "llm_projection learned nothing: the training part has no liked event with a history before it, or nothing to "
                "tell it from. Its scores are the retriever's order, flagged fallback.");
            return {};
        }
        if (m_settings.rating) {
            CAROUSEL_ASSIGN(auto ridge, fitRidge(rows, rating, m_settings.l2));
            m_head = std::move(ridge);
        } else {
            CAROUSEL_ASSIGN(m_head, fitLogistic(rows, liked, m_settings.l2));
        }
        return {};
    }

    std::vector<std::string> m_notes;
    std::size_t m_width = 0;
    std::optional<LinearModel> m_head; // its linear part is all that either head needs
};

const char* const asked = "Would this person enjoy the item below? Reply with Yes or No.\nItem:";

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_projection";
    out.name = "Language model: trained head";
    out.summary = "Reads a language model's hidden state for a user and an item, and scores by a linear head trained on the histories.";
    out.source = "ours; a linear probe (Alain and Bengio 2016, arXiv:1610.01644) on the prompt of pointwise LLM recommenders";
    out.usesLanguageModel = true;
    out.twin = "embedding_similarity";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        {
            plugin::choice(
                "head", "Head", {"like", "rating"}, "like",
                "like: logistic regression, liked or not; rating: ridge regression onto 1 to 5, for data with graded preferences."),
            plugin::choice("pooling", "Hidden state", {"last", "mean"}, "last",
                           "last: where the answer would begin; mean: over the words of the item and what follows it."),
            plugin::integer("examples", "Training questions", 256, 8, 100000, "questions",
                            "Half liked and half not; each is read by the model once, and the answers are kept from run to run."),
            plugin::number("l2", "L2 penalty", 30, 1e-6, 1e9, "",
                           "Higher keeps the head's weights smaller: raise it with few questions or a wide model."),
            plugin::flag(
                "withRetriever", "Look at retriever's rank", false,
                "Gives the head the candidate's rank with the retriever as one more column; learned with the questions hidden from it."),
            plugin::prompt(
                "prompt", "Prompt", std::string("Here is what one person thinks of some items.\n") + plugin::tasteText + asked,
                "What stands before the item, with {{#liked}}{{item}}{{/liked}} and {{#disliked}}{{item}}{{/disliked}} for the history. "
                "End right before the item: all before it is read once per user."),
            plugin::prompt("tail", "After the item", "", "What stands after the item; every word here is read again for each candidate."),
        });
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto common, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(common)};
        s.tail = p.text("tail");
        s.pooling = p.text("pooling") == "mean" ? Pooling::mean : Pooling::last;
        s.rating = p.text("head") == "rating", s.withRetriever = p.boolean("withRetriever");
        s.examples = static_cast<std::size_t>(p.integer("examples"));
        s.l2 = p.number("l2");
        return std::make_unique<LlmProjection>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
