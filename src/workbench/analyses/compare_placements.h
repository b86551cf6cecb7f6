// SPDX-License-Identifier: GPL-3.0-or-later
// What a comparison of kept placement studies shows: with several models, prompts or data sets, where each of them pays. `figures`: of each,
// as parsed. Pure.
#pragma once
#include "workbench/analyses/compare_tables.h"

namespace carousel::analyses {

ReportTable placementGains(std::span<const ComparedAnalysis> analyses, const Figures& figures); // by place, zero-shot and few-shot
ReportTable placementCosts(std::span<const ComparedAnalysis> analyses, const Figures& figures); // what a place adds to a request
PlotSpec placementsPlot(std::span<const ComparedAnalysis> analyses, const Figures& figures);    // without series: nothing to show
// Judged by different metrics, gains cannot be set side by side; empty when they can.
std::string differentMetrics(std::span<const ComparedAnalysis> analyses, const Figures& figures);

} // namespace carousel::analyses
