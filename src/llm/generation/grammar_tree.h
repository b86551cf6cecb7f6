// SPDX-License-Identifier: GPL-3.0-or-later
// A grammar as it was written: what the parser makes and the compiler reads.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct CharacterRange {
    std::uint32_t first = 0, last = 0; // both included
};
struct GrammarPart {
    enum class Kind { characters, rule, sequence, choice, repeat } kind = Kind::sequence;
    std::vector<CharacterRange> ranges; // characters: sorted, apart from each other
    std::string rule;
    std::vector<GrammarPart> parts;    // sequence, choice; repeat: one
    std::uint32_t least = 0, most = 0; // repeat
    std::size_t line = 0, column = 0;  // from 1
    static constexpr std::uint32_t noLimit = std::numeric_limits<std::uint32_t>::max();
};
struct GrammarRule {
    std::string name;
    GrammarPart body;
};

Result<std::vector<GrammarRule>> parseGrammar(std::string_view text); // CL-2162, CL-2164
tl::unexpected<Error> badGrammar(const char* code, std::size_t line, std::size_t column, const std::string& what, const std::string& hint);

constexpr std::uint32_t lastCharacter = 0x10FFFF;

} // namespace carousel
