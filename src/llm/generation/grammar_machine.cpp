// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/grammar_machine.h"
#include <algorithm>
#include <unordered_set>

namespace carousel {

using Kind = Grammar::Node::Kind;

GrammarMachine::GrammarMachine(Grammar grammar) : m_grammar(std::move(grammar)) {
    m_states.emplace_back(); // dead
    m_stateOf.emplace(std::pair(false, std::vector<std::uint32_t>()), dead);
    m_start = stateOf({{m_grammar.start, 0}});
}

std::uint32_t GrammarMachine::pushed(std::uint32_t node, std::uint32_t below) {
    const auto [place, isNew] = m_stackOf.emplace(Frame{node, below}, static_cast<std::uint32_t>(m_stacks.size()));
    if (isNew)
        m_stacks.push_back({node, below});
    return place->second;
}

GrammarMachine::State GrammarMachine::stateOf(std::vector<Frame> begun) {
    std::vector<std::uint32_t> places;
    bool canEnd = false;
    std::unordered_set<Frame, FrameHash> seen;
    while (!begun.empty()) {
        const Frame at = begun.back();
        begun.pop_back();
        if (!seen.insert(at).second || seen.size() > 4 * mostPlaces)
            continue;
        const Grammar::Node& node = m_grammar.nodes[at.node];
        switch (node.kind) {
        case Kind::byte:
            places.push_back(pushed(at.node, at.below));
            break;
        case Kind::choice:
            begun.push_back({node.other, at.below});
            begun.push_back({node.next, at.below});
            break;
        case Kind::call: {
            // A rule called last has nowhere to come back to but where its caller does: lists may be as long as they like.
            const bool isLast = m_grammar.nodes[node.next].kind == Kind::back;
            begun.push_back({node.other, isLast ? at.below : pushed(node.next, at.below)});
            break;
        }
        case Kind::back:
            if (at.below == 0)
                canEnd = true;
            else
                begun.push_back(m_stacks[at.below]);
            break;
        }
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    if (places.size() > mostPlaces)
        places.resize(mostPlaces);
    const auto [place, isNew] = m_stateOf.emplace(std::pair(canEnd, std::move(places)), static_cast<State>(m_states.size()));
    if (isNew) {
        Known known;
        known.canEnd = canEnd;
        known.places = place->first.second;
        m_states.push_back(std::move(known));
    }
    return place->second;
}

GrammarMachine::State GrammarMachine::after(State state, unsigned char byte) {
    if (state == dead)
        return dead;
    if (!m_states[state].next) {
        m_states[state].next = std::make_unique<std::array<State, 256>>();
        m_states[state].next->fill(notYet);
    }
    if (const State known = (*m_states[state].next)[byte]; known != notYet)
        return known;
    std::vector<Frame> begun;
    for (const std::uint32_t place : m_states[state].places) {
        const Frame& top = m_stacks[place];
        const Grammar::Node& node = m_grammar.nodes[top.node];
        if (m_grammar.sets[node.other].test(byte))
            begun.push_back({node.next, top.below});
    }
    const State next = begun.empty() ? dead : stateOf(std::move(begun));
    (*m_states[state].next)[byte] = next;
    return next;
}

} // namespace carousel
