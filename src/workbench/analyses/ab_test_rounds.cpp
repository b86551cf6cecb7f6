// SPDX-License-Identifier: GPL-3.0-or-later
// What the simulation counted: rounds, slots, interleaved carousels, how like the log the users are, what it cost.
#include "base/text.h"
#include "evaluation/statistics/proportion.h"
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
using Kind = PlotSeries::Kind;
double perVisit(double count, const RoundTotals& round) { return round.visits > 0 ? count / round.visits : std::numeric_limits<double>::quiet_NaN(); }

struct RoundFigure {
    const char *id, *title, *unit;
    double (*of)(const RoundTotals&);
    bool share;
};
constexpr RoundFigure roundFigures[] = {
    {"rounds-clicks", "Clicks per visit", "Clicks per visit", [](const RoundTotals& r) { return perVisit(r.clicks, r); }, false},
    {"rounds-popularity", "Share of the most shown tenth of items", "Share of first-page places, %", [](const RoundTotals& r) { return 100 * r.popularityShare; }, true},
    {"rounds-items", "Distinct items shown", "Items on first pages", [](const RoundTotals& r) { return r.distinctItems; }, false},
    {"rounds-missed", "Missed behind the fold", "Share of visits, %", [](const RoundTotals& r) { return 100 * perVisit(r.missed, r); }, true},
    {"rounds-visits", "Users who still come", "Visits", [](const RoundTotals& r) { return r.visits; }, false},
    {"rounds-satisfaction", "Satisfaction", "Mean over visitors, 0 to 1", [](const RoundTotals& r) { return r.satisfaction; }, false}};

// Does the figure move at all? A flat line over rounds says nothing that its first value does not.
bool moves(const AbTestFacts& facts, const RoundFigure& figure) {
    for (const AbTestArm& arm : facts.arms)
        for (const RoundTotals& round : arm.rounds)
            if (std::fabs(figure.of(round) - figure.of(arm.rounds.front())) > 1e-9)
                return true;
    return false;
}
// The last rounds beside the first: means over a fifth of them, so that one round's luck does not tell the tale.
std::pair<double, double> ends(const AbTestArm& arm, const RoundFigure& figure) {
    const std::size_t n = std::max<std::size_t>(1, arm.rounds.size() / 5);
    double first = 0, last = 0;
    for (std::size_t i = 0; i < n; ++i)
        first += figure.of(arm.rounds[i]) / static_cast<double>(n), last += figure.of(arm.rounds[arm.rounds.size() - 1 - i]) / static_cast<double>(n);
    return {first, last};
}
} // namespace

AbTestArm abTestArm(const SimulatedArm& arm, std::string words) { return {arm.name, std::move(words), arm.rounds, arm.shown, arm.clicked}; }

