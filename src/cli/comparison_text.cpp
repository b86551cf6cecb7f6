// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/comparison_text.h"
#include "base/text.h"
#include "cli/table.h"
#include <cmath>

namespace carousel::cli {

using nlohmann::json;

namespace {
std::string withInterval(const MetricValue& value) {
    if (!std::isfinite(value.value))
        return "n/a";
    if (!std::isfinite(value.interval.low) || !std::isfinite(value.interval.high))
        return threeFigures(value.value);
    return fmt::format("{} [{}, {}]", threeFigures(value.value), threeFigures(value.interval.low), threeFigures(value.interval.high));
}

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

std::string comparisonText(const StudyComparison& comparison, bool allMetrics) {
    std::string text = fmt::format("{}: {}, {} users, {:.0f} % bootstrap intervals, window of {} slots\n\n", comparison.study.name, comparison.datasetTitle, withThousands(comparison.users),
                                   comparison.study.evaluation.confidence * 100, comparison.study.evaluation.window);
    std::vector<std::size_t> headline;
    for (std::size_t i = 0; i < comparison.definitions.size(); ++i)
        if (const auto metric = comparison.definitions[i].metric; metric == Metric::ndcg || metric == Metric::hitRate || metric == Metric::mrr)
            headline.push_back(i);
    std::vector<std::string> headings{">Run", "Strategy"};
    for (const auto i : headline)
        headings.push_back(">" + comparison.definitions[i].label);
    headings.insert(headings.end(), {">Value", ">Missed value", ">Seconds", ">LLM candidates/s", ">Invalid"});
    TextTable table(headings);
    for (std::size_t s = 0; s < comparison.strategies.size(); ++s) {
        const auto& result = comparison.strategies[s];
        std::vector<std::string> row{std::to_string(result.run.id), result.run.strategy + (s == comparison.baseline ? " (baseline)" : "")};
        for (const auto i : headline)
            row.push_back(i < result.metrics.size() ? withInterval(result.metrics[i]) : "n/a");
        row.push_back(withInterval(result.value));
        row.push_back(withInterval(result.missed));
        row.push_back(threeFigures(result.seconds));
        row.push_back(result.candidatesPerSecond > 0 ? threeFigures(result.candidatesPerSecond) : "");
        row.push_back(result.invalidShare > 0 ? fmt::format("{:.2f} %", result.invalidShare * 100) : "");
        table.add(std::move(row));
    }
    std::vector<std::string> chance{"", "chance"};
    for (const auto i : headline)
        chance.push_back(i < comparison.chance.size() ? threeFigures(comparison.chance[i]) : "n/a");
    table.add(std::move(chance));
    for (const auto& result : comparison.strategies)
        if (result.shortlist.count > 0) {
            std::vector<std::string> row{"", fmt::format("{} best of run {} in random order", result.shortlist.count, result.run.id)};
            for (const auto i : headline)
                row.push_back(comparison.definitions[i].metric == Metric::ndcg ? threeFigures(result.shortlist.ndcg) : "");
            table.add(std::move(row));
        }
    text += table.text();
    if (allMetrics) {
        std::vector<std::string> columns{"Metric"};
        for (const auto& result : comparison.strategies)
            columns.push_back(">" + result.run.strategy);
        columns.emplace_back(">chance");
        TextTable all(columns);
        for (std::size_t i = 0; i < comparison.definitions.size(); ++i) {
            std::vector<std::string> row{comparison.definitions[i].label};
            for (const auto& result : comparison.strategies) {
                std::string value = i < result.metrics.size() ? withInterval(result.metrics[i]) : "n/a";
                if (i < result.toBaseline.size())
                    value += fmt::format(" ({})", result.toBaseline[i].words);
                row.push_back(std::move(value));
            }
            row.push_back(i < comparison.chance.size() ? threeFigures(comparison.chance[i]) : "n/a");
            all.add(std::move(row));
        }
        text += "\n" + all.text();
    }
    if (!comparison.attractionNote.empty())
        text += "\n" + comparison.attractionNote + "\n";
    return text;
}

json comparisonJson(const StudyComparison& comparison) {
    json definitions = json::array(), strategies = json::array();
    for (const auto& definition : comparison.definitions)
        definitions.push_back({{"id", definition.id}, {"label", definition.label}, {"formula", definition.formula}, {"source", definition.source}, {"perUser", definition.perUser},
                               {"higherIsBetter", definition.higherIsBetter}});
    for (const auto& result : comparison.strategies)
        strategies.push_back(strategyJson(result, comparison));
    return {{"name", comparison.study.name}, {"dataset", comparison.study.dataset}, {"datasetTitle", comparison.datasetTitle}, {"users", comparison.users},
            {"window", comparison.study.evaluation.window}, {"k", comparison.study.evaluation.k}, {"seed", comparison.study.seed}, {"baseline", comparison.baseline},
            {"definitions", definitions}, {"chance", numbers(comparison.chance)}, {"strategies", strategies}, {"attractionNote", comparison.attractionNote}};
}

json described(const RunRow& row) {
    return {{"id", row.id}, {"study", row.study}, {"studyName", row.studyName}, {"strategy", row.strategy}, {"dataset", row.dataset}, {"datasetDigest", row.datasetDigest},
            {"splitDigest", row.splitDigest}, {"fingerprint", row.fingerprint}, {"state", name(row.state)}, {"createdAt", row.createdAt}, {"finishedAt", row.finishedAt},
            {"usersDone", row.usersDone}, {"usersTotal", row.usersTotal}, {"error", row.error}, {"tag", row.tag}};
}

} // namespace carousel::cli
