// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/grammar.h"
#include "llm/generation/grammar_tree.h"
#include "llm/unicode.h"
#include <algorithm>
#include <map>
#include <set>

namespace carousel {

namespace {

using Kind = GrammarPart::Kind;
constexpr std::size_t mostNodes = 200000;

template <class Visit> void eachRuleUse(const GrammarPart& part, Visit&& visit) {
    if (part.kind == Kind::rule)
        visit(part);
    for (const GrammarPart& inner : part.parts)
        eachRuleUse(inner, visit);
}

// What must hold of the rules together before they can be compiled.
class RuleCheck {
public:
    explicit RuleCheck(const std::vector<GrammarRule>& rules) {
        for (const GrammarRule& rule : rules)
            m_rules.emplace(rule.name, &rule);
    }
    Result<void> run() {
        if (!m_rules.count("root"))
            return fail(ErrorKind::input, "CL-2163", "the grammar has no rule 'root'",
                        "name the rule that stands for the whole answer 'root'");
        for (const auto& [name, rule] : m_rules) {
            const GrammarPart* unknown = nullptr;
            eachRuleUse(rule->body, [&](const GrammarPart& use) {
                if (!unknown && !m_rules.count(use.rule))
                    unknown = &use;
            });
            if (unknown)
                return badGrammar("CL-2163", unknown->line, unknown->column, fmt::format("there is no rule '{}'", unknown->rule),
                                  "define it, or correct its name");
        }
        grow(m_ending, [this](const GrammarPart& part) { return ends(part); });
        for (const auto& [name, rule] : m_rules)
            if (!m_ending.count(name))
                return badGrammar("CL-2163", rule->body.line, rule->body.column,
                                  fmt::format("the rule '{}' never ends: every way through it needs itself again", name),
                                  "give it a way without itself");
        grow(m_empty, [this](const GrammarPart& part) { return canBeEmpty(part); });
        for (const auto& [name, rule] : m_rules)
            CAROUSEL_TRY(beginsWithItself(name));
        return {};
    }

private:
    template <class Holds> void grow(std::set<std::string>& names, Holds&& holds) {
        for (bool changed = true; changed;) {
            changed = false;
            for (const auto& [name, rule] : m_rules)
                if (!names.count(name) && holds(rule->body))
                    changed = names.insert(name).second;
        }
    }
    bool ends(const GrammarPart& part) const {
        const auto inner = [this](const GrammarPart& one) { return ends(one); };
        switch (part.kind) {
        case Kind::characters:
            return true;
        case Kind::rule:
            return m_ending.count(part.rule) > 0;
        case Kind::sequence:
            return std::all_of(part.parts.begin(), part.parts.end(), inner);
        case Kind::choice:
            return std::any_of(part.parts.begin(), part.parts.end(), inner);
        case Kind::repeat:
            return part.least == 0 || ends(part.parts.front());
        }
        return false;
    }
    bool canBeEmpty(const GrammarPart& part) const {
        const auto inner = [this](const GrammarPart& one) { return canBeEmpty(one); };
        switch (part.kind) {
        case Kind::characters:
            return false;
        case Kind::rule:
            return m_empty.count(part.rule) > 0;
        case Kind::sequence:
            return std::all_of(part.parts.begin(), part.parts.end(), inner);
        case Kind::choice:
            return std::any_of(part.parts.begin(), part.parts.end(), inner);
        case Kind::repeat:
            return part.least == 0 || canBeEmpty(part.parts.front());
        }
        return false;
    }
    // Rule uses that can be reached before any character.
    template <class Visit> void eachFirstUse(const GrammarPart& part, Visit&& visit) const {
        if (part.kind == Kind::rule)
            visit(part);
        for (const GrammarPart& inner : part.parts) {
            eachFirstUse(inner, visit);
            if (part.kind == Kind::sequence && !canBeEmpty(inner))
                return;
        }
    }
    Result<void> beginsWithItself(const std::string& name) const {
        std::set<std::string> reached;
        std::vector<std::string> waiting{name};
        const GrammarPart* found = nullptr;
        while (!waiting.empty() && !found) {
            const GrammarRule& rule = *m_rules.at(waiting.back());
            waiting.pop_back();
            eachFirstUse(rule.body, [&](const GrammarPart& use) {
                if (use.rule == name && !found)
                    found = &use;
                if (reached.insert(use.rule).second)
                    waiting.push_back(use.rule);
            });
        }
        if (found)
            return badGrammar("CL-2163", found->line, found->column, fmt::format("the rule '{}' begins with itself", name),
                              "let it end with itself instead, or use a repetition: item (\",\" item)*");
        return {};
    }

