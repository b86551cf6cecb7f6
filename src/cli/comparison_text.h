// SPDX-License-Identifier: GPL-3.0-or-later
// A comparison of runs as a table for people; as JSON for programs it comes from the workbench.
#pragma once
#include "workbench/comparison_figures.h"

namespace carousel::cli {

// `allMetrics`: every metric in a table of its own below, with the difference to the baseline.
std::string comparisonText(const StudyComparison& comparison, bool allMetrics);
nlohmann::json described(const RunRow& row);

} // namespace carousel::cli
