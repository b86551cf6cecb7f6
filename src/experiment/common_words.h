// SPDX-License-Identifier: GPL-3.0-or-later
// Ordinary English words: what a name made of nothing else must be told apart from by its capitals. Ours, by hand.
#pragma once
#include <string_view>

namespace carousel {

bool isOrdinaryWord(std::string_view folded);
// Ordinary words that people also use as category, tag or colour and say without meaning it: "a natural choice", "a great gift".
bool isIdiomWord(std::string_view folded);

} // namespace carousel
