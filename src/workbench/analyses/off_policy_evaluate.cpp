// SPDX-License-Identifier: GPL-3.0-or-later
// One policy on a log: columns for the estimators, weights for the evidence gate.
#include "workbench/analyses/off_policy_evaluate.h"
#include "base/parallel.h"
#include "evaluation/off_policy/paired_terms.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <cmath>

namespace carousel::off_policy_analysis {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// What a click on each item is worth: its price where the data set has one.
std::vector<double> worthOfItems(const Dataset& dataset, bool byValue) {
    std::vector<double> worth(dataset.items.size(), 1);
    const auto* price = dataset.items.attribute("price");
    if (!byValue || !price || !price->isNumeric())
        return worth;
    for (std::size_t i = 0; i < worth.size(); ++i)
        worth[i] = price->missing(i) ? 0 : std::max(0.0, price->numbers(i).front());
    return worth;
}

std::vector<OffPolicy> askedEstimators(const AnalysisSpec& spec) {
    std::vector<OffPolicy> out;
    for (const auto& info : offPolicyEstimators())
        if (const auto& asked = spec.options.list("estimators"); std::find(asked.begin(), asked.end(), info.id) != asked.end())
            out.push_back(info.estimator);
    return out;
}
std::vector<SlatePolicy> askedSlateEstimators(const AnalysisSpec& spec) {
    std::vector<SlatePolicy> out;
    for (const auto& info : slatePolicyEstimators())
        if (const auto& asked = spec.options.list("slateEstimators"); std::find(asked.begin(), asked.end(), info.id) != asked.end())
            out.push_back(info.estimator);
    return out;
}

bool allLoggersKnown(const LogFacts& facts) {
    return std::all_of(facts.loggers.begin(), facts.loggers.end(), [](const auto& model) { return model.known; });
}

// Mean over the logging policies, by their share of the log, of their probability for the round's item in the first slot.
std::vector<double> mixture(const LogFacts& facts) {
    const auto& log = facts.log.log;
    if (!facts.slates || facts.loggers.size() < 2 || !allLoggersKnown(facts))
        return {};
    std::vector<double> share(facts.loggers.size(), 0);
    for (const auto policy : log.policy)
        share[policy] += 1.0 / static_cast<double>(log.sessions());
    std::vector<double> out(facts.rounds(), 0);
    for (std::size_t i = 0; i < out.size(); ++i)
        for (std::size_t p = 0; p < share.size(); ++p)
            out[i] += share[p] * facts.loggers[p].first[static_cast<std::size_t>(log.item[facts.roundRow[i]])];
    return out;
}

// Weight of the shown category: the policy's probability of it in the first slot by the logger's.
std::vector<double> categoryWeights(const LogFacts& facts, const Dataset& dataset, const EvaluatedPolicy& policy) {
    const ItemGroups groups = itemGroups(dataset);
    if (!facts.slates || groups.attribute.empty() || !allLoggersKnown(facts))
        return {};
    const auto& log = facts.log.log;
    const std::size_t kinds = groups.groups + 1; // the last: no category
    auto kindOf = [&](std::size_t item) { return groups.group[item] < 0 ? groups.groups : static_cast<std::size_t>(groups.group[item]); };
    std::vector<std::vector<double>> logger(facts.loggers.size(), std::vector<double>(kinds, 0));
    for (std::size_t p = 0; p < logger.size(); ++p)
        for (std::size_t item = 0; item < groups.group.size(); ++item)
            logger[p][kindOf(item)] += facts.loggers[p].first[item];
    std::vector<double> out(facts.rounds(), 0);
    const auto users = sessionsByUser(facts.log, dataset);
    parallelFor(users.size(), 16, [&](std::size_t begin, std::size_t end) {
        std::vector<double> logWeights(policy.items()), target(kinds);
        for (std::size_t u = begin; u < end; ++u) {
            policy.logWeights(users[u].user, logWeights);
            const SlateWalk walk(logWeights);
            std::fill(target.begin(), target.end(), 0.0);
            for (std::size_t item = 0; item < logWeights.size(); ++item)
                target[kindOf(item)] += walk.probability(static_cast<Code>(item));
            for (const std::size_t s : users[u].sessions) {
                const std::size_t kind = kindOf(static_cast<std::size_t>(log.item[facts.roundRow[s]]));
                out[s] = target[kind] / logger[log.policy.empty() ? 0 : log.policy[s]][kind];
            }
        }
    });
    return out;
}

// Per slate, three weights: whole product, product up to a slot and the slot's own, the latter two averaged over slots by their reward.
struct SlateWeights {
    std::vector<double> whole, before, own;
};
SlateWeights slateWeights(const LogFacts& facts, std::span<const double> conditional, std::span<const double> marginal) {
    const auto& log = facts.log.log;
    SlateWeights out;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        double product = 1, before = 0, own = 0, counted = 0;
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const double share = facts.clickShare[static_cast<std::size_t>(log.slot[r])];
            if (!conditional.empty()) {
                product *= conditional[r] / facts.propensities.conditional[r];
                before += share * product;
            }
            if (!marginal.empty())
                own += share * marginal[r] / facts.propensities.marginal[r];
            counted += share;
        }
        counted = counted > 0 ? counted : 1; // a short slate lacks some slots
        if (!conditional.empty()) {
            out.whole.push_back(product);
            out.before.push_back(before / counted);
        }
        if (!marginal.empty())
            out.own.push_back(own / counted);
    }
    return out;
}

