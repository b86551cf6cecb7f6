// SPDX-License-Identifier: GPL-3.0-or-later
// Analyses that were made elsewhere and come with the program or from a colleague: FILE.json as writeAnalysis() writes it.
#pragma once
#include "workbench/workbench.h"

namespace carousel {

// Keeps the analysis of a file in the project and returns its number there; what it says, and of which machine, stays as it is.
// Errors: CL-50xx, CL-7107 no analysis, CL-3060.. one that this program does not know.
Result<std::int64_t> addFinishedAnalysis(Workbench& bench, const std::string& file);

} // namespace carousel
