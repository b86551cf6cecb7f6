// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers of a statement and what they are said to be: a price, a count of choices, of people, a rank, a part of a title. Used by
// statement_check.cpp.
#pragma once
#include "experiment/statement_check.h"
#include "experiment/statement_words.h"

namespace carousel {

class NumberCheck {
public:
    NumberCheck(const StatementWords& words, const ExplanationFacts& facts, const ExplanationGround& ground, const std::vector<Code>& history, const std::string& ownTexts,
                const std::string& likedTexts)
        : m_words(words), m_facts(facts), m_ground(ground), m_history(history), m_own(ownTexts), m_likedTexts(likedTexts) {}

    // `values`: attribute values that the statement names; a count is compared with how many choices have one of them.
    std::vector<CheckedSpan> run(const StatementWords::Range& range, const std::vector<ExplanationGround::Meaning>& values);

private:
    bool numberAt(std::size_t word, double& value, bool& spelled) const;
    bool isWord(std::size_t word, std::string_view anyOf) const;
    void add(std::size_t word, bool supported, StatementStatus otherwise, std::string reason);
    bool countOfChoices(std::size_t& word, double value, bool spelled);
    bool lastChoices(std::size_t word, double value);
    bool people(std::size_t word, double value);
    bool rank(std::size_t& word, double value, bool ordinal);
    bool price(std::size_t word, double value);
    void anyNumber(std::size_t word, double value);
    int counted(const std::vector<Code>& items, const ExplanationGround::Meaning& meaning) const;
    static bool contains(const std::string& texts, double value);

    const StatementWords& m_words;
    const ExplanationFacts& m_facts;
    const ExplanationGround& m_ground;
    const std::vector<Code>& m_history;
    const std::string& m_own;
    const std::string& m_likedTexts;
    StatementWords::Range m_range;
    std::vector<ExplanationGround::Meaning> m_values;
    std::vector<CheckedSpan> m_out;
};

} // namespace carousel