// The estimators that rest on the same weights: their agreement is what the gate judges.
std::vector<PolicyEstimate> family(const std::vector<PolicyEstimate>& all, std::initializer_list<const char*> ids) {
    std::vector<PolicyEstimate> out;
    for (const auto& estimate : all)
        if (std::any_of(ids.begin(), ids.end(), [&](const char* id) { return estimate.id == id; }))
            out.push_back(estimate);
    return out;
}

void sayWhy(std::vector<PolicyEstimate>& estimates, std::initializer_list<const char*> ids, const std::string& why) {
    for (auto& estimate : estimates)
        if (!why.empty() && !estimate.refused.empty() &&
            std::any_of(ids.begin(), ids.end(), [&](const char* id) { return estimate.id == id; }))
            estimate.refused = why;
}

// Is there more than one user to draw from?
bool severalClusters(const std::vector<std::int32_t>& cluster) {
    return std::any_of(cluster.begin(), cluster.end(), [&](std::int32_t c) { return c != cluster.front(); });
}

} // namespace

const SlateGate* PolicyFigures::gate(const std::string& id) const {
    for (const auto& g : slateGates)
        if (g.id == id)
            return &g;
    return nullptr;
}
const PolicyEstimate* PolicyFigures::slate(const std::string& id) const {
    for (const auto& e : slates)
        if (e.id == id && e.refused.empty())
            return &e;
    return nullptr;
}
const PolicyEstimate* PolicyFigures::firstSlot(const std::string& id) const {
    for (const auto& e : first)
        if (e.id == id && e.refused.empty())
            return &e;
    return nullptr;
}

OffPolicyOptions optionsOf(const AnalysisSpec& spec) {
    OffPolicyOptions options;
    options.tuning = spec.options.text("tuning");
    if (options.tuning == "given") {
        options.lambda = {spec.options.number("lambda")};
        options.tuning = "mse bound";
    }
    options.draws = static_cast<int>(spec.options.integer("draws"));
    options.confidence = spec.options.number("confidence");
    options.seed = spec.seed;
    return options;
}

