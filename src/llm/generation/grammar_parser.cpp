// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"
#include "llm/generation/grammar_tree.h"
#include "llm/unicode.h"
#include <algorithm>
#include <cctype>

namespace carousel {

namespace {

constexpr std::size_t longestText = 65536;
constexpr std::uint32_t mostRepeats = 1000;
constexpr int deepestNesting = 100, mostMarks = 4;
constexpr std::size_t mostRules = 2000;

// Thrown and caught in this file only: a parser that goes down many functions.
struct Refused {
    Error error;
};

class Parser {
public:
    explicit Parser(std::string_view text) : m_text(text) {}

    std::vector<GrammarRule> rules() {
        std::vector<GrammarRule> all;
        for (skipBlanks(); m_at < m_text.size(); skipBlanks()) {
            const std::size_t line = m_line, column = m_column;
            std::string name = ruleName();
            if (name.empty())
                refuse(fmt::format("'{}' where a rule should begin", here()), "a rule is written: name ::= parts");
            for (const GrammarRule& rule : all)
                if (rule.name == name)
                    refuseAt(line, column, fmt::format("the rule '{}' is defined twice", name), "join the two with |");
            if (all.size() == mostRules)
                throw Refused{
                    badGrammar("CL-2164", line, column, fmt::format("more than {} rules", mostRules), "join or shorten some").value()};
            skipBlanks();
            if (!take("::="))
                refuse(fmt::format("'{}' after the name '{}'", here(), name), "write ::= between a rule's name and its parts");
            all.push_back({std::move(name), choice(0)});
            if (m_at < m_text.size() && !atRule())
                refuse(fmt::format("unexpected '{}'", here()), "close brackets, or quote text");
        }
        return all;
    }

private:
    [[noreturn]] void refuseAt(std::size_t line, std::size_t column, const std::string& what, const std::string& hint) const {
        throw Refused{badGrammar("CL-2162", line, column, what, hint).value()};
    }
    [[noreturn]] void refuse(const std::string& what, const std::string& hint) const { refuseAt(m_line, m_column, what, hint); }
    std::string here() const {
        return m_at < m_text.size() ? quotedForMessage(m_text.substr(m_at, characterAt(m_text, m_at).bytes)) : "end of text";
    }

    void step() { // one character
        const std::size_t bytes = characterAt(m_text, m_at).bytes;
        if (m_text[m_at] == '\n')
            ++m_line, m_column = 1;
        else
            ++m_column;
        m_at += bytes;
    }
    bool take(std::string_view what) {
        if (m_text.substr(m_at, what.size()) != what)
            return false;
        for (std::size_t i = 0; i < what.size(); ++i)
            step();
        return true;
    }
    void skipBlanks() {
        for (; m_at < m_text.size(); step()) {
            if (m_text[m_at] == '#')
                while (m_at < m_text.size() && m_text[m_at] != '\n')
                    step();
            if (m_at == m_text.size() || !std::isspace(static_cast<unsigned char>(m_text[m_at])))
                return;
        }
    }
    static bool ofName(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; }
    std::string ruleName() {
        std::string name;
        for (; m_at < m_text.size() && ofName(m_text[m_at]); step())
            name += m_text[m_at];
        return name;
    }
    // Whether a new rule begins here: a name, then ::=
    bool atRule() {
        const std::size_t at = m_at, line = m_line, column = m_column;
        const bool named = !ruleName().empty();
        skipBlanks();
        const bool found = named && m_text.substr(m_at, 3) == "::=";
        m_at = at, m_line = line, m_column = column;
        return found;
    }
    GrammarPart part(GrammarPart::Kind kind) const {
        GrammarPart made;
        made.kind = kind;
        made.line = m_line;
        made.column = m_column;
        return made;
    }

