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
    std::function<void(int round)> onSaved = {};                  // after every time the state was written; set, that is every round
    bool* partial = nullptr;                                     // set: whether a stop came before the last round
};

// Arms: spec.strategies, the control first. A stop after the first round is no error: the document is of the rounds that are done, and the same
// specification goes on from there when it is asked for again. Errors: those of ExperimentRun.
Result<AnalysisDocument> abTestDocument(DatasetPtr dataset, const AnalysisSpec& spec, const AbTestHost& host, const RunControl& control);

} // namespace carousel::analyses
