// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/statement_numbers.h"
#include "base/text.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace carousel {

namespace {
constexpr std::array<std::string_view, 12> spelledNumbers{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"};
constexpr std::string_view peopleNouns = "people person customers customer users user others shoppers shopper viewers viewer buyers buyer readers fans visitors likes";
constexpr std::string_view choiceNouns = "choices choice items item products product likes liked titles favourites favorites picks films movies books things";
constexpr std::string_view lately = "last latest recent recently previous past";
constexpr std::string_view rankWords = "position place rank ranked ranks number no spot slot";
constexpr std::string_view priceWords = "price prices priced cost costs costing pay paid";
constexpr std::string_view currencies = "dollar dollars euro euros eur usd gbp pound pounds";
constexpr std::size_t priceReach = 8; // words between "price" and the number

bool same(double a, double b) { return std::fabs(a - b) < 1e-9; }
bool oneOf(std::string_view list, const std::string& word) {
    for (const auto each : split(list, ' '))
        if (each == word)
            return true;
    return false;
}
// As written: 12.95 may be called 13, not 12.
bool samePrice(double written, double price) {
    return std::fabs(written - price) < 0.005 || (same(written, std::floor(written)) && std::fabs(written - price) <= 0.5 + 1e-9);
}
} // namespace

bool NumberCheck::isWord(std::size_t word, std::string_view anyOf) const {
    return word >= m_range.begin && word < m_range.end && oneOf(anyOf, m_words.words()[word].folded);
}

bool NumberCheck::numberAt(std::size_t word, double& value, bool& spelled) const {
    if (word >= m_range.end || !m_words.isFree(word))
        return false;
    const auto& w = m_words.words()[word];
    spelled = false;
    if (w.number) {
        value = w.value;
        return true;
    }
    const auto it = std::find(spelledNumbers.begin(), spelledNumbers.end(), w.folded);
    spelled = it != spelledNumbers.end();
    value = static_cast<double>(it - spelledNumbers.begin()) + 1;
    return spelled;
}

void NumberCheck::add(std::size_t word, bool supported, StatementStatus otherwise, std::string reason) {
    const auto& w = m_words.words()[word];
    m_out.push_back({w.begin, w.end, supported ? StatementStatus::supported : otherwise, std::move(reason)});
}

int NumberCheck::counted(const std::vector<Code>& items, const ExplanationGround::Meaning& meaning) const {
    if (meaning.column < 0)
        return 0;
    const auto& column = m_ground.items().attributes[static_cast<std::size_t>(meaning.column)];
    return static_cast<int>(std::count_if(items.begin(), items.end(), [&](Code item) {
        const auto codes = column.tokenCodes(static_cast<std::size_t>(item));
        return std::find(codes.begin(), codes.end(), meaning.code) != codes.end();
    }));
}

// "2 of your last 5 choices", "3 of 5", "two of your choices". On return `word` is the last number that was read.
bool NumberCheck::countOfChoices(std::size_t& word, double value, bool spelled) {
    std::size_t at = word + 1;
    if (!isWord(at, "of"))
        return false;
    ++at;
    bool choices = false;
    while (isWord(at, "your the their these those his her users customers user most") || isWord(at, lately)) {
        choices = choices || isWord(at, lately) || isWord(at, "your their");
        ++at;
    }
    double all = 0;
    bool ignored = false;
    const std::size_t second = at;
    const bool hasAll = numberAt(second, all, ignored);
    if (hasAll) {
        ++at;
        while (isWord(at, lately) || isWord(at, "most"))
            ++at;
    }
    if (!hasAll && !isWord(at, choiceNouns))
        return false;
    if (!hasAll && !choices)
        return false;

    const bool wholeHistory = hasAll && same(all, m_facts.likedKnown) && !same(all, static_cast<double>(m_facts.liked.size()));
    const auto& among = wholeHistory ? m_history : m_facts.liked;
    std::vector<int> counts;
    for (const auto& meaning : m_values)
        counts.push_back(counted(among, meaning));
    if (m_values.empty())
        for (const auto& shared : m_facts.shared)
            counts.push_back(shared.count);
    const bool atLeastOne = spelled && same(value, 1);
    const bool holds = std::any_of(counts.begin(), counts.end(), [&](int count) { return atLeastOne ? count >= 1 : same(value, count); });
    if (!(atLeastOne && m_values.empty()))
        add(word, holds, StatementStatus::contradicted,
            counts.empty() ? "no choice shares this" : fmt::format("{} of {} choices have it", *std::max_element(counts.begin(), counts.end()), among.size()));
    if (hasAll) {
        add(second, same(all, static_cast<double>(m_facts.liked.size())) || same(all, m_facts.likedKnown), StatementStatus::contradicted,
            fmt::format("{} last choices are looked at, {} are known", m_facts.liked.size(), m_facts.likedKnown));
        word = second;
    }
    return true;
}

bool NumberCheck::lastChoices(std::size_t word, double value) {
    const bool before = word > m_range.begin && isWord(word - 1, lately), after = isWord(word + 1, lately) && isWord(word + 2, choiceNouns);
    if (!(before && isWord(word + 1, choiceNouns)) && !after)
        return false;
    add(word, same(value, static_cast<double>(m_facts.liked.size())) || same(value, m_facts.likedKnown), StatementStatus::contradicted,
        fmt::format("{} last choices are looked at, {} are known", m_facts.liked.size(), m_facts.likedKnown));
    return true;
}

bool NumberCheck::people(std::size_t word, double value) {
    if (!isWord(word + 1, peopleNouns) && !(isWord(word + 1, "other") && isWord(word + 2, peopleNouns)))
        return false;
    add(word, same(value, static_cast<double>(m_facts.likedBy)), StatementStatus::contradicted, fmt::format("the item was liked by {}", m_facts.likedBy));
    return true;
}

// "position 3", "number 12 of 400", "3rd most popular".
bool NumberCheck::rank(std::size_t& word, double value, bool ordinal) {
    const bool named = (word > m_range.begin && isWord(word - 1, rankWords)) || m_words.before(word) == '#';
    const bool followed = ordinal && (isWord(word + 1, "most place position in") || isWord(word + 1, "popular"));
    if (!named && !followed)
        return false;
    const bool holds = (m_facts.position > 0 && same(value, m_facts.position)) || same(value, m_facts.popularityRank);
    add(word, holds, StatementStatus::contradicted,
        m_facts.position > 0 ? fmt::format("position {} of the carousel, number {} by popularity", m_facts.position, m_facts.popularityRank) : fmt::format("number {} by popularity", m_facts.popularityRank));
    double all = 0;
    bool spelled = false;
    if (isWord(word + 1, "of") && numberAt(word + 2, all, spelled)) {
        add(word + 2, same(all, m_facts.items), StatementStatus::contradicted, fmt::format("there are {} items", m_facts.items));
        word += 2;
    }
    return true;
}

bool NumberCheck::price(std::size_t word, double value) {
    const auto& all = m_words.words();
    const auto text = m_words.text();
    const std::string_view head = trimmed(text.substr(0, all[word].begin)), tail = text.substr(all[word].end);
    bool is = head.ends_with("$") || head.ends_with("\u20AC") || head.ends_with("\u00A3") || startsWith(tail, "\u20AC") || startsWith(tail, " \u20AC") || startsWith(tail, "$") || isWord(word + 1, currencies) ||
              (word > m_range.begin && isWord(word - 1, currencies));
    for (std::size_t back = 1; back <= priceReach && word >= m_range.begin + back && !is; ++back)
        is = isWord(word - back, priceWords) && m_words.isFree(word - back);
    if (!is)
        return false;
    if (!m_facts.price && !m_facts.usualPrices) {
        add(word, false, StatementStatus::unsupported, "the data tell no price");
        return true;
    }
    const Scope scope = m_words.scopeOf(word, m_range);
    bool holds = scope != Scope::history && m_facts.price && samePrice(value, *m_facts.price);
    if (scope != Scope::item) // any of the choices may be spoken of
        for (std::size_t c = 0; c < m_ground.items().attributes.size() && !holds; ++c)
            if (m_ground.role(c) == FactRole::price)
                holds = std::any_of(m_history.begin(), m_history.end(), [&](Code item) {
                    const auto numbers = m_ground.items().attributes[c].numbers(static_cast<std::size_t>(item));
                    return !numbers.empty() && samePrice(value, numbers[0]);
                });
    std::string reason = m_facts.price ? fmt::format("the item costs {}", moneyText(*m_facts.price)) : "the data tell no price of this item";
    if (m_facts.usualPrices)
        reason += fmt::format("; the last choices {} to {}", moneyText(m_facts.usualPrices->low), moneyText(m_facts.usualPrices->high));
    add(word, holds, StatementStatus::contradicted, std::move(reason));
    return true;
}

bool NumberCheck::contains(const std::string& texts, double value) {
    for (const auto word : split(texts, ' '))
        if (!word.empty() && word[0] >= '0' && word[0] <= '9')
            if (const auto number = parseNumber(word); number && same(*number, value))
                return true;
    return false;
}

void NumberCheck::anyNumber(std::size_t word, double value) {
    const Scope scope = m_words.scopeOf(word, m_range);
    const bool own = contains(m_own, value), liked = scope != Scope::item && contains(m_likedTexts, value);
    if (own || liked)
        return add(word, true, StatementStatus::supported, own ? "in the item's own text" : "in the text of an item that the user liked");
    if (isWord(word + 1, choiceNouns) && (same(value, static_cast<double>(m_facts.liked.size())) || same(value, m_facts.likedKnown)))
        return add(word, true, StatementStatus::supported, fmt::format("{} choices are known", m_facts.likedKnown));
    if (const auto* column = m_ground.columnOfNumber(value); column && !column->missing(static_cast<std::size_t>(m_facts.item)) && !column->isNumeric())
        return add(word, false, StatementStatus::contradicted, fmt::format("{} of this item: {}", column->name(), column->text(static_cast<std::size_t>(m_facts.item))));
    add(word, false, StatementStatus::unsupported, "no fact has this number");
}

std::vector<CheckedSpan> NumberCheck::run(const StatementWords::Range& range, const std::vector<ExplanationGround::Meaning>& values) {
    m_range = range;
    m_values = values;
    m_out.clear();
    for (std::size_t word = range.begin; word < range.end; ++word) {
        double value = 0;
        bool spelled = false;
        if (!numberAt(word, value, spelled))
            continue;
        // A list's own number: "1. It is ..." at the beginning of a line.
        if (word == range.begin && !spelled && m_words.text().substr(m_words.words()[word].end, 1).find_first_of(".)") == 0)
            continue;
        if (!spelled && rank(word, value, m_words.words()[word].ordinal)) // before counts: "number 12 of 400"
            continue;
        if (countOfChoices(word, value, spelled) || (!(spelled && same(value, 1)) && (lastChoices(word, value) || people(word, value))))
            continue;
        if (spelled) // too often a manner of speaking
            continue;
        if (!price(word, value))
            anyNumber(word, value);
    }
    return std::move(m_out);
}

} // namespace carousel
