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

struct FitPopulationSettings {
    int rank = 4, epochs = 30;
    double l2 = 0.02;       // of vectors, per observation of their user or item; biases a tenth of it
    double rate = 0.05;     // of Adagrad
    double heldOut = 0.2;   // share of slates, the last ones, that only the fidelity report sees
    std::uint64_t seed = 1;
};
struct FittedPopulation {
    Population population;
    double logLikelihood = 0, nullLogLikelihood = 0; // per row in view of the held-out slates; null: one attraction for all
    std::size_t trainSlates = 0, heldOutSlates = 0;
};
// Maximises sum log P(click) with P = examination[slot] x sigmoid(base + bias + user . item) over rows in view, `behaviour.examination` as
// given (fit it with a click model first), rows behind the slate's click left out since nobody looked. One thread; the same for the same
// seed. CL-3131: no clicks, or codes outside users and items.
Result<FittedPopulation> fitPopulation(const CarouselLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control);

// The first slate of the last `share` of a log.
std::int32_t firstHeldOut(const CarouselLog& log, double share);

} // namespace carousel
