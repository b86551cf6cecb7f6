// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a laid-out plot. Classes (paper, ink, muted, grid, axis, halo, hollow) let a page recolour it for dark mode.
#include "base/text.h"
#include "report/plot_heat.h"
#include "report/plot_layout.h"
#include "report/svg_writer.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
using Kind = PlotSeries::Kind;
constexpr std::size_t mostMarkers = 40, mostTooltips = 400;

// A negative colour is a reference line (chance, a target): grey, without markers.
bool isReference(const PlotSeries& series) { return series.colour < 0; }

const std::string& colourOf(const PlotSeries& series) {
    static const std::string grey = "#6B7280";
    if (isReference(series))
        return grey;
    const auto& colours = strategyColours();
    const auto n = static_cast<int>(colours.size());
    return colours[static_cast<std::size_t>(series.colour % n)];
}
bool hollowMarker(const PlotSeries& series) {
    return series.colour >= static_cast<int>(strategyColours().size());
}

std::string tooltip(const PlotSpec& plot, const PlotSeries& series, std::size_t i) {
    if (series.x.size() > mostTooltips)
        return {};
    std::string where = threeFigures(series.x[i]);
    const double index = std::round(series.x[i]);
    if (!plot.categories.empty() && index >= 0 && index < static_cast<double>(plot.categories.size()))
        where = plot.categories[static_cast<std::size_t>(index)];
    else if (series.x[i] == index)
        where = withThousands(static_cast<std::int64_t>(index));
    std::string text = fmt::format("{}{}: {}", series.name.empty() ? "" : series.name + ", ", where, threeFigures(series.y[i]));
    if (i < series.low.size() && i < series.high.size() && std::isfinite(series.low[i]) && std::isfinite(series.high[i]))
        text += fmt::format(" [{}, {}]", threeFigures(series.low[i]), threeFigures(series.high[i]));
    return text;
}

class Drawing {
public:
    Drawing(const PlotSpec& plot, int width, int height)
        : m_plot(plot), m_layout(layOut(plot, width, height)), m_width(width), m_height(height),
          m_svg(width, height, plot.title + (plot.subtitle.empty() ? "" : ". " + plot.subtitle)) {}

    std::string draw() {
        headings();
        axes();
        bool any = false;
        for (std::size_t s = 0; s < m_plot.series.size(); ++s) {
            const auto& series = m_plot.series[s];
            for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
                any = any || finiteAt(series, i);
            if (series.kind == Kind::line || series.kind == Kind::step)
                band(s);
        }
        for (std::size_t s = 0; s < m_plot.series.size(); ++s)
            drawSeries(s);
        if (!any)
            m_svg.text((m_layout.left + m_layout.right) / 2, (m_layout.top + m_layout.bottom) / 2, "No data to draw", labelSize, "muted",
                       Anchor::middle);
        verticalLines();
        names();
        return m_svg.finished();
    }

private:
    double px(double x) const { return m_layout.px(x); }
    double py(double y) const { return std::clamp(m_layout.py(y), m_layout.top, m_layout.bottom); }

    void headings() {
        for (std::size_t i = 0; i < m_layout.title.size(); ++i)
            m_svg.text(plotMargin, m_layout.titleY + 20 * static_cast<double>(i), m_layout.title[i], titleSize, "ink", Anchor::start, true);
        for (std::size_t i = 0; i < m_layout.subtitle.size(); ++i)
            m_svg.text(plotMargin, m_layout.subtitleY + 16 * static_cast<double>(i), m_layout.subtitle[i], labelSize, "muted");
        if (!m_plot.yTitle.empty())
            m_svg.text(plotMargin, m_layout.yTitleY, shortened("↑ " + m_plot.yTitle, captionSize, m_width - 2 * plotMargin), captionSize,
                       "muted");
        if (!m_plot.xTitle.empty())
            m_svg.text(m_layout.right, m_height - 10,
                       shortened(m_plot.xTitle + (m_plot.categories.empty() ? " →" : ""), captionSize, m_layout.right - plotMargin),
                       captionSize, "muted", Anchor::end);
    }

