// SPDX-License-Identifier: GPL-3.0-or-later
// Set phrases that claim something, and what decides whether they may be said.
#pragma once
#include <span>
#include <string_view>

namespace carousel {

enum class Claim {
    mostPopular,  // first by popularity
    amongPopular, // in the first tenth
    popular,      // in the first quarter
    cheapest,     // no item costs less
    cheaper,      // costs less than the middle one of the last choices
    dearer,       // costs more than that
    usualPrice,   // costs between the lowest and the highest of the last choices
    bought,       // the facts say liked, never bought
    stated,       // true only where the item's own text says it
    others        // what other people do beside liking: no fact
};
struct ClaimPhrase {
    std::string_view words; // folded, one space between
    Claim claim;
};
std::span<const ClaimPhrase> claimPhrases(); // longer ones before shorter ones
std::string_view wordsOf(Claim claim);       // "the most popular item"

} // namespace carousel