Result<LogFacts> factsOf(SelectedLog selected, const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control) {
    LogFacts facts;
    facts.log = std::move(selected);
    const auto& log = facts.log.log;
    facts.slates = log.slots > 1 && log.wholeSlates();
    CAROUSEL_ASSIGN(facts.readings, readPropensities(facts.log, spec.options.text("propensity")));
    facts.loggers = loggerModels(facts.log, dataset, facts.readings);
    CAROUSEL_ASSIGN(facts.propensities, loggedPropensities(facts.log, dataset, facts.readings, facts.loggers, spec.seed, control));
    const auto worth = worthOfItems(dataset, spec.options.text("reward") == "value");
    facts.rowReward.resize(log.rows());
    facts.rowRewardHigh = 0;
    for (std::size_t r = 0; r < log.rows(); ++r) {
        const double value = worth[static_cast<std::size_t>(log.item[r])];
        facts.rowReward[r] = log.click[r] ? value : 0;
        facts.rowRewardHigh = std::max(facts.rowRewardHigh, value);
    }
    facts.sessionRewardHigh = facts.rowRewardHigh * (log.severalClicks() ? log.slots : 1);
    facts.clickShare.assign(static_cast<std::size_t>(log.slots), 0);
    double all = 0;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        double sum = 0;
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            sum += facts.rowReward[r];
            facts.clickShare[static_cast<std::size_t>(log.slot[r])] += facts.rowReward[r];
            if (!facts.slates) {
                facts.roundRow.push_back(r);
                facts.roundCluster.push_back(log.cluster[s]);
            }
        }
        facts.sessionReward.push_back(sum);
        all += sum;
        if (facts.slates) {
            facts.roundRow.push_back(log.offsets[s]);
            facts.roundCluster.push_back(log.cluster[s]);
        }
    }
    for (double& share : facts.clickShare)
        share = all > 0 ? share / all : 1 / static_cast<double>(log.slots);
    return facts;
}

