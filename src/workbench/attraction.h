// SPDX-License-Identifier: GPL-3.0-or-later
// How attractive an item is to a user (alpha) and what a click on it is worth (v), the same for every strategy of a comparison, so that
// a strategy is not judged by its own scores.
//   alpha = 1 for the held-out item (the user is known to have gone on to like it);
//   else, with logged slates: clicks / examined impressions of the item, rows after the first click left out (cascade reading of the log,
//   Craswell et al., WSDM 2008), examination theta of the place divided out, shrunk to the log's mean by 20 impressions;
//   else 0: only what is known counts, and V is a lower bound.
#pragma once
#include "evaluation/carousel/value.h"
#include "experiment/run_experiment.h"

namespace carousel {

struct Attraction {
    std::vector<float> item;    // alpha of items that are not held out, 0..1
    std::vector<float> value;   // v per item, >= 0
    std::string valueUnit;      // "price" or "clicks"
    std::string note;           // for people: how it was worked out
    CarouselModel model;
};
Result<Attraction> estimateAttraction(const Dataset& dataset, const EvaluationSpec& evaluation);

// alpha and v of the cards a value is worked out from: the first five pages, and behind them held-out items that the stored list holds.
struct CardFigures {
    std::vector<Code> items;
    std::vector<double> alpha, v;
    std::size_t shown = 0; // cards of the first five pages
};
CardFigures cardFigures(const UserResult& user, const Attraction& attraction);

// The band over the swipe probability needs a best order for every probability: it is drawn from an even sample of at most 150 users.
struct SensitivitySample {
    std::size_t step = 1, users = 0;
};
SensitivitySample sensitivitySample(std::size_t users);

} // namespace carousel
