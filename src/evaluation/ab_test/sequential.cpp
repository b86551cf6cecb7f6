// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/sequential.h"
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

namespace {

const boost::math::normal standard;
double upper(double z) { return boost::math::cdf(boost::math::complement(standard, z)); }
double density(double z) { return std::exp(-0.5 * z * z) * 0.3989422804014327; }

// The density of the sum S = z sqrt(t) among experiments that have not crossed, on an even grid with Simpson's weights.
struct Running {
    std::vector<double> place, mass; // mass: density times weight
};

constexpr int gridHalf = 200; // 401 points a look

// Chance to leave |S| >= limit at the next look, whose information is `step` more, with drift per information.
double leaving(const Running& from, double step, double drift, double limit) {
    const double sd = std::sqrt(step);
    double out = 0;
    for (std::size_t i = 0; i < from.place.size(); ++i) {
        const double centre = from.place[i] + drift * step;
        out += from.mass[i] * (upper((limit - centre) / sd) + upper((limit + centre) / sd));
    }
    return out;
}

Running next(const Running& from, double step, double drift, double limit) {
    Running out;
    const double sd = std::sqrt(step);
    const int points = 2 * gridHalf + 1;
    const double width = 2 * limit / (points - 1);
    out.place.resize(static_cast<std::size_t>(points)), out.mass.resize(static_cast<std::size_t>(points));
    for (int i = 0; i < points; ++i) {
        const double at = -limit + width * i;
        double sum = 0;
        for (std::size_t j = 0; j < from.place.size(); ++j)
            sum += from.mass[j] * density((at - from.place[j] - drift * step) / sd);
        const double weight = (i == 0 || i == points - 1 ? 1 : i % 2 == 1 ? 4 : 2) * width / 3;
        out.place[static_cast<std::size_t>(i)] = at;
        out.mass[static_cast<std::size_t>(i)] = sum / sd * weight;
    }
    return out;
}

Error badShares(const char* why) {
    return {ErrorKind::usage, "CL-3120", fmt::format("The looks cannot be planned: {}.", why), "Give rising shares of the planned sample, the last at most 1, and a level between 0 and 0.5."};
}

// Beyond this no experiment that is still running is found; the grid need not reach further.
double reach(double share) { return 8 * std::sqrt(share); }

} // namespace

double spent(const SpendingRule& rule, double alpha, double share) {
    share = std::clamp(share, 0.0, 1.0);
    if (share <= 0)
        return 0;
    switch (rule.kind) {
    case Spending::obrienFleming: return 4 * upper(boost::math::quantile(standard, 1 - alpha / 4) / std::sqrt(share));
    case Spending::pocock: return alpha * std::log(1 + (std::exp(1.0) - 1) * share);
    case Spending::power: return alpha * std::pow(share, rule.exponent);
    }
    return alpha;
}

Result<std::vector<double>> groupSequentialBounds(std::span<const double> shares, double alpha, const SpendingRule& rule) {
    if (!(alpha > 0 && alpha < 0.5))
        return fail(badShares("the level is not between 0 and 0.5"));
    double before = 0;
    for (const double share : shares) {
        if (!(share > before && share <= 1 + 1e-12))
            return fail(badShares("the shares do not rise within (0, 1]"));
        before = share;
    }
    if (shares.empty())
        return fail(badShares("there is none"));
    std::vector<double> out;
    Running running{{0.0}, {1.0}};
    double last = 0, used = 0;
    for (const double share : shares) {
        const double step = share - last, target = std::max(0.0, spent(rule, alpha, share) - used);
        double low = 0, high = reach(share);
        if (leaving(running, step, 0, high) >= target) // spends less than can be told apart from nothing
            low = high;
        for (int i = 0; i < 80 && high - low > 1e-10; ++i) {
            const double middle = 0.5 * (low + high);
            (leaving(running, step, 0, middle) > target ? low : high) = middle;
        }
        const double limit = 0.5 * (low + high);
        used += leaving(running, step, 0, limit);
        out.push_back(limit / std::sqrt(share));
        running = next(running, step, 0, std::min(limit, reach(share)));
        last = share;
    }
    return out;
}

double crossingProbability(std::span<const double> shares, std::span<const double> bounds, double drift) {
    Running running{{0.0}, {1.0}};
    double last = 0, out = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
        const double step = shares[k] - last, limit = bounds[k] * std::sqrt(shares[k]);
        out += leaving(running, step, drift, limit);
        running = next(running, step, drift, limit);
        last = shares[k];
    }
    return out;
}

double mixtureLikelihoodRatio(double difference, double variance, double tau2) {
    if (!(variance > 0))
        return 1;
    return std::sqrt(variance / (variance + tau2)) * std::exp(tau2 * difference * difference / (2 * variance * (variance + tau2)));
}

double mixtureHalfWidth(double variance, double tau2, double alpha) {
    if (!(variance > 0) || !(tau2 > 0))
        return 0;
    return std::sqrt(variance * (variance + tau2) / tau2 * (-2 * std::log(alpha) - std::log(variance / (variance + tau2))));
}

double asymptoticMultiplier(double n, double alpha, double tuneN) {
    const double l = -2 * std::log(alpha), rho2 = (l + std::log(l + 1)) / tuneN;
    return std::sqrt(2 * (n * rho2 + 1) / (n * rho2) * std::log(std::sqrt(n * rho2 + 1) / alpha));
}

double normalMixtureMultiplier(double n, double alpha, double tuneN) {
    const double r = tuneN / (std::log(std::log(std::exp(1.0) / (alpha * alpha))) - 2 * std::log(alpha));
    return std::sqrt((n + r) / n * std::log((n + r) / (r * alpha * alpha)));
}

} // namespace carousel
