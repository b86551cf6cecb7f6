// SPDX-License-Identifier: GPL-3.0-or-later
// Chat messages to token ids. Templates in model files are small programs; they are recognised by what they say and never executed.
// Control tokens are put in as ids; all content is ordinary text and cannot become one.
#pragma once
#include "base/result.h"
#include "llm/gguf.h"
#include "llm/tokenizer.h"
#include "stages/language_model.h"
#include <array>
#include <memory>

namespace carousel {

enum class ChatStyle {
    chatMl,  // <|im_start|>role\ncontent<|im_end|>\n
    llama2,  // <s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser [/INST] assistant </s>
    llama3,  // <|begin_of_text|><|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>
    mistral, // <s>[INST] user [/INST] assistant</s>; system text goes before the first user's; [INST] may be a control token
    zephyr,  // <|role|>\ncontent</s>\n, also TinyLlama
    plain    // "User: ...\nAssistant:" for base models, which know no template
};
const char* name(ChatStyle style); // "ChatML", "Llama 2", ...

class ChatTemplate {
public:
    // CL-2063: no template, or one this program does not know. The tokenizer is kept.
    static Result<ChatTemplate> fromGguf(const GgufFile& file, std::shared_ptr<const Tokenizer> tokenizer);
    static Result<ChatTemplate> fromText(std::string_view templateText, std::shared_ptr<const Tokenizer> tokenizer,
                                         const std::string& where);
    // For a model without a template, when the user wants it all the same; warnings() says what that means.
    static ChatTemplate plain(std::shared_ptr<const Tokenizer> tokenizer);

    ChatStyle style() const { return m_style; }
    const std::vector<std::string>& warnings() const { return m_warnings; }
    // All messages closed, then the assistant's turn opened; a last message of role "assistant" is left open instead (continued).
    std::vector<TokenId> prompt(const std::vector<ChatMessage>& messages) const;
    // All messages, the last one left open: a branch may be appended as tokenizer().encodeMiddle(branch). With no messages: an empty user
    // message.
    std::vector<TokenId> openLast(const std::vector<ChatMessage>& messages) const;
    // End of the open turn and start of the assistant's.
    std::vector<TokenId> closeAndOpenAssistant() const;
    // The text as the beginning of what the assistant says after closeAndOpenAssistant(): some styles have a blank between.
    std::vector<TokenId> encodeAnswer(std::string_view text) const;
    TokenId endOfTurn() const { return m_end; }
    bool endsTurn(TokenId id) const;                                     // endOfTurn(), or the end of text by the file
    const std::string& defaultSystem() const { return m_defaultSystem; } // empty: none is put in
    const Tokenizer& tokenizer() const { return *m_tokenizer; }
    // For people: the prompt as text with control tokens spelled out.
    std::string preview(const std::vector<ChatMessage>& messages) const;

private:
    friend class ChatTemplateReader;
    // A control token, or text when `id` is negative.
    struct Part {
        TokenId id = -1;
        std::string text;
    };
    struct Turn {
        std::vector<Part> before, after;
    };
    static constexpr std::size_t system = 0, user = 1, assistant = 2; // a role that is none of them is a user's
    const Turn& turnOf(const std::string& role) const;
    void append(std::vector<TokenId>& ids, bool& afterControl, const std::vector<Part>& parts, std::string_view content = {}) const;
    std::vector<ChatMessage> arranged(const std::vector<ChatMessage>& messages) const;
    std::vector<TokenId> opened(const std::vector<ChatMessage>& messages, bool whole) const;

    std::shared_ptr<const Tokenizer> m_tokenizer;
    ChatStyle m_style = ChatStyle::chatMl;
    std::vector<Part> m_begin; // of every prompt
    std::array<Turn, 3> m_turns;
    std::string m_answerPrefix;
    bool m_answerAtStart = false; // a control token comes before the answer, which is then a text of its own
    bool m_trims = false;
    TokenId m_end = 0;
    std::string m_defaultSystem;
    std::vector<std::string> m_warnings;
};

} // namespace carousel
