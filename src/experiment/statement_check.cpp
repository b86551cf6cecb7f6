// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/statement_check.h"
#include "base/text.h"
#include "experiment/common_words.h"
#include "experiment/statement_numbers.h"
#include "experiment/statement_words.h"
#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace carousel {

namespace {

using Range = StatementWords::Range;

class Check {
public:
    Check(std::string_view text, const ExplanationFacts& facts, const ExplanationGround& ground)
        : m_facts(facts), m_ground(ground), m_words(text, facts, ground), m_own(ground.words(facts.item)), m_history(ground.liked(facts.user)) {
        for (const Code item : m_history)
            m_likedTexts += "|" + ground.words(item);
    }

    CheckedText run() {
        CheckedText out;
        for (const Range& range : m_words.statements()) {
            CheckedStatement statement;
            statement.begin = m_words.words()[range.begin].begin;
            statement.end = m_words.words()[range.end - 1].end;
            std::vector<ExplanationGround::Meaning> values; // said in this statement, for the counts in it
            for (const auto& mention : m_words.mentions()) {
                if (mention.first < range.begin || mention.first >= range.end)
                    continue;
                if (mention.phrase && mention.kind == Mention::Kind::value)
                    values.insert(values.end(), mention.phrase->meanings.begin(), mention.phrase->meanings.end());
                if (auto span = judged(mention, range))
                    statement.spans.push_back(std::move(*span));
            }
            NumberCheck numbers(m_words, m_facts, m_ground, m_history, m_own, m_likedTexts);
            for (auto& span : numbers.run(range, values))
                statement.spans.push_back(std::move(span));
            std::sort(statement.spans.begin(), statement.spans.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
            for (const auto& span : statement.spans)
                statement.status = std::max(statement.status, span.status);
            out.statements.push_back(std::move(statement));
        }
        return out;
    }

private:
    std::optional<CheckedSpan> judged(const Mention& mention, const Range& range) const {
        CheckedSpan span;
        span.begin = m_words.words()[mention.first].begin;
        span.end = m_words.words()[mention.last].end;
        bool is = true;
        switch (mention.kind) {
        case Mention::Kind::title: is = judgeTitle(mention, range, span); break;
        case Mention::Kind::value: is = judgeValue(mention, range, span); break;
        case Mention::Kind::claim: is = judgeClaim(mention, range, span); break;
        case Mention::Kind::name: is = judgeName(mention, range, span); break;
        }
        return is ? std::optional(span) : std::nullopt;
    }

    static void set(CheckedSpan& span, StatementStatus status, std::string reason) {
        span.status = status;
        span.reason = std::move(reason);
    }
    std::string shown(const CheckedSpan& span) const { return std::string(m_words.text().substr(span.begin, span.end - span.begin)); }
    std::string folded(const Mention& mention) const {
        std::string out = " ";
        for (std::size_t w = mention.first; w <= mention.last; ++w) {
            const auto& word = m_words.words()[w];
            out += (w == mention.last && !word.owner.empty() ? word.owner : word.folded) + " ";
        }
        return out;
    }
    bool isLiked(Code item) const { return std::find(m_history.begin(), m_history.end(), item) != m_history.end(); }
    bool has(Code item, const ExplanationGround::Meaning& meaning) const {
        if (meaning.column < 0)
            return meaning.code == item;
        const auto codes = m_ground.items().attributes[static_cast<std::size_t>(meaning.column)].tokenCodes(static_cast<std::size_t>(item));
        return std::find(codes.begin(), codes.end(), meaning.code) != codes.end();
    }

    bool judgeTitle(const Mention& mention, const Range& range, CheckedSpan& span) const {
        for (const auto& meaning : mention.phrase->meanings)
            if (meaning.column < 0 && meaning.code == m_facts.item) {
                set(span, StatementStatus::supported, "the title of this item");
                return true;
            }
        for (const auto& meaning : mention.phrase->meanings)
            if (meaning.column < 0 && isLiked(meaning.code)) {
                set(span, StatementStatus::supported, "the title of an item that the user liked");
                return true;
            }
        // A title may be a value, too ("Cookbook", the tag), or a part of this item's own title or text.
        const bool alsoValue = std::any_of(mention.phrase->meanings.begin(), mention.phrase->meanings.end(), [](const auto& m) { return m.column >= 0; });
        if (alsoValue)
            return judgeValue(mention, range, span);
        if (m_own.find(folded(mention)) != std::string::npos || m_likedTexts.find(folded(mention)) != std::string::npos) {
            if (m_words.words()[mention.last].number || !m_words.isInside(mention.first)) // cut off, not meant as the whole of another
                return false;
        }
        set(span, StatementStatus::contradicted, fmt::format("'{}' is an item of the data, but neither this one nor one that the user liked", shown(span)));
        return true;
    }

    bool judgeValue(const Mention& mention, const Range& range, CheckedSpan& span) const {
        const auto& meanings = mention.phrase->meanings;
        const auto any = [&](auto&& holds) { return std::any_of(meanings.begin(), meanings.end(), holds); };
        const bool own = any([&](const auto& m) { return has(m_facts.item, m); }) || m_own.find(folded(mention)) != std::string::npos;
        const bool liked = any([&](const auto& m) { return std::any_of(m_history.begin(), m_history.end(), [&](Code item) { return has(item, m); }); }) || m_likedTexts.find(folded(mention)) != std::string::npos;
        const Scope scope = m_words.scopeOf(mention.first, range);
        const auto first = *std::find_if(meanings.begin(), meanings.end(), [](const auto& m) { return m.column >= 0; });
        const auto& column = m_ground.items().attributes[static_cast<std::size_t>(first.column)];
        if (scope == Scope::item ? own : scope == Scope::history ? liked : own || liked) {
            set(span, StatementStatus::supported, scope == Scope::item || !liked ? fmt::format("{} of this item", column.name()) : fmt::format("{} of an item that the user liked", column.name()));
            return true;
        }
        if (mention.first == mention.last && !mention.phrase->name && isIdiomWord(m_words.words()[mention.first].folded) && !saysField(column.name(), range))
            return false;
        if (scope == Scope::item) {
            const auto row = static_cast<std::size_t>(m_facts.item);
            if (column.missing(row))
                set(span, StatementStatus::unsupported, fmt::format("the data tell no {} of this item", column.name()));
            else
                set(span, StatementStatus::contradicted, fmt::format("{} of this item: {}, not {}", column.name(), column.text(row), shown(span)));
        } else {
            set(span, StatementStatus::contradicted, fmt::format("no item that the user liked has the {} {}{}", column.name(), shown(span), scope == Scope::history ? "" : ", nor has this one"));
        }
        return true;
    }

    bool judgeClaim(const Mention& mention, const Range& range, CheckedSpan& span) const {
        bool holds = false;
        std::string fact;
        const auto& f = m_facts;
        switch (mention.claim) {
        case Claim::mostPopular:
        case Claim::amongPopular:
        case Claim::popular: {
            const double part = mention.claim == Claim::amongPopular ? 0.1 : 0.25;
            holds = f.likedBy > 0 && (mention.claim == Claim::mostPopular ? f.popularityRank == 1 : f.popularityRank <= part * f.items);
            fact = fmt::format("liked by {}, number {} of {} by popularity", f.likedBy, f.popularityRank, f.items);
            break;
        }
        case Claim::cheapest:
            holds = f.price && *f.price <= m_ground.lowestPrice();
            fact = f.price ? fmt::format("it costs {}; the cheapest item {}", moneyText(*f.price), moneyText(m_ground.lowestPrice())) : "the data tell no price";
            break;
        case Claim::cheaper:
        case Claim::dearer:
        case Claim::usualPrice:
            if (!f.price || !f.usualPrices) {
                set(span, StatementStatus::unsupported, f.price ? "the user's usual prices are not known" : "the data tell no price of this item");
                return true;
            }
            holds = mention.claim == Claim::cheaper ? *f.price < f.usualPrices->middle : mention.claim == Claim::dearer ? *f.price > f.usualPrices->middle : *f.price >= f.usualPrices->low && *f.price <= f.usualPrices->high;
            fact = fmt::format("it costs {}; the last choices {} to {}, the middle one {}", moneyText(*f.price), moneyText(f.usualPrices->low), moneyText(f.usualPrices->high), moneyText(f.usualPrices->middle));
            break;
        case Claim::stated: {
            const auto words = folded(mention);
            const Scope scope = m_words.scopeOf(mention.first, range);
            holds = m_own.find(words) != std::string::npos || (scope != Scope::item && m_likedTexts.find(words) != std::string::npos);
            set(span, holds ? StatementStatus::supported : StatementStatus::unsupported, holds ? "said by the item's own text" : fmt::format("nothing in the data says '{}' of this item", shown(span)));
            return true;
        }
        case Claim::bought:
            set(span, StatementStatus::unsupported, "the facts tell what was liked, not what was bought");
            return true;
        case Claim::others:
            set(span, StatementStatus::unsupported, "no fact tells what others do, beside how many liked this item");
            return true;
        }
        set(span, holds ? StatementStatus::supported : StatementStatus::contradicted, fmt::format("{}: {}", wordsOf(mention.claim), fact));
        return true;
    }

    bool judgeName(const Mention& mention, const Range& range, CheckedSpan& span) const {
        const auto words = folded(mention);
        const Scope scope = m_words.scopeOf(mention.first, range);
        // Part by part: "Lark Merino" may come from two titles.
        bool all = true, otherTitles = false;
        for (std::size_t w = mention.first; w <= mention.last; ++w) {
            const auto& word = m_words.words()[w];
            bool known = false;
            for (const std::string& form : {word.folded, word.owner, singular(word.folded)})
                if (!form.empty()) {
                    const std::string padded = " " + form + " ";
                    known = known || m_own.find(padded) != std::string::npos || (scope != Scope::item && m_likedTexts.find(padded) != std::string::npos);
                }
            all = all && known;
            otherTitles = otherTitles || (!known && m_ground.isTitleWord(word.folded));
        }
        if (all)
            set(span, StatementStatus::supported, "in the titles or texts of the items spoken of");
        else if (otherTitles)
            set(span, StatementStatus::contradicted, fmt::format("'{}' stands in titles of other items only", shown(span)));
        else
            set(span, StatementStatus::unsupported, fmt::format("'{}' is no name that the facts have", shown(span)));
        return true;
    }

    bool saysField(const std::string& field, const Range& range) const {
        const std::string name = singular(joinedWords(field).substr(1, joinedWords(field).size() - 2));
        for (std::size_t w = range.begin; w < range.end; ++w) {
            const auto word = singular(m_words.words()[w].folded);
            if (word == name || (name == "colour" && word == "color") || (name == "color" && word == "colour"))
                return true;
        }
        return false;
    }

    const ExplanationFacts& m_facts;
    const ExplanationGround& m_ground;
    StatementWords m_words;
    std::string m_own, m_likedTexts;
    std::vector<Code> m_history;
};

} // namespace

const char* name(StatementStatus status) {
    switch (status) {
    case StatementStatus::noClaim: return "no claim";
    case StatementStatus::supported: return "supported";
    case StatementStatus::unsupported: return "unsupported";
    case StatementStatus::contradicted: return "contradicted";
    }
    return "no claim";
}

int CheckedText::unsupported() const {
    return static_cast<int>(std::count_if(statements.begin(), statements.end(), [](const auto& s) { return s.status >= StatementStatus::unsupported; }));
}

CheckedText checkStatements(std::string_view text, const ExplanationFacts& facts, const ExplanationGround& ground) {
    return Check(text, facts, ground).run();
}

} // namespace carousel
