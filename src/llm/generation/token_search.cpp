// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/token_search.h"
#include "llm/generation/text_out.h"
#include "llm/generation/token_choice.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace carousel {

namespace {

using State = TokenConstraint::State;

bool isEnd(const SearchTask& task, TokenId token) {
    return std::find(task.ends.begin(), task.ends.end(), token) != task.ends.end();
}

// An answer of a known form needs one more step, in which it can only end.
std::int64_t steps(const SearchTask& task) {
    return task.limit + (task.constraint && task.constraint->fitsAnyLimit() ? 1 : 0);
}

// The ids that may come after an answer of `length` tokens, ascending, ends included. Without a constraint empty, which means all; with
// one, empty means that the answer cannot go on.
std::vector<TokenId> choices(const SearchTask& task, std::optional<State> state, std::size_t length) {
    std::vector<TokenId> ids;
    if (!task.constraint)
        return ids;
    const std::span<const TokenId> allowed = task.constraint->allowed(*state, task.limit - static_cast<std::int64_t>(length));
    ids.reserve(allowed.size() + task.ends.size());
    for (const TokenId id : allowed)
        if (!isEnd(task, id))
            ids.push_back(id);
    if (task.constraint->canEnd(*state)) {
        ids.insert(ids.end(), task.ends.begin(), task.ends.end());
        std::sort(ids.begin(), ids.end());
    }
    return ids;
}

Error nothingFits(std::size_t length) {
    return {ErrorKind::input, "CL-2167",
            fmt::format("after {} tokens the model's vocabulary has no token that fits the form asked for", length),
            "change the grammar: the vocabulary cannot spell what it asks for here"};
}
Error notNumbers() {
    return {ErrorKind::internal, "CL-2168", "the model gave a logit that is not a finite number",
            "check the model file with 'models check', or use the fp32 compute type"};
}

// One answer, token by token.
Result<FoundAnswer> writeOne(const NextLogits& next, const SearchTask& task, int index, const RunControl& control) {
    FoundAnswer answer;
    TextOut out(task.options.stop, index == 0 ? task.options.onText : nullptr);
    RandomStream random(task.options.seed, "generate", static_cast<std::uint64_t>(index));
    if (task.constraint)
        answer.state = task.constraint->start();
    const std::int64_t most = steps(task);
    for (std::int64_t step = 0; step < most && !answer.ended; ++step) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("writing an answer"));
        const std::vector<TokenId> among = choices(task, answer.state, answer.tokens.size());
        if (task.constraint && among.empty())
            return fail(nothingFits(answer.tokens.size()));
        CAROUSEL_ASSIGN(Matrix logits, next(std::span(&answer.tokens, 1), control));
        const std::span<float> row = logits.row(0);
        penaliseRepetition(row, answer.tokens, task.options.repetitionPenalty);
        const double total = logSumExp(row);
        if (!std::isfinite(total))
            return fail(notNumbers());
        const TokenId token = chooseToken(row, task.options, random, among);
        answer.logProbability += row[static_cast<std::size_t>(token)] - total;
        if (isEnd(task, token)) {
            answer.ended = true;
            break;
        }
        answer.tokens.push_back(token);
        if (answer.state)
            answer.state = task.constraint->after(*answer.state, token);
        answer.ended = out.add(task.bytesOf(token));
        control.report("Writing an answer", static_cast<double>(step + 1), static_cast<double>(most), "tokens");
    }
    out.finish();
    answer.text = out.text();
    answer.score = answer.logProbability;
    return answer;
}

struct Beam {
    std::vector<TokenId> tokens;
    double logProbability = 0;
    std::optional<State> state;
};
struct Continuation {
    double logProbability;
    std::size_t beam;
    TokenId token;
    bool operator<(const Continuation& other) const { // better first
        if (logProbability != other.logProbability)
            return logProbability > other.logProbability;
        return beam != other.beam ? beam < other.beam : token < other.token;
    }
};

class BeamSearch {
public:
    BeamSearch(const NextLogits& next, const SearchTask& task, const RunControl& control)
        : m_next(next), m_task(task), m_control(control) {}

