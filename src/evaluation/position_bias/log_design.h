// SPDX-License-Identifier: GPL-3.0-or-later
// How a log put items into slots, read off the log itself: which policies shuffle, which hold propensities, and which slots some policy
// exchanges at random. Decides which estimators apply.
#pragma once
#include "base/run_control.h"
#include "evaluation/click_models/click_log.h"

namespace carousel::bias {

// Chi-square of item x slot counts against equal shares, over the sessions of one policy with its most frequent set of slots. The items of
// a session take different slots, which shrinks or stretches the null distribution; scale and degrees of freedom are matched to the first
// two moments under random order (for one fixed set of m items this gives the exact (m - 1) / m X^2 with (m - 1)^2 degrees of freedom).
struct OrderTest {
    bool possible = false;
    double statistic = 0, degrees = 0, pValue = 1; // the statistic already scaled
    double deviation = 0; // 95 % upper bound on the root mean square deviation of an item's share of a slot, relative to the even share
    std::int64_t impressions = 0;
    int slots = 0, items = 0;
};
OrderTest testOrder(const ClickLog& log, std::span<const std::uint32_t> sessions, const RunControl& control);

struct PolicyDesign {
    std::string name;
    std::vector<std::uint32_t> sessions;
    OrderTest order;
    bool known = false;      // nearly every row has a propensity
    bool constant = false;   // and it is the same on all of them, and no more than a half
    bool ofOwnItems = false; // and it is 1 / (items of the visit)
    double meanPropensity = 0;
    bool shuffled = false; // order or constant propensities say so, and neither speaks against it
};
struct SwapPair {
    std::size_t first = 0, second = 0;        // slots
    std::int64_t held = 0;                    // sessions that have both slots (where the pair is not usable)
    std::int64_t repeated = 0, exchanged = 0; // sessions in groups of two and more alike; of these in groups that hold both orders
    double pValue = 1;                        // that both orders are equally frequent
    double imbalance = 1;                     // 95 % upper bound on |2q - 1|, root mean square, q the frequency of one order
    bool usable = false;
};
struct SwapClick { // a click at one end of a swapped pair
    std::uint32_t session;
    std::uint16_t pair; // into LogDesign::swaps
    bool second;
    double share;
};
struct LogDesign {
    std::vector<PolicyDesign> policies; // those that have sessions
    std::vector<SwapPair> swaps;        // (0, k) for every k, and (k, k + 1)
    std::vector<SwapClick> swapClicks;  // on usable pairs
    bool anyShuffled() const;
    bool anyRandom() const; // shuffles, exchanges, or has propensities below 1
    bool anySwap() const;
};
// Incomplete when asked to stop.
LogDesign readDesign(const ClickLog& log, std::int64_t minimumOverlap, const RunControl& control, bool withSwaps = true);

} // namespace carousel::bias
