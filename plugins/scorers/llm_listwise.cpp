// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model sees the user's taste and up to 26 candidates under letters at once. "letters": one reading of the prompt, a
// candidate's score is the logit of its letter at the answer's place less the mean of the window's. "written": the model writes an order of
// the letters, read strictly. Candidates stand in shuffled orders that differ from round to round and depend on their set alone, so neither
// the host's nor the retriever's order is ever shown. More candidates than a window holds go through windows from the back, each
// overlapping the next by half, per round; a window is shuffled before it is shown, or the place would tell what the last window found.
#include "base/text.h"
#include "stages/plugin.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/permutations.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
const char* const stream = "llm_listwise";

std::string defaultPrompt() {
    return std::string("You know a person's taste and compare items by how well they suit it.\n") + plugin::tasteText +
           "Items, in no particular order:";
}

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_listwise";
    std::string tail, orderTail;
    std::size_t window = 20, rounds = 2;
    bool written = false, debias = true;
    double leastMass = 0.01;
};

// What one window said.
struct Reading {
    plugin::Showing score; // by slot
    bool lost = false;     // a server gave nothing usable
    bool truncated = false;
};

struct Counts {
    std::size_t calls = 0, windows = 0, unread = 0, bounds = 0; // unread: windows of which nothing could be used
    std::size_t repeated = 0, unknown = 0, missing = 0;         // letters of written orders
};

// All that is known after the rounds; candidates in ascending order of code.
struct Outcome {
    plugin::Rounds rounds;
    plugin::SlotBias bias;
    std::vector<std::vector<double>> raw, byRound; // per round and candidate: before and after the slots' pull was taken off; NaN: unread
    std::vector<float> scores;
    std::vector<ScoreStatus> status;
    Counts counts;
    std::string prompt, answer; // the first that was shown, and what was written to it
};

// "C > A > B" as slots. What is no single letter of the window, or comes twice, is counted and left out.
std::vector<std::size_t> writtenOrder(std::string_view text, std::size_t slots, Counts& counts) {
    std::vector<std::size_t> order;
    for (const auto field : split(trimmed(text), '>')) {
        const auto letter = trimmed(field);
        const auto slot = letter.size() == 1 ? static_cast<std::size_t>(static_cast<unsigned char>(letter[0])) - 'A' : slots;
        if (slot >= slots)
            ++counts.unknown;
        else if (std::find(order.begin(), order.end(), slot) != order.end())
            ++counts.repeated;
        else
            order.push_back(slot);
    }
    counts.missing += slots - order.size();
    return order;
}

