// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: a language model says which of two candidates suits the user better, A or B, by the two letters' logits. Every pair is asked in
// both orders and won only when both agree; else each gets half a point, so that a model that always says A says nothing. "all" asks every
// pair and counts points; "sliding" carries the best from the back to the front, once per place; "heap" takes the best from a heap. Both
// start from an order that depends on the set of candidates alone, and neighbours in their order of which neither has beaten the other
// share a score.
#include "stages/plugin.h"
#include "support/llm_scoring.h"
#include "support/model_calls.h"
#include "support/permutations.h"
#include "support/specs.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

enum class Method { sliding, heap, all };
constexpr std::int64_t mostForAll = 200; // candidates: 19,900 pairs
constexpr std::size_t pairsPerCall = 64; // between two looks at the control

std::string defaultPrompt() {
    return std::string("You know a person's taste and say which of two items suits it better.\n") + plugin::tasteText + "The two items:";
}

struct Settings : plugin::Asked {
    static constexpr const char* id = "llm_pairwise";
    std::string tail;
    Method method = Method::sliding;
    std::size_t places = 5;
    double leastMass = 0.01;
};

using Pair = std::pair<std::size_t, std::size_t>; // places of two candidates, the smaller first

struct Verdict {
    int winner = 0; // +1: the first of the pair, -1: the second, 0: no agreement between the two orders, or unread
    bool unread = false, lost = false, truncated = false;
};

struct Counts {
    std::size_t calls = 0, pairs = 0, agreed = 0, opposed = 0, unread = 0, bounds = 0;
    std::size_t readings = 0, firstChosen = 0;
    double pull = 0; // sum over readings of (logit A - logit B) / 2
};

std::string twoItems(const std::vector<std::string>& lines, Code a, Code b) {
    return "\nA: " + lines[static_cast<std::size_t>(a)] + "\nB: " + lines[static_cast<std::size_t>(b)];
}

// Asks pairs, each once, and remembers what was said.
class Judge {
public:
    // `messages`: the worked examples if any, and the prompt as the last one.
    Judge(LanguageModel& model, const Settings& settings, std::vector<ChatMessage> messages, const std::vector<Code>& items,
          const std::vector<std::string>& lines, const RunControl& control)
        : m_model(model), m_settings(settings), m_messages(std::move(messages)), m_items(items), m_lines(lines), m_control(control) {}

    Result<void> ask(const std::vector<Pair>& wanted) {
        std::vector<Pair> pairs;
        for (const auto& [a, b] : wanted)
            if (const Pair pair{std::min(a, b), std::max(a, b)}; !m_verdicts.count(pair))
                pairs.push_back(pair);
        for (std::size_t from = 0; from < pairs.size(); from += pairsPerCall)
            CAROUSEL_TRY(askChunk(std::span(pairs).subspan(from, std::min(pairsPerCall, pairs.size() - from))));
        return {};
    }
    Result<bool> beats(std::size_t a, std::size_t b) {
        CAROUSEL_TRY(ask({{a, b}}));
        return known(a, b);
    }
    // Whether a is known to have won against b.
    bool known(std::size_t a, std::size_t b) const {
        const auto found = m_verdicts.find({std::min(a, b), std::max(a, b)});
        return found != m_verdicts.end() && found->second.winner == (a < b ? 1 : -1);
    }
    const std::map<Pair, Verdict>& verdicts() const { return m_verdicts; }
    const Counts& counts() const { return m_counts; }
    const std::string& firstPrompt() const { return m_firstPrompt; }

private:
    std::string branch(std::size_t a, std::size_t b) const { return twoItems(m_lines, m_items[a], m_items[b]); }

