// SPDX-License-Identifier: GPL-3.0-or-later
// Which token comes next, and where an answer ends.
#pragma once
#include "base/random.h"
#include "llm/tokenizer.h"
#include "stages/language_model.h"
#include <span>

namespace carousel {

// Temperature 0: the largest logit, the lowest id among equals. Otherwise drawn from the most probable tokens that together reach topP.
TokenId chooseToken(std::span<const float> logits, const GenerateOptions& options, RandomStream& random);
// Where the earliest of the stop texts begins, or npos.
std::size_t firstStop(const std::string& text, const std::vector<std::string>& stops);

} // namespace carousel
