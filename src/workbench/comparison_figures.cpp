// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/comparison_figures.h"
#include <cmath>

namespace carousel {

using nlohmann::json;

namespace {
json number(double value) { return std::isfinite(value) ? json(value) : json(); } // JSON knows no NaN
json interval(const Interval& value) { return {{"low", number(value.low)}, {"high", number(value.high)}}; }
json metricJson(const MetricValue& value) {
    return {{"value", number(value.value)}, {"low", number(value.interval.low)}, {"high", number(value.interval.high)}, {"worst", number(value.worst)}, {"best", number(value.best)},
            {"users", value.users}, {"excluded", value.excluded}};
}
json costJson(const Cost& cost) {
    return {{"modelCalls", cost.modelCalls}, {"promptTokens", cost.promptTokens}, {"sharedTokens", cost.sharedTokens}, {"generatedTokens", cost.generatedTokens},
            {"cacheHits", cost.cacheHits}, {"cacheMisses", cost.cacheMisses}, {"scoredCandidates", cost.scoredCandidates}, {"modelSeconds", number(cost.modelSeconds)},
            {"seconds", number(cost.seconds)}};
}
json intervals(const std::vector<Interval>& values) {
    json out = json::array();
    for (const auto& value : values)
        out.push_back(interval(value));
    return out;
}
json numbers(const std::vector<double>& values) {
    json out = json::array();
    for (const double value : values)
        out.push_back(number(value));
    return out;
}
json strategyJson(const StrategyResult& result, const StudyComparison& comparison) {
    json metrics = json::array(), slots = json::array();
    for (std::size_t i = 0; i < result.metrics.size(); ++i) {
        json metric = metricJson(result.metrics[i]);
        if (i < comparison.definitions.size()) {
            metric["id"] = comparison.definitions[i].id;
            metric["label"] = comparison.definitions[i].label;
        }
        if (i < result.toBaseline.size()) {
            const auto& difference = result.toBaseline[i];
            metric["toBaseline"] = {{"difference", number(difference.difference)}, {"low", number(difference.interval.low)}, {"high", number(difference.interval.high)},
                                    {"pValue", number(difference.pValue)}, {"users", difference.users}, {"words", difference.words}};
        }
        metrics.push_back(std::move(metric));
    }
    for (const auto& slot : result.slots)
        slots.push_back({{"reach", number(slot.reach)}, {"examination", number(slot.examination)}, {"click", number(slot.click)}, {"value", number(slot.value)}, {"hidden", number(slot.hidden)}});
    return {{"run", result.run.id}, {"strategy", result.run.strategy}, {"state", name(result.run.state)}, {"fingerprint", result.run.fingerprint}, {"metrics", metrics},
            {"value", metricJson(result.value)}, {"missed", metricJson(result.missed)}, {"slots", slots}, {"reachInterval", intervals(result.reachInterval)},
            {"clickInterval", intervals(result.clickInterval)}, {"valueInterval", intervals(result.valueInterval)},
            {"sensitivity", {{"swipe", numbers(result.sensitivity.swipe)}, {"value", numbers(result.sensitivity.value)}, {"best", numbers(result.sensitivity.best)}, {"missed", numbers(result.sensitivity.missed)}}},
            {"targetPosition", numbers(result.targetPosition)}, {"cost", costJson(result.cost)}, {"preparation", costJson(result.preparation)}, {"seconds", number(result.seconds)},
            {"candidatesPerSecond", number(result.candidatesPerSecond)}, {"invalidShare", number(result.invalidShare)}, {"fallbackShare", number(result.fallbackShare)}, {"notes", result.notes},
            {"shortlist", result.shortlist.count == 0 ? json(nullptr)
                                                      : json{{"candidates", result.shortlist.count}, {"ndcgInRandomOrder", number(result.shortlist.ndcg)}, {"above", number(result.shortlist.above.difference)},
                                                             {"aboveInterval", {number(result.shortlist.above.interval.low), number(result.shortlist.above.interval.high)}}}}};
}
} // namespace

json comparisonJson(const StudyComparison& comparison) {
    json definitions = json::array(), strategies = json::array();
    for (const auto& definition : comparison.definitions)
        definitions.push_back({{"id", definition.id}, {"label", definition.label}, {"formula", definition.formula}, {"source", definition.source}, {"perUser", definition.perUser},
                               {"higherIsBetter", definition.higherIsBetter}});
    for (const auto& result : comparison.strategies)
        strategies.push_back(strategyJson(result, comparison));
    return {{"name", comparison.study.name}, {"dataset", comparison.study.dataset}, {"datasetTitle", comparison.datasetTitle}, {"users", comparison.users},
            {"window", comparison.study.evaluation.window}, {"k", comparison.study.evaluation.k}, {"seed", comparison.study.seed}, {"splitDigest", comparison.strategies.empty() ? std::string() : comparison.strategies.front().run.splitDigest}, {"baseline", comparison.baseline},
            {"definitions", definitions}, {"chance", numbers(comparison.chance)}, {"strategies", strategies}, {"attractionNote", comparison.attractionNote}};
}

} // namespace carousel
