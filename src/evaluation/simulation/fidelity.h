// SPDX-License-Identifier: GPL-3.0-or-later
// How like the log simulated users are, on slates that no fit has seen: what the simulator must not be trusted for is said by numbers.
#pragma once
#include "evaluation/simulation/fit_population.h"
#include "evaluation/simulation/visitors.h"
#include "evaluation/statistics/interval.h"

namespace carousel {

// The held-out slates shown again to simulated users, many times over, beside what really happened.
struct Fidelity {
    std::vector<double> loggedRate, simulatedRate;   // clicks per impression in view, by slot
    std::vector<Interval> loggedInterval;            // Wilson, 95 %
    double loggedClicks = 0, simulatedClicks = 0;    // per slate
    double loggedNoClick = 0, simulatedNoClick = 0;  // share of slates
    double loggedPages = 0, simulatedPages = 0;      // that came into view, per slate
    double slope = 0, intercept = 0;                 // calibration: logit of the click on the logit of its prediction, at the first slot; 1 and 0 are right; not a number without numeric likes
    double userDistance = 0, userDistanceChance = 0; // Kolmogorov-Smirnov distance of users' clicks per slate, and its 95 % point when the simulator is right
    std::vector<std::string> mustNotBeTrustedFor;    // in words; empty: nothing was found
    std::size_t slates = 0, users = 0;
};
// `likes`: of numeric visitors, for the calibration; else null. At most `mostSlates` of the held-out slates, the last ones (0: all). CL-3131: none.
Result<Fidelity> fidelity(const CarouselLog& log, const Visitors& visitors, const Population* likes, const FitPopulationSettings& settings, int repetitions,
                          std::size_t mostSlates, const RunControl& control);
Result<Fidelity> fidelity(const CarouselLog& log, const FittedPopulation& fitted, const Behaviour& behaviour, const FitPopulationSettings& settings,
                          int repetitions, const RunControl& control);

} // namespace carousel
