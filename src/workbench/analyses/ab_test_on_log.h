// SPDX-License-Identifier: GPL-3.0-or-later
// An A/B comparison on a log: the arms are policies whose values are estimated from slates that other policies showed (RIPS; IPS where the log
// holds single impressions), and whose difference to the control is estimated on the same rows with a control variate. The evidence gate
// decides whether anything may be concluded. The findings have the form of an experiment's, with one look and users as units.
#pragma once
#include "workbench/analyses/ab_test_report.h"
#include "workbench/analyses/off_policy_evaluate.h"

namespace carousel::analyses {

// Arms: spec.strategies, the control first; population is "log". Errors: CL-3139 fewer than two strategies; CL-3138 options that do not fit;
// CL-8025, CL-8027 of the log; CL-8043 the log cannot judge any policy (no propensities, anonymous sessions, no prices for a value); CL-8044 a
// strategy fails; cancelled.
Result<AnalysisDocument> abTestOnLogDocument(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control);

// One arm as columns over the log's rounds.
struct LogArm {
    std::string name;
    std::vector<double> clickTerm, valueTerm, weight; // valueTerm: empty without prices
    EvidenceGate gate;
    std::string way; // what would help where the gate is red, a sentence
};
struct LogRounds {
    std::vector<std::int32_t> cluster, segment; // per round: user from 0 up; segment or -1, empty: none asked for
    std::vector<double> reward;                 // clicks
    double users = 0;
    std::string unit = "slate";                 // or "impression"
    std::vector<std::string> segmentNames;
    std::vector<HealthCheck> checks;            // of the log itself
};
// What the judge of an experiment would hand on, from columns: effects, one look, power, health of evidence, users, power and rule, segments,
// verdicts. `design`: one round, rule fixed. Pure. CL-8037; cancelled.
Result<ExperimentFindings> findingsOnLog(const ExperimentDesign& design, const LogRounds& rounds, std::span<const LogArm> arms, const RunControl& control);
// Why nothing can be concluded about the arm; empty: something can.
std::string whyUnsupported(const LogArm& arm);

} // namespace carousel::analyses
