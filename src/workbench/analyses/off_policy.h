// SPDX-License-Identifier: GPL-3.0-or-later
// The off-policy analysis: what would the strategies of a specification have earned on this log, and how far can the log say so?
#pragma once
#include "experiment/analysis_specification.h"
#include "experiment/run_experiment.h"
#include "report/analysis_document.h"

namespace carousel {

// `spec` is resolved and of kind offPolicy. Without a strategy the logging policies are evaluated on each other's slates as far as their
// probabilities are known. The caller fills provenance and command. Errors: CL-8025, CL-8027, what a strategy's plugins say, cancelled.
Result<AnalysisDocument> offPolicyDocument(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host,
                                           const RunControl& control);

} // namespace carousel
