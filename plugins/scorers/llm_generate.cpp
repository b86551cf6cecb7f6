// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model writes which item comes next, and what it wrote is led back to items.
// "constrained": beam search in which every answer is exactly one candidate's name (or semantic id), so nothing written can be no item and
// no item comes twice. A candidate's score is the log-probability of its name with the end of the answer. Candidates that no beam reached
// stand behind all that were: their score is the worst beam's less 1 to 2, in the retriever's order, with status fallback.
// "nearest": free answers, and items by how near their text's vector lies to the nearest answer's.
// "words": free search queries; each ranks the items by BM25, and the lists are merged rank by rank. Items that share no word with any
// query stand behind them in the retriever's order, with status fallback.
// Free answers that lead to nothing (empty, or without a word that an item has) leave the request's candidates invalid.
#include "base/parallel.h"
#include "data/semantic_identifiers.h"
#include "stages/plugin.h"
#include "support/grounding.h"
#include "support/llm_scoring.h"
#include "support/permutations.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

namespace carousel {
namespace {

const char* const stream = "llm_generate";

enum class Grounding { constrained, nearest, words };

std::string defaultPrompt() {
    return std::string("You know a person's taste and name the item that comes next.\n") + plugin::tasteText +
           "{{#anyCandidates}}To choose from, in no particular order:\n{{#candidates}}- {{item}}\n{{/candidates}}{{/anyCandidates}}"
           "{{#asksName}}Which item does this person choose next? Answer with the name of the item alone.{{/asksName}}"
           "{{#asksCode}}Every item begins with its code; alike items have alike codes. Which item does this person choose next? Answer "
           "with "
           "its code alone.{{/asksCode}}"
           "{{#asksWords}}What will this person look for next? Answer with a few words to search for.{{/asksWords}}";
}

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_generate";
    Grounding grounding = Grounding::constrained;
    bool codes = false, showCandidates = false;
    int beams = 20, answers = 4, tokens = 24;
    double lengthPenalty = 0, temperature = 0, popularityGain = 0, k1 = 1.2, b = 0.75;
    std::string encoder;
    SemanticIdentifierSettings semantic;
};

// All that is known after one request; candidates in ascending order of code.
struct Outcome {
    std::vector<float> scores;
    std::vector<ScoreStatus> status;
    std::vector<GeneratedSequence> written;
    std::vector<Code> leadsTo; // per written: the candidate that it is, or is nearest to; noCode: to none
    std::size_t reached = 0;   // candidates with a score of their own
    std::string prompt;
};

class LlmGenerate final : public plugin::AskingScorer<Settings> {
public:
    LlmGenerate(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}
    std::vector<std::string> notes() const override { return m_notes; }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_TRY(begin(input, control));
        m_notes.clear();
        // What describes an item best; its name alone where nothing else is there.
        auto texts = m_itemText;
        for (std::size_t i = 0; i < texts.size() && i < input.features.itemText.size(); ++i)
            if (!input.features.itemText[i].empty())
                texts[i] = input.features.itemText[i];
        if (m_settings.grounding == Grounding::nearest) {
            CAROUSEL_ASSIGN(m_vectors, vectorsOf(m_itemText, control)); // an answer looks like a name
            countPopularity(input.training);
        }
        if (m_settings.grounding == Grounding::words) {
            CAROUSEL_ASSIGN(auto search, plugin::WordSearch::make(texts, m_settings.k1, m_settings.b, control));
            m_search = std::move(search);
        }
        return nameItems(texts, control);
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_generate"));
        if (request.candidates.empty())
            return {};
        const auto [items, order] = plugin::sortedCandidates(request.candidates);
        CAROUSEL_ASSIGN(const auto outcome, ranked(request, items, order, control));
        for (std::size_t i = 0; i < order.size(); ++i)
            scores[order[i]] = outcome.scores[i], status[order[i]] = outcome.status[i];
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto text = [](const nlohmann::json& value) { return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); };
        auto [items, order] = plugin::sortedCandidates(request.candidates);
        const auto before = items.size();
        const auto place = plugin::placeOf(items, item);
        if (items.size() != before)
            order.clear(); // the retriever said nothing about it
        const auto outcome = ranked(request, items, order, {});
        if (!outcome)
            return text({{"error", describe(outcome.error())}});
        auto written = nlohmann::json::array();
        for (std::size_t i = 0; i < outcome->written.size(); ++i) {
            const auto& one = outcome->written[i];
            nlohmann::json entry{{"text", one.text}, {"logProbability", one.logProbability}, {"tokens", one.tokens}};
            if (outcome->leadsTo[i] != noCode)
                entry["leadsTo"] = m_itemText[static_cast<std::size_t>(outcome->leadsTo[i])];
            written.push_back(std::move(entry));
        }
        return text({{"prompt", outcome->prompt},
                     {"written", written},
                     {"name", m_names[static_cast<std::size_t>(item)]},
                     {"score", outcome->scores[place]},
                     {"status", name(outcome->status[place])},
                     {"itemsReached", outcome->reached},
                     {"candidates", items.size()}});
    }

