// SPDX-License-Identifier: GPL-3.0-or-later
// Prompts as token ids that fit the context: what must stay, and what may lose its oldest part.
#pragma once
#include "llm/chat_template.h"
#include <string>
#include <vector>

namespace carousel {

// A prompt up to the end of its last message, left open: `head` holds all earlier messages and the last one's start, `content` the last
// message's text. Cutting drops tokens from the front of `content`.
struct OpenPrompt {
    std::vector<TokenId> head, content;
    std::string heldBack; // blanks at the very end of the text, when asked for
    std::vector<TokenId> tokens() const;
};

// `holdBackBlanks`: trailing blanks are left out and given back, to be put before each continuation. A tokenizer joins a blank with the word
// that follows it, so that "Film: " + "Heat" is read as it would be in one piece.
OpenPrompt openPrompt(const ChatTemplate& chat, std::vector<ChatMessage> messages, bool holdBackBlanks);

// A prompt at whose end the model answers: an open message of the assistant is gone on with, any other last message is closed and the
// assistant's opened. Scoring and training both read answers through it, so that they see the same tokens.
struct AnswerPrompt {
    OpenPrompt text;
    std::vector<TokenId> close; // end of the last message and start of the assistant's; empty where that one is open
    bool open = false;
    std::vector<TokenId> answer(const ChatTemplate& chat, const std::string& what) const; // as it goes on there
    std::vector<TokenId> tokens() const;
};
AnswerPrompt answerPrompt(const ChatTemplate& chat, const std::vector<ChatMessage>& messages); // at least one message

// Cuts the oldest content so that the prompt and `following` more tokens fit `limit`. True when something was cut. CL-2090 when it cannot.
Result<bool> fitPrompt(OpenPrompt& prompt, std::int64_t following, std::int64_t limit);

// Drops the oldest tokens of a branch that is longer than `room`. True when something was cut. Where next to no room is left, nothing is cut:
// fitPrompt then says why the prompt cannot fit.
bool cutToRoom(std::vector<TokenId>& branch, std::int64_t room);

} // namespace carousel
