// SPDX-License-Identifier: GPL-3.0-or-later
// BERT's WordPiece: clean, space around CJK, lower case, accents stripped (all as the model asks), split at blanks and punctuation, longest
// match first.
#pragma once
#include "base/result.h"
#include "llm/strict_json.h"
#include "llm/tokenizer.h"
#include <memory>
#include <vector>

namespace carousel {

class WordPiece final : public Tokenizer {
public:
    struct Options {
        bool lowerCase = true, stripAccents = true, spaceIdeographs = true;
    };
    // vocab.txt, one token a line; CL-2062: broken. The options of an uncased model unless others are given.
    static Result<std::shared_ptr<const WordPiece>> fromFile(const std::string& vocabularyFile, Options options);
    static Result<std::shared_ptr<const WordPiece>> fromFile(const std::string& vocabularyFile) { return fromFile(vocabularyFile, {}); }
    // tokenizer.json. CL-2064: a field that asks for something this program does not do, named.
    static Result<std::shared_ptr<const WordPiece>> fromTokenizerJson(const StrictJson& file);
    // Tokens by id; those in brackets are control tokens, and [UNK], [CLS] and [SEP] must be among them.
    static Result<std::shared_ptr<const WordPiece>> fromTokens(std::vector<std::string> tokens, Options options, const std::string& where);
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
