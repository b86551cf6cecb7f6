// SPDX-License-Identifier: GPL-3.0-or-later
// Text to token ids and back. Text given to encode() is always ordinary text: "<|im_end|>" in it is ten characters, never the control
// token. Control tokens come by name through control() and only from the program itself.
// Const members may be called from any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

using TokenId = std::int32_t;

class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    virtual std::vector<TokenId> encode(std::string_view text) const = 0; // no control tokens added
    // The same for text that goes on after other text of one prompt. Tokenizers of the SentencePiece kind put a blank before a text, and
    // must not put one here.
    virtual std::vector<TokenId> encodeMiddle(std::string_view text) const { return encode(text); }
    virtual std::optional<TokenId> control(std::string_view name) const = 0; // "<|im_start|>", "[CLS]"
    // The token that a text of its own begins with where the model was trained so (a prompt's chat template knows better); none: nothing.
    virtual std::optional<TokenId> beginOfText() const { return std::nullopt; }
    virtual std::optional<TokenId> endOfText() const { return std::nullopt; } // what ends an answer, by the file
    // Bytes of the tokens joined; may end in the middle of a character. Unknown ids give nothing.
    virtual std::string decodeBytes(std::span<const TokenId> ids) const = 0;
    std::string decode(std::span<const TokenId> ids) const; // as decodeBytes, bad UTF-8 replaced by U+FFFD
    virtual std::size_t vocabularySize() const = 0;
};

} // namespace carousel
