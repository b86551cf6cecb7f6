// SPDX-License-Identifier: GPL-3.0-or-later
// Does a text about an item and a user say what the facts say? The text is cut into statements (sentences, and clauses with a subject of
// their own behind "and", "but", "while"). In each, what can be looked up is looked up: titles and attribute values of the data set,
// prices, counts, ranks, names that the data do not have, and set phrases (best seller, on sale, rated, waterproof).
//
// Whose attribute a value is said to be is decided by the nearest word before it: "this", "it" mean the item; "liked", "your choices" mean the
// history. Words are compared whole, without case and accents; longer phrases come first. A name made of ordinary words only counts
// where it is written as a name. English texts; a script without spaces between words is not looked into.
//
// Out of scope, and so never found: negation ("not on sale" is read as "on sale"), synonyms ("tepee" for "dome tent"), opinions, causes, and
// claims in words of no list here. A text with no unsupported statement is therefore not proven right; an unsupported statement has a reason.
#pragma once
#include "experiment/grounded_explanation.h"

namespace carousel {

enum class StatementStatus {
    noClaim,     // nothing that could be looked up
    supported,   // all of it is in the facts
    unsupported, // something that no fact says
    contradicted // something that a fact says otherwise
};
const char* name(StatementStatus status); // "no claim", "supported", "unsupported", "contradicted"

struct CheckedSpan {
    std::size_t begin = 0, end = 0; // bytes of the text
    StatementStatus status = StatementStatus::noClaim;
    std::string reason; // what was looked up and what the facts say, in words
};
struct CheckedStatement {
    std::size_t begin = 0, end = 0;
    StatementStatus status = StatementStatus::noClaim; // the worst of its spans
    std::vector<CheckedSpan> spans;                     // in the order of the text
};
struct CheckedText {
    std::vector<CheckedStatement> statements;
    int unsupported() const; // statements that are unsupported or contradicted
};

// `facts` come from `ground`. Never fails; text that is not UTF-8 is read up to its bad bytes and behind them.
CheckedText checkStatements(std::string_view text, const ExplanationFacts& facts, const ExplanationGround& ground);

} // namespace carousel
