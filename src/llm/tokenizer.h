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
    virtual std::vector<TokenId> encode(std::string_view text) const = 0;    // no control tokens added
    virtual std::optional<TokenId> control(std::string_view name) const = 0; // "<|im_start|>", "[CLS]"
    // Bytes of the tokens joined; may end in the middle of a character. Unknown ids give nothing.
    virtual std::string decodeBytes(std::span<const TokenId> ids) const = 0;
    std::string decode(std::span<const TokenId> ids) const; // as decodeBytes, bad UTF-8 replaced by U+FFFD
    virtual std::size_t vocabularySize() const = 0;
};

} // namespace carousel
