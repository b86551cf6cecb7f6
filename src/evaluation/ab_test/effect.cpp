// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/effect.h"
#include "base/random.h"
#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace carousel {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double liftNeeds = 5; // standard errors between the control's mean and 0

double quantileOf(double degrees, double level) {
    if (std::isinf(degrees))
        return boost::math::quantile(boost::math::normal(), level);
    return boost::math::quantile(boost::math::students_t(degrees), level);
}
double twoSided(double degrees, double statistic) {
    const double away = std::fabs(statistic);
    if (std::isinf(degrees))
        return 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), away));
    return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), away));
}

// From estimates and the variances of the estimates.
Effect compared(double control, double treatment, double controlVariance, double treatmentVariance, double degrees, double testVariance, double confidence) {
    Effect out;
    out.control = control, out.treatment = treatment, out.difference = treatment - control, out.degrees = degrees;
    const double variance = controlVariance + treatmentVariance;
    out.standardError = std::sqrt(variance);
    if (!(testVariance > 0) || !(variance > 0) || !(degrees > 0))
        return out;
    out.statistic = out.difference / std::sqrt(testVariance);
    out.pValue = twoSided(degrees, out.statistic);
    const double reach = quantileOf(degrees, 0.5 + confidence / 2) * out.standardError;
    out.interval = {out.difference - reach, out.difference + reach};
    if (std::fabs(control) > liftNeeds * std::sqrt(controlVariance) && control != 0) {
        out.hasLift = true;
        out.lift = treatment / control - 1;
        const double ratio = treatment / control;
        const double liftError = std::sqrt(treatmentVariance + ratio * ratio * controlVariance) / std::fabs(control);
        const double liftReach = quantileOf(degrees, 0.5 + confidence / 2) * liftError;
        out.liftInterval = {out.lift - liftReach, out.lift + liftReach};
    }
    return out;
}

} // namespace

Moments momentsOf(std::span<const double> values) {
    Moments out;
    double squares = 0;
    for (const double value : values) { // Welford 1962
        out.n += 1;
        const double from = value - out.mean;
        out.mean += from / out.n;
        squares += from * (value - out.mean);
    }
    out.variance = out.n > 1 ? squares / (out.n - 1) : 0;
    return out;
}

Effect welch(const Moments& control, const Moments& treatment, double confidence) {
    const double c = control.n > 1 ? control.variance / control.n : 0, t = treatment.n > 1 ? treatment.variance / treatment.n : 0;
    double degrees = 0;
    if (control.n > 1 && treatment.n > 1 && c + t > 0)
        degrees = (c + t) * (c + t) / (c * c / (control.n - 1) + t * t / (treatment.n - 1));
    return compared(control.mean, treatment.mean, c, t, degrees, c + t, confidence);
}

Effect compareShares(const Share& control, const Share& treatment, double confidence) {
    const double c = control.n > 0 ? control.successes / control.n : 0, t = treatment.n > 0 ? treatment.successes / treatment.n : 0;
    const double pooled = control.n + treatment.n > 0 ? (control.successes + treatment.successes) / (control.n + treatment.n) : 0;
    const double test = control.n > 0 && treatment.n > 0 ? pooled * (1 - pooled) * (1 / control.n + 1 / treatment.n) : 0;
    return compared(c, t, control.n > 0 ? c * (1 - c) / control.n : 0, treatment.n > 0 ? t * (1 - t) / treatment.n : 0, infinity, test, confidence);
}

RatioMoments ratioMomentsOf(std::span<const double> numerator, std::span<const double> denominator) {
    RatioMoments out;
    double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < numerator.size(); ++i) {
        n += 1;
        const double fromA = numerator[i] - a, fromB = denominator[i] - b;
        a += fromA / n, b += fromB / n;
        aa += fromA * (numerator[i] - a), bb += fromB * (denominator[i] - b), ab += fromA * (denominator[i] - b);
    }
    out.n = n, out.numerator = a, out.denominator = b;
    if (n > 1)
        out.numeratorVariance = aa / (n - 1), out.denominatorVariance = bb / (n - 1), out.covariance = ab / (n - 1);
    return out;
}

Effect compareRatios(const RatioMoments& control, const RatioMoments& treatment, double confidence) {
    const auto ratio = [](const RatioMoments& m) { return m.denominator != 0 ? m.numerator / m.denominator : 0; };
    const auto variance = [&](const RatioMoments& m) {
        if (m.n < 2 || m.denominator == 0)
            return 0.0;
        const double r = ratio(m);
        return (m.numeratorVariance - 2 * r * m.covariance + r * r * m.denominatorVariance) / (m.n * m.denominator * m.denominator);
    };
    const double c = variance(control), t = variance(treatment);
    return compared(ratio(control), ratio(treatment), c, t, infinity, c + t, confidence);
}

Effect compareQuantiles(std::vector<double> control, std::vector<double> treatment, double q, int draws, double confidence, std::uint64_t seed) {
    Effect out;
    out.degrees = infinity;
    if (control.size() < 2 || treatment.size() < 2 || draws < 2)
        return out;
    std::sort(control.begin(), control.end());
    std::sort(treatment.begin(), treatment.end());
    const auto at = [](const std::vector<double>& sorted, double number) { // 1-based number of the order statistic
        const double inside = std::clamp(number, 1.0, static_cast<double>(sorted.size()));
        return sorted[static_cast<std::size_t>(inside) - 1];
    };
    const auto plain = [&](const std::vector<double>& sorted) { // between the two order statistics around n q (Hyndman and Fan's type 7)
        const double place = q * static_cast<double>(sorted.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const double rest = place - static_cast<double>(below);
        return below + 1 < sorted.size() ? sorted[below] * (1 - rest) + sorted[below + 1] * rest : sorted[below];
    };
    out.control = plain(control), out.treatment = plain(treatment), out.difference = out.treatment - out.control;
    const boost::math::binomial forControl(static_cast<double>(control.size() + 1), q), forTreatment(static_cast<double>(treatment.size() + 1), q);
    RandomStream random(seed, "ab test: quantiles");
    std::vector<double> drawn;
    double below = 0, above = 0, sum = 0, squares = 0;
    for (int d = 0; d < draws; ++d) {
        const double difference = at(treatment, boost::math::quantile(forTreatment, random.uniform())) - at(control, boost::math::quantile(forControl, random.uniform()));
        drawn.push_back(difference);
        below += difference <= 0, above += difference >= 0;
        sum += difference, squares += difference * difference;
    }
    std::sort(drawn.begin(), drawn.end());
    const auto end = [&](double level) {
        const double place = level * static_cast<double>(drawn.size() - 1);
        const auto i = static_cast<std::size_t>(place);
        const double rest = place - static_cast<double>(i);
        return i + 1 < drawn.size() ? drawn[i] * (1 - rest) + drawn[i + 1] * rest : drawn[i];
    };
    out.interval = {end(0.5 - confidence / 2), end(0.5 + confidence / 2)};
    const double n = draws;
    out.standardError = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
    out.statistic = out.standardError > 0 ? out.difference / out.standardError : 0;
    out.pValue = std::min(1.0, 2 * (std::min(below, above) + 1) / (n + 1));
    return out;
}

double winsorise(std::span<double> control, std::span<double> treatment, double share) {
    std::vector<double> all(control.begin(), control.end());
    all.insert(all.end(), treatment.begin(), treatment.end());
    if (all.empty())
        return infinity;
    std::sort(all.begin(), all.end());
    const double limit = all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))];
    for (auto group : {control, treatment})
        for (double& value : group)
            value = std::min(value, limit);
    return limit;
}

} // namespace carousel
