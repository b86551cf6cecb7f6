// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/prompt_fit.h"
#include <algorithm>

namespace carousel {

std::vector<TokenId> OpenPrompt::tokens() const {
    std::vector<TokenId> all = head;
    all.insert(all.end(), content.begin(), content.end());
    return all;
}

OpenPrompt openPrompt(const ChatTemplate& chat, std::vector<ChatMessage> messages, bool holdBackBlanks) {
    OpenPrompt prompt;
    std::string& text = messages.back().content;
    if (holdBackBlanks) {
        const std::size_t end = text.find_last_not_of(' ');
        const std::size_t keep = end == std::string::npos ? 0 : end + 1;
        prompt.heldBack = text.substr(keep);
        text.resize(keep);
    }
    const std::vector<TokenId> all = chat.openLast(messages);
    text.clear();
    const std::vector<TokenId> head = chat.openLast(messages);
    const auto split = std::mismatch(head.begin(), head.end(), all.begin(), all.end()).second;
    prompt.head.assign(all.begin(), split);
    prompt.content.assign(split, all.end());
    return prompt;
}

std::vector<TokenId> AnswerPrompt::answer(const ChatTemplate& chat, const std::string& what) const {
    return open ? chat.tokenizer().encodeMiddle(text.heldBack + what) : chat.encodeAnswer(what);
}

std::vector<TokenId> AnswerPrompt::tokens() const {
    std::vector<TokenId> all = text.tokens();
    all.insert(all.end(), close.begin(), close.end());
    return all;
}

AnswerPrompt answerPrompt(const ChatTemplate& chat, const std::vector<ChatMessage>& messages) {
    AnswerPrompt prompt;
    prompt.open = messages.back().role == "assistant";
    prompt.text = openPrompt(chat, messages, prompt.open);
    if (!prompt.open)
        prompt.close = chat.closeAndOpenAssistant();
    return prompt;
}

Result<bool> fitPrompt(OpenPrompt& prompt, std::int64_t following, std::int64_t limit) {
    const auto head = static_cast<std::int64_t>(prompt.head.size()), content = static_cast<std::int64_t>(prompt.content.size());
    const std::int64_t surplus = head + content + following - limit;
    if (surplus <= 0)
        return false;
    if (surplus > content)
        return fail(ErrorKind::input, "CL-2090",
                    fmt::format("the prompt needs {} tokens even without the last message's text; the model takes {}", head + following, limit),
                    "shorten the earlier messages, the candidates' texts or the number of tokens to generate");
    prompt.content.erase(prompt.content.begin(), prompt.content.begin() + surplus);
    return true;
}

bool cutToRoom(std::vector<TokenId>& branch, std::int64_t room) {
    constexpr std::int64_t shortestRoom = 16;
    if (room < shortestRoom || static_cast<std::int64_t>(branch.size()) <= room)
        return false;
    branch.erase(branch.begin(), branch.end() - room);
    return true;
}

} // namespace carousel
