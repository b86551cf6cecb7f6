// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the judge share: who is in which arm, and the parts of the findings.
#pragma once
#include "evaluation/ab_test/experiment.h"

namespace carousel::judging {

using Members = std::vector<std::vector<std::uint32_t>>; // per arm: users, ascending
Members membersOf(const ExperimentUsers& users, std::span<const SimulatedArm> arms);
// One column per arm; of valueWinsorised they share their limit.
struct Columns {
    std::vector<MetricColumn> arms;
    double limit = std::numeric_limits<double>::infinity();
};
Columns columnsOf(UserMetric metric, const ExperimentDesign& design, std::span<const SimulatedArm> arms, const Members& members);
MetricColumn rowsOf(const MetricColumn& column, std::span<const std::uint32_t> rows);

std::vector<MetricEffect> metricEffects(const ExperimentDesign& design, const ExperimentUsers& users, std::span<const SimulatedArm> arms, const Members& members);
// Post-stratified difference (Miratrix, Sekhon and Yu, JRSS B 2013): strata's differences weighted by their share of all users; variance
// sum W^2 (s_c^2 / n_c + s_t^2 / n_t). Strata with fewer than two users in an arm are taken together.
Effect stratifiedEffect(std::span<const double> control, std::span<const std::int32_t> controlStratum, std::span<const double> treatment,
                        std::span<const std::int32_t> treatmentStratum, double confidence);
std::vector<SegmentComparison> segmentEffects(const ExperimentDesign& design, const ExperimentUsers& users, const Columns& primary, const Members& members);
// From the effects of its segments: adjusted p values, and Cochran's Q.
void completeSegments(SegmentComparison& comparison);
Result<std::vector<Interval>> bootstrapIntervals(const ExperimentDesign& design, const Columns& primary, const RunControl& control);
// `alpha`: of the decision, at the rule's limit.
std::vector<PowerFinding> powerFindings(const ExperimentDesign& design, const Columns& primary, std::span<const MetricEffect> effects, double alpha);
std::vector<BayesianComparison> bayesianComparisons(const ExperimentDesign& design, std::span<const MetricEffect> effects);
std::vector<HealthCheck> healthChecks(const ExperimentDesign& design, const ExperimentUsers& users, const ExperimentFindings& findings,
                                      std::span<const SimulatedArm> arms, const Members& members);
// Fills verdicts, decision and best of findings that hold everything else.
void judge(const ExperimentDesign& design, ExperimentFindings& findings);
void settle(const ExperimentDesign& design, ExperimentFindings& findings); // decision and best, from the verdicts

} // namespace carousel::judging
