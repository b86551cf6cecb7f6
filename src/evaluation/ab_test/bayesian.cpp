// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/bayesian.h"
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

BayesianEffect bayesian(double difference, double standardError, double priorMean, double priorSd, double confidence) {
    BayesianEffect out;
    if (!(standardError > 0))
        return out;
    double precision = 1 / (standardError * standardError), sum = difference * precision;
    if (priorSd > 0 && std::isfinite(priorSd)) {
        precision += 1 / (priorSd * priorSd);
        sum += priorMean / (priorSd * priorSd);
    }
    out.mean = sum / precision, out.sd = 1 / std::sqrt(precision);
    const boost::math::normal standard;
    const double z = out.mean / out.sd, height = boost::math::pdf(standard, z);
    out.chanceBetter = boost::math::cdf(standard, z);
    // E[max(0, X)] = mean Phi(z) + sd phi(z) for a normal X.
    out.lossIfNotShipped = out.mean * out.chanceBetter + out.sd * height;
    out.lossIfShipped = out.lossIfNotShipped - out.mean;
    const double reach = boost::math::quantile(standard, 0.5 + confidence / 2) * out.sd;
    out.interval = {out.mean - reach, out.mean + reach};
    return out;
}

} // namespace carousel