Result<PolicyFigures> evaluatePolicy(const LogFacts& facts, const Dataset& dataset, const EvaluatedPolicy& policy, const AnalysisSpec& spec,
                                     const RunControl& control) {
    const auto& log = facts.log.log;
    PolicyFigures out;
    out.measured = unknown;
    out.rounds = facts.rounds();
    const auto& logged = facts.propensities;
    const auto& propensity = logged.marginal.empty() ? logged.conditional : logged.marginal;
    const bool noPropensity = propensity.empty() && logged.conditional.empty();
    CAROUSEL_ASSIGN(const auto target,
                    targetPropensities(facts.log, dataset, policy, static_cast<int>(spec.options.integer("drawsPerUser")), spec.seed,
                                       control.slice(0, 0.3)));
    CAROUSEL_ASSIGN(const auto predicted,
                    crossFittedRewards(facts.log, dataset, policy, facts.rowReward, static_cast<int>(spec.options.integer("folds")),
                                       spec.seed, control.slice(0.3, 0.4),
                                       log.slots > 1 ? static_cast<int>(spec.options.integer("drawsPerUser")) : 0));
    out.unsupported = target.unsupported;
    out.notes = predicted.notes;

    // one slot
    BanditLog round;
    round.rewardHigh = facts.rowRewardHigh;
    round.cluster = facts.roundCluster;
    std::vector<double> anywhere;
    for (std::size_t i = 0; i < facts.rounds(); ++i) {
        const std::size_t r = facts.roundRow[i];
        round.reward.push_back(facts.rowReward[r]);
        if (!noPropensity)
            round.propensity.push_back(propensity[r]);
        round.target.push_back(facts.slates ? target.conditional[r] : target.marginal[r]);
        round.predicted.push_back(predicted.predicted[r]);
        // A single impression of a later slot is weighed by what the policy shows there, so its prediction must be for that too.
        const bool alone = !facts.slates && !predicted.slotUnderTarget.empty();
        round.predictedUnderTarget.push_back(alone ? predicted.slotUnderTarget[r] : predicted.predictedUnderTarget[r]);
        if (!noPropensity)
            out.firstWeight.push_back(round.target.back() / propensity[r]);
    }
    out.firstTarget = round.target;
    if (!log.policy.empty()) {
        if (facts.slates)
            round.logger = log.policy;
        else
            for (std::size_t s = 0; s < log.sessions(); ++s)
                round.logger.insert(round.logger.end(), log.offsets[s + 1] - log.offsets[s], log.policy[s]);
    }
    round.mixturePropensity = mixture(facts);
    round.embeddingWeight = categoryWeights(facts, dataset, policy);
    const OffPolicyOptions options = optionsOf(spec);
    const auto estimators = askedEstimators(spec);
    CAROUSEL_ASSIGN(out.first, estimatePolicy(estimators, round, options, control.slice(0.4, 0.5)));
    if (log.slots > 1) {
        CAROUSEL_ASSIGN(out.slots, evaluateSlots(facts, target, predicted, out.unsupported, spec, control.slice(0.5, 0.6)));
    }
    auto sayLoggers = [&](std::vector<PolicyEstimate>& estimates) {
        const std::string noLogger = "every logging policy's probability of every item is needed, and is not known for all";
        sayWhy(estimates, {"mips"}, allLoggersKnown(facts) ? "" : noLogger);
        sayWhy(estimates, {"balanced-ips"},
               facts.loggers.size() < 2 ? "the log has one logging policy, so there is nothing to balance"
               : allLoggersKnown(facts) ? ""
                                        : noLogger);
    };
    sayLoggers(out.first);
    out.firstGate =
        noPropensity ? refusedEvidence(logged.whyNoMarginal) : evidenceGate(out.firstWeight, round.reward, out.unsupported, out.first);
    if (!facts.slates)
        return out;

    // The policy chooses the first item and the logger what follows: any click of the slate is its reward.
    round.reward = facts.sessionReward;
    round.rewardHigh = facts.sessionRewardHigh;
    for (std::size_t i = 0; i < facts.rounds(); ++i) {
        round.predicted[i] = predicted.tail[facts.roundRow[i]];
        round.predictedUnderTarget[i] = predicted.tailUnderTarget[facts.roundRow[i]];
    }
    CAROUSEL_ASSIGN(out.anywhere, estimatePolicy(estimators, round, options, control.slice(0.6, 0.8)));
    sayLoggers(out.anywhere);

    // whole slates
    SlateLog slates;
    slates.offsets = log.offsets;
    slates.reward = facts.rowReward;
    slates.conditional = logged.conditional;
    slates.marginal = logged.marginal;
    slates.targetConditional = target.conditional;
    slates.targetMarginal = target.marginal;
    slates.predicted = predicted.tail;
    slates.predictedUnderTarget = predicted.tailUnderTarget;
    slates.cluster = log.cluster;
    slates.rewardHigh = facts.sessionRewardHigh;
    CAROUSEL_ASSIGN(out.slates, estimateSlatePolicy(askedSlateEstimators(spec), slates, options, control.slice(0.8, 1)));
    sayWhy(out.slates, {"sips", "snsips", "rips", "snrips", "cascade-dr"}, logged.whyNoConditional);
    sayWhy(out.slates, {"iips", "sniips", "pi"}, logged.whyNoMarginal);

    const std::span<const double> conditional = logged.conditional.empty() ? std::span<const double>() : target.conditional;
    const std::span<const double> marginal = logged.marginal.empty() ? std::span<const double>() : target.marginal;
    auto weights = slateWeights(facts, conditional, marginal);
    auto addGate = [&](const char* id, const char* title, std::vector<double> w, const std::string& why,
                       std::initializer_list<const char*> ids) {
        SlateGate gate{id, title, {}, std::move(w)};
        gate.gate = gate.weights.empty() ? refusedEvidence(why)
                                         : evidenceGate(gate.weights, facts.sessionReward, out.unsupported, family(out.slates, ids));
        out.slateGates.push_back(std::move(gate));
    };
    if (!conditional.empty()) {
        out.ripsWeight = weights.before;
        for (std::size_t s = 0; s < log.sessions(); ++s) {
            double product = 1, term = 0;
            for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
                product *= target.conditional[r] / logged.conditional[r];
                term += product * facts.rowReward[r];
            }
            out.ripsTerm.push_back(term);
        }
    }
    addGate("rips", "Whole slates, each slot with those before it", std::move(weights.before), logged.whyNoConditional,
            {"rips", "snrips", "cascade-dr"});
    addGate("iips", "Whole slates, each slot alone", std::move(weights.own), logged.whyNoMarginal, {"iips", "sniips"});
    addGate("sips", "Whole slates, all slots together", std::move(weights.whole), logged.whyNoConditional, {"sips", "snsips"});
    return out;
}

