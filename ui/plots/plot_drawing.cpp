// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_drawing.h"
#include "plots/plot_parts.h"
#include "plots/plot_update.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QBuffer>
#include <QPageSize>
#include <QPdfWriter>
#include <algorithm>
#include <cmath>
#include <limits>
#include "plots/custom_plot.h"

namespace carousel::ui {

namespace {
constexpr std::size_t mostDirectLabels = 5;
constexpr int longestAxisName = 160;
constexpr double labelGap = 0.065; // of the value range, about one text line in a 300 px plot

QVector<double> vec(const std::vector<double>& values) { return QVector<double>(values.begin(), values.end()); }

struct Ranges {
    double xLow = std::numeric_limits<double>::infinity(), xHigh = -xLow, yLow = xLow, yHigh = -xLow;
    bool bars = false, any = false;
};

Ranges rangesOf(const PlotSpec& spec) {
    Ranges r;
    const auto takeY = [&](double y) {
        if (std::isfinite(y)) {
            r.yLow = std::min(r.yLow, y);
            r.yHigh = std::max(r.yHigh, y);
            r.any = true;
        }
    };
    for (const auto& series : spec.series) {
        r.bars = r.bars || series.kind == PlotSeries::Kind::bars;
        for (const double x : series.x)
            if (std::isfinite(x)) {
                r.xLow = std::min(r.xLow, x);
                r.xHigh = std::max(r.xHigh, x);
            }
        for (const auto* values : {&series.y, &series.low, &series.high})
            for (const double y : *values)
                takeY(y);
    }
    for (const double x : spec.verticalLines) {
        r.xLow = std::min(r.xLow, x);
        r.xHigh = std::max(r.xHigh, x);
    }
    if (!r.any)
        r.xLow = r.yLow = 0, r.xHigh = r.yHigh = 1;
    if (r.bars)
        r.yLow = std::min(r.yLow, 0.0), r.yHigh = std::max(r.yHigh, 0.0);
    return r;
}

double barWidth(const PlotSpec& spec, std::size_t barSeries) {
    double step = std::numeric_limits<double>::infinity();
    for (const auto& series : spec.series)
        for (std::size_t i = 1; i < series.x.size(); ++i)
            if (const double d = std::abs(series.x[i] - series.x[i - 1]); d > 0)
                step = std::min(step, d);
    if (!std::isfinite(step))
        step = 1;
    return 0.8 * step / static_cast<double>(std::max<std::size_t>(1, barSeries));
}

// 40,000 and 0.25 as people write them; only what is far out in powers of ten. Positions and counts get whole steps.
template <class Base> class PlainTicker : public Base {
public:
    void setWhole(bool whole) { m_whole = whole; }

protected:
    double getTickStep(const QCPRange& range) override {
        const double step = Base::getTickStep(range);
        return m_whole ? std::max(1.0, std::round(step)) : step;
    }
    QString getTickLabel(double tick, const QLocale&, QChar, int) override {
        if (std::abs(tick) < 1e-12)
            return QStringLiteral("0");
        if (std::abs(tick) >= 1000 && std::abs(tick) < 1e7)
            return count(std::llround(tick));
        return QString::number(tick, 'g', 6);
    }

private:
    bool m_whole = false;
};

bool wholeX(const PlotSpec& spec) {
    for (const auto& series : spec.series)
        for (const double x : series.x)
            if (x != std::round(x))
                return false;
    return true;
}

QCPScatterStyle scatter(int index, const QColor& colour, double size) {
    return QCPScatterStyle(Theme::marker(index, {0, 0}, size), QPen(colour, 1), QBrush(colour), size);
}

void addWhiskers(QCustomPlot& plot, QCPAbstractPlottable* target, const PlotSeries& series, const QColor& colour, std::size_t index) {
    if (series.low.size() != series.y.size() || series.high.size() != series.y.size() || series.y.empty())
        return;
    auto* bars = new QCPErrorBars(plot.xAxis, plot.yAxis);
    bars->removeFromLegend();
    markPart(bars, PlotPart::whiskers, index);
    bars->setDataPlottable(target);
    bars->setPen(QPen(colour, 1.2));
    bars->setSymbolGap(0);
    bars->setWhiskerWidth(6);
    QVector<double> minus, plus;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
        minus << std::max(0.0, series.y[i] - series.low[i]);
        plus << std::max(0.0, series.high[i] - series.y[i]);
    }
    bars->setData(minus, plus);
}

void addBand(QCustomPlot& plot, const PlotSeries& series, QColor colour, std::size_t index) {
    if (series.low.size() != series.y.size() || series.high.size() != series.y.size() || series.y.empty())
        return;
    auto* low = plot.addGraph();
    auto* high = plot.addGraph();
    markPart(low, PlotPart::low, index);
    markPart(high, PlotPart::high, index);
    for (auto* edge : {low, high}) {
        edge->removeFromLegend();
        edge->setPen(Qt::NoPen);
        edge->setLineStyle(series.kind == PlotSeries::Kind::step ? QCPGraph::lsStepLeft : QCPGraph::lsLine);
    }
    low->setData(vec(series.x), vec(series.low));
    high->setData(vec(series.x), vec(series.high));
    colour.setAlphaF(0.16F);
    high->setBrush(colour);
    high->setChannelFillGraph(low);
}

bool labelsFit(const PlotSpec& spec, const Ranges& r) {
    if (spec.series.size() < 2 || spec.series.size() > mostDirectLabels)
        return false;
    std::vector<double> ends;
    for (const auto& series : spec.series) {
        if ((series.kind != PlotSeries::Kind::line && series.kind != PlotSeries::Kind::step) || series.y.empty() || !std::isfinite(series.y.back()) ||
            series.x.back() < r.xHigh - 1e-9)
            return false;
        ends.push_back(series.y.back());
    }
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = 1; i < ends.size(); ++i)
        if (ends[i] - ends[i - 1] < labelGap * (r.yHigh - r.yLow))
            return false;
    return true;
}

