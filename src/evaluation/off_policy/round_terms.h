// SPDX-License-Identifier: GPL-3.0-or-later
// What each single-action estimator adds up: value = mean(linear) + sum(numerator) / sum(denominator). Point estimates, tuning, standard
// errors and the bootstrap all read the same terms, so that they cannot disagree. Internal to off_policy.
#pragma once
#include "evaluation/off_policy/bandit.h"
#include <cmath>
#include <limits>

namespace carousel::off_policy {

struct Rule {
    OffPolicy estimator = OffPolicy::ips;
    double lambda = 0;
    std::vector<double> loggerWeight; // 1 / variance of a round of that logger, by logger; weightedIps and weightedDr only
    std::string note;                 // why loggers could not be weighted by their variance
};

// checkBanditLog in parts, so that a sweep over the rounds can look at them while they are in the cache: lengths and ranges; are these
// rounds sound; the first row that is not.
Result<void> checkShape(const BanditLog& log);
bool soundRounds(const BanditLog& log, std::size_t first, std::size_t count);
Error whatIsUnsound(const BanditLog& log);

const OffPolicyInfo& infoOf(OffPolicy estimator);
// Why this log cannot support the estimator, in words; empty when it can.
std::string refusal(OffPolicy estimator, const BanditLog& log);
// What is wrong with this lambda, in words; empty when nothing is.
std::string refusedLambda(OffPolicy estimator, double lambda);
Rule makeRule(OffPolicy estimator, const BanditLog& log, double lambda);

bool hasLinear(OffPolicy estimator);
bool hasRatio(OffPolicy estimator);
// Terms of rounds first .. first + count - 1; a pointer may be null only for a part that the estimator does not have.
void fillTerms(const Rule& rule, const BanditLog& log, std::size_t first, std::size_t count, double* linear, double* numerator,
               double* denominator);

// Calls use(weight) with the function that turns an importance weight into the one that the estimator applies.
template <class Use> void withWeight(OffPolicy estimator, double lambda, Use use) {
    switch (estimator) {
    case OffPolicy::clippedIps:
        return use([=](double w) { return w < lambda ? w : lambda; });
    case OffPolicy::switchDr:
        return use([=](double w) { return w <= lambda ? w : 0.0; });
    case OffPolicy::drOs:
        if (lambda == 0)
            return use([](double) { return 0.0; });
        return use([inverse = 1 / lambda](double w) { return w / (w * w * inverse + 1); }); // infinity: w
    case OffPolicy::sgIps:
    case OffPolicy::sgDr:
        return use([=](double w) { return w > 0 ? w / (1 - lambda + lambda * w) : 0.0; });
    default:
        return use([](double w) { return w; });
    }
}

// Eight running sums keep the additions independent of each other; blocks are then added without losing digits.
inline double blockSum(const double* values, std::size_t count) {
    double lane[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (std::size_t j = 0; j < 8; ++j)
            lane[j] += values[i + j];
    for (; i < count; ++i)
        lane[i % 8] += values[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

} // namespace carousel::off_policy
