// SPDX-License-Identifier: GPL-3.0-or-later
// A comparison of runs as JSON for programs: every number to its last digit, null where it is not finite. The command line prints it, a
// report carries it, a replay compares it. Pure; any thread.
#pragma once
#include "workbench/workbench.h"
#include <nlohmann/json.hpp>

namespace carousel {

nlohmann::json comparisonJson(const StudyComparison& comparison);

} // namespace carousel
