// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/grounding.h"
#include "base/text.h"
#include "llm/unicode.h"
#include <cmath>
#include <set>

namespace carousel::plugin {

std::vector<std::string> distinctNames(const std::vector<std::string>& texts, std::size_t* changed) {
    auto out = texts;
    for (auto& text : out)
        if (text.empty())
            text = "(no title)";
    const std::set<std::string> given(out.begin(), out.end()); // what an item is called by itself is nobody else's
    std::set<std::string> taken;
    std::map<std::string, std::size_t> next;
    std::size_t count = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!taken.insert(out[i]).second) {
            auto& number = next.emplace(out[i], 2).first->second;
            std::string name;
            do
                name = out[i] + " (" + std::to_string(number++) + ")";
            while (given.count(name) || taken.count(name));
            out[i] = name;
            taken.insert(std::move(name));
        }
        count += out[i] != texts[i];
    }
    if (changed)
        *changed = count;
    return out;
}

std::string plainAnswer(std::string_view text) {
    const auto line = trimmed(split(trimmed(text), '\n').front());
    std::string_view rest = line;
    if (rest.size() > 1 && (rest[0] == '-' || rest[0] == '*') && rest[1] == ' ')
        rest = trimmed(rest.substr(2));
    std::size_t digits = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9')
        ++digits;
    if (digits > 0 && digits + 1 < rest.size() && (rest[digits] == '.' || rest[digits] == ')') && rest[digits + 1] == ' ')
        rest = trimmed(rest.substr(digits + 2));
    for (bool again = true; again;) {
        again = false;
        for (const std::string_view mark : {"\"", "'", "**", "*", "`", "_"})
            if (rest.size() > 2 * mark.size() && rest.substr(0, mark.size()) == mark && rest.substr(rest.size() - mark.size()) == mark) {
                rest = trimmed(rest.substr(mark.size(), rest.size() - 2 * mark.size()));
                again = true;
            }
    }
    return std::string(rest);
}

std::vector<std::string> wordsOf(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
        const Character c = characterAt(text, at);
        if (c.code >= 0 && (isLetter(c.code) || isNumber(c.code) || isMark(c.code)))
            word += lowered(text.substr(at, c.bytes));
        else if (!word.empty())
            out.push_back(std::move(word)), word.clear();
        at += c.bytes;
    }
    if (!word.empty())
        out.push_back(std::move(word));
    return out;
}

Result<WordSearch> WordSearch::make(const std::vector<std::string>& texts, double k1, double b, const RunControl& control) {
    WordSearch out;
    out.m_k1 = k1;
    out.m_length.reserve(texts.size());
    double total = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i % 1024 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("Reading item texts"));
        const auto words = wordsOf(texts[i]);
        for (const auto& word : words) {
            auto& list = out.m_postings[word];
            if (list.empty() || list.back().text != i)
                list.push_back({static_cast<std::uint32_t>(i), 0});
            ++list.back().count;
        }
        out.m_length.push_back(static_cast<double>(words.size()));
        total += static_cast<double>(words.size());
    }
    const double mean = total > 0 ? total / static_cast<double>(texts.size()) : 1;
    for (auto& length : out.m_length)
        length = k1 * (1 - b + b * length / mean);
    return out;
}

std::vector<double> WordSearch::scores(std::string_view query) const {
    const auto texts = static_cast<double>(m_length.size());
    std::vector<double> out(m_length.size(), 0.0);
    for (const auto& word : wordsOf(query)) {
        const auto found = m_postings.find(word);
        if (found == m_postings.end())
            continue;
        const auto with = static_cast<double>(found->second.size());
        const double rarity = std::log(1 + (texts - with + 0.5) / (with + 0.5));
        for (const auto& posting : found->second) {
            const auto count = static_cast<double>(posting.count);
            out[posting.text] += rarity * count * (m_k1 + 1) / (count + m_length[posting.text]);
        }
    }
    return out;
}

} // namespace carousel::plugin
