// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/byte_level_bpe.h"
#include "base/text.h"
#include "llm/unicode.h"
#include <algorithm>
#include <array>
#include <mutex>
#include <queue>
#include <shared_mutex>
#include <unordered_map>

namespace carousel {

namespace {

constexpr TokenId noToken = -1;

// The printable stand-in of each byte: Latin-1 letters and signs stand for themselves, the 68 others get U+0100 and up in order.
std::array<std::int32_t, 256> byteAlphabet() {
    std::array<std::int32_t, 256> codes{};
    std::int32_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        codes[static_cast<std::size_t>(byte)] = itself ? byte : next++;
    }
    return codes;
}

enum class Class { letter, number, blank, other };
Class classOf(std::int32_t code) {
    if (isLetter(code))
        return Class::letter;
    if (isNumber(code))
        return Class::number;
    return isWhiteSpace(code) ? Class::blank : Class::other;
}

// Length of "'s", "'ll" and the like at the start of `text`, 0 when there is none. Lower case only, as in the original rule.
std::size_t contraction(std::string_view text) {
    if (text.size() < 2 || text[0] != '\'')
        return 0;
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"})
        if (text.substr(1, ending.size()) == ending)
            return 1 + ending.size();
    return 0;
}

struct Run {
    std::size_t end, last; // one past the run, start of its last character
};
Run runOf(std::string_view text, std::size_t at, Class wanted) {
    Run run{at, at};
    while (run.end < text.size()) {
        const Character c = characterAt(text, run.end);
        if (classOf(c.code) != wanted)
            break;
        run.last = run.end;
        run.end += c.bytes;
    }
    return run;
}

std::uint64_t pairKey(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

} // namespace

std::vector<std::string_view> smollmPieces(std::string_view text) {
    std::vector<std::string_view> pieces;
    std::size_t at = 0;
    auto cut = [&](std::size_t end) {
        pieces.push_back(text.substr(at, end - at));
        at = end;
    };
    while (at < text.size()) {
        const Character first = characterAt(text, at);
        const Class kind = classOf(first.code);
        if (kind == Class::number) { // numbers are cut out one by one before all else, so for the rest they are an end of text
            cut(at + first.bytes);
            continue;
        }
        if (const auto length = contraction(text.substr(at))) {
            cut(at + length);
            continue;
        }
        if (kind != Class::blank) {
            cut(runOf(text, at, kind).end);
            continue;
        }
        const Run blanks = runOf(text, at, Class::blank);
        const bool endsSegment = blanks.end == text.size() || isNumber(characterAt(text, blanks.end).code);
        if (endsSegment) {
            cut(blanks.end);
            continue;
        }
        // Text follows: the last blank stays behind, and joins the text when it is a plain space.
        if (blanks.last > at)
            cut(blanks.last);
        if (text[at] == ' ')
            cut(runOf(text, at + 1, classOf(characterAt(text, at + 1).code)).end);
        else
            cut(blanks.end);
    }
    return pieces;
}

struct ByteLevelBpe::State {
    struct Merge {
        std::int32_t rank;
        TokenId result;
    };
    std::vector<std::string> bytesOf;     // by id: what the token stands for
    std::array<TokenId, 256> byteToken{}; // noToken where the vocabulary has none
    std::unordered_map<std::uint64_t, Merge> merges;
    std::unordered_map<std::string, TokenId> controls;
    std::size_t vocabulary = 0;

    static constexpr std::size_t cachedPieces = 1 << 16, longestCachedPiece = 48;
    mutable std::shared_mutex mutex;
    mutable std::unordered_map<std::string, std::vector<TokenId>> cache; // guarded by mutex

