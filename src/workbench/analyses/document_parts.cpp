// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/document_parts.h"
#include "base/text.h"
#include <cmath>

namespace carousel::analyses {

bool isFinite(const Interval& i) { return std::isfinite(i.low) && std::isfinite(i.high); }
std::string percent(double share) { return std::isfinite(share) ? fmt::format("{:.1f} %", 100 * share) : "n/a"; }
std::string level(double confidence) { return fmt::format("{:.4g} %", 100 * confidence); }
std::string range(const Interval& i) { return isFinite(i) ? fmt::format("[{}, {}]", threeFigures(i.low), threeFigures(i.high)) : ""; }
std::string estimate(double value, const Interval& i) { return threeFigures(value) + (isFinite(i) ? " " + range(i) : ""); }
std::string signedFigures(double value) { return (value > 0 ? "+" : "") + threeFigures(value); }
std::string countOf(std::size_t n, const char* one, const char* many) { return withThousands(static_cast<std::int64_t>(n)) + " " + (n == 1 ? one : many); }
std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i)
        out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return out;
}

ReportCell cell(double value, const Interval& i) { return std::isfinite(value) ? estimateCell(value, i.low, i.high) : muted("–"); }
ReportCell muted(std::string text) { return {.text = std::move(text), .interval = {}, .note = {}, .tone = ReportCell::Tone::muted}; }
Light worst(Light a, Light b) { return static_cast<int>(a) >= static_cast<int>(b) ? a : b; }

nlohmann::json number(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr); }
nlohmann::json numbers(std::span<const double> values) {
    auto out = nlohmann::json::array();
    for (const double value : values)
        out.push_back(number(value));
    return out;
}
nlohmann::json interval(const Interval& i) { return nlohmann::json::array({number(i.low), number(i.high)}); }
nlohmann::json intervals(std::span<const Interval> list) {
    auto out = nlohmann::json::array();
    for (const auto& i : list)
        out.push_back(interval(i));
    return out;
}

PlotSeries overPositions(std::string name, int colour, std::vector<double> y, std::span<const Interval> list) {
    PlotSeries series{.name = std::move(name), .colour = colour};
    for (std::size_t i = 0; i < y.size(); ++i)
        series.x.push_back(static_cast<double>(i + 1));
    series.y = std::move(y);
    for (const auto& i : list) {
        series.low.push_back(i.low);
        series.high.push_back(i.high);
    }
    return series;
}

void addFold(PlotSpec& plot, int window, std::size_t slots) {
    if (static_cast<std::size_t>(window) >= slots)
        return;
    plot.verticalLines = {window + 0.5};
    plot.verticalLineLabel = fmt::format("fold ({} visible)", window);
}

ReportCell traced(ReportCell cell, std::string path) {
    cell.path = std::move(path);
    return cell;
}

} // namespace carousel::analyses
