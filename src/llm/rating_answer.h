// SPDX-License-Identifier: GPL-3.0-or-later
// A rating from 1 to 5 as a language model gives it: the mean under the probabilities of the five digits, or one digit written.
#pragma once
#include "stages/language_model.h"
#include <optional>
#include <span>
#include <vector>

namespace carousel {

constexpr int ratingPoints = 5;
constexpr int writtenRatingTokens = 8;   // room for a digit, a full stop and the end; whoever needs more says more than a digit
std::vector<std::string> ratingDigits(); // "1" .. "5"

struct ExpectedRating {
    double value = 0;           // sum of r * softmax(logits)[r], 1..5
    std::vector<double> shares; // softmax
};
ExpectedRating expectedRating(std::span<const float> logits); // five finite ones

// Strict: one digit from 1 to 5, blanks around it and a full stop behind it aside; nothing for any other answer, and for one that was cut.
std::optional<int> writtenRating(const Generated& answer);

} // namespace carousel
