// SPDX-License-Identifier: GPL-3.0-or-later
// A simulated experiment from its users to its findings: strategies become arms, users are assigned, rounds pass, the judge looks after each.
// The state is written down on the way; the same experiment begun again goes on from there and ends with the same numbers.
#pragma once
#include "evaluation/ab_test/interleaving.h"
#include "experiment/ab_test_parameters.h"
#include "experiment/analysis_specification.h"
#include "experiment/simulated_strategy.h"
#include "workbench/simulation/world.h"

namespace carousel {

// Who takes part: simulated users, copies of people of the data set, or their sessions, with what is known of them from before.
struct SimulatedUsers {
    std::vector<std::int32_t> who;        // person of the data set
    std::vector<std::int32_t> armOf, firstRound;
    std::vector<std::int32_t> userOf;     // sessions as units: whose one is; else empty
    std::size_t users = 0;                // simulated ones, who take part or do not
    ExperimentUsers known;                // for the judge
};
Result<SimulatedUsers> simulatedUsers(const SimulationWorld& world, const Parameters& options, std::uint64_t seed, std::size_t arms);

struct InterleavedArm {
    std::size_t arm = 0; // against the control
    InterleavingResult result;
    double visits = 0;
};

class ExperimentRun {
public:
    // Users, arms, assignment; fits the strategies. `stateFile`: empty keeps none. Errors of all parts; CL-3139: fewer than two strategies.
    static Result<std::unique_ptr<ExperimentRun>> make(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, std::string stateFile,
                                                       const RunControl& control);
    // Called after every time the state was written; set, it is written after every round.
    void setSaveListener(std::function<void(int round)> listener) { m_saved = std::move(listener); }
    // All rounds that are left, `afterRound` after each (from this thread). A stop ends it between two rounds, with the state kept: then
    // roundsDone() is smaller than rounds(). CL-50xx when the state cannot be written.
    Result<void> run(const std::function<Result<void>()>& afterRound, const RunControl& control);
    Result<std::vector<InterleavedArm>> interleaved(const RunControl& control) const; // as the options say; empty: not asked for

    const SimulationWorld& world() const { return *m_world; }
    const std::vector<SimulatedArm>& arms() const { return m_stopped ? *m_stopped : m_simulation->arms(); }
    int roundsDone() const { return m_simulation->roundsDone(); }
    int rounds() const { return m_simulation->plan().settings.rounds; }
    int resumedAt() const { return m_resumedAt; } // 0: begun anew
    const ExperimentJudge& judge() const { return *m_judge; }
    const StrategySource& source(std::size_t arm) const { return *m_sources[arm]; }
    const SimulatedUsers& users() const { return m_users; }

private:
    ExperimentRun() = default;
    Result<void> takeUp(const RunControl& control);
    std::string state() const;
    Result<void> write(const std::string& state) const;

    AnalysisSpec m_spec;
    std::unique_ptr<SimulationWorld> m_world;
    std::vector<std::unique_ptr<StrategySource>> m_sources;
    SimulatedUsers m_users;
    std::optional<Simulation> m_simulation;
    std::optional<ExperimentJudge> m_judge;
    std::optional<std::vector<SimulatedArm>> m_stopped; // as they were before a round that was broken off
    std::string m_stateFile, m_key;
    std::function<void(int)> m_saved;
    int m_resumedAt = 0;
};

} // namespace carousel
