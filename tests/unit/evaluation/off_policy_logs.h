// SPDX-License-Identifier: GPL-3.0-or-later
// Logs for the off-policy tests: the four rounds whose estimates are known by hand, and simulated logs whose truth is known.
#pragma once
#include "base/random.h"
#include "evaluation/off_policy/bandit.h"

namespace carousel {

// pi_b .5 .5 .8 .2, pi_e .9 .1 .6 .4 of the logged action; rewards 1 0 1 1.
inline BanditLog fourRounds() {
    BanditLog log;
    log.reward = {1, 0, 1, 1};
    log.propensity = {.5, .5, .8, .2};
    log.target = {.9, .1, .6, .4};
    const std::vector<double> q{.6, .3, .6, .3, .5, .2, .5, .2}, policy{.9, .1, .9, .1, .6, .4, .6, .4};
    const std::vector<std::int32_t> action{0, 1, 0, 1};
    log.predicted.resize(4);
    log.predictedUnderTarget.resize(4);
    if (!ofLoggedAction(q, action, 2, log.predicted) || !expectedReward(policy, q, 2, log.predictedUnderTarget))
        log.reward.clear();
    return log;
}

// Context free, three actions of which the log and the target prefer different ones. The truth is in `value`.
struct SimulatedLog {
    BanditLog log;
    std::vector<double> otherTarget; // a policy close to the target
    double value = 0, otherValue = 0;
};
inline SimulatedLog simulatedLog(std::uint64_t seed, std::size_t rounds) {
    const double logged[3] = {.6, .3, .1}, target[3] = {.2, .3, .5}, other[3] = {.22, .3, .48}, click[3] = {.1, .2, .3},
                 model[3] = {.12, .18, .33};
    SimulatedLog result;
    BanditLog& log = result.log;
    double under = 0;
    for (int a = 0; a < 3; ++a) {
        result.value += target[a] * click[a];
        result.otherValue += other[a] * click[a];
        under += target[a] * model[a];
    }
    for (std::size_t i = 0; i < rounds; ++i) {
        RandomStream random(seed, "simulated log", i);
        const double u = random.uniform();
        const int a = u < logged[0] ? 0 : u < logged[0] + logged[1] ? 1 : 2;
        log.reward.push_back(random.uniform() < click[a] ? 1 : 0);
        log.propensity.push_back(logged[a]);
        log.target.push_back(target[a]);
        result.otherTarget.push_back(other[a]);
        log.predicted.push_back(model[a]);
        log.predictedUnderTarget.push_back(under);
    }
    return result;
}

} // namespace carousel
