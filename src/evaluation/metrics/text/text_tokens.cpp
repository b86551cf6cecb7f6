// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/text/text_tokens.h"
#include <algorithm>
#include <cstdlib>
#include <utf8proc.h>

namespace carousel {

namespace {

void append(std::string& to, utf8proc_int32_t code) {
    utf8proc_uint8_t bytes[4];
    const auto n = utf8proc_encode_char(code, bytes);
    to.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
}

// Valid UTF-8 in form NFC; bytes that are none have become blanks.
std::string composedText(std::string_view text) {
    std::string sound;
    sound.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t code = -1;
        const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at), static_cast<utf8proc_ssize_t>(text.size() - at), &code);
        if (n <= 0) {
            sound += ' ';
            ++at;
        } else {
            sound.append(text.substr(at, static_cast<std::size_t>(n)));
            at += static_cast<std::size_t>(n);
        }
    }
    utf8proc_uint8_t* made = nullptr;
    const auto n = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(sound.data()), static_cast<utf8proc_ssize_t>(sound.size()), &made,
                                static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (n < 0)
        return sound;
    std::string out(reinterpret_cast<const char*>(made), static_cast<std::size_t>(n));
    std::free(made);
    return out;
}

enum class Kind { word, sign, blank };
Kind kindOf(utf8proc_int32_t code) {
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return Kind::word;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
        return Kind::sign;
    default:
        return Kind::blank; // separators, controls, unassigned
    }
}

} // namespace

TextTokens textTokens(std::string_view text) {
    const std::string composed = composedText(text);
    TextTokens tokens;
    bool inside = false; // of a word
    for (std::size_t at = 0; at < composed.size();) {
        utf8proc_int32_t code = -1;
        const auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(composed.data() + at), static_cast<utf8proc_ssize_t>(composed.size() - at), &code);
        if (n <= 0)
            break;
        at += static_cast<std::size_t>(n);
        const Kind kind = kindOf(code);
        if (kind != Kind::blank) {
            if (kind == Kind::sign || !inside)
                tokens.emplace_back();
            append(tokens.back(), utf8proc_tolower(code));
        }
        inside = kind == Kind::word;
    }
    return tokens;
}

bool containsTokens(const TextTokens& text, const TextTokens& words) {
    return !words.empty() && std::search(text.begin(), text.end(), words.begin(), words.end()) != text.end();
}

} // namespace carousel
