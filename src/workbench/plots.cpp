// SPDX-License-Identifier: GPL-3.0-or-later
// The plots of a comparison: the same descriptions serve the window, the report and the PNG files.
#include "base/text.h"
#include "workbench/attraction.h"
#include "workbench/workbench.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

std::string sizes(const StudyComparison& c) {
    return fmt::format("{}, n = {} users, {:.0f} % bootstrap intervals", c.datasetTitle, withThousands(c.users), 100 * c.study.evaluation.confidence);
}

std::vector<std::string> names(const StudyComparison& c) {
    std::vector<std::string> out;
    for (const auto& s : c.strategies)
        out.push_back(s.strategy.name);
    return out;
}

PlotSpec metricPlot(const StudyComparison& c, std::size_t m) {
    const auto& definition = c.definitions[m];
    PlotSpec plot;
    plot.id = "metric_" + definition.id;
    std::size_t best = 0;
    for (std::size_t i = 0; i < c.strategies.size(); ++i)
        if (definition.higherIsBetter ? c.strategies[i].metrics[m].value > c.strategies[best].metrics[m].value
                                      : c.strategies[i].metrics[m].value < c.strategies[best].metrics[m].value)
            best = i;
    const auto& top = c.strategies[best];
    std::string verdict;
    if (best != c.baseline && m < top.toBaseline.size() && definition.perUser)
        verdict = top.toBaseline[m].words == "not significant" ? fmt::format(", not shown to differ from {}", c.strategies[c.baseline].strategy.name)
                                                               : fmt::format(", above {}", c.strategies[c.baseline].strategy.name);
    plot.title = fmt::format("{}: {} is highest at {}{}", definition.label, top.strategy.name, threeFigures(top.metrics[m].value), verdict);
    plot.subtitle = sizes(c);
    plot.xTitle = "Strategy";
    plot.yTitle = definition.label;
    plot.categories = names(c);
    for (std::size_t i = 0; i < c.strategies.size(); ++i) {
        const auto& value = c.strategies[i].metrics[m];
        PlotSeries series;
        series.name = c.strategies[i].strategy.name;
        series.colour = c.strategies[i].colour;
        series.kind = PlotSeries::Kind::points;
        series.x = {static_cast<double>(i)};
        series.y = {value.value};
        if (definition.perUser) {
            series.low = {value.interval.low};
            series.high = {value.interval.high};
        }
        plot.series.push_back(std::move(series));
    }
    if (std::isfinite(c.chance[m])) {
        PlotSeries chance;
        chance.name = "chance";
        chance.colour = -1;
        chance.dashed = true;
        chance.x = {-0.5, static_cast<double>(c.strategies.size()) - 0.5};
        chance.y = {c.chance[m], c.chance[m]};
        plot.series.push_back(std::move(chance));
    }
    PlotSeries shuffled{.name = "its shortlist in random order", .colour = -1, .kind = PlotSeries::Kind::points};
    for (std::size_t i = 0; i < c.strategies.size(); ++i)
        if (const auto& list = c.strategies[i].shortlist; definition.metric == Metric::ndcg && list.count > 0 && std::isfinite(list.ndcg)) {
            shuffled.x.push_back(static_cast<double>(i));
            shuffled.y.push_back(list.ndcg);
        }
    if (!shuffled.x.empty())
        plot.series.push_back(std::move(shuffled));
    return plot;
}

