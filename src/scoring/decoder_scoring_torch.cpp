// SPDX-License-Identifier: GPL-3.0-or-later
// Candidates and continuations: prompts that differ at their end alone.
#include "scoring/decoder_model_torch.h"
#include "scoring/injected_text.h"
#include "scoring/model_errors.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

namespace {

constexpr std::int64_t shortestBranchRoom = 16;
constexpr std::size_t mostInjectedRows = 16384; // kept from call to call, so that prompts begin alike; then all are forgotten

// A request as token ids that fit the context: what all its prompts begin with, and what each adds.
struct TokenRequest {
    std::vector<TokenId> answers, shared;
    std::vector<std::vector<TokenId>> segments;
    std::vector<std::uint8_t> truncated;
};

Result<TokenRequest> tokenRequest(const BranchRequest& request, const Tokenizer& tokenizer, const ChatTemplate& chat, std::int64_t limit,
                                  const InjectRow& inject) {
    if (request.shared.empty() || request.answers.empty())
        return fail(emptyRequest("to score candidates without a prompt or without answers"));
    TokenRequest out;
    for (const std::string& answer : request.answers) {
        const std::vector<TokenId> ids = chat.encodeAnswer(answer);
        if (ids.empty())
            return fail(emptyRequest("for an answer that is empty"));
        out.answers.push_back(ids.front());
    }
    const std::size_t count = request.branches.size();
    out.truncated.assign(count, 0);
    if (count == 0)
        return out;
    if (!request.injectedOfBranch.empty() && request.injectedOfBranch.size() != count)
        return fail(ErrorKind::usage, "CL-2096",
                    fmt::format("vectors were given for {} of {} candidates", request.injectedOfBranch.size(), count),
                    "give a list of vectors for each candidate, or none at all");
    const bool injects = request.injects(); // else the mark is a character like others
    CAROUSEL_ASSIGN(OpenPrompt prompt, injects ? openPromptWithRows(chat, request.shared, request.injected, inject)
                                               : Result<OpenPrompt>(openPrompt(chat, request.shared, true)));
    const std::vector<TokenId> close = chat.closeAndOpenAssistant();
    const std::int64_t room = limit - static_cast<std::int64_t>(prompt.head.size() + close.size());
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = prompt.heldBack + request.branches[i] + request.tail;
        CAROUSEL_ASSIGN(std::vector<TokenId> ids,
                        injects ? encodeWithRows(tokenizer, text,
                                                 request.injectedOfBranch.empty() ? Matrix() : request.injectedOfBranch[i], inject)
                                : Result<std::vector<TokenId>>(tokenizer.encodeMiddle(text)));
        if (room >= shortestBranchRoom && static_cast<std::int64_t>(ids.size()) > room) {
            ids.erase(ids.begin(), ids.end() - room);
            out.truncated[i] = 1;
        }
        ids.insert(ids.end(), close.begin(), close.end());
        longest = std::max(longest, static_cast<std::int64_t>(ids.size()));
        out.segments.push_back(std::move(ids));
    }
    CAROUSEL_ASSIGN(const bool cut, fitPrompt(prompt, longest, limit));
    if (cut)
        std::fill(out.truncated.begin(), out.truncated.end(), std::uint8_t(1));
    out.shared = prompt.tokens();
    return out;
}

// What all prompts of all requests begin with. It is computed as a prompt that is kept, so that the next call may begin with it too.
std::span<const TokenId> commonTrunk(const std::vector<TokenRequest>& requests) {
    std::span<const TokenId> trunk;
    bool first = true;
    for (const TokenRequest& request : requests) {
        if (request.segments.empty())
            continue;
        const std::span<const TokenId> shared(request.shared);
        trunk = first ? shared
                      : trunk.first(static_cast<std::size_t>(std::mismatch(trunk.begin(), trunk.end(), shared.begin(), shared.end()).first -
                                                             trunk.begin()));
        first = false;
    }
    return trunk;
}

Matrix rowsOf(const Matrix& from, std::span<const std::size_t> rows) {
    Matrix out(rows.size(), from.columns);
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(from.row(rows[i]).begin(), from.columns, out.row(i).begin());
    return out;
}

} // namespace

Result<BranchScores> DecoderModel::scoreBranches(const BranchRequest& request, const RunControl& control) {
    CAROUSEL_ASSIGN(std::vector<BranchScores> scores, scoreBranchesOf(std::span(&request, 1), control));
    return std::move(scores.front());
}

