// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/injected_text.h"

namespace carousel {

namespace {

std::vector<std::string_view> pieces(std::string_view text) {
    const std::string_view mark = injectedMark;
    std::vector<std::string_view> out;
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
        out.push_back(text.substr(0, at));
        text.remove_prefix(at + mark.size());
    }
    out.push_back(text);
    return out;
}

Result<void> checkCount(std::size_t marks, std::size_t rows) {
    if (marks == rows)
        return {};
    return fail(ErrorKind::usage, "CL-2096", fmt::format("a prompt has {} places for vectors and {} vectors were given", marks, rows),
                "put one character U+FFFC where each vector belongs, and none elsewhere");
}

} // namespace

Result<std::vector<TokenId>> encodeWithRows(const Tokenizer& tokenizer, std::string_view text, const Matrix& rows,
                                            const InjectRow& inject) {
    const auto parts = pieces(text);
    CAROUSEL_TRY(checkCount(parts.size() - 1, rows.rows));
    std::vector<TokenId> out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) {
            CAROUSEL_ASSIGN(const TokenId id, inject(rows.row(i - 1)));
            out.push_back(id);
        }
        const auto ids = tokenizer.encodeMiddle(parts[i]);
        out.insert(out.end(), ids.begin(), ids.end());
    }
    return out;
}

Result<OpenPrompt> openPromptWithRows(const ChatTemplate& chat, std::vector<ChatMessage> messages, const Matrix& rows,
                                      const InjectRow& inject) {
    const std::string text = messages.back().content;
    const auto parts = pieces(text);
    CAROUSEL_TRY(checkCount(parts.size() - 1, rows.rows));
    if (parts.size() == 1)
        return openPrompt(chat, std::move(messages), true);
    messages.back().content = std::string(parts[0]);
    OpenPrompt prompt = openPrompt(chat, std::move(messages), false);
    std::string behind = text.substr(parts[0].size());
    const auto end = behind.find_last_not_of(' '); // there is a mark, so not none
    prompt.heldBack = behind.substr(end + 1);
    behind.resize(end + 1);
    CAROUSEL_ASSIGN(const auto ids, encodeWithRows(chat.tokenizer(), behind, rows, inject));
    prompt.content.insert(prompt.content.end(), ids.begin(), ids.end());
    return prompt;
}

} // namespace carousel
