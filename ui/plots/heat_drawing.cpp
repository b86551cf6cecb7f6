// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_parts.h"
#include "report/plot_heat.h"
#include "widgets/text.h"
#include <algorithm>
#include <cmath>
#include "plots/custom_plot.h"

namespace carousel::ui {

namespace {
constexpr double cellGap = 0.5, labelPixels = 11, barWidth = 12;

int columnsOf(const PlotHeat& heat) { return heat.rows.empty() ? 0 : static_cast<int>(heat.values.size() / heat.rows.size()); }

// The cells as rectangles: sharp at every size and in vector exports.
class HeatMap : public QCPAbstractPlottable {
public:
    HeatMap(QCPAxis* x, QCPAxis* y, const PlotSpec& spec, const Palette& colours)
        : QCPAbstractPlottable(x, y), m_heat(spec.heat), m_scale(heatScale(spec)), m_colours(colours) {
        setName(QStringLiteral("cells"));
        setAntialiased(false);
    }
    double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }
    QCPRange getKeyRange(bool& found, QCP::SignDomain) const override {
        found = true;
        return QCPRange(-0.5, columnsOf(m_heat) - 0.5);
    }
    QCPRange getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const override {
        found = true;
        return QCPRange(-0.5, static_cast<double>(m_heat.rows.size()) - 0.5);
    }

protected:
    void draw(QCPPainter* painter) override {
        const int columns = columnsOf(m_heat), rows = static_cast<int>(m_heat.rows.size());
        auto *x = mKeyAxis.data(), *y = mValueAxis.data();
        const double width = std::abs(x->coordToPixel(1) - x->coordToPixel(0)), height = std::abs(y->coordToPixel(1) - y->coordToPixel(0));
        const auto labels = heatLabels(m_heat, labelPixels, height >= labelPixels + 4 ? width - 4 : 0);
        QFont font = Theme::instance().caption();
        font.setPixelSize(static_cast<int>(labelPixels));
        painter->setFont(font);
        for (int r = 0; r < rows; ++r)
            for (int c = 0; c < columns; ++c) {
                const auto i = static_cast<std::size_t>(r * columns + c);
                const QRectF cell(x->coordToPixel(c - 0.5) + cellGap, y->coordToPixel(r - 0.5) + cellGap, width - 2 * cellGap, height - 2 * cellGap);
                const double value = m_heat.values[i];
                if (!std::isfinite(value)) {
                    painter->setPen(QPen(m_colours.grid));
                    painter->setBrush(Qt::NoBrush);
                    painter->drawRect(cell);
                    painter->setPen(QPen(m_colours.secondary));
                    painter->drawText(cell, Qt::AlignCenter, QStringLiteral("–"));
                    continue;
                }
                const double share = m_scale.share(value);
                painter->fillRect(cell, QColor(qs(viridis(share))));
                if (!labels[i].empty()) {
                    painter->setPen(QPen(takesDarkText(share) ? Theme::lightPalette().text : QColor(Qt::white)));
                    painter->drawText(cell, Qt::AlignCenter, qs(labels[i]));
                }
            }
    }
    void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

private:
    PlotHeat m_heat;
    HeatScale m_scale;
    Palette m_colours;
};

QString elided(const std::string& text, int width) {
    return QFontMetrics(Theme::instance().caption()).elidedText(qs(text), Qt::ElideRight, width);
}

void addScale(QCustomPlot& plot, const PlotSpec& spec, const HeatScale& range, const Palette& c) {
    auto* scale = new QCPColorScale(&plot);
    plot.plotLayout()->addElement(plot.plotLayout()->rowCount() - 1, 1, scale);
    scale->setType(QCPAxis::atRight);
    scale->setBarWidth(static_cast<int>(barWidth));
    scale->setRangeDrag(false);
    scale->setRangeZoom(false);
    QCPColorGradient gradient;
    gradient.clearColorStops();
    for (int i = 0; i <= 10; ++i)
        gradient.setColorStopAt(i / 10.0, QColor(qs(viridis(i / 10.0))));
    scale->setGradient(gradient);
    scale->setDataRange(range.high > range.low ? QCPRange(range.low, range.high) : QCPRange(range.low - 0.5, range.low + 0.5));
    styleAxis(scale->axis(), qs(spec.heat.valueTitle), c, false);
    scale->axis()->setTickLengthOut(3);
    scale->setMargins(QMargins(0, 0, 4, 0));
    auto* group = new QCPMarginGroup(&plot);
    plot.axisRect()->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    scale->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    plot.plotLayout()->setColumnStretchFactor(1, 0.001);
    plot.plotLayout()->setColumnSpacing(10);
}

void addColumnNames(QCustomPlot& plot, const PlotHeat& heat, int columns, double room) {
    const QFontMetrics metrics(Theme::instance().caption());
    int widest = 0;
    for (const auto& name : heat.columns)
        widest = std::max(widest, metrics.horizontalAdvance(qs(name)));
    const double cell = room / std::max(1, columns);
    const bool words = widest > 48; // names, which are turned when they are wide; numbers, which can be left out in between
    const bool turned = words && widest + 6 > cell;
    const int every = turned ? std::max(1, static_cast<int>(std::ceil(16 / cell))) : std::max(1, static_cast<int>(std::ceil((widest + 6) / cell)));
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (int i = 0; i < columns; i += every)
        ticker->addTick(i, static_cast<std::size_t>(i) < heat.columns.size() ? elided(heat.columns[static_cast<std::size_t>(i)], 150) : QString::number(i + 1));
    plot.xAxis->setTicker(ticker);
    plot.xAxis->setTickLabelRotation(turned ? -35 : 0);
}
} // namespace

