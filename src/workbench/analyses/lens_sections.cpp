// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/lens_sections.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
using Parts = std::vector<LensPart>;

std::string size(const LensPlan& plan, const Parts& parts) {
    return fmt::format("n = {}, {} bootstrap intervals", countOf(parts.front().run->lens.carousels(), "carousel", "carousels"), level(plan.confidence));
}
std::string label(const Parts& parts, const LensPart& part, const std::string& what) { return parts.size() > 1 ? part.run->strategy + ", " + what : what; }
// One colour per run; with one run one per figure.
int colour(const Parts& parts, std::size_t p, int figure) { return parts.size() > 1 ? parts[p].run->colour : figure; }

template <class Get> std::vector<double> column(const LensFigures& figures, Get get) {
    std::vector<double> out;
    for (const auto& slot : figures.slots)
        out.push_back(get(slot));
    return out;
}

PlotSpec perSlot(const LensPlan& plan, const Parts& parts, std::string id, std::string yTitle) {
    PlotSpec plot{.id = std::move(id), .subtitle = size(plan, parts), .xTitle = "Position", .yTitle = std::move(yTitle)};
    plot.yMinimum = 0;
    addFold(plot, plan.model.window, parts.front().figures.slots.size());
    return plot;
}

ReportSection slotSection(const LensPlan& plan, const Parts& parts) {
    ReportSection section{.title = "Position by position"};
    for (const auto& part : parts) {
        ReportTable table;
        table.caption = fmt::format("{}: what each position gives per visit, {} bootstrap intervals", part.run->strategy, level(plan.confidence));
        table.columns = {{"Position", true}, {"Reach", true, "the position comes into view and nothing was clicked before"}, {"Looked at", true, "reach times examination of the place"},
                         {"Click", true, "looked at times attraction"}, {"Value", true, "click times what a click is worth"}, {"Hidden", true, "what the card would give if it were seen, times how often it is not"}};
        for (std::size_t k = 0; k < part.figures.slots.size(); ++k) {
            const auto& s = part.figures.slots[k];
            const auto& i = part.intervals;
            auto head = textCell(std::to_string(k + 1));
            if (k > 0 && k % static_cast<std::size_t>(plan.model.window) == 0)
                head.note = "behind a fold";
            table.rows.push_back({head, cell(s.reach, i.reach[k]), cell(s.examination, i.examination[k]), cell(s.click, i.click[k]), cell(s.value, i.value[k]), cell(s.hidden, i.hidden[k])});
        }
        table.note = part.run->note;
        section.tables.push_back(std::move(table));
    }
    auto reach = perSlot(plan, parts, "reach", "Share of visits");
    auto click = perSlot(plan, parts, "click", "Clicks per visit");
    auto value = perSlot(plan, parts, "value", "Value per visit");
    auto hidden = perSlot(plan, parts, "hidden", "Value per visit that is not seen");
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const auto& part = parts[p];
        const auto& i = part.intervals;
        reach.series.push_back(overPositions(label(parts, part, "in view"), colour(parts, p, 0), column(part.figures, [](auto& s) { return s.reach; }), i.reach));
        reach.series.push_back(overPositions(label(parts, part, "looked at"), colour(parts, p, 1), column(part.figures, [](auto& s) { return s.examination; }), i.examination));
        reach.series.back().dashed = parts.size() > 1;
        click.series.push_back(overPositions(label(parts, part, "click"), colour(parts, p, 0), column(part.figures, [](auto& s) { return s.click; }), i.click));
        value.series.push_back(overPositions(label(parts, part, "value"), colour(parts, p, 0), column(part.figures, [](auto& s) { return s.value; }), i.value));
        hidden.series.push_back(overPositions(label(parts, part, "hidden"), colour(parts, p, 0), column(part.figures, [](auto& s) { return s.hidden; }), i.hidden));
    }
    const auto& slots = parts.front().figures.slots;
    const auto w = static_cast<std::size_t>(plan.model.window);
    reach.title = slots.size() > w ? fmt::format("Reach drops from {} to {} at the fold", percent(slots[w - 1].reach), percent(slots[w].reach)) : "Reach falls along the page";
    double clicks = 0, visible = 0, all = 0, seen = 0, unseen = 0;
    for (std::size_t k = 0; k < slots.size(); ++k) {
        clicks += slots[k].click;
        visible += k < w ? slots[k].click : 0;
        all += slots[k].value;
        seen += k < w ? slots[k].value : 0;
        unseen += slots[k].hidden;
    }
    click.title = fmt::format("{} of the clicks fall on the {} visible positions", percent(clicks > 0 ? visible / clicks : 0), w);
    value.title = fmt::format("{} of the value is earned before the fold", percent(all > 0 ? seen / all : 0));
    hidden.title = fmt::format("Cards that are not seen would give {} per visit if they were", threeFigures(unseen));
    section.plots = {std::move(reach), std::move(click), std::move(value), std::move(hidden)};
    return section;
}

