// SPDX-License-Identifier: GPL-3.0-or-later
// Two strategies in one carousel: which one the clicks go to. Needs far fewer users than showing each to half of them, and says which is
// better, not by how much. Pure functions of their random stream.
#pragma once
#include "base/random.h"
#include "evaluation/statistics/interval.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct Interleaved {
    std::vector<std::int32_t> items;  // distinct, at most `length`
    std::vector<std::uint8_t> team;   // 0: the first strategy's, 1: the second's; probabilistic: the list it was drawn from
};
// Team draft (Radlinski, Kurup and Joachims, CIKM 2008): in each round a coin says who picks first; each picks its best item that is free.
Interleaved teamDraft(std::span<const std::int32_t> a, std::span<const std::int32_t> b, std::size_t length, RandomStream& random);
// Probabilistic (Hofmann, Whiteson and de Rijke, CIKM 2011): each slot draws a list by coin and an item from it by softmax over ranks,
// P(rank r) proportional to r^-tau, tau 3; items that are taken are out of both.
Interleaved probabilisticInterleave(std::span<const std::int32_t> a, std::span<const std::int32_t> b, std::size_t length, RandomStream& random,
                                    double tau = 3);

struct InterleavingResult {
    std::size_t winsA = 0, winsB = 0, ties = 0; // impressions in which more clicks went to A's items, to B's, equally many
    double preference = 0;   // (wins A + ties / 2) / all - 1/2: above 0 for A
    double pValue = 1;       // exact two-sided sign test over the impressions without a tie
    Interval winShare = noInterval(); // of A among the impressions without a tie: Clopper-Pearson
};
InterleavingResult judge(std::span<const int> clicksA, std::span<const int> clicksB, double confidence);

} // namespace carousel
