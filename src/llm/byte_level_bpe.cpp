// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/byte_level_bpe.h"
#include "base/text.h"
#include "llm/unicode.h"
#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
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

std::uint64_t pairKey(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

} // namespace

struct ByteLevelBpe::State {
    struct Merge {
        std::int32_t rank;
        TokenId result;
    };
    std::vector<std::string> bytesOf;     // by id: what the token stands for
    std::array<TokenId, 256> byteToken{}; // noToken where the vocabulary has none
    std::unordered_map<std::uint64_t, Merge> merges;
    std::unordered_map<std::string, TokenId> controls;
    std::unordered_map<std::string, TokenId> whole;           // by bytes: pieces that are a token are it, when `wholePieces`
    std::vector<std::pair<std::string, TokenId>> userDefined; // longest first; found in text before all else
    std::size_t vocabulary = 0;
    PreTokenizer rule = PreTokenizer::gpt2;
    bool wholePieces = false, composes = false;
    std::optional<TokenId> begin, end;

    static constexpr std::size_t cachedPieces = 1 << 16, longestCachedPiece = 48;
    mutable std::shared_mutex mutex;
    mutable std::unordered_map<std::string, std::vector<TokenId>> cache; // guarded by mutex

    std::vector<TokenId> merged(std::string_view piece) const;
    void encodePiece(std::string_view piece, std::vector<TokenId>& to) const;
    void encodeText(std::string_view text, std::vector<TokenId>& to) const;
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
    if (wholePieces)
        if (const auto token = whole.find(key); token != whole.end()) {
            to.push_back(token->second);
            return;
        }
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

void ByteLevelBpe::State::encodeText(std::string_view text, std::vector<TokenId>& to) const {
    for (const auto piece : piecesOf(rule, text))
        encodePiece(piece, to);
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
    if (tables.kinds.size() != tables.tokens.size())
        return refuse(fmt::format("{} tokens but {} token types", tables.tokens.size(), tables.kinds.size()));
    for (const auto id : {tables.beginOfText, tables.endOfText})
        if (id && (*id < 0 || static_cast<std::size_t>(*id) >= tables.tokens.size()))
            return refuse(fmt::format("token {} is said to begin or end a text; there are {} tokens", *id, tables.tokens.size()));
    std::shared_ptr<ByteLevelBpe> result(new ByteLevelBpe);
    State& state = *result->m_state;
    state.vocabulary = tables.tokens.size();
    state.rule = tables.rule;
    state.wholePieces = tables.wholePieces;
    state.composes = tables.composes;
    state.begin = tables.beginOfText;
    state.end = tables.endOfText;
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
        if (tables.kinds[i] != TokenKind::ordinary) { // these stand for themselves, not for letters of the byte alphabet
            if (tables.kinds[i] == TokenKind::control)
                state.controls.emplace(token, id);
            else if (tables.kinds[i] == TokenKind::userDefined && !token.empty())
                state.userDefined.emplace_back(token, id);
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
        if (state.wholePieces)
            state.whole.emplace(bytes, id);
        state.bytesOf[i] = std::move(bytes);
    }
    std::stable_sort(state.userDefined.begin(), state.userDefined.end(),
                     [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
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
    const auto rule = preTokenizerNamed(pre);
    if (model != "gpt2" || !rule)
        return fail(ErrorKind::input, "CL-2060",
                    fmt::format("'{}' uses the tokenizer '{}' with the pre-tokeniser '{}'.", file.path(), quotedForMessage(model),
                                quotedForMessage(pre)),
                    fmt::format("This program reads 'gpt2' with {}; choose another model.", preTokenizerNames));
    CAROUSEL_ASSIGN(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    CAROUSEL_ASSIGN(const auto types, file.integers("tokenizer.ggml.token_type"));
    CAROUSEL_ASSIGN(const auto* merges, file.texts("tokenizer.ggml.merges"));
    Tables tables;
    tables.rule = *rule;
    tables.wholePieces = *rule == PreTokenizer::llama3;
    tables.tokens = *tokens;
    tables.merges = *merges;
    for (const auto type : types) // 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
        tables.kinds.push_back(type == 1 || type == 6   ? TokenKind::ordinary
                               : type == 4              ? TokenKind::userDefined
                               : type == 2 || type == 3 ? TokenKind::control
                                                        : TokenKind::unused);
    const auto last = static_cast<std::int64_t>(tokens->size()) - 1;
    for (const char* key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id",
                            "tokenizer.ggml.padding_token_id"})
        if (file.has(key))
            CAROUSEL_TRY(file.integer(key, 0, last));
    bool begins = *rule == PreTokenizer::llama3; // what such files mean when they do not say
    if (file.has("tokenizer.ggml.add_bos_token")) {
        CAROUSEL_ASSIGN(begins, file.boolean("tokenizer.ggml.add_bos_token"));
    }
    if (begins && file.has("tokenizer.ggml.bos_token_id")) {
        CAROUSEL_ASSIGN(tables.beginOfText, file.integer("tokenizer.ggml.bos_token_id", 0, last));
    }
    if (file.has("tokenizer.ggml.eos_token_id")) {
        CAROUSEL_ASSIGN(tables.endOfText, file.integer("tokenizer.ggml.eos_token_id", 0, last));
    }
    return fromTables(std::move(tables), file.path());
}

std::vector<TokenId> ByteLevelBpe::encode(std::string_view text) const {
    const State& state = *m_state;
    std::string composedText;
    if (state.composes) {
        composedText = composed(text);
        text = composedText;
    }
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 3 + 1);
    std::size_t from = 0;
    if (!state.userDefined.empty())
        for (std::size_t at = 0; at < text.size();) { // the first place where one stands, and the longest of those there
            const auto found = std::find_if(state.userDefined.begin(), state.userDefined.end(),
                                            [&](const auto& token) { return text.substr(at).starts_with(token.first); });
            if (found == state.userDefined.end()) {
                ++at;
                continue;
            }
            state.encodeText(text.substr(from, at - from), ids);
            ids.push_back(found->second);
            at += found->first.size();
            from = at;
        }
    state.encodeText(text.substr(from), ids);
    return ids;
}

std::optional<TokenId> ByteLevelBpe::beginOfText() const {
    return m_state->begin;
}
std::optional<TokenId> ByteLevelBpe::endOfText() const {
    return m_state->end;
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
