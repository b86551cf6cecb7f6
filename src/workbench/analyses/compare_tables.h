// SPDX-License-Identifier: GPL-3.0-or-later
// Tables of a comparison of kept analyses, in compare_tables.cpp. `figures`: of each, as parsed.
#pragma once
#include "workbench/analyses/compare_analyses.h"
#include <nlohmann/json.hpp>
#include <vector>

namespace carousel::analyses {

using Figures = std::vector<nlohmann::json>;
std::string analysisName(const ComparedAnalysis& analysis); // "Analysis 12"
double numberAt(const nlohmann::json& figures, const std::string& pointer); // NaN where there is none
// One column for each analysis.
void addColumns(ReportTable& table, std::span<const ComparedAnalysis> analyses, bool numeric, const char* help);
// Options, data and strategies that are not the same in all; `differing`: how many.
ReportTable designTable(std::span<const ComparedAnalysis> analyses, std::size_t& differing);
ReportTable verdictTable(std::span<const ComparedAnalysis> analyses, const Figures& figures);
ReportTable healthTable(std::span<const ComparedAnalysis> analyses);
ReportTable experimentEffects(std::span<const ComparedAnalysis> analyses, const Figures& figures); // of kind ab-test
PlotSpec experimentPlot(std::span<const ComparedAnalysis> analyses, const Figures& figures);       // without series: nothing to show
ReportTable ruleTable(std::span<const ComparedAnalysis> analyses, const Figures& figures);         // of kind ab-check

} // namespace carousel::analyses
