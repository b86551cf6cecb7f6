// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the workbench share; not part of the interface.
#pragma once
#include "llm/caching_model.h"
#include "llm/model_host.h"
#include "server/endpoints.h"
#include "base/paths.h"
#include "workbench/attraction.h"
#include "workbench/workbench.h"
#include <mutex>

namespace carousel {

// Click rates per position of a log, and what the carousel model makes of them. Worked out once per data set and window.
struct LogRates {
    std::vector<double> raw, corrected;
    std::vector<Interval> rawInterval, correctedInterval;
    double swipe = std::numeric_limits<double>::quiet_NaN(), examination = swipe;
    std::string note;
};

struct Workbench::Private {
    PluginRegistry plugins = PluginRegistry::load();
    std::unique_ptr<ProjectStore> store;
    std::function<void(std::int64_t, std::int64_t)> commitListener;
    server::Endpoints endpoints{endpointFile()}; // before the hosts, which hand out its models

    std::mutex mutex; // guards what follows
    std::map<std::string, DatasetPtr> datasets; // by digest
    std::map<std::string, std::shared_ptr<const Split>> splits;
    std::map<std::string, std::unique_ptr<ModelHost>> hosts; // by device and compute type
    std::map<std::string, std::shared_ptr<const LogRates>> logRates; // by digest and window

    ModelHost& host(const std::string& device, const std::string& compute);
    Result<std::shared_ptr<const Split>> split(const Dataset& dataset, const SplitSpec& spec, const RunControl& control);
    Result<void> runStrategies(std::int64_t study, const StudySpec& spec, StudyRun& out, Workbench& bench, const RunControl& control);
    std::map<std::string, std::string> modelHashes(const StrategySpec& strategy);
};

Error noProject();

// The stored run with all that its numbers are worked out from.
struct LoadedRun {
    RunRow row;
    StudySpec study;
    StrategySpec strategy;
    DatasetPtr dataset;
    std::shared_ptr<const Split> split;
};

} // namespace carousel
