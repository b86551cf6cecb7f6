// SPDX-License-Identifier: GPL-3.0-or-later
// Point estimates: terms of fixed chunks are summed by several threads and added in chunk order, so that the thread count changes nothing.
#include "base/parallel.h"
#include "evaluation/off_policy/round_terms.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

namespace carousel {

namespace {
constexpr std::size_t blockRounds = 1024, grainRounds = 32 * blockRounds;

Error refuse(const std::string& what, const std::string& hint) {
    return {ErrorKind::input, "CL-8030", what, hint};
}

Result<void> checkTable(std::size_t values, std::size_t actions, std::size_t rounds, const char* name) {
    if (actions == 0 || values != rounds * actions)
        return fail(refuse(fmt::format("column '{}' has {} values, but {} rounds with {} actions each make {}", name, values, rounds,
                                       actions, rounds * actions),
                           "Give one value per round and action, rounds first."));
    return {};
}
Result<void> checkActionCount(std::size_t actionsGiven, std::size_t rounds) {
    if (actionsGiven != rounds)
        return fail(refuse(fmt::format("column 'action' has {} values, but the log has {} rounds", actionsGiven, rounds),
                           "Give one action per round."));
    return {};
}
// Are all actions of a block from 0 to actions - 1? A negative one is a large number here.
bool knownActions(const std::int32_t* action, std::size_t count, std::size_t actions) {
    const auto limit = static_cast<std::uint32_t>(std::min<std::size_t>(actions, std::numeric_limits<std::int32_t>::max()));
    std::uint32_t unknown = 0;
    for (std::size_t i = 0; i < count; ++i)
        unknown |= static_cast<std::uint32_t>(action[i]) >= limit ? 1u : 0u;
    return unknown == 0;
}
Error unknownAction(std::span<const std::int32_t> action, std::size_t actions) {
    const auto bad = std::find_if_not(action.begin(), action.end(),
                                      [&](std::int32_t a) { return a >= 0 && static_cast<std::size_t>(a) < actions; });
    return refuse(fmt::format("column 'action', round {}: {} is not an action from 0 to {}", bad - action.begin() + 1, *bad, actions - 1),
                  "Number the actions from 0.");
}
// body(begin, end) for chunks whose actions are known, from several threads: a number is checked shortly before it is used, while it is near.
template <class Body> Result<void> forKnownActions(std::span<const std::int32_t> action, std::size_t actions, const Body& body) {
    std::atomic<bool> known{true};
    parallelFor(action.size(), grainRounds, [&](std::size_t begin, std::size_t end) {
        if (knownActions(action.data() + begin, end - begin, actions))
            body(begin, end);
        else
            known = false;
    });
    if (!known)
        return fail(unknownAction(action, actions));
    return {};
}

double productSum(const double* p, const double* q, std::size_t count) {
    double lane[4] = {};
    std::size_t a = 0;
    for (; a + 4 <= count; a += 4)
        for (std::size_t j = 0; j < 4; ++j)
            lane[j] += p[a + j] * q[a + j];
    for (; a < count; ++a)
        lane[a % 4] += p[a] * q[a];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

// A row of a wide table is a jump that the processor does not foresee.
constexpr std::size_t ahead = 24;
inline void prefetch([[maybe_unused]] const double* at) {
#ifdef __GNUC__
    __builtin_prefetch(at);
#endif
}
} // namespace

Result<void> expectedReward(std::span<const double> policy, std::span<const double> predicted, std::size_t actions, std::span<double> out) {
    CAROUSEL_TRY(checkTable(policy.size(), actions, out.size(), "policy"));
    CAROUSEL_TRY(checkTable(predicted.size(), actions, out.size(), "predicted"));
    parallelFor(out.size(), grainRounds, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
            out[i] = productSum(policy.data() + i * actions, predicted.data() + i * actions, actions);
    });
    return {};
}

Result<void> ofLoggedAction(std::span<const double> values, std::span<const std::int32_t> action, std::size_t actions,
                            std::span<double> out) {
    CAROUSEL_TRY(checkActionCount(action.size(), out.size()));
    CAROUSEL_TRY(checkTable(values.size(), actions, out.size(), "values"));
    return forKnownActions(action, actions, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            if (i + ahead < end)
                prefetch(&values[(i + ahead) * actions + static_cast<std::size_t>(action[i + ahead])]);
            out[i] = values[i * actions + static_cast<std::size_t>(action[i])];
        }
    });
}

Result<void> readPolicy(std::span<const double> policy, std::span<const double> predicted, std::span<const std::int32_t> action,
                        std::size_t actions, BanditLog& log) {
    const std::size_t n = log.rounds();
    CAROUSEL_TRY(checkActionCount(action.size(), n));
    CAROUSEL_TRY(checkTable(policy.size(), actions, n, "policy"));
    CAROUSEL_TRY(checkTable(predicted.size(), actions, n, "predicted"));
    for (auto* column : {&log.target, &log.predicted, &log.predictedUnderTarget})
        column->resize(n);
    return forKnownActions(action, actions, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const double* p = policy.data() + i * actions;
            const double* q = predicted.data() + i * actions;
            const auto chosen = static_cast<std::size_t>(action[i]);
            log.target[i] = p[chosen];
            log.predicted[i] = q[chosen];
            log.predictedUnderTarget[i] = productSum(p, q, actions);
        }
    });
}

Result<double> offPolicyValue(OffPolicy estimator, const BanditLog& log, double lambda) {
    using namespace off_policy;
    CAROUSEL_TRY(checkShape(log));
    const auto& info = infoOf(estimator);
    if (const std::string why = refusal(estimator, log); !why.empty())
        return fail(refuse(why, info.assumption));
    if (const std::string why = refusedLambda(estimator, lambda); !why.empty())
        return fail(refuse(why, "Choose another lambda."));
    const Rule rule = makeRule(estimator, log, lambda);
    const bool linear = hasLinear(estimator), ratio = hasRatio(estimator);
    const std::size_t n = log.rounds();
    std::vector<std::array<double, 3>> chunks((n + grainRounds - 1) / grainRounds);
    std::atomic<bool> sound{true};
    parallelFor(n, grainRounds, [&](std::size_t begin, std::size_t end) {
        std::array<double, blockRounds> columns[3];
        CompensatedSum sums[3];
        for (std::size_t from = begin; from < end; from += blockRounds) {
            const std::size_t count = std::min(blockRounds, end - from);
            if (!soundRounds(log, from, count))
                sound = false;
            fillTerms(rule, log, from, count, columns[0].data(), columns[1].data(), columns[2].data());
            for (std::size_t c = linear ? 0 : 1; c < (ratio ? 3 : 1); ++c)
                sums[c].add(blockSum(columns[c].data(), count));
        }
        for (std::size_t c = 0; c < 3; ++c)
            chunks[begin / grainRounds][c] = sums[c].total();
    });
    if (!sound)
        return fail(whatIsUnsound(log));
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
