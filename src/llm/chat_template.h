// SPDX-License-Identifier: GPL-3.0-or-later
// Chat messages to token ids. Templates in model files are small programs; they are recognised by what they say and never executed.
// Known: ChatML (<|im_start|>role\ncontent<|im_end|>\n). Control tokens are put in as ids; all content is ordinary text.
#pragma once
#include "base/result.h"
#include "llm/gguf.h"
#include "llm/tokenizer.h"
#include "stages/language_model.h"
#include <memory>

namespace carousel {

class ChatTemplate {
public:
    // CL-2063: no template, or one this program does not know. The tokenizer is kept.
    static Result<ChatTemplate> fromGguf(const GgufFile& file, std::shared_ptr<const Tokenizer> tokenizer);
    static Result<ChatTemplate> fromText(std::string_view templateText, std::shared_ptr<const Tokenizer> tokenizer,
                                         const std::string& where);

    // All messages closed, then the assistant's turn opened; a last message of role "assistant" is left open instead (continued).
    std::vector<TokenId> prompt(const std::vector<ChatMessage>& messages) const;
    // All messages, the last one left open: a branch may be appended as encode(branch). With no messages: an empty user message.
    std::vector<TokenId> openLast(const std::vector<ChatMessage>& messages) const;
    // End of the open turn and start of the assistant's.
    std::vector<TokenId> closeAndOpenAssistant() const;
    TokenId endOfTurn() const { return m_end; }
    const std::string& defaultSystem() const { return m_defaultSystem; } // empty: none is put in
    const Tokenizer& tokenizer() const { return *m_tokenizer; }
    // For people: the prompt as text with control tokens spelled out.
    std::string preview(const std::vector<ChatMessage>& messages) const;

private:
    void appendOpen(std::vector<TokenId>& ids, const std::string& role, const std::string& content) const;
    void appendClose(std::vector<TokenId>& ids) const;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    TokenId m_start = 0, m_end = 0;
    std::string m_defaultSystem;
};

} // namespace carousel
