// SPDX-License-Identifier: GPL-3.0-or-later
// The sections of an A/B simulation's document; each is a pure function of the facts.
#pragma once
#include "workbench/analyses/ab_test_report.h"
#include <nlohmann/json_fwd.hpp>

namespace carousel::analyses {

// ab_test_effects.cpp
ReportSection abEffects(const AbTestFacts& facts);
ReportSection abOverTime(const AbTestFacts& facts);
ReportSection abPower(const AbTestFacts& facts);
ReportSection abSegments(const AbTestFacts& facts);
ReportSection abBayesian(const AbTestFacts& facts);
// ab_test_rounds.cpp
ReportSection abFeedback(const AbTestFacts& facts);
ReportSection abPositions(const AbTestFacts& facts);
ReportSection abInterleaving(const AbTestFacts& facts);
ReportSection abFidelity(const AbTestFacts& facts);
ReportSection abCost(const AbTestFacts& facts);
// ab_test_on_log_words.cpp; facts.log is there
ReportSection abTestedOnLog(const AbTestFacts& facts);
std::vector<std::string> abLimitsOfLog(const AbTestFacts& facts);
std::vector<ReportDefinition> abDefinitionsOfLog(const AbTestFacts& facts);
// ab_test_figures.cpp
nlohmann::json abFigures(const AbTestFacts& facts);

std::string pValueText(double p);                    // "0.031", "< 0.0001"
std::string signedPercent(double share);             // "+3.1 %"
std::string usersText(double users);                 // "57,763", "no number" when infinite, "n/a"
std::string decisionText(Decision decision);         // "ship", "do not ship", "undecided"
std::string metricTitle(const AbTestFacts& facts, UserMetric metric); // "clicks per visit"; on a log "clicks per slate"
bool severalTreatments(const AbTestFacts& facts);

} // namespace carousel::analyses
