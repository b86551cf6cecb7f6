// SPDX-License-Identifier: GPL-3.0-or-later
// The figures of an off-policy analysis, before anything is put into words: the log, and one policy on it.
#pragma once
#include "evaluation/off_policy/evidence.h"
#include "experiment/analysis_specification.h"
#include "experiment/logged_policy_logger.h"

namespace carousel::off_policy_analysis {

// A log ready to evaluate on. Rounds are slates by their first slot where the log holds whole slates, else single impressions.
struct LogFacts {
    SelectedLog log;
    bool slates = false;
    std::vector<PropensityReading> readings;
    std::vector<LoggerModel> loggers;
    LoggedPropensities propensities;
    std::vector<double> rowReward, sessionReward; // per row, per session
    double rowRewardHigh = 1, sessionRewardHigh = 1;
    std::vector<std::size_t> roundRow; // per round: its row
    std::vector<std::int32_t> roundCluster;
    std::vector<double> clickShare; // per slot: its share of all reward, what slate weights are averaged by
    std::size_t rounds() const { return roundRow.size(); }
};
Result<LogFacts> factsOf(SelectedLog log, const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control);

struct SlateGate {
    std::string id, title; // "rips", "Slates, given the slots before"
    EvidenceGate gate;
    std::vector<double> weights; // per slate: mean of its slots' weights, by the share of reward of each slot
};
// Mean of a difference per slate, with and without the control variate; intervals by bootstrap over users.
struct SlateDifference {
    double plain = 0, controlled = 0, beta = 0;
    Interval plainInterval, controlledInterval;
};
// One slot as a log of single items.
struct SlotFigures {
    int slot = 0; // from 0
    std::string refused;
    std::vector<PolicyEstimate> estimates; // IPS, SNIPS, DM, DR
    EvidenceGate gate;
    double logged = 0; // mean reward of what the log showed there
    Interval loggedInterval = noInterval();
    const PolicyEstimate* estimate(const std::string& id) const;
};
struct PolicyFigures {
    std::string name;
    int colour = 0;
    std::string refused; // why this policy cannot be evaluated at all
    double measured = 0; // a logging policy's mean on its own slates; NaN for strategies
    Interval measuredInterval = noInterval();
    double measuredError = std::numeric_limits<double>::quiet_NaN(); // its standard error over users
    bool isLogger = false;
    std::size_t rounds = 0;
    double unsupported = 0;
    std::vector<double> firstWeight; // per round
    std::vector<double> firstTarget; // pi_e of the round's item
    std::vector<PolicyEstimate> first, anywhere, slates;
    EvidenceGate firstGate;
    std::vector<SlotFigures> slots;           // empty for a log of one slot
    std::vector<SlateGate> slateGates;        // rips, iips, sips
    std::vector<double> ripsTerm, ripsWeight; // per slate
    std::vector<std::string> notes;
    double seconds = 0;
    const SlateGate* gate(const std::string& id) const;
    const PolicyEstimate* slate(const std::string& id) const;
    const PolicyEstimate* firstSlot(const std::string& id) const;
};
Result<PolicyFigures> evaluatePolicy(const LogFacts& facts, const Dataset& dataset, const EvaluatedPolicy& policy, const AnalysisSpec& spec,
                                     const RunControl& control);
// Every slot of the log by itself. In later slots the propensities must be those of an item whatever stands before it.
Result<std::vector<SlotFigures>> evaluateSlots(const LogFacts& facts, const TargetPropensities& target, const CrossFittedRewards& predicted,
                                               double unsupported, const AnalysisSpec& spec, const RunControl& control);
// Effective sample sizes at other temperatures, to say what would work.
struct TemperatureRow {
    double temperature = 0, firstEss = 0, slateEss = 0;
    Evidence first = Evidence::red, slate = Evidence::red;
};
Result<std::vector<TemperatureRow>> temperatureLadder(const LogFacts& facts, const Dataset& dataset, const StrategyOrders& orders,
                                                      std::span<const double> temperatures, const RunControl& control);
// first - second per slate by RIPS; `second` null: the log itself.
Result<SlateDifference> slateDifference(const LogFacts& facts, const PolicyFigures& first, const PolicyFigures* second,
                                        const AnalysisSpec& spec, const RunControl& control);
// Mean reward per session of the given sessions with its interval.
struct Mean {
    double value = 0;
    Interval interval = noInterval();                        // none with fewer than two users
    double error = std::numeric_limits<double>::quiet_NaN(); // standard error, users drawn together
    std::size_t sessions = 0;
    double clicks = 0;
};
Result<Mean> measuredMean(const LogFacts& facts, int policy, const AnalysisSpec& spec, const RunControl& control); // policy -1: all

// The log that is evaluated on: what no strategy has learned from, and of it so many users as asked for. CL-8025, CL-8027.
Result<SelectedLog> selectedLog(const Dataset& dataset, const AnalysisSpec& spec, std::vector<std::string>& warnings);
// A strategy as a policy on the log. What the log or a plugin does not allow is said in figures.refused.
struct StrategyFigures {
    PolicyFigures figures;
    std::optional<PolicyFigures> byValue; // with the rewards of another reading of the same log
    std::vector<TemperatureRow> ladder;
    Cost cost;
};
Result<StrategyFigures> strategyFigures(const LogFacts& facts, const LogFacts* byValue, DatasetPtr dataset, const StrategySpec& strategy,
                                        const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control);
// Each logging policy whose probabilities are known, estimated from the slates of the others; colours by its number in the log.
Result<std::vector<PolicyFigures>> crossedLoggers(const LogFacts& facts, const std::vector<Mean>& perLogger, const Dataset& dataset,
                                                  const AnalysisSpec& spec, const RunControl& control);

OffPolicyOptions optionsOf(const AnalysisSpec& spec);

} // namespace carousel::off_policy_analysis
