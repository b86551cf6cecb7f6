// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/chat_template.h"
#include "base/text.h"
#include <utility>

namespace carousel {

namespace {

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

std::string_view trimmed(std::string_view text, bool end) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return {};
    text.remove_prefix(first);
    return end ? text.substr(0, text.find_last_not_of(" \t\r\n") + 1) : text;
}

} // namespace

const char* name(ChatStyle style) {
    switch (style) {
    case ChatStyle::chatMl:
        return "ChatML";
    case ChatStyle::llama2:
        return "Llama 2";
    case ChatStyle::llama3:
        return "Llama 3";
    case ChatStyle::mistral:
        return "Mistral";
    case ChatStyle::zephyr:
        return "Zephyr";
    case ChatStyle::plain:
        return "plain text";
    }
    return "";
}

// Recognises a template and fills in the parts of its style.
class ChatTemplateReader {
public:
    ChatTemplateReader(std::string_view text, std::shared_ptr<const Tokenizer> tokenizer, const std::string& where)
        : m_text(text), m_where(where), m_normal(normalForm(text)), m_tokenizer(*tokenizer) {
        m_out.m_tokenizer = std::move(tokenizer);
    }

    Result<ChatTemplate> read() {
        if (says("<|start_header_id|>"))
            return llama3();
        if (says("<|im_start|>"))
            return says("[INST]") ? refuse("the chat template is not one that this program knows") : chatMl();
        if (says("[INST]") && says("[/INST]") && says("bos_token") && says("eos_token"))
            return says("<<SYS>>\n") ? llama2() : mistral();
        if (says("<|user|>\n") && says("<|assistant|>") && says("eos_token") && !says("<|end|>"))
            return zephyr();
        return refuse("the chat template is not one that this program knows");
    }

    ChatTemplate plain() {
        m_out.m_style = ChatStyle::plain;
        if (const auto begin = m_tokenizer.beginOfText())
            m_out.m_begin = {{*begin, {}}};
        m_out.m_turns = {Turn{{text("")}, {text("\n\n")}}, Turn{{text("User: ")}, {text("\n")}}, Turn{{text("Assistant: ")}, {text("\n")}}};
        // Without an end of text no token ends an answer; -1 is no token.
        m_out.m_end = m_tokenizer.endOfText().value_or(-1);
        m_out.m_warnings.push_back(
            "The model has no chat template: messages are written as plain text (\"User: ... Assistant:\"), which it may not "
            "follow as a chat model would.");
        finish();
        return std::move(m_out);
    }

private:
    using Part = ChatTemplate::Part;
    using Turn = ChatTemplate::Turn;

    bool says(std::string_view what) const { return m_normal.find(what) != std::string::npos; }
    static Part text(std::string what) { return {-1, std::move(what)}; }
    tl::unexpected<Error> refuse(const std::string& what) const {
        return fail(
            ErrorKind::input, "CL-2063", fmt::format("'{}': {}. The template begins '{}'.", m_where, what, quotedForMessage(m_text, 80)),
            "Chat templates are never executed; models with a template of ChatML, Llama 2 or 3, Mistral or Zephyr can be used for chat.");
    }
    Result<Part> control(std::initializer_list<const char*> names, std::optional<TokenId> otherwise = std::nullopt) const {
        for (const char* each : names)
            if (const auto id = m_tokenizer.control(each))
                return Part{*id, {}};
        if (otherwise)
            return Part{*otherwise, {}};
        return refuse(fmt::format("the tokenizer has no control token {}", *names.begin()));
    }
    Result<Part> begin() const { return control({"<s>"}, m_tokenizer.beginOfText()); }
    Result<Part> end() const { return control({"</s>"}, m_tokenizer.endOfText()); }

    Result<ChatTemplate> chatMl() {
        m_out.m_style = ChatStyle::chatMl;
        const std::string start = "<|im_start|>", stop = "<|im_end|>";
        const bool turns =
            says(start + "message[role]\nmessage[content]" + stop + "\n") || says(start + "message.role\nmessage.content" + stop + "\n");
        // A block for tools is written only when tools are given, which never happens here; one of another kind is not known.
        const bool tools = says("tools"), knownTools = says("<tool_call>") && says("iftools");
        if (!turns || !says(start + "assistant\n") || (tools && !knownTools))
            return refuse("the chat template is not one that this program knows");
        const std::string opening = start + "system\n";
        bool some = false;
        for (auto at = m_normal.find(opening); at != std::string::npos; at = m_normal.find(opening, at + 1)) {
            const auto from = at + opening.size(), to = m_normal.find(stop + "\n", from);
            const std::string between = m_normal.substr(from, to == std::string::npos ? to : to - from);
            if (between.starts_with("messages[0][content]") || between.starts_with("messages[0].content"))
                continue; // the user's own system message
            some = true;
            if (to != std::string::npos && between.find_first_of("{}<[") == std::string::npos)
                m_out.m_defaultSystem = between;
        }
        const bool onlyWithoutSystem = says("messages[0][role]!=system") || says("messages[0].role!=system") ||
                                       says("messages[0][role]==system") || says("messages[0].role==system");
        if (some && !onlyWithoutSystem)
            return refuse("the chat template adds a system message in a way that this program does not know");
        if (some && m_out.m_defaultSystem.empty())
            return refuse("the chat template builds its system message by code");
        CAROUSEL_ASSIGN(const Part open, control({"<|im_start|>"}));
        CAROUSEL_ASSIGN(const Part close, control({"<|im_end|>"}));
        std::size_t turn = 0;
        for (const char* role : {"system", "user", "assistant"})
            m_out.m_turns[turn++] = {{open, text(std::string(role) + "\n")}, {close, text("\n")}};
        if (says("bos_token"))
            if (const auto first = m_tokenizer.beginOfText())
                m_out.m_begin = {{*first, {}}};
        m_out.m_end = close.id;
        finish();
        return std::move(m_out);
    }

