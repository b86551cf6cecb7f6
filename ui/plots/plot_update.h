// SPDX-License-Identifier: GPL-3.0-or-later
// New values on a plot that is already drawn: while something is dragged, axes, legends and labels stay and only figures move.
#pragma once
#include "report/plot.h"

class QCustomPlot;
class QObject;

namespace carousel::ui {

// drawPlot marks what it draws, so that updatePlot finds it again.
enum class PlotPart { value = 1, low, high, whiskers, label, line };
void markPart(QObject* drawn, PlotPart part, std::size_t index); // index: of the series, or of the vertical line

// Same series, places, axes and lines; only figures, intervals that went away, and where the lines stand may differ. A heat map never is.
bool sameShape(const PlotSpec& drawn, const PlotSpec& wished);
// Nothing that is drawn differs: only words beside the plot may.
bool sameFigures(const PlotSpec& drawn, const PlotSpec& wished);
// `wished` must have the shape of what drawPlot drew last. Does not replot.
void updatePlot(QCustomPlot& plot, const PlotSpec& wished);

} // namespace carousel::ui
