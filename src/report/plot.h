// SPDX-License-Identifier: GPL-3.0-or-later
// One description of a plot serves the window (QCustomPlot), the HTML report (SVG) and the PNG files.
#pragma once
#include "base/result.h"
#include <optional>
#include <string>
#include <vector>

namespace carousel {

struct PlotSeries {
    std::string name;
    int colour = 0; // index into the Okabe-Ito order; a strategy keeps its index everywhere. Negative: a reference line, grey
    enum class Kind { line, bars, points, step } kind = Kind::line;
    std::vector<double> x, y;
    std::vector<double> low, high; // interval band or whiskers; empty: none
    bool dashed = false;
};
// A heat map: magnitudes in viridis over rows and columns. A plot that has one has no series.
struct PlotHeat {
    std::vector<std::string> rows, columns; // names, top to bottom and left to right
    std::vector<double> values;             // rows x columns; NaN: an empty cell
    std::string valueTitle;                 // with unit, beside the colour scale
    bool empty() const { return values.empty(); }
};
struct PlotSpec {
    std::string id;                      // file name stem
    std::string title;                   // the message: "Reach drops at the fold"
    std::string subtitle;                // n, interval, data: "n = 943 users, 95 % bootstrap intervals"
    std::string xTitle, yTitle;          // with units
    std::vector<std::string> categories; // names of x = 0, 1, 2 ...; empty: numeric axis
    std::vector<PlotSeries> series;
    std::vector<double> verticalLines; // the fold
    std::string verticalLineLabel;
    std::optional<double> yMinimum, yMaximum;
    PlotHeat heat;
};

// Okabe-Ito without yellow (contrast on white), its black softened: blue, vermillion, green, orange, purple, sky, grey.
const std::vector<std::string>& strategyColours();
std::string toSvg(const PlotSpec& plot, int width = 720, int height = 360);
std::string toCsv(const PlotSpec& plot); // the table twin

} // namespace carousel
