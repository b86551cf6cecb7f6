// SPDX-License-Identifier: GPL-3.0-or-later
// What drawings of plots share: axes in the look of the theme, the lines of title and subtitle of exports, heat maps.
#pragma once
#include "plots/plot_drawing.h"
#include "theme/theme.h"

class QCPAxis;

namespace carousel::ui {

// Takes away everything that an earlier drawing left, so that a series plot can follow a heat map and the other way round.
void clearDrawing(QCustomPlot& plot);
void styleAxis(QCPAxis* axis, const QString& label, const Palette& c, bool grid);
void addTitles(QCustomPlot& plot, const PlotSpec& spec, const Palette& c);

// Rows from top to bottom, columns from left to right, numbers in cells that have room, an empty cell as a dash, the colour scale at the right.
void drawHeat(QCustomPlot& plot, const PlotSpec& spec, const PlotStyle& style);
struct HeatCell {
    int row = -1, column = -1; // -1: outside
    double value = 0;
};
HeatCell heatCellAt(const PlotSpec& spec, double x, double y); // in the coordinates of the axes

} // namespace carousel::ui
