// SPDX-License-Identifier: GPL-3.0-or-later
// A grammar at work: where one can be after some bytes. All places at once make a state; states and the steps between them are worked out
// when first met and kept. Not for several threads at once.
#pragma once
#include "llm/generation/grammar.h"
#include <array>
#include <map>
#include <memory>
#include <unordered_map>

namespace carousel {

class GrammarMachine {
public:
    using State = std::uint32_t;
    static constexpr State dead = 0; // nothing that begins so matches

    explicit GrammarMachine(Grammar grammar);
    State start() const { return m_start; }
    State after(State state, unsigned char byte);
    bool canEnd(State state) const { return m_states[state].canEnd; }
    std::size_t states() const { return m_states.size(); }

    // A very ambiguous grammar can be at ever more places at once; beyond so many the rest is left out. What is found still matches.
    static constexpr std::size_t mostPlaces = 512;

private:
    // A place is a node that takes a byte and the calls to return from; equal stacks have equal numbers. Stack 0 is empty.
    struct Frame {
        std::uint32_t node, below;
        bool operator==(const Frame&) const = default;
    };
    struct FrameHash {
        std::size_t operator()(const Frame& frame) const {
            return (static_cast<std::size_t>(frame.node) << 32 | frame.below) * 0x9E3779B97F4A7C15ull;
        }
    };
    struct Known {
        std::vector<std::uint32_t> places; // stacks whose top takes a byte, ascending
        bool canEnd = false;
        std::unique_ptr<std::array<State, 256>> next; // notYet where it was not asked for
    };
    static constexpr State notYet = 0xFFFFFFFF;

    std::uint32_t pushed(std::uint32_t node, std::uint32_t below);
    State stateOf(std::vector<Frame> begun); // follows all that needs no byte

    Grammar m_grammar;
    std::vector<Frame> m_stacks{{0, 0}};
    std::unordered_map<Frame, std::uint32_t, FrameHash> m_stackOf;
    std::vector<Known> m_states;
    std::map<std::pair<bool, std::vector<std::uint32_t>>, State> m_stateOf;
    State m_start = dead;
};

} // namespace carousel
