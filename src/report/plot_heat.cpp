// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/plot_heat.h"
#include "base/text.h"
#include "report/plot_layout.h"
#include "report/svg_writer.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace carousel {

namespace {
constexpr std::array<std::array<int, 3>, 11> anchors{{{0x44, 0x01, 0x54}, {0x48, 0x24, 0x75}, {0x41, 0x44, 0x87}, {0x35, 0x5f, 0x8d},
                                                      {0x2a, 0x78, 0x8e}, {0x21, 0x91, 0x8c}, {0x22, 0xa8, 0x84}, {0x44, 0xbf, 0x70},
                                                      {0x7a, 0xd1, 0x51}, {0xbd, 0xdf, 0x26}, {0xfd, 0xe7, 0x25}}};

std::array<double, 3> mixed(double share) {
    const double at = std::clamp(std::isfinite(share) ? share : 0.0, 0.0, 1.0) * (anchors.size() - 1);
    const auto first = std::min(static_cast<std::size_t>(at), anchors.size() - 2);
    const double part = at - static_cast<double>(first);
    std::array<double, 3> out{};
    for (std::size_t c = 0; c < 3; ++c)
        out[c] = anchors[first][c] * (1 - part) + anchors[first + 1][c] * part;
    return out;
}

double luminance(const std::array<double, 3>& rgb) { // WCAG 2, relative luminance
    std::array<double, 3> linear{};
    for (std::size_t c = 0; c < 3; ++c) {
        const double s = rgb[c] / 255;
        linear[c] = s <= 0.03928 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

double largestMagnitude(const PlotHeat& heat) {
    double largest = 0;
    for (const double value : heat.values)
        if (std::isfinite(value))
            largest = std::max(largest, std::fabs(value));
    return largest;
}

std::string nameAt(const std::vector<std::string>& names, std::size_t i) { return i < names.size() ? names[i] : std::string(); }
} // namespace

std::string viridis(double share) {
    const auto rgb = mixed(share);
    return fmt::format("#{:02X}{:02X}{:02X}", static_cast<int>(std::lround(rgb[0])), static_cast<int>(std::lround(rgb[1])), static_cast<int>(std::lround(rgb[2])));
}

bool takesDarkText(double share) {
    const double paper = luminance(mixed(share)), dark = 0.0124; // of #1b1f24
    return (paper + 0.05) / (dark + 0.05) >= 1.05 / (paper + 0.05);
}

HeatScale heatScale(const PlotSpec& plot) {
    HeatScale scale{INFINITY, -INFINITY};
    for (const double value : plot.heat.values)
        if (std::isfinite(value)) {
            scale.low = std::min(scale.low, value);
            scale.high = std::max(scale.high, value);
        }
    if (scale.low > scale.high)
        scale = {0, 1};
    scale.low = plot.yMinimum.value_or(scale.low);
    scale.high = plot.yMaximum.value_or(scale.high);
    return scale;
}

std::vector<std::string> heatLabels(const PlotHeat& heat, double size, double width) {
    const double largest = largestMagnitude(heat);
    const int magnitude = largest > 0 ? static_cast<int>(std::floor(std::log10(largest))) : 0;
    for (const int figures : {3, 2, 1}) {
        const int decimals = std::clamp(figures - 1 - magnitude, 0, 8);
        std::vector<std::string> labels;
        bool fits = true;
        for (const double value : heat.values) {
            labels.push_back(!std::isfinite(value) ? "" : magnitude >= 4 ? withThousands(std::llround(value)) : fmt::format("{:.{}f}", value, decimals));
            fits = fits && textWidth(labels.back(), size) <= width;
        }
        if (fits)
            return labels;
    }
    return std::vector<std::string>(heat.values.size());
}

std::string heatSvg(const PlotSpec& plot, int width, int height) {
    const auto& heat = plot.heat;
    const std::size_t rows = std::max<std::size_t>(heat.rows.size(), 1), columns = heat.values.size() / rows;
    const double w = width;
    const auto title = wrapped(plot.title, titleSize, w - 2 * plotMargin, 2), subtitle = wrapped(plot.subtitle, labelSize, w - 2 * plotMargin, 3);
    double y = 24 + 20 * (static_cast<double>(title.size()) - 1);
    const double subtitleY = y + 20;
    y = subtitleY + 16 * (static_cast<double>(subtitle.size()) - 1) + 22;
    const double namesY = y; // names of the axes stand above the cells
    const bool fold = !plot.verticalLines.empty() && !plot.verticalLineLabel.empty();
    const double top = namesY + (fold ? 26 : 10);
    double gutter = 0;
    for (const auto& row : heat.rows)
        gutter = std::max(gutter, textWidth(row, captionSize));
    gutter = std::min(gutter, 0.3 * w);
    const double barRoom = 74, left = plotMargin + gutter + 8, right = w - barRoom;
    const double below = 17 + 22;
    const double rowHeight = std::clamp((height - top - below) / static_cast<double>(rows), 20.0, 44.0);
    const double bottom = top + rowHeight * static_cast<double>(rows);
    const double cell = (right - left) / static_cast<double>(std::max<std::size_t>(columns, 1));

    SvgWriter svg(width, static_cast<int>(std::ceil(bottom + below)), plot.title + (plot.subtitle.empty() ? "" : ". " + plot.subtitle));
    for (std::size_t i = 0; i < title.size(); ++i)
        svg.text(plotMargin, 24 + 20 * static_cast<double>(i), title[i], titleSize, "ink", Anchor::start, true);
    for (std::size_t i = 0; i < subtitle.size(); ++i)
        svg.text(plotMargin, subtitleY + 16 * static_cast<double>(i), subtitle[i], labelSize, "muted");
    const double half = w / 2 - plotMargin - 6;
    if (!plot.yTitle.empty())
        svg.text(plotMargin, namesY, shortened("↓ " + plot.yTitle, captionSize, half), captionSize, "muted");
    if (!heat.valueTitle.empty())
        svg.text(w - plotMargin, namesY, shortened(heat.valueTitle, captionSize, half), captionSize, "muted", Anchor::end);
    if (!plot.xTitle.empty())
        svg.text(right, bottom + 17 + 16, shortened(plot.xTitle + " →", captionSize, right - plotMargin), captionSize, "muted", Anchor::end);

    const auto scale = heatScale(plot);
    const double size = 11;
    const auto labels = heatLabels(heat, size, cell - 4);
    bool any = false;
    for (std::size_t r = 0; r < heat.rows.size(); ++r) {
        const double at = top + rowHeight * static_cast<double>(r);
        svg.text(left - 8, at + rowHeight / 2 + 4, shortened(heat.rows[r], captionSize, gutter), captionSize, "ink", Anchor::end);
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = heat.values[r * columns + c], x = left + cell * static_cast<double>(c);
            const std::string where = fmt::format("{}, {}: {}", heat.rows[r], nameAt(heat.columns, c), threeFigures(value));
            if (!std::isfinite(value)) {
                svg.rect(x + 0.5, at + 0.5, cell - 1, rowHeight - 1, "class=\"grid\" fill=\"none\" stroke=\"#e4e8ec\"", where);
                svg.text(x + cell / 2, at + rowHeight / 2 + 4, "–", size, "muted", Anchor::middle);
                continue;
            }
            any = true;
            const double share = scale.share(value);
            svg.rect(x + 0.5, at + 0.5, cell - 1, rowHeight - 1, fmt::format("fill=\"{}\"", viridis(share)), where);
            if (const auto& label = labels[r * columns + c]; !label.empty())
                svg.text(x + cell / 2, at + rowHeight / 2 + 4, label, size, takesDarkText(share) ? "onLight" : "onDark", Anchor::middle);
        }
    }
    for (std::size_t c = 0; c < columns; ++c)
        svg.text(left + cell * (static_cast<double>(c) + 0.5), bottom + 16, shortened(nameAt(heat.columns, c), captionSize, cell - 2), captionSize, "ink", Anchor::middle);
    if (!any) {
        svg.text((left + right) / 2, bottom - rowHeight / 2 + 4, "No data to draw", labelSize, "muted", Anchor::middle);
        return svg.finished();
    }
    double taken = plotMargin;
    for (std::size_t i = 0; i < plot.verticalLines.size(); ++i) {
        const double x = left + cell * (plot.verticalLines[i] + 0.5);
        if (!std::isfinite(x) || x < left || x > right)
            continue;
        svg.line(x, top - 6, x, bottom, "class=\"halo\" stroke=\"#ffffff\" stroke-width=\"4\"");
        svg.line(x, top - 6, x, bottom, "class=\"fold\" stroke=\"#57606a\" stroke-width=\"1.4\" stroke-dasharray=\"5 4\"");
        const double wide = textWidth(plot.verticalLineLabel, captionSize), start = std::clamp(x - wide / 2, plotMargin, std::max(plotMargin, w - plotMargin - wide));
        if (!fold || (taken > plotMargin && start < taken + 8))
            continue; // one label speaks for lines that stand close together
        svg.text(start, top - 9, shortened(plot.verticalLineLabel, captionSize, w - 2 * plotMargin), captionSize, "ink");
        taken = start + wide;
    }
    // The colour scale, with the numbers of its ends and of round values between them.
    const double barX = right + 12, barWidth = 12;
    constexpr int steps = 48;
    for (int i = 0; i < steps; ++i) {
        const double share = (i + 0.5) / steps;
        svg.rect(barX, bottom - (bottom - top) * (i + 1) / steps, barWidth, (bottom - top) / steps + 0.3, fmt::format("fill=\"{}\"", viridis(share)));
    }
    if (scale.high > scale.low) {
        const auto ticks = niceTicks(scale.low, scale.high, std::max(1, static_cast<int>((bottom - top) / 40)));
        for (std::size_t i = 0; i < ticks.at.size(); ++i) {
            if (ticks.at[i] < scale.low - 1e-12 || ticks.at[i] > scale.high + 1e-12)
                continue;
            const double at = bottom - (bottom - top) * scale.share(ticks.at[i]);
            svg.line(barX + barWidth, at, barX + barWidth + 3, at, "class=\"axis\" stroke=\"#8c959f\" stroke-width=\"1\"");
            svg.text(barX + barWidth + 5, at + 4, ticks.labels[i], captionSize - 1, "muted");
        }
    } else {
        svg.text(barX + barWidth + 5, (top + bottom) / 2 + 4, threeFigures(scale.low), captionSize - 1, "muted");
    }
    return svg.finished();
}

} // namespace carousel
