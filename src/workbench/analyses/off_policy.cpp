// SPDX-License-Identifier: GPL-3.0-or-later
// The off-policy analysis, from top to bottom: log, orders of the strategies, figures, words.
#include "workbench/analyses/off_policy.h"
#include "base/random.h"
#include "base/text.h"
#include "workbench/analyses/off_policy_words.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

namespace {

using namespace off_policy_analysis;

// What a strategy was trained on must not evaluate it.
double evaluatedFrom(const AnalysisSpec& spec, std::vector<std::string>& warnings) {
    double from = spec.options.number("from");
    for (const auto& strategy : spec.strategies)
        if (strategy.training.clicks != "none" && strategy.training.logShare > from) {
            from = strategy.training.logShare;
            warnings.push_back(
                fmt::format("'{}' learns from the clicks of the log's first {:.0f} %: every policy is evaluated on the rest.",
                            strategy.name, 100 * from));
        }
    return from;
}

// A seeded sample of the log's users, so that a slow strategy is asked for fewer orders.
SelectedLog sampledUsers(SelectedLog log, const Dataset& dataset, std::int64_t users, std::uint64_t seed) {
    if (users <= 0)
        return log;
    std::set<Code> all;
    for (const std::size_t row : log.firstRow)
        if (const Code user = dataset.impressions.user[row]; user != noCode)
            all.insert(user);
    if (all.size() <= static_cast<std::size_t>(users))
        return log;
    std::vector<std::pair<std::uint64_t, Code>> drawn;
    for (const Code user : all)
        drawn.emplace_back(RandomStream(seed, "users of the log", static_cast<std::uint64_t>(user)).next64(), user);
    std::sort(drawn.begin(), drawn.end());
    std::set<Code> kept;
    for (std::int64_t i = 0; i < users; ++i)
        kept.insert(drawn[static_cast<std::size_t>(i)].second);
    std::vector<std::size_t> sessions;
    for (std::size_t s = 0; s < log.firstRow.size(); ++s)
        if (kept.contains(dataset.impressions.user[log.firstRow[s]]))
            sessions.push_back(s);
    auto out = selectSessions(log, sessions);
    out.notes.push_back(fmt::format("{} of {} users of the log, drawn with the seed.", withThousands(users),
                                    withThousands(static_cast<std::int64_t>(all.size()))));
    return out;
}

std::int64_t beginOf(const SelectedLog& log, const Dataset& dataset) {
    std::int64_t begin = std::numeric_limits<std::int64_t>::max();
    for (const std::size_t row : log.firstRow)
        if (row < dataset.impressions.time.size() && dataset.impressions.time[row] != noTime)
            begin = std::min(begin, dataset.impressions.time[row]);
    return begin;
}

Result<PolicyFigures> strategyFigures(const Findings& findings, DatasetPtr dataset, const StrategySpec& strategy, const AnalysisSpec& spec,
                                      const ExperimentHost& host, std::vector<std::pair<std::string, std::vector<TemperatureRow>>>& ladders,
                                      const RunControl& control) {
    const LogFacts& facts = *findings.facts;
    std::set<Code> users;
    for (const std::size_t row : facts.log.firstRow)
        users.insert(dataset->impressions.user[row]);
    PolicyFigures out;
    if (users.contains(noCode)) {
        out.refused = "the log has anonymous sessions, and a strategy orders the catalogue for known users.";
        return out;
    }
    if (facts.propensities.conditional.empty() && facts.propensities.marginal.empty()) {
        out.refused = fmt::format("the log has no propensities that can be used ({}); without the probability of what was shown, no other "
                                  "policy can be judged on it.",
                                  facts.propensities.whyNoMarginal);
        return out;
    }
    const std::vector<Code> codes(users.begin(), users.end());
    const auto orders =
        orderForUsers(dataset, strategy, codes, beginOf(facts.log, *dataset), spec.seed, spec.device, host, control.slice(0, 0.4));
    if (!orders) {
        if (orders.error().kind == ErrorKind::cancelled)
            return fail(orders.error());
        out.refused = fmt::format("{} {}", orders.error().message, orders.error().hint);
        return out;
    }
    const double temperature = spec.options.number("temperature");
    CAROUSEL_ASSIGN(out, evaluatePolicy(facts, *dataset, EvaluatedPolicy::ofOrders(*orders, temperature, dataset->items.size()), spec,
                                        control.slice(0.4, 0.9)));
    out.seconds = orders->seconds;
    out.notes.insert(out.notes.end(), orders->notes.begin(), orders->notes.end());
    static constexpr double temperatures[] = {0, 3, 10, 30, 100, 200, 400, 1000};
    CAROUSEL_ASSIGN(auto ladder, temperatureLadder(facts, *dataset, *orders, temperatures, control));
    if (!ladder.empty())
        ladders.emplace_back(strategy.name, std::move(ladder));
    return out;
}

// Each logging policy, estimated from the slates of the others.
Result<std::vector<PolicyFigures>> crossed(const Findings& findings, const Dataset& dataset, const AnalysisSpec& spec,
                                           const RunControl& control) {
    const LogFacts& facts = *findings.facts;
    std::vector<PolicyFigures> out;
    for (std::size_t p = 0; p < facts.loggers.size() && facts.loggers.size() > 1; ++p) {
        if (!facts.loggers[p].known)
            continue;
        std::vector<std::size_t> others;
        for (std::size_t s = 0; s < facts.log.log.sessions(); ++s)
            if (facts.log.log.policy[s] != p)
                others.push_back(s);
        CAROUSEL_ASSIGN(const auto restFacts, factsOf(selectSessions(facts.log, others), dataset, spec, control));
        if (restFacts.propensities.conditional.empty() && restFacts.propensities.marginal.empty())
            continue;
        CAROUSEL_ASSIGN(auto figures,
                        evaluatePolicy(restFacts, dataset, EvaluatedPolicy::common(facts.loggers[p].logWeights), spec, control));
        figures.name = facts.loggers[p].policy;
        figures.isLogger = true;
        figures.colour = static_cast<int>(findings.strategies.size() + p);
        figures.measured = findings.perLogger[p].value;
        figures.measuredInterval = findings.perLogger[p].interval;
        figures.measuredError = findings.perLogger[p].error;
        out.push_back(std::move(figures));
    }
    return out;
}

bool supported(const EvidenceGate& first, const EvidenceGate* second) {
    return first.level != Evidence::red && (!second || second->level != Evidence::red);
}

Result<void> addDifferences(Findings& findings, const AnalysisSpec& spec, const RunControl& control) {
    const LogFacts& facts = *findings.facts;
    const auto& propensity = facts.propensities.marginal.empty() ? facts.propensities.conditional : facts.propensities.marginal;
    const PolicyFigures* first = nullptr;
    for (const auto& policy : findings.strategies) {
        if (!policy.refused.empty() || propensity.empty())
            continue;
        std::vector<const PolicyFigures*> against{nullptr};
        if (first)
            against.push_back(first);
        else
            first = &policy;
        BanditLog log;
        log.rewardHigh = facts.rowRewardHigh;
        log.cluster = facts.roundCluster;
        log.target = policy.firstTarget;
        for (const std::size_t r : facts.roundRow) {
            log.reward.push_back(facts.rowReward[r]);
            log.propensity.push_back(propensity[r]);
        }
        for (const PolicyFigures* other : against) {
            const std::string name = other ? other->name : "the log";
            CAROUSEL_ASSIGN(const auto d, estimateDifference(log, other ? other->firstTarget : log.propensity, optionsOf(spec), control));
            findings.differences.push_back({policy.name, name, facts.slates ? "first slot" : "one impression",
                                            supported(policy.firstGate, other ? &other->firstGate : nullptr), d.ips, d.controlled, d.beta,
                                            d.ipsInterval, d.controlledInterval});
            if (policy.ripsTerm.empty())
                continue;
            CAROUSEL_ASSIGN(const auto s, slateDifference(facts, policy, other, spec, control));
            findings.differences.push_back({policy.name, name, "whole slates",
                                            supported(policy.gate("rips")->gate, other ? &other->gate("rips")->gate : nullptr), s.plain,
                                            s.controlled, s.beta, s.plainInterval, s.controlledInterval});
        }
    }
    return {};
}

void warnOfRange(const PolicyFigures& policy, double high, std::vector<std::string>& warnings) {
    for (const auto& e : policy.slates)
        if (e.refused.empty() && (e.value < 0 || e.value > high))
            warnings.push_back(
                fmt::format("{}: {} gives {}, outside the range of a slate's reward [0, {}]; the weights are too uneven for it.",
                            policy.name, e.name, threeFigures(e.value), threeFigures(high)));
}

} // namespace

