// SPDX-License-Identifier: GPL-3.0-or-later
// Rules that may be looked at while an experiment runs. A fixed test that is looked at 200 times finds an effect in two of five experiments
// without any; these keep their promise at every look. All work on the standardised difference z = difference / standard error.
#pragma once
#include "base/result.h"
#include <span>
#include <vector>

namespace carousel {

// ---- group sequential: a known number of looks --------------------------------------------------------------------------------------
// Spending functions alpha*(t), two-sided level alpha used up by information share t, half of it on each side
// (Lan and DeMets, Biometrika 1983).
enum class Spending { obrienFleming, pocock, power }; // 4 - 4 Phi(z_{alpha/4} / sqrt t); alpha ln(1 + (e - 1) t); alpha t^exponent
struct SpendingRule {
    Spending kind = Spending::obrienFleming;
    double exponent = 1; // of power
};
double spent(const SpendingRule& rule, double alpha, double share); // of the level by `share`, 0 <= share <= 1

// Two-sided boundaries |z| at each look, for information shares in (0, 1], rising: the chance to leave through one of them under no effect is
// what the rule spends. By recursive integration of the density of z among those still running (Armitage, McPherson and Rowe, JRSS A 1969;
// Jennison and Turnbull 2000, chapter 19), to about 1e-4. CL-3120 when the shares do not rise inside (0, 1] or alpha is not in (0, 0.5).
Result<std::vector<double>> groupSequentialBounds(std::span<const double> shares, double alpha, const SpendingRule& rule);
// The chance to cross one of `bounds` when the final z has mean `drift` (0: the level).
double crossingProbability(std::span<const double> shares, std::span<const double> bounds, double drift);

// ---- always valid: any number of looks ------------------------------------------------------------------------------------------------
// Mixture sequential probability ratio test with a normal mixture over the effect (Johari, Koomen, Pekelis and Walsh, KDD 2017):
//   L_n = sqrt(V / (V + tau2)) exp(tau2 D^2 / (2 V (V + tau2))),  V the variance of the difference D.
// p is the running minimum of 1 / L over looks, which the caller keeps.
double mixtureLikelihoodRatio(double difference, double variance, double tau2);
// Half-width of the confidence sequence that inverts it at this look.
double mixtureHalfWidth(double variance, double tau2, double alpha);

// Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 2024, equation 10), tuned to be
// narrowest near `tuneN` units. Multiplier of the standard error after n units in all:
//   sqrt((2 (n rho2 + 1) / (n rho2)) ln(sqrt(n rho2 + 1) / alpha)),  rho2 = (-2 ln alpha + ln(-2 ln alpha + 1)) / tuneN.
double asymptoticMultiplier(double n, double alpha, double tuneN);
// The same family in the form of Howard, Ramdas, McAuliffe and Sekhon (Annals of Statistics 2021, equation 14), as another vendor tunes it:
//   sqrt((t + r) / t ln((t + r) / (r alpha^2))), t = n, r = tuneN / (ln ln(e / alpha^2) - 2 ln alpha).
double normalMixtureMultiplier(double n, double alpha, double tuneN);

} // namespace carousel