    Result<void> askChunk(std::span<const Pair> pairs) {
        if (m_control.stopRequested())
            return fail(RunControl::cancelled("llm_pairwise"));
        BranchRequest request;
        request.shared = m_messages;
        request.tail = m_settings.tail;
        request.answers = {"A", "B"};
        for (const auto& [a, b] : pairs)
            request.branches.push_back(branch(a, b)), request.branches.push_back(branch(b, a));
        if (m_firstPrompt.empty())
            m_firstPrompt = m_messages.back().content + request.branches.front() + m_settings.tail;
        CAROUSEL_ASSIGN(const auto answers, plugin::scoreBranchesInFixedOrder(m_model, request, m_control));
        m_counts.calls += static_cast<std::size_t>(answers.calls);
        for (std::size_t k = 0; k < pairs.size(); ++k) {
            Verdict verdict;
            int side[2] = {0, 0}; // who was chosen in each order: +1 the first of the pair
            for (std::size_t turn = 0; turn < 2; ++turn) {
                const auto at = 2 * k + turn;
                const double gap = static_cast<double>(answers.logits.row(at)[0]) - answers.logits.row(at)[1];
                verdict.lost |= answers.missing(at), verdict.truncated |= answers.truncated[at] != 0;
                m_counts.bounds += answers.censored[at] != 0;
                if (answers.missing(at) || !std::isfinite(gap) || !(answers.answerMass[at] >= m_settings.leastMass)) {
                    verdict.unread = true;
                    continue;
                }
                ++m_counts.readings;
                m_counts.firstChosen += gap > 0;
                m_counts.pull += gap / 2;
                side[turn] = ((gap > 0) - (gap < 0)) * (turn == 0 ? 1 : -1);
            }
            ++m_counts.pairs;
            m_counts.unread += verdict.unread;
            if (!verdict.unread && side[0] == side[1])
                verdict.winner = side[0];
            m_counts.agreed += verdict.winner != 0;
            m_counts.opposed += side[0] * side[1] < 0;
            m_verdicts.emplace(pairs[k], verdict);
        }
        return {};
    }

    LanguageModel& m_model;
    const Settings& m_settings;
    std::vector<ChatMessage> m_messages;
    std::string m_firstPrompt;
    const std::vector<Code>& m_items;
    const std::vector<std::string>& m_lines;
    const RunControl& m_control;
    std::map<Pair, Verdict> m_verdicts;
    Counts m_counts;
};

Result<std::vector<double>> countPoints(Judge& judge, std::size_t n) {
    std::vector<Pair> pairs;
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = a + 1; b < n; ++b)
            pairs.push_back({a, b});
    CAROUSEL_TRY(judge.ask(pairs));
    std::vector<double> points(n, 0.0);
    for (const auto& [pair, verdict] : judge.verdicts()) {
        points[pair.first] += (1 + verdict.winner) / 2.0;
        points[pair.second] += (1 - verdict.winner) / 2.0;
    }
    return points;
}

// Places spread over 1..0. A line is drawn between neighbours only where the first has beaten the second: the start order must not show.
std::vector<double> fromPlaces(const Judge& judge, const std::vector<std::size_t>& order, std::size_t looseFrom) {
    const auto n = order.size();
    std::vector<double> out(n, 0.0);
    for (std::size_t begin = 0; begin < n;) {
        auto end = begin + 1;
        while (end < n && (end > looseFrom || !judge.known(order[end - 1], order[end])))
            ++end;
        for (auto at = begin; at < end; ++at)
            out[order[at]] = 1 - static_cast<double>(begin + end - 1) / 2 / static_cast<double>(n - 1);
        begin = end;
    }
    return out;
}

// The neighbours among the first `places` and the one behind them, so that each is told from the next by an answer of its own.
Result<void> askNeighbours(Judge& judge, const std::vector<std::size_t>& order, std::size_t places) {
    std::vector<Pair> pairs;
    for (std::size_t at = 1; at < order.size() && at <= places; ++at)
        pairs.push_back({order[at - 1], order[at]});
    return judge.ask(pairs);
}

// A pass carries the best to its place from the back. A pass may compare two neighbours as soon as the one before it has gone two further,
// so that the passes follow each other through the list and all their pairs of a step go to the model together: what one after the other
// would ask and answer, in places + n steps instead of places * n.
Result<std::vector<double>> slide(Judge& judge, std::vector<std::size_t> order, std::size_t places) {
    const auto n = order.size();
    std::vector<std::size_t> next(std::min(places, n - 1), n - 1); // per pass: compares the items at next and next - 1
    const auto passes = next.size();
    while (passes > 0 && next.back() > passes - 1) {
        std::vector<std::size_t> ready;
        std::vector<Pair> pairs;
        for (std::size_t pass = 0; pass < passes; ++pass)
            if (next[pass] > pass && (pass == 0 || next[pass - 1] + 2 <= next[pass])) {
                ready.push_back(pass);
                pairs.push_back({order[next[pass]], order[next[pass] - 1]});
            }
        CAROUSEL_TRY(judge.ask(pairs));
        for (const auto pass : ready) {
            const auto at = next[pass]--;
            if (judge.known(order[at], order[at - 1]))
                std::swap(order[at], order[at - 1]);
        }
    }
    CAROUSEL_TRY(askNeighbours(judge, order, places));
    return fromPlaces(judge, order, n);
}

