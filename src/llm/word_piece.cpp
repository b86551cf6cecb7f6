// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/word_piece.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/unicode.h"
#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <utf8proc.h>

namespace carousel {

namespace {

constexpr std::size_t longestWord = 100; // characters; longer ones are unknown, as BERT was trained
constexpr const char* unknownName = "[UNK]";

// Ideographs are written without blanks, so each is a word of its own. The ranges are those BERT was trained with.
bool isIdeograph(std::int32_t code) {
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) || (code >= 0x20000 && code <= 0x2A6DF) ||
           (code >= 0x2A700 && code <= 0x2B73F) || (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B820 && code <= 0x2CEAF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

bool splitsWords(std::int32_t code) {
    const bool asciiSign =
        (code >= 33 && code <= 47) || (code >= 58 && code <= 64) || (code >= 91 && code <= 96) || (code >= 123 && code <= 126);
    return asciiSign || isPunctuation(code);
}

std::string decomposed(const std::string& text) {
    utf8proc_uint8_t* result = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                                     &result, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE));
    if (length < 0) // cannot happen for the valid UTF-8 that comes here, but for memory
        return text;
    std::string out(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
    std::free(result);
    return out;
}

std::string cleaned(std::string_view text, bool spaceIdeographs) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Character c = characterAt(text, at);
        at += c.bytes;
        if (c.code == '\t' || c.code == '\n' || c.code == '\r' || isWhiteSpace(c.code)) {
            if (c.code != 0x0B && c.code != 0x0C && c.code != 0x85) // these three are control characters first
                out += ' ';
            continue;
        }
        if (c.code < 0 || c.code == 0xFFFD || isOther(c.code))
            continue;
        const bool alone = spaceIdeographs && isIdeograph(c.code);
        if (alone)
            out += ' ';
        appendUtf8(out, c.code);
        if (alone)
            out += ' ';
    }
    return out;
}

struct Word {
    std::string text;
    std::vector<std::size_t> ends; // byte offset after each character
};

// Words as the options want them; each punctuation mark is a word.
std::vector<Word> wordsOf(std::string_view text, const WordPiece::Options& options) {
    std::vector<Word> words;
    Word current;
    auto close = [&] {
        if (!current.text.empty())
            words.push_back(std::move(current));
        current = {};
    };
    auto append = [&](std::int32_t code) {
        appendUtf8(current.text, code);
        current.ends.push_back(current.text.size());
    };
    const std::string clean = cleaned(text, options.spaceIdeographs);
    const std::string plain = options.stripAccents ? decomposed(clean) : clean;
    for (std::size_t at = 0; at < plain.size();) {
        const Character c = characterAt(plain, at);
        at += c.bytes;
        if (options.stripAccents && isMark(c.code))
            continue;
        const auto code = options.lowerCase ? utf8proc_tolower(c.code) : c.code;
        if (isWhiteSpace(code)) {
            close();
        } else if (splitsWords(code)) {
            close();
            append(code);
            close();
        } else {
            append(code);
        }
    }
    close();
    return words;
}

} // namespace

struct WordPiece::State {
    std::unordered_map<std::string, TokenId> idOf; // ordinary tokens; pieces inside a word start with "##"
    std::unordered_map<std::string, TokenId> controls;
    std::vector<std::string> tokens;
    std::size_t longestToken = 0; // bytes
    TokenId unknown = 0, start = 0, end = 0;
    Options options;

    void encodeWord(const Word& word, std::vector<TokenId>& to) const;
};

void WordPiece::State::encodeWord(const Word& word, std::vector<TokenId>& to) const {
    if (word.ends.size() > longestWord) {
        to.push_back(unknown);
        return;
    }
    const std::size_t mark = to.size();
    std::string piece;
    for (std::size_t first = 0; first < word.ends.size();) {
        const std::size_t from = first == 0 ? 0 : word.ends[first - 1];
        std::size_t last = word.ends.size();
        TokenId found = -1;
        for (; last > first; --last) {
            const std::size_t length = word.ends[last - 1] - from;
            if (length > longestToken)
                continue;
            piece.assign(first == 0 ? "" : "##").append(word.text, from, length);
            if (const auto entry = idOf.find(piece); entry != idOf.end()) {
                found = entry->second;
                break;
            }
        }
        if (found < 0) { // one piece that is not known makes the whole word unknown
            to.resize(mark);
            to.push_back(unknown);
            return;
        }
        to.push_back(found);
        first = last;
    }
}