void addDirectLabel(QCustomPlot& plot, const PlotSeries& series, const QColor& colour, std::size_t index) {
    auto* label = new QCPItemText(&plot);
    markPart(label, PlotPart::label, index);
    label->setClipToAxisRect(false);
    label->setPositionAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    label->position->setCoords(series.x.back(), series.y.back());
    label->setPadding(QMargins(8, 0, 0, 0));
    label->setText(qs(series.name));
    label->setFont(Theme::instance().caption());
    label->setColor(colour);
}

// Colours of text must read at 4.5:1; a strategy's own colour is only used where it does, else the text colour with the marker beside it.
QColor readable(const QColor& colour, const Palette& c) { return Theme::contrast(colour, c.surface) >= 4.5 ? colour : c.text; }
// Long names of categories break at the space nearest their middle.
QString inTwoLines(QString text) {
    if (text.size() <= 12)
        return text;
    qsizetype best = -1;
    for (qsizetype at = text.indexOf(QLatin1Char(' ')); at >= 0; at = text.indexOf(QLatin1Char(' '), at + 1))
        if (best < 0 || std::abs(2 * at - text.size()) < std::abs(2 * best - text.size()))
            best = at;
    if (best > 0)
        text[best] = QLatin1Char('\n');
    return text;
}
} // namespace

void styleAxis(QCPAxis* axis, const QString& label, const Palette& c, bool grid) {
    axis->setLabel(label);
    axis->setLabelFont(Theme::instance().caption());
    axis->setTickLabelFont(Theme::instance().caption());
    axis->setLabelColor(c.secondary);
    axis->setTickLabelColor(c.secondary);
    axis->setBasePen(QPen(c.bandEdge));
    axis->setTickPen(QPen(c.bandEdge));
    axis->setSubTicks(false);
    axis->setTickLengthIn(0);
    axis->setTickLengthOut(4);
    axis->setLabelPadding(4);
    axis->setNumberFormat(QStringLiteral("gbd"));
    axis->setNumberPrecision(4);
    axis->grid()->setVisible(grid);
    axis->grid()->setPen(QPen(c.grid));
    axis->grid()->setZeroLinePen(QPen(c.grid));
}

void clearDrawing(QCustomPlot& plot) {
    plot.clearItems();
    plot.clearPlottables();
    auto* layout = plot.plotLayout();
    for (int i = layout->elementCount() - 1; i >= 0; --i)
        if (auto* element = layout->elementAt(i); qobject_cast<QCPTextElement*>(element) || qobject_cast<QCPColorScale*>(element))
            layout->remove(element);
    layout->simplify();
    plot.axisRect()->setMarginGroup(QCP::msAll, nullptr);
    qDeleteAll(plot.findChildren<QCPMarginGroup*>());
    plot.xAxis->setRangeReversed(false);
    plot.yAxis->setRangeReversed(false);
}

