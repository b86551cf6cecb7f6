// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated users from the analyst's own carousel log, and how like the log they are on slates that the fit has not seen: what the simulator
// must not be trusted for is said by numbers.
#pragma once
#include "base/run_control.h"
#include "evaluation/simulation/population.h"
#include "evaluation/statistics/interval.h"

namespace carousel {

// Rows of one slate are contiguous and in the order of their slots; `slate` numbers slates 0, 1, 2 ... `inView`: the slot's page came into view.
struct SlateLog {
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
Result<FittedPopulation> fitPopulation(const SlateLog& log, std::size_t users, std::size_t items, const Behaviour& behaviour,
                                       const FitPopulationSettings& settings, const RunControl& control);

// The held-out slates shown again to the fitted users, many times over, beside what really happened.
struct Fidelity {
    std::vector<double> loggedRate, simulatedRate;   // clicks per impression in view, by slot
    std::vector<Interval> loggedInterval;            // Wilson, 95 %
    double loggedClicks = 0, simulatedClicks = 0;    // per slate
    double loggedNoClick = 0, simulatedNoClick = 0;  // share of slates
    double loggedPages = 0, simulatedPages = 0;      // that came into view, per slate
    double slope = 0, intercept = 0;                 // calibration: logit of the click on the logit of its prediction, at the first slot; 1 and 0 are right
    double userDistance = 0, userDistanceChance = 0; // Kolmogorov-Smirnov distance of users' clicks per slate, and its 95 % point when the simulator is right
    std::vector<std::string> mustNotBeTrustedFor;    // in words; empty: nothing was found
    std::size_t slates = 0, users = 0;
};
Result<Fidelity> fidelity(const SlateLog& log, const FittedPopulation& fitted, const Behaviour& behaviour, const FitPopulationSettings& settings,
                          int repetitions, const RunControl& control);

} // namespace carousel
