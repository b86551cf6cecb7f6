// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/plot_layout.h"
#include "base/text.h"
#include "report/svg_writer.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

namespace {
using Kind = PlotSeries::Kind;
constexpr double rowHeight = 16, rotation = 35 * 3.14159265358979 / 180;

struct Range {
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
    void add(double value) {
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    bool empty() const { return low > high; }
};
bool standsInSlots(const PlotSpec& plot, const PlotSeries& series) {
    return series.kind == Kind::bars || (series.kind == Kind::points && !plot.categories.empty());
}

void valueAxis(const PlotSpec& plot, PlotLayout& layout, int about) {
    Range range;
    bool bars = false;
    for (const auto& series : plot.series) {
        bars = bars || series.kind == Kind::bars;
        for (std::size_t i = 0; i < series.y.size() && i < series.x.size(); ++i) {
            if (!finiteAt(series, i))
                continue;
            range.add(series.y[i]);
            if (i < series.low.size())
                range.add(series.low[i]);
            if (i < series.high.size())
                range.add(series.high[i]);
        }
    }
    if (range.empty()) {
        range.add(0);
        range.add(1);
    }
    const bool nearZero = range.low > 0 && range.low < 0.4 * range.high;
    if (bars || nearZero)
        range.add(0); // bars are read by length, so they start at 0
    layout.y = niceTicks(plot.yMinimum.value_or(range.low), plot.yMaximum.value_or(range.high), about, false, plot.yMinimum.has_value(),
                         plot.yMaximum.has_value());
}

void positionAxis(const PlotSpec& plot, PlotLayout& layout) {
    if (!plot.categories.empty()) {
        layout.xLow = -0.5;
        layout.xHigh = static_cast<double>(plot.categories.size()) - 0.5;
        return;
    }
    Range range;
    double step = std::numeric_limits<double>::infinity();
    bool bars = false;
    for (const auto& series : plot.series) {
        bars = bars || series.kind == Kind::bars;
        std::vector<double> xs;
        for (const double x : series.x)
            if (std::isfinite(x))
                xs.push_back(x);
        std::sort(xs.begin(), xs.end());
        for (std::size_t i = 0; i < xs.size(); ++i) {
            range.add(xs[i]);
            if (i > 0 && xs[i] > xs[i - 1])
                step = std::min(step, xs[i] - xs[i - 1]);
        }
    }
    for (const double x : plot.verticalLines)
        range.add(x);
    if (range.empty())
        range = {0, 1};
    const double pad = bars ? (std::isfinite(step) ? step / 2 : 0.5) : range.high > range.low ? 0 : 0.5;
    layout.xLow = range.low - pad;
    layout.xHigh = range.high + pad;
    layout.inset = bars ? 0 : 12;
}

bool wholePositions(const PlotSpec& plot) {
    for (const auto& series : plot.series)
        for (const double x : series.x)
            if (std::isfinite(x) && x != std::round(x))
                return false;
    return true;
}

// Labels at the right ends of lines, pushed apart; false when a legend reads better.
bool placeDirectLabels(const PlotSpec& plot, PlotLayout& layout) {
    std::vector<DirectLabel> labels;
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const auto& series = plot.series[s];
        std::ptrdiff_t last = -1;
        for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
            if (finiteAt(series, i) && (last < 0 || series.x[i] >= series.x[static_cast<std::size_t>(last)]))
                last = static_cast<std::ptrdiff_t>(i);
        if (last < 0)
            return false;
        const auto at = static_cast<std::size_t>(last);
        if (layout.px(series.x[at]) < layout.right - layout.inset - 40)
            return false;
        const double y = std::clamp(layout.py(series.y[at]), layout.top, layout.bottom);
        labels.push_back({.x = layout.right + 4, .y = y, .pointX = layout.px(series.x[at]), .pointY = y, .series = s, .text = series.name});
    }
    std::sort(labels.begin(), labels.end(), [](const DirectLabel& a, const DirectLabel& b) { return a.y < b.y; });
    constexpr double apart = 15;
    for (int pass = 0; pass < 50; ++pass)
        for (std::size_t i = 1; i < labels.size(); ++i)
            if (const double lack = apart - (labels[i].y - labels[i - 1].y); lack > 0) {
                labels[i - 1].y -= lack / 2;
                labels[i].y += lack / 2;
            }
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (std::fabs(labels[i].y - labels[i].pointY) > 26 || labels[i].y < layout.top - 4 || labels[i].y > layout.bottom + 4 ||
            (i > 0 && labels[i].y - labels[i - 1].y < apart - 1))
            return false;
    layout.direct = std::move(labels);
    return true;
}

double legendRows(const PlotSpec& plot, PlotLayout& layout, double width, double y) {
    double x = plotMargin, rows = 1;
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const std::string text = shortened(plot.series[s].name, labelSize, width - 2 * plotMargin - 24);
        const double needed = 22 + textWidth(text, labelSize) + 16;
        if (x > plotMargin && x + needed - 16 > width - plotMargin) {
            x = plotMargin;
            rows += 1;
        }
        layout.legend.push_back({.x = x, .y = y + 18 * rows - 1, .series = s, .text = text});
        x += needed;
    }
    return rows * 18 + 6;
}

