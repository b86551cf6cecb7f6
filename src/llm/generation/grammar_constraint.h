// SPDX-License-Identifier: GPL-3.0-or-later
// A grammar against a vocabulary: which tokens keep the answer a beginning of a match.
#pragma once
#include "llm/generation/grammar_machine.h"
#include "llm/generation/token_constraint.h"
#include "llm/generation/vocabulary.h"

namespace carousel {

class GrammarConstraint final : public TokenConstraint {
public:
    GrammarConstraint(Grammar grammar, std::shared_ptr<const Vocabulary> vocabulary)
        : m_machine(std::move(grammar)), m_vocabulary(std::move(vocabulary)) {}

    State start() override { return m_machine.start(); }
    // The first time for a state all tokens are checked (about a millisecond for 50,000), later the list is looked up.
    std::span<const TokenId> allowed(State state, std::int64_t left) override;
    bool canEnd(State state) override { return m_machine.canEnd(state); }
    State after(State state, TokenId token) override;
    bool fitsAnyLimit() const override { return false; }

    std::size_t states() const { return m_machine.states(); }

private:
    static constexpr std::size_t mostKeptBytes = 64 << 20;
    GrammarMachine m_machine;
    std::shared_ptr<const Vocabulary> m_vocabulary;
    std::unordered_map<State, std::vector<TokenId>> m_lists;
    std::size_t m_keptBytes = 0;
};

} // namespace carousel