    GrammarPart choice(int depth) {
        if (depth > deepestNesting)
            refuse("brackets nested too deep", "use rules of their own for inner parts");
        GrammarPart all = part(GrammarPart::Kind::choice);
        do
            all.parts.push_back(sequence(depth));
        while (take("|"));
        if (all.parts.size() == 1)
            return GrammarPart(std::move(all.parts.front()));
        return all;
    }
    GrammarPart sequence(int depth) {
        skipBlanks();
        GrammarPart all = part(GrammarPart::Kind::sequence);
        for (skipBlanks(); m_at < m_text.size() && m_text[m_at] != '|' && m_text[m_at] != ')' && !atRule(); skipBlanks())
            all.parts.push_back(repeated(single(depth)));
        return all;
    }
    GrammarPart single(int depth) {
        if (m_text[m_at] == '"')
            return quoted();
        if (m_text[m_at] == '[')
            return set();
        GrammarPart one = part(GrammarPart::Kind::characters);
        if (take(".")) {
            one.ranges = {{0, lastCharacter}};
            return one;
        }
        if (take("(")) {
            one = choice(depth + 1);
            if (!take(")"))
                refuse(fmt::format("'{}' where ')' is missing", here()), "close the bracket");
            return one;
        }
        one.kind = GrammarPart::Kind::rule;
        one.rule = ruleName();
        if (one.rule.empty())
            refuse(fmt::format("unexpected '{}'", here()), "a part is \"text\", [a set], ., a rule's name or (parts)");
        return one;
    }
    std::uint32_t hexadecimal(int digits) {
        std::uint32_t value = 0;
        for (int i = 0; i < digits; ++i, step()) {
            if (m_at == m_text.size() || !std::isxdigit(static_cast<unsigned char>(m_text[m_at])))
                refuse(fmt::format("'{}' where a hexadecimal digit should be", here()), fmt::format("this escape takes {} digits", digits));
            const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(m_text[m_at])));
            value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        return value;
    }
    // One character of a text or a set, escapes resolved.
    std::uint32_t character(const char* inside) {
        if (m_at == m_text.size())
            refuse(fmt::format("the text ends inside {}", inside), "close it");
        const std::size_t line = m_line, column = m_column;
        std::uint32_t code = 0;
        if (m_text[m_at] == '\\') {
            step();
            if (m_at == m_text.size())
                refuse("the text ends after a backslash", "write \\\\ for a backslash");
            const char c = m_text[m_at];
            step();
            switch (c) {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case '\\':
            case '"':
            case '[':
            case ']':
            case '-':
            case '^':
                return static_cast<unsigned char>(c);
            case 'x':
                code = hexadecimal(2);
                break;
            case 'u':
                code = hexadecimal(4);
                break;
            case 'U':
                code = hexadecimal(8);
                break;
            default:
                refuseAt(line, column, fmt::format("the escape '\\{}' is not known", quotedForMessage(std::string(1, c))),
                         "known are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\^ \\xHH \\uHHHH \\UHHHHHHHH");
            }
        } else {
            const Character read = characterAt(m_text, m_at);
            if (read.code < 0)
                refuse("a byte that is not UTF-8", "write the grammar in UTF-8");
            code = static_cast<std::uint32_t>(read.code);
            step();
        }
        if (code > lastCharacter || (code >= 0xD800 && code <= 0xDFFF))
            refuseAt(line, column, fmt::format("U+{:04X} is not a character", code), "characters go to U+10FFFF without U+D800 to U+DFFF");
        return code;
    }
    GrammarPart quoted() {
        GrammarPart all = part(GrammarPart::Kind::sequence);
        step();
        while (m_at == m_text.size() || m_text[m_at] != '"') {
            GrammarPart one = part(GrammarPart::Kind::characters);
            const std::uint32_t code = character("\"text\"");
            one.ranges = {{code, code}};
            all.parts.push_back(std::move(one));
        }
        step();
        return all;
    }
    GrammarPart set() {
        GrammarPart one = part(GrammarPart::Kind::characters);
        step();
        const bool negated = take("^");
        std::vector<CharacterRange> ranges;
        while (m_at == m_text.size() || m_text[m_at] != ']') {
            const std::size_t line = m_line, column = m_column;
            CharacterRange range;
            range.first = range.last = character("[a set]");
            if (m_at + 1 < m_text.size() && m_text[m_at] == '-' && m_text[m_at + 1] != ']') {
                step();
                range.last = character("[a set]");
                if (range.last < range.first)
                    refuseAt(line, column, fmt::format("the range from U+{:04X} to U+{:04X} is empty", range.first, range.last),
                             "give the lower one first");
            }
            ranges.push_back(range);
        }
        step();
        std::sort(ranges.begin(), ranges.end(), [](const CharacterRange& a, const CharacterRange& b) { return a.first < b.first; });
        std::uint32_t next = 0; // first character behind all ranges so far
        for (const CharacterRange& range : ranges) {
            if (negated && range.first > next)
                one.ranges.push_back({next, range.first - 1});
            if (!negated && !one.ranges.empty() && range.first <= next)
                one.ranges.back().last = std::max(one.ranges.back().last, range.last);
            else if (!negated)
                one.ranges.push_back(range);
            next = std::max(next, range.last + 1);
        }
        if (negated && next <= lastCharacter)
            one.ranges.push_back({next, lastCharacter});
        if (one.ranges.empty())
            refuseAt(one.line, one.column, "a set without characters", "put at least one character into the brackets");
        return one;
    }
    std::uint32_t number() {
        std::uint64_t value = 0;
        const std::size_t line = m_line, column = m_column, at = m_at;
        for (; m_at < m_text.size() && std::isdigit(static_cast<unsigned char>(m_text[m_at])); step())
            value = std::min<std::uint64_t>(value * 10 + static_cast<std::uint64_t>(m_text[m_at] - '0'), mostRepeats + 1);
        if (m_at == at)
            refuse(fmt::format("'{}' where a number should be", here()), "repetitions are {n}, {n,} or {n,m}");
        if (value > mostRepeats)
            refuseAt(line, column, fmt::format("more than {} repetitions", mostRepeats), "use * or a smaller number");
        return static_cast<std::uint32_t>(value);
    }
    GrammarPart repeated(GrammarPart one) {
        for (int marks = 0;; ++marks) {
            if (marks > mostMarks)
                refuse("too many repetition marks in a row", "one of * + ? {n,m} says it");
            GrammarPart all = part(GrammarPart::Kind::repeat);
            all.most = GrammarPart::noLimit;
            if (take("?")) {
                all.most = 1;
            } else if (take("+")) {
                all.least = 1;
            } else if (take("{")) {
                all.least = all.most = number();
                if (take(","))
                    all.most = m_at < m_text.size() && m_text[m_at] == '}' ? GrammarPart::noLimit : number();
                if (!take("}"))
                    refuse(fmt::format("'{}' where '}}' is missing", here()), "repetitions are {n}, {n,} or {n,m}");
                if (all.most < all.least)
                    refuseAt(all.line, all.column, fmt::format("from {} to {} repetitions", all.least, all.most),
                             "give the lower number first");
            } else if (!take("*")) {
                return one;
            }
            all.parts.push_back(std::move(one));
            one = std::move(all);
        }
    }

    std::string_view m_text;
    std::size_t m_at = 0, m_line = 1, m_column = 1;
};

} // namespace

tl::unexpected<Error> badGrammar(const char* code, std::size_t line, std::size_t column, const std::string& what, const std::string& hint) {
    return fail(ErrorKind::input, code, fmt::format("grammar, line {}, column {}: {}", line, column, what), hint);
}

Result<std::vector<GrammarRule>> parseGrammar(std::string_view text) {
    if (text.size() > longestText)
        return fail(ErrorKind::input, "CL-2164", fmt::format("a grammar of {} characters; at most {} are taken", text.size(), longestText),
                    "shorten it, or use a list of texts to choose from");
    try {
        return Parser(text).rules();
    } catch (const Refused& refused) {
        return fail(refused.error);
    }
}

} // namespace carousel
