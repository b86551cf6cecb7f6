// SPDX-License-Identifier: GPL-3.0-or-later
// One function per kind of analysis; each computes, and says in a document what came out. Provenance and command are filled in by analyse.cpp.
// The off-policy document has its own header, off_policy.h.
#pragma once
#include "evaluation/carousel/grid.h"
#include "evaluation/click_models/fit.h"
#include "experiment/analysis_specification.h"
#include "experiment/logged_feedback.h"
#include "report/analysis_document.h"
#include "workbench/workbench.h"

namespace carousel::analyses {

Result<AnalysisDocument> clicksDocument(const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control);
Result<AnalysisDocument> positionBiasDocument(const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control);

// One or two runs; of the same users when two.
Result<AnalysisDocument> lensDocument(const std::string& datasetTitle, const std::vector<std::shared_ptr<const RunLens>>& runs, const AnalysisSpec& spec, const RunControl& control);
// The same user with another fold: places beyond those known fall on by the last ratio.
CarouselModel withWindow(const CarouselModel& model, int window);

struct RowRun {
    std::int64_t run = 0;
    std::string strategy;
    int colour = 0;
    std::vector<UserResult> users; // ascending
};
Result<AnalysisDocument> rowsDocument(const Dataset& dataset, const std::vector<RowRun>& runs, const AnalysisSpec& spec, const RunControl& control);

// What the carousel model learned from a log, in the terms of a study's [evaluation]. swipe and examination are NaN where the log cannot tell.
struct MeasuredEvaluation {
    int window = 0;
    double swipe = 0, examination = 0; // examination: the factor per place that fits theta best, least squares of log theta
    double largestDeviation = 0;       // of theta from factor^k
    std::string lines;                 // "[evaluation]\nwindow = 6\n..."
};
MeasuredEvaluation measuredEvaluation(const ClickModelFit& carouselFit, std::int32_t slots);

} // namespace carousel::analyses
