// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/lens_plots.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr std::size_t longestName = 24;
constexpr int reference = -1; // colour of a line that belongs to no strategy
constexpr int justOutsideCards = 4;

std::string percent(double share) {
    return fmt::format("{:.0f} %", 100 * share);
}
std::string shortName(const LensRow& row) {
    return row.name.size() > longestName ? row.letter : row.name;
}
std::string letters(const std::vector<LensRow>& rows) {
    std::vector<std::string> parts;
    for (const auto& row : rows)
        if (row.name.size() <= longestName)
            parts.push_back(row.letter + " " + row.name);
    return parts.empty() ? std::string() : fmt::format("; {}", fmt::join(parts, ", "));
}

const char* figureName(LensFigure figure) {
    switch (figure) {
    case LensFigure::probabilities:
    case LensFigure::reach:
        return "reach";
    case LensFigure::examination:
        return "examination";
    case LensFigure::click:
        return "click";
    case LensFigure::value:
        return "value";
    case LensFigure::conversion:
        return "conversion";
    case LensFigure::hidden:
        break;
    }
    return "hidden value";
}

std::vector<Interval> bandOf(const LensIntervals* intervals, LensFigure figure) {
    if (!intervals)
        return {};
    switch (figure) {
    case LensFigure::probabilities:
    case LensFigure::reach:
        return intervals->reach;
    case LensFigure::examination:
        return intervals->examination;
    case LensFigure::click:
        return intervals->click;
    case LensFigure::value:
    case LensFigure::conversion:
        return intervals->value;
    case LensFigure::hidden:
        break;
    }
    return intervals->hidden;
}

PlotSeries seriesOf(const LensRow& row, LensFigure figure, PlotSeries::Kind kind, bool several, bool dashed = false) {
    const std::string name = figureName(figure);
    PlotSeries series{.name = several ? row.letter + " " + (figure == LensFigure::examination ? "exam." : name) : name,
                      .colour = row.colour,
                      .kind = kind,
                      .dashed = dashed};
    for (std::size_t i = 0; i < row.figures->slots.size(); ++i) {
        series.x.push_back(static_cast<double>(i + 1));
        series.y.push_back(figureOf(row.figures->slots[i], figure));
    }
    if (const auto band = bandOf(row.intervals, figure); band.size() == series.y.size())
        for (const auto& interval : band) {
            series.low.push_back(interval.low);
            series.high.push_back(interval.high);
        }
    return series;
}

std::string positionTitle(const LensRow& row, LensFigure figure, int window) {
    const auto& slots = row.figures->slots;
    const auto fold = static_cast<std::size_t>(window);
    if (figure == LensFigure::value || figure == LensFigure::hidden || figure == LensFigure::conversion) {
        double before = 0, behind = 0;
        for (std::size_t i = 0; i < slots.size(); ++i)
            (i < fold ? before : behind) += figureOf(slots[i], figure);
        const double all = before + behind;
        return all > 0 ? fmt::format("{} of the {} lies behind the fold ({})", percent(behind / all), figureName(figure), shortName(row))
                       : fmt::format("No {} in these carousels", figureName(figure));
    }
    if (slots.size() <= fold)
        return "Every card is before the fold";
    const std::string name = figureName(figure);
    return fmt::format("{}{} drops at the fold, from {} to {}", static_cast<char>(std::toupper(name.front())), name.substr(1),
                       threeFigures(figureOf(slots[fold - 1], figure)), threeFigures(figureOf(slots[fold], figure)));
}
} // namespace

double figureOf(const SlotFigures& slot, LensFigure figure) {
    switch (figure) {
    case LensFigure::probabilities:
    case LensFigure::reach:
        return slot.reach;
    case LensFigure::examination:
        return slot.examination;
    case LensFigure::click:
        return slot.click;
    case LensFigure::value:
    case LensFigure::conversion:
        return slot.value;
    case LensFigure::hidden:
        break;
    }
    return slot.hidden;
}

