// SPDX-License-Identifier: GPL-3.0-or-later
// The figures of an off-policy analysis as a report: verdict, lights, tables, plots, and every number once more for programs.
#pragma once
#include "report/analysis_document.h"
#include "workbench/analyses/off_policy_evaluate.h"

namespace carousel::off_policy_analysis {

struct DifferenceRow {
    std::string first, second, on; // "first slot" or "whole slates"
    bool supported = true;         // neither policy's evidence is red
    double plain = 0, controlled = 0, beta = 0;
    Interval plainInterval, controlledInterval;
};
struct Findings {
    std::string datasetTitle, reward; // reward: "clicks per slate"
    const LogFacts* facts = nullptr;
    Mean all;
    std::vector<Mean> perLogger;
    std::vector<PolicyFigures> strategies, loggers; // loggers: each estimated from the others' slates
    std::vector<DifferenceRow> differences;
    std::vector<std::pair<std::string, std::vector<TemperatureRow>>> temperatures;
    std::vector<std::string> warnings;
};
AnalysisDocument documentOf(const Findings& findings, const AnalysisSpec& spec);

// What would help a policy whose rounds or slates the log does not support; `rows`: null when other temperatures were not tried.
std::string wayOut(const PolicyFigures& policy, const std::vector<TemperatureRow>* rows);
// A logging policy estimated from the others' rounds, against what it earned itself.
ReportFinding selfCheck(bool slates, const PolicyFigures& policy);

// Parts, in off_policy_tables.cpp.
Light light(Evidence level);
ReportTable logTable(const Findings& findings);
ReportTable gateTable(const PolicyFigures& policy, bool slates);
ReportTable estimateTable(const std::string& caption, const std::vector<PolicyEstimate>& estimates, double logMean, double high,
                          const AnalysisSpec& spec);
ReportTable differenceTable(const Findings& findings, const AnalysisSpec& spec);
ReportTable temperatureTable(const Findings& findings);
PlotSpec agreementPlot(const PolicyFigures& policy, std::size_t index, const Findings& findings, const AnalysisSpec& spec);
PlotSpec weightPlot(const PolicyFigures& policy, std::size_t index, const Findings& findings);
ReportTable slotTable(const PolicyFigures& policy, const AnalysisSpec& spec); // in off_policy_slots.cpp, as slotPlot
PlotSpec slotPlot(const PolicyFigures& policy, std::size_t index, const AnalysisSpec& spec); // without series: nothing to show
PlotSpec overviewPlot(const Findings& findings, const AnalysisSpec& spec);
std::vector<ReportDefinition> definitions();

} // namespace carousel::off_policy_analysis
