// SPDX-License-Identifier: GPL-3.0-or-later
// A comparison of runs as a table for people and as JSON for programs, with every number to its last digit in the latter.
#pragma once
#include "workbench/workbench.h"
#include <nlohmann/json.hpp>

namespace carousel::cli {

// `allMetrics`: every metric in a table of its own below, with the difference to the baseline.
std::string comparisonText(const StudyComparison& comparison, bool allMetrics);
nlohmann::json comparisonJson(const StudyComparison& comparison);
nlohmann::json described(const RunRow& row);

} // namespace carousel::cli
