// SPDX-License-Identifier: GPL-3.0-or-later
// How many users an answer needs, in the analyst's own metric. Two-sided tests, normal approximation, two arms. Pure functions.
#pragma once

namespace carousel {

struct PowerPlan {
    double controlVariance = 0, treatmentVariance = 0; // of the metric per user
    double allocation = 0.5;                           // share of users in the treatment, 0 .. 1 exclusive
    double alpha = 0.05;
};
// Chance that a difference of `effect` is found with n users in both arms together, errors in the wrong direction not counted out:
// Phi(|effect| / se - z) + Phi(-|effect| / se - z).
double power(const PowerPlan& plan, double n, double effect);
// The smallest difference that is found with probability `wanted`.
double minimumDetectableEffect(const PowerPlan& plan, double n, double wanted);
// Users in both arms together for `wanted`; infinite for no effect.
double sampleSize(const PowerPlan& plan, double effect, double wanted);
// Two shares, each arm with the variance it has under the effect, users per arm (equal arms): the textbook's
// (z_{1-alpha/2} sqrt(2 p q) + z_wanted sqrt(p1 q1 + p2 q2))^2 / (p2 - p1)^2, p the mean share (Fleiss, Levin and Paik 2003, 4.14).
double sampleSizePerArmForShares(double control, double treatment, double alpha, double wanted);

} // namespace carousel
