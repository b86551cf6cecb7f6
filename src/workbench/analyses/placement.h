// SPDX-License-Identifier: GPL-3.0-or-later
// The placement study: a language model switched on and off at each of the four places.
#pragma once
#include "experiment/analysis_specification.h"
#include "report/analysis_document.h"
#include "workbench/workbench.h"

namespace carousel::analyses {

Result<AnalysisDocument> placementDocument(Workbench& bench, const AnalysisSpec& spec, const RunControl& control);

} // namespace carousel::analyses
