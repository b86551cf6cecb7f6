// SPDX-License-Identifier: GPL-3.0-or-later
// The form of an answer, written in a subset of GBNF (the notation of llama.cpp's grammars):
//
//   root   ::= item ("," ws item){0,4}       # the answer as a whole is `root`; a remark runs to the end of its line
//   item   ::= "\"" [^"\\]+ "\"" | number    # text, a set of characters, a choice
//   number ::= "-"? [0-9]+ ("." [0-9]{1,3})?
//   ws     ::= " "*
//
// Names: letters, digits, '-' and '_'. Text and sets know the escapes \n \r \t \\ \" \] \[ \- \^ \xHH \uHHHH \UHHHHHHHH; sets know ranges
// and ^;
// '.' is any character. After a part: * + ? {n} {n,} {n,m}. A rule runs on over line ends as long as no new `name ::=` begins.
// Sets and text are Unicode characters; matching goes by bytes, so that tokens may split characters.
#pragma once
#include "base/result.h"
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// A machine with a stack: nodes that take a byte, choose, call a rule or return from one.
struct Grammar {
    struct Node {
        enum class Kind : std::uint8_t { byte, choice, call, back } kind = Kind::back;
        std::uint32_t next = 0;  // byte, choice (first way), call (where it goes on after the rule)
        std::uint32_t other = 0; // byte: index of its set; choice: second way; call: node at which the rule starts
    };
    std::vector<Node> nodes;
    std::vector<std::bitset<256>> sets;
    std::uint32_t start = 0;

    // CL-2162: what is wrong, with line and column. CL-2163: a rule that is called and not defined, begins with itself, or never ends;
    // CL-2164: too large (a grammar may have 65,536 characters, 2,000 rules and 200,000 nodes).
    static Result<Grammar> parse(std::string_view text);
};

} // namespace carousel
