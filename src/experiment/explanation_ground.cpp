// SPDX-License-Identifier: GPL-3.0-or-later
// What explanations draw on: roles of columns, who liked what, and the phrases that a text can be searched for.
#include "base/text.h"
#include "experiment/common_words.h"
#include "experiment/grounded_explanation.h"
#include "experiment/text_words.h"
#include <algorithm>
#include <cmath>
#include <map>

namespace carousel {

namespace {

constexpr double sentenceWords = 5; // more words than this in a column's values, on average, and they are sentences
constexpr double mostDifferent = 0.8; // values per row above which a column is a name of each item rather than something shared
constexpr std::size_t fewRows = 20;

std::size_t countedWords(std::string_view text) {
    std::size_t words = 0;
    bool inside = false;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t';
        words += !space && !inside;
        inside = !space;
    }
    return words;
}

bool isDigits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

FactRole roleOfNumbers(const AttributeColumn& column) {
    const std::string name = lowered(column.name());
    if (name.find("price") != std::string::npos)
        return FactRole::price;
    bool any = false;
    for (std::size_t row = 0; row < column.rows(); ++row)
        for (const double number : column.numbers(row)) {
            any = true;
            if (number < 3e8 || number > 5e9)
                return FactRole::number;
        }
    return any ? FactRole::time : FactRole::number;
}

FactRole roleOfTokens(const AttributeColumn& column, const EntityTable& items) {
    std::size_t rows = 0, titles = 0, words = 0, tokens = 0;
    for (std::size_t row = 0; row < column.rows(); ++row) {
        if (column.missing(row))
            continue;
        ++rows;
        titles += column.text(row) == items.displayName(static_cast<Code>(row));
        for (const auto code : column.tokenCodes(row)) {
            words += countedWords(column.dictionary()[static_cast<std::size_t>(code)]);
            ++tokens;
        }
    }
    if (rows == 0)
        return FactRole::value;
    if (titles == rows)
        return FactRole::title;
    const double wordsPerRow = static_cast<double>(words) / static_cast<double>(rows), wordsPerValue = static_cast<double>(words) / static_cast<double>(tokens);
    const double different = static_cast<double>(column.dictionary().size()) / static_cast<double>(rows);
    if (wordsPerValue > sentenceWords || wordsPerRow > 2 * sentenceWords || (rows > fewRows && different > mostDifferent && column.type() == FieldType::token))
        return FactRole::text;
    return FactRole::value;
}

} // namespace

ExplanationGround::ExplanationGround(std::shared_ptr<const TrainingView> training) : m_training(std::move(training)), m_lowestPrice(std::numeric_limits<double>::infinity()) {
    findRoles();
    readTexts();
    readPhrases();
    countLikes();
}

void ExplanationGround::findRoles() {
    for (const auto& column : items().attributes) {
        m_roles.push_back(column.isNumeric() ? roleOfNumbers(column) : roleOfTokens(column, items()));
        for (const auto& word : textWords(column.name())) {
            m_fieldWords.insert(word.folded);
            m_fieldWords.insert(singular(word.folded));
        }
    }
}

void ExplanationGround::readTexts() {
    for (std::size_t c = 0; c < m_roles.size(); ++c) {
        const auto& column = items().attributes[c];
        if (column.isNumeric()) {
            for (std::size_t row = 0; row < column.rows(); ++row)
                for (const double number : column.numbers(row)) {
                    m_numbers.emplace(number, static_cast<int>(c));
                    if (m_roles[c] == FactRole::price)
                        m_lowestPrice = std::min(m_lowestPrice, number);
                }
        } else if (m_roles[c] == FactRole::text) {
            for (const auto& text : column.dictionary())
                for (const auto& word : textWords(text))
                    if (!word.capital)
                        m_textWords.insert(word.folded);
        } else {
            for (const auto& text : column.dictionary())
                if (const auto number = isDigits(text) ? parseNumber(text) : std::nullopt)
                    m_numbers.emplace(*number, static_cast<int>(c));
        }
    }
}

void ExplanationGround::add(std::string_view text, Meaning meaning) {
    const auto words = textWords(text);
    if (words.empty() || isDigits(text))
        return;
    const bool isName = meaning.column < 0 || std::any_of(words.begin(), words.end(), [](const TextWord& word) { return word.capital; });
    std::string key;
    for (std::size_t i = 0; i < words.size(); ++i)
        key += (i ? " " : "") + (isName || i + 1 < words.size() ? words[i].folded : singular(words[i].folded));
    auto& phrase = (isName ? m_names : m_values)[key];
    phrase.meanings.push_back(meaning);
    phrase.name = isName;
    phrase.title = phrase.title || meaning.column < 0;
    phrase.common = std::all_of(words.begin(), words.end(), [&](const TextWord& word) { return word.number || isCommon(word.folded); });
    phrase.broken = phrase.broken || std::any_of(words.begin(), words.end(), [](const TextWord& word) { return word.breakBefore; });
    m_longest = std::max(m_longest, words.size());
}

