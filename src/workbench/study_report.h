// SPDX-License-Identifier: GPL-3.0-or-later
// The report of a comparison of runs as a document of kind "study": its figures are those of comparisonJson with every pair, its provenance holds
// every run and the study that made it, so that it can be made again (workbench/replay.h). Workbench::writeReport writes the same.
#pragma once
#include "workbench/workbench.h"

namespace carousel {

// Errors of Workbench::compare.
Result<AnalysisDocument> reportDocument(Workbench& bench, const std::vector<std::int64_t>& runs, const RunControl& control);

} // namespace carousel
