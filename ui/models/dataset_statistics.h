// SPDX-License-Identifier: GPL-3.0-or-later
// Counts and distributions of a data set as plots. A pure function of the data, for a worker thread.
#pragma once
#include "base/run_control.h"
#include "data/dataset.h"
#include "report/plot.h"

namespace carousel::ui {

struct DatasetStatistics {
    std::int64_t users = 0, items = 0, interactions = 0, slates = 0, reviews = 0;
    double density = 0;              // share of (user, item) pairs with an interaction row
    double medianPerUser = 0, topTenShare = 0; // of events on the most popular tenth of the items
    double wordsPerReview = 0;       // mean; words stand between blanks
    std::int64_t firstTime = noTime, lastTime = noTime;
    std::vector<PlotSpec> plots;     // only those that the data can support
};
Result<DatasetStatistics> datasetStatistics(const Dataset& dataset, const RunControl& control);

} // namespace carousel::ui