    std::vector<TokenId> merged(std::string_view piece) const;
    void encodePiece(std::string_view piece, std::vector<TokenId>& to) const;
};

std::vector<TokenId> ByteLevelBpe::State::merged(std::string_view piece) const {
    struct Symbol {
        TokenId id;
        int previous, next;
    };
    std::vector<Symbol> symbols;
    symbols.reserve(piece.size());
    for (const char c : piece) {
        // A few bytes that no valid text holds (0xC0, 0xFF) have no token; they are left out, as no token can say them.
        const TokenId id = byteToken[static_cast<unsigned char>(c)];
        if (id == noToken)
            continue;
        const int index = static_cast<int>(symbols.size());
        symbols.push_back({id, index - 1, index + 1});
    }
    if (symbols.empty())
        return {};
    symbols.back().next = -1;

    struct Candidate {
        std::int32_t rank;
        int at;
        TokenId left, right, result;
        bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
    };
    std::priority_queue<Candidate> queue;
    auto consider = [&](int at) {
        if (at < 0 || symbols[static_cast<std::size_t>(at)].next < 0)
            return;
        const TokenId left = symbols[static_cast<std::size_t>(at)].id;
        const TokenId right = symbols[static_cast<std::size_t>(symbols[static_cast<std::size_t>(at)].next)].id;
        if (const auto found = merges.find(pairKey(left, right)); found != merges.end())
            queue.push({found->second.rank, at, left, right, found->second.result});
    };
    for (int i = 0; i < static_cast<int>(symbols.size()); ++i)
        consider(i);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = symbols[static_cast<std::size_t>(best.at)];
        // Out of date when either side has been merged since (a swallowed symbol has id noToken).
        if (left.id != best.left || left.next < 0 || symbols[static_cast<std::size_t>(left.next)].id != best.right)
            continue;
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        left.id = best.result;
        left.next = right.next;
        right.id = noToken;
        if (left.next >= 0)
            symbols[static_cast<std::size_t>(left.next)].previous = best.at;
        consider(left.previous);
        consider(best.at);
    }
    std::vector<TokenId> ids;
    for (int i = 0; i >= 0; i = symbols[static_cast<std::size_t>(i)].next)
        ids.push_back(symbols[static_cast<std::size_t>(i)].id);
    return ids;
}

void ByteLevelBpe::State::encodePiece(std::string_view piece, std::vector<TokenId>& to) const {
    if (piece.size() == 1) {
        if (const TokenId id = byteToken[static_cast<unsigned char>(piece[0])]; id != noToken)
            to.push_back(id);
        return;
    }
    if (piece.size() > longestCachedPiece) {
        const auto ids = merged(piece);
        to.insert(to.end(), ids.begin(), ids.end());
        return;
    }
    const std::string key(piece);
    {
        std::shared_lock lock(mutex);
        if (const auto found = cache.find(key); found != cache.end()) {
            to.insert(to.end(), found->second.begin(), found->second.end());
            return;
        }
    }
    auto ids = merged(piece);
    to.insert(to.end(), ids.begin(), ids.end());
    std::unique_lock lock(mutex);
    if (cache.size() < cachedPieces)
        cache.emplace(key, std::move(ids));
}

ByteLevelBpe::ByteLevelBpe() : m_state(std::make_unique<State>()) {}
ByteLevelBpe::~ByteLevelBpe() = default;

