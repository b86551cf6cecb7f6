// SPDX-License-Identifier: GPL-3.0-or-later
// Is every number of a log of single actions what it claims to be? Columns are swept in parallel; the first bad row is looked for only
// where there is one.
#include "base/parallel.h"
#include "evaluation/off_policy/bandit.h"
#include <atomic>
#include <cmath>

namespace carousel {

namespace {
constexpr std::size_t grain = 65536;

Error refuse(const std::string& what, const std::string& hint) {
    return {ErrorKind::input, "CL-8030", what, hint};
}

// The first row whose value is not allowed, or the number of rows.
template <class T, class Allowed> std::size_t firstBad(std::span<const T> values, Allowed allowed) {
    std::atomic<std::size_t> first{values.size()};
    parallelFor(values.size(), grain, [&](std::size_t begin, std::size_t end) {
        bool good = true;
        for (std::size_t i = begin; i < end; ++i)
            good &= allowed(values[i]);
        if (good)
            return;
        for (std::size_t i = begin; i < end; ++i)
            if (!allowed(values[i])) {
                for (std::size_t seen = first; i < seen && !first.compare_exchange_weak(seen, i);) {
                }
                return;
            }
    });
    return first;
}

template <class T, class Allowed>
Result<void> check(const char* name, const std::vector<T>& values, std::size_t rounds, bool mayBeEmpty, const std::string& range,
                   const std::string& hint, Allowed allowed) {
    if (values.empty() && mayBeEmpty)
        return {};
    if (values.size() != rounds)
        return fail(refuse(fmt::format("column '{}' has {} values, but the log has {} rounds", name, values.size(), rounds),
                           "Give one value per round, or leave the column empty."));
    const std::size_t bad = firstBad<T>(values, allowed);
    if (bad < values.size())
        return fail(refuse(fmt::format("column '{}', round {}: {} is not {}", name, bad + 1, values[bad], range), hint));
    return {};
}
} // namespace

Result<void> checkBanditLog(const BanditLog& log) {
    const std::size_t n = log.rounds();
    if (n == 0)
        return fail(
            refuse("column 'reward' has no values: the log has no rounds", "Choose a log, or a part of it, with at least one round."));
    if (!(log.rewardLow <= log.rewardHigh) || !std::isfinite(log.rewardHigh - log.rewardLow))
        return fail(refuse(fmt::format("the range of a reward, {} to {}, is empty or not finite", log.rewardLow, log.rewardHigh),
                           "Set the smallest and the largest reward that can occur."));
    auto finite = [](double v) { return std::fabs(v) <= std::numeric_limits<double>::max(); };
    CAROUSEL_TRY(check("reward", log.reward, n, false, fmt::format("a reward from {} to {}", log.rewardLow, log.rewardHigh),
                       "Correct the reward, or widen the range of a reward.",
                       [low = log.rewardLow, high = log.rewardHigh](double v) { return (v >= low) & (v <= high); }));
    const std::string logged = "A propensity is the probability with which the logging policy chose what it showed: above 0, at most 1.";
    CAROUSEL_TRY(check("propensity", log.propensity, n, true, "a probability above 0 and at most 1", logged,
                       [](double v) { return (v > 0) & (v <= 1); }));
    CAROUSEL_TRY(check("mixturePropensity", log.mixturePropensity, n, true, "a probability above 0 and at most 1", logged,
                       [](double v) { return (v > 0) & (v <= 1); }));
    CAROUSEL_TRY(check("target", log.target, n, true, "a probability from 0 to 1",
                       "Give the target policy's probability of the logged action.", [](double v) { return (v >= 0) & (v <= 1); }));
    const std::string model = "Predict a finite reward for every round.";
    CAROUSEL_TRY(check("predicted", log.predicted, n, true, "a finite number", model, finite));
    CAROUSEL_TRY(check("predictedUnderTarget", log.predictedUnderTarget, n, true, "a finite number", model, finite));
    CAROUSEL_TRY(check("embeddingWeight", log.embeddingWeight, n, true, "a finite weight of at least 0",
                       "A weight is the ratio of two probabilities of the action's embedding.",
                       [](double v) { return (v >= 0) & (v <= std::numeric_limits<double>::max()); }));
    CAROUSEL_TRY(check("cluster", log.cluster, n, true, "a cluster number of at least 0", "Number clusters from 0.",
                       [](std::int32_t v) { return v >= 0; }));
    return check("logger", log.logger, n, true, "a logger", "", [](std::uint8_t) { return true; });
}

} // namespace carousel