private:
    Result<Matrix> vectorsOf(const std::vector<std::string>& texts, const RunControl& control) const {
        CAROUSEL_ASSIGN(const auto encoder, plugin::CountedModel::open(m_environment, m_settings.encoder));
        return plugin::embedAll(*encoder, texts, Pooling::mean, "Encoding items", control);
    }

    // Names that no two items share; from here on the prompt shows the same ones, so that they can be written as they were read.
    Result<void> nameItems(const std::vector<std::string>& texts, const RunControl& control) {
        std::size_t changed = 0;
        m_names = plugin::distinctNames(m_itemText, &changed);
        if (m_settings.grounding != Grounding::constrained)
            return {};
        if (!m_settings.codes) {
            m_itemText = m_names;
            if (changed > 0)
                m_notes.push_back(
                    fmt::format("llm_generate: {} of {} names were not the item's alone and were numbered.", changed, m_names.size()));
            return {};
        }
        CAROUSEL_ASSIGN(const auto vectors, vectorsOf(texts, control));
        CAROUSEL_ASSIGN(const auto ids, SemanticIdentifiers::make(vectors, m_settings.semantic, control));
        for (std::size_t i = 0; i < m_names.size(); ++i) {
            m_names[i] = fmt::format("{}", fmt::join(ids.of(i), "-"));
            m_itemText[i] = m_names[i] + " " + m_itemText[i];
        }
        m_notes.push_back("llm_generate: " + ids.describe());
        return {};
    }

    void countPopularity(const TrainingView& training) {
        m_popularity.assign(training.popularity().begin(), training.popularity().end());
        const auto [least, most] = std::minmax_element(m_popularity.begin(), m_popularity.end());
        if (m_popularity.empty() || !(*most > *least))
            return m_popularity.assign(m_popularity.size(), 0.0);
        const double low = *least, width = *most - *least;
        for (auto& value : m_popularity)
            value = (value - low) / width;
    }

    std::string promptOf(const ScoreRequest& request, const std::vector<Code>& items) const {
        auto values = plugin::tasteValues(request.training, request.user, m_itemText, m_settings.shown);
        const bool free = m_settings.grounding != Grounding::constrained;
        values.texts["asksWords"] = m_settings.grounding == Grounding::words ? "yes" : "";
        values.texts["asksCode"] = !free && m_settings.codes ? "yes" : "";
        values.texts["asksName"] = m_settings.grounding == Grounding::nearest || (!free && !m_settings.codes) ? "yes" : "";
        auto& rows = values.lists["candidates"];
        if (m_settings.showCandidates)
            for (const auto slot : plugin::shuffledSlots(m_environment.seed, stream, request.user, items, 0, 0, items.size()))
                rows.push_back({{"item", m_itemText[static_cast<std::size_t>(items[slot])]}});
        values.texts["anyCandidates"] = rows.empty() ? "" : "yes";
        return m_settings.prompt.render(values);
    }

    // `order`: where each of `items` stands in the request.
    Result<Outcome> ranked(const ScoreRequest& request, const std::vector<Code>& items, const std::vector<std::size_t>& order,
                           const RunControl& control) const {
        CAROUSEL_ASSIGN(const auto model, openModel());
        Outcome out;
        out.prompt = promptOf(request, items);
        out.scores.assign(items.size(), 0);
        out.status.assign(items.size(), ScoreStatus::invalid);
        std::vector<double> shares(items.size(), 0.5); // of the retriever: 1 its best
        if (!order.empty() && request.retrieverScores.size() == order.size()) {
            const auto given = plugin::rankShares(request.retrieverScores);
            for (std::size_t i = 0; i < order.size(); ++i)
                shares[i] = given[order[i]];
        }
        if (m_settings.grounding == Grounding::constrained) {
            CAROUSEL_TRY(choose(*model, items, shares, out, control));
        } else {
            CAROUSEL_TRY(write(*model, request.user, out, control));
            if (m_settings.grounding == Grounding::nearest) {
                CAROUSEL_TRY(groundByVectors(items, out, control));
            } else {
                groundByWords(items, shares, out);
            }
        }
        plugin::imputeFailed(out.scores, out.status);
        return out;
    }

    Result<void> choose(LanguageModel& model, const std::vector<Code>& items, const std::vector<double>& shares, Outcome& out,
                        const RunControl& control) const {
        std::unordered_map<std::string, std::size_t> placeOf;
        GenerateOptions options;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto& name = m_names[static_cast<std::size_t>(items[i])];
            placeOf.emplace(name, i);
            options.oneOf.push_back(name);
        }
        std::sort(options.oneOf.begin(), options.oneOf.end()); // the same request whatever the order of the candidates
        std::int64_t longest = 1;
        for (const auto& name : options.oneOf)
            longest = std::max(longest, model.countTokens(name));
        options.maximumTokens = static_cast<int>(longest + 4); // a name after a prompt may be cut a little differently
        options.beams = options.sequences = std::min<int>(m_settings.beams, static_cast<int>(items.size()));
        options.lengthPenalty = m_settings.lengthPenalty;
        CAROUSEL_ASSIGN(auto answer, model.generate({{"user", out.prompt}}, options, control));
        double worst = 0;
        for (auto& one : answer.sequences) {
            const auto found = placeOf.find(one.text);
            const bool fresh = found != placeOf.end() && out.status[found->second] != ScoreStatus::ok && std::isfinite(one.score);
            if (fresh) {
                out.scores[found->second] = static_cast<float>(one.score);
                out.status[found->second] = ScoreStatus::ok;
                worst = out.reached++ == 0 ? one.score : std::min(worst, one.score);
            }
            out.leadsTo.push_back(fresh ? items[found->second] : noCode);
            out.written.push_back(std::move(one));
        }
        for (std::size_t i = 0; i < items.size() && out.reached > 0; ++i)
            if (out.status[i] != ScoreStatus::ok) {
                out.scores[i] = static_cast<float>(worst - 2 + shares[i]);
                out.status[i] = ScoreStatus::fallback;
            }
        return {};
    }

    Result<void> write(LanguageModel& model, Code user, Outcome& out, const RunControl& control) const {
        GenerateOptions options;
        options.maximumTokens = m_settings.tokens;
        options.stop = {"\n"};
        options.sequences = m_settings.answers;
        options.lengthPenalty = m_settings.lengthPenalty;
        options.temperature = m_settings.temperature;
        options.beams = m_settings.temperature > 0 ? 1 : m_settings.answers;
        if (m_settings.temperature > 0) // else it would only keep equal prompts from sharing an answer
            options.seed = m_environment.seed + static_cast<std::uint64_t>(user + 1);
        CAROUSEL_ASSIGN(auto answer, model.generate({{"user", out.prompt}}, options, control));
        for (auto& one : answer.sequences) {
            one.text = plugin::plainAnswer(one.text);
            out.written.push_back(std::move(one));
        }
        out.leadsTo.assign(out.written.size(), noCode);
        return {};
    }

    Result<void> groundByVectors(const std::vector<Code>& items, Outcome& out, const RunControl& control) const {
        std::vector<std::string> texts;
        std::vector<std::size_t> from;
        for (std::size_t i = 0; i < out.written.size(); ++i)
            if (!out.written[i].text.empty())
                texts.push_back(out.written[i].text), from.push_back(i);
        if (texts.empty())
            return {};
        CAROUSEL_ASSIGN(const auto vectors, vectorsOf(texts, control));
        if (vectors.columns != m_vectors.columns)
            return fail(
                ErrorKind::internal, "CL-6095",
                fmt::format("The encoder '{}' gave vectors of width {} and {}.", m_settings.encoder, m_vectors.columns, vectors.columns),
                "Check the model with `models check`.");
        // Distances over the whole catalogue: how near an item lies must not depend on who else is a candidate.
        const auto count = m_vectors.rows;
        std::vector<double> nearest(count, 1e300);
        for (std::size_t a = 0; a < texts.size(); ++a) {
            std::vector<double> distance(count);
            parallelFor(count, 256, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i)
                    distance[i] = distanceBetween(vectors.row(a), m_vectors.row(i));
            });
            auto best = items.front();
            for (const auto item : items)
                if (distance[static_cast<std::size_t>(item)] < distance[static_cast<std::size_t>(best)])
                    best = item;
            if (std::isfinite(distance[static_cast<std::size_t>(best)]))
                out.leadsTo[from[a]] = best;
            for (std::size_t i = 0; i < count; ++i)
                if (distance[i] < nearest[i])
                    nearest[i] = distance[i];
        }
        double least = 1e300, most = 0;
        for (const double d : nearest)
            if (d < 1e300)
                least = std::min(least, d), most = std::max(most, d);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto item = static_cast<std::size_t>(items[i]);
            if (!(nearest[item] < 1e300))
                continue;
            double distance = nearest[item];
            if (m_settings.popularityGain > 0)
                distance =
                    (most > least ? (distance - least) / (most - least) : 0) / std::pow(1 + m_popularity[item], m_settings.popularityGain);
            out.scores[i] = static_cast<float>(-distance);
            out.status[i] = ScoreStatus::ok;
            ++out.reached;
        }
        return {};
    }

    static double distanceBetween(std::span<const float> a, std::span<const float> b) {
        double sum = 0;
        for (std::size_t k = 0; k < a.size(); ++k)
            sum += (double(a[k]) - double(b[k])) * (double(a[k]) - double(b[k]));
        return std::sqrt(sum);
    }

    void groundByWords(const std::vector<Code>& items, const std::vector<double>& shares, Outcome& out) const {
        // Each query's items, best first; equal ones in the retriever's order.
        std::vector<std::vector<std::size_t>> lists;
        for (std::size_t q = 0; q < out.written.size(); ++q) {
            const auto all = m_search.scores(out.written[q].text);
            const auto found = [&](std::size_t i) { return all[static_cast<std::size_t>(items[i])]; };
            std::vector<std::size_t> list;
            for (std::size_t i = 0; i < items.size(); ++i)
                if (found(i) > 0)
                    list.push_back(i);
            std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
                return found(a) != found(b) ? found(a) > found(b) : shares[a] != shares[b] ? shares[a] > shares[b] : a < b;
            });
            if (!list.empty())
                out.leadsTo[q] = items[list.front()];
            lists.push_back(std::move(list));
        }
        // Rank by rank, the more probable query first; an item counts where it stands first.
        const auto n = static_cast<double>(items.size());
        for (std::size_t rank = 0; rank < items.size(); ++rank)
            for (const auto& list : lists)
                if (rank < list.size() && out.status[list[rank]] != ScoreStatus::ok) {
                    out.status[list[rank]] = ScoreStatus::ok;
                    out.scores[list[rank]] = static_cast<float>(1 - static_cast<double>(out.reached++) / n); // above 0
                }
        for (std::size_t i = 0; i < items.size() && out.reached > 0; ++i)
            if (out.status[i] != ScoreStatus::ok) {
                out.scores[i] = static_cast<float>(shares[i] - 1);
                out.status[i] = ScoreStatus::fallback;
            }
    }

    std::vector<std::string> m_notes, m_names; // names: what a constrained answer may be, per item
    Matrix m_vectors;                          // "nearest": per item
    std::vector<double> m_popularity;          // "nearest": per item, 0..1
    plugin::WordSearch m_search;               // "words"
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_generate";
    out.name = "Language model: written items";
    out.summary =
        "A language model writes the next item. Its answer is held to the candidates' names, or written freely and led back to the "
        "nearest item by meaning or by words.";
    out.source = "Grounding by distance: BIGRec (Bao et al., 2023); constrained beams without length normalisation: D3 (Bao et al., EMNLP "
                 "2024); queries and BM25: GPT4Rec (Li et al., 2023); semantic ids: TIGER (Rajput et al., NeurIPS 2023)";
    out.usesLanguageModel = true;
    out.twin = "sequence_rules";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct", "The model that writes; beams need a model of this machine."),
        {
            plugin::choice("grounding", "From answer to item", {"constrained", "nearest", "words"}, "constrained",
                           "constrained: only the candidates' names can be written. nearest: a free answer stands for the items whose text "
                           "lies nearest in meaning. words: free queries find items that share their words."),
            plugin::choice("identifiers", "Names to write", {"titles", "semantic ids"}, "titles",
                           "For constrained: titles, numbered where they repeat, or codes that alike items share the beginning of; a model "
                           "that was not trained on such codes cannot know them."),
            plugin::integer("beams", "Beams", 20, 1, 200, "beams",
                            "For constrained: so many answers are followed, and at most so many items get a score of their own."),
            plugin::integer("answers", "Free answers", 4, 1, 32, "answers",
                            "For nearest and words: so many different answers are written; an item counts by the best one for it."),
            plugin::integer("tokens", "Longest free answer", 24, 1, 256, "tokens", "Free answers are cut there, and at the end of a line."),
            plugin::number(
                "lengthPenalty", "Length penalty", 0, -2, 2, "",
                "Answers are ordered by log-probability / tokens^this. 0: by the sum, since the tokens that only complete a name "
                "are nearly certain, and dividing by their number would favour long names."),
            plugin::number("temperature", "Temperature", 0, 0, 2, "",
                           "For free answers: 0 takes the most probable ones by beams; above 0 they are drawn, and differ more."),
            plugin::flag("showCandidates", "Show the candidates", false,
                         "Lists the candidates in the prompt, shuffled; costs their tokens for every request."),
            plugin::text("encoder", "Encoder model", "all-minilm-l6-v2",
                         "For nearest and semantic ids: the sentence model that turns answers and items into vectors."),
            plugin::number("popularityGain", "Popularity gain", 0, 0, 100, "",
                           "For nearest: divides the distance, spread over 0 to 1, by (1 + popularity share)^this; 0 leaves it as it is."),
            plugin::number("k1", "BM25 k1", 1.2, 0, 10, "", "For words: how much a repeated word adds; 0 counts it once."),
            plugin::number("b", "BM25 b", 0.75, 0, 1, "", "For words: how much long item texts are held back; 0 not at all."),
            plugin::integer("levels", "Levels of semantic ids", 3, 1, 8, "levels",
                            "Codes per item before the last one, which makes it unique."),
            plugin::integer("codes", "Codes per level", 64, 2, 4096, "codes", "More codes tell more items apart at each level."),
            plugin::prompt(
                "prompt", "Prompt", defaultPrompt(),
                "{{#liked}}{{item}}{{/liked}}, {{#disliked}}{{item}}{{/disliked}} and {{#candidates}}{{item}}{{/candidates}} repeat; "
                "{{#asksName}}, {{#asksCode}} and {{#asksWords}} hold what is said for each kind of answer."),
        },
        100);
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(asked)};
        s.grounding = p.text("grounding") == "nearest" ? Grounding::nearest
                      : p.text("grounding") == "words" ? Grounding::words
                                                       : Grounding::constrained;
        s.codes = p.text("identifiers") == "semantic ids", s.showCandidates = p.boolean("showCandidates");
        s.beams = static_cast<int>(p.integer("beams")), s.answers = static_cast<int>(p.integer("answers"));
        s.tokens = static_cast<int>(p.integer("tokens"));
        s.lengthPenalty = p.number("lengthPenalty"), s.temperature = p.number("temperature");
        s.popularityGain = p.number("popularityGain"), s.k1 = p.number("k1"), s.b = p.number("b");
        s.encoder = p.text("encoder");
        s.semantic.levels = static_cast<int>(p.integer("levels")), s.semantic.codes = static_cast<int>(p.integer("codes"));
        s.semantic.seed = environment.seed;
        return std::make_unique<LlmGenerate>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