ReportSection foldSection(const LensPlan& plan, const Parts& parts, const std::vector<PairedDifference>& differences) {
    ReportSection section{.title = "What the fold costs"};
    ReportTable table;
    table.caption = fmt::format("Value of a visit, {} bootstrap intervals", level(plan.confidence));
    table.columns = {{"Run"}, {"Value", true, "expected value of a visit under the swipe-aware model"}, {"Best order", true, "of the same cards"}, {"Missed", true, "best order minus value"}, {plan.whatIfWords, true, "paired, per visit"}};
    for (const auto& part : parts) {
        auto change = cell(part.change.difference, part.change.interval);
        change.text = signedFigures(part.change.difference);
        change.note = fmt::format("{} to {}", threeFigures(part.change.before), threeFigures(part.change.after));
        table.rows.push_back({textCell(part.run->strategy, part.run->colour), cell(part.figures.value, part.intervals.total), numberCell(part.missed.best), cell(part.missed.missed, part.missed.missedInterval), change});
    }
    if (!differences.empty()) {
        const auto& d = differences.front();
        auto difference = cell(d.difference, d.interval);
        difference.text = signedFigures(d.difference);
        difference.note = fmt::format("{}, p = {}", d.words, threeFigures(d.pValue));
        table.rows.push_back({textCell(parts[1].run->strategy + " minus " + parts[0].run->strategy), difference, muted("–"), muted("–"), muted("–")});
    }
    table.note = fmt::format("Best orders were searched for {}.", countOf(parts.front().missed.carousels, "carousel", "carousels"));
    section.tables = {std::move(table)};
    const std::string n = "n = " + countOf(parts.front().run->lens.carousels(), "carousel", "carousels");
    PlotSpec byWindow{.id = "value_by_window", .subtitle = n, .xTitle = "Visible slots", .yTitle = "Value per visit"};
    byWindow.verticalLines = {static_cast<double>(plan.model.window)};
    byWindow.verticalLineLabel = "now";
    PlotSpec bySwipe{.id = "value_by_swipe", .subtitle = n, .xTitle = "Swipe probability", .yTitle = "Value per visit"};
    bySwipe.verticalLines = {plan.model.swipe};
    bySwipe.verticalLineLabel = "assumed";
    if (const double measured = parts.front().run->measuredSwipe; std::isfinite(measured) && std::fabs(measured - plan.model.swipe) > 0.005) {
        bySwipe.verticalLines.push_back(measured);
        bySwipe.verticalLineLabel = fmt::format("assumed {}, measured {}", threeFigures(plan.model.swipe), threeFigures(measured));
    }
    for (const auto& part : parts) {
        byWindow.series.push_back(overPositions(part.run->strategy, part.run->colour, part.valueByWindow));
        PlotSeries series{.name = part.run->strategy, .colour = part.run->colour};
        for (std::size_t s = 0; s < part.valueBySwipe.size(); ++s)
            series.x.push_back(static_cast<double>(s) / 20.0);
        series.y = part.valueBySwipe;
        bySwipe.series.push_back(std::move(series));
    }
    const auto& first = parts.front();
    byWindow.title = fmt::format("{}: {} per visit with one slot more", first.run->strategy, signedFigures(first.valueByWindow[static_cast<std::size_t>(plan.model.window)] - first.valueByWindow[static_cast<std::size_t>(plan.model.window) - 1]));
    bySwipe.title = fmt::format("{}: from {} if nobody swipes to {} if everybody does", first.run->strategy, threeFigures(first.valueBySwipe.front()), threeFigures(first.valueBySwipe.back()));
    section.plots = {std::move(byWindow), std::move(bySwipe)};
    return section;
}

ReportSection landingSection(const LensPlan& plan, const Parts& parts) {
    ReportSection section{.title = "Where the ideal item lands"};
    const auto& first = parts.front().landing;
    if (first.withTarget == 0) {
        section.paragraphs = {"No carousel of this run has a held-out item, so there is no ideal item to look for."};
        return section;
    }
    PlotSpec plot{.id = "landing", .subtitle = fmt::format("n = {} with an ideal item; just outside: positions {} to {}", countOf(static_cast<std::size_t>(first.withTarget), "carousel", "carousels"), plan.model.window + 1, plan.model.window + 4),
                  .xTitle = "Position of the ideal item", .yTitle = "Share of carousels"};
    for (std::size_t k = 0; k + 1 < first.share.size(); ++k)
        plot.categories.push_back(std::to_string(k + 1));
    plot.categories.push_back("beyond");
    plot.verticalLines = {plan.model.window - 0.5};
    plot.verticalLineLabel = fmt::format("fold ({} visible)", plan.model.window);
    for (const auto& part : parts) {
        PlotSeries series{.name = part.run->strategy, .colour = part.run->colour, .kind = PlotSeries::Kind::bars};
        for (std::size_t k = 0; k < part.landing.share.size(); ++k) {
            series.x.push_back(static_cast<double>(k));
            series.y.push_back(part.landing.share[k]);
        }
        plot.series.push_back(std::move(series));
    }
    plot.title = fmt::format("{}: {} of the ideal items stand just outside the fold", parts.front().run->strategy, percent(first.justOutside));
    section.plots = {std::move(plot)};
    return section;
}

