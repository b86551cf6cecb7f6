// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/power.h"
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

namespace carousel {

namespace {
const boost::math::normal standard;
double phi(double z) { return boost::math::cdf(standard, z); }
double at(double level) { return boost::math::quantile(standard, level); }
double variancePerUser(const PowerPlan& plan) { return plan.controlVariance / (1 - plan.allocation) + plan.treatmentVariance / plan.allocation; }
} // namespace

double power(const PowerPlan& plan, double n, double effect) {
    const double error = std::sqrt(variancePerUser(plan) / n), z = at(1 - plan.alpha / 2), away = std::fabs(effect) / error;
    return phi(away - z) + phi(-away - z);
}

double sampleSize(const PowerPlan& plan, double effect, double wanted) {
    if (effect == 0)
        return std::numeric_limits<double>::infinity();
    // power() rises with n: the usual closed form leaves out the far tail and is a lower end that is nearly exact.
    double high = variancePerUser(plan) * std::pow((at(1 - plan.alpha / 2) + at(wanted)) / effect, 2) * 1.01 + 2, low = 0;
    for (int i = 0; i < 200 && high - low > 1e-9 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (power(plan, middle, effect) < wanted ? low : high) = middle;
    }
    return high;
}

double minimumDetectableEffect(const PowerPlan& plan, double n, double wanted) {
    double low = 0, high = std::sqrt(variancePerUser(plan) / n) * (at(1 - plan.alpha / 2) + at(wanted)) * 1.01;
    if (!(high > 0))
        return std::numeric_limits<double>::infinity();
    for (int i = 0; i < 200 && high - low > 1e-12 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (power(plan, n, middle) < wanted ? low : high) = middle;
    }
    return high;
}

double sampleSizePerArmForShares(double control, double treatment, double alpha, double wanted) {
    const double mean = (control + treatment) / 2, effect = treatment - control;
    const double root = at(1 - alpha / 2) * std::sqrt(2 * mean * (1 - mean)) + at(wanted) * std::sqrt(control * (1 - control) + treatment * (1 - treatment));
    return root * root / (effect * effect);
}

} // namespace carousel