    Result<ChatTemplate> llama3() {
        m_out.m_style = ChatStyle::llama3;
        if (!says("<|end_header_id|>\n\n") || !says("<|eot_id|>"))
            return refuse("the chat template is not one that this program knows");
        CAROUSEL_ASSIGN(const Part first, control({"<|begin_of_text|>"}, m_tokenizer.beginOfText()));
        CAROUSEL_ASSIGN(const Part open, control({"<|start_header_id|>"}));
        CAROUSEL_ASSIGN(const Part named, control({"<|end_header_id|>"}));
        CAROUSEL_ASSIGN(const Part close, control({"<|eot_id|>"}));
        std::size_t turn = 0;
        for (const char* role : {"system", "user", "assistant"})
            m_out.m_turns[turn++] = {{open, text(role), named, text("\n\n")}, {close}};
        m_out.m_begin = {first};
        m_out.m_end = close.id;
        m_out.m_trims = true;
        if (says("Cutting Knowledge Date"))
            m_out.m_warnings.push_back(
                "The model's chat template writes today's date into the system message; it is left out here, so that the same "
                "input gives the same prompt.");
        finish();
        return std::move(m_out);
    }

    Result<ChatTemplate> llama2() {
        m_out.m_style = ChatStyle::llama2;
        CAROUSEL_ASSIGN(const Part first, begin());
        CAROUSEL_ASSIGN(const Part last, end());
        m_out.m_turns[ChatTemplate::user] = {{first, text("[INST] ")}, {text(" [/INST]")}};
        m_out.m_turns[ChatTemplate::assistant] = {{text(" ")}, {text(" "), last}};
        m_out.m_end = last.id;
        m_out.m_trims = true;
        finish();
        return std::move(m_out);
    }

    Result<ChatTemplate> mistral() {
        m_out.m_style = ChatStyle::mistral;
        CAROUSEL_ASSIGN(const Part first, begin());
        CAROUSEL_ASSIGN(const Part last, end());
        m_out.m_begin = {first};
        const auto open = m_tokenizer.control("[INST]"), close = m_tokenizer.control("[/INST]");
        if (open && close) { // since version 3 of its tokenizer
            m_out.m_turns[ChatTemplate::user] = {{{*open, {}}, text("")}, {{*close, {}}}};
            m_out.m_turns[ChatTemplate::assistant] = {{text("")}, {last}};
            m_out.m_answerAtStart = true;
        } else {
            m_out.m_turns[ChatTemplate::user] = {{text("[INST] ")}, {text(" [/INST]")}};
            m_out.m_turns[ChatTemplate::assistant] = {{text(" ")}, {last}};
        }
        m_out.m_end = last.id;
        finish();
        return std::move(m_out);
    }