Result<void> siftDown(Judge& judge, std::vector<std::size_t>& heap, std::size_t at, std::size_t size) {
    for (;;) {
        auto best = 2 * at + 1;
        if (best >= size)
            return {};
        if (best + 1 < size) {
            CAROUSEL_ASSIGN(const bool right, judge.beats(heap[best + 1], heap[best]));
            best += right;
        }
        CAROUSEL_ASSIGN(const bool sinks, judge.beats(heap[best], heap[at]));
        if (!sinks)
            return {};
        std::swap(heap[at], heap[best]);
        at = best;
    }
}

Result<std::vector<double>> takeFromHeap(Judge& judge, std::vector<std::size_t> heap, std::size_t places) {
    const auto n = heap.size();
    for (std::size_t at = n / 2; at-- > 0;)
        CAROUSEL_TRY(siftDown(judge, heap, at, n));
    std::vector<std::size_t> order;
    places = std::min(places, n);
    for (std::size_t size = n; order.size() < places;) {
        order.push_back(heap[0]);
        heap[0] = heap[--size];
        heap.resize(size);
        CAROUSEL_TRY(siftDown(judge, heap, 0, size));
    }
    order.insert(order.end(), heap.begin(), heap.end()); // the best of the rest, then the others, which are not told apart
    CAROUSEL_TRY(askNeighbours(judge, order, places));
    return fromPlaces(judge, order, places);
}

// All that is known after the last pair; candidates in ascending order of code.
struct Outcome {
    std::vector<float> scores;
    std::vector<ScoreStatus> status;
    std::map<Pair, Verdict> verdicts;
    Counts counts;
    std::string prompt;
};

