// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/decoder_model_torch.h"
#include "scoring/model_errors.h"
#include <algorithm>

namespace carousel {

namespace {

// Logits after answers begun. What all of them begin with is appended to the prompt's keys and values and computed once; the rest of each
// is a branch. One answer that grows costs one token a step, beams that have parted their tokens since then.
class AnswerLogits {
public:
    // `cache` holds the prompt without its last token, whose state gives the first logits. It is given back as it was.
    AnswerLogits(LlamaDecoder& decoder, DecoderCache& cache, TokenId last)
        : m_decoder(decoder), m_cache(cache), m_prompt(cache.length()), m_last(last) {}
    AnswerLogits(const AnswerLogits&) = delete;
    AnswerLogits& operator=(const AnswerLogits&) = delete;
    ~AnswerLogits() { m_cache.truncate(m_prompt); } // what is kept is the prompt alone, computed as any prompt is

    Result<Matrix> operator()(std::span<const std::vector<TokenId>> answers, const RunControl& control) {
        std::vector<std::vector<TokenId>> texts;
        for (const auto& answer : answers) {
            texts.push_back({m_last});
            texts.back().insert(texts.back().end(), answer.begin(), answer.end());
        }
        std::size_t common = texts.front().size();
        for (const auto& text : texts)
            common = std::min(common, sharedLength(texts.front(), text));
        for (const auto& text : texts)
            common = std::min(common, text.size() - 1); // something of each is left to compute
        const std::span<const TokenId> kept = std::span(m_cache.tokens()).subspan(static_cast<std::size_t>(m_prompt));
        const std::size_t known = std::min(common, sharedLength(kept, texts.front()));
        m_cache.truncate(m_prompt + static_cast<std::int64_t>(known));
        const std::span<const TokenId> first = texts.front();
        if (texts.size() == 1) {
            CAROUSEL_ASSIGN(const Matrix hidden, m_decoder.extend(m_cache, first.subspan(known), 1, control));
            return m_decoder.allLogits(hidden);
        }
        CAROUSEL_TRY(m_decoder.extend(m_cache, first.subspan(known, common - known), 0, control));
        for (auto& text : texts)
            text.erase(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(common));
        CAROUSEL_ASSIGN(const HiddenStates hidden, m_decoder.branches(m_cache, texts, 1, control));
        return m_decoder.allLogits(hidden.rows);
    }

private:
    static std::size_t sharedLength(std::span<const TokenId> a, std::span<const TokenId> b) {
        const std::size_t shorter = std::min(a.size(), b.size());
        return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin()).first -
                                        a.begin());
    }

    LlamaDecoder& m_decoder;
    DecoderCache& m_cache;
    const std::int64_t m_prompt;
    const TokenId m_last;
};

} // namespace

Result<Generated> DecoderModel::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                                         const RunControl& control) {
    if (messages.empty())
        return fail(emptyRequest("to answer an empty prompt"));
    CAROUSEL_TRY(checkOptions(options));
    CAROUSEL_ASSIGN(const auto lock, turn(control));
    const bool open = messages.back().role == "assistant";
    OpenPrompt prompt = openPrompt(m_chat, messages, open && !options.oneOf.empty());
    const std::vector<TokenId> close = open ? std::vector<TokenId>() : m_chat.closeAndOpenAssistant();
    AnswerWriter::Setting setting;
    setting.limit = std::clamp<std::int64_t>(options.maximumTokens, 0, m_contextLimit / 2);
    setting.spell = [this, open, before = prompt.heldBack](const std::string& text) {
        return open ? m_tokenizer->encodeMiddle(before + text) : m_chat.encodeAnswer(text);
    };
    setting.spelling = open ? "middle" + prompt.heldBack : "answer";
    for (const auto& other : {m_chat.endOfTurn() >= 0 ? std::optional(m_chat.endOfTurn()) : std::nullopt, m_tokenizer->endOfText(), m_tokenizer->control("<|endoftext|>")}) // small models write them in its place
        if (other && std::find(setting.ends.begin(), setting.ends.end(), *other) == setting.ends.end())
            setting.ends.push_back(*other);
    if (setting.ends.empty() && (!options.oneOf.empty() || !options.grammar.empty()))
        return fail(ErrorKind::input, "CL-2167", fmt::format("the tokenizer of '{}' names no token that ends a text, so that no answer of a given form can end", m_info.id),
                    "ask without a list, grammar or schema, or use another model");
    CAROUSEL_TRY(fitPrompt(prompt, static_cast<std::int64_t>(close.size()) + setting.limit, m_contextLimit));
    std::vector<TokenId> shared = prompt.tokens();
    shared.insert(shared.end(), close.begin(), close.end());
    const auto promptTokens = static_cast<std::int64_t>(shared.size());
    const TokenId last = shared.back();
    shared.pop_back();
    CAROUSEL_TRY(m_decoder->prepare(m_prompt, shared, control));

    AnswerLogits logits(*m_decoder, m_prompt, last);
    CAROUSEL_ASSIGN(Generated out, m_writer.write(options, setting, std::ref(logits), control));
    out.promptTokens = promptTokens;
    return out;
}

} // namespace carousel
