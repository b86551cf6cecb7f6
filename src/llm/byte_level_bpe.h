// SPDX-License-Identifier: GPL-3.0-or-later
// Byte-level byte-pair encoding as GPT-2 introduced it, from a GGUF file or tokenizer.json. Pre-tokenisers: see pre_tokenizer.h.
#pragma once
#include "llm/gguf.h"
#include "llm/pre_tokenizer.h"
#include "llm/strict_json.h"
#include "llm/tokenizer.h"
#include <memory>

namespace carousel {

class ByteLevelBpe final : public Tokenizer {
public:
    // tokenizer.ggml.{model, pre, tokens, token_type, merges, bos_token_id, eos_token_id, add_bos_token}. CL-2060: another tokenizer model
    // or pre-tokeniser; CL-2061: broken tables.
    static Result<std::shared_ptr<const ByteLevelBpe>> fromGguf(const GgufFile& file);
    // A tokenizer.json; it does not say what ends a text. CL-2064: a field that asks for something this program does not do, named;
    // CL-2061.
    static Result<std::shared_ptr<const ByteLevelBpe>> fromTokenizerJson(const StrictJson& file,
                                                                         std::optional<TokenId> endOfText = std::nullopt);

    enum class TokenKind {
        ordinary,    // made by merging
        control,     // only by name
        userDefined, // found in text as it stands, before anything else
        unused
    };
    struct Tables {
        std::vector<std::string> tokens; // by id; ordinary ones in the GPT-2 byte alphabet, others as they are
        std::vector<TokenKind> kinds;    // by id
        std::vector<std::string> merges; // "left right", best first
        PreTokenizer rule = PreTokenizer::smollm;
        bool wholePieces = false; // a piece that is a token becomes it without merging
        bool composes = false;    // text is brought to Unicode's form NFC first
        std::optional<TokenId> beginOfText, endOfText;
    };
    static Result<std::shared_ptr<const ByteLevelBpe>> fromTables(Tables tables, const std::string& where);
    ~ByteLevelBpe() override;

    std::vector<TokenId> encode(std::string_view text) const override;
    std::optional<TokenId> control(std::string_view name) const override;
    std::optional<TokenId> beginOfText() const override;
    std::optional<TokenId> endOfText() const override;
    std::string decodeBytes(std::span<const TokenId> ids) const override;
    std::size_t vocabularySize() const override;

private:
    ByteLevelBpe();
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace carousel
