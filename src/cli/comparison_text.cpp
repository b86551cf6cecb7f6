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

json described(const RunRow& row) {
    return {{"id", row.id}, {"study", row.study}, {"studyName", row.studyName}, {"strategy", row.strategy}, {"dataset", row.dataset}, {"datasetDigest", row.datasetDigest},
            {"splitDigest", row.splitDigest}, {"fingerprint", row.fingerprint}, {"state", name(row.state)}, {"createdAt", row.createdAt}, {"finishedAt", row.finishedAt},
            {"usersDone", row.usersDone}, {"usersTotal", row.usersTotal}, {"error", row.error}, {"tag", row.tag}};
}

} // namespace carousel::cli
