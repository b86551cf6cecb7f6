// SPDX-License-Identifier: GPL-3.0-or-later
// Tokenizers of the SentencePiece kind (Llama 2, TinyLlama, Mistral, T5) through the library of that name.
#pragma once
#include "base/result.h"
#include "llm/gguf.h"
#include "llm/tokenizer.h"
#include <map>
#include <memory>

namespace carousel {

class SentencePiece final : public Tokenizer {
public:
    // A tokenizer.model or spiece.model. `added`: control tokens that are not in it, by name (an HF folder lists them elsewhere).
    // CL-2065: the model cannot be used; CL-2061: a token number that is out of range.
    static Result<std::shared_ptr<const SentencePiece>> fromFile(const std::string& path, std::map<std::string, TokenId> added = {});
    // tokenizer.ggml.*; see sentencePieceModel().
    static Result<std::shared_ptr<const SentencePiece>> fromGguf(const GgufFile& file);
    static Result<std::shared_ptr<const SentencePiece>> fromModel(std::string model, std::map<std::string, TokenId> added,
                                                                  const std::string& where);
    ~SentencePiece() override;

    std::vector<TokenId> encode(std::string_view text) const override;
    std::vector<TokenId> encodeMiddle(std::string_view text) const override;
    std::optional<TokenId> control(std::string_view name) const override;
    std::optional<TokenId> beginOfText() const override;
    std::optional<TokenId> endOfText() const override;
    std::string decodeBytes(std::span<const TokenId> ids) const override; // a word's blank stays before it, also before the first
    std::size_t vocabularySize() const override;

private:
    SentencePiece();
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace carousel
