// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers that the sample set was made with, from its truth.json: users whose every probability is known.
#pragma once
#include "data/dataset.h"
#include "evaluation/simulation/population.h"

namespace carousel {

struct KnownTruth {
    Population population; // of the data set's users and items
    Behaviour behaviour;
    int slots = 0;
};
// Attraction: sigmoid(a0 + a1 affinity), affinity = taste[category] + style[style] - price_weight (sensitivity - 1/2) price level + quality.
// CL-3133: not such a file, or not of this data set.
Result<KnownTruth> readTruth(const std::string& file, const Dataset& dataset);

} // namespace carousel
