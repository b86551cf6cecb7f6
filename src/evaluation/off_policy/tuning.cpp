// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/off_policy/tuning.h"
#include "base/parallel.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <array>
#include <numeric>

namespace carousel::off_policy {

namespace {
constexpr double tuningDelta = 0.1;
constexpr std::size_t grainRounds = 32768;

// Continued fraction of the incomplete beta function (Lentz's method), good for x < (a + 1) / (a + b + 2).
double betaFraction(double a, double b, double x) {
    constexpr double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (std::fabs(d) < tiny ? tiny : d);
    double result = d;
    for (int m = 1; m < 500; ++m) {
        for (const double numerator :
             {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))}) {
            d = 1 + numerator * d;
            d = 1 / (std::fabs(d) < tiny ? tiny : d);
            c = 1 + numerator / c;
            c = std::fabs(c) < tiny ? tiny : c;
            result *= c * d;
        }
        if (std::fabs(c * d - 1) < 1e-15)
            break;
    }
    return result;
}
double incompleteBeta(double a, double b, double x) {
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * betaFraction(a, b, x) / a : 1 - front * betaFraction(b, a, 1 - x) / b;
}
double studentTail(double t, double freedom) {
    return 0.5 * incompleteBeta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

struct Moments {
    double mean = 0, variance = 0, bias = 0; // variance of one round, bias E[(w - w') (r - q)]
};
struct WeightMoments {
    double square = 0, largest = 0; // E[w^2], max w
};

// Sums of `fields` numbers per round over fixed chunks, added in chunk order.
template <std::size_t fields, class Add> std::array<double, fields> sumsOf(std::size_t n, Add add) {
    std::vector<std::array<double, fields>> chunks((n + grainRounds - 1) / grainRounds);
    parallelFor(n, grainRounds, [&](std::size_t begin, std::size_t end) {
        std::array<double, fields> sums{};
        for (std::size_t i = begin; i < end; ++i)
            add(i, sums);
        chunks[begin / grainRounds] = sums;
    });
    std::array<CompensatedSum, fields> total;
    for (const auto& chunk : chunks)
        for (std::size_t f = 0; f < fields; ++f)
            total[f].add(chunk[f]);
    std::array<double, fields> result;
    for (std::size_t f = 0; f < fields; ++f)
        result[f] = total[f].total() / static_cast<double>(n);
    return result;
}

Moments momentsOf(OffPolicy estimator, const BanditLog& log, double lambda) {
    const bool model = infoOf(estimator).needsPrediction;
    Moments result;
    withWeight(estimator, lambda, [&](auto weight) {
        auto parts = [&](std::size_t i, double& term, double& lost) {
            const double w = log.target[i] / log.propensity[i], applied = weight(w);
            const double residual = model ? log.reward[i] - log.predicted[i] : log.reward[i];
            term = applied * residual + (model ? log.predictedUnderTarget[i] : 0.0);
            lost = (w - applied) * residual;
        };
        const auto first = sumsOf<2>(log.rounds(), [&](std::size_t i, std::array<double, 2>& sums) {
            double term, lost;
            parts(i, term, lost);
            sums[0] += term;
            sums[1] += lost;
        });
        const auto second = sumsOf<1>(log.rounds(), [&](std::size_t i, std::array<double, 1>& sums) {
            double term, lost;
            parts(i, term, lost);
            sums[0] += (term - first[0]) * (term - first[0]);
        });
        result = {first[0], second[0], first[1]};
    });
    return result;
}

WeightMoments weightMoments(const BanditLog& log) {
    WeightMoments result;
    result.square = sumsOf<1>(log.rounds(), [&](std::size_t i, std::array<double, 1>& sums) {
        const double w = log.target[i] / log.propensity[i];
        sums[0] += w * w;
    })[0];
    for (std::size_t i = 0; i < log.rounds(); ++i)
        result.largest = std::max(result.largest, log.target[i] / log.propensity[i]);
    return result;
}
} // namespace

double studentQuantile(double tail, double freedom) {
    double low = 0, high = 1;
    while (studentTail(high, freedom) > tail)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (studentTail(middle, freedom) > tail ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

std::vector<double> lambdaCandidates(OffPolicy estimator, const BanditLog& log) {
    if (estimator == OffPolicy::sgIps || estimator == OffPolicy::sgDr)
        return {0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.75, 1};
    const double largest = std::max(weightMoments(log).largest, 1.0);
    std::vector<double> candidates{std::numeric_limits<double>::infinity()};
    constexpr int steps = 10;
    for (int i = 0; i < steps; ++i) { // from the largest weight down to 1, in equal ratios; squared where lambda is set against w^2
        const double at = std::pow(largest, 1 - static_cast<double>(i) / (steps - 1));
        if (estimator != OffPolicy::drOs && !(at < largest))
            continue; // cuts nothing
        candidates.push_back(estimator == OffPolicy::drOs ? at * at : at);
        if (largest <= 1)
            break;
    }
    if (estimator != OffPolicy::clippedIps)
        candidates.push_back(0); // the reward model alone
    return candidates;
}

Result<LambdaChoice> tuneLambda(OffPolicy estimator, const BanditLog& log, const std::string& method, std::vector<double> candidates,
                                const RunControl& control) {
    LambdaChoice choice;
    choice.method = method;
    const double n = static_cast<double>(log.rounds());
    std::vector<Moments> moments;
    for (const double lambda : candidates) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Choosing lambda"));
        moments.push_back(momentsOf(estimator, log, lambda));
    }
    if (method == "slope") {
        // With one round there is no half width; the first, least biased candidate stands.
        const double factor = n > 1 ? studentQuantile(tuningDelta, n - 1) / std::sqrt(n - 1) : 0;
        for (const auto& m : moments)
            choice.score.push_back(std::sqrt(m.variance) * factor);
        std::vector<std::size_t> order(candidates.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return choice.score[a] > choice.score[b]; });
        const double share = std::sqrt(6.0) - 1;
        std::size_t chosen = 0;
        auto agrees = [&](std::size_t i) {
            for (std::size_t j = 0; j < i; ++j)
                if (!(std::fabs(moments[order[i]].mean - moments[order[j]].mean) <=
                      choice.score[order[i]] + share * choice.score[order[j]]))
                    return false;
            return true;
        };
        while (n > 1 && chosen + 1 < order.size() && agrees(chosen + 1))
            ++chosen;
        choice.lambda = candidates[order[chosen]];
    } else {
        const auto [square, largest] = weightMoments(log);
        const double logarithm = std::log(2 / tuningDelta);
        const double noise = std::sqrt(2 * square * logarithm / n) + 2 * largest * logarithm / (3 * n);
        for (const auto& m : moments) {
            const double bias = std::fabs(m.bias) + noise;
            choice.score.push_back(m.variance / n + bias * bias);
        }
        const bool smooth =
            estimator == OffPolicy::sgIps || estimator == OffPolicy::sgDr; // its least bias is at 0, the others' at infinity
        std::size_t best = 0;
        for (std::size_t i = 1; i < candidates.size(); ++i) // of equals, the least biased
            if (choice.score[i] < choice.score[best] ||
                (choice.score[i] == choice.score[best] && (candidates[i] < candidates[best]) == smooth))
                best = i;
        choice.lambda = candidates[best];
    }
    choice.candidates = std::move(candidates);
    return choice;
}

} // namespace carousel::off_policy
