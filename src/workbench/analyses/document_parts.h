// SPDX-License-Identifier: GPL-3.0-or-later
// What the documents of this folder share: numbers as words and as JSON, columns of intervals as series of a plot.
#pragma once
#include "evaluation/statistics/interval.h"
#include "report/analysis_document.h"
#include <nlohmann/json.hpp>
#include <span>

namespace carousel::analyses {

bool isFinite(const Interval& interval);
std::string percent(double share);                            // "34.6 %"
std::string level(double confidence);                         // "95 %"
std::string range(const Interval& interval);                  // "[0.341, 0.362]", "" when there is none
std::string estimate(double value, const Interval& interval); // "0.351 [0.341, 0.362]"
std::string signedFigures(double value);                      // "+0.0123"
std::string countOf(std::size_t n, const char* one, const char* many);
std::string joined(const std::vector<std::string>& words);    // "a, b and c"

ReportCell cell(double value, const Interval& interval);
ReportCell muted(std::string text);
ReportCell traced(ReportCell cell, std::string path); // the cell with the place of its value in the figures
Light worst(Light a, Light b); // red over amber over green over none

nlohmann::json number(double value); // null when not finite
nlohmann::json numbers(std::span<const double> values);
nlohmann::json interval(const Interval& interval); // [low, high]
nlohmann::json intervals(std::span<const Interval> intervals);

// y over x = 1, 2, 3 ... (positions). No intervals: `intervals` empty.
PlotSeries overPositions(std::string name, int colour, std::vector<double> y, std::span<const Interval> intervals = {});
void addFold(PlotSpec& plot, int window, std::size_t slots); // between position `window` and the next, when there is a next

} // namespace carousel::analyses
