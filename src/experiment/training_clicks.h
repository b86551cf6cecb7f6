// SPDX-License-Identifier: GPL-3.0-or-later
// What a strategy learns from a carousel log: clicks as events of their users, weighted against position bias, and click rates per item.
// A click says more where fewer look: its inverse-propensity weight is 1 / P(its place is looked at) (Joachims, Swaminathan, Schnabel,
// WSDM 2017), here P = theta^place of the page times the share of the sessions that reached the slot (measured where the log says what
// came into view, else swipe^page). Weights are clipped, then scaled to mean 1 (self-normalised), so that a click weighs as much as an
// ordinary event on average and the number of clicks, not the rarity of looks, decides how loud the log is.
//
// What is tested must not come in through this door: clicks of a user on their held-out items are left out and counted, and so are those
// rows of the click rates.
#pragma once
#include "experiment/specification.h"

namespace carousel {

struct TrainingClicks {
    LogTraining log;
    std::vector<double> examination; // per slot: P(the slot is looked at), as used
    std::int64_t sessions = 0, sessionsUsed = 0;
    std::int64_t clicks = 0; // logged in the sessions used
    std::int64_t onHeldOut = 0, anonymous = 0, clipped = 0;
    std::int64_t afterHeldOut = 0;            // used clicks later than the user's first held-out event
    double meanWeight = 1, largestWeight = 1; // after clipping, before scaling
    double effective = 0;                     // (sum w)^2 / sum w^2 of the clicks used
    std::vector<std::string> notes;           // shown with the run
};
// Held out are test targets, and validation targets unless evaluation.refitOnValidation. Error CL-3013: the data set has no carousel log.
Result<TrainingClicks> trainingClicks(const Dataset& dataset, const Split& split, const TrainingSpec& training,
                                      const EvaluationSpec& evaluation, const RunControl& control);

} // namespace carousel
