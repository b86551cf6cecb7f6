// SPDX-License-Identifier: GPL-3.0-or-later
// Logging policies worked out from their propensities.
#include "experiment/logged_policy_logger.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();
constexpr double tolerance = SolvedWeights::tolerance;

bool shownBy(const ClickLog& log, std::size_t session, std::size_t policy) {
    return log.policy.empty() || log.policy[session] == policy;
}

LoggerModel uniformModel(const ClickLog& log, const Dataset& dataset, std::size_t policy, const PropensityReading& reading) {
    LoggerModel model;
    std::vector<std::uint8_t> shown(dataset.items.size(), 0);
    for (std::size_t s = 0; s < log.sessions(); ++s)
        for (std::size_t r = log.offsets[s]; shownBy(log, s, policy) && r < log.offsets[s + 1]; ++r)
            shown[static_cast<std::size_t>(log.item[r])] = 1;
    const auto distinct = std::count(shown.begin(), shown.end(), std::uint8_t{1});
    const auto all = static_cast<std::int64_t>(dataset.items.size());
    if (reading.candidates != distinct && reading.candidates != all) {
        model.words =
            fmt::format("it draws from {} candidates, and showed {}: which the others are is not in the log", reading.candidates, distinct);
        return model;
    }
    model.known = true;
    model.logWeights.assign(dataset.items.size(), 0);
    if (reading.candidates == distinct)
        for (std::size_t i = 0; i < shown.size(); ++i)
            if (!shown[i])
                model.logWeights[i] = never;
    model.words = fmt::format("known: uniform over {} items", reading.candidates);
    return model;
}

LoggerModel weightModel(const ClickLog& log, std::size_t policy) {
    LoggerModel model;
    const auto [weight, worst] = solvedWeights(log, policy);
    auto refused = [&](std::string words) {
        model.words = std::move(words);
        return model;
    };
    if (worst > 0.5)
        return refused("its propensity for an item differs between users or times, so it is known for what was shown only");
    if (worst > tolerance)
        return refused(fmt::format(
            "one weight per item predicts its propensities only within {:.1f} %, so it is known for what was shown only", 100 * worst));
    double sum = 0;
    for (const double w : weight)
        sum += w;
    const auto known = std::count_if(weight.begin(), weight.end(), [](double w) { return w > 0; });
    if (std::abs(sum - 1) > 0.02)
        return refused(fmt::format("the weights of the {} items it showed add up to {:.3f} instead of 1", known, sum));
    model.known = true;
    model.logWeights.resize(weight.size());
    std::transform(weight.begin(), weight.end(), model.logWeights.begin(), [](double w) { return w > 0 ? std::log(w) : never; });
    model.words = fmt::format(
        "known: one weight per item (of {}) predicts each of its propensities within {:.2g} %, the same for everybody", known, 100 * worst);
    return model;
}

} // namespace

SolvedWeights solvedWeights(const ClickLog& log, std::size_t policy) {
    SolvedWeights out;
    out.weight.assign(static_cast<std::size_t>(log.items), 0); // 0: not known yet
    bool grew = true;
    for (int round = 0; round < 50 && grew; ++round) {
        grew = false;
        out.worst = 0;
        for (std::size_t s = 0; s < log.sessions(); ++s) {
            if (!shownBy(log, s, policy))
                continue;
            double free = 1;
            for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
                double& w = out.weight[static_cast<std::size_t>(log.item[r])];
                const double implied = log.propensity[r] * free;
                if (w == 0) {
                    w = implied;
                    grew = true;
                } else {
                    out.worst = std::max(out.worst, std::abs(implied / w - 1));
                }
                free -= w;
            }
            if (out.worst > 0.5)
                return out;
        }
    }
    return out;
}

