// SPDX-License-Identifier: GPL-3.0-or-later
// Character classes as the tokenizers' definitions use them, over utf8proc.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carousel {

struct Character {
    std::int32_t code = -1; // -1: a byte that is not part of valid UTF-8
    std::size_t bytes = 1;
};
Character characterAt(std::string_view text, std::size_t at); // at < text.size()
void appendUtf8(std::string& to, std::int32_t code);
std::string composed(std::string_view text); // Unicode's form NFC; text that is not UTF-8 comes back as it is

bool isLetter(std::int32_t code);      // \p{L}
bool isNumber(std::int32_t code);      // \p{N}
bool isWhiteSpace(std::int32_t code);  // the Unicode property White_Space
bool isPunctuation(std::int32_t code); // \p{P}
bool isMark(std::int32_t code);        // \p{Mn}
bool isOther(std::int32_t code);       // \p{C}: control, format, surrogate, private, unassigned

} // namespace carousel
