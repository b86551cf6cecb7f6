// SPDX-License-Identifier: GPL-3.0-or-later
// What stopping rules really do on a metric of the data set, and whether intervals of simulated experiments hold the truth.
#pragma once
#include "experiment/analysis_specification.h"
#include "report/analysis_document.h"

namespace carousel::analyses {

Result<AnalysisDocument> abCheckDocument(DatasetPtr dataset, const AnalysisSpec& spec, const RunControl& control);

} // namespace carousel::analyses