// Category names under the axis: one line, else a few lines of words, else slanted. Returns the height they take.
double categoryLabels(const PlotSpec& plot, PlotLayout& layout) {
    const double room = layout.slotWidth - 8;
    layout.categoryLines.clear();
    layout.rotated = false;
    std::size_t most = 1;
    for (const auto& name : plot.categories) {
        bool wordsFit = true;
        for (const auto word : split(name, ' '))
            wordsFit = wordsFit && textWidth(word, captionSize) <= room;
        auto lines = wrapped(name, captionSize, room, 3);
        std::string joined;
        for (const auto& line : lines)
            joined += (joined.empty() ? "" : " ") + line;
        if (!wordsFit || joined != name)
            layout.rotated = true;
        most = std::max(most, lines.size());
        layout.categoryLines.push_back(std::move(lines));
    }
    if (!layout.rotated)
        return 6 + static_cast<double>(most) * 14;
    double widest = 0;
    for (std::size_t i = 0; i < plot.categories.size(); ++i) {
        layout.categoryLines[i] = {shortened(plot.categories[i], captionSize, 150)};
        widest = std::max(widest, textWidth(layout.categoryLines[i].front(), captionSize));
    }
    return 14 + widest * std::sin(rotation);
}

void slotWidths(const PlotSpec& plot, PlotLayout& layout) {
    double slot = 1;
    if (plot.categories.empty()) {
        slot = layout.xHigh - layout.xLow;
        for (const auto& series : plot.series)
            for (std::size_t i = 1; i < series.x.size(); ++i)
                if (const double gap = std::fabs(series.x[i] - series.x[i - 1]); gap > 0)
                    slot = std::min(slot, gap);
    }
    layout.slotWidth = slot / (layout.xHigh - layout.xLow) * (layout.right - layout.left - 2 * layout.inset);
    layout.barIndex.assign(plot.series.size(), 0);
    layout.barCount = 0;
    for (std::size_t s = 0; s < plot.series.size(); ++s)
        if (standsInSlots(plot, plot.series[s])) {
            // Series that never share an x stand in the middle of their own slots.
            bool shares = false;
            for (std::size_t o = 0; o < plot.series.size() && !shares; ++o)
                if (o != s && standsInSlots(plot, plot.series[o]))
                    for (const double x : plot.series[s].x)
                        shares = shares || std::find(plot.series[o].x.begin(), plot.series[o].x.end(), x) != plot.series[o].x.end();
            layout.barIndex[s] = shares || layout.barCount == 0 ? layout.barCount : layout.barCount - 1;
            if (shares || layout.barCount == 0)
                ++layout.barCount;
        }
    layout.barWidth = layout.barCount > 0 ? std::min(56.0, layout.slotWidth * 0.74 / static_cast<double>(layout.barCount)) : 0;
}