void ExplanationGround::readPhrases() {
    for (std::size_t c = 0; c < m_roles.size(); ++c)
        if (m_roles[c] == FactRole::value) {
            const auto& values = items().attributes[c].dictionary();
            for (std::size_t code = 0; code < values.size(); ++code)
                add(values[code], {static_cast<int>(c), static_cast<Code>(code)});
        }
    for (std::size_t item = 0; item < items().size(); ++item) {
        const std::string title = items().displayName(static_cast<Code>(item));
        add(title, {-1, static_cast<Code>(item)});
        for (const auto& word : textWords(title))
            if (word.capital)
                m_titleWords.insert(word.folded);
    }
}

void ExplanationGround::countLikes() {
    m_likedBy.assign(items().size(), 0);
    for (std::size_t user = 0; user < m_training->userCount(); ++user)
        for (const Code item : liked(static_cast<Code>(user)))
            ++m_likedBy[static_cast<std::size_t>(item)];
    auto sorted = m_likedBy;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const auto likes : m_likedBy)
        m_rank.push_back(static_cast<int>(std::lower_bound(sorted.begin(), sorted.end(), likes, std::greater<>()) - sorted.begin()) + 1);
}

bool ExplanationGround::isCommon(const std::string& folded) const { return isOrdinaryWord(folded) || m_textWords.count(folded) != 0; }

const AttributeColumn* ExplanationGround::columnOfNumber(double value) const {
    const auto it = m_numbers.find(value);
    return it == m_numbers.end() ? nullptr : &items().attributes[static_cast<std::size_t>(it->second)];
}

std::string ExplanationGround::words(Code item) const {
    std::string out = joinedWords(items().displayName(item));
    for (std::size_t c = 0; c < m_roles.size(); ++c) {
        const auto& column = items().attributes[c];
        const auto row = static_cast<std::size_t>(item);
        if (column.missing(row))
            continue;
        if (m_roles[c] == FactRole::time)
            out += "|" + joinedWords(utcMinute(static_cast<std::int64_t>(column.numbers(row)[0])).substr(0, 10));
        else if (column.isNumeric())
            out += "|" + joinedWords(column.text(row));
        else
            for (const auto code : column.tokenCodes(row))
                out += "|" + joinedWords(column.dictionary()[static_cast<std::size_t>(code)]);
    }
    return out;
}

std::vector<Code> ExplanationGround::liked(Code user) const {
    const auto history = m_training->historyItems(user);
    const auto preference = m_training->historyPreference(user);
    std::vector<Code> out;
    std::unordered_set<Code> known;
    for (std::size_t i = history.size(); i-- > 0;)
        if (preference[i] >= m_training->positiveFrom() && known.insert(history[i]).second)
            out.push_back(history[i]);
    return out;
}

ExplanationFacts ExplanationGround::facts(Code user, Code item, int lastChoices) const {
    ExplanationFacts out;
    out.user = user;
    out.item = item;
    out.title = items().displayName(item);
    out.items = static_cast<int>(items().size());
    out.likedBy = m_likedBy[static_cast<std::size_t>(item)];
    out.popularityRank = m_rank[static_cast<std::size_t>(item)];
    out.liked = liked(user);
    out.likedKnown = static_cast<int>(out.liked.size());
    if (out.liked.size() > static_cast<std::size_t>(std::max(1, lastChoices)))
        out.liked.resize(static_cast<std::size_t>(std::max(1, lastChoices)));
    for (const Code each : out.liked)
        out.likedTitles.push_back(items().displayName(each));

    const auto row = static_cast<std::size_t>(item);
    std::vector<double> prices;
    for (std::size_t c = 0; c < m_roles.size(); ++c) {
        const auto& column = items().attributes[c];
        if (m_roles[c] == FactRole::price)
            for (const Code each : out.liked)
                if (!column.missing(static_cast<std::size_t>(each)) && !out.usualPrices)
                    prices.push_back(column.numbers(static_cast<std::size_t>(each))[0]);
        if (m_roles[c] == FactRole::price && !prices.empty() && !out.usualPrices) {
            std::sort(prices.begin(), prices.end());
            out.usualPrices = {prices.front(), prices[(prices.size() - 1) / 2], prices.back()};
        }
        if (column.missing(row) || m_roles[c] == FactRole::title)
            continue;
        std::string text = column.text(row);
        if (m_roles[c] == FactRole::time)
            text = utcMinute(static_cast<std::int64_t>(column.numbers(row)[0])).substr(0, 10);
        if (m_roles[c] == FactRole::price) {
            text = moneyText(column.numbers(row)[0]);
            if (!out.price)
                out.price = column.numbers(row)[0];
        }
        out.attributes.push_back({column.name(), text, m_roles[c]});
        if (m_roles[c] != FactRole::value)
            continue;
        for (const auto code : column.tokenCodes(row)) {
            ExplanationFacts::Shared shared{column.name(), column.dictionary()[static_cast<std::size_t>(code)], 0};
            for (const Code each : out.liked) {
                const auto codes = column.tokenCodes(static_cast<std::size_t>(each));
                shared.count += std::find(codes.begin(), codes.end(), code) != codes.end();
            }
            if (shared.count > 0)
                out.shared.push_back(std::move(shared));
        }
    }
    std::stable_sort(out.shared.begin(), out.shared.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
    return out;
}

} // namespace carousel
