// SPDX-License-Identifier: GPL-3.0-or-later
// Which token comes next.
#pragma once
#include "base/random.h"
#include "llm/tokenizer.h"
#include "stages/language_model.h"
#include <span>

namespace carousel {

// Temperature 0: the largest logit, the lowest id among equals. Otherwise drawn at the temperature among the topK most probable tokens and,
// of those, the fewest that together reach topP of their mass. `among`: the ids that may come, ascending; empty: all.
TokenId chooseToken(std::span<const float> logits, const GenerateOptions& options, RandomStream& random,
                    std::span<const TokenId> among = {});
// Makes tokens of `earlier` less likely (or more, below 1); see GenerateOptions::repetitionPenalty. A token counts once.
void penaliseRepetition(std::span<float> logits, std::span<const TokenId> earlier, double penalty);
// log(sum(exp(x))), stable; x not empty.
double logSumExp(std::span<const float> x);

} // namespace carousel
