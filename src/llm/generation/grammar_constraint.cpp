// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/grammar_constraint.h"
#include <algorithm>

namespace carousel {

std::span<const TokenId> GrammarConstraint::allowed(State state, std::int64_t) {
    if (const auto known = m_lists.find(state); known != m_lists.end())
        return known->second;
    if (m_keptBytes > mostKeptBytes) {
        m_lists.clear();
        m_keptBytes = 0;
    }
    // Along the sorted tokens: the states after the bytes that a token shares with the one before are still there, and where a byte leads
    // nowhere, all tokens that begin so are passed over.
    std::vector<TokenId> list;
    const auto& sorted = m_vocabulary->sorted();
    const auto& shared = m_vocabulary->shared();
    std::vector<GrammarMachine::State> path{state}; // path[n]: after n bytes of the token at hand
    for (std::size_t i = 0; i < sorted.size();) {
        const std::string_view bytes = m_vocabulary->bytes(sorted[i]);
        path.resize(std::min<std::size_t>(path.size(), shared[i] + 1));
        while (path.size() <= bytes.size() && path.back() != GrammarMachine::dead)
            path.push_back(m_machine.after(path.back(), static_cast<unsigned char>(bytes[path.size() - 1])));
        if (path.back() != GrammarMachine::dead) {
            list.push_back(sorted[i++]);
            continue;
        }
        const std::size_t failed = path.size() - 1; // so many bytes are enough to fail
        path.pop_back();
        for (++i; i < sorted.size() && shared[i] >= failed; ++i)
            ;
    }
    std::sort(list.begin(), list.end());
    m_keptBytes += list.size() * sizeof(TokenId) + 64;
    return m_lists.emplace(state, std::move(list)).first->second;
}

TokenConstraint::State GrammarConstraint::after(State state, TokenId token) {
    for (const char byte : m_vocabulary->bytes(token))
        state = m_machine.after(state, static_cast<unsigned char>(byte));
    return state;
}

} // namespace carousel
