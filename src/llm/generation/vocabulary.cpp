// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/vocabulary.h"
#include <algorithm>

namespace carousel {

Vocabulary::Vocabulary(const Tokenizer& tokenizer) {
    m_bytes.resize(tokenizer.vocabularySize());
    for (std::size_t i = 0; i < m_bytes.size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        std::string bytes = tokenizer.decodeBytes(std::span(&id, 1));
        if (tokenizer.control(bytes) == id)
            bytes.clear();
        m_bytes[i] = std::move(bytes);
        if (!m_bytes[i].empty())
            m_sorted.push_back(id);
    }
    std::sort(m_sorted.begin(), m_sorted.end(), [&](TokenId a, TokenId b) {
        const int order = bytes(a).compare(bytes(b));
        return order != 0 ? order < 0 : a < b;
    });
    for (std::size_t i = 0; i < m_sorted.size(); ++i) {
        const std::string_view now = bytes(m_sorted[i]), before = i > 0 ? bytes(m_sorted[i - 1]) : std::string_view();
        const auto differ = std::mismatch(now.begin(), now.end(), before.begin(), before.end());
        m_shared.push_back(static_cast<std::uint32_t>(differ.first - now.begin()));
    }
}

std::string_view Vocabulary::bytes(TokenId id) const {
    return id >= 0 && static_cast<std::size_t>(id) < m_bytes.size() ? std::string_view(m_bytes[static_cast<std::size_t>(id)])
                                                                    : std::string_view();
}

std::string Vocabulary::text(std::span<const TokenId> ids) const {
    std::string text;
    for (const TokenId id : ids)
        text += bytes(id);
    return text;
}

} // namespace carousel
