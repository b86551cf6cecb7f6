// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/statement_words.h"
#include "base/text.h"
#include <algorithm>
#include <optional>
#include <unordered_set>

namespace carousel {

namespace {

using WordSet = std::unordered_set<std::string_view>;
WordSet setOf(std::string_view words) {
    WordSet out;
    for (const auto word : split(words, ' '))
        out.insert(word);
    return out;
}
bool in(const WordSet& set, const std::string& word) { return set.count(word) != 0; }

const WordSet& itemMarkers() {
    static const auto words = setOf("this it its product");
    return words;
}
const WordSet& historyMarkers() {
    static const auto words = setOf("liked loved enjoyed preferred chose chosen choices picked picks history past previous previously recently lately earlier last similar similarly alike taste tastes "
                                    "preference preferences interest interests interested usual usually typical typically average range");
    return words;
}
const WordSet& personMarkers() {
    static const auto words = setOf("you your yours youll youre youve user users customer customers shopper shoppers person they their them like love enjoy prefer goes pairs pair complement complements alongside fan fans");
    return words;
}
const WordSet& likingVerbs() {
    static const auto words = setOf("like love enjoy prefer");
    return words;
}
const WordSet& likingSubjects() {
    static const auto words = setOf("you user users customer customers they who also");
    return words;
}
const WordSet& clauseSubjects() {
    static const auto words = setOf("it its this that these those you your they their he she we our there i");
    return words;
}
const WordSet& abbreviations() {
    static const auto words = setOf("mr mrs ms dr st vs vol no nr prof jr sr inc co ltd eg ie etc approx");
    return words;
}

} // namespace

StatementWords::StatementWords(std::string_view text, const ExplanationFacts& facts, const ExplanationGround& ground)
    : m_text(text), m_facts(facts), m_ground(ground), m_words(textWords(text)), m_owner(m_words.size(), -1) {
    for (std::size_t i = 1; i < m_words.size(); ++i) // "Mr. Brown" is no end of a sentence
        if (m_words[i].breakBefore && in(abbreviations(), m_words[i - 1].folded) && m_text.substr(m_words[i - 1].end, m_words[i].begin - m_words[i - 1].end).find('\n') == std::string_view::npos)
            m_words[i].breakBefore = false;
    findPhrases();
    findClaims();
    findNames();
    std::sort(m_mentions.begin(), m_mentions.end(), [](const Mention& a, const Mention& b) { return a.first < b.first; });
    for (std::size_t m = 0; m < m_mentions.size(); ++m)
        for (std::size_t w = m_mentions[m].first; w <= m_mentions[m].last; ++w)
            m_owner[w] = static_cast<int>(m);
}

char StatementWords::before(std::size_t word) const {
    for (std::size_t at = m_words[word].begin; at-- > 0;)
        if (m_text[at] != ' ' && m_text[at] != '\t')
            return m_text[at];
    return 0;
}

bool StatementWords::isInside(std::size_t word) const {
    if (word == 0 || m_words[word].breakBefore)
        return false;
    const char c = before(word);
    return c != ':' && c != '*' && c != '"';
}

bool StatementWords::taken(std::size_t first, std::size_t last) const {
    return std::any_of(m_owner.begin() + static_cast<std::ptrdiff_t>(first), m_owner.begin() + static_cast<std::ptrdiff_t>(last) + 1, [](int owner) { return owner >= 0; });
}

void StatementWords::take(Mention mention) {
    for (std::size_t w = mention.first; w <= mention.last; ++w)
        m_owner[w] = static_cast<int>(m_mentions.size());
    m_mentions.push_back(mention);
}

bool StatementWords::writtenAsName(std::size_t first, std::size_t last) const {
    const std::size_t begin = m_words[first].begin;
    if (begin > 0 && (m_text[begin - 1] == '"' || m_text[begin - 1] == '\'' || m_text.substr(0, begin).ends_with("\u201C") || m_text.substr(0, begin).ends_with("\u201E") || m_text.substr(0, begin).ends_with("\u2018") ||
                      m_text.substr(0, begin).ends_with("\u00AB")))
        return true;
    const bool capital = m_words[first].capital || m_words[first].number;
    if (first == last)
        return capital && isInside(first);
    return capital && (m_words[last].capital || m_words[last].number || isInside(first));
}

void StatementWords::findPhrases() {
    std::string key;
    for (std::size_t length = std::min(m_ground.longestPhrase(), m_words.size()); length >= 1; --length)
        for (std::size_t first = 0; first + length <= m_words.size(); ++first) {
            const std::size_t last = first + length - 1;
            if (taken(first, last))
                continue;
            bool broken = false;
            for (std::size_t w = first + 1; w <= last; ++w)
                broken = broken || m_words[w].breakBefore;
            std::string head;
            for (std::size_t w = first; w < last; ++w)
                head += m_words[w].folded + " ";
            const auto& end = m_words[last];
            const auto* phrase = m_ground.name(head + end.folded);
            if (!phrase && !end.owner.empty())
                phrase = m_ground.name(head + end.owner);
            if (!phrase)
                phrase = m_ground.value(head + singular(end.folded));
            if (!phrase && !end.owner.empty())
                phrase = m_ground.value(head + singular(end.owner));
            if (!phrase || (broken && !phrase->broken))
                continue;
            const bool oneWordTitle = phrase->title && length == 1;
            if (phrase->name && (phrase->common ? !writtenAsName(first, last) : oneWordTitle && !m_words[first].capital))
                continue;
            take({phrase->title ? Mention::Kind::title : Mention::Kind::value, first, last, phrase, Claim::stated});
        }
}

void StatementWords::findClaims() {
    for (const auto& [words, claim] : claimPhrases()) {
        const auto parts = split(words, ' ');
        for (std::size_t first = 0; first + parts.size() <= m_words.size(); ++first) {
            bool same = !taken(first, first + parts.size() - 1);
            for (std::size_t p = 0; p < parts.size() && same; ++p)
                same = m_words[first + p].folded == parts[p] && (p == 0 || !m_words[first + p].breakBefore);
            if (same)
                take({Mention::Kind::claim, first, first + parts.size() - 1, nullptr, claim});
        }
    }
}

// Words with a capital in the middle of a sentence that are no ordinary ones: a name, of the data or not.
void StatementWords::findNames() {
    std::string known = joinedWords(m_facts.strategy) + joinedWords(m_facts.scorer);
    for (const auto& reason : m_facts.reasons)
        known += joinedWords(reason);
    const auto isName = [&](std::size_t w) {
        const auto& word = m_words[w];
        const std::string& plain = word.owner.empty() ? word.folded : word.owner;
        return m_owner[w] < 0 && word.capital && !word.number && plain.size() > 1 && !m_ground.isCommon(plain) && !m_ground.isFieldWord(singular(plain)) && known.find(" " + plain + " ") == std::string::npos;
    };
    for (std::size_t w = 0; w < m_words.size(); ++w) {
        if (!isName(w) || !isInside(w))
            continue;
        std::size_t last = w;
        while (last + 1 < m_words.size() && !m_words[last + 1].breakBefore && isName(last + 1) && m_text.substr(m_words[last].end, m_words[last + 1].begin - m_words[last].end) == " ")
            ++last;
        take({Mention::Kind::name, w, last, nullptr, Claim::stated});
        w = last;
    }
}

std::vector<StatementWords::Range> StatementWords::statements() const {
    std::vector<Range> out;
    std::size_t begin = 0;
    for (std::size_t w = 1; w < m_words.size(); ++w) {
        const bool inOne = m_owner[w] >= 0 && m_owner[w] == m_owner[w - 1];
        if (inOne)
            continue;
        const auto& folded = m_words[w].folded;
        const bool joint = isFree(w) && (folded == "and" || folded == "but" || folded == "while") && w > begin && w + 1 < m_words.size() && isFree(w + 1) && in(clauseSubjects(), m_words[w + 1].folded);
        if (m_words[w].breakBefore || joint) {
            out.push_back({begin, w});
            begin = w;
        }
    }
    if (begin < m_words.size())
        out.push_back({begin, m_words.size()});
    return out;
}

Scope StatementWords::scopeOf(std::size_t word, const Range& statement) const {
    const auto scopeAt = [&](std::size_t w) -> std::optional<Scope> {
        if (m_owner[w] >= 0) {
            const auto& mention = m_mentions[static_cast<std::size_t>(m_owner[w])];
            if (mention.kind != Mention::Kind::title)
                return std::nullopt;
            const bool own = std::any_of(mention.phrase->meanings.begin(), mention.phrase->meanings.end(), [&](const auto& m) { return m.column < 0 && m.code == m_facts.item; });
            return own ? Scope::item : Scope::history;
        }
        const auto& folded = m_words[w].folded;
        if (in(likingVerbs(), folded))
            return w > statement.begin && in(likingSubjects(), m_words[w - 1].folded) ? Scope::history : Scope::person;
        if (in(itemMarkers(), folded))
            return Scope::item;
        if (in(historyMarkers(), folded))
            return Scope::history;
        if (in(personMarkers(), folded))
            return Scope::person;
        return std::nullopt;
    };
    for (std::size_t w = word; w-- > statement.begin;)
        if (const auto scope = scopeAt(w))
            return *scope;
    for (std::size_t w = word + 1; w < statement.end; ++w) // "Tarnfell is among your choices"
        if (const auto scope = scopeAt(w); scope && *scope != Scope::person)
            return *scope;
    return Scope::item;
}

} // namespace carousel