    Result<std::vector<FoundAnswer>> run() {
        const auto beams = static_cast<std::size_t>(m_task.options.beams);
        m_running.emplace_back();
        if (m_task.constraint)
            m_running.front().state = m_task.constraint->start();
        const std::int64_t most = steps(m_task);
        std::size_t longest = 0;
        for (std::int64_t step = 0; step < most && !m_running.empty(); ++step) {
            if (m_control.stopRequested())
                return fail(RunControl::cancelled("writing an answer"));
            longest = m_running.front().tokens.size();
            CAROUSEL_ASSIGN(const std::vector<Continuation> best, bestContinuations((1 + m_task.ends.size()) * beams));
            std::vector<Beam> running;
            // An end counts among the best `beams` only, as elsewhere; under a constraint each end is one of few wanted texts, and none is lost.
            for (std::size_t rank = 0; rank < best.size(); ++rank)
                if (running.size() < beams || (m_task.constraint && isEnd(m_task, best[rank].token)))
                    follow(best[rank], rank < beams || m_task.constraint, running);
            m_running = std::move(running);
            m_control.report("Writing an answer", static_cast<double>(step + 1), static_cast<double>(most), "tokens");
            if (m_kept.size() >= beams && !m_running.empty() && bestPossible(most) <= m_kept.back().score)
                m_running.clear();
        }
        if (!m_task.constraint || m_kept.empty())
            for (const Beam& beam : m_running)
                keep({beam.tokens, textOf(beam.tokens), beam.logProbability, scoreOf(beam.logProbability, beam.tokens.size()), false,
                      beam.state});
        if (m_kept.empty() && m_task.constraint)
            return fail(nothingFits(longest));
        if (m_kept.size() > static_cast<std::size_t>(m_task.options.sequences))
            m_kept.resize(static_cast<std::size_t>(m_task.options.sequences));
        if (!m_kept.empty() && m_task.options.onText && !m_kept.front().text.empty())
            m_task.options.onText(m_kept.front().text);
        return std::move(m_kept);
    }

private:
    double scoreOf(double logProbability, std::size_t length) const {
        return logProbability / std::pow(static_cast<double>(std::max<std::size_t>(1, length)), m_task.options.lengthPenalty);
    }
    // Of a running beam, if all that follows were certain.
    double bestPossible(std::int64_t most) const {
        double best = -std::numeric_limits<double>::infinity();
        for (const Beam& beam : m_running)
            best = std::max(
                best, scoreOf(beam.logProbability, m_task.options.lengthPenalty > 0 ? static_cast<std::size_t>(most) : beam.tokens.size()));
        return best;
    }
    std::string textOf(std::span<const TokenId> tokens) const {
        TextOut out(m_task.options.stop, nullptr);
        for (const TokenId token : tokens)
            if (out.add(m_task.bytesOf(token)))
                break;
        out.finish();
        return out.text();
    }

    // What may follow an answer begun, with its log-probability.
    using Following = std::vector<std::pair<TokenId, double>>;

    // The running beams' answers that are not known yet; under a constraint also how each must go on while nothing else may follow, as far
    // as there is room. A title that is told apart by its first word is so read at once, not word by word.
    void ask(std::vector<std::vector<TokenId>>& begun, std::vector<std::vector<TokenId>>& among) {
        std::vector<std::optional<State>> states;
        for (const Beam& beam : m_running)
            if (!m_known.count(beam.tokens)) {
                begun.push_back(beam.tokens);
                among.push_back(choices(m_task, beam.state, beam.tokens.size()));
                states.push_back(beam.state);
            }
        const std::size_t asked = begun.size();
        for (std::size_t i = 0; m_task.constraint && i < asked; ++i) {
            auto text = begun[i];
            auto state = *states[i];
            auto next = among[i];
            while (begun.size() < rowsAhead && next.size() == 1 && !isEnd(m_task, next.front()) &&
                   static_cast<std::int64_t>(text.size()) < m_task.limit) {
                state = m_task.constraint->after(state, next.front());
                text.push_back(next.front());
                next = choices(m_task, state, text.size());
                begun.push_back(text);
                among.push_back(next);
            }
        }
    }

    Result<std::vector<Continuation>> bestContinuations(std::size_t wanted) {
        std::vector<Continuation> heap; // the worst of those kept at the front
        const auto offer = [&](const Continuation& one) {
            if (heap.size() == wanted && !(one < heap.front()))
                return;
            if (heap.size() == wanted) {
                std::pop_heap(heap.begin(), heap.end());
                heap.pop_back();
            }
            heap.push_back(one);
            std::push_heap(heap.begin(), heap.end());
        };
        std::vector<std::vector<TokenId>> begun, among;
        ask(begun, among);
        Matrix logits;
        if (!begun.empty()) {
            CAROUSEL_ASSIGN(logits, m_next(begun, m_control));
        }
        for (std::size_t i = 0; i < begun.size(); ++i) {
            const std::span<float> row = logits.row(i);
            penaliseRepetition(row, begun[i], m_task.options.repetitionPenalty);
            const double total = logSumExp(row);
            if (!std::isfinite(total))
                return fail(notNumbers());
            if (m_task.constraint) {
                Following& known = m_known[begun[i]];
                for (const TokenId token : among[i])
                    known.emplace_back(token, row[static_cast<std::size_t>(token)] - total);
            } else {
                const double before = m_running[i].logProbability - total;
                for (std::size_t token = 0; token < row.size(); ++token)
                    offer({before + row[token], i, static_cast<TokenId>(token)});
            }
        }
        for (std::size_t i = 0; m_task.constraint && i < m_running.size(); ++i) {
            const auto known = m_known.find(m_running[i].tokens);
            for (const auto& [token, logProbability] : known->second)
                offer({m_running[i].logProbability + logProbability, i, token});
            m_known.erase(known); // beams differ: nobody asks again
        }
        std::sort(heap.begin(), heap.end());
        return heap;
    }