Result<AnalysisDocument> offPolicyDocument(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host,
                                           const RunControl& control) {
    Findings findings;
    findings.datasetTitle = dataset->title.empty() ? dataset->name : dataset->title;

    // 1. the log
    LogSelection selection;
    selection.policies = spec.options.list("policies");
    selection.from = evaluatedFrom(spec, findings.warnings);
    CAROUSEL_ASSIGN(auto selected, selectLog(*dataset, selection));
    selected = sampledUsers(std::move(selected), *dataset, spec.options.integer("users"), spec.seed);
    CAROUSEL_ASSIGN(const LogFacts facts, factsOf(std::move(selected), *dataset, spec, control.slice(0, 0.05)));
    findings.facts = &facts;
    const bool byValue = spec.options.text("reward") == "value";
    findings.reward = fmt::format("{} per {}", byValue ? "value" : "clicks", facts.slates ? "slate" : "impression");
    if (byValue && !dataset->items.attribute("price"))
        findings.warnings.push_back("The data set has no prices: every click is worth 1.");
    CAROUSEL_ASSIGN(findings.all, measuredMean(facts, -1, spec, control));
    for (std::size_t p = 0; p < facts.readings.size(); ++p) {
        CAROUSEL_ASSIGN(auto mean, measuredMean(facts, static_cast<int>(p), spec, control));
        findings.perLogger.push_back(mean);
    }

    // 2. every strategy as a policy
    const auto n = static_cast<double>(spec.strategies.size() + 1);
    for (std::size_t i = 0; i < spec.strategies.size(); ++i) {
        const auto& strategy = spec.strategies[i];
        const RunControl part = control.slice(0.05 + 0.9 * static_cast<double>(i) / n, 0.05 + 0.9 * static_cast<double>(i + 1) / n);
        CAROUSEL_ASSIGN(auto figures, strategyFigures(findings, dataset, strategy, spec, host, findings.temperatures, part));
        figures.name = strategy.name;
        figures.colour = static_cast<int>(i);
        warnOfRange(figures, facts.sessionRewardHigh, findings.warnings);
        findings.strategies.push_back(std::move(figures));
    }

    // 3. the log against itself, differences, words
    CAROUSEL_ASSIGN(findings.loggers, crossed(findings, *dataset, spec, control.slice(0.05 + 0.9 * (n - 1) / n, 0.95)));
    CAROUSEL_TRY(addDifferences(findings, spec, control.slice(0.95, 1)));
    return documentOf(findings, spec);
}

} // namespace carousel
