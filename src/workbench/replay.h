// SPDX-License-Identifier: GPL-3.0-or-later
// A report made again from what it carries, and its figures compared with the new ones to the last digit.
// First it is checked that everything the provenance names is here: data set (canonical digest), models (SHA-256), plugins. What is missing
// or other refuses the replay: CL-7030 data set missing, CL-7031 other data of the same name, CL-7032 model missing or other, CL-7033 plugin
// missing (or, when strict, of another build), CL-7034 provenance that cannot be read, CL-7035 a run of the report that cannot be made
// again; all but the last of kind input. A plugin or program of another build is a warning: whether it gives the same numbers is what a
// replay tells.
// Synchronous; call from one thread with the workbench to itself.
#pragma once
#include "report/figure_comparison.h"
#include "report/report_record.h"
#include "workbench/workbench.h"

namespace carousel {

struct ReplayCheck {
    std::string what;            // "data six-of-hundreds", "model smollm2-135m-instruct", "plugin scorer/popularity", "program"
    std::string expected, found; // digest, SHA-256 or build
    bool same = true;
};
struct ReplayOptions {
    // A project file that does not exist yet: the data sets are copied there from the open project, nothing is imported and no stored answer
    // of a model is used. Empty: new runs or a new analysis in the open project. When it is given, the workbench holds that project afterwards.
    std::string into;
    bool strict = false; // refuse plugins of another build
};
struct ReplayOutcome {
    std::vector<ReplayCheck> checks;
    std::vector<std::int64_t> runs; // made or used again, in the order of the report
    std::int64_t analysis = 0;      // kept as; 0: a report of runs
    FigureComparison comparison;
    std::vector<std::string> warnings;
};
Result<ReplayOutcome> replay(Workbench& bench, const ReportRecord& report, const ReplayOptions& options, const RunControl& control);

} // namespace carousel
