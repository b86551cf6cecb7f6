// SPDX-License-Identifier: GPL-3.0-or-later
// What users chose before, in terms of item attributes, for the fit of simulated users.
#pragma once
#include "data/dataset.h"
#include "evaluation/simulation/fit_population.h"

namespace carousel {

// Events before second `before` alone. A column of words (2 to 200 different ones): user: ln of (share of their events with the word) / (share of
// all events), drawn to 0 by five imagined events; item: 1 / (its words) at its words. A column of numbers: user: mean of their items' standardised
// numbers, drawn to 0 likewise; item: its standardised number. And how often an item was chosen, the same for all users. Events that are dislikes
// under the combined event model count against.
std::vector<TasteGroup> tasteGroups(const Dataset& dataset, std::int64_t before);

} // namespace carousel