namespace {
// Tokens are counted as lines are: from 1.
tl::unexpected<Error> broken(const std::string& file, std::size_t line, const std::string& what) {
    return fail(ErrorKind::input, "CL-2062", fmt::format("'{}', line {}: {}.", file, line, what),
                "The file must hold one WordPiece token a line; fetch it again (packaging/run.sh).");
}
} // namespace

WordPiece::WordPiece() : m_state(std::make_unique<State>()) {}
WordPiece::~WordPiece() = default;

Result<std::shared_ptr<const WordPiece>> WordPiece::fromFile(const std::string& vocabularyFile, Options options) {
    CAROUSEL_ASSIGN(const std::string bytes, readFile(vocabularyFile, std::size_t(64) << 20));
    if (const auto bad = firstInvalidUtf8(bytes); bad != std::string_view::npos)
        return broken(vocabularyFile,
                      1 + static_cast<std::size_t>(std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bad), '\n')),
                      "bytes that are not UTF-8");
    std::vector<std::string> tokens;
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        tokens.emplace_back(line);
    }
    return fromTokens(std::move(tokens), options, vocabularyFile);
}

Result<std::shared_ptr<const WordPiece>> WordPiece::fromTokens(std::vector<std::string> tokens, Options options, const std::string& where) {
    if (tokens.size() > std::size_t(1) << 22)
        return broken(where, tokens.size(), "more than 4 million tokens");
    std::shared_ptr<WordPiece> result(new WordPiece);
    State& state = *result->m_state;
    state.options = options;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::string& token = tokens[i];
        if (token.empty())
            return broken(where, i + 1, "an empty token");
        const bool control = token.size() > 2 && token.front() == '[' && token.back() == ']';
        if (!(control ? state.controls : state.idOf).emplace(token, static_cast<TokenId>(i)).second)
            return broken(where, i + 1, fmt::format("the token '{}' comes twice", quotedForMessage(token)));
        state.longestToken = std::max(state.longestToken, token.size());
    }
    state.tokens = std::move(tokens);
    const std::pair<const char*, TokenId*> needed[] = {{unknownName, &state.unknown}, {"[CLS]", &state.start}, {"[SEP]", &state.end}};
    for (const auto& [name, id] : needed) {
        const auto found = state.controls.find(name);
        if (found == state.controls.end())
            return broken(where, state.tokens.size(), fmt::format("the vocabulary ends without {}", name));
        *id = found->second;
    }
    return std::shared_ptr<const WordPiece>(std::move(result));
}

std::vector<TokenId> WordPiece::encode(std::string_view text) const {
    std::vector<TokenId> ids;
    for (const Word& word : wordsOf(text, m_state->options))
        m_state->encodeWord(word, ids);
    return ids;
}

std::vector<TokenId> WordPiece::encodeSentence(std::string_view text, std::size_t maximumTokens, bool* truncated) const {
    std::vector<TokenId> ids{m_state->start};
    const auto inner = encode(text);
    const std::size_t room = maximumTokens > 2 ? maximumTokens - 2 : 0;
    if (truncated)
        *truncated = inner.size() > room;
    ids.insert(ids.end(), inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(std::min(room, inner.size())));
    ids.push_back(m_state->end);
    return ids;
}

std::optional<TokenId> WordPiece::control(std::string_view name) const {
    const auto found = m_state->controls.find(std::string(name));
    if (found == m_state->controls.end())
        return std::nullopt;
    return found->second;
}

std::string WordPiece::decodeBytes(std::span<const TokenId> ids) const {
    std::string text;
    for (const TokenId id : ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= m_state->tokens.size())
            continue;
        const std::string& token = m_state->tokens[static_cast<std::size_t>(id)];
        if (startsWith(token, "##"))
            text += token.substr(2);
        else
            text += (text.empty() ? "" : " ") + token;
    }
    return text;
}

std::size_t WordPiece::vocabularySize() const {
    return m_state->tokens.size();
}

} // namespace carousel