PlotSpec lensPositionPlot(const std::vector<LensRow>& rows, LensFigure figure, const CarouselModel& model) {
    PlotSpec plot;
    plot.id = fmt::format("lens_{}", figure == LensFigure::probabilities ? "positions" : figureName(figure));
    std::replace(plot.id.begin(), plot.id.end(), ' ', '_');
    plot.xTitle = "Position in the carousel";
    plot.yTitle = figure == LensFigure::value        ? "Value per visit"
                  : figure == LensFigure::hidden     ? "Value out of sight, per visit"
                  : figure == LensFigure::conversion ? "Purchases per visit"
                                                     : "Probability per visit";
    plot.verticalLines = {model.window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    if (figure == LensFigure::probabilities || figure == LensFigure::reach || figure == LensFigure::examination)
        plot.yMaximum = 1.05;
    const bool several = rows.size() > 1;
    for (const auto& row : rows) {
        if (figure == LensFigure::probabilities) {
            plot.series.push_back(seriesOf(row, LensFigure::click, PlotSeries::Kind::bars, several));
            plot.series.push_back(seriesOf(row, LensFigure::reach, PlotSeries::Kind::line, several));
            plot.series.push_back(seriesOf(row, LensFigure::examination, PlotSeries::Kind::line, several, true));
        } else {
            const bool bars = figure != LensFigure::reach && figure != LensFigure::examination;
            plot.series.push_back(seriesOf(row, figure, bars ? PlotSeries::Kind::bars : PlotSeries::Kind::line, several));
        }
    }
    if (rows.empty())
        return plot;
    plot.title = positionTitle(rows.back(), figure, model.window);
    plot.subtitle = fmt::format("n = {} users, fold at {}, s = {}{}", withThousands(static_cast<std::int64_t>(rows.front().figures->valuePerCarousel.size())),
                                model.window, threeFigures(model.swipe), letters(rows));
    return plot;
}

PlotSpec lensLandingPlot(const std::vector<LensRow>& rows, const std::vector<PositionLens::Landing>& landing, int window) {
    PlotSpec plot;
    plot.id = "lens_landing";
    plot.xTitle = "Position of the item that the user went on to choose";
    plot.yTitle = "Share of these items";
    plot.verticalLines = {window - 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    std::vector<std::string> beyond;
    std::size_t worst = 0;
    for (std::size_t r = 0; r < rows.size() && r < landing.size(); ++r) {
        const std::size_t slots = landing[r].share.empty() ? 0 : landing[r].share.size() - 1;
        PlotSeries series{.name = rows.size() > 1 ? rows[r].letter + " " + rows[r].name : rows[r].name,
                          .colour = rows[r].colour,
                          .kind = PlotSeries::Kind::bars};
        for (std::size_t i = 0; i < slots; ++i) {
            if (plot.categories.size() <= i)
                plot.categories.push_back(std::to_string(i + 1));
            series.x.push_back(static_cast<double>(i));
            series.y.push_back(landing[r].share[i]);
        }
        plot.series.push_back(std::move(series));
        if (slots > 0)
            beyond.push_back(fmt::format("{} {}", rows.size() > 1 ? shortName(rows[r]) : std::string(), percent(landing[r].share.back())));
        if (landing[r].justOutside > landing[worst].justOutside)
            worst = r;
    }
    if (rows.empty() || landing.empty())
        return plot;
    const int slots = static_cast<int>(plot.categories.size()), last = std::min(window + justOutsideCards, slots);
    plot.title = landing[worst].withTarget == 0 ? "No ideal items are known"
                 : window >= slots              ? "No further positions behind the fold in this lens"
                                                : fmt::format("{} land just outside, at {}–{} ({})", percent(landing[worst].justOutside),
                                                              window + 1, last, shortName(rows[worst]));
    plot.subtitle = fmt::format("n = {} users with an ideal item; beyond position {}, not drawn: {}",
                                withThousands(landing.front().withTarget), slots, fmt::join(beyond, ", "));
    return plot;
}

PlotSpec clickRatePlot(const RunLens& lens, int window) {
    PlotSpec plot;
    if (lens.rawCtr.empty())
        return plot;
    plot.id = "lens_click_rate";
    plot.xTitle = "Position in the log";
    plot.yTitle = "Clicks per shown slate";
    plot.verticalLines = {window + 0.5};
    plot.verticalLineLabel = "fold";
    plot.yMinimum = 0;
    const auto add = [&](const char* name, const std::vector<double>& rate, const std::vector<Interval>& interval, int colour, bool dashed) {
        if (rate.empty())
            return;
        PlotSeries series{.name = name, .colour = colour, .kind = PlotSeries::Kind::line, .dashed = dashed};
        for (std::size_t i = 0; i < rate.size(); ++i) {
            series.x.push_back(static_cast<double>(i + 1));
            series.y.push_back(rate[i]);
            if (interval.size() == rate.size()) {
                series.low.push_back(interval[i].low);
                series.high.push_back(interval[i].high);
            }
        }
        plot.series.push_back(std::move(series));
    };
    add("raw CTR", lens.rawCtr, lens.rawInterval, reference, true);
    add("corrected CTR", lens.correctedCtr, lens.correctedInterval, 0, false);
    const double first = lens.rawCtr.front(), last = lens.rawCtr.back();
    plot.title = lens.correctedCtr.empty() || !(first > 0)
                     ? fmt::format("Raw click rate falls from {} to {}", threeFigures(first), threeFigures(last))
                     : fmt::format("Raw CTR at {} is {} of that at 1; corrected for position {}", lens.rawCtr.size(), percent(last / first),
                                   lens.correctedCtr.front() > 0 ? percent(lens.correctedCtr.back() / lens.correctedCtr.front()) : "–");
    plot.subtitle = "from the log of shown slates, whatever the strategy; corrected: divided by the examination of the fitted model";
    return plot;
}

PlotSpec lensHeatPlot(const PositionLens::HeatMap& map, LensFigure figure, const LensRow& row, const std::string& field) {
    PlotSpec plot;
    plot.id = "lens_segments";
    plot.xTitle = "Position in the carousel";
    plot.yTitle = field;
    for (std::size_t s = 0; s < map.segments.size(); ++s)
        plot.heat.rows.push_back(fmt::format("{} ({})", map.segments[s], withThousands(map.carousels[s])));
    for (std::size_t i = 0; i < map.slots; ++i)
        plot.heat.columns.push_back(std::to_string(i + 1));
    plot.heat.values = map.mean;
    plot.heat.valueTitle = fmt::format("{} per visit", figureName(figure));
    // The message: which segment has most of it, and which least.
    double best = -1, least = 1e300;
    std::size_t top = 0, bottom = 0;
    std::int64_t users = 0;
    for (std::size_t s = 0; s < map.segments.size(); ++s) {
        double sum = 0;
        for (std::size_t i = 0; i < map.slots; ++i)
            sum += std::isfinite(map.mean[s * map.slots + i]) ? map.mean[s * map.slots + i] : 0;
        users += map.carousels[s];
        if (map.carousels[s] == 0)
            continue;
        if (sum > best)
            best = sum, top = s;
        if (sum < least)
            least = sum, bottom = s;
    }
    // Some segments carry the attribute's name already ("age 18 to 30").
    const auto segmentName = [&](std::size_t s) {
        return map.segments[s].starts_with(field + " ") ? map.segments[s] : field + " " + map.segments[s];
    };
    const std::string name = figureName(figure);
    plot.title = map.segments.empty() ? std::string("No segments")
                                      : fmt::format("{}{} is highest for {}, lowest for {}", static_cast<char>(std::toupper(name.front())),
                                                    name.substr(1), segmentName(top), segmentName(bottom));
    plot.subtitle = fmt::format("{} {}; mean over {} users, users of a segment in brackets", row.letter, row.name, withThousands(users));
    return plot;
}

} // namespace carousel::ui