    void axes() {
        for (std::size_t i = 0; i < m_layout.y.at.size(); ++i) {
            const double y = m_layout.py(m_layout.y.at[i]);
            m_svg.line(m_layout.left, y, m_layout.right, y, "class=\"grid\" stroke=\"#e4e8ec\" stroke-width=\"1\"");
            m_svg.text(m_layout.left - 6, y + 4, m_layout.y.labels[i], captionSize, "muted", Anchor::end);
        }
        const double zero = m_layout.y.low <= 0 && m_layout.y.high >= 0 ? m_layout.py(0) : m_layout.bottom;
        m_svg.line(m_layout.left, zero, m_layout.right, zero, "class=\"axis\" stroke=\"#8c959f\" stroke-width=\"1\"");
        if (m_plot.categories.empty()) {
            for (std::size_t i = 0; i < m_layout.x.at.size(); ++i) {
                const double x = px(m_layout.x.at[i]);
                m_svg.line(x, m_layout.bottom, x, m_layout.bottom + 4, "class=\"axis\" stroke=\"#8c959f\" stroke-width=\"1\"");
                m_svg.text(x, m_layout.bottom + 17, m_layout.x.labels[i], captionSize, "muted", Anchor::middle);
            }
            return;
        }
        for (std::size_t i = 0; i < m_layout.categoryLines.size(); ++i) {
            const double x = px(static_cast<double>(i));
            const auto& lines = m_layout.categoryLines[i];
            for (std::size_t l = 0; l < lines.size(); ++l)
                m_svg.text(x + (m_layout.rotated ? 4 : 0), m_layout.bottom + 17 + 14 * static_cast<double>(l), lines[l], captionSize, "ink",
                           m_layout.rotated ? Anchor::end : Anchor::middle, false, m_layout.rotated ? -35 : 0);
        }
    }

    // Calls visit(first, last) for each stretch of finite points.
    template <class Visit> void stretches(const PlotSeries& series, bool needInterval, Visit visit) const {
        const std::size_t n = std::min(series.x.size(), series.y.size());
        auto good = [&](std::size_t i) {
            return finiteAt(series, i) && (!needInterval || (i < series.low.size() && i < series.high.size() &&
                                                             std::isfinite(series.low[i]) && std::isfinite(series.high[i])));
        };
        for (std::size_t i = 0; i < n;) {
            if (!good(i)) {
                ++i;
                continue;
            }
            std::size_t j = i;
            while (j < n && good(j))
                ++j;
            visit(i, j);
            i = j;
        }
    }

    static void addPoint(std::string& d, double x, double y) {
        d += fmt::format("{}{} {}", d.empty() ? "M" : "L", svgNumber(x), svgNumber(y));
    }

    void band(std::size_t s) {
        const auto& series = m_plot.series[s];
        stretches(series, true, [&](std::size_t first, std::size_t last) {
            std::string d;
            for (std::size_t i = first; i < last; ++i) {
                if (series.kind == Kind::step && i > first)
                    addPoint(d, px(series.x[i]), py(series.high[i - 1]));
                addPoint(d, px(series.x[i]), py(series.high[i]));
            }
            for (std::size_t i = last; i-- > first;) {
                addPoint(d, px(series.x[i]), py(series.low[i]));
                if (series.kind == Kind::step && i > first)
                    addPoint(d, px(series.x[i]), py(series.low[i - 1]));
            }
            m_svg.path(d + "Z", fmt::format("fill=\"{}\" fill-opacity=\"0.16\" stroke=\"none\"", colourOf(series)));
        });
    }

