// SPDX-License-Identifier: GPL-3.0-or-later
// Pairs of texts as token ids, and which of them make up a step.
#pragma once
#include "base/run_control.h"
#include "llm/text_to_text.h"
#include "llm/tokenizer.h"

namespace carousel {

struct TokenPairs {
    std::vector<std::vector<TokenId>> sources, targets; // the end token included, except of a target that was cut
    std::vector<double> weights;
    std::vector<int> groups;
    std::int64_t cutSources = 0, cutTargets = 0;
    std::int64_t tokensOf(std::size_t pair) const { return static_cast<std::int64_t>(sources[pair].size() + targets[pair].size()); }
};

// As T5Model encodes prompts and the texts of its answers. A longer source keeps its end, a longer target its beginning.
Result<TokenPairs> tokenPairs(const Tokenizer& tokenizer, const std::vector<TextPair>& pairs, std::int64_t sourceLimit,
                              std::int64_t targetLimit, TokenId end, const RunControl& control);

// All pairs, in batches of which pairs x (longest source + longest target) is at most `tokens` (a longer pair alone). The pairs are
// shuffled, sorted by length within stretches of about 32 batches, and the batches of all stretches shuffled. A pure function of its
// arguments.
std::vector<std::vector<std::size_t>> shuffledBatches(const TokenPairs& pairs, std::int64_t tokens, std::uint64_t seed, int epoch);
// The same by length alone.
std::vector<std::vector<std::size_t>> batchesByLength(const TokenPairs& pairs, std::int64_t tokens);

} // namespace carousel
