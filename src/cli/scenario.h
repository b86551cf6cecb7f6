// SPDX-License-Identifier: GPL-3.0-or-later
// Scenarios: text files that run the program and say what must come out. The words they know are listed in tests/scenarios/README.md.
#pragma once
#include "base/result.h"
#include <string>

namespace carousel::cli {

struct ScenarioResult {
    std::string skipped;  // the reason; empty when it ran
    std::string failure;  // what differed, with the command and its output; empty when all held
    int commands = 0, expectations = 0;
    double seconds = 0;
};
// Error CL-3030 when the file cannot be understood (file and line).
Result<ScenarioResult> runScenario(const std::string& file);

} // namespace carousel::cli