void addTitles(QCustomPlot& plot, const PlotSpec& spec, const Palette& c) {
    const auto addLine = [&](int row, const std::string& text, const QFont& font, const QColor& colour) {
        plot.plotLayout()->insertRow(row);
        auto* element = new QCPTextElement(&plot, qs(text), font);
        element->setTextColor(colour);
        element->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
        element->setMargins(QMargins(10, row == 0 ? 8 : 0, 8, 4));
        plot.plotLayout()->addElement(row, 0, element);
    };
    addLine(0, spec.title, Theme::instance().strong(), c.text);
    if (!spec.subtitle.empty())
        addLine(1, spec.subtitle, Theme::instance().caption(), c.secondary);
}

void drawPlot(QCustomPlot& plot, const PlotSpec& spec, const PlotStyle& style) {
    const Palette c = style.dark ? Theme::darkPalette() : Theme::lightPalette();
    clearDrawing(plot);
    plot.setBackground(QBrush(c.surface));
    plot.axisRect()->setAutoMargins(QCP::msAll);
    plot.axisRect()->setMinimumMargins(QMargins(8, 8, 12, 4));
    styleAxis(plot.xAxis, qs(spec.xTitle), c, false);
    // A name that is longer than a low plot is high stands in two lines.
    const bool longName = QFontMetrics(Theme::instance().caption()).horizontalAdvance(qs(spec.yTitle)) > longestAxisName;
    styleAxis(plot.yAxis, longName ? inTwoLines(qs(spec.yTitle)) : qs(spec.yTitle), c, spec.heat.empty());
    if (!spec.heat.empty())
        return drawHeat(plot, spec, style);

    plot.yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new PlainTicker<QCPAxisTicker>));
    const Ranges r = rangesOf(spec);
    const auto barSeries = static_cast<std::size_t>(
        std::count_if(spec.series.begin(), spec.series.end(), [](const auto& s) { return s.kind == PlotSeries::Kind::bars; }));
    const double width = barWidth(spec, barSeries);
    const bool direct = labelsFit(spec, r);

    // Category names, or numbers (whole numbers only where all x are whole).
    if (!spec.categories.empty()) {
        QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
        const std::size_t every = std::max<std::size_t>(1, spec.categories.size() / 24);
        for (std::size_t i = 0; i < spec.categories.size(); i += every)
            ticker->addTick(static_cast<double>(i), inTwoLines(qs(spec.categories[i])));
        plot.xAxis->setTicker(ticker);
        std::size_t longest = 0;
        for (const auto& category : spec.categories)
            longest = std::max(longest, category.size());
        int widest = 0;
        const QFontMetrics metrics(Theme::instance().caption());
        for (const auto& category : spec.categories)
            for (const auto& line : inTwoLines(qs(category)).split(QLatin1Char('\n')))
                widest = std::max(widest, metrics.horizontalAdvance(line));
        const bool crowded = static_cast<int>(spec.categories.size() / every) * (widest + 8) > std::max(plot.width() - 70, 240);
        plot.xAxis->setTickLabelRotation(crowded || spec.categories.size() * longest > 220 ? -35 : 0);
    } else {
        QSharedPointer<PlainTicker<QCPAxisTicker>> ticker(new PlainTicker<QCPAxisTicker>);
        ticker->setTickCount(8);
        ticker->setWhole(wholeX(spec));
        plot.xAxis->setTicker(ticker);
        plot.xAxis->setTickLabelRotation(0);
    }

    QCPBarsGroup* group = nullptr;
    if (barSeries > 1) {
        group = new QCPBarsGroup(&plot);
        group->setSpacingType(QCPBarsGroup::stPlotCoords);
        group->setSpacing(width * 0.06);
    }
    for (std::size_t index = 0; index < spec.series.size(); ++index) {
        const auto& series = spec.series[index];
        if (series.x.size() != series.y.size())
            continue;
        const QColor colour = series.colour < 0 ? c.secondary : Theme::strategy(series.colour, style.dark); // negative: a reference line
        QPen pen(colour, 2);
        if (series.dashed)
            pen.setDashPattern({4, 3});
        if (series.kind == PlotSeries::Kind::bars) {
            auto* bars = new QCPBars(plot.xAxis, plot.yAxis);
            bars->setName(qs(series.name));
            markPart(bars, PlotPart::value, index);
            bars->setWidth(width * (group ? 0.94 : 1.0));
            bars->setPen(Qt::NoPen);
            bars->setBrush(series.dashed ? QBrush(colour, Qt::BDiagPattern) : QBrush(colour));
            bars->setData(vec(series.x), vec(series.y));
            if (group)
                bars->setBarsGroup(group);
            addWhiskers(plot, bars, series, c.text, index);
            continue;
        }
        const bool points = series.kind == PlotSeries::Kind::points;
        if (!points)
            addBand(plot, series, colour, index);
        auto* graph = plot.addGraph();
        graph->setName(qs(series.name));
        markPart(graph, PlotPart::value, index);
        graph->setPen(points ? QPen(colour) : pen);
        graph->setLineStyle(points                                      ? QCPGraph::lsNone
                            : series.kind == PlotSeries::Kind::step ? QCPGraph::lsStepLeft
                                                                    : QCPGraph::lsLine);
        if (points || (series.x.size() <= 40 && series.x.size() > 2))
            graph->setScatterStyle(scatter(series.colour, colour, points && series.x.size() > 200 ? 4 : 8));
        graph->setData(vec(series.x), vec(series.y));
        if (points)
            addWhiskers(plot, graph, series, colour, index);
        if (direct)
            addDirectLabel(plot, series, readable(colour, c), index);
    }

    // Ranges with a little air; bars and shares start at zero.
    const double xAir = r.bars ? 0.5 * std::max(width * static_cast<double>(std::max<std::size_t>(1, barSeries)), 1e-12) / 0.8 : 0.02 * std::max(r.xHigh - r.xLow, 1e-12);
    double yLow = spec.yMinimum.value_or(r.bars && r.yLow >= 0 ? 0 : r.yLow - 0.06 * (r.yHigh - r.yLow));
    double yHigh = spec.yMaximum.value_or(r.yHigh + 0.08 * (r.yHigh - r.yLow));
    if (!(yHigh > yLow)) {
        yLow -= 0.5;
        yHigh = yLow + 1;
    }
    plot.xAxis->setRange(r.xLow - xAir, std::max(r.xHigh + xAir, r.xLow - xAir + 1e-9));
    plot.yAxis->setRange(yLow, yHigh);

    for (std::size_t index = 0; index < spec.verticalLines.size(); ++index) {
        const double x = spec.verticalLines[index];
        auto* line = new QCPItemStraightLine(&plot);
        markPart(line, PlotPart::line, index);
        line->point1->setCoords(x, 0);
        line->point2->setCoords(x, 1);
        QPen pen(c.text, 1.2);
        pen.setDashPattern({5, 4});
        line->setPen(pen);
        if (!spec.verticalLineLabel.empty() && index == 0) {
            auto* label = new QCPItemText(&plot);
            markPart(label, PlotPart::line, index);
            label->position->setTypeX(QCPItemPosition::ptPlotCoords);
            label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
            label->position->setCoords(x, 0.0);
            label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
            label->setPadding(QMargins(5, 2, 0, 0));
            label->setText(qs(spec.verticalLineLabel));
            label->setFont(Theme::instance().caption());
            label->setColor(c.secondary);
        }
    }

    // Room for direct labels, or a legend above the plot.
    plot.axisRect()->setMinimumMargins(QMargins(8, 8, 12, 4));
    // Where every series is one point over its own name on the axis, a legend would say it twice.
    const bool named = !spec.categories.empty() && std::all_of(spec.series.begin(), spec.series.end(), [](const PlotSeries& series) {
        return series.kind == PlotSeries::Kind::points ? series.x.size() <= 1 : series.colour < 0;
    });
    const bool legend = !direct && !named && spec.series.size() > 1;
    if (direct) {
        int widest = 0;
        const QFontMetrics metrics(Theme::instance().caption());
        for (const auto& series : spec.series)
            widest = std::max(widest, metrics.horizontalAdvance(qs(series.name)));
        plot.axisRect()->setMinimumMargins(QMargins(8, 8, std::min(widest + 20, 220), 4));
    }
    plot.legend->setVisible(legend);
    if (legend) {
        plot.legend->setFont(Theme::instance().caption());
        plot.legend->setTextColor(c.text);
        plot.legend->setBrush(Qt::NoBrush);
        plot.legend->setBorderPen(Qt::NoPen);
        int widest = 0;
        const QFontMetrics metrics(Theme::instance().caption());
        for (const auto& series : spec.series)
            widest = std::max(widest, metrics.horizontalAdvance(qs(series.name)));
        // The wrap first: setting the fill order is what lays the entries out again.
        plot.legend->setWrap(std::clamp(std::max(plot.width(), 360) / (widest + 44), 1, 6));
        plot.legend->setFillOrder(QCPLegend::foColumnsFirst);
        plot.legend->setRowSpacing(0);
        plot.legend->setIconSize(18, 13); // the largest mark is 11 high
        plot.legend->setMargins(QMargins(4, 0, 4, 2));
        if (plot.legend->layout() != plot.plotLayout()) { // moved once from inside the axes to a row above them
            plot.plotLayout()->insertRow(0);
            plot.plotLayout()->addElement(0, 0, plot.legend);
        }
        plot.plotLayout()->setRowStretchFactor(0, 0.001);
    }
    if (style.withTitle)
        addTitles(plot, spec, c);
}

