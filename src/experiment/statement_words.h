// SPDX-License-Identifier: GPL-3.0-or-later
// The words of a text under check: which belong together, where statements begin, whose attribute is spoken of. Used by statement_check.cpp.
#pragma once
#include "experiment/statement_claims.h"
#include "experiment/grounded_explanation.h"
#include "experiment/text_words.h"

namespace carousel {

// Words first..last of the text that mean one thing.
struct Mention {
    enum class Kind { title, value, claim, name };
    Kind kind = Kind::value;
    std::size_t first = 0, last = 0;
    const ExplanationGround::Phrase* phrase = nullptr; // title, value
    Claim claim = Claim::stated;                       // claim
};

// Whose attribute a word is said to be. person: "you" without anything that was chosen ("you may like the green one").
enum class Scope { item, person, history };

class StatementWords {
public:
    StatementWords(std::string_view text, const ExplanationFacts& facts, const ExplanationGround& ground);

    std::string_view text() const { return m_text; }
    const std::vector<TextWord>& words() const { return m_words; }
    const std::vector<Mention>& mentions() const { return m_mentions; } // in the order of the text
    bool isFree(std::size_t word) const { return m_owner[word] < 0; }  // belongs to no mention
    // Ranges of words [begin, end).
    struct Range {
        std::size_t begin = 0, end = 0;
    };
    std::vector<Range> statements() const;
    Scope scopeOf(std::size_t word, const Range& statement) const;
    // A capital here means a name: not the first word of a sentence or of a quotation.
    bool isInside(std::size_t word) const;
    char before(std::size_t word) const; // the byte before it that is no space; 0 at the beginning

private:
    void findPhrases();
    void findClaims();
    void findNames();
    bool writtenAsName(std::size_t first, std::size_t last) const;
    bool taken(std::size_t first, std::size_t last) const;
    void take(Mention mention);

    std::string_view m_text;
    const ExplanationFacts& m_facts;
    const ExplanationGround& m_ground;
    std::vector<TextWord> m_words;
    std::vector<int> m_owner; // per word: mention, or -1
    std::vector<Mention> m_mentions;
};

} // namespace carousel
