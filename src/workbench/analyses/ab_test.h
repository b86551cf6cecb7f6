// SPDX-License-Identifier: GPL-3.0-or-later
// The A/B simulation: arms, simulated users, effects with intervals, health, verdict.
#pragma once
#include "experiment/analysis_specification.h"
#include "experiment/run_experiment.h"
#include "report/analysis_document.h"

namespace carousel::analyses {

struct AbTestHost {
    ExperimentHost experiment;                                   // fits and asks the arms' strategies
    std::function<void(const AnalysisDocument&)> onPartial = {}; // what is known so far, now and then; from the thread of the call
    std::string checkpoints;                                     // folder for experiments that are under way; empty: none is kept
};

Result<AnalysisDocument> abTestDocument(DatasetPtr dataset, const AnalysisSpec& spec, const AbTestHost& host, const RunControl& control);

} // namespace carousel::analyses