QByteArray plotPng(const PlotSpec& spec, QSize size, double scale) {
    QCustomPlot plot;
    plot.resize(size);
    drawPlot(plot, spec, {false, true});
    const QPixmap pixmap = plot.toPixmap(size.width(), size.height(), scale);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    pixmap.save(&buffer, "PNG");
    return bytes;
}

QByteArray plotPdf(const PlotSpec& spec, QSize size) {
    QCustomPlot plot;
    plot.resize(size);
    drawPlot(plot, spec, {false, true});
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter writer(&buffer);
        writer.setTitle(qs(spec.title));
        writer.setPageMargins(QMarginsF(0, 0, 0, 0));
        writer.setPageSize(QPageSize(QSizeF(size.width() * 0.75, size.height() * 0.75), QPageSize::Point));
        writer.setResolution(96);
        QCPPainter painter;
        painter.begin(&writer);
        painter.setMode(QCPPainter::pmVectorized);
        painter.setMode(QCPPainter::pmNoCaching);
        plot.toPainter(&painter, size.width(), size.height());
        painter.end();
    }
    return bytes;
}

namespace {
// Size, and where the largest and the smallest value lie.
QString heatSummary(const PlotSpec& spec) {
    const auto& heat = spec.heat;
    const std::size_t columns = heat.rows.empty() ? 0 : heat.values.size() / heat.rows.size();
    std::size_t low = heat.values.size(), high = low;
    for (std::size_t i = 0; i < heat.values.size(); ++i) {
        if (!std::isfinite(heat.values[i]))
            continue;
        if (low == heat.values.size() || heat.values[i] < heat.values[low])
            low = i;
        if (high == heat.values.size() || heat.values[i] > heat.values[high])
            high = i;
    }
    QString words = QStringLiteral("%1 of %2 rows and %3 columns").arg(qs(heat.valueTitle)).arg(heat.rows.size()).arg(columns);
    const auto place = [&](std::size_t i) {
        const std::size_t column = i % columns;
        return QStringLiteral("%1 at %2, %3").arg(figures(heat.values[i]), qs(heat.rows[i / columns]),
                                                  column < heat.columns.size() ? qs(heat.columns[column]) : QString::number(column + 1));
    };
    if (columns > 0 && low < heat.values.size())
        words += QStringLiteral(": largest %1, smallest %2").arg(place(high), place(low));
    return words;
}
} // namespace

QString plotSummary(const PlotSpec& spec) {
    QStringList parts{qs(spec.title)};
    if (!spec.subtitle.empty())
        parts << qs(spec.subtitle);
    if (!spec.heat.empty())
        return (parts << heatSummary(spec)).join(QStringLiteral(". "));
    parts << QStringLiteral("%1 by %2").arg(qs(spec.yTitle), qs(spec.xTitle));
    for (const auto& series : spec.series) {
        double low = std::numeric_limits<double>::infinity(), high = -low;
        for (const double y : series.y)
            if (std::isfinite(y)) {
                low = std::min(low, y);
                high = std::max(high, y);
            }
        if (high >= low)
            parts << QStringLiteral("%1: from %2 to %3, first %4, last %5")
                         .arg(qs(series.name), figures(low), figures(high), figures(series.y.front()), figures(series.y.back()));
    }
    return parts.join(QStringLiteral(". "));
}

} // namespace carousel::ui
