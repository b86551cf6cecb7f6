// SPDX-License-Identifier: GPL-3.0-or-later
// Words of a text as the text metrics see them: Unicode form NFC, lower case (simple mapping), then one token for every run of letters, marks
// and digits and one for every other visible character: "Chef's knife, 20 cm" -> chef ' s knife , 20 cm. No stemming, no stop words.
// Bytes that are not UTF-8 count as blanks. Pure functions.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

using TextTokens = std::vector<std::string>;
TextTokens textTokens(std::string_view text);

// Whether `words` stand in `text` one behind the other. No words stand nowhere.
bool containsTokens(const TextTokens& text, const TextTokens& words);

} // namespace carousel
