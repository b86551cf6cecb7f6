// SPDX-License-Identifier: GPL-3.0-or-later
// Two-level factorial designs over a few places that are on or off: effects, interactions, and shares of the whole gain. A combination is a
// mask (bit i set: place i is on); responses of a full design stand in the order of their masks. Pure functions, safe from any thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct FactorialDesign {
    int places = 4;
    bool half = false;               // the runs with the last place = product of the others (in -1, +1): half the runs, and aliases
    std::vector<std::uint32_t> runs; // masks, ascending; the first has all off, the last all on
};
// 2^places runs, 1 <= places <= 10.
FactorialDesign fullDesign(int places);
// 2^(places-1) runs, generator last = product of the others; for four places D = ABC, I = ABCD, resolution IV: no effect of one place is
// aliased with one of one or two places. `places` is even, so that both "all off" and "all on" are among the runs.
FactorialDesign halfDesign(int places);
// What cannot be told from `mask` in a half design: the places that it leaves out.
std::uint32_t aliasOf(const FactorialDesign& design, std::uint32_t mask);

// Yates contrasts (Box, Hunter and Hunter 2005, ch. 5): effect[0] is the mean; effect[mask] the mean of the responses where the product of
// the places' signs is + less the mean where it is -. One place: on less off. Two: half of (gain with the other on, less with it off).
// `responses`: one per run of the design. In a half design effect[mask] == effect[alias] is the sum of the two effects.
// all on - all off = the sum of the effects of an odd number of places, in either design.
std::vector<double> factorialEffects(const FactorialDesign& design, std::span<const double> responses);

// Every place's share of v(all on) - v(all off): its marginal gain, averaged over all orders in which the places could be switched on
// (Shapley 1953). `values`: 2^places, by mask. The shares add up to the whole gain.
std::vector<double> shapleyShares(std::span<const double> values);

} // namespace carousel