    std::map<std::string, const GrammarRule*> m_rules;
    std::set<std::string> m_ending, m_empty;
};

struct TooLarge {};

class Compiler {
public:
    Grammar run(const std::vector<GrammarRule>& rules) {
        // Node 0 returns; each rule starts at a node of known number, so that calls can be made before what they call.
        add(Grammar::Node::Kind::back, 0, 0);
        for (const GrammarRule& rule : rules)
            m_starts.emplace(rule.name, add(Grammar::Node::Kind::choice, 0, 0));
        for (const GrammarRule& rule : rules) {
            const std::uint32_t body = compiled(rule.body, 0);
            Grammar::Node& start = m_grammar.nodes[m_starts.at(rule.name)];
            start.next = start.other = body;
        }
        m_grammar.start = m_starts.at("root");
        return std::move(m_grammar);
    }

private:
    std::uint32_t add(Grammar::Node::Kind kind, std::uint32_t next, std::uint32_t other) {
        if (m_grammar.nodes.size() >= mostNodes)
            throw TooLarge{};
        m_grammar.nodes.push_back({kind, next, other});
        return static_cast<std::uint32_t>(m_grammar.nodes.size() - 1);
    }
    // Nodes that match `part` and go on at `next`; returns the first of them.
    std::uint32_t compiled(const GrammarPart& part, std::uint32_t next) {
        if (++m_visits > 10 * mostNodes) // repetitions of nothing make no nodes
            throw TooLarge{};
        switch (part.kind) {
        case Kind::characters:
            return characters(part.ranges, next);
        case Kind::rule:
            return add(Grammar::Node::Kind::call, next, m_starts.at(part.rule));
        case Kind::sequence:
            for (std::size_t i = part.parts.size(); i-- > 0;)
                next = compiled(part.parts[i], next);
            return next;
        case Kind::choice: {
            std::uint32_t ways = compiled(part.parts.back(), next);
            for (std::size_t i = part.parts.size() - 1; i-- > 0;) {
                const std::uint32_t way = compiled(part.parts[i], next);
                ways = add(Grammar::Node::Kind::choice, way, ways);
            }
            return ways;
        }
        case Kind::repeat: {
            const GrammarPart& inner = part.parts.front();
            std::uint32_t first = next;
            if (part.most == GrammarPart::noLimit) {
                first = add(Grammar::Node::Kind::choice, next, next);
                const std::uint32_t round = compiled(inner, first);
                m_grammar.nodes[first].next = round;
            } else {
                for (std::uint32_t i = part.least; i < part.most; ++i) {
                    const std::uint32_t round = compiled(inner, first);
                    first = add(Grammar::Node::Kind::choice, round, next);
                }
            }
            for (std::uint32_t i = 0; i < part.least; ++i)
                first = compiled(inner, first);
            return first;
        }
        }
        return next;
    }
    std::uint32_t bytes(unsigned char first, unsigned char last, std::uint32_t next) {
        std::bitset<256> set;
        for (int byte = first; byte <= last; ++byte)
            set.set(static_cast<std::size_t>(byte));
        return bytes(set, next);
    }
    std::uint32_t bytes(const std::bitset<256>& set, std::uint32_t next) {
        const auto [place, isNew] = m_sets.emplace(set.to_string(), static_cast<std::uint32_t>(m_grammar.sets.size()));
        if (isNew)
            m_grammar.sets.push_back(set);
        return add(Grammar::Node::Kind::byte, next, place->second);
    }
    // Ranges of characters as runs of byte ranges: a range is cut until all its characters differ in trailing whole bytes only.
    std::uint32_t characters(const std::vector<CharacterRange>& ranges, std::uint32_t next) {
        std::bitset<256> ascii;
        std::vector<std::uint32_t> ways;
        for (const CharacterRange& range : ranges) {
            for (std::uint32_t code = range.first; code <= std::min<std::uint32_t>(range.last, 0x7F); ++code)
                ascii.set(code);
            constexpr std::uint32_t borders[][2] = {{0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, lastCharacter}};
            for (const auto& border : borders)
                if (const std::uint32_t from = std::max(range.first, border[0]), to = std::min(range.last, border[1]); from <= to)
                    cut(from, to, next, ways);
        }
        if (ascii.any())
            ways.push_back(bytes(ascii, next));
        std::uint32_t all = ways.back();
        for (std::size_t i = ways.size() - 1; i-- > 0;)
            all = add(Grammar::Node::Kind::choice, ways[i], all);
        return all;
    }
    void cut(std::uint32_t first, std::uint32_t last, std::uint32_t next, std::vector<std::uint32_t>& ways) {
        const int trailing = first < 0x800 ? 1 : first < 0x10000 ? 2 : 3;
        for (int i = 1; i <= trailing; ++i) {
            const std::uint32_t low = (1u << (6 * i)) - 1;
            if ((first & ~low) == (last & ~low))
                continue;
            if ((first & low) != 0) {
                cut(first, first | low, next, ways);
                cut((first | low) + 1, last, next, ways);
                return;
            }
            if ((last & low) != low) {
                cut(first, (last & ~low) - 1, next, ways);
                cut(last & ~low, last, next, ways);
                return;
            }
        }
        std::string from, to;
        appendUtf8(from, static_cast<std::int32_t>(first));
        appendUtf8(to, static_cast<std::int32_t>(last));
        for (std::size_t i = from.size(); i-- > 0;)
            next = bytes(static_cast<unsigned char>(from[i]), static_cast<unsigned char>(to[i]), next);
        ways.push_back(next);
    }

    Grammar m_grammar;
    std::size_t m_visits = 0;
    std::map<std::string, std::uint32_t> m_starts;
    std::map<std::string, std::uint32_t> m_sets;
};

} // namespace

Result<Grammar> Grammar::parse(std::string_view text) {
    CAROUSEL_ASSIGN(const std::vector<GrammarRule> rules, parseGrammar(text));
    CAROUSEL_TRY(RuleCheck(rules).run());
    try {
        return Compiler().run(rules);
    } catch (const TooLarge&) {
        return fail(ErrorKind::input, "CL-2164", fmt::format("the grammar needs more than {} nodes", mostNodes),
                    "use fewer or smaller counted repetitions");
    }
}

} // namespace carousel
