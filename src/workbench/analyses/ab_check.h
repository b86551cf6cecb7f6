// SPDX-License-Identifier: GPL-3.0-or-later
// What stopping rules really do on a metric of the data set, and whether intervals of simulated experiments hold the truth.
#pragma once
#include "evaluation/ab_test/operating_characteristics.h"
#include "experiment/analysis_specification.h"
#include "experiment/run_experiment.h"
#include "report/analysis_document.h"
#include "workbench/simulation/coverage_check.h"

namespace carousel::analyses {

struct AbCheckFacts {
    std::string dataset, metric;                // title; whose values, a phrase
    double metricUsers = 0, metricMean = 0, metricSkewness = 0, metricZeros = 0; // users; zeros: share
    CharacteristicsPlan plan;
    std::vector<Characteristics> none;          // per rule, without an effect
    std::vector<double> effects;                // in standard deviations
    std::vector<std::vector<Characteristics>> power; // per effect, per rule
    std::vector<std::string> arms;              // of the simulated experiments: control, treatment
    UserMetric primary = UserMetric::clicksPerVisit;
    std::string people;                         // who is simulated, a phrase
    std::optional<CoverageCheck> feedbackOn, feedbackOff; // off: only the truth is of interest
    std::size_t simulatedUsers = 0;
    std::vector<std::string> notes;
};
AnalysisDocument abCheckReport(const AbCheckFacts& facts);

// Strategies of the simulated experiments: the first two of spec.strategies, or popularity and item neighbours. CL-3140: the data cannot give
// the metric.
Result<AnalysisDocument> abCheckDocument(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control);

} // namespace carousel::analyses
