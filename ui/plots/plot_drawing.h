// SPDX-License-Identifier: GPL-3.0-or-later
// Puts a PlotSpec on a QCustomPlot: axes, bands or whiskers, direct labels where they fit, else a legend. Used by the view and by exports.
#pragma once
#include "report/plot.h"
#include <QByteArray>
#include <QSize>

class QCustomPlot;

namespace carousel::ui {

struct PlotStyle {
    bool dark = false;
    bool withTitle = false; // exports carry title and subtitle inside the picture
};

void drawPlot(QCustomPlot& plot, const PlotSpec& spec, const PlotStyle& style);
// Exports are light, with titles, and whole in memory before anything is written.
QByteArray plotPng(const PlotSpec& spec, QSize size, double scale);
QByteArray plotPdf(const PlotSpec& spec, QSize size);

// What a person hears or reads instead of the picture: title, axes, and each series' first, last, smallest and largest value.
QString plotSummary(const PlotSpec& spec);

} // namespace carousel::ui
