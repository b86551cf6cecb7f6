// SPDX-License-Identifier: GPL-3.0-or-later
// Who visits in a simulation, made from a data set as the options say (experiment/simulation_parameters.h), with what is known of how like real
// users they are.
#pragma once
#include "base/parameters.h"
#include "data/dataset.h"
#include "evaluation/simulation/fidelity.h"
#include "experiment/llm_visitors.h"
#include "experiment/run_experiment.h"

namespace carousel {

struct SimulationWorld {
    DatasetPtr dataset;
    std::string kind, about; // "fitted" ...; in words
    Population population;   // fitted, truth
    Behaviour behaviour;
    std::unique_ptr<Visitors> visitors;
    const LlmVisitors* llm = nullptr; // the same object, where a language model plays them
    std::vector<Code> people;         // distinct ones that take part, ascending
    std::vector<double> before;       // per user of the data set: clicks per logged slate, or events, before the simulation; for CUPED
    std::string beforeWords;          // what it is
    std::int64_t trainBefore = 0;     // arms learn from what happened before this second
    std::optional<Fidelity> fidelity; // to the log's last slates; where there is a log
    std::vector<std::string> notes;
    SimulationWorld() = default;
    SimulationWorld(const SimulationWorld&) = delete; // visitors refer to population and behaviour
    SimulationWorld& operator=(const SimulationWorld&) = delete;
};
// Errors: CL-3131 no log or no clicks to fit to; CL-3133 truth that is not known; CL-3134 no later choices to replay; those of models.
Result<std::unique_ptr<SimulationWorld>> makeSimulationWorld(DatasetPtr dataset, const Parameters& options, std::uint64_t seed, const ExperimentHost& host,
                                                             const RunControl& control);

// The carousel log of known users; false: there is none.
bool readCarouselLog(const Dataset& dataset, int window, CarouselLog& out);

} // namespace carousel
