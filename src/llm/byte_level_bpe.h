// SPDX-License-Identifier: GPL-3.0-or-later
// Byte-level byte-pair encoding as GPT-2 introduced it, with the `smollm` pre-tokeniser (every digit alone first).
#pragma once
#include "llm/gguf.h"
#include "llm/tokenizer.h"
#include <memory>

namespace carousel {

class ByteLevelBpe final : public Tokenizer {
public:
    // tokenizer.ggml.{model, pre, tokens, token_type, merges}. CL-2060: another tokenizer model or pre-tokeniser; CL-2061: broken tables.
    static Result<std::shared_ptr<const ByteLevelBpe>> fromGguf(const GgufFile& file);
    struct Tables {
        std::vector<std::string> tokens; // by id, in the GPT-2 byte alphabet
        std::vector<bool> isControl;     // by id
        std::vector<std::string> merges; // "left right", best first
    };
    static Result<std::shared_ptr<const ByteLevelBpe>> fromTables(Tables tables, const std::string& where);
    ~ByteLevelBpe() override;

    std::vector<TokenId> encode(std::string_view text) const override;
    std::optional<TokenId> control(std::string_view name) const override;
    std::string decodeBytes(std::span<const TokenId> ids) const override;
    std::size_t vocabularySize() const override;

private:
    ByteLevelBpe();
    struct State;
    std::unique_ptr<State> m_state;
};

// The pieces on which merging works, in order; together they are the text. Bad UTF-8 counts as one "other" character per byte.
std::vector<std::string_view> smollmPieces(std::string_view text);

} // namespace carousel
