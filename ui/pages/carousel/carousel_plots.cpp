// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/carousel_plots.h"
#include "base/text.h"
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr std::size_t landingPlaces = 20, justOutsideCards = 4, longestName = 24;

std::string percent(double share) {
    return fmt::format("{:.0f} %", 100 * share);
}

// A long name would not leave room for what is said about it; the legend has it.
std::string shortName(const PlottedCarousel& row) {
    return row.name.size() > longestName ? row.letter : row.name;
}

// "; A Popularity, B Item neighbours"
std::string letters(const std::vector<PlottedCarousel>& rows) {
    std::vector<std::string> parts;
    for (const auto& row : rows)
        if (row.name.size() <= longestName)
            parts.push_back(row.letter + " " + row.name);
    return parts.empty() ? std::string() : fmt::format("; {}", fmt::join(parts, ", "));
}

// Only the positions up to two pages: behind them curves lie on the axis.
std::size_t shownPlaces(std::size_t slots, int window) {
    return std::min(slots, static_cast<std::size_t>(std::max(12, 2 * window)));
}
} // namespace

PlotSpec userPositionPlot(const std::vector<PlottedCarousel>& rows, int window, double swipe, const std::string& user) {
    PlotSpec plot;
    plot.id = "user_positions";
    plot.xTitle = "Position in the carousel";
    plot.yTitle = "Probability per visit";
    plot.verticalLines = {window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    plot.yMaximum = 1.05;
    const bool several = rows.size() > 1;
    const auto named = [&](const PlottedCarousel& row, const char* what) { return several ? row.letter + " " + what : std::string(what); };
    for (const auto& row : rows) {
        PlotSeries reach{.name = named(row, "reach"), .colour = row.colour, .kind = PlotSeries::Kind::line};
        PlotSeries examination{
            .name = named(row, several ? "exam." : "examination"), .colour = row.colour, .kind = PlotSeries::Kind::line, .dashed = true};
        PlotSeries click{.name = named(row, "click"), .colour = row.colour, .kind = PlotSeries::Kind::bars};
        for (std::size_t i = 0; i < shownPlaces(row.figures->slots.size(), window); ++i) {
            const auto& slot = row.figures->slots[i];
            const double x = static_cast<double>(i + 1);
            for (auto [series, value] :
                 {std::pair{&reach, slot.reach}, std::pair{&examination, slot.examination}, std::pair{&click, slot.click}}) {
                series->x.push_back(x);
                series->y.push_back(value);
            }
        }
        plot.series.push_back(std::move(click));
        plot.series.push_back(std::move(reach));
        plot.series.push_back(std::move(examination));
    }
    const auto fold = static_cast<std::size_t>(window);
    if (!rows.empty() && rows.front().figures->slots.size() > fold)
        plot.title = fmt::format("Reach drops at the fold, from {} to {}", threeFigures(rows.front().figures->slots[fold - 1].reach),
                                 threeFigures(rows.front().figures->slots[fold].reach));
    else
        plot.title = "Every card is before the fold";
    plot.subtitle = fmt::format("user {}, fold at {}, swipe probability {}{}", user, window, threeFigures(swipe), letters(rows));
    return plot;
}

PlotSpec studyPositionPlot(const std::vector<PlottedCarousel>& rows, const StudyComparison& comparison) {
    PlotSpec plot;
    const int window = comparison.study.evaluation.window;
    plot.id = "study_positions";
    plot.xTitle = "Position in the carousel";
    plot.yTitle = "Probability per visit";
    plot.verticalLines = {window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    plot.yMaximum = 1.05;
    const bool several = rows.size() > 1;
    for (const auto& row : rows) {
        const auto& s = *row.strategy;
        PlotSeries reach{.name = several ? row.letter + " reach" : "reach", .colour = row.colour, .kind = PlotSeries::Kind::line};
        PlotSeries examination{
            .name = several ? row.letter + " exam." : "examination", .colour = row.colour, .kind = PlotSeries::Kind::line, .dashed = true};
        PlotSeries click{.name = several ? row.letter + " click" : "click", .colour = row.colour, .kind = PlotSeries::Kind::bars};
        for (std::size_t i = 0; i < s.slots.size(); ++i) {
            const double x = static_cast<double>(i + 1);
            for (auto [series, value] : {std::pair{&reach, s.slots[i].reach}, std::pair{&examination, s.slots[i].examination},
                                         std::pair{&click, s.slots[i].click}}) {
                series->x.push_back(x);
                series->y.push_back(value);
            }
            for (auto [series, bands] : {std::pair{&reach, &s.reachInterval}, std::pair{&click, &s.clickInterval}})
                if (bands->size() == s.slots.size()) {
                    series->low.push_back((*bands)[i].low);
                    series->high.push_back((*bands)[i].high);
                }
        }
        plot.series.push_back(std::move(click));
        plot.series.push_back(std::move(reach));
        plot.series.push_back(std::move(examination));
    }
    const auto fold = static_cast<std::size_t>(window);
    if (!rows.empty() && rows.front().strategy->slots.size() > fold)
        plot.title = fmt::format("All users: reach drops from {} to {}", threeFigures(rows.front().strategy->slots[fold - 1].reach),
                                 threeFigures(rows.front().strategy->slots[fold].reach));
    else
        plot.title = "Reach, examination and click over all users";
    plot.subtitle =
        fmt::format("n = {}, {:.0f} % bands, fold {}, s = {}{}", withThousands(comparison.users),
                    100 * comparison.study.evaluation.confidence, window, threeFigures(comparison.study.evaluation.swipe), letters(rows));
    return plot;
}

double shareJustOutside(const StrategyResult& strategy, int window) {
    double share = 0;
    for (auto i = static_cast<std::size_t>(window);
         i < std::min(landingPlaces, static_cast<std::size_t>(window) + justOutsideCards) && i < strategy.targetPosition.size(); ++i)
        share += strategy.targetPosition[i];
    return share;
}

PlotSpec landingPlot(const std::vector<PlottedCarousel>& rows, int window, std::int64_t users) {
    PlotSpec plot;
    plot.id = "landing";
    plot.xTitle = "Position of the item that the user went on to choose";
    plot.yTitle = "Share of these items";
    for (std::size_t i = 0; i < landingPlaces; ++i) // named places: every one is written at its bar
        plot.categories.push_back(std::to_string(i + 1));
    plot.verticalLines = {window - 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    std::vector<std::string> beyond;
    std::size_t worst = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto& s = *rows[r].strategy;
        PlotSeries series{.name = rows.size() > 1 ? rows[r].letter + " " + rows[r].name : rows[r].name,
                          .colour = rows[r].colour,
                          .kind = PlotSeries::Kind::bars};
        for (std::size_t i = 0; i < landingPlaces && i < s.targetPosition.size(); ++i) {
            series.x.push_back(static_cast<double>(i));
            series.y.push_back(s.targetPosition[i]);
        }
        plot.series.push_back(std::move(series));
        if (!s.targetPosition.empty())
            beyond.push_back(fmt::format("{} {}", rows.size() > 1 ? shortName(rows[r]) : std::string(), percent(s.targetPosition.back())));
        if (shareJustOutside(s, window) > shareJustOutside(*rows[worst].strategy, window))
            worst = r;
    }
    if (!rows.empty())
        plot.title = fmt::format("{} land just outside, at {}–{} ({})", percent(shareJustOutside(*rows[worst].strategy, window)),
                                 window + 1, window + 4, shortName(rows[worst]));
    plot.subtitle = fmt::format("n = {} users; beyond position 20, not drawn: {}", withThousands(users), fmt::join(beyond, ", "));
    return plot;
}

} // namespace carousel::ui
