// SPDX-License-Identifier: GPL-3.0-or-later
// The off-policy analysis, from top to bottom: log, orders of the strategies, figures, words.
#include "workbench/analyses/off_policy.h"
#include "base/text.h"
#include "workbench/analyses/off_policy_words.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

using namespace off_policy_analysis;

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
    CAROUSEL_ASSIGN(auto selected, selectedLog(*dataset, spec, findings.warnings));
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
        CAROUSEL_ASSIGN(auto judged, strategyFigures(facts, nullptr, dataset, strategy, spec, host, part));
        if (!judged.ladder.empty())
            findings.temperatures.emplace_back(strategy.name, std::move(judged.ladder));
        PolicyFigures& figures = judged.figures;
        figures.name = strategy.name;
        figures.colour = static_cast<int>(i);
        warnOfRange(figures, facts.sessionRewardHigh, findings.warnings);
        findings.strategies.push_back(std::move(figures));
    }

    // 3. the log against itself, differences, words
    CAROUSEL_ASSIGN(findings.loggers, crossedLoggers(facts, findings.perLogger, *dataset, spec, control.slice(0.05 + 0.9 * (n - 1) / n, 0.95)));
    for (std::size_t p = 0; p < findings.loggers.size(); ++p)
        findings.loggers[p].colour += static_cast<int>(findings.strategies.size());
    CAROUSEL_TRY(addDifferences(findings, spec, control.slice(0.95, 1)));
    return documentOf(findings, spec);
}

} // namespace carousel
