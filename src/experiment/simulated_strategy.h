// SPDX-License-Identifier: GPL-3.0-or-later
// A strategy as an arm of a simulation: fitted to what was known before it, asked for everybody's order once, and, when it may learn, fitted
// again to that and all simulated clicks.
#pragma once
#include "evaluation/simulation/simulate.h"
#include "experiment/logged_policy.h"

namespace carousel {

class StrategySource final : public SlateSource {
public:
    struct Request {
        DatasetPtr dataset;
        StrategySpec strategy;
        std::vector<Code> people; // ascending; nobody else may be asked about
        std::int64_t before = 0;  // what happened from then on is not learned from
        std::size_t length = 0;   // items of an order that are kept
        std::uint64_t seed = 1;
        std::string device;
        ExperimentHost host; // outlives the source
    };
    // Errors of the pipeline.
    static Result<std::unique_ptr<StrategySource>> make(Request request, const RunControl& control);
    void slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const override;
    // Clicks become events of the kind "click", one second apart behind everything else; a purchase adds an event "purchase".
    Result<void> learn(std::span<const SimulatedClick> clicks, const RunControl& control) override;

    const Cost& cost() const { return m_cost; } // of all fits and orders so far
    double seconds() const { return m_seconds; }
    int fits() const { return m_fits; }
    const std::vector<std::string>& notes() const { return m_notes; }

private:
    explicit StrategySource(Request request) : m_request(std::move(request)) {}
    Result<void> fit(const DatasetPtr& dataset, std::int64_t before, const RunControl& control);

    Request m_request;
    std::vector<SimulatedClick> m_clicks; // all that were learned
    std::vector<std::int32_t> m_rowOf;    // per user of the data set: of people, or -1
    std::vector<std::int32_t> m_orders;   // people x length, -1 behind the end
    Cost m_cost;
    double m_seconds = 0;
    int m_fits = 0;
    std::vector<std::string> m_notes;
};

// The data set with more events at its end: `learned` clicks from second `time` on. Everything else is shared text for text.
DatasetPtr withClicks(const Dataset& dataset, std::span<const SimulatedClick> learned, std::int64_t time);

} // namespace carousel
