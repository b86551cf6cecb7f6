// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/decoder_model_torch.h"
#include "scoring/model_errors.h"
#include "scoring/pooling.h"
#include <algorithm>

namespace carousel {

Result<HiddenVectors> DecoderModel::hiddenStates(const HiddenRequest& request, const RunControl& control) {
    if (request.shared.empty())
        return fail(emptyRequest("for hidden states of an empty prompt"));
    const std::size_t count = request.branches.size();
    HiddenVectors out;
    out.rows = Matrix(count, static_cast<std::size_t>(m_info.width));
    out.truncated.assign(count, 0);
    if (count == 0)
        return out;

    CAROUSEL_ASSIGN(const auto lock, turn(control));
    OpenPrompt prompt = openPrompt(m_chat, request.shared, true);
    const std::vector<TokenId> close = m_chat.closeAndOpenAssistant();
    const std::int64_t room = m_contextLimit - static_cast<std::int64_t>(prompt.head.size() + close.size());
    std::vector<std::vector<TokenId>> segments(count);
    std::vector<std::size_t> ownTokens(count); // of branch and tail
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<TokenId> ids = m_tokenizer->encodeMiddle(prompt.heldBack + request.branches[i] + request.tail);
        out.truncated[i] = cutToRoom(ids, room);
        ownTokens[i] = ids.size();
        ids.insert(ids.end(), close.begin(), close.end());
        longest = std::max(longest, static_cast<std::int64_t>(ids.size()));
        segments[i] = std::move(ids);
    }
    CAROUSEL_ASSIGN(const bool cut, fitPrompt(prompt, longest, m_contextLimit));
    if (cut)
        std::fill(out.truncated.begin(), out.truncated.end(), std::uint8_t(1));
    const std::vector<TokenId> shared = prompt.tokens();
    CAROUSEL_ASSIGN(out.cachedTokens, m_decoder->prepare(m_prompt, shared, control));
    out.prefixTokens = static_cast<std::int64_t>(shared.size()) - out.cachedTokens;

    // Groups bound the memory: with `mean` every token's state comes back.
    constexpr std::size_t branchesAtOnce = 64;
    const bool mean = request.pooling == Pooling::mean;
    for (std::size_t begin = 0; begin < count; begin += branchesAtOnce) {
        const auto group = std::span(segments).subspan(begin, std::min(branchesAtOnce, count - begin));
        CAROUSEL_ASSIGN(const HiddenStates hidden, m_decoder->branches(m_prompt, group, mean ? allRows : 1, control));
        if (!allFinite(hidden.rows.values))
            return fail(notFinite(m_info.id));
        for (std::size_t i = 0; i < group.size(); ++i) {
            out.branchTokens += static_cast<std::int64_t>(group[i].size());
            const std::size_t first = hidden.first[i], last = hidden.first[i + 1];
            if (mean && ownTokens[begin + i] > 0) // an empty branch without a tail has the state of its last token
                meanOfRows(hidden.rows, first, first + ownTokens[begin + i], out.rows.row(begin + i));
            else
                meanOfRows(hidden.rows, last - 1, last, out.rows.row(begin + i));
        }
        control.report("Computing hidden states", static_cast<double>(begin + group.size()), static_cast<double>(count), "candidates");
    }
    return out;
}

} // namespace carousel
