// SPDX-License-Identifier: GPL-3.0-or-later
// An answer that is one of many texts, such as the titles of a catalogue: a trie over their tokens. A text may be the beginning of another
// one, and the same text may be given twice.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include "llm/generation/token_constraint.h"
#include <functional>
#include <string>
#include <vector>

namespace carousel {

class TextChoice final : public TokenConstraint {
public:
    // `spell` gives a text's tokens. CL-2160: a text that it cannot spell (no tokens). Of texts that have the same tokens the first counts.
    static Result<TextChoice> make(const std::vector<std::string>& texts,
                                   const std::function<std::vector<TokenId>(const std::string&)>& spell, const RunControl& control);

    State start() override { return 0; }
    std::span<const TokenId> allowed(State state, std::int64_t left) override;
    bool canEnd(State state) override { return m_nodes[state].text >= 0; }
    State after(State state, TokenId token) override;
    bool fitsAnyLimit() const override { return true; }

    // Which text ends in this state; -1: none.
    std::int64_t textOf(State state) const { return m_nodes[state].text; }
    std::int64_t fewestTokens() const { return m_nodes.front().toEnd; }
    std::size_t nodes() const { return m_nodes.size(); }

private:
    struct Node {
        std::uint32_t firstChild = 0, children = 0; // children have neighbouring numbers, by token
        std::int32_t toEnd = 0;                     // fewest tokens until a text is whole
        std::int64_t text = -1;
    };
    std::vector<Node> m_nodes;
    std::vector<TokenId> m_tokens; // by node: the token that leads to it
    std::vector<TokenId> m_some;   // what allowed() has filtered
};

} // namespace carousel
