// SPDX-License-Identifier: GPL-3.0-or-later
// From what a model wrote to items: names that no two items share, answers without ornaments, and a search over words.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace carousel::plugin {

// The same texts, all different: the first of equal ones keeps its text, the next get " (2)", " (3)" and so on in their order, passing over
// what is taken; an empty one becomes "(no title)". `changed` (may be null) receives how many were changed.
std::vector<std::string> distinctNames(const std::vector<std::string>& texts, std::size_t* changed = nullptr);

// One line of an answer: blanks, a list's mark or number, quotes and emphasis around it are taken off. "1984" stays what it is.
std::string plainAnswer(std::string_view text);

// Lower-case words of a text: stretches of letters, numbers and marks of any script (upper case is known for ASCII alone).
std::vector<std::string> wordsOf(std::string_view text);

// BM25 (Robertson and Zaragoza, 2009, eq. 3.15) over texts; idf as ln(1 + (N - n + 0.5) / (n + 0.5)), which no word makes negative.
class WordSearch { // read-only after make(); any thread
public:
    static Result<WordSearch> make(const std::vector<std::string>& texts, double k1, double b, const RunControl& control);
    // Per text: the sum over the query's words, one that stands twice counting twice; 0: no word in common.
    std::vector<double> scores(std::string_view query) const;

private:
    struct Posting {
        std::uint32_t text = 0, count = 0;
    };
    std::map<std::string, std::vector<Posting>, std::less<>> m_postings;
    std::vector<double> m_length; // k1 * (1 - b + b * words / mean words), by text
    double m_k1 = 1.2;
};

} // namespace carousel::plugin