    void drawSeries(std::size_t s) {
        const auto& series = m_plot.series[s];
        const std::size_t n = std::min(series.x.size(), series.y.size());
        if (series.kind == Kind::bars) {
            for (std::size_t i = 0; i < n; ++i)
                if (finiteAt(series, i))
                    bar(s, i);
            return;
        }
        if (series.kind != Kind::points)
            stretches(series, false, [&](std::size_t first, std::size_t last) {
                std::string d;
                for (std::size_t i = first; i < last; ++i) {
                    if (series.kind == Kind::step && i > first)
                        addPoint(d, px(series.x[i]), py(series.y[i - 1]));
                    addPoint(d, px(series.x[i]), py(series.y[i]));
                }
                m_svg.path(d, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}", colourOf(series),
                                          series.dashed ? " stroke-dasharray=\"6 4\"" : ""));
            });
        const bool points = series.kind == Kind::points;
        if (!points && (n > mostMarkers || isReference(series)))
            return;
        for (std::size_t i = 0; i < n; ++i) {
            if (!finiteAt(series, i))
                continue;
            const double x = m_layout.centre(m_plot, s, series.x[i]);
            if (points)
                whisker(series, i, x, colourOf(series).c_str());
            m_svg.marker(series.colour, x, py(series.y[i]), points ? 5 : 3.6, colourOf(series), tooltip(m_plot, series, i),
                         series.dashed || hollowMarker(series));
        }
    }

    void whisker(const PlotSeries& series, std::size_t i, double x, const char* colour) {
        if (i >= series.low.size() || i >= series.high.size() || !std::isfinite(series.low[i]) || !std::isfinite(series.high[i]))
            return;
        const std::string attributes = colour ? fmt::format("stroke=\"{}\" stroke-width=\"1.6\"", colour)
                                              : "class=\"whisker\" stroke=\"#1b1f24\" stroke-width=\"1.2\"";
        const double high = py(series.high[i]), low = py(series.low[i]);
        m_svg.line(x, high, x, low, attributes);
        m_svg.line(x - 4, high, x + 4, high, attributes);
        m_svg.line(x - 4, low, x + 4, low, attributes);
    }

    void bar(std::size_t s, std::size_t i) {
        const auto& series = m_plot.series[s];
        const double x = m_layout.centre(m_plot, s, series.x[i]),
                     w = std::max(1.0, m_layout.barWidth - (m_layout.barCount > 1 && m_layout.barWidth > 6 ? 2 : 0));
        const double from = py(std::clamp(0.0, m_layout.y.low, m_layout.y.high)), to = py(series.y[i]);
        m_svg.rect(x - w / 2, std::min(from, to), w, std::max(std::fabs(from - to), 0.5),
                   fmt::format("fill=\"{}\"{}", colourOf(series), series.dashed ? " fill-opacity=\"0.45\"" : ""),
                   tooltip(m_plot, series, i));
        whisker(series, i, x, nullptr);
        if (m_layout.valueLabels) {
            const bool whiskered = i < series.high.size() && std::isfinite(series.high[i]);
            m_svg.text(x, (whiskered ? std::min(py(series.high[i]), to) : to) - 5, threeFigures(series.y[i]), 11, "ink", Anchor::middle,
                       false, 0, true);
        }
    }

    void verticalLines() {
        double taken = plotMargin;
        for (std::size_t i = 0; i < m_plot.verticalLines.size(); ++i) {
            const double at = m_plot.verticalLines[i];
            if (!std::isfinite(at) || at < m_layout.xLow || at > m_layout.xHigh)
                continue;
            const double x = px(at);
            m_svg.line(x, m_layout.top - 6, x, m_layout.bottom,
                       "class=\"fold\" stroke=\"#57606a\" stroke-width=\"1.4\" stroke-dasharray=\"5 4\"");
            const std::string& label = m_plot.verticalLineLabel;
            const double w = textWidth(label, captionSize),
                         start = std::clamp(x - w / 2, plotMargin, std::max(plotMargin, m_width - plotMargin - w));
            if (i > 0 && start < taken + 8)
                continue; // one label speaks for lines that stand close together
            m_svg.text(start, m_layout.lineLabelY, shortened(label, captionSize, m_width - 2 * plotMargin), captionSize, "ink");
            taken = start + w;
        }
    }

    void key(const PlotSeries& series, double x, double y) {
        const auto& colour = colourOf(series);
        if (series.kind == Kind::bars) {
            m_svg.rect(x + 2, y - 5, 11, 11, fmt::format("rx=\"2\" fill=\"{}\"{}", colour, series.dashed ? " fill-opacity=\"0.45\"" : ""));
            return;
        }
        if (series.kind != Kind::points)
            m_svg.line(x, y, x + 16, y,
                       fmt::format("stroke=\"{}\" stroke-width=\"2\"{}", colour, series.dashed ? " stroke-dasharray=\"4 3\"" : ""));
        if (series.kind == Kind::points || (series.x.size() <= mostMarkers && !isReference(series)))
            m_svg.marker(series.colour, x + 8, y, 4, colour, {}, series.dashed || hollowMarker(series));
    }

    void names() {
        for (const auto& entry : m_layout.legend) {
            key(m_plot.series[entry.series], entry.x, entry.y - 4);
            m_svg.text(entry.x + 22, entry.y, entry.text, labelSize, "ink");
        }
        for (const auto& label : m_layout.direct) {
            const auto& series = m_plot.series[label.series];
            if (std::fabs(label.y - label.pointY) > 3)
                m_svg.line(label.pointX + 5, label.pointY, label.x + 1, label.y,
                           fmt::format("stroke=\"{}\" stroke-width=\"0.8\"", colourOf(series)));
            m_svg.text(label.x + 4, label.y + 4, label.text, labelSize, "ink");
        }
    }

    const PlotSpec& m_plot;
    PlotLayout m_layout;
    double m_width, m_height;
    SvgWriter m_svg;
};
} // namespace

const std::vector<std::string>& strategyColours() {
    static const std::vector<std::string> colours{"#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#4D4D4D"};
    return colours;
}

std::string toSvg(const PlotSpec& plot, int width, int height) {
    if (!plot.heat.empty())
        return heatSvg(plot, std::max(width, 240), std::max(height, 180));
    return Drawing(plot, std::max(width, 240), std::max(height, 180)).draw();
}

} // namespace carousel
