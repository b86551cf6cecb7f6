// SPDX-License-Identifier: GPL-3.0-or-later
// Less noise from what was known of users before: the same effect, a narrower interval. Pure functions; any thread.
#pragma once
#include "base/matrix.h"
#include "evaluation/ab_test/effect.h"

namespace carousel {

struct AdjustedEffect {
    Effect effect;
    double coefficient = 0;   // CUPED: theta, pooled over both groups
    double varianceRatio = 1; // variance of the adjusted metric over that of the plain one, pooled within groups; 1 - r^2 for one covariate
};

// CUPED (Deng, Xu, Kohavi and Walker, WSDM 2013, equation 3): y - theta (x - mean x), theta = cov(x, y) / var(x), both within groups and
// pooled, so that an effect does not enter theta. `x`: measured before the experiment. Equal lengths per group.
AdjustedEffect cuped(std::span<const double> controlY, std::span<const double> controlX, std::span<const double> treatmentY,
                     std::span<const double> treatmentX, double confidence);

// Regression adjustment with a slope for each group (Lin, Annals of Applied Statistics 2013): least squares of y on centred covariates in
// each group, effect = difference of intercepts. Variance: residuals of each group, and the part that comes from covariates differing.
// `x`: rows are users. Covariates that are linear in others are left out. Groups smaller than covariates + 2: the plain Welch effect.
AdjustedEffect regressionAdjusted(std::span<const double> controlY, const Matrix& controlX, std::span<const double> treatmentY,
                                  const Matrix& treatmentX, double confidence);

} // namespace carousel
