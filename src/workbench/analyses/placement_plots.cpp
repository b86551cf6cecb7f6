// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement_plots.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
std::string judgedBy(const PlacementFigures& f) { return f.byValue ? f.valueTitle : f.metricTitle; }
std::string sizes(const PlacementFigures& f) {
    return fmt::format("{}, n = {}{}", f.datasetTitle, countOf(f.users, "user", "users"), f.seeds > 1 ? fmt::format(" under each of {} seeds", f.seeds) : "");
}
} // namespace

PlotSpec placementGainPlot(const PlacementFigures& f, double confidence) {
    PlotSpec plot;
    plot.id = "gain";
    plot.title = "What each place gains";
    plot.subtitle = fmt::format("{}, {} intervals", sizes(f), level(confidence));
    plot.xTitle = "Place of the language model";
    plot.yTitle = "Gain in " + judgedBy(f);
    PlotSeries series{.name = f.plan.design.half ? "effect (with its aliases)" : "Shapley share of the whole gain", .colour = 0, .kind = PlotSeries::Kind::points};
    for (std::size_t p = 0; p < 4; ++p) {
        plot.categories.emplace_back(placementTitle(p));
        series.x.push_back(static_cast<double>(p));
        series.y.push_back(f.gains.gain[p].value);
        series.low.push_back(f.gains.gain[p].interval.low);
        series.high.push_back(f.gains.gain[p].interval.high);
    }
    if (f.fewShot) { // side by side around each place
        PlotSeries few{.name = fmt::format("the same with {}", countOf(static_cast<std::size_t>(f.plan.shots), "worked example", "worked examples")), .colour = 1, .kind = PlotSeries::Kind::points};
        for (std::size_t p = 0; p < 4; ++p) {
            series.x[p] -= 0.07;
            few.x.push_back(static_cast<double>(p) + 0.07);
            few.y.push_back(f.fewShot->gains.gain[p].value);
            few.low.push_back(f.fewShot->gains.gain[p].interval.low);
            few.high.push_back(f.fewShot->gains.gain[p].interval.high);
        }
        plot.series.push_back(std::move(few));
    }
    plot.series.insert(plot.series.begin(), std::move(series));
    plot.series.push_back({.name = "no gain", .colour = -1, .x = {-0.2, 3.2}, .y = {0, 0}, .low = {}, .high = {}});
    const double smallest = f.evidence[0].smallestGain;
    plot.series.push_back({.name = "smallest that matters", .colour = -1, .x = {-0.2, 3.2}, .y = {smallest, smallest}, .low = {}, .high = {}, .dashed = true});
    return plot;
}

PlotSpec placementFrontPlot(const PlacementFigures& f, double confidence) {
    PlotSpec plot;
    plot.id = "quality_cost";
    plot.title = "Quality against the time of a request";
    plot.subtitle = fmt::format("{}, {} intervals; time: mean of {} asked afresh by every combination", sizes(f), level(confidence),
                                countOf(f.requests.empty() ? 0 : f.requests.front().size(), "request", "requests"));
    plot.xTitle = "Seconds of a request (log10; -3: a millisecond or less)";
    plot.yTitle = judgedBy(f);
    const auto front = f.front();
    const auto at = [&](std::size_t run) { return std::log10(std::max(f.meanSeconds(run), 1e-3)); };
    PlotSeries others{.name = "another is better and no slower", .colour = 6, .kind = PlotSeries::Kind::points}, best{.name = "Pareto front", .colour = 1, .kind = PlotSeries::Kind::points};
    PlotSeries few{.name = "the same with worked examples", .colour = 2, .kind = PlotSeries::Kind::points};
    for (std::size_t run = 0; run < f.plan.strategies(); ++run) {
        PlotSeries& series = std::find(front.begin(), front.end(), run) != front.end() ? best : f.plan.runOf(run) == run ? others : few;
        series.x.push_back(at(run));
        series.y.push_back(f.level(run).value);
        series.low.push_back(f.level(run).interval.low);
        series.high.push_back(f.level(run).interval.high);
    }
    PlotSeries line{.name = "front", .colour = 1, .kind = PlotSeries::Kind::step, .x = {}, .y = {}, .low = {}, .high = {}, .dashed = true};
    for (const std::size_t run : front) {
        line.x.push_back(at(run));
        line.y.push_back(f.level(run).value);
    }
    plot.series = {std::move(others), std::move(few), std::move(best)};
    std::erase_if(plot.series, [](const PlotSeries& each) { return each.x.empty(); });
    if (line.x.size() > 1)
        plot.series.push_back(std::move(line));
    return plot;
}

PlotSpec placementInteractionPlot(const PlacementFigures& f, std::size_t across, std::size_t lines) {
    PlotSpec plot;
    plot.id = fmt::format("interaction_{}_{}", placementTitle(across), placementTitle(lines));
    plot.title = fmt::format("Gain at the {} with and without the {}", placementTitle(across), placementTitle(lines));
    plot.subtitle = sizes(f) + "; mean over the other two places. Parallel lines: no interaction";
    plot.xTitle = fmt::format("Language model at the {}", placementTitle(across));
    plot.yTitle = judgedBy(f);
    plot.categories = {"off", "on"};
    for (const std::uint32_t other : {0u, 1u}) {
        PlotSeries series{.name = fmt::format("{} {}", placementTitle(lines), other ? "on" : "off"), .colour = static_cast<int>(other)};
        for (const std::uint32_t own : {0u, 1u}) {
            double sum = 0, n = 0;
            for (std::size_t run = 0; run < f.plan.design.runs.size(); ++run)
                if ((f.plan.design.runs[run] >> across & 1) == own && (f.plan.design.runs[run] >> lines & 1) == other)
                    sum += f.gains.levels[run].value, n += 1;
            series.x.push_back(own);
            series.y.push_back(sum / n);
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

} // namespace carousel::analyses
