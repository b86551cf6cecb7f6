// SPDX-License-Identifier: GPL-3.0-or-later
// BERT's uncased WordPiece: clean, space around CJK, lower case, accents stripped, split at blanks and punctuation, longest match first.
#pragma once
#include "base/result.h"
#include "llm/tokenizer.h"
#include <memory>

namespace carousel {

class WordPiece final : public Tokenizer {
public:
    static Result<std::shared_ptr<const WordPiece>> fromFile(const std::string& vocabularyFile); // CL-2062
    ~WordPiece() override;

    std::vector<TokenId> encode(std::string_view text) const override; // without [CLS] and [SEP]
    // [CLS] text [SEP], cut so that all fits `maximumTokens`.
    std::vector<TokenId> encodeSentence(std::string_view text, std::size_t maximumTokens = 256, bool* truncated = nullptr) const;
    std::optional<TokenId> control(std::string_view name) const override; // "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
    std::string decodeBytes(std::span<const TokenId> ids) const override;
    std::size_t vocabularySize() const override;

private:
    WordPiece();
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace carousel
