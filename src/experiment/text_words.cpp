// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/text_words.h"
#include "base/text.h"
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <utf8proc.h>

namespace carousel {

namespace {

struct Letter {
    utf8proc_int32_t code = -1;
    std::size_t bytes = 1;
};
Letter letterAt(std::string_view text, std::size_t at) {
    Letter out;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &out.code);
    if (length > 0)
        out.bytes = static_cast<std::size_t>(length);
    else
        out.code = -1;
    return out;
}
bool isDigit(utf8proc_int32_t code) { return code >= '0' && code <= '9'; }
bool isApostrophe(utf8proc_int32_t code) { return code == '\'' || code == 0x2019 || code == 0x02BC; }
bool isWordPart(utf8proc_int32_t code) {
    if (code < 0)
        return false;
    const auto category = utf8proc_category(code);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

std::string foldedText(std::string_view text) {
    utf8proc_uint8_t* made = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &made,
                                     static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_STABLE));
    std::string out = length >= 0 ? std::string(reinterpret_cast<const char*>(made), static_cast<std::size_t>(length)) : lowered(text);
    std::free(made);
    return out;
}

// "1,240.50", "12,95", "1,240": the last separator is the decimal one, unless it is a comma before exactly three digits.
bool readNumber(std::string_view digits, double& value) {
    const auto dots = std::count(digits.begin(), digits.end(), '.'), commas = std::count(digits.begin(), digits.end(), ',');
    std::string plain;
    char decimal = 0;
    if (dots > 0 && commas > 0)
        decimal = digits.rfind('.') > digits.rfind(',') ? '.' : ',';
    else if (dots == 1)
        decimal = '.';
    else if (commas == 1 && digits.size() - digits.find(',') - 1 != 3)
        decimal = ',';
    else if (dots > 1)
        return false; // 1.2.3 is a version
    for (const char c : digits)
        if (c == decimal)
            plain += '.';
        else if (c != '.' && c != ',')
            plain += c;
    const auto parsed = parseNumber(plain);
    value = parsed.value_or(0);
    return parsed.has_value();
}

bool isBreak(std::string_view between) {
    if (between.find('\n') != std::string_view::npos)
        return true;
    for (std::size_t i = 0; i + 1 < between.size(); ++i)
        if (std::string_view(".!?;").find(between[i]) != std::string_view::npos) {
            const std::size_t next = between.find_first_not_of("\"')]*_", i + 1);
            if (next != std::string_view::npos && (between[next] == ' ' || between[next] == '\t' || between[next] == '\r'))
                return true;
        }
    return false;
}

} // namespace

std::string singular(std::string_view folded) {
    if (folded.size() > 3 && folded.ends_with("s") && !folded.ends_with("ss"))
        folded.remove_suffix(1);
    return std::string(folded);
}

std::vector<TextWord> textWords(std::string_view text) {
    std::vector<TextWord> words;
    std::size_t lastEnd = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Letter first = letterAt(text, at);
        if (first.code != '&' && !isWordPart(first.code)) {
            at += first.bytes;
            continue;
        }
        TextWord word;
        word.begin = at;
        std::string bare;             // without apostrophes
        std::size_t ownerLength = 0;  // bytes of `bare` before a final 's
        bool onlyDigits = true;
        if (first.code == '&') {
            at += first.bytes;
            bare = "and";
            onlyDigits = false;
        } else {
            while (at < text.size()) {
                const Letter letter = letterAt(text, at);
                const std::size_t next = at + letter.bytes;
                const Letter following = next < text.size() ? letterAt(text, next) : Letter{};
                if (isWordPart(letter.code)) {
                    onlyDigits = onlyDigits && isDigit(letter.code);
                    bare += text.substr(at, letter.bytes);
                } else if (onlyDigits && (letter.code == '.' || letter.code == ',') && isDigit(following.code)) {
                    bare += text[at];
                } else if (!onlyDigits && isApostrophe(letter.code) && isWordPart(following.code)) {
                    ownerLength = bare.size();
                } else {
                    break;
                }
                at = next;
            }
        }
        word.end = at;
        word.breakBefore = !words.empty() && isBreak(text.substr(lastEnd, word.begin - lastEnd));
        lastEnd = word.end;
        word.capital = utf8proc_category(first.code) == UTF8PROC_CATEGORY_LU || utf8proc_category(first.code) == UTF8PROC_CATEGORY_LT;
        word.folded = foldedText(bare);
        if (ownerLength > 0 && (bare.substr(ownerLength) == "s" || bare.substr(ownerLength) == "S"))
            word.owner = foldedText(std::string_view(bare).substr(0, ownerLength));
        if (onlyDigits)
            word.number = readNumber(bare, word.value);
        if (onlyDigits && word.number)
            word.folded = fmt::format("{}", word.value); // "1,240" and "1240" are one word
        else if (word.folded.size() > 2 && isDigit(static_cast<unsigned char>(word.folded[0]))) {
            const std::string_view tail = std::string_view(word.folded).substr(word.folded.size() - 2), head = std::string_view(word.folded).substr(0, word.folded.size() - 2);
            if ((tail == "st" || tail == "nd" || tail == "rd" || tail == "th") && head.find_first_not_of("0123456789") == std::string_view::npos)
                word.number = word.ordinal = readNumber(head, word.value);
        }
        words.push_back(std::move(word));
    }
    return words;
}

std::string joinedWords(std::string_view text) {
    std::string out = " ";
    for (const auto& word : textWords(text))
        out += word.folded + " ";
    return out;
}

std::string firstBytes(std::string_view text, std::size_t most) {
    std::size_t end = std::min(text.size(), most);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return std::string(text.substr(0, end));
}

} // namespace carousel
