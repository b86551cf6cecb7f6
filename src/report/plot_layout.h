// SPDX-License-Identifier: GPL-3.0-or-later
// Where everything of a plot goes, worked out before anything is drawn, so that no label is cut or lies on another.
#pragma once
#include "report/plot.h"
#include "report/ticks.h"

namespace carousel {

struct LegendEntry {
    double x = 0, y = 0; // left end, text baseline
    std::size_t series = 0;
    std::string text;
};
struct DirectLabel {
    double x = 0, y = 0, pointX = 0, pointY = 0;
    std::size_t series = 0;
    std::string text;
};
struct PlotLayout {
    double left = 0, right = 0, top = 0, bottom = 0; // the plot area, y downwards
    double inset = 0;                                // room between the area's sides and the ends of a numeric axis
    double headRoom = 0;                             // room above the highest tick, for value labels
    double xLow = 0, xHigh = 1;
    Ticks x, y; // x is empty with categories
    std::vector<std::string> title, subtitle;
    double titleY = 0, subtitleY = 0, yTitleY = 0, lineLabelY = 0;
    std::vector<std::vector<std::string>> categoryLines;
    bool rotated = false, valueLabels = false;
    std::vector<LegendEntry> legend;
    std::vector<DirectLabel> direct;
    double slotWidth = 0, barWidth = 0; // pixels
    std::vector<std::size_t> barIndex;  // per series: its place among the bar (or point) series of a slot
    std::size_t barCount = 0;

    double px(double value) const { return left + inset + (value - xLow) / (xHigh - xLow) * (right - left - 2 * inset); }
    double py(double value) const { return bottom - (value - y.low) / (y.high - y.low) * (bottom - top - headRoom); }
    // Centre of series `s` at `value`: bars and points of one slot stand side by side.
    double centre(const PlotSpec& plot, std::size_t s, double value) const;
};

constexpr double plotMargin = 16, titleSize = 15, labelSize = 12, captionSize = 11.5;
PlotLayout layOut(const PlotSpec& plot, int width, int height);
bool finiteAt(const PlotSeries& series, std::size_t i);

} // namespace carousel