class LlmPairwise final : public plugin::AskingScorer<Settings> {
public:
    LlmPairwise(Settings settings, StageEnvironment environment) : AskingScorer(std::move(settings), std::move(environment)) {}

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        CAROUSEL_TRY(begin(input, control));
        // The better one stands in turn as A and as B, so that the examples teach no place.
        std::size_t questions = 0, answered = 0;
        return workExamples(
            input.training, plugin::WorkedKind::likedAgainstNotMet,
            [&](const std::string& prompt, const plugin::WorkedEvent& event) {
                const bool first = questions++ % 2 == 0;
                return prompt + twoItems(m_itemText, first ? event.item : event.other, first ? event.other : event.item) + m_settings.tail;
            },
            [&](const plugin::WorkedEvent&) { return answered++ % 2 == 0 ? "A" : "B"; }, control);
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        return scoreByCode(request, scores, status, control,
                           [&](const std::vector<Code>& items) { return judged(request.training, request.user, items, control); });
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        std::vector<Code> items = plugin::sortedCandidates(request.candidates).items;
        const auto i = plugin::placeOf(items, item);
        const auto outcome = judged(request.training, request.user, items, {});
        if (!outcome)
            return nlohmann::json{{"error", describe(outcome.error())}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        int won = 0, lost = 0, tied = 0, unread = 0;
        for (const auto& [pair, verdict] : outcome->verdicts)
            if (pair.first == i || pair.second == i) {
                const int side = pair.first == i ? verdict.winner : -verdict.winner;
                won += side > 0, lost += side < 0, unread += verdict.unread, tied += side == 0 && !verdict.unread;
            }
        const auto& counts = outcome->counts;
        const auto share = [](auto part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }; // 0/0: null
        const double pull = share(counts.pull, counts.readings);
        const auto read = counts.pairs - counts.unread;
        nlohmann::json out{{"prompt", outcome->prompt},
                           {"won", won},
                           {"lost", lost},
                           {"tied", tied},
                           {"unread", unread},
                           {"pairs", counts.pairs},
                           {"pairsUnread", counts.unread},
                           {"pairsAgreed", counts.agreed},
                           // Kendall's tau-a between the two orders of asking, over the pairs that were read in both.
                           {"kendallBetweenOrders", share(static_cast<double>(counts.agreed) - static_cast<double>(counts.opposed), read)},
                           {"slotMean", {pull, -pull}},
                           {"firstChosen", share(counts.firstChosen, counts.readings)},
                           {"bounds", counts.bounds},
                           {"modelCalls", counts.calls},
                           {"candidatesInvalid", std::count_if(outcome->status.begin(), outcome->status.end(), plugin::failed)}};
        addExamplesTo(out);
        return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    Result<Outcome> judged(const TrainingView& training, Code user, const std::vector<Code>& items, const RunControl& control) const {
        const auto n = items.size();
        Outcome out;
        out.scores.assign(n, 0.0f);
        out.status.assign(n, ScoreStatus::ok);
        if (n < 2) // nothing to compare
            return out;
        CAROUSEL_ASSIGN(const auto start, plugin::distinctRounds(m_environment.seed, "llm_pairwise", user, items, 1));
        CAROUSEL_ASSIGN(const auto model, openModel());
        Judge judge(*model, m_settings, asked(promptFor(training, user)), items, m_itemText, control);
        CAROUSEL_ASSIGN(const auto points, m_settings.method == Method::all ? countPoints(judge, n)
                                           : m_settings.method == Method::heap
                                               ? takeFromHeap(judge, start.orders.front(), m_settings.places)
                                               : slide(judge, start.orders.front(), m_settings.places));
        std::vector<std::size_t> askedOf(n, 0), unread(n, 0);
        std::vector<std::uint8_t> lost(n, 0), truncated(n, 0);
        for (const auto& [pair, verdict] : judge.verdicts())
            for (const auto i : {pair.first, pair.second})
                ++askedOf[i], unread[i] += verdict.unread, lost[i] |= verdict.lost, truncated[i] |= verdict.truncated;
        for (std::size_t i = 0; i < n; ++i) {
            out.scores[i] = static_cast<float>(points[i]);
            if (unread[i] > 0 && 2 * unread[i] >= askedOf[i]) // hardly anything is known about it
                out.status[i] = lost[i] ? ScoreStatus::missing : ScoreStatus::invalid;
            else if (truncated[i])
                out.status[i] = ScoreStatus::truncated;
        }
        plugin::imputeFailed(out.scores, out.status);
        out.verdicts = judge.verdicts(), out.counts = judge.counts(), out.prompt = judge.firstPrompt();
        return out;
    }
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "llm_pairwise";
    out.name = "Language model: pairs";
    out.summary =
        "Asks a language model which of two candidates suits the user better, always in both orders; a pair is won only when both "
        "agree. Small models without fine-tuning often answer by place, which gives ties: with 20 candidates and one relevant item "
        "chance is an nDCG@10 of 0.2272, and results must be read against that.";
    out.source = "Pairwise ranking prompting: all pairs, sliding and heap (Qin et al., NAACL Findings 2024)";
    out.usesLanguageModel = true;
    out.twin = "sequence_rules";
    out.parameters = plugin::askedParameters(
        plugin::languageModel("smollm2-135m-instruct"),
        plugin::withShots({
            plugin::choice("method", "Pairs asked", {"sliding", "heap", "all"}, "sliding",
                           "sliding: about places times candidates. heap: fewer, for many candidates. all: every pair, for few candidates; "
                           "they go to the model together."),
            plugin::integer(
                "places", "Places sorted out", 5, 1, 200, "",
                "So many first places are found by sliding or heap; behind them only what happened to be compared is told apart."),
            plugin::prompt("prompt", "Prompt", defaultPrompt(),
                           "What stands before the two items; read once per user. {{#liked}}{{item}}{{/liked}} and "
                           "{{#disliked}}{{item}}{{/disliked}} repeat for the history."),
            plugin::prompt("tail", "After the items", "\nWhich of the two suits this person better? Answer A or B.",
                           "What stands after the two items; every word here is read again for each pair."),
            plugin::number("leastMass", "Least answer share", 0.01, 0, 1, "",
                           "Where A and B together are less probable than this, the model would rather say something else: the pair counts "
                           "as unread, half a point each; candidates with half of their pairs unread are flagged invalid."),
        }),
        20); // every pair costs two prompts
    out.createScorer = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Scorer>> {
        CAROUSEL_ASSIGN(auto asked, plugin::askedFrom(p, Settings::id));
        Settings s{std::move(asked)};
        if (const auto count = p.integer("count"); p.text("method") == "all" && count > mostForAll)
            return fail(
                ErrorKind::input, "CL-6051",
                fmt::format("llm_pairwise: all pairs of {} candidates are {} prompts for each user; at most {} candidates are taken.",
                            count, count * (count - 1), mostForAll),
                "Set count lower, or method to sliding or heap.");
        s.tail = p.text("tail"), s.leastMass = p.number("leastMass");
        s.places = static_cast<std::size_t>(p.integer("places"));
        s.method = p.text("method") == "all" ? Method::all : p.text("method") == "heap" ? Method::heap : Method::sliding;
        return std::make_unique<LlmPairwise>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
