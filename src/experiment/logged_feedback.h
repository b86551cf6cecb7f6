// SPDX-License-Identifier: GPL-3.0-or-later
// From a data set's impression log to the columns that click models and off-policy estimators read.
#pragma once
#include "data/dataset.h"
#include "evaluation/click_models/click_log.h"

namespace carousel {

struct LogSelection {
    std::vector<std::string> policies; // names of logging policies; empty: all. CL-8025 naming those that the log has
    std::string segment;               // user attribute: item codes become (segment, item) pairs; empty: items. CL-8026 when unknown or numeric
    double from = 0, to = 1;           // share of the log's sessions in time (file order without times), [from, to): what training used is left out
};
// Sessions of whole slates where the log has them, else one impression each (Open Bandit). Rows of one slate are put in slot order. Users are
// clusters. Error CL-8027: no impressions in this data set.
struct SelectedLog {
    ClickLog log;
    std::vector<std::size_t> firstRow; // per session: its first row in the impression table
    std::vector<std::string> notes;    // "112 anonymous sessions are resampled one by one"
};
Result<SelectedLog> selectLog(const Dataset& dataset, const LogSelection& selection);

// What a logged propensity means. marginal: P(item in this slot). conditional: P(item in this slot | the slots before). `uniform`: all are equal to
// 1/candidates, so that both can be worked out. Chosen per policy; "auto" takes the reading whose mean of 1/propensity per slot is
// nearer to the number of candidates left (marginal: N; conditional: N - slot), and says how clear that was.
enum class PropensityMeaning { unknown, marginal, conditional, uniform };
const char* name(PropensityMeaning meaning);
struct PropensityReading {
    std::string policy, words;
    PropensityMeaning meaning = PropensityMeaning::unknown;
    std::int64_t candidates = 0; // distinct items that the policy showed
};
Result<std::vector<PropensityReading>> readPropensities(const SelectedLog& log, const std::string& asked); // "auto", "marginal", "conditional"

} // namespace carousel
