// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of the position lens as descriptions; pure functions of what the lens found.
#pragma once
#include "workbench/workbench.h"

namespace carousel::ui {

enum class LensFigure { probabilities, reach, examination, click, value, hidden, conversion };
// probabilities: the reach; conversion: of a lens whose v is the chance that a click ends in a purchase
double figureOf(const SlotFigures& slot, LensFigure figure);

struct LensRow {              // one strategy of the panel
    std::string letter, name; // "A", the strategy
    int colour = 0;
    const LensFigures* figures = nullptr;
    const LensIntervals* intervals = nullptr; // of the same model, or none
};

// The chosen figure per position; probabilities: reach, examination and click on one axis.
PlotSpec lensPositionPlot(const std::vector<LensRow>& rows, LensFigure figure, const CarouselModel& model);
// Where the ideal item stands. landing: one per row.
PlotSpec lensLandingPlot(const std::vector<LensRow>& rows, const std::vector<PositionLens::Landing>& landing, int window);
// Clicks per shown slate, and the same divided by the examination of the fitted carousel model; without a log an empty plot.
PlotSpec clickRatePlot(const RunLens& lens, int window);
PlotSpec lensHeatPlot(const PositionLens::HeatMap& map, LensFigure figure, const LensRow& row, const std::string& field);

} // namespace carousel::ui