    Result<ChatTemplate> zephyr() {
        m_out.m_style = ChatStyle::zephyr;
        CAROUSEL_ASSIGN(const Part last, end());
        std::size_t turn = 0;
        for (const char* role : {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"})
            m_out.m_turns[turn++] = {{text(role)}, {last, text("\n")}};
        if (says("bos_token")) {
            CAROUSEL_ASSIGN(const Part first, begin());
            m_out.m_begin = {first};
        }
        m_out.m_end = last.id;
        finish();
        return std::move(m_out);
    }

    // The blank between the assistant's opening and what it says belongs to the first word.
    void finish() {
        const std::string& opening = m_out.m_turns[ChatTemplate::assistant].before.back().text;
        m_out.m_answerPrefix = opening.ends_with(' ') ? " " : "";
    }

    std::string_view m_text;
    const std::string& m_where;
    std::string m_normal;
    const Tokenizer& m_tokenizer;
    ChatTemplate m_out;
};

Result<ChatTemplate> ChatTemplate::fromText(std::string_view templateText, std::shared_ptr<const Tokenizer> tokenizer,
                                            const std::string& where) {
    return ChatTemplateReader(templateText, std::move(tokenizer), where).read();
}

Result<ChatTemplate> ChatTemplate::fromGguf(const GgufFile& file, std::shared_ptr<const Tokenizer> tokenizer) {
    if (!file.has("tokenizer.chat_template"))
        return fail(ErrorKind::input, "CL-2063", fmt::format("'{}' has no chat template.", file.path()),
                    "Use an instruction-tuned model, such as SmolLM2-135M-Instruct.");
    CAROUSEL_ASSIGN(const auto text, file.text("tokenizer.chat_template"));
    return fromText(text, std::move(tokenizer), file.path());
}

ChatTemplate ChatTemplate::plain(std::shared_ptr<const Tokenizer> tokenizer) {
    return ChatTemplateReader({}, std::move(tokenizer), {}).plain();
}

const ChatTemplate::Turn& ChatTemplate::turnOf(const std::string& role) const {
    return m_turns[role == "system" ? system : role == "assistant" ? assistant : user];
}

// Text after a control token, or at the very start, is a text of its own; other text goes on (`afterControl` is kept from call to call).
// `content` follows the last part.
void ChatTemplate::append(std::vector<TokenId>& ids, bool& afterControl, const std::vector<Part>& parts, std::string_view content) const {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].id >= 0) {
            ids.push_back(parts[i].id);
            afterControl = true;
            continue;
        }
        std::string text = parts[i].text;
        if (i + 1 == parts.size())
            text += content;
        const auto tokens = afterControl ? m_tokenizer->encode(text) : m_tokenizer->encodeMiddle(text);
        ids.insert(ids.end(), tokens.begin(), tokens.end());
        afterControl = false;
    }
}

// Styles without a system turn take that text into the first user message.
std::vector<ChatMessage> ChatTemplate::arranged(const std::vector<ChatMessage>& messages) const {
    std::vector<ChatMessage> out = messages;
    if (!m_defaultSystem.empty() && (out.empty() || out.front().role != "system"))
        out.insert(out.begin(), {"system", m_defaultSystem});
    if (m_style == ChatStyle::llama2 || m_style == ChatStyle::mistral) {
        std::string before;
        std::vector<ChatMessage> merged;
        for (const ChatMessage& message : out) {
            if (message.role == "system") {
                before += m_style == ChatStyle::llama2 ? "<<SYS>>\n" + message.content + "\n<</SYS>>\n\n" : message.content + "\n\n";
                continue;
            }
            merged.push_back(message);
            if (message.role != "assistant")
                merged.back().content = std::exchange(before, {}) + merged.back().content;
        }
        if (!before.empty()) // system text that no user message follows
            merged.push_back({"user", before});
        out = std::move(merged);
    }
    if (out.empty() || (messages.empty() && out.back().role == "system"))
        out.push_back({"user", ""});
    return out;
}

std::vector<TokenId> ChatTemplate::opened(const std::vector<ChatMessage>& messages, bool whole) const {
    std::vector<TokenId> ids;
    bool afterControl = true;
    append(ids, afterControl, m_begin);
    const auto all = arranged(messages);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool last = i + 1 == all.size();
        const Turn& turn = turnOf(all[i].role);
        append(ids, afterControl, turn.before, m_trims ? trimmed(all[i].content, !last || whole) : std::string_view(all[i].content));
        if (!last)
            append(ids, afterControl, turn.after);
    }
    return ids;
}

std::vector<TokenId> ChatTemplate::openLast(const std::vector<ChatMessage>& messages) const {
    return opened(messages, false);
}

std::vector<TokenId> ChatTemplate::closeAndOpenAssistant() const {
    std::vector<TokenId> ids;
    std::vector<Part> parts = m_turns[user].after;
    for (Part part : m_turns[assistant].before) {
        if (part.id < 0 && part.text.ends_with(' '))
            part.text.pop_back();
        if (part.id >= 0 || !part.text.empty())
            parts.push_back(std::move(part));
    }
    bool afterControl = false; // what it is appended to has text
    append(ids, afterControl, parts);
    return ids;
}

std::vector<TokenId> ChatTemplate::encodeAnswer(std::string_view text) const {
    return m_answerAtStart ? m_tokenizer->encode(text) : m_tokenizer->encodeMiddle(m_answerPrefix + std::string(text));
}

bool ChatTemplate::endsTurn(TokenId id) const {
    return id == m_end || m_tokenizer->endOfText() == id;
}

std::vector<TokenId> ChatTemplate::prompt(const std::vector<ChatMessage>& messages) const {
    const bool continues = !messages.empty() && messages.back().role == "assistant";
    auto ids = opened(messages, !continues);
    if (!continues) {
        const auto rest = closeAndOpenAssistant();
        ids.insert(ids.end(), rest.begin(), rest.end());
    }
    return ids;
}

std::string ChatTemplate::preview(const std::vector<ChatMessage>& messages) const {
    return m_tokenizer->decode(prompt(messages));
}

} // namespace carousel