ReportSection segmentSection(const LensPlan& plan, const Parts& parts) {
    static const std::map<std::string, std::string> titles{{"reach", "Reach (share of visits)"}, {"examination", "Looked at (share of visits)"}, {"click", "Clicks per visit"}, {"value", "Value per visit"}, {"hidden", "Value not seen, per visit"}};
    const std::string field = parts.front().run->segmentField;
    ReportSection section{.title = "Segments of users"};
    if (field.empty())
        section.paragraphs = {"No segment was chosen, so all users are one row. Set lens.segment to a user attribute to compare groups."};
    for (const auto& part : parts) {
        PlotSpec plot{.id = fmt::format("segments_{}", part.run->run), .subtitle = fmt::format("{}, n = {}, means", part.run->strategy, countOf(part.run->lens.carousels(), "carousel", "carousels")), .xTitle = "Position", .yTitle = field.empty() ? "Users" : field};
        const auto& heat = part.heat;
        double high = -1, low = -1;
        std::string highest, lowest;
        for (std::size_t s = 0; s < heat.segments.size(); ++s) {
            plot.heat.rows.push_back(fmt::format("{} (n = {})", heat.segments[s].empty() ? "all users" : heat.segments[s], withThousands(heat.carousels[s])));
            double sum = 0;
            for (std::size_t k = 0; k < heat.slots; ++k) {
                plot.heat.values.push_back(heat.mean[s * heat.slots + k]);
                sum += heat.mean[s * heat.slots + k];
            }
            if (heat.carousels[s] > 0 && (high < 0 || sum > high)) {
                high = sum;
                highest = heat.segments[s];
            }
            if (heat.carousels[s] > 0 && (low < 0 || sum < low)) {
                low = sum;
                lowest = heat.segments[s];
            }
        }
        for (std::size_t k = 0; k < heat.slots; ++k)
            plot.heat.columns.push_back(std::to_string(k + 1));
        plot.heat.valueTitle = titles.at(plan.figureName);
        plot.verticalLines = {plan.model.window - 0.5};
        plot.verticalLineLabel = fmt::format("fold ({} visible)", plan.model.window);
        plot.title = heat.segments.size() > 1 && highest != lowest ? fmt::format("{}: most for {}, least for {}", titles.at(plan.figureName), highest, lowest) : titles.at(plan.figureName) + " by position";
        if (!plot.heat.rows.empty())
            section.plots.push_back(std::move(plot));
    }
    return section;
}

ReportSection logSection(const LensPlan& plan, const Parts& parts) {
    const auto& run = *parts.front().run;
    ReportSection section{.title = "What the log says about positions", .paragraphs = {run.logNote}};
    if (run.rawCtr.empty())
        return section;
    PlotSpec plot{.id = "log_ctr", .subtitle = "the data set's own log, 95 % bootstrap intervals over users", .xTitle = "Position", .yTitle = "Clicks per shown slate"};
    plot.yMinimum = 0;
    addFold(plot, plan.model.window, run.rawCtr.size());
    plot.series.push_back(overPositions("as logged", 0, run.rawCtr, run.rawInterval));
    const auto last = run.rawCtr.size() - 1;
    plot.title = fmt::format("Position {} is clicked {} times as often as position 1", last + 1, threeFigures(run.rawCtr[last] / run.rawCtr[0]));
    if (!run.correctedCtr.empty()) {
        plot.series.push_back(overPositions("corrected for being looked at", 1, run.correctedCtr, run.correctedInterval));
        plot.title += fmt::format("; corrected for being looked at, {} times", threeFigures(run.correctedCtr[last] / run.correctedCtr[0]));
    }
    section.plots = {std::move(plot)};
    return section;
}

