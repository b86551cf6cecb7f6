// SPDX-License-Identifier: GPL-3.0-or-later
// What a logged propensity means, read off the log: if p is the probability of the shown item, the mean of 1/p counts the items that could
// have been shown. Given the slots before that count falls by one per slot; without them it stays.
#include "base/text.h"
#include "experiment/logged_feedback.h"
#include "experiment/logged_policy_logger.h"
#include <algorithm>
#include <cmath>

namespace carousel {

const char* name(PropensityMeaning meaning) {
    switch (meaning) {
    case PropensityMeaning::unknown:
        return "unknown";
    case PropensityMeaning::marginal:
        return "marginal";
    case PropensityMeaning::conditional:
        return "conditional";
    case PropensityMeaning::uniform:
        return "uniform";
    }
    return "unknown";
}

namespace {

struct SlotSums {
    double n = 0, sum = 0, squares = 0; // of 1/p
    double mean() const { return sum / n; }
    double error() const { return n > 1 ? std::sqrt(std::max(0.0, squares / n - mean() * mean()) / (n - 1)) : 0; }
};

struct PolicyFacts {
    std::vector<SlotSums> slots;
    std::vector<std::uint8_t> shown; // per item
    std::size_t rows = 0, missing = 0, longest = 0;
    bool constant = true, falling = true; // p = 1/c everywhere; p = 1/(c - slot) everywhere
    double constantValue = 0, fallingCount = 0;
};

bool near(double a, double b) {
    return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b));
} // single precision and printed digits

PolicyFacts factsOf(const ClickLog& log, std::size_t policy) {
    PolicyFacts facts;
    facts.slots.resize(static_cast<std::size_t>(log.slots));
    facts.shown.assign(static_cast<std::size_t>(log.items), 0);
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        if (!log.policy.empty() && log.policy[s] != policy)
            continue;
        facts.longest = std::max(facts.longest, log.offsets[s + 1] - log.offsets[s]);
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            ++facts.rows;
            facts.shown[static_cast<std::size_t>(log.item[r])] = 1;
            if (log.propensity.empty() || std::isnan(log.propensity[r])) {
                ++facts.missing;
                continue;
            }
            const double p = log.propensity[r], inverse = 1 / p;
            auto& slot = facts.slots[static_cast<std::size_t>(log.slot[r])];
            slot.n += 1;
            slot.sum += inverse;
            slot.squares += inverse * inverse;
            if (facts.constantValue == 0) {
                facts.constantValue = p;
                facts.fallingCount = inverse + log.slot[r];
            }
            facts.constant = facts.constant && near(p, facts.constantValue);
            facts.falling = facts.falling && near(inverse, facts.fallingCount - log.slot[r]);
        }
    }
    return facts;
}

std::string clearness(double difference, bool explained) {
    if (difference > 20)
        return "clear";
    if (difference > 6)
        return "fairly clear";
    return explained ? "open" : "hardly to be told apart on this log: say which one it is";
}

PropensityReading readOne(const ClickLog& log, std::size_t policy, const std::string& policyName, const std::string& asked) {
    PropensityReading reading;
    reading.policy = policyName;
    const PolicyFacts facts = factsOf(log, policy);
    reading.candidates = std::count(facts.shown.begin(), facts.shown.end(), std::uint8_t{1});
    if (facts.rows == 0) {
        reading.words = "it showed nothing in this part of the log";
        return reading;
    }
    if (facts.missing > 0) {
        reading.words = facts.missing == facts.rows
                            ? std::string("no propensities are logged")
                            : fmt::format("{} of {} rows have no propensity", withThousands(static_cast<std::int64_t>(facts.missing)),
                                          withThousands(static_cast<std::int64_t>(facts.rows)));
        return reading;
    }
    if (asked == "conditional" || asked == "marginal") {
        reading.meaning = asked == "conditional" ? PropensityMeaning::conditional : PropensityMeaning::marginal;
        reading.words = fmt::format("{}, as you say", asked);
        if (asked == "conditional")
            return reading;
    }
    if (facts.constant || facts.falling) {
        const double count = facts.constant ? 1 / facts.constantValue : facts.fallingCount;
        reading.meaning = PropensityMeaning::uniform;
        if (std::llround(count) > reading.candidates)
            reading.candidates = std::llround(count);
        reading.words =
            facts.constant
                ? fmt::format("uniform: every propensity is 1/{:.0f}, of {} candidates; both readings can be worked out", count,
                              reading.candidates)
                : fmt::format(
                      "uniform: every propensity is 1 over the {:.0f} candidates less the slots before; both readings can be worked out",
                      count);
        return reading;
    }
    if (reading.meaning != PropensityMeaning::unknown)
        return reading;
    if (facts.longest <= 1) {
        reading.meaning = PropensityMeaning::marginal;
        reading.words = "marginal: every impression stands alone, so no slot comes before it";
        return reading;
    }
    // Both readings agree in the first slot. Misfit of a reading: squared distance of mean(1/p) from its count, in standard errors.
    double marginal = 0, conditional = 0;
    std::size_t last = 0;
    for (std::size_t slot = 1; slot < facts.slots.size(); ++slot) {
        const auto& sums = facts.slots[slot];
        if (sums.n < 2 || sums.error() <= 0)
            continue;
        const auto all = static_cast<double>(reading.candidates), left = all - static_cast<double>(slot);
        marginal += std::pow((sums.mean() - all) / sums.error(), 2);
        conditional += std::pow((sums.mean() - left) / sums.error(), 2);
        last = slot;
    }
    if (last == 0) {
        reading.words = "too few rows to tell what the propensities mean";
        return reading;
    }
    // Weights that explain every row leave no doubt, where the counts alone may: they differ by one item per slot.
    const bool explained = log.wholeSlates() && solvedWeights(log, policy).worst <= SolvedWeights::tolerance;
    const bool isConditional = explained || conditional < marginal;
    reading.meaning = isConditional ? PropensityMeaning::conditional : PropensityMeaning::marginal;
    const auto& end = facts.slots[last];
    const auto left = reading.candidates - static_cast<std::int64_t>(last);
    reading.words = fmt::format("{}: {}the mean of 1/propensity in slot {} is {:.1f} (standard error {:.1f}) where {} candidates are left "
                                "of {}; by these counts over all slots it is {} "
                                "(squared distances in standard errors: conditional {:.0f}, marginal {:.0f})",
                                name(reading.meaning),
                                explained ? "clear, since one weight per item predicts every propensity given the slots before; " : "",
                                last + 1, end.mean(), end.error(), left, reading.candidates,
                                clearness(std::abs(conditional - marginal), explained), conditional, marginal);
    return reading;
}

} // namespace

Result<std::vector<PropensityReading>> readPropensities(const SelectedLog& log, const std::string& asked) {
    if (asked != "auto" && asked != "marginal" && asked != "conditional")
        return fail(ErrorKind::usage, "CL-8028", fmt::format("A propensity cannot be read as '{}'.", asked),
                    "Choose auto, marginal or conditional.");
    std::vector<PropensityReading> readings;
    const std::size_t policies = std::max<std::size_t>(log.log.policies.size(), 1);
    for (std::size_t policy = 0; policy < policies; ++policy)
        readings.push_back(readOne(log.log, policy, log.log.policies.empty() ? "the logging policy" : log.log.policies[policy], asked));
    return readings;
}

} // namespace carousel
