// SPDX-License-Identifier: GPL-3.0-or-later
// The seven estimates of p_k / p_1 as functions of weighted sums of a log, so that the log and each bootstrap draw of it take the same
// path.
#pragma once
#include "evaluation/position_bias/log_design.h"
#include "evaluation/position_bias/slot_counts.h"
#include <array>

namespace carousel::bias {

enum Method : std::size_t { naive, randomised, swapped, pivot, chain, allPairs, regressionEm, methodCount };

// What is read once from the whole log and then kept for every draw: which sessions, pairs and links are used.
struct Plan {
    const ClickLog* log = nullptr;
    std::size_t slots = 0;
    std::int64_t minimumOverlap = 20;
    CellIndex index;
    LogDesign design;
    PairCounts pairs;
    bool harvest = false;                      // positions of an item differ for a reason that is not the user
    std::vector<std::uint32_t> shuffled;       // sessions with a first slot and a click, of shuffled policies
    std::vector<double> shuffledSessions;      // per slot: sessions of shuffled policies that hold slot 0 and this one
    std::array<ProductFit, methodCount> start; // of the methods that are fitted
    bool pairUsed(std::size_t k, std::size_t l) const { return pairs.overlap(k, l) >= minimumOverlap; }
};
Plan makePlan(const ClickLog& log, std::int64_t minimumOverlap, const RunControl& control); // incomplete when asked to stop

struct Sums {
    std::vector<CellCount> cells;
    std::vector<double> clicks, first;         // per slot, shuffled sessions: at the slot, and at slot 0 where the slot is held too
    std::vector<double> swapFirst, swapSecond; // per swap pair
};
void sumLog(const Plan& plan, std::span<const std::uint8_t> weight, Sums& sums);
// Relative examination per slot, NaN where these sums do not say. `fit` receives what a fitted method may start from, when given.
std::vector<double> estimate(Method method, const Plan& plan, const Sums& sums, ProductFit* fit = nullptr);

} // namespace carousel::bias
