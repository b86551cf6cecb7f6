// SPDX-License-Identifier: GPL-3.0-or-later
// Is every number of a log of single actions what it claims to be? A sweep only counts what is wrong; the row is looked for when there is
// one.
#include "base/parallel.h"
#include "evaluation/off_policy/round_terms.h"
#include <algorithm>
#include <atomic>

namespace carousel {

namespace {
constexpr std::size_t blockRounds = 1024, grainRounds = 64 * blockRounds;
constexpr double largestNumber = std::numeric_limits<double>::max();

Error refuse(const std::string& what, const std::string& hint) {
    return {ErrorKind::input, "CL-8030", what, hint};
}

struct Words {
    const char *name, *range, *hint;
};
// Calls visit(words, column, allowed) for every column; comparisons are written so that NaN is never allowed.
template <class Visit> void visitColumns(const BanditLog& log, Visit visit) {
    static constexpr const char* logged =
        "A propensity is the probability with which the logging policy chose what it showed: above 0, at most 1.";
    static constexpr const char* model = "Predict a finite reward for every round.";
    auto propensity = [](double v) { return (v > 0) & (v <= 1); };
    auto finite = [](double v) { return (v >= -largestNumber) & (v <= largestNumber); };
    visit(Words{"reward", "in the range of a reward", "Correct the reward, or widen the range of a reward."}, log.reward,
          [low = log.rewardLow, high = log.rewardHigh](double v) { return (v >= low) & (v <= high); });
    visit(Words{"propensity", "a probability above 0 and at most 1", logged}, log.propensity, propensity);
    visit(Words{"mixturePropensity", "a probability above 0 and at most 1", logged}, log.mixturePropensity, propensity);
    visit(Words{"target", "a probability from 0 to 1", "Give the target policy's probability of the logged action."}, log.target,
          [](double v) { return (v >= 0) & (v <= 1); });
    visit(Words{"predicted", "a finite number", model}, log.predicted, finite);
    visit(Words{"predictedUnderTarget", "a finite number", model}, log.predictedUnderTarget, finite);
    visit(
        Words{"embeddingWeight", "a finite weight of at least 0", "A weight is the ratio of two probabilities of the action's embedding."},
        log.embeddingWeight, [](double v) { return (v >= 0) & (v <= largestNumber); });
    visit(Words{"cluster", "a cluster number of at least 0", "Number clusters from 0."}, log.cluster,
          [](std::int32_t v) { return v >= 0; });
    visit(Words{"logger", "a logger", ""}, log.logger, [](std::uint8_t) { return true; });
}
} // namespace

namespace off_policy {

Result<void> checkShape(const BanditLog& log) {
    const std::size_t n = log.rounds();
    if (n == 0)
        return fail(
            refuse("column 'reward' has no values: the log has no rounds", "Choose a log, or a part of it, with at least one round."));
    if (!(log.rewardLow <= log.rewardHigh) || !std::isfinite(log.rewardHigh - log.rewardLow))
        return fail(refuse(fmt::format("the range of a reward, {} to {}, is empty or not finite", log.rewardLow, log.rewardHigh),
                           "Set the smallest and the largest reward that can occur."));
    Result<void> result;
    visitColumns(log, [&](const Words& words, const auto& values, auto) {
        if (result && !values.empty() && values.size() != n)
            result = fail(refuse(fmt::format("column '{}' has {} values, but the log has {} rounds", words.name, values.size(), n),
                                 "Give one value per round, or leave the column empty."));
    });
    return result;
}

bool soundRounds(const BanditLog& log, std::size_t first, std::size_t count) {
    std::int64_t bad = 0; // as wide as a double, so that several are counted at once
    visitColumns(log, [&](const Words&, const auto& values, auto allowed) {
        if (values.empty())
            return;
        const auto* at = values.data() + first;
        std::int64_t wrong = 0;
        for (std::size_t i = 0; i < count; ++i)
            wrong += allowed(at[i]) ? 0 : 1;
        bad += wrong;
    });
    return bad == 0;
}

Error whatIsUnsound(const BanditLog& log) {
    Error error = refuse("the log has a number that is not allowed", "Look at its columns.");
    bool found = false;
    visitColumns(log, [&](const Words& words, const auto& values, auto allowed) {
        const auto at = found ? values.end() : std::find_if_not(values.begin(), values.end(), allowed);
        if (at == values.end())
            return;
        found = true;
        error =
            refuse(fmt::format("column '{}', round {}: {} is not {}", words.name, at - values.begin() + 1, *at, words.range), words.hint);
        if (static_cast<const void*>(&values) == &log.reward)
            error.message += fmt::format(", {} to {}", log.rewardLow, log.rewardHigh);
    });
    return error;
}

} // namespace off_policy

Result<void> checkBanditLog(const BanditLog& log) {
    CAROUSEL_TRY(off_policy::checkShape(log));
    std::atomic<bool> sound{true};
    parallelFor(log.rounds(), grainRounds, [&](std::size_t begin, std::size_t end) {
        for (std::size_t from = begin; from < end && sound; from += blockRounds)
            if (!off_policy::soundRounds(log, from, std::min(blockRounds, end - from)))
                sound = false;
    });
    if (!sound)
        return fail(off_policy::whatIsUnsound(log));
    return {};
}

} // namespace carousel