bool valueLabelsFit(const PlotSpec& plot, const PlotLayout& layout) {
    std::size_t bars = 0;
    for (const auto& series : plot.series) {
        if (series.kind != Kind::bars)
            return false;
        for (std::size_t i = 0; i < series.x.size() && i < series.y.size(); ++i)
            if (finiteAt(series, i)) {
                ++bars;
                const double room = layout.barCount > 1 ? layout.barWidth : layout.slotWidth - 6;
                if (series.y[i] < 0 || textWidth(threeFigures(series.y[i]), 11) > room)
                    return false;
            }
    }
    return bars > 0 && bars <= 30;
}
} // namespace

bool finiteAt(const PlotSeries& series, std::size_t i) {
    return std::isfinite(series.x[i]) && std::isfinite(series.y[i]);
}

double PlotLayout::centre(const PlotSpec& plot, std::size_t s, double value) const {
    const double middle = px(value);
    if (!standsInSlots(plot, plot.series[s]) || barCount < 2)
        return middle;
    const double place = static_cast<double>(barIndex[s]) - static_cast<double>(barCount - 1) / 2;
    const double pitch = plot.series[s].kind == Kind::bars ? barWidth : std::min(barWidth, 22.0);
    return middle + place * pitch;
}

PlotLayout layOut(const PlotSpec& plot, int width, int height) {
    PlotLayout layout;
    const double w = width, h = height, inner = w - 2 * plotMargin;
    layout.title = wrapped(plot.title, titleSize * 1.04, inner, 2);
    layout.subtitle = wrapped(plot.subtitle, labelSize, inner, 3);
    double y = 10;
    layout.titleY = y + 16;
    y += static_cast<double>(layout.title.size()) * 20;
    layout.subtitleY = y + 14;
    y += static_cast<double>(layout.subtitle.size()) * rowHeight + 4;

    double longest = 0;
    bool lines = !plot.series.empty();
    for (const auto& series : plot.series) {
        lines = lines && (series.kind == Kind::line || series.kind == Kind::step);
        longest = std::max(longest, textWidth(series.name, labelSize));
    }
    const bool several = plot.series.size() > 1;
    const bool tryDirect = several && lines && plot.series.size() <= 6 && longest < 0.28 * w;

    auto place = [&](bool legend, bool direct) {
        layout.legend.clear();
        layout.direct.clear();
        double top = y;
        if (legend)
            top += legendRows(plot, layout, w, top);
        if (!plot.yTitle.empty()) {
            layout.yTitleY = top + 13;
            top += rowHeight + 2;
        }
        if (!plot.verticalLines.empty() && !plot.verticalLineLabel.empty()) {
            layout.lineLabelY = top + 11;
            top += rowHeight;
        }
        layout.top = top + 6;
        layout.right = w - (direct ? longest + 22 : plotMargin);
        positionAxis(plot, layout);
        double bottomRoom = 24;
        layout.left = plotMargin + 30;
        layout.bottom = h - 60;
        for (int pass = 0; pass < 3; ++pass) { // margins depend on labels, labels on margins
            valueAxis(plot, layout, std::clamp(static_cast<int>((layout.bottom - layout.top) / 42), 2, 8));
            double widest = 0;
            for (const auto& label : layout.y.labels)
                widest = std::max(widest, textWidth(label, captionSize));
            layout.left = plotMargin + widest + 6;
            slotWidths(plot, layout);
            if (plot.categories.empty()) {
                const int about = std::clamp(static_cast<int>((layout.right - layout.left) / 46), 2, 14);
                layout.x = niceTicks(layout.xLow, layout.xHigh, about, wholePositions(plot), true, true);
                bottomRoom = 22;
            } else {
                bottomRoom = categoryLabels(plot, layout);
                if (layout.rotated) // the first slanted name reaches to the left
                    layout.left = std::max(layout.left,
                                           plotMargin + textWidth(layout.categoryLines.front().front(), captionSize) * std::cos(rotation) -
                                               layout.slotWidth / 2);
                slotWidths(plot, layout);
            }
            layout.bottom = h - 12 - bottomRoom - (plot.xTitle.empty() ? 0 : 18);
        }
        layout.valueLabels = valueLabelsFit(plot, layout);
        layout.headRoom = layout.valueLabels ? 16 : 4;
        return !direct || placeDirectLabels(plot, layout);
    };
    if (!(tryDirect && place(false, true)))
        place(several, false);
    return layout;
}

} // namespace carousel