Result<std::vector<TemperatureRow>> temperatureLadder(const LogFacts& facts, const Dataset& dataset, const StrategyOrders& orders,
                                                      std::span<const double> temperatures, const RunControl& control) {
    std::vector<TemperatureRow> out;
    if (!facts.slates || facts.propensities.conditional.empty())
        return out;
    std::vector<double> reward(facts.rounds());
    for (std::size_t i = 0; i < reward.size(); ++i)
        reward[i] = facts.rowReward[facts.roundRow[i]];
    for (const double temperature : temperatures) {
        CAROUSEL_ASSIGN(
            const auto target,
            targetPropensities(facts.log, dataset, EvaluatedPolicy::ofOrders(orders, temperature, dataset.items.size()), 0, 1, control));
        const auto weights = slateWeights(facts, target.conditional, {});
        std::vector<double> first(facts.rounds());
        for (std::size_t i = 0; i < first.size(); ++i)
            first[i] = target.conditional[facts.roundRow[i]] / facts.propensities.conditional[facts.roundRow[i]];
        const auto a = evidenceGate(first, reward, target.unsupported, {}),
                   b = evidenceGate(weights.before, facts.sessionReward, target.unsupported, {});
        out.push_back({temperature, a.effectiveSampleSize, b.effectiveSampleSize, a.level, b.level});
    }
    return out;
}

Result<SlateDifference> slateDifference(const LogFacts& facts, const PolicyFigures& first, const PolicyFigures* second,
                                        const AnalysisSpec& spec, const RunControl& control) {
    const std::vector<double> ones(second ? 0 : first.ripsTerm.size(), 1.0);
    const PolicyTerms other = second ? PolicyTerms{second->ripsTerm, second->ripsWeight} : PolicyTerms{facts.sessionReward, ones};
    CAROUSEL_ASSIGN(const PairedDifference d,
                    pairedDifference({first.ripsTerm, first.ripsWeight}, other, facts.log.log.cluster,
                                     static_cast<int>(spec.options.integer("draws")), spec.options.number("confidence"), spec.seed, control));
    return SlateDifference{d.plain, d.controlled, d.beta, d.plainInterval, d.controlledInterval};
}

Result<Mean> measuredMean(const LogFacts& facts, int policy, const AnalysisSpec& spec, const RunControl& control) {
    const auto& log = facts.log.log;
    Mean out;
    std::vector<double> reward;
    std::vector<std::int32_t> cluster;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        if (policy >= 0 && !log.policy.empty() && log.policy[s] != policy)
            continue;
        reward.push_back(facts.sessionReward[s]);
        cluster.push_back(log.cluster[s]);
        out.value += facts.sessionReward[s];
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
            out.clicks += log.click[r];
    }
    out.sessions = reward.size();
    out.value = reward.empty() ? unknown : out.value / static_cast<double>(reward.size());
    if (!severalClusters(cluster)) // one user drawn again is the same user: the interval would be a point
        return out;
    const std::span<const double> columns[] = {reward};
    CAROUSEL_ASSIGN(const auto sums, bootstrapSums(columns, cluster, static_cast<int>(spec.options.integer("draws")), spec.seed, control));
    std::vector<double> draws;
    for (int d = 0; d < sums.draws; ++d)
        if (const double weight = sums.weight[static_cast<std::size_t>(d)]; weight > 0)
            draws.push_back(sums.at(d, 0) / weight);
    if (draws.size() > 1) {
        double squares = 0;
        for (const double value : draws)
            squares += (value - out.value) * (value - out.value);
        out.error = std::sqrt(squares / static_cast<double>(draws.size()));
    }
    out.interval = percentileInterval(std::move(draws), spec.options.number("confidence"));
    return out;
}

} // namespace carousel::off_policy_analysis