ReportSection conversionSection(const LensPlan& plan, const Parts& parts) {
    ReportSection section{.title = "Conversions", .paragraphs = {parts.front().run->conversionNote}};
    if (!parts.front().run->conversion)
        return section;
    auto plot = perSlot(plan, parts, "conversion", "Purchases per visit");
    double sum = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const auto& part = parts[p];
        plot.series.push_back(overPositions(label(parts, part, "purchases"), colour(parts, p, 0), column(part.conversion, [](auto& s) { return s.value; }), part.conversionIntervals.value));
        if (p == 0)
            sum = part.conversion.value;
    }
    plot.title = fmt::format("{}: {} purchases per visit are expected", parts.front().run->strategy, threeFigures(sum));
    section.plots = {std::move(plot)};
    return section;
}
} // namespace

std::vector<ReportSection> lensSections(const LensPlan& plan, const Parts& parts, const std::vector<PairedDifference>& differences) {
    std::vector<ReportSection> out{slotSection(plan, parts), foldSection(plan, parts, differences), landingSection(plan, parts), segmentSection(plan, parts), logSection(plan, parts), conversionSection(plan, parts)};
    ReportSection terms{.title = "How a visit is modelled"};
    terms.definitions = {{"Reach", "the position's page comes into view and no click ended the visit before it", ""},
                         {"Looked at", "reach times the examination of the place in the page", ""},
                         {"Click", "looked at times attraction of the card for this user", "Craswell et al., WSDM 2008 (cascade); pages and swipe are this program's"},
                         {"Value", "click times what a click is worth; V is their sum over positions", ""},
                         {"Hidden", "attraction times worth, times the share of visits in which the position is not in view", ""},
                         {"Swipe", "probability to go on to the next page after a page without a click", ""}};
    out.push_back(std::move(terms));
    return out;
}

std::string lensFigures(const LensPlan& plan, const Parts& parts, const std::vector<PairedDifference>& differences) {
    nlohmann::json out{{"window", plan.model.window}, {"swipe", plan.model.swipe}, {"examination", numbers(plan.model.examination)}, {"confidence", plan.confidence},
                       {"whatIf", {{"window", plan.whatIf.window}, {"swipe", plan.whatIf.swipe}, {"words", plan.whatIfWords}}}, {"runs", nlohmann::json::array()}};
    for (const auto& part : parts) {
        nlohmann::json run{{"run", part.run->run}, {"strategy", part.run->strategy}, {"carousels", part.run->lens.carousels()}, {"value", number(part.figures.value)}, {"valueInterval", interval(part.intervals.total)}, {"slots", nlohmann::json::array()}};
        for (std::size_t k = 0; k < part.figures.slots.size(); ++k) {
            const auto& s = part.figures.slots[k];
            const auto& i = part.intervals;
            nlohmann::json slot{{"position", k + 1}, {"reach", number(s.reach)}, {"reachInterval", interval(i.reach[k])}, {"examination", number(s.examination)}, {"examinationInterval", interval(i.examination[k])},
                                {"click", number(s.click)}, {"clickInterval", interval(i.click[k])}, {"value", number(s.value)}, {"valueInterval", interval(i.value[k])}, {"hidden", number(s.hidden)}, {"hiddenInterval", interval(i.hidden[k])}};
            if (k < part.conversion.slots.size()) {
                slot["conversion"] = number(part.conversion.slots[k].value);
                slot["conversionInterval"] = interval(part.conversionIntervals.value[k]);
            }
            run["slots"].push_back(std::move(slot));
        }
        run["missed"] = {{"best", number(part.missed.best)}, {"missed", number(part.missed.missed)}, {"interval", interval(part.missed.missedInterval)}, {"carousels", part.missed.carousels}};
        run["whatIf"] = {{"before", number(part.change.before)}, {"after", number(part.change.after)}, {"difference", number(part.change.difference)}, {"interval", interval(part.change.interval)}};
        run["landing"] = {{"share", numbers(part.landing.share)}, {"justOutside", number(part.landing.justOutside)}, {"withTarget", part.landing.withTarget}};
        run["segments"] = {{"field", part.run->segmentField}, {"figure", plan.figureName}, {"names", part.heat.segments}, {"carousels", part.heat.carousels}, {"mean", numbers(part.heat.mean)}};
        run["valueByWindow"] = numbers(part.valueByWindow);
        run["valueBySwipe"] = numbers(part.valueBySwipe);
        out["runs"].push_back(std::move(run));
    }
    const auto& first = *parts.front().run;
    out["log"] = {{"raw", numbers(first.rawCtr)}, {"rawInterval", intervals(first.rawInterval)}, {"corrected", numbers(first.correctedCtr)}, {"correctedInterval", intervals(first.correctedInterval)},
                  {"swipe", number(first.measuredSwipe)}, {"examination", number(first.measuredExamination)}};
    if (!differences.empty()) {
        const auto& d = differences.front();
        out["difference"] = {{"value", number(d.difference)}, {"interval", interval(d.interval)}, {"pValue", number(d.pValue)}, {"users", d.users}, {"words", d.words}};
    }
    return out.dump();
}

} // namespace carousel::analyses
