// SPDX-License-Identifier: GPL-3.0-or-later
// Both strategies in one carousel for every simulated user: which one the clicks go to, from far fewer users than an A/B test needs.
#pragma once
#include "evaluation/ab_test/interleaving.h"
#include "evaluation/simulation/simulate.h"

namespace carousel {

enum class InterleavingMethod { teamDraft, probabilistic };
struct InterleavedVisits {
    std::vector<int> clicksA, clicksB; // per simulated user who visited
    double visits = 0;
};
// `plan`: two arms, armOf not used; the sources do not learn. Users' clicks leave their next carousels (with feedback). Same result for any
// number of threads. CL-3130.
Result<InterleavedVisits> interleave(const SimulationPlan& plan, InterleavingMethod method, const RunControl& control);

} // namespace carousel
