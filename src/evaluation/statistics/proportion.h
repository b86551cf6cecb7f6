// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals of a share, from how often it happened. Pure functions. n of 0 or less: none.
#pragma once
#include "evaluation/statistics/interval.h"

namespace carousel {

// Exact: never covers less than it says (Clopper and Pearson, Biometrika 1934). For shares of simulations and of wins.
Interval clopperPearson(double hits, double n, double confidence);
// From the score test (Wilson, JASA 1927): near what it says also for small shares. For click rates.
Interval wilson(double hits, double n, double confidence);

} // namespace carousel
