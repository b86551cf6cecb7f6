// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/chat_template.h"
#include "base/text.h"

namespace carousel {

namespace {

constexpr const char* startName = "<|im_start|>";
constexpr const char* endName = "<|im_end|>";

// The template with its text literals unwrapped and the glue between them dropped, so that spellings of the same template look alike.
std::string normalForm(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\'' || c == '"') {
            for (++at; at < text.size() && text[at] != c; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) {
                    ++at;
                    out += text[at] == 'n' ? '\n' : text[at] == 't' ? '\t' : text[at];
                } else {
                    out += text[at];
                }
            }
        } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != '+' && c != '(' && c != ')') {
            out += c;
        }
    }
    return out;
}

} // namespace

Result<ChatTemplate> ChatTemplate::fromText(std::string_view templateText, std::shared_ptr<const Tokenizer> tokenizer,
                                            const std::string& where) {
    auto refuse = [&](const std::string& what) {
        return fail(ErrorKind::input, "CL-2063",
                    fmt::format("'{}': {}. The template begins '{}'.", where, what, quotedForMessage(templateText, 80)),
                    "Chat templates are never executed; models with a plain ChatML template, such as SmolLM2, can be used for chat.");
    };
    const std::string normal = normalForm(templateText);
    const std::string start = startName, end = endName;
    const bool turns = normal.find(start + "message[role]\nmessage[content]" + end + "\n") != std::string::npos;
    const bool opening = normal.find(start + "assistant\n") != std::string::npos;
    if (!turns || !opening || normal.find("[INST]") != std::string::npos || normal.find("tools") != std::string::npos)
        return refuse("the chat template is not one that this program knows");
    ChatTemplate result;
    const std::string system = start + "system\n";
    if (const auto at = normal.find(system); at != std::string::npos) {
        const auto from = at + system.size();
        const auto to = normal.find(end + "\n", from);
        const bool onlyWithoutSystem = normal.find("messages[0][role]!=system") != std::string::npos;
        if (to == std::string::npos || !onlyWithoutSystem)
            return refuse("the chat template adds a system message in a way that this program does not know");
        result.m_defaultSystem = normal.substr(from, to - from);
        if (result.m_defaultSystem.find_first_of("{}<") != std::string::npos)
            return refuse("the chat template builds its system message by code");
    }
    const auto startId = tokenizer->control(startName), endId = tokenizer->control(endName);
    if (!startId || !endId)
        return refuse(fmt::format("the tokenizer has no control tokens {} and {}", startName, endName));
    result.m_start = *startId;
    result.m_end = *endId;
    result.m_tokenizer = std::move(tokenizer);
    return result;
}

Result<ChatTemplate> ChatTemplate::fromGguf(const GgufFile& file, std::shared_ptr<const Tokenizer> tokenizer) {
    if (!file.has("tokenizer.chat_template"))
        return fail(ErrorKind::input, "CL-2063", fmt::format("'{}' has no chat template.", file.path()),
                    "Use an instruction-tuned model, such as SmolLM2-135M-Instruct.");
    CAROUSEL_ASSIGN(const auto text, file.text("tokenizer.chat_template"));
    return fromText(text, std::move(tokenizer), file.path());
}

void ChatTemplate::appendOpen(std::vector<TokenId>& ids, const std::string& role, const std::string& content) const {
    ids.push_back(m_start);
    const auto text = m_tokenizer->encode(role + "\n" + content);
    ids.insert(ids.end(), text.begin(), text.end());
}

void ChatTemplate::appendClose(std::vector<TokenId>& ids) const {
    ids.push_back(m_end);
    const auto text = m_tokenizer->encode("\n");
    ids.insert(ids.end(), text.begin(), text.end());
}

std::vector<TokenId> ChatTemplate::openLast(const std::vector<ChatMessage>& messages) const {
    std::vector<TokenId> ids;
    if (!m_defaultSystem.empty() && (messages.empty() || messages.front().role != "system")) {
        appendOpen(ids, "system", m_defaultSystem);
        appendClose(ids);
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
        appendOpen(ids, messages[i].role, messages[i].content);
        if (i + 1 < messages.size())
            appendClose(ids);
    }
    if (messages.empty())
        appendOpen(ids, "user", "");
    return ids;
}

std::vector<TokenId> ChatTemplate::closeAndOpenAssistant() const {
    std::vector<TokenId> ids;
    appendClose(ids);
    appendOpen(ids, "assistant", "");
    return ids;
}

std::vector<TokenId> ChatTemplate::prompt(const std::vector<ChatMessage>& messages) const {
    auto ids = openLast(messages);
    if (messages.empty() || messages.back().role != "assistant") {
        const auto rest = closeAndOpenAssistant();
        ids.insert(ids.end(), rest.begin(), rest.end());
    }
    return ids;
}

std::string ChatTemplate::preview(const std::vector<ChatMessage>& messages) const {
    return m_tokenizer->decode(prompt(messages));
}

} // namespace carousel
