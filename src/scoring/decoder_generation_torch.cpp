// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include "base/text.h"
#include "scoring/decoder_model_torch.h"
#include "scoring/model_errors.h"
#include "scoring/token_choice.h"
#include <algorithm>

namespace carousel {

Result<Generated> DecoderModel::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) {
    if (messages.empty())
        return fail(emptyRequest("to answer an empty prompt"));
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const bool open = messages.back().role == "assistant";
    OpenPrompt prompt = openPrompt(m_chat, messages, false);
    const std::vector<TokenId> close = open ? std::vector<TokenId>() : m_chat.closeAndOpenAssistant();
    const std::int64_t wanted = std::clamp<std::int64_t>(options.maximumTokens, 0, m_contextLimit / 2);
    CAROUSEL_TRY(fitPrompt(prompt, static_cast<std::int64_t>(close.size()) + wanted, m_contextLimit));
    std::vector<TokenId> shared = prompt.tokens();
    shared.insert(shared.end(), close.begin(), close.end());

    Generated out;
    out.promptTokens = static_cast<std::int64_t>(shared.size());
    std::vector<TokenId> next{shared.back()};
    shared.pop_back();
    CAROUSEL_TRY(m_decoder->prepare(m_prompt, shared, control));
    const auto promptLength = static_cast<std::int64_t>(shared.size());
    RandomStream random(options.seed, "generate");
    std::vector<TokenId> answer;
    out.reachedLimit = true;
    while (static_cast<std::int64_t>(answer.size()) < wanted) {
        auto hidden = m_decoder->extend(m_prompt, next, 1, control);
        auto logits = hidden ? m_decoder->allLogits(*hidden) : std::move(hidden);
        if (!logits || !allFinite(logits->values)) {
            m_prompt.truncate(promptLength);
            return fail(logits ? notFinite(m_info.id) : logits.error());
        }
        const TokenId token = chooseToken(logits->row(0), options, random);
        if (token == m_chat.endOfTurn()) {
            out.reachedLimit = false;
            break;
        }
        answer.push_back(token);
        next = {token};
        control.report("Writing an answer", static_cast<double>(answer.size()), static_cast<double>(wanted), "tokens");
        if (const std::size_t stop = firstStop(m_tokenizer->decodeBytes(answer), options.stop); stop != std::string::npos) {
            out.reachedLimit = false;
            break;
        }
    }
    m_prompt.truncate(promptLength); // what is kept is the prompt alone, computed as any prompt is
    const std::string bytes = m_tokenizer->decodeBytes(answer);
    out.text = replaceInvalidUtf8(bytes.substr(0, firstStop(bytes, options.stop)));
    out.generatedTokens = static_cast<std::int64_t>(answer.size());
    return out;
}

} // namespace carousel
