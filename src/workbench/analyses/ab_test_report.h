// SPDX-License-Identifier: GPL-3.0-or-later
// The document of an A/B simulation, from what the judge found and what the simulation counted. Pure; any thread. The verdict comes first, then
// whether the experiment can be believed, then every figure with its interval.
#pragma once
#include "evaluation/ab_test/experiment.h"
#include "evaluation/ab_test/interleaving.h"
#include "evaluation/off_policy/evidence.h"
#include "evaluation/simulation/fidelity.h"
#include "report/analysis_document.h"

namespace carousel::analyses {

struct AbTestArm {
    std::string name, words;          // "tuned rules", "sequence_rules, window 6": what fills the carousel
    std::vector<RoundTotals> rounds;
    std::vector<double> shown, clicked; // per slot, all rounds
};
struct AbTestInterleaving {
    std::size_t arm = 1;              // beside the control, whose wins are the result's A
    std::string method;               // "team draft", "probabilistic"
    InterleavingResult result;
};
struct AbTestCost {
    std::string strategy;
    double seconds = 0;               // of fitting and of filling carousels
    std::int64_t calls = 0, tokens = 0; // of language models
};
// Where the arms were judged on a log instead of by simulated users.
struct AbTestLog {
    std::string unit = "slate";           // or "impression"
    double users = 0, rounds = 0;         // of the log; every arm is judged on all of them
    std::vector<EvidenceGate> gates;      // per arm
    std::vector<bool> supported;          // per arm: it and the control may be concluded about
    std::optional<ReportSection> positions;
};
struct AbTestFacts {
    std::string dataset;              // its title
    std::string population;           // whole sentences: who the users are, where their numbers come from
    std::string assignment;           // whole sentences: how users came into arms, traffic, ramp; may be empty
    std::size_t usersOfSessions = 0;  // where visits are the units, of how many simulated users; else 0
    ExperimentDesign design;          // as the judge has it
    std::vector<std::string> covariateNames;
    std::string segmentTitle, strataTitle;
    std::vector<std::string> segmentNames;
    ExperimentFindings findings;
    std::vector<AbTestArm> arms;      // in the order of the findings'
    int window = 6;                   // visible slots
    std::vector<AbTestInterleaving> interleavings;
    std::optional<Fidelity> fidelity;
    std::string noFidelity;           // why there is none, a sentence
    std::vector<AbTestCost> costs;
    std::vector<std::string> limits;  // sentences that hold for this experiment alone; general ones are added
    std::vector<std::string> warnings;
    std::optional<AbTestLog> log;
    bool partial = false;             // under way, or stopped before the planned end
};
AbTestArm abTestArm(const SimulatedArm& arm, std::string words);

// Title, lead, facts, findings, sections and figuresJson; kind, provenance and command are the caller's.
AnalysisDocument abTestReport(const AbTestFacts& facts);

} // namespace carousel::analyses