template <class Figure, class Bands>
PlotSpec slotPlot(const StudyComparison& c, const std::string& id, const std::string& yTitle, Figure figure, Bands bands) {
    PlotSpec plot;
    plot.id = id;
    plot.subtitle = sizes(c);
    plot.xTitle = "Position in the carousel";
    plot.yTitle = yTitle;
    plot.verticalLines = {c.study.evaluation.window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    for (const auto& s : c.strategies) {
        PlotSeries series;
        series.name = s.strategy.name;
        series.colour = s.colour;
        const std::vector<Interval>& intervals = bands(s);
        for (std::size_t i = 0; i < s.slots.size(); ++i) {
            series.x.push_back(static_cast<double>(i + 1));
            series.y.push_back(figure(s.slots[i]));
            series.low.push_back(intervals[i].low);
            series.high.push_back(intervals[i].high);
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

PlotSpec reachPlot(const StudyComparison& c) {
    auto plot = slotPlot(c, "reach", "Probability that the position comes into view", [](const SlotFigures& s) { return s.reach; },
                         [](const StrategyResult& s) -> const std::vector<Interval>& { return s.reachInterval; });
    const auto window = static_cast<std::size_t>(c.study.evaluation.window);
    const auto& base = c.strategies[c.baseline];
    if (base.slots.size() > window)
        plot.title = fmt::format("Reach drops at the fold: from {} at position {} to {} at position {} ({})", threeFigures(base.slots[window - 1].reach), window,
                                 threeFigures(base.slots[window].reach), window + 1, base.strategy.name);
    else
        plot.title = "Reach by position";
    plot.yMaximum = 1.02;
    return plot;
}

PlotSpec clickPlot(const StudyComparison& c) {
    auto plot = slotPlot(c, "click", "Expected clicks per visit", [](const SlotFigures& s) { return s.click; },
                         [](const StrategyResult& s) -> const std::vector<Interval>& { return s.clickInterval; });
    plot.title = "Expected clicks by position";
    return plot;
}

PlotSpec slotValuePlot(const StudyComparison& c) {
    auto plot = slotPlot(c, "value", "Expected value per visit", [](const SlotFigures& s) { return s.value; },
                         [](const StrategyResult& s) -> const std::vector<Interval>& { return s.valueInterval; });
    plot.title = "Expected value by position";
    return plot;
}

PlotSpec missedPlot(const StudyComparison& c) {
    PlotSpec plot;
    plot.id = "missed";
    plot.subtitle = sizes(c);
    plot.xTitle = "Strategy";
    plot.yTitle = "Expected value per visit";
    plot.categories = names(c);
    plot.yMinimum = 0;
    PlotSeries shown{.name = "value as shown (V)", .colour = 0, .kind = PlotSeries::Kind::bars};
    PlotSeries missed{.name = "missed: best order − V", .colour = 1, .kind = PlotSeries::Kind::bars};
    std::size_t best = 0;
    for (std::size_t i = 0; i < c.strategies.size(); ++i) {
        const auto& s = c.strategies[i];
        if (s.value.value > c.strategies[best].value.value)
            best = i;
        for (auto [series, value] : {std::pair{&shown, &s.value}, std::pair{&missed, &s.missed}}) {
            series->x.push_back(static_cast<double>(i));
            series->y.push_back(value->value);
            series->low.push_back(value->interval.low);
            series->high.push_back(value->interval.high);
        }
    }
    plot.title = fmt::format("{} shows the most value ({}); {} more lies in a better order of the same items", c.strategies[best].strategy.name,
                             threeFigures(c.strategies[best].value.value), threeFigures(c.strategies[best].missed.value));
    plot.series = {std::move(shown), std::move(missed)};
    return plot;
}

PlotSpec sensitivityPlot(const StudyComparison& c) {
    PlotSpec plot;
    plot.id = "sensitivity";
    plot.title = "Missed value over the swipe probability, which clicks alone cannot tell";
    plot.subtitle = fmt::format("{}, n = {} users; the study assumes {}", c.datasetTitle, withThousands(static_cast<std::int64_t>(sensitivitySample(static_cast<std::size_t>(c.users)).users)), threeFigures(c.study.evaluation.swipe));
    plot.xTitle = "Probability of a swipe after a page without a click";
    plot.yTitle = "Missed value per visit";
    plot.verticalLines = {c.study.evaluation.swipe};
    plot.verticalLineLabel = "assumed";
    plot.yMinimum = 0;
    for (const auto& s : c.strategies) {
        PlotSeries series;
        series.name = s.strategy.name;
        series.colour = s.colour;
        series.x = s.sensitivity.swipe;
        series.y = s.sensitivity.missed;
        plot.series.push_back(std::move(series));
    }
    return plot;
}

PlotSpec positionPlot(const StudyComparison& c) {
    PlotSpec plot;
    plot.id = "ideal_position";
    plot.subtitle = fmt::format("{}, n = {} users; the last place stands for every position beyond 20", c.datasetTitle, withThousands(c.users));
    plot.xTitle = "Position of the held-out item";
    plot.yTitle = "Share of held-out items";
    plot.verticalLines = {c.study.evaluation.window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    const auto window = static_cast<std::size_t>(c.study.evaluation.window);
    std::size_t worst = 0;
    std::vector<double> justOutside;
    for (const auto& s : c.strategies) {
        double share = 0;
        for (std::size_t i = window; i < std::min<std::size_t>(window + 4, 20); ++i)
            share += s.targetPosition[i];
        justOutside.push_back(share);
        PlotSeries series;
        series.name = s.strategy.name;
        series.colour = s.colour;
        series.kind = PlotSeries::Kind::step;
        for (std::size_t i = 0; i < 20 && i < s.targetPosition.size(); ++i) {
            series.x.push_back(static_cast<double>(i + 1));
            series.y.push_back(s.targetPosition[i]);
        }
        plot.series.push_back(std::move(series));
    }
    for (std::size_t i = 0; i < justOutside.size(); ++i)
        if (justOutside[i] > justOutside[worst])
            worst = i;
    plot.title = fmt::format("Just outside: {} leaves {:.1f} % of the held-out items at positions {} to {}", c.strategies[worst].strategy.name, 100 * justOutside[worst], window + 1, window + 4);
    plot.subtitle = fmt::format("{}, n = {} users; positions beyond 20 are not drawn", c.datasetTitle, withThousands(c.users));
    return plot;
}

PlotSpec costPlot(const StudyComparison& c, std::size_t ndcg) {
    PlotSpec plot;
    plot.id = "quality_cost";
    plot.title = "Quality against time";
    plot.subtitle = sizes(c) + "; time as measured in these runs, answers from the cache included";
    plot.xTitle = "Seconds per user (log10)";
    plot.yTitle = c.definitions[ndcg].label;
    for (const auto& s : c.strategies) {
        const double seconds = s.seconds / std::max<double>(1, static_cast<double>(c.users));
        PlotSeries series;
        series.name = s.strategy.name;
        series.colour = s.colour;
        series.kind = PlotSeries::Kind::points;
        series.x = {std::log10(std::max(seconds, 1e-6))};
        series.y = {s.metrics[ndcg].value};
        series.low = {s.metrics[ndcg].interval.low};
        series.high = {s.metrics[ndcg].interval.high};
        plot.series.push_back(std::move(series));
    }
    return plot;
}

} // namespace

std::vector<PlotSpec> comparisonPlots(const StudyComparison& c) {
    std::vector<PlotSpec> plots;
    if (c.strategies.empty())
        return plots;
    std::size_t ndcg = 0;
    for (std::size_t m = 0; m < c.definitions.size(); ++m)
        if (c.definitions[m].metric == Metric::ndcg)
            ndcg = m;
    plots.push_back(metricPlot(c, ndcg));
    plots.push_back(reachPlot(c));
    plots.push_back(positionPlot(c));
    plots.push_back(missedPlot(c));
    plots.push_back(sensitivityPlot(c));
    plots.push_back(clickPlot(c));
    plots.push_back(slotValuePlot(c));
    plots.push_back(costPlot(c, ndcg));
    for (std::size_t m = 0; m < c.definitions.size(); ++m)
        if (m != ndcg)
            plots.push_back(metricPlot(c, m));
    return plots;
}

} // namespace carousel