class LlmListwise final : public plugin::AskingScorer<Settings> {
public:
    LlmListwise(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        return scoreByCode(request, scores, status, control,
                           [&](const std::vector<Code>& items) { return ranked(request.training, request.user, items, control); });
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        std::vector<Code> items = plugin::sortedCandidates(request.candidates).items;
        const auto i = plugin::placeOf(items, item);
        const auto outcome = ranked(request.training, request.user, items, {});
        if (!outcome)
            return nlohmann::json{{"error", describe(outcome.error())}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        nlohmann::json rounds = nlohmann::json::array();
        for (const auto& round : outcome->byRound)
            rounds.push_back(round[i]);
        const auto& counts = outcome->counts;
        return nlohmann::json{{"prompt", outcome->prompt},
                              {"written", outcome->answer},
                              {"scoreByRound", rounds},
                              {"rounds", outcome->rounds.orders.size()},
                              {"fewerRoundsThanAsked", outcome->rounds.fewer},
                              {"kendallBetweenRounds", plugin::meanKendall(outcome->raw)},
                              {"slotMean", outcome->bias.mean},
                              {"slotShare", outcome->bias.share},
                              {"slotMeanTakenOff", m_settings.debias},
                              {"modelCalls", counts.calls},
                              {"windows", counts.windows},
                              {"windowsUnread", counts.unread},
                              {"bounds", counts.bounds},
                              {"lettersRepeated", counts.repeated},
                              {"lettersUnknown", counts.unknown},
                              {"lettersMissing", counts.missing},
                              {"candidatesInvalid", std::count_if(outcome->status.begin(), outcome->status.end(), plugin::failed)}}
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    Result<Outcome> ranked(const TrainingView& training, Code user, const std::vector<Code>& items, const RunControl& control) const {
        const std::size_t n = items.size(), width = std::min(m_settings.window, n);
        Outcome out;
        out.scores.assign(n, 0.0f);
        out.status.assign(n, ScoreStatus::ok);
        CAROUSEL_ASSIGN(out.rounds, plugin::distinctRounds(m_environment.seed, stream, user, items, m_settings.rounds));
        const auto rounds = out.rounds.orders.size();
        out.raw.assign(rounds, std::vector<double>(n, 0.0));
        out.byRound = out.raw;
        if (n < 2) // nothing to compare
            return out;
        CAROUSEL_ASSIGN(const auto model, openModel());
        const auto prompt = promptFor(training, user);

        auto current = out.rounds.orders;
        std::vector<plugin::Showing> showings;
        std::vector<std::uint8_t> lost(n, 0), truncated(n, 0);
        for (std::size_t start = n - width, step = 0;; ++step) {
            std::vector<std::vector<std::size_t>> shown(rounds); // by slot: a place in `items`
            for (std::size_t r = 0; r < rounds; ++r) {
                const auto mix =
                    n > width ? plugin::shuffledSlots(m_environment.seed, stream, user, items, r, step, width) : std::vector<std::size_t>();
                for (std::size_t s = 0; s < width; ++s)
                    shown[r].push_back(current[r][start + (mix.empty() ? s : mix[s])]);
            }
            CAROUSEL_ASSIGN(const auto readings, read(*model, prompt, items, shown, out, control));
            for (const auto& reading : readings)
                showings.push_back(reading.score);
            out.bias = plugin::slotBias(showings);
            for (std::size_t r = 0; r < rounds; ++r) {
                const auto clean = withoutSlots(readings[r].score, out.bias);
                for (std::size_t s = 0; s < width; ++s) {
                    const auto place = shown[r][s];
                    lost[place] |= readings[r].lost, truncated[place] |= readings[r].truncated;
                    // Unread once in a round is unread in that round: where it would have gone from there is not known.
                    out.raw[r][place] = std::isnan(out.raw[r][place]) ? none : readings[r].score[s];
                    out.byRound[r][place] = std::isnan(out.byRound[r][place]) ? none : clean[s];
                }
                if (n > width)
                    reorder(current[r], start, shown[r], clean);
            }
            if (start == 0)
                break;
            start -= std::min(start, std::max<std::size_t>(width / 2, 1));
        }
        if (n > width) // logits of different windows cannot be compared; places in the round's final order can
            for (std::size_t r = 0; r < rounds; ++r)
                for (std::size_t at = 0; at < n; ++at)
                    if (auto& score = out.byRound[r][current[r][at]]; !std::isnan(score))
                        score = out.raw[r][current[r][at]] = 1 - static_cast<double>(at) / static_cast<double>(n - 1);
        conclude(out, lost, truncated);
        return out;
    }

    void conclude(Outcome& out, const std::vector<std::uint8_t>& lost, const std::vector<std::uint8_t>& truncated) const {
        const auto rounds = out.byRound.size();
        for (std::size_t i = 0; i < out.scores.size(); ++i) {
            double sum = 0;
            std::size_t known = 0;
            for (const auto& round : out.byRound)
                if (!std::isnan(round[i]))
                    sum += round[i], ++known;
            if (2 * known > rounds) {
                out.scores[i] = static_cast<float>(sum / static_cast<double>(known));
                out.status[i] = truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
            } else {
                out.status[i] = lost[i] ? ScoreStatus::missing : ScoreStatus::invalid;
            }
        }
        plugin::imputeFailed(out.scores, out.status);
    }

    std::vector<double> withoutSlots(const plugin::Showing& score, const plugin::SlotBias& bias) const {
        auto out = score;
        for (std::size_t s = 0; m_settings.debias && s < out.size(); ++s)
            out[s] -= bias.of(s);
        return out;
    }

    // Best first; what could not be read goes behind in its shuffled order, and is flagged. A window that said nothing changes nothing.
    static void reorder(std::vector<std::size_t>& order, std::size_t start, const std::vector<std::size_t>& shown,
                        const std::vector<double>& score) {
        if (std::all_of(score.begin(), score.end(), [](double x) { return std::isnan(x); }))
            return;
        std::vector<std::size_t> slots(shown.size());
        for (std::size_t s = 0; s < slots.size(); ++s)
            slots[s] = s;
        std::stable_sort(slots.begin(), slots.end(), [&](std::size_t a, std::size_t b) {
            return std::isnan(score[a]) || std::isnan(score[b]) ? !std::isnan(score[a]) && std::isnan(score[b]) : score[a] > score[b];
        });
        for (std::size_t s = 0; s < slots.size(); ++s)
            order[start + s] = shown[slots[s]];
    }

    // One window of every round: the taste is read once for all of them.
    Result<std::vector<Reading>> read(LanguageModel& model, const std::string& prompt, const std::vector<Code>& items,
                                      const std::vector<std::vector<std::size_t>>& shown, Outcome& out, const RunControl& control) const {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_listwise"));
        const auto width = shown.front().size();
        BranchRequest request;
        request.shared = {{"user", prompt}};
        request.tail = m_settings.written ? m_settings.orderTail : m_settings.tail;
        for (std::size_t s = 0; s < width; ++s)
            request.answers.push_back(std::string(1, static_cast<char>('A' + s)));
        for (const auto& slots : shown) {
            std::string lines;
            for (std::size_t s = 0; s < width; ++s)
                lines += "\n" + request.answers[s] + ": " + m_itemText[static_cast<std::size_t>(items[slots[s]])];
            request.branches.push_back(std::move(lines));
        }
        if (out.prompt.empty())
            out.prompt = prompt + request.branches.front() + request.tail;
        out.counts.windows += shown.size();
        return m_settings.written ? readOrders(model, request, out, control) : readLetters(model, request, out.counts, control);
    }

    Result<std::vector<Reading>> readLetters(LanguageModel& model, const BranchRequest& request, Counts& counts,
                                             const RunControl& control) const {
        CAROUSEL_ASSIGN(const auto answers, plugin::scoreBranchesInFixedOrder(model, request, control));
        counts.calls += static_cast<std::size_t>(answers.calls);
        std::vector<Reading> out(request.branches.size());
        for (std::size_t b = 0; b < out.size(); ++b) {
            const auto logits = answers.logits.row(b);
            double mean = 0;
            for (const float logit : logits)
                mean += static_cast<double>(logit) / static_cast<double>(logits.size());
            out[b].lost = answers.missing(b), out[b].truncated = answers.truncated[b] != 0;
            counts.bounds += answers.censored[b] != 0;
            const bool usable = !out[b].lost && std::isfinite(mean) && answers.answerMass[b] >= m_settings.leastMass;
            counts.unread += !usable;
            for (const float logit : logits)
                out[b].score.push_back(usable ? static_cast<double>(logit) - mean : none);
        }
        return out;
    }

    Result<std::vector<Reading>> readOrders(LanguageModel& model, const BranchRequest& request, Outcome& outcome,
                                            const RunControl& control) const {
        auto& counts = outcome.counts;
        const auto width = request.answers.size();
        GenerateOptions options;
        options.maximumTokens = static_cast<int>(4 * width + 8);
        options.stop = {"\n"};
        std::vector<Reading> out(request.branches.size());
        for (std::size_t b = 0; b < out.size(); ++b) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("llm_listwise"));
            CAROUSEL_ASSIGN(
                const auto answer,
                model.generate({{"user", request.shared.front().content + request.branches[b] + request.tail}}, options, control));
            if (counts.calls++ == 0)
                outcome.answer = answer.text;
            const auto order = writtenOrder(answer.text, width, counts);
            counts.unread += order.empty();
            out[b].score.assign(width, none);
            for (std::size_t place = 0; place < order.size(); ++place)
                out[b].score[order[place]] = 1 - static_cast<double>(place) / static_cast<double>(width - 1);
        }
        return out;
    }
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_listwise";
    out.name = "Language model: list under letters";
    out.summary =
        "Shows a language model the user's taste and a window of candidates under letters, in several shuffled orders; scores by the "
        "letters' logits or by an order that it writes. Without fine-tuning, small models rank 20 candidates about by chance, whose "
        "nDCG@10 with one relevant item is 0.2272: read results against that.";
    out.source = "Letter verbaliser of LlamaRec (Yue et al., 2023); sliding windows of RankGPT (Sun et al., EMNLP 2023); repeated shuffled "
                 "orders of LLMRank (Hou et al., ECIR 2024), here different ones; slot means ours";
    out.usesLanguageModel = true;
    out.twin = "sequence_rules";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        {
            plugin::choice(
                "mode", "Answer", {"letters", "written"}, "letters",
                "letters: the logits of the letters after one reading. written: an order such as C > A > B, read strictly; letters "
                "that are missing leave their candidates invalid."),
            plugin::integer("window", "Candidates at once", 20, 2, 26, "items",
                            "So many candidates share a prompt; more than that go through overlapping windows from the back."),
            plugin::integer(
                "rounds", "Rounds", 2, 1, 24, "",
                "So many different shuffled orders are shown and averaged; more take away more of what the place does, and cost "
                "as much again each."),
            plugin::flag(
                "debias", "Take off the slot's pull", true,
                "Takes from each score what its slot gets on average over this user's rounds, shrunk to the part that luck does not "
                "explain; needs two rounds, and is surer with four or more."),
            plugin::prompt("prompt", "Prompt", defaultPrompt(),
                           "What stands before the candidates; read once per user. {{#liked}}{{item}}{{/liked}} and "
                           "{{#disliked}}{{item}}{{/disliked}} repeat for the history."),
            plugin::prompt("tail", "After the items", "\nWhich one of these items suits this person best? Answer with its letter only.",
                           "What stands after the candidates when letters are scored."),
            plugin::text(
                "orderTail", "After the items, to write an order",
                "\nPut all of these items in order, from the one that suits this person best to the one that suits least. Write their "
                "letters only, with > between them, such as: C > A > B",
                "What stands after the candidates when an order is to be written."),
            plugin::number("leastMass", "Least answer share", 0.01, 0, 1, "",
                           "Where all letters together are less probable than this, the model would rather say something else: the window "
                           "counts as unread."),
        },
        20); // one window
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(asked)};
        s.tail = p.text("tail"), s.orderTail = p.text("orderTail");
        s.window = static_cast<std::size_t>(p.integer("window")), s.rounds = static_cast<std::size_t>(p.integer("rounds"));
        s.written = p.text("mode") == "written", s.debias = p.boolean("debias"), s.leastMass = p.number("leastMass");
        return std::make_unique<LlmListwise>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