void drawHeat(QCustomPlot& plot, const PlotSpec& spec, const PlotStyle& style) {
    const Palette c = style.dark ? Theme::darkPalette() : Theme::lightPalette();
    const auto& heat = spec.heat;
    const int columns = columnsOf(heat), rows = static_cast<int>(heat.rows.size());
    plot.legend->setVisible(false);
    const int gutter = std::clamp(plot.width() / 3, 90, 240);
    QSharedPointer<QCPAxisTickerText> names(new QCPAxisTickerText);
    const double rowPixels = std::max(plot.height() - 70, 60) / static_cast<double>(std::max(rows, 1));
    const int every = std::max(1, static_cast<int>(std::ceil(14 / rowPixels)));
    for (int r = 0; r < rows; r += every)
        names->addTick(r, elided(heat.rows[static_cast<std::size_t>(r)], gutter));
    plot.yAxis->setTicker(names);
    addColumnNames(plot, heat, columns, std::max(plot.width() - gutter / 2 - 110, 120));
    for (auto* axis : {plot.xAxis, plot.yAxis}) {
        axis->setTickLengthOut(0);
        axis->setBasePen(Qt::NoPen);
    }
    plot.yAxis->setRangeReversed(true);
    plot.xAxis->setRange(-0.5, columns - 0.5);
    plot.yAxis->setRange(-0.5, rows - 0.5);
    new HeatMap(plot.xAxis, plot.yAxis, spec, c);
    addScale(plot, spec, heatScale(spec), c);
    for (const double x : spec.verticalLines) {
        for (const auto& [colour, wide] : {std::pair{c.surface, 4.0}, std::pair{c.text, 1.4}}) { // a halo, so that the line shows on any cell
            auto* line = new QCPItemStraightLine(&plot);
            line->point1->setCoords(x, 0);
            line->point2->setCoords(x, 1);
            QPen pen(colour, wide);
            if (wide < 2)
                pen.setDashPattern({5, 4});
            line->setPen(pen);
        }
        if (spec.verticalLineLabel.empty() || x != spec.verticalLines.front())
            continue;
        plot.axisRect()->setMinimumMargins(QMargins(8, 20, 12, 4));
        auto* label = new QCPItemText(&plot);
        label->setClipToAxisRect(false);
        label->position->setTypeX(QCPItemPosition::ptPlotCoords);
        label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
        label->position->setCoords(x, 0.0);
        label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
        label->setPadding(QMargins(0, 0, 0, 3));
        label->setText(qs(spec.verticalLineLabel));
        label->setFont(Theme::instance().caption());
        label->setColor(c.secondary);
    }
    if (style.withTitle)
        addTitles(plot, spec, c);
}

HeatCell heatCellAt(const PlotSpec& spec, double x, double y) {
    const int column = static_cast<int>(std::floor(x + 0.5)), row = static_cast<int>(std::floor(y + 0.5)), columns = columnsOf(spec.heat);
    if (row < 0 || column < 0 || column >= columns || row >= static_cast<int>(spec.heat.rows.size()))
        return {};
    return {row, column, spec.heat.values[static_cast<std::size_t>(row * columns + column)]};
}

} // namespace carousel::ui
