// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated users from the analyst's own carousel log; how like the log they are is told in fidelity.h.
#pragma once
#include "base/run_control.h"
#include "evaluation/simulation/population.h"

namespace carousel {

// Rows of one slate are contiguous and in the order of their slots; `slate` numbers slates 0, 1, 2 ... `inView`: the slot's page came into view.
struct CarouselLog {
    std::vector<std::int32_t> slate, user, item;
    std::vector<std::int16_t> slot;
    std::vector<std::uint8_t> click, inView;
    std::size_t rows() const { return user.size(); }
};

// Something known of users and items before the fit, such as the kinds of items a user chose before: its value for a pair is user . item. The
// fit gives each group one weight, so a user with few clicks in the log has tastes all the same.
struct TasteGroup {
    std::string name;
    std::size_t rank = 0;
    std::vector<float> user, item; // users x rank, items x rank
};
struct FitPopulationSettings {
    int rank = 4, epochs = 30; // of what users and items have beyond the groups: vectors, and most passes to find them
    double rate = 0.05;        // of Adagrad
    double heldOut = 0.2;      // share of slates, the last ones, that only the fidelity report sees
    double validation = 0.15;  // share of the slates before, the last ones, that choose groups, shrinkage and passes
    std::uint64_t seed = 1;
};
struct FittedPopulation {
    Population population;
    double logLikelihood = 0, nullLogLikelihood = 0; // per row in view of the held-out slates; null: one attraction for all
    std::size_t trainSlates = 0, heldOutSlates = 0;
    std::vector<std::pair<std::string, double>> groups; // chosen, with their weights, the most telling first
    int passes = 0;                                     // that found vectors beyond the groups; 0: none were worth having
};
// Maximises sum log P(click) with P = examination[slot] x sigmoid(base + bias + sum_g w_g user_g . item_g + user . item) over rows in view,
// `behaviour.examination` as given (fit it with a click model first), rows behind the slate's click left out since nobody looked. Groups come
// in one by one while they make slates that were kept back more likely, and so does everything else. One thread; the same for the same seed.
// CL-3131: no clicks, or codes outside users and items.
Result<FittedPopulation> fitPopulation(const CarouselLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control, std::span<const TasteGroup> groups = {});

// The first slate of the last `share` of a log.
std::int32_t firstHeldOut(const CarouselLog& log, double share);

} // namespace carousel
