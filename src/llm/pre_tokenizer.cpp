// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/pre_tokenizer.h"
#include "llm/unicode.h"
#include <algorithm>

namespace carousel {

namespace {

enum class Class { letter, number, blank, other };
Class classOf(std::int32_t code) {
    if (isLetter(code))
        return Class::letter;
    if (isNumber(code))
        return Class::number;
    return isWhiteSpace(code) ? Class::blank : Class::other;
}

bool endsLine(char c) {
    return c == '\r' || c == '\n';
}

// Bytes of "'s", "'ll" and the like at the start of `text`, 0 when there is none. Without regard to case, an s may also be a long s
// (U+017F).
std::size_t contraction(std::string_view text, bool anyCase) {
    if (text.size() < 2 || text[0] != '\'')
        return 0;
    if (anyCase && text.substr(1).starts_with("\xC5\xBF"))
        return 3;
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
        const std::string_view found = text.substr(1, ending.size());
        const auto same = [&](char a, char b) { return a == b || (anyCase && a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
        if (found.size() == ending.size() && std::equal(found.begin(), found.end(), ending.begin(), same))
            return 1 + ending.size();
    }
    return 0;
}

struct Run {
    std::size_t end, last; // one past the run, start of its last character
};
Run runOf(std::string_view text, std::size_t at, Class wanted) {
    Run run{at, at};
    while (run.end < text.size()) {
        const Character c = characterAt(text, run.end);
        if (classOf(c.code) != wanted)
            break;
        run.last = run.end;
        run.end += c.bytes;
    }
    return run;
}

// Where the piece that begins at `at` ends.
std::size_t gpt2End(std::string_view text, std::size_t at, bool digitsAlone) {
    const Character first = characterAt(text, at);
    const Class kind = classOf(first.code);
    if (digitsAlone && kind == Class::number) // cut out one by one before all else, so for the rest they are an end of text
        return at + first.bytes;
    if (const auto length = contraction(text.substr(at), false))
        return at + length;
    if (kind != Class::blank)
        return runOf(text, at, kind).end;
    const Run blanks = runOf(text, at, Class::blank);
    if (blanks.end == text.size() || (digitsAlone && isNumber(characterAt(text, blanks.end).code)))
        return blanks.end;
    if (blanks.last > at) // text follows: the last blank stays behind, and joins the text when it is a plain space
        return blanks.last;
    return text[at] == ' ' ? runOf(text, at + 1, classOf(characterAt(text, at + 1).code)).end : blanks.end;
}

std::size_t llama3End(std::string_view text, std::size_t at, int digits) {
    if (const auto length = contraction(text.substr(at), true))
        return at + length;
    const Character first = characterAt(text, at);
    const Class kind = classOf(first.code);
    if (kind == Class::letter)
        return runOf(text, at, Class::letter).end;
    const std::size_t next = at + first.bytes;
    const Class nextKind = next < text.size() ? classOf(characterAt(text, next).code) : Class::blank;
    if (kind != Class::number && !endsLine(text[at]) && nextKind == Class::letter) // one sign or blank joins the word behind it
        return runOf(text, next, Class::letter).end;
    if (kind == Class::number) {
        std::size_t end = next;
        for (int count = 1; count < digits && end < text.size(); ++count) {
            const Character c = characterAt(text, end);
            if (!isNumber(c.code))
                break;
            end += c.bytes;
        }
        return end;
    }
    if (kind == Class::other || (text[at] == ' ' && nextKind == Class::other)) {
        std::size_t end = runOf(text, kind == Class::other ? at : next, Class::other).end;
        while (end < text.size() && endsLine(text[end]))
            ++end;
        return end;
    }
    const Run blanks = runOf(text, at, Class::blank);
    for (std::size_t end = blanks.end; end > at; --end) // up to the last end of line among the blanks
        if (endsLine(text[end - 1]))
            return end;
    return blanks.end == text.size() || blanks.last == at ? blanks.end : blanks.last;
}

constexpr std::string_view llama3Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

} // namespace

std::optional<PreTokenizer> preTokenizerNamed(std::string_view name) {
    if (name == "gpt-2" || name == "gpt2")
        return PreTokenizer::gpt2;
    if (name == "smollm")
        return PreTokenizer::smollm;
    if (name == "llama-bpe" || name == "llama3" || name == "llama-v3")
        return PreTokenizer::llama3;
    if (name == "qwen2" || name == "deepseek-r1-qwen")
        return PreTokenizer::qwen2;
    return std::nullopt;
}

std::optional<PreTokenizer> preTokenizerOfExpression(std::string_view expression) {
    if (expression == llama3Expression)
        return PreTokenizer::llama3;
    if (expression == qwen2Expression)
        return PreTokenizer::qwen2;
    return std::nullopt;
}

std::vector<std::string_view> piecesOf(PreTokenizer rule, std::string_view text) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        switch (rule) {
        case PreTokenizer::gpt2:
            end = gpt2End(text, at, false);
            break;
        case PreTokenizer::smollm:
            end = gpt2End(text, at, true);
            break;
        case PreTokenizer::llama3:
            end = llama3End(text, at, 3);
            break;
        case PreTokenizer::qwen2:
            end = llama3End(text, at, 1);
            break;
        }
        pieces.push_back(text.substr(at, end - at));
        at = end;
    }
    return pieces;
}

} // namespace carousel
