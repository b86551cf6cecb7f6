// SPDX-License-Identifier: GPL-3.0-or-later
// The same difference read with a prior: how probable is it that the treatment is better, and what is lost if it is chosen and is not.
// Normal prior times normal likelihood; pure functions.
#pragma once
#include "evaluation/statistics/interval.h"

namespace carousel {

struct BayesianEffect {
    double mean = 0, sd = 0;        // of the posterior of the effect
    double chanceBetter = 0.5;      // P(effect > 0)
    double lossIfShipped = 0;       // E[max(0, -effect)]: what choosing the treatment is expected to cost
    double lossIfNotShipped = 0;    // E[max(0, effect)]
    Interval interval = noInterval(); // equal-tailed credible interval
};
// `difference` with `standardError` > 0; prior N(priorMean, priorSd^2), in the same unit; priorSd <= 0 or infinite: flat.
BayesianEffect bayesian(double difference, double standardError, double priorMean, double priorSd, double confidence);

} // namespace carousel
