// SPDX-License-Identifier: GPL-3.0-or-later
// The bytes of every token, in an order in which a form can be checked against all of them at once.
#pragma once
#include "llm/tokenizer.h"

namespace carousel {

class Vocabulary {
public:
    explicit Vocabulary(const Tokenizer& tokenizer);
    std::size_t size() const { return m_bytes.size(); }
    // Empty for control tokens and ids outside the vocabulary: they are no text.
    std::string_view bytes(TokenId id) const;
    std::string text(std::span<const TokenId> ids) const; // bytes joined
    // Tokens with bytes, sorted by them; shared()[i]: how many leading bytes token i has in common with token i - 1.
    const std::vector<TokenId>& sorted() const { return m_sorted; }
    const std::vector<std::uint32_t>& shared() const { return m_shared; }

private:
    std::vector<std::string> m_bytes;
    std::vector<TokenId> m_sorted;
    std::vector<std::uint32_t> m_shared;
};

} // namespace carousel