std::vector<LoggerModel> loggerModels(const SelectedLog& selected, const Dataset& dataset, const std::vector<PropensityReading>& readings) {
    const ClickLog& log = selected.log;
    std::vector<LoggerModel> models;
    for (std::size_t policy = 0; policy < readings.size(); ++policy) {
        LoggerModel model;
        if (readings[policy].meaning == PropensityMeaning::unknown)
            model.words = readings[policy].words;
        else if (readings[policy].meaning == PropensityMeaning::uniform)
            model = uniformModel(log, dataset, policy, readings[policy]);
        else if (!log.wholeSlates() || (readings[policy].meaning == PropensityMeaning::marginal && log.slots > 1))
            model.words = "its propensities do not say how a slate is filled, so it is known for what was shown only";
        else
            model = weightModel(log, policy);
        model.policy = readings[policy].policy;
        if (model.known) {
            double sum = 0;
            for (const double lw : model.logWeights)
                sum += std::exp(lw);
            for (const double lw : model.logWeights)
                model.first.push_back(std::exp(lw) / sum);
        }
        models.push_back(std::move(model));
    }
    return models;
}

Result<LoggedPropensities> loggedPropensities(const SelectedLog& selected, const Dataset&, const std::vector<PropensityReading>& readings,
                                              const std::vector<LoggerModel>& models, std::uint64_t seed, const RunControl& control) {
    const ClickLog& log = selected.log;
    LoggedPropensities out;
    const bool whole = log.wholeSlates();
    if (!whole)
        out.whyNoConditional = "the log does not hold whole slates, so what stood in the slots before is not known";
    std::vector<std::vector<double>> marginals(models.size()); // drawn, per conditional logger
    for (std::size_t p = 0; p < readings.size(); ++p) {
        const auto& reading = readings[p];
        auto because = [&](std::string& why, const std::string& words) {
            if (why.empty())
                why = fmt::format("policy '{}': {}", reading.policy, words);
        };
        if (reading.meaning == PropensityMeaning::unknown) {
            because(out.whyNoConditional, reading.words);
            because(out.whyNoMarginal, reading.words);
        }
        if (reading.meaning == PropensityMeaning::marginal && log.slots > 1)
            because(out.whyNoConditional, "its propensities are those of an item in its slot, not given the slots before");
        if (reading.meaning == PropensityMeaning::conditional && log.slots > 1) {
            if (!models[p].known) {
                because(out.whyNoMarginal, "its propensities are given the slots before, and " + models[p].words +
                                               "; the probability of an item in a later slot whatever stands "
                                               "before is unknown");
            } else {
                constexpr int draws = 4000;
                CAROUSEL_ASSIGN(marginals[p], commonMarginals(EvaluatedPolicy::common(models[p].logWeights),
                                                              static_cast<std::size_t>(log.slots), draws, seed, control));
                out.notes.push_back(fmt::format(
                    "Marginal propensities of '{}' in later slots: mean of the conditional ones over {} slates drawn from its weights.",
                    reading.policy, withThousands(draws)));
            }
        }
    }
    if (out.whyNoConditional.empty())
        out.conditional.assign(log.rows(), 0);
    if (out.whyNoMarginal.empty())
        out.marginal.assign(log.rows(), 0);
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        const std::size_t p = log.policy.empty() ? 0 : log.policy[s];
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const double logged = log.propensity.empty() ? 0 : log.propensity[r];
            const auto candidates = static_cast<double>(readings[p].candidates);
            const bool uniform = readings[p].meaning == PropensityMeaning::uniform;
            if (!out.conditional.empty())
                out.conditional[r] = uniform ? 1 / (candidates - log.slot[r]) : logged;
            if (!out.marginal.empty())
                out.marginal[r] = uniform ? 1 / candidates
                                  : marginals[p].empty() || log.slot[r] == 0
                                      ? logged
                                      : marginals[p][static_cast<std::size_t>(log.slot[r]) * static_cast<std::size_t>(log.items) +
                                                     static_cast<std::size_t>(log.item[r])];
        }
    }
    return out;
}

} // namespace carousel