Result<std::vector<BranchScores>> DecoderModel::scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) {
    std::unique_lock<std::timed_mutex> lock;
    if (std::any_of(requests.begin(), requests.end(), [](const BranchRequest& request) { return request.injects(); })) {
        CAROUSEL_ASSIGN(lock, turn(control)); // the decoder's list of vectors is guarded as the decoder is
        if (m_decoder->injectedRows() > mostInjectedRows) {
            m_prompt.truncate(0);
            m_decoder->forgetInjected();
        }
    }
    const InjectRow inject = [this](std::span<const float> row) { return m_decoder->inject(row); };
    std::vector<TokenRequest> asked;
    for (const BranchRequest& request : requests) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("reading the prompts"));
        CAROUSEL_ASSIGN(TokenRequest tokens, tokenRequest(request, *m_tokenizer, m_chat, m_contextLimit, inject));
        asked.push_back(std::move(tokens));
    }
    if (!lock.owns_lock()) {
        CAROUSEL_ASSIGN(lock, turn(control));
    }
    const std::span<const TokenId> trunk = commonTrunk(asked);
    std::vector<std::vector<TokenId>> prompts; // what follows the trunk
    for (const TokenRequest& request : asked)
        for (const std::vector<TokenId>& segment : request.segments) {
            prompts.emplace_back(request.shared.begin() + static_cast<std::ptrdiff_t>(trunk.size()), request.shared.end());
            prompts.back().insert(prompts.back().end(), segment.begin(), segment.end());
        }
    std::int64_t reused = 0;
    TreeStates states;
    if (!prompts.empty()) {
        const std::vector<std::span<const TokenId>> views(prompts.begin(), prompts.end());
        CAROUSEL_ASSIGN(states, m_decoder->followPrompt(m_prompt, trunk, views, 1, control));
        reused = states.reused;
    }
    CAROUSEL_ASSIGN(const std::vector<double> sums, m_decoder->logSumExpOfLogits(states.rows, control));

    std::vector<BranchScores> out;
    std::size_t next = 0;                                                        // prompt
    std::int64_t trunkTokens = static_cast<std::int64_t>(trunk.size()) - reused; // computed for the first that has candidates
    for (const TokenRequest& request : asked) {
        BranchScores scores;
        const std::size_t count = request.segments.size();
        scores.truncated = request.truncated;
        scores.calls = out.empty() ? 1 : 0; // one for all
        std::vector<std::size_t> rows;
        for (std::size_t i = 0; i < count; ++i, ++next) {
            rows.push_back(states.ofPrompt[next].back());
            const auto length = static_cast<std::int64_t>(request.segments[i].size());
            scores.branchTokens += std::min(states.added[next], length);
            scores.prefixTokens += std::max<std::int64_t>(0, states.added[next] - length);
        }
        if (count > 0) {
            scores.prefixTokens += trunkTokens;
            trunkTokens = 0;
            scores.cachedTokens = static_cast<std::int64_t>(request.shared.size()) - scores.prefixTokens;
        }
        CAROUSEL_ASSIGN(scores.logits, m_decoder->logits(rowsOf(states.rows, rows), request.answers));
        if (!allFinite(scores.logits.values))
            return fail(notFinite(m_info.id));
        for (std::size_t i = 0; i < count; ++i) {
            double mass = 0;
            std::set<TokenId> counted; // two answers may begin with the same token
            for (std::size_t a = 0; a < request.answers.size(); ++a)
                if (counted.insert(request.answers[a]).second)
                    mass += std::exp(static_cast<double>(scores.logits.row(i)[a]) - sums[rows[i]]);
            scores.answerMass.push_back(static_cast<float>(std::min(mass, 1.0)));
        }
        out.push_back(std::move(scores));
    }
    return out;
}

Result<ContinuationScores> DecoderModel::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    if (request.messages.empty())
        return fail(emptyRequest("to score continuations of an empty prompt"));
    const std::size_t count = request.continuations.size();
    ContinuationScores out;
    out.logProbability.assign(count, 0);
    out.tokens.assign(count, 0);
    if (count == 0)
        return out;

    CAROUSEL_ASSIGN(const auto lock, turn(control));
    AnswerPrompt prompt = answerPrompt(m_chat, request.messages);
    std::vector<std::vector<TokenId>> wanted(count);
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        wanted[i] = prompt.answer(m_chat, request.continuations[i]);
        out.tokens[i] = static_cast<int>(wanted[i].size());
        longest = std::max(longest, static_cast<std::int64_t>(wanted[i].size()));
    }
    CAROUSEL_TRY(fitPrompt(prompt.text, longest + static_cast<std::int64_t>(prompt.close.size()), m_contextLimit));
    std::vector<TokenId> shared = prompt.tokens();
    const TokenId last = shared.back();
    shared.pop_back();

    // The state after a token predicts the next one, so a segment is the prompt's last token and all of a continuation but its last.
    std::vector<std::vector<TokenId>> segments;
    for (const std::vector<TokenId>& tokens : wanted) {
        segments.push_back({last});
        if (!tokens.empty())
            segments.back().insert(segments.back().end(), tokens.begin(), tokens.end() - 1);
    }
    const std::vector<std::span<const TokenId>> views(segments.begin(), segments.end());
    CAROUSEL_ASSIGN(const TreeStates states, m_decoder->followPrompt(m_prompt, shared, views, allRows, control));
    out.cachedTokens = states.reused;
    out.promptTokens = static_cast<std::int64_t>(shared.size()) + 1 - out.cachedTokens;
    CAROUSEL_ASSIGN(const std::vector<double> sums, m_decoder->logSumExpOfLogits(states.rows, control));
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const std::size_t> rows = std::span(states.ofPrompt[i]).first(wanted[i].size());
        CAROUSEL_ASSIGN(const std::vector<float> logits, m_decoder->rowLogits(rowsOf(states.rows, rows), wanted[i]));
        for (std::size_t t = 0; t < rows.size(); ++t)
            out.logProbability[i] += logits[t] - sums[rows[t]];
        if (!std::isfinite(out.logProbability[i]))
            return fail(notFinite(m_info.id));
    }
    return out;
}

} // namespace carousel
