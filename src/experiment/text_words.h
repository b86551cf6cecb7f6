// SPDX-License-Identifier: GPL-3.0-or-later
// A text as words that can be compared: case and accents are gone, every word knows its bytes. Pure functions.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct TextWord {
    std::string folded;          // Unicode case folding, marks stripped, apostrophes left out: "Chef's" -> "chefs", "Café" -> "cafe"; "&" -> "and"
    std::string owner;           // without a possessive 's: "chef"; empty when there is none
    std::size_t begin = 0, end = 0; // bytes of the text
    bool capital = false;        // begins with an upper-case letter
    bool breakBefore = false;    // a full stop, "!", "?", ";" with a space behind it, or a new line lies between the word before and this one
    bool number = false;         // 5, 1,240, 12.95, 3rd; then `value`
    bool ordinal = false;
    double value = 0;
};

// Words are runs of letters, marks and digits; a hyphen ends a word. Bytes that are not UTF-8 end a word. A script that writes no spaces gives
// one word per run.
std::vector<TextWord> textWords(std::string_view text);
// The folded words with one space between: " raised bed lark 2 ", with a space at both ends. Empty text gives " ".
std::string joinedWords(std::string_view text);
// Without a plural s: "tents" -> "tent", "grass" -> "grass".
std::string singular(std::string_view folded);

// At most so many bytes of UTF-8 text, cut at a character's edge.
std::string firstBytes(std::string_view text, std::size_t most);

} // namespace carousel