Result<std::shared_ptr<const ByteLevelBpe>> ByteLevelBpe::fromTables(Tables tables, const std::string& where) {
    auto refuse = [&](const std::string& what) {
        return fail(ErrorKind::input, "CL-2061", fmt::format("'{}': the tokenizer's tables do not fit together: {}.", where, what),
                    "The file is damaged; fetch it again (packaging/run.sh) or choose another model.");
    };
    if (tables.tokens.empty() || tables.tokens.size() > std::size_t(1) << 24)
        return refuse(fmt::format("{} tokens", tables.tokens.size()));
    if (tables.isControl.size() != tables.tokens.size())
        return refuse(fmt::format("{} tokens but {} token types", tables.tokens.size(), tables.isControl.size()));
    std::shared_ptr<ByteLevelBpe> result(new ByteLevelBpe);
    State& state = *result->m_state;
    state.vocabulary = tables.tokens.size();
    state.byteToken.fill(noToken);

    const auto alphabet = byteAlphabet();
    std::unordered_map<std::int32_t, unsigned char> byteOf;
    for (std::size_t byte = 0; byte < 256; ++byte)
        byteOf.emplace(alphabet[byte], static_cast<unsigned char>(byte));

    std::unordered_map<std::string_view, TokenId> idOf; // ordinary tokens only: merging never makes a control token
    idOf.reserve(tables.tokens.size());
    state.bytesOf.resize(tables.tokens.size());
    for (std::size_t i = 0; i < tables.tokens.size(); ++i) {
        const std::string& token = tables.tokens[i];
        const auto id = static_cast<TokenId>(i);
        if (tables.isControl[i]) {
            state.controls.emplace(token, id);
            state.bytesOf[i] = token;
            continue;
        }
        if (!idOf.emplace(token, id).second)
            return refuse(fmt::format("the token '{}' comes twice", quotedForMessage(token)));
        std::string bytes;
        for (std::size_t at = 0; at < token.size();) {
            const Character c = characterAt(token, at);
            const auto byte = byteOf.find(c.code);
            if (byte == byteOf.end())
                return refuse(fmt::format("token {} ('{}') has a character outside the byte alphabet", i, quotedForMessage(token)));
            bytes += static_cast<char>(byte->second);
            at += c.bytes;
        }
        if (bytes.size() == 1)
            state.byteToken[static_cast<unsigned char>(bytes[0])] = id;
        state.bytesOf[i] = std::move(bytes);
    }
    state.merges.reserve(tables.merges.size());
    for (std::size_t rank = 0; rank < tables.merges.size(); ++rank) {
        const std::string& merge = tables.merges[rank];
        const auto blank = merge.find(' ');
        if (blank == std::string::npos || blank == 0 || merge.find(' ', blank + 1) != std::string::npos)
            return refuse(fmt::format("merge {} is '{}', not two tokens with a space between", rank, quotedForMessage(merge)));
        const auto left = idOf.find(std::string_view(merge).substr(0, blank));
        const auto right = idOf.find(std::string_view(merge).substr(blank + 1));
        const std::string joined = merge.substr(0, blank) + merge.substr(blank + 1);
        const auto both = idOf.find(joined);
        if (left == idOf.end() || right == idOf.end() || both == idOf.end())
            return refuse(fmt::format("merge {} ('{}') names a token that is not in the vocabulary", rank, quotedForMessage(merge)));
        state.merges.emplace(pairKey(left->second, right->second), State::Merge{static_cast<std::int32_t>(rank), both->second});
    }
    return std::shared_ptr<const ByteLevelBpe>(std::move(result));
}

Result<std::shared_ptr<const ByteLevelBpe>> ByteLevelBpe::fromGguf(const GgufFile& file) {
    CAROUSEL_ASSIGN(const auto model, file.text("tokenizer.ggml.model"));
    CAROUSEL_ASSIGN(const auto pre, file.text("tokenizer.ggml.pre"));
    if (model != "gpt2" || pre != "smollm")
        return fail(ErrorKind::input, "CL-2060",
                    fmt::format("'{}' uses the tokenizer '{}' with the pre-tokeniser '{}'.", file.path(), quotedForMessage(model),
                                quotedForMessage(pre)),
                    "This program reads 'gpt2' with 'smollm'; choose a model of the SmolLM2 family.");
    CAROUSEL_ASSIGN(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    CAROUSEL_ASSIGN(const auto types, file.integers("tokenizer.ggml.token_type"));
    CAROUSEL_ASSIGN(const auto* merges, file.texts("tokenizer.ggml.merges"));
    Tables tables;
    tables.tokens = *tokens;
    tables.merges = *merges;
    for (const auto type : types)
        tables.isControl.push_back(type == 3);
    const auto last = static_cast<std::int64_t>(tokens->size()) - 1;
    for (const char* key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id",
                            "tokenizer.ggml.padding_token_id"})
        if (file.has(key))
            CAROUSEL_TRY(file.integer(key, 0, last));
    return fromTables(std::move(tables), file.path());
}

std::vector<TokenId> ByteLevelBpe::encode(std::string_view text) const {
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 3 + 1);
    for (const auto piece : smollmPieces(text))
        m_state->encodePiece(piece, ids);
    return ids;
}

std::optional<TokenId> ByteLevelBpe::control(std::string_view name) const {
    const auto found = m_state->controls.find(std::string(name));
    if (found == m_state->controls.end())
        return std::nullopt;
    return found->second;
}

std::string ByteLevelBpe::decodeBytes(std::span<const TokenId> ids) const {
    std::string text;
    for (const TokenId id : ids)
        if (id >= 0 && static_cast<std::size_t>(id) < m_state->bytesOf.size())
            text += m_state->bytesOf[static_cast<std::size_t>(id)];
    return text;
}

std::size_t ByteLevelBpe::vocabularySize() const {
    return m_state->vocabulary;
}

} // namespace carousel
