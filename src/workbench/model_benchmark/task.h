// SPDX-License-Identifier: GPL-3.0-or-later
// The scoring task that speed is measured on: a user with a history of about 300 tokens, candidates of about 30, one yes/no question for
// each. Made from a seed alone, so that every engine, run and machine gets the same texts. Nothing in it is a real title.
#pragma once
#include "llm/chat_template.h"
#include "stages/language_model.h"
#include <functional>

namespace carousel {

struct BenchmarkTaskOptions {
    int prompts = 20, candidates = 50;
    std::int64_t historyTokens = 300; // of a prompt's shared part, reached to within one item (about 15 tokens)
    std::uint64_t seed = 7;
};
// The shared part ends in a colon and every branch begins with a blank: their tokens are the same joined and apart.
std::vector<BranchRequest> benchmarkPrompts(const BenchmarkTaskOptions& options,
                                            const std::function<std::int64_t(const std::string&)>& countTokens);
// Short product texts, about 22 WordPiece tokens in the mean, for encoders.
std::vector<std::string> benchmarkTexts(int count, std::uint64_t seed = 7);

// The same task as ids, as the scorer makes them: shared[p], then branches[p][c], which end where the answer is read.
struct BenchmarkIds {
    std::vector<std::vector<TokenId>> shared;
    std::vector<std::vector<std::vector<TokenId>>> branches;
    std::vector<TokenId> answers;
};
BenchmarkIds benchmarkIds(const std::vector<BranchRequest>& prompts, const ChatTemplate& chat);

} // namespace carousel