    void follow(const Continuation& one, bool amongTheFirst, std::vector<Beam>& running) {
        const Beam& from = m_running[one.beam];
        if (isEnd(m_task, one.token)) {
            if (amongTheFirst)
                keep({from.tokens, textOf(from.tokens), one.logProbability, scoreOf(one.logProbability, from.tokens.size() + 1), true,
                      from.state});
            return;
        }
        Beam beam = from;
        beam.tokens.push_back(one.token);
        beam.logProbability = one.logProbability;
        if (beam.state)
            beam.state = m_task.constraint->after(*beam.state, one.token);
        if (!m_task.options.stop.empty()) {
            TextOut out(m_task.options.stop, nullptr);
            bool stopped = false;
            for (const TokenId token : beam.tokens)
                stopped = out.add(m_task.bytesOf(token));
            if (stopped) {
                if (amongTheFirst)
                    keep(
                        {beam.tokens, out.text(), beam.logProbability, scoreOf(beam.logProbability, beam.tokens.size()), true, beam.state});
                return;
            }
        }
        running.push_back(std::move(beam));
    }

    void keep(FoundAnswer answer) {
        const auto same = std::find_if(m_kept.begin(), m_kept.end(), [&](const FoundAnswer& other) { return other.text == answer.text; });
        if (same != m_kept.end()) {
            if (same->score >= answer.score)
                return;
            m_kept.erase(same);
        }
        const auto place = std::find_if(m_kept.begin(), m_kept.end(), [&](const FoundAnswer& other) { return other.score < answer.score; });
        m_kept.insert(place, std::move(answer));
        if (m_kept.size() > static_cast<std::size_t>(m_task.options.beams))
            m_kept.pop_back();
    }

    const NextLogits& m_next;
    const SearchTask& m_task;
    const RunControl& m_control;
    static constexpr std::size_t rowsAhead = 64; // logits made at once by looking ahead, as in scoring: 13 MB for 49,152 tokens
    std::vector<Beam> m_running;
    std::map<std::vector<TokenId>, Following> m_known; // computed and not used yet, by the answer begun
    std::vector<FoundAnswer> m_kept; // best first, at most `beams`
};

} // namespace

Result<void> checkOptions(const GenerateOptions& options) {
    const auto refuse = [](const std::string& what, const std::string& hint) { return fail(ErrorKind::usage, "CL-2166", what, hint); };
    if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
        return refuse(fmt::format("the temperature is {}", options.temperature), "give 0 (the most probable token) or a positive number");
    if (!(options.topP > 0 && options.topP <= 1))
        return refuse(fmt::format("topP is {}", options.topP), "give a share of the probability, above 0 and at most 1");
    if (options.topK < 0)
        return refuse(fmt::format("topK is {}", options.topK), "give 0 (all tokens) or a positive number");
    if (!(options.repetitionPenalty > 0) || !std::isfinite(options.repetitionPenalty))
        return refuse(fmt::format("the repetition penalty is {}", options.repetitionPenalty), "give a positive number; 1 changes nothing");
    if (!std::isfinite(options.lengthPenalty))
        return refuse(fmt::format("the length penalty is {}", options.lengthPenalty), "give a finite number; 0 orders by the sum");
    constexpr int most = 1024;
    if (options.beams < 1 || options.beams > most || options.sequences < 1 || options.sequences > most)
        return refuse(fmt::format("{} beams and {} sequences", options.beams, options.sequences),
                      fmt::format("give 1 to {} of each", most));
    if (options.beams > 1 && options.temperature > 0)
        return refuse(fmt::format("{} beams at temperature {}", options.beams, options.temperature),
                      "beam search draws nothing: set the temperature to 0, or use one beam");
    if (options.temperature == 0 && options.sequences > options.beams)
        return refuse(fmt::format("{} sequences from {} beams at temperature 0", options.sequences, options.beams),
                      "use at least as many beams as sequences, or a temperature above 0");
    if (!options.oneOf.empty() && !options.grammar.empty())
        return refuse(fmt::format("an answer that is one of {} texts and matches a grammar", options.oneOf.size()), "give one of the two");
    return {};
}

Result<std::vector<FoundAnswer>> searchAnswers(const NextLogits& next, const SearchTask& task, const RunControl& control) {
    CAROUSEL_TRY(checkOptions(task.options));
    if (task.options.beams > 1)
        return BeamSearch(next, task, control).run();
    std::vector<FoundAnswer> answers;
    for (int index = 0; index < task.options.sequences; ++index) {
        CAROUSEL_ASSIGN(FoundAnswer answer, writeOne(next, task, index, control));
        answers.push_back(std::move(answer));
    }
    return answers;
}

} // namespace carousel
