// SPDX-License-Identifier: GPL-3.0-or-later
// Point estimates: terms of fixed chunks are summed by several threads and added in chunk order, so that the thread count changes nothing.
#include "base/parallel.h"
#include "evaluation/off_policy/round_terms.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <array>
#include <atomic>

namespace carousel {

namespace {
constexpr std::size_t blockRounds = 1024, grainRounds = 32 * blockRounds;

Error refuse(const std::string& what, const std::string& hint) {
    return {ErrorKind::input, "CL-8030", what, hint};
}

Result<void> checkShape(std::size_t values, std::size_t actions, std::size_t rounds, const char* name) {
    if (actions == 0 || values != rounds * actions)
        return fail(refuse(fmt::format("column '{}' has {} values, but {} rounds with {} actions each make {}", name, values, rounds,
                                       actions, rounds * actions),
                           "Give one value per round and action, rounds first."));
    return {};
}
} // namespace

Result<void> expectedReward(std::span<const double> policy, std::span<const double> predicted, std::size_t actions, std::span<double> out) {
    CAROUSEL_TRY(checkShape(policy.size(), actions, out.size(), "policy"));
    CAROUSEL_TRY(checkShape(predicted.size(), actions, out.size(), "predicted"));
    parallelFor(out.size(), 8192, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const double* p = policy.data() + i * actions;
            const double* q = predicted.data() + i * actions;
            double lane[4] = {};
            std::size_t a = 0;
            for (; a + 4 <= actions; a += 4)
                for (std::size_t j = 0; j < 4; ++j)
                    lane[j] += p[a + j] * q[a + j];
            for (; a < actions; ++a)
                lane[0] += p[a] * q[a];
            out[i] = (lane[0] + lane[1]) + (lane[2] + lane[3]);
        }
    });
    return {};
}

Result<void> ofLoggedAction(std::span<const double> values, std::span<const std::int32_t> action, std::size_t actions,
                            std::span<double> out) {
    if (action.size() != out.size())
        return fail(refuse(fmt::format("column 'action' has {} values, but the log has {} rounds", action.size(), out.size()),
                           "Give one action per round."));
    CAROUSEL_TRY(checkShape(values.size(), actions, out.size(), "values"));
    std::atomic<std::size_t> bad{out.size()};
    parallelFor(out.size(), 65536, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            if (action[i] < 0 || static_cast<std::size_t>(action[i]) >= actions) {
                for (std::size_t seen = bad; i < seen && !bad.compare_exchange_weak(seen, i);) {
                }
                return;
            }
            out[i] = values[i * actions + static_cast<std::size_t>(action[i])];
        }
    });
    if (bad < out.size())
        return fail(refuse(fmt::format("column 'action', round {}: {} is not an action from 0 to {}", bad + 1, action[bad], actions - 1),
                           "Number the actions from 0."));
    return {};
}

Result<double> offPolicyValue(OffPolicy estimator, const BanditLog& log, double lambda) {
    using namespace off_policy;
    CAROUSEL_TRY(checkBanditLog(log));
    const auto& info = infoOf(estimator);
    if (const std::string why = refusal(estimator, log); !why.empty())
        return fail(refuse(why, info.assumption));
    if (const std::string why = refusedLambda(estimator, lambda); !why.empty())
        return fail(refuse(why, "Choose another lambda."));
    const Rule rule = makeRule(estimator, log, lambda);
    const bool linear = hasLinear(estimator), ratio = hasRatio(estimator);
    const std::size_t n = log.rounds();
    std::vector<std::array<double, 3>> chunks((n + grainRounds - 1) / grainRounds);
    parallelFor(n, grainRounds, [&](std::size_t begin, std::size_t end) {
        std::array<double, blockRounds> columns[3];
        CompensatedSum sums[3];
        for (std::size_t from = begin; from < end; from += blockRounds) {
            const std::size_t count = std::min(blockRounds, end - from);
            fillTerms(rule, log, from, count, columns[0].data(), columns[1].data(), columns[2].data());
            for (std::size_t c = linear ? 0 : 1; c < (ratio ? 3 : 1); ++c)
                sums[c].add(blockSum(columns[c].data(), count));
        }
        for (std::size_t c = 0; c < 3; ++c)
            chunks[begin / grainRounds][c] = sums[c].total();
    });
    CompensatedSum total[3];
    for (const auto& chunk : chunks)
        for (std::size_t c = 0; c < 3; ++c)
            total[c].add(chunk[c]);
    const double value = total[0].total() / static_cast<double>(n) + (ratio ? total[1].total() / total[2].total() : 0.0);
    if (!std::isfinite(value))
        return fail(refuse(fmt::format("column 'propensity': some are so small that the weights of {} cannot be summed", info.name),
                           "Look at the smallest propensities of this log."));
    return value;
}

} // namespace carousel
