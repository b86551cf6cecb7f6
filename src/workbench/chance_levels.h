// SPDX-License-Identifier: GPL-3.0-or-later
// What chance reaches where strategies are compared. Random order of C candidates with one relevant item among them gives
// nDCG@k = 1/C sum over r = 1..min(k, C) of 1 / log2(r + 1): 0.2272 for C = 20 and k = 10, 0.0454 for C = 100.
#pragma once
#include "workbench/workbench.h"

namespace carousel {

// How many candidates a strategy's scorer puts in order, the others keeping the retriever's behind them; 0 where it orders all of them, or
// where a controller moves items across that border.
int shortlistOf(const StrategySpec& strategy);

// nDCG with the first `count` places of every list in random order, and the strategy's own less that, paired over users. A shortlist that
// is as good in any order shows what its retriever found, not what its scorer knows. `ndcg`: the strategy's, per user in the order of
// `lists`.
ShortlistLevel shortlistLevel(std::span<const RankedUser> lists, int count, const MetricValue& ndcg, const MetricOptions& options);

// One sentence for every strategy whose nDCG is not shown to lie above chance: interval against the level of everything in random order,
// and difference against its own shortlist in random order.
std::vector<std::string> chanceWarnings(const StudyComparison& comparison);

} // namespace carousel
