// SPDX-License-Identifier: GPL-3.0-or-later
// Orders in which candidates are shown to a model, and what the place in such an order does to an answer: input slots here are places in a
// prompt, not places on a carousel.
#pragma once
#include "base/result.h"
#include "data/split.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel::plugin {

// Places of `candidates` in ascending order of item code. Whoever works in this order and writes back through it gives the same answer for
// any order in which the candidates come.
std::vector<std::size_t> byCode(std::span<const Code> candidates);
struct SortedCandidates {
    std::vector<Code> items;        // ascending
    std::vector<std::size_t> order; // byCode: where each came from
};
SortedCandidates sortedCandidates(std::span<const Code> candidates);
// Place of `item` in ascending `items`; it is put in where it is not there.
std::size_t placeOf(std::vector<Code>& items, Code item);

struct Rounds {
    std::vector<std::vector<std::size_t>> orders; // per round: orders[r][slot] is a place in `sorted`
    bool fewer = false;                           // fewer than asked: so many different orders do not exist
};
// Permutations that differ pairwise, as the same permutation twice tells nothing about slots. They depend on the seed, the stream, the user
// and the set of items; the first k of more rounds are those of k rounds. CL-6050 should two be the same.
Result<Rounds> distinctRounds(std::uint64_t seed, std::string_view stream, Code user, std::span<const Code> sorted, std::size_t rounds);
// One more shuffle of `slots` places for a step within a round.
std::vector<std::size_t> shuffledSlots(std::uint64_t seed, std::string_view stream, Code user, std::span<const Code> sorted,
                                       std::size_t round, std::size_t step, std::size_t slots);

// What one showing said: the score of whatever stood in each slot, NaN where nothing could be read.
using Showing = std::vector<double>;

// Mean score by slot over showings with different orders. A slot's mean holds the slot's own pull and the luck of who stood there; `share`
// is the part of the variance between slot means that luck does not explain, max(0, 1 - 1/F) with F the variance ratio of the one-way
// analysis of slots (the positive-part James-Stein factor): 1 when scores depend on the slot alone, about 0 when they do not depend on it.
struct SlotBias {
    std::vector<double> mean; // NaN where no showing had a score
    std::vector<std::size_t> count;
    double overall = 0;
    double share = 0;                  // 0 with one showing: a slot and its candidate cannot be told apart
    double of(std::size_t slot) const; // share * (mean - overall): what to take off a score read in this slot
};
SlotBias slotBias(const std::vector<Showing>& showings);

// Mean of Kendall's tau-b between every two rounds; rounds[r][i] is candidate i's score, NaN where it has none (left out of its pairs).
// NaN when no two rounds can be compared.
double meanKendall(const std::vector<std::vector<double>>& rounds);

} // namespace carousel::plugin
