// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/sentence_piece.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/sentence_piece_model.h"
#include "llm/sentence_piece_module.h"
#include <algorithm>

namespace carousel {

namespace {

constexpr std::string_view blank = "\xE2\x96\x81"; // U+2581 stands for a blank in pieces

tl::unexpected<Error> refuseModel(const std::string& where, const std::string& what) {
    return fail(ErrorKind::input, "CL-2065", fmt::format("'{}': the SentencePiece model cannot be used: {}.", where, what),
                "The file is damaged or unusual; fetch it again or choose another model.");
}

std::string bytesOfPiece(const std::string& piece, bool isByte) {
    if (isByte && piece.size() == 6) // "<0xAB>"
        return std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
    std::string out;
    for (std::size_t at = 0; at < piece.size();) {
        const bool space = std::string_view(piece).substr(at).starts_with(blank);
        out += space ? ' ' : piece[at];
        at += space ? blank.size() : 1;
    }
    return out;
}

// "<0x00>" to "<0xFF>": the library takes the number from the text.
bool isByteName(std::string_view piece) {
    return piece.size() == 6 && piece.starts_with("<0x") && piece.back() == '>' &&
           std::all_of(piece.begin() + 3, piece.begin() + 5, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

} // namespace

struct SentencePiece::State {
    std::unique_ptr<SentencePieceProcessor> start, middle; // the second puts no blank before a text
    std::vector<std::string> bytes;                        // by id
    std::map<std::string, TokenId, std::less<>> controls;
    std::optional<TokenId> begin, end;
};

SentencePiece::SentencePiece() : m_state(std::make_unique<State>()) {}
SentencePiece::~SentencePiece() = default;

Result<std::shared_ptr<const SentencePiece>> SentencePiece::fromModel(std::string model, std::map<std::string, TokenId> added,
                                                                      const std::string& where) {
    CAROUSEL_TRY(checkSentencePieceModel(model, where));
    std::shared_ptr<SentencePiece> result(new SentencePiece);
    State& state = *result->m_state;
    CAROUSEL_ASSIGN(state.start, openSentencePiece(model, where));
    model += withoutBlankBefore;
    CAROUSEL_ASSIGN(state.middle, openSentencePiece(model, where));
    const int size = state.start->size();
    for (int id = 0; id < size; ++id) {
        const std::string piece = state.start->piece(id);
        const bool isByte = state.start->isByte(id);
        if (isByte && !isByteName(piece))
            return refuseModel(where, fmt::format("the byte piece {} is called '{}'", id, quotedForMessage(piece)));
        if (state.start->isControlOrUnknown(id))
            state.controls.emplace(piece, id);
        state.bytes.push_back(bytesOfPiece(piece, isByte));
    }
    for (const auto& [name, id] : added) {
        if (id < 0 || static_cast<std::size_t>(id) >= static_cast<std::size_t>(size) + added.size()) // numbers leave no gaps
            return fail(ErrorKind::input, "CL-2061",
                        fmt::format("'{}': the added token '{}' has the number {}.", where, quotedForMessage(name), id),
                        "The file is damaged; fetch it again.");
        if (id < size) { // says again what the model says, or makes one of its pieces special
            state.controls.emplace(name, id);
            continue;
        }
        if (static_cast<std::size_t>(id) >= state.bytes.size())
            state.bytes.resize(static_cast<std::size_t>(id) + 1);
        state.bytes[static_cast<std::size_t>(id)] = name;
        state.controls.emplace(name, id);
    }
    if (const int id = state.start->begin(); id >= 0)
        state.begin = id;
    if (const int id = state.start->end(); id >= 0)
        state.end = id;
    return std::shared_ptr<const SentencePiece>(std::move(result));
}

Result<std::shared_ptr<const SentencePiece>> SentencePiece::fromFile(const std::string& path, std::map<std::string, TokenId> added) {
    CAROUSEL_ASSIGN(std::string bytes, readFile(path, std::size_t(128) << 20));
    return fromModel(std::move(bytes), std::move(added), path);
}

Result<std::shared_ptr<const SentencePiece>> SentencePiece::fromGguf(const GgufFile& file) {
    CAROUSEL_ASSIGN(std::string model, sentencePieceModel(file));
    CAROUSEL_ASSIGN(const auto loaded, fromModel(std::move(model), {}, file.path()));
    auto result = std::const_pointer_cast<SentencePiece>(loaded); // made just now, nobody else has it
    State& state = *result->m_state;
    const auto last = static_cast<std::int64_t>(state.bytes.size()) - 1;
    state.begin = state.end = std::nullopt;
    bool begins = true, known = file.has("tokenizer.ggml.bos_token_id");
    if (file.has("tokenizer.ggml.add_bos_token")) {
        CAROUSEL_ASSIGN(begins, file.boolean("tokenizer.ggml.add_bos_token"));
    }
    if (known) {
        CAROUSEL_ASSIGN(const auto id, file.integer("tokenizer.ggml.bos_token_id", 0, last));
        if (begins)
            state.begin = static_cast<TokenId>(id);
    }
    if (file.has("tokenizer.ggml.eos_token_id")) {
        CAROUSEL_ASSIGN(const auto id, file.integer("tokenizer.ggml.eos_token_id", 0, last));
        state.end = static_cast<TokenId>(id);
    }
    return loaded;
}

std::vector<TokenId> SentencePiece::encode(std::string_view text) const {
    return m_state->start->encode(text);
}
std::vector<TokenId> SentencePiece::encodeMiddle(std::string_view text) const {
    return m_state->middle->encode(text);
}

std::optional<TokenId> SentencePiece::control(std::string_view name) const {
    const auto found = m_state->controls.find(name);
    if (found == m_state->controls.end())
        return std::nullopt;
    return found->second;
}

std::optional<TokenId> SentencePiece::beginOfText() const {
    return m_state->begin;
}
std::optional<TokenId> SentencePiece::endOfText() const {
    return m_state->end;
}

std::string SentencePiece::decodeBytes(std::span<const TokenId> ids) const {
    std::string text;
    for (const TokenId id : ids)
        if (id >= 0 && static_cast<std::size_t>(id) < m_state->bytes.size())
            text += m_state->bytes[static_cast<std::size_t>(id)];
    return text;
}

std::size_t SentencePiece::vocabularySize() const {
    return m_state->bytes.size();
}

} // namespace carousel