ReportSection abFeedback(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Feedback over rounds";
    std::size_t rounds = 0;
    for (const AbTestArm& arm : facts.arms)
        rounds = std::max(rounds, arm.rounds.size());
    if (rounds == 0) {
        out.paragraphs.push_back("No round has ended yet.");
        return out;
    }
    ReportTable table;
    table.caption = "First rounds and last rounds";
    table.columns = {{"Figure", false, ""}, {"Arm", false, ""}, {"At first", true, ""}, {"At last", true, ""}, {"Change", true, ""}};
    for (const RoundFigure& figure : roundFigures) {
        if (rounds > 1 && moves(facts, figure)) {
            PlotSpec plot;
            plot.id = figure.id;
            plot.xTitle = "Round";
            plot.yTitle = figure.unit;
            std::string widest;
            double change = 0;
            for (std::size_t a = 0; a < facts.arms.size(); ++a) {
                PlotSeries series{.name = facts.arms[a].name, .colour = static_cast<int>(a)};
                for (std::size_t r = 0; r < facts.arms[a].rounds.size(); ++r)
                    series.x.push_back(static_cast<double>(r + 1)), series.y.push_back(figure.of(facts.arms[a].rounds[r]));
                if (series.x.empty())
                    continue;
                plot.series.push_back(std::move(series));
                if (const auto [first, last] = ends(facts.arms[a], figure); std::fabs(last - first) > std::fabs(change))
                    change = last - first, widest = facts.arms[a].name;
            }
            plot.title = widest.empty() ? figure.title : fmt::format("{}: {} in '{}' from first to last", figure.title, change > 0 ? "rises" : "falls", widest);
            double visits = 0;
            for (const AbTestArm& arm : facts.arms)
                for (const RoundTotals& round : arm.rounds)
                    visits += round.visits;
            plot.subtitle = fmt::format("n = {} visits in {} rounds, all of them: no sample, so no interval", usersText(visits), rounds);
            out.plots.push_back(std::move(plot));
        }
        for (std::size_t a = 0; a < facts.arms.size(); ++a)
            if (!facts.arms[a].rounds.empty()) {
                const auto [first, last] = ends(facts.arms[a], figure);
                table.rows.push_back({textCell(figure.share ? fmt::format("{}, %", figure.title) : figure.title), textCell(facts.arms[a].name, static_cast<int>(a)), numberCell(first), numberCell(last), textCell(signedFigures(last - first))});
            }
    }
    table.note = "Means over the first and over the last fifth of the rounds.";
    out.paragraphs.push_back("Clicks leave the next carousels and, where arms learn, shape them. A rising share of the most shown tenth of items means that the shop narrows.");
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection abPositions(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Positions";
    PlotSpec plot;
    plot.id = "positions";
    plot.xTitle = "Position";
    plot.yTitle = "Clicks per impression in view, %";
    ReportTable table;
    table.caption = "Clicks by position";
    table.columns = {{"Arm", false, ""}, {"Position", true, ""}, {"Came into view", true, "Share of visits"}, {"Clicks", true, ""}, {"Clicks per impression, %", true, ""}};
    double impressions = 0;
    std::size_t slots = 0;
    for (std::size_t a = 0; a < facts.arms.size(); ++a) {
        const AbTestArm& arm = facts.arms[a];
        PlotSeries series{.name = arm.name, .colour = static_cast<int>(a)};
        double visits = 0;
        for (const RoundTotals& round : arm.rounds)
            visits += round.visits;
        slots = std::max(slots, arm.shown.size());
        for (std::size_t s = 0; s < arm.shown.size(); ++s) {
            if (!(arm.shown[s] > 0))
                continue;
            const double rate = arm.clicked[s] / arm.shown[s];
            const Interval interval = wilson(arm.clicked[s], arm.shown[s], facts.design.confidence);
            impressions += arm.shown[s];
            series.x.push_back(static_cast<double>(s + 1)), series.y.push_back(100 * rate);
            series.low.push_back(100 * interval.low), series.high.push_back(100 * interval.high);
            table.rows.push_back({textCell(arm.name, static_cast<int>(a)), textCell(std::to_string(s + 1)), textCell(percent(visits > 0 ? arm.shown[s] / visits : 0)), textCell(usersText(arm.clicked[s])), estimateCell(100 * rate, 100 * interval.low, 100 * interval.high)});
        }
        if (!series.x.empty())
            plot.series.push_back(std::move(series));
    }
    addFold(plot, facts.window, slots);
    plot.title = "Clicks by position and arm";
    plot.subtitle = fmt::format("n = {} impressions in view, {} Wilson intervals that take impressions as independent", usersText(impressions), level(facts.design.confidence));
    if (!plot.series.empty())
        out.plots.push_back(std::move(plot));
    // The story of position 8: the best item lies behind the fold, and the visit ends without a click.
    for (std::size_t a = 0; a < facts.arms.size(); ++a) {
        const AbTestArm& arm = facts.arms[a];
        double visits = 0, missed = 0;
        for (const RoundTotals& round : arm.rounds)
            visits += round.visits, missed += round.missed;
        if (!(visits > 0))
            continue;
        std::string said = fmt::format("'{}': {} of {} visits ({}) ended without a click while the most attractive item lay on a page that never came into view.", arm.name, usersText(missed), usersText(visits), percent(missed / visits));
        if (facts.window < 8 && arm.shown.size() >= 8)
            said += fmt::format(" Position 8, behind the fold, came into view in {} of visits.", percent(arm.shown[7] / visits));
        out.paragraphs.push_back(std::move(said));
    }
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection abInterleaving(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Both in one carousel";
    ReportTable table;
    table.caption = "Interleaving: whose items are clicked";
    table.columns = {{"Arm", false, ""}, {"Mixed by", false, ""}, {"Control won", true, "Carousels in which more clicks went to its items"}, {"Arm won", true, ""}, {"Ties", true, ""}, {"Arm's share of wins", true, ""}, {"p", true, "Exact sign test"}, {"", false, ""}};
    for (const AbTestInterleaving& each : facts.interleavings) {
        const InterleavingResult& r = each.result;
        const double decided = static_cast<double>(r.winsA + r.winsB), share = decided > 0 ? static_cast<double>(r.winsB) / decided : std::numeric_limits<double>::quiet_NaN();
        const bool found = r.pValue < 1 - facts.design.confidence;
        table.rows.push_back({textCell(facts.findings.arms[each.arm], static_cast<int>(each.arm)), textCell(each.method), textCell(usersText(static_cast<double>(r.winsA))), textCell(usersText(static_cast<double>(r.winsB))), textCell(usersText(static_cast<double>(r.ties))),
                              cell(share, {1 - r.winShare.high, 1 - r.winShare.low}), textCell(pValueText(r.pValue)),
                              !found ? muted("not significant") : ReportCell{.text = share > 0.5 ? "preferred" : "not preferred", .interval = {}, .note = {}, .tone = share > 0.5 ? ReportCell::Tone::good : ReportCell::Tone::bad}});
    }
    table.note = fmt::format("{} Clopper-Pearson intervals. Interleaving says which is preferred, not by how much, and sees clicks only.", level(facts.design.confidence));
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection abFidelity(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "How far the simulated users can be trusted";
    if (!facts.fidelity) {
        out.paragraphs.push_back(facts.noFidelity.empty() ? "Nothing is known of how like real users these are: there is no carousel log to compare with." : facts.noFidelity);
        return out;
    }
    const Fidelity& f = *facts.fidelity;
    if (f.mustNotBeTrustedFor.empty())
        out.paragraphs.push_back("Nothing was found for which these users must not be trusted; what was not looked at is not shown to be right.");
    else
        out.paragraphs.push_back(fmt::format("These users must not be trusted for: {}.", fmt::join(f.mustNotBeTrustedFor, "; ")));
    ReportTable table;
    table.caption = "Held-out slates: the log and the simulated users";
    table.columns = {{"Figure", false, ""}, {"Log", true, ""}, {"Simulated", true, ""}};
    const auto row = [&](const char* figure, double log, double simulated) { table.rows.push_back({textCell(figure), numberCell(log), std::isfinite(simulated) ? numberCell(simulated) : muted("–")}); };
    row("Clicks per slate", f.loggedClicks, f.simulatedClicks);
    row("Slates without a click, share", f.loggedNoClick, f.simulatedNoClick);
    row("Pages that came into view, per slate", f.loggedPages, f.simulatedPages);
    if (std::isfinite(f.slope)) {
        row("Calibration slope (right: 1)", 1, f.slope);
        row("Calibration intercept (right: 0)", 0, f.intercept);
    }
    row("Distance of users' click rates, and what chance allows", f.userDistanceChance, f.userDistance);
    table.note = fmt::format("n = {} slates of {} users that the fit has not seen.", usersText(static_cast<double>(f.slates)), usersText(static_cast<double>(f.users)));
    out.tables.push_back(std::move(table));
    PlotSpec plot;
    plot.id = "fidelity";
    plot.xTitle = "Position";
    plot.yTitle = "Clicks per impression in view";
    std::size_t outside = 0;
    for (std::size_t s = 0; s < f.loggedInterval.size() && s < f.simulatedRate.size(); ++s)
        outside += isFinite(f.loggedInterval[s]) && (f.simulatedRate[s] < f.loggedInterval[s].low || f.simulatedRate[s] > f.loggedInterval[s].high);
    plot.title = outside == 0 ? "Simulated click rates lie inside the log's intervals" : fmt::format("Simulated click rates leave the log's intervals at {} of {} positions", outside, f.loggedInterval.size());
    plot.subtitle = fmt::format("n = {} held-out slates, 95 % Wilson intervals", usersText(static_cast<double>(f.slates)));
    plot.series.push_back(overPositions("log", -1, f.loggedRate, f.loggedInterval));
    plot.series.push_back(overPositions("simulated", 0, f.simulatedRate));
    addFold(plot, facts.window, f.loggedRate.size());
    if (!f.loggedRate.empty())
        out.plots.push_back(std::move(plot));
    return out;
}

ReportSection abCost(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "What it costs";
    ReportTable table;
    table.caption = "Cost of each arm";
    table.columns = {{"Strategy", false, ""}, {"Seconds", true, "Fitting and filling carousels"}, {"Calls", true, "Of language models"}, {"Tokens", true, ""}};
    for (const AbTestCost& each : facts.costs)
        table.rows.push_back({textCell(each.strategy), numberCell(each.seconds), each.calls > 0 ? textCell(withThousands(each.calls)) : muted("none"), each.tokens > 0 ? textCell(withThousands(each.tokens)) : muted("none")});
    out.tables.push_back(std::move(table));
    return out;
}

} // namespace carousel::analyses
