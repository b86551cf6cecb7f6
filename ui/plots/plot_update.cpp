// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_update.h"
#include <QVariant>
#include <algorithm>
#include <cmath>
#include "plots/custom_plot.h"

namespace carousel::ui {

namespace {
constexpr char partProperty[] = "plotPart", indexProperty[] = "plotIndex";
constexpr double air = 0.08; // above the highest value, as drawPlot leaves it

QVector<double> vec(const std::vector<double>& values) {
    return QVector<double>(values.begin(), values.end());
}

bool hasInterval(const PlotSeries& series) {
    return !series.y.empty() && series.low.size() == series.y.size() && series.high.size() == series.y.size();
}

void updateWhiskers(QCPErrorBars& bars, const PlotSeries& series) {
    QVector<double> minus, plus;
    if (hasInterval(series))
        for (std::size_t i = 0; i < series.y.size(); ++i) {
            minus << std::max(0.0, series.y[i] - series.low[i]);
            plus << std::max(0.0, series.high[i] - series.y[i]);
        }
    bars.setData(minus, plus);
}

void updatePlottable(QCPAbstractPlottable* plottable, PlotPart part, const PlotSeries& series) {
    if (part == PlotPart::whiskers) {
        if (auto* bars = qobject_cast<QCPErrorBars*>(plottable))
            updateWhiskers(*bars, series);
        return;
    }
    if (auto* bars = qobject_cast<QCPBars*>(plottable))
        return bars->setData(vec(series.x), vec(series.y), true);
    auto* graph = qobject_cast<QCPGraph*>(plottable);
    if (!graph)
        return;
    if (part == PlotPart::value)
        graph->setData(vec(series.x), vec(series.y), true);
    else if (hasInterval(series))
        graph->setData(vec(series.x), vec(part == PlotPart::low ? series.low : series.high), true);
    else
        graph->data()->clear();
}

// A higher value must stay in sight; a lower one leaves the scale as it is, since a scale that breathes with the pointer cannot be read.
void keepInSight(QCustomPlot& plot, const PlotSpec& spec) {
    double high = plot.yAxis->range().upper, low = plot.yAxis->range().lower;
    const double before = high, beforeLow = low;
    for (const auto& series : spec.series)
        for (const double y : series.y)
            if (std::isfinite(y)) {
                high = std::max(high, y);
                low = std::min(low, y);
            }
    if (high > before && !spec.yMaximum)
        plot.yAxis->setRangeUpper(high + air * (high - low));
    if (low < beforeLow && !spec.yMinimum)
        plot.yAxis->setRangeLower(low - air * (high - low));
}
} // namespace

void markPart(QObject* drawn, PlotPart part, std::size_t index) {
    drawn->setProperty(partProperty, static_cast<int>(part));
    drawn->setProperty(indexProperty, static_cast<int>(index));
}

bool sameShape(const PlotSpec& drawn, const PlotSpec& wished) {
    if (!drawn.heat.empty() || !wished.heat.empty() || drawn.series.empty())
        return false;
    if (drawn.id != wished.id || drawn.xTitle != wished.xTitle || drawn.yTitle != wished.yTitle || drawn.categories != wished.categories ||
        drawn.verticalLines.size() != wished.verticalLines.size() || drawn.verticalLineLabel != wished.verticalLineLabel ||
        drawn.yMinimum != wished.yMinimum || drawn.yMaximum != wished.yMaximum)
        return false;
    return std::equal(drawn.series.begin(), drawn.series.end(), wished.series.begin(), wished.series.end(),
                      [](const PlotSeries& a, const PlotSeries& b) {
                          return a.name == b.name && a.colour == b.colour && a.kind == b.kind && a.dashed == b.dashed && a.x == b.x &&
                                 a.y.size() == b.y.size() && b.x.size() == b.y.size() && (hasInterval(a) || !hasInterval(b));
                      });
}

bool sameFigures(const PlotSpec& drawn, const PlotSpec& wished) {
    return sameShape(drawn, wished) && drawn.verticalLines == wished.verticalLines &&
           std::equal(drawn.series.begin(), drawn.series.end(), wished.series.begin(), [](const PlotSeries& a, const PlotSeries& b) {
               return a.y == b.y && a.low == b.low && a.high == b.high;
           });
}

void updatePlot(QCustomPlot& plot, const PlotSpec& wished) {
    const auto marked = [](const QObject* object, std::size_t count, std::size_t& index) {
        bool known = false;
        const int found = object->property(indexProperty).toInt(&known);
        index = static_cast<std::size_t>(found);
        return known && index < count ? static_cast<PlotPart>(object->property(partProperty).toInt()) : PlotPart{};
    };
    std::size_t index = 0;
    for (int i = 0; i < plot.plottableCount(); ++i) {
        auto* plottable = plot.plottable(i);
        if (const auto part = marked(plottable, wished.series.size(), index); part != PlotPart{})
            updatePlottable(plottable, part, wished.series[index]);
    }
    for (int i = 0; i < plot.itemCount(); ++i) {
        auto* item = plot.item(i);
        const auto part = marked(item, std::max(wished.series.size(), wished.verticalLines.size()), index);
        if (auto* line = qobject_cast<QCPItemStraightLine*>(item); line && part == PlotPart::line && index < wished.verticalLines.size()) {
            line->point1->setCoords(wished.verticalLines[index], 0);
            line->point2->setCoords(wished.verticalLines[index], 1);
        } else if (auto* text = qobject_cast<QCPItemText*>(item)) {
            if (part == PlotPart::line && index < wished.verticalLines.size())
                text->position->setCoords(wished.verticalLines[index], text->position->coords().y());
            else if (part == PlotPart::label && index < wished.series.size() && !wished.series[index].y.empty())
                text->position->setCoords(wished.series[index].x.back(), wished.series[index].y.back());
        }
    }
    keepInSight(plot, wished);
}

} // namespace carousel::ui
