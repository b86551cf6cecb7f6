// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/compare_placements.h"
#include "base/text.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/placement_plan.h"
#include <algorithm>
#include <cmath>
#include <functional>

namespace carousel::analyses {

namespace {
using nlohmann::json;

const json* find(const json& from, const std::string& pointer) {
    const json::json_pointer where(pointer);
    return from.contains(where) ? &from.at(where) : nullptr;
}
std::string textAt(const json& from, const std::string& pointer) {
    const json* found = find(from, pointer);
    return found && found->is_string() ? found->get<std::string>() : std::string();
}
bool hasFewShot(const json& figures) { return find(figures, "/fewShot/gains") != nullptr; }

// The estimate at `pointer` of analysis i, with where it stands in the figures of the comparison.
ReportCell estimateCell(const json& figures, std::size_t i, const std::string& pointer) {
    const double value = numberAt(figures, pointer + "/value");
    if (!std::isfinite(value))
        return muted("–");
    const Interval interval{numberAt(figures, pointer + "/interval/0"), numberAt(figures, pointer + "/interval/1")};
    std::string path = fmt::format("analyses[{}].figures", i);
    for (std::size_t begin = 1; begin <= pointer.size();) {
        const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
        const std::string part = pointer.substr(begin, end - begin);
        path += part.find_first_not_of("0123456789") == std::string::npos ? "[" + part + "]" : "." + part;
        begin = end + 1;
    }
    ReportCell out = traced(cell(value, interval), path + ".value");
    out.text = signedFigures(value);
    out.tone = interval.low > 0 ? ReportCell::Tone::good : interval.high < 0 ? ReportCell::Tone::bad : ReportCell::Tone::plain;
    return out;
}
} // namespace

std::string differentMetrics(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    for (std::size_t i = 1; i < figures.size(); ++i)
        if (textAt(figures[i], "/metric") != textAt(figures[0], "/metric"))
            return fmt::format("{} is judged by {}, {} by {}: their gains are not on one scale.", analysisName(analyses[0]), textAt(figures[0], "/metric"), analysisName(analyses[i]), textAt(figures[i], "/metric"));
    return {};
}

ReportTable placementGains(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    ReportTable out;
    out.caption = "What each place gains";
    out.columns = {{"Place", false, ""}};
    addColumns(out, analyses, true, "Gain with its interval; below: the verdict and what was switched on");
    const auto add = [&](const std::string& title, const std::string& pointer, const std::function<std::string(const json&)>& note) {
        std::vector<ReportCell> row{textCell(title)};
        bool any = false;
        for (std::size_t i = 0; i < figures.size(); ++i) {
            ReportCell each = estimateCell(figures[i], i, pointer);
            if (each.tone != ReportCell::Tone::muted) {
                each.note = note(figures[i]);
                any = true;
            }
            row.push_back(std::move(each));
        }
        if (any)
            out.rows.push_back(std::move(row));
    };
    const bool few = std::any_of(figures.begin(), figures.end(), hasFewShot);
    for (std::size_t p = 0; p < 4; ++p) {
        add(few ? fmt::format("{}, zero-shot", placementTitle(p)) : placementTitle(p), fmt::format("/gains/places/{}/gain", p),
            [&](const json& of) { return fmt::format("{}: {}", textAt(of, fmt::format("/places/{}/verdict", p)), textAt(of, fmt::format("/places/{}/on", p))); });
        add(fmt::format("{}, few-shot", placementTitle(p)), fmt::format("/fewShot/gains/places/{}/gain", p), [&](const json& of) { return textAt(of, fmt::format("/fewShot/places/{}/verdict", p)); });
    }
    const auto nothing = [](const json&) { return std::string(); };
    add(few ? "all four, zero-shot" : "all four", "/gains/total", nothing);
    add("all four, few-shot", "/fewShot/gains/total", nothing);
    return out;
}

ReportTable placementCosts(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    ReportTable out;
    out.caption = "What a request costs more, s";
    out.columns = {{"Place", false, ""}};
    addColumns(out, analyses, true, "Seconds with the place on less off; below: tokens");
    for (std::size_t p = 0; p < 4; ++p) {
        std::vector<ReportCell> row{textCell(placementTitle(p))};
        for (std::size_t i = 0; i < figures.size(); ++i) {
            const double seconds = numberAt(figures[i], fmt::format("/places/{}/seconds", p)), tokens = numberAt(figures[i], fmt::format("/places/{}/tokens", p));
            if (!std::isfinite(seconds)) {
                row.push_back(muted("–"));
                continue;
            }
            ReportCell each = traced(textCell(fmt::format("{:.3f}", seconds)), fmt::format("analyses[{}].figures.places[{}].seconds", i, p));
            if (std::isfinite(tokens))
                each.note = fmt::format("{} tokens", withThousands(std::llround(tokens)));
            row.push_back(std::move(each));
        }
        out.rows.push_back(std::move(row));
    }
    out.note = "Seconds of different machines, or of one that did something else, cannot be set against each other; tokens can.";
    return out;
}

PlotSpec placementsPlot(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    PlotSpec plot;
    plot.id = "compared";
    plot.title = "What each place gains, side by side";
    plot.subtitle = "intervals as each study has them, each for itself";
    plot.xTitle = "Place of the language model";
    plot.yTitle = "Gain in the metric";
    for (std::size_t p = 0; p < 4; ++p)
        plot.categories.emplace_back(placementTitle(p));
    std::size_t lines = 0, line = 0;
    for (const json& each : figures)
        lines += hasFewShot(each) ? 2 : 1;
    const auto add = [&](const json& from, std::string name, const std::string& pointer) {
        PlotSeries series{.name = std::move(name), .colour = static_cast<int>(line), .kind = PlotSeries::Kind::points};
        const double shift = (static_cast<double>(line++) - (static_cast<double>(lines) - 1) / 2) * 0.1;
        for (std::size_t p = 0; p < 4; ++p) {
            const std::string gain = fmt::format("{}/places/{}/gain", pointer, p);
            if (!std::isfinite(numberAt(from, gain + "/value")))
                continue;
            series.x.push_back(static_cast<double>(p) + shift), series.y.push_back(numberAt(from, gain + "/value"));
            series.low.push_back(numberAt(from, gain + "/interval/0")), series.high.push_back(numberAt(from, gain + "/interval/1"));
        }
        if (!series.x.empty())
            plot.series.push_back(std::move(series));
    };
    for (std::size_t i = 0; i < figures.size(); ++i) {
        add(figures[i], analysisName(analyses[i]), "/gains");
        if (hasFewShot(figures[i]))
            add(figures[i], analysisName(analyses[i]) + ", few-shot", "/fewShot/gains");
    }
    if (!plot.series.empty())
        plot.series.push_back({.name = "no gain", .colour = -1, .x = {-0.4, 3.4}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
    return plot;
}

} // namespace carousel::analyses
