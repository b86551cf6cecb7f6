// SPDX-License-Identifier: GPL-3.0-or-later
// Effects: of every metric, as rounds went by, by segment, with a prior, and what could have been found.
#include "base/text.h"
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel::analyses {

namespace {
using Kind = PlotSeries::Kind;

const std::string& armName(const AbTestFacts& facts, std::size_t arm) { return facts.findings.arms[arm]; }
std::string nOf(const AbTestFacts& facts) {
    if (facts.log)
        return fmt::format("n = {} {}s of {} users", usersText(facts.log->rounds), facts.log->unit, usersText(facts.log->users));
    std::string out = "n = ";
    for (std::size_t a = 0; a < facts.findings.users.size(); ++a)
        out += fmt::format("{}{} in '{}'", a == 0 ? "" : ", ", withThousands(std::llround(facts.findings.users[a])), armName(facts, a));
    return out;
}
double signOf(UserMetric metric) { return higherIsBetter(metric) ? 1 : -1; }

// For the better, for the worse, or not to be told from chance; in words and as a tone.
ReportCell foundCell(const AbTestFacts& facts, const MetricEffect& each) {
    if (facts.log && !facts.log->supported[each.arm])
        return muted("not supported");
    if (!isFinite(each.effect.interval))
        return muted("no spread");
    if (each.adjustedP > 1 - facts.design.confidence)
        return muted("not significant");
    const bool good = signOf(each.metric) * each.effect.difference > 0;
    return {.text = good ? "better" : "worse", .interval = {}, .note = {}, .tone = good ? ReportCell::Tone::good : ReportCell::Tone::bad};
}
ReportCell liftCell(const Effect& effect) {
    if (!effect.hasLift)
        return muted("–");
    return {.text = signedPercent(effect.lift), .interval = isFinite(effect.liftInterval) ? fmt::format("[{}, {}]", signedPercent(effect.liftInterval.low), signedPercent(effect.liftInterval.high)) : "", .note = {}};
}
ReportCell differenceCell(const Effect& effect) {
    ReportCell out = cell(effect.difference, effect.interval);
    out.text = signedFigures(effect.difference);
    return out;
}

ReportTable effectsTable(const AbTestFacts& facts) {
    ReportTable out;
    const bool several = severalTreatments(facts);
    out.caption = "Every metric against the control";
    out.columns = {{"Metric", false, ""}};
    if (several)
        out.columns.push_back({"Arm", false, ""});
    const std::string value = !facts.log ? "metricColumn(), a mean per user or a ratio of sums" : facts.log->unit == "slate" ? "RIPS; McInerney et al., KDD 2020" : "IPS; Horvitz and Thompson 1952";
    const std::string difference = facts.log ? "pairedDifference(), control variate; Jeunen, Delta-OPE, 2024" : "compareColumns(): welch(), Welch 1947; compareRatios(), Deng, Knoblich and Lu, KDD 2018; compareShares(); compareQuantiles(), Schultzberg and Ankargren 2022";
    for (const ReportColumn& column : {ReportColumn{armName(facts, 0), true, "The control", value}, ReportColumn{several ? "Treatment" : armName(facts, 1), true, "", value},
                                       ReportColumn{"Difference", true, "Treatment less control", difference}, ReportColumn{"Relative", true, "Of the control's value; none where that is within five standard errors of 0", "delta method; Oehlert 1992"},
                                       ReportColumn{"p", true, "Chance of such a difference without any effect", "two-sided, of the same estimate"}, ReportColumn{"p, corrected", true, title(facts.design.correction), "holm(), Holm 1979; benjaminiHochberg(), 1995"},
                                       ReportColumn{"Verdict of the metric", false, "By the corrected p value"},
                                       ReportColumn{"Could be found", true, "Smallest difference that is found with the wanted power, at one look", "minimumDetectableEffect(), normal approximation"}})
        out.columns.push_back(column);
    for (std::size_t i = 0; i < facts.findings.effects.size(); ++i) {
        const MetricEffect& each = facts.findings.effects[i];
        const auto at = [i](const char* key) { return fmt::format("effects[{}].{}", i, key); };
        ReportCell metric = textCell(metricTitle(facts, each.metric));
        if (each.metric == facts.design.primary)
            metric.note = "primary";
        else if (each.metric == UserMetric::valueWinsorised && std::isfinite(each.limit))
            metric.note = "limited at " + threeFigures(each.limit);
        std::vector<ReportCell> row{metric};
        if (several)
            row.push_back(textCell(armName(facts, each.arm), static_cast<int>(each.arm)));
        const bool known = isFinite(each.effect.interval);
        for (ReportCell& next : std::vector<ReportCell>{traced(numberCell(each.effect.control), at("effect.control")), traced(numberCell(each.effect.treatment), at("effect.treatment")), traced(differenceCell(each.effect), at("effect.difference")),
                                                        traced(liftCell(each.effect), at("effect.lift")), known ? traced(textCell(pValueText(each.effect.pValue)), at("effect.p")) : muted("–"), known ? traced(textCell(pValueText(each.adjustedP)), at("adjustedP")) : muted("–"),
                                                        foundCell(facts, each), std::isfinite(each.detectable) ? traced(numberCell(each.detectable), at("detectable")) : muted("–")})
            row.push_back(std::move(next));
        out.rows.push_back(std::move(row));
    }
    out.note = fmt::format("{}; {} intervals, each for itself; p values {}. {}", nOf(facts), level(facts.design.confidence), title(facts.design.correction),
                           facts.log ? std::string("A difference is estimated by itself, with a control variate: it is more exact than that of the two values, and need not equal it.") : fmt::format("Sums run over the {} rounds so far.", facts.findings.rounds));
    return out;
}

ReportTable adjustedTable(const AbTestFacts& facts) {
    ReportTable out;
    out.caption = "The same differences, with less noise";
    out.columns = {{"Metric", false, ""}, {"Arm", false, ""}, {"Plain", true, ""}};
    const bool covariates = !facts.covariateNames.empty(), strata = !facts.strataTitle.empty();
    if (covariates)
        for (const char* title : {"CUPED", "Noise left", "Regression", "Noise left, regression"})
            out.columns.push_back({title, true, std::string(title).starts_with("Noise") ? "Variance of the adjusted metric as a share of the plain one's" : ""});
    if (strata)
        out.columns.push_back({"Post-stratified", true, ""});
    for (const MetricEffect& each : facts.findings.effects) {
        if (!each.cuped && !each.stratified)
            continue;
        std::vector<ReportCell> row{textCell(metricTitle(facts, each.metric)), textCell(armName(facts, each.arm), static_cast<int>(each.arm)), differenceCell(each.effect)};
        if (covariates)
            for (const auto* adjusted : {&each.cuped, &each.regression}) {
                row.push_back(*adjusted ? differenceCell((*adjusted)->effect) : muted("–"));
                row.push_back(*adjusted ? textCell(percent((*adjusted)->varianceRatio)) : muted("–"));
            }
        if (strata)
            row.push_back(each.stratified ? differenceCell(*each.stratified) : muted("–"));
        out.rows.push_back(std::move(row));
    }
    out.note = covariates ? fmt::format("Known from before: {}.{}", joined(facts.covariateNames), strata ? " Strata: " + facts.strataTitle + "." : "") : "Strata: " + facts.strataTitle + ".";
    return out;
}

PlotSpec effectsPlot(const AbTestFacts& facts) {
    PlotSpec plot;
    plot.id = "effects";
    std::size_t found = 0, shown = 0;
    for (std::size_t a = 1; a < facts.findings.arms.size(); ++a) {
        PlotSeries series{.name = armName(facts, a), .colour = static_cast<int>(a), .kind = Kind::points};
        std::size_t place = 0;
        for (const UserMetric metric : userMetrics()) {
            const MetricEffect* each = facts.findings.find(metric, a);
            if (!each || !each->effect.hasLift || (facts.log && !facts.log->supported[a]))
                continue;
            const std::string named = metricTitle(facts, metric);
            const auto at = std::find(plot.categories.begin(), plot.categories.end(), named);
            place = static_cast<std::size_t>(at - plot.categories.begin());
            if (at == plot.categories.end())
                plot.categories.push_back(named);
            series.x.push_back(static_cast<double>(place)), series.y.push_back(100 * each->effect.lift);
            series.low.push_back(100 * each->effect.liftInterval.low), series.high.push_back(100 * each->effect.liftInterval.high);
            ++shown, found += each->adjustedP <= 1 - facts.design.confidence;
        }
        if (!series.x.empty())
            plot.series.push_back(std::move(series));
    }
    plot.title = found == 0 ? "No metric is shown to have moved" : fmt::format("{} of {} effects are more than chance", found, shown);
    plot.subtitle = fmt::format("{}; {} intervals, each for itself", nOf(facts), level(facts.design.confidence));
    plot.xTitle = "Metric";
    plot.yTitle = "Relative effect, %";
    if (!plot.categories.empty())
        plot.series.push_back({.name = "no effect", .colour = -1, .x = {0, static_cast<double>(plot.categories.size() - 1)}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
    return plot;
}
} // namespace

std::string metricTitle(const AbTestFacts& facts, UserMetric metric) {
    if (metric == UserMetric::valueQuantile)
        return fmt::format("{:.4g} % quantile of value per user", 100 * facts.design.metrics.quantile);
    if (facts.log && metric == UserMetric::clicksPerVisit)
        return "clicks per " + facts.log->unit;
    if (facts.log && metric == UserMetric::valuePerVisit)
        return "value per " + facts.log->unit;
    return title(metric);
}
std::string pValueText(double p) { return p < 0.0001 ? "< 0.0001" : threeFigures(p); }
std::string signedPercent(double share) { return std::isfinite(share) ? fmt::format("{}{:.2f} %", share > 0 ? "+" : "", 100 * share) : "n/a"; }
std::string usersText(double users) { return std::isnan(users) ? "n/a" : users < 1e12 ? withThousands(std::llround(std::ceil(users))) : "no number"; }
std::string decisionText(Decision decision) { return decision == Decision::ship ? "ship" : decision == Decision::doNotShip ? "do not ship" : "undecided"; }
bool severalTreatments(const AbTestFacts& facts) { return facts.findings.arms.size() > 2; }

ReportSection abEffects(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Effects";
    out.tables.push_back(effectsTable(facts));
    if (PlotSpec plot = effectsPlot(facts); !plot.categories.empty())
        out.plots.push_back(std::move(plot));
    if (ReportTable table = adjustedTable(facts); !table.rows.empty())
        out.tables.push_back(std::move(table));
    for (std::size_t k = 0; k < facts.findings.bootstrap.size(); ++k)
        if (isFinite(facts.findings.bootstrap[k]))
            out.paragraphs.push_back(fmt::format("Redrawn users ({} times) put the difference of {} in '{}' between {} and {}, whatever the shape of the metric.", withThousands(facts.design.draws),
                                                 metricTitle(facts, facts.design.primary), armName(facts, k + 1), threeFigures(facts.findings.bootstrap[k].low), threeFigures(facts.findings.bootstrap[k].high)));
    return out;
}

ReportSection abOverTime(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "As rounds went by";
    const UserMetric primary = facts.design.primary;
    const bool grows = growsWithRounds(primary);
    ReportTable table;
    table.caption = "Looks";
    table.columns = {{"Arm", false, ""}, {"Round", true, ""}, {"Users", true, ""}, {"Visits", true, ""}, {"Difference", true, "With the interval of a single look", "compareColumns()"}, {"Rule's band", true, "Holds at every look", "ExperimentJudge: Lan and DeMets 1983; Johari et al. 2017; Howard et al. 2021; Waudby-Smith et al. 2024"}, {"Standard errors asked for", true, "", "ExperimentJudge"}, {"Crossed", false, ""}};
    std::size_t look = 0; // its place in the figures
    for (const SequencePath& path : facts.findings.paths) {
        if (path.points.empty())
            continue;
        PlotSpec plot;
        plot.id = severalTreatments(facts) ? fmt::format("over-time-{}", path.arm) : "over-time";
        PlotSeries effect{.name = armName(facts, path.arm), .colour = static_cast<int>(path.arm)}, low{.name = "rule's band", .colour = static_cast<int>(path.arm), .dashed = true}, high = low;
        high.name = "rule's band, upper end";
        low.name = "rule's band, lower end";
        const bool sparse = path.points.size() == 1;
        for (const LookPoint& point : path.points) {
            const double scale = grows ? 1.0 / (point.round + 1) : 1, x = point.round + 1;
            if (!isFinite(point.effect.interval))
                continue;
            effect.x.push_back(x), effect.y.push_back(scale * point.effect.difference);
            effect.low.push_back(scale * point.effect.interval.low), effect.high.push_back(scale * point.effect.interval.high);
            if (isFinite(point.band)) {
                low.x.push_back(x), low.y.push_back(scale * point.band.low);
                high.x.push_back(x), high.y.push_back(scale * point.band.high);
            }
        }
        if (sparse)
            effect.kind = Kind::points;
        if (low.x.size() == 1)
            low.kind = high.kind = Kind::points;
        const double first = effect.x.empty() ? 1 : effect.x.front(), last = effect.x.empty() ? 1 : effect.x.back();
        if (!effect.x.empty())
            plot.series.push_back(std::move(effect));
        if (!low.x.empty())
            plot.series.push_back(std::move(low)), plot.series.push_back(std::move(high));
        plot.series.push_back({.name = "no effect", .colour = -1, .x = {first, last}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
        if (path.crossedAt >= 0) {
            const int round = path.points[static_cast<std::size_t>(path.crossedAt)].round + 1;
            plot.title = fmt::format("'{}' left the band in round {}", armName(facts, path.arm), round);
            plot.verticalLines = {static_cast<double>(round)};
            plot.verticalLineLabel = "could stop";
        } else {
            plot.title = fmt::format("'{}' has not left the band", armName(facts, path.arm));
        }
        plot.subtitle = fmt::format("n = {} users of both arms; whiskers: {} at one look, dashed: {} by the rule ({})", withThousands(std::llround(path.points.back().users)), level(facts.design.confidence),
                                    level(facts.findings.decisionConfidence), title(facts.design.rule));
        plot.xTitle = "Round";
        plot.yTitle = fmt::format("Difference in {}{}", title(primary), grows ? ", per round" : "");
        out.plots.push_back(std::move(plot));
        for (const LookPoint& point : path.points) {
            const auto at = [look](const char* key) { return fmt::format("looks[{}].{}", look, key); };
            table.rows.push_back({textCell(armName(facts, path.arm), static_cast<int>(path.arm)), textCell(std::to_string(point.round + 1)), traced(textCell(usersText(point.users)), at("users")), traced(textCell(usersText(point.visits)), at("visits")),
                                  traced(differenceCell(point.effect), at("effect.difference")), isFinite(point.band) ? traced(textCell(range(point.band)), at("band")) : muted("no look"), std::isfinite(point.limit) ? traced(numberCell(point.limit), at("limit")) : muted("–"),
                                  point.crossed ? textCell("yes") : muted(point.enough ? "no" : "too few users or events")});
            ++look;
        }
    }
    table.note = grows ? "Differences in the table are of sums so far; in the plot they are divided by the rounds." : "";
    out.paragraphs.push_back(fmt::format("Rule: {}. {}", title(facts.design.rule),
                                         facts.design.rule == StoppingRule::fixed     ? "There is one look, after the last round; what stands before it must not decide."
                                         : facts.design.rule == StoppingRule::peeking ? "It does not keep its level, and is here for comparison."
                                                                                      : fmt::format("Its band may be looked at in every round shown, and misses the truth at any look in {} of experiments at most.", percent(1 - facts.findings.decisionConfidence))));
    out.paragraphs.push_back("The same users come back, so totals of successive rounds are more alike than the rule takes them to be; it then decides rather too late than too early.");
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection abPower(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Power: what could be found";
    for (std::size_t f = 0; f < facts.findings.power.size(); ++f) {
        const PowerFinding& finding = facts.findings.power[f];
        const std::string& arm = armName(facts, finding.arm);
        if (!std::isfinite(finding.detectable)) {
            out.paragraphs.push_back(fmt::format("Power cannot be told for '{}': {} has no spread.", arm, metricTitle(facts, facts.design.primary)));
            continue;
        }
        out.paragraphs.push_back(fmt::format("With the {} users of '{}' and '{}', a difference of {}{} in {} is found with a chance of {}; the smallest effect that matters, {}, with {}, and {} users would be needed for it.", usersText(finding.usersNow),
                                             armName(facts, 0), arm, threeFigures(finding.detectable), std::isfinite(finding.detectableRelative) ? fmt::format(" ({})", percent(finding.detectableRelative)) : "",
                                             metricTitle(facts, facts.design.primary), percent(facts.design.wantedPower), percent(facts.design.smallestEffect), percent(finding.powerForSmallest), usersText(finding.usersForSmallest)));
        ReportTable table;
        table.caption = fmt::format("Users needed, '{}' against '{}'", arm, armName(facts, 0));
        table.columns = {{"Relative effect", true, ""}, {fmt::format("Users for a power of {}", percent(facts.design.wantedPower)), true, facts.log ? "In the log" : "Both arms together", "sampleSize()"}, {"Power now", true, "", "power(): normal approximation"}};
        PlotSpec plot;
        plot.id = severalTreatments(facts) ? fmt::format("power-{}", finding.arm) : "power";
        plot.title = std::isfinite(finding.detectableRelative) ? fmt::format("Effects of {} and more can be found", percent(finding.detectableRelative)) : "What can be found with how many users";
        plot.subtitle = fmt::format("n = {} users now; {}, its variance among these users, level {}", usersText(finding.usersNow), metricTitle(facts, facts.design.primary), threeFigures(finding.plan.alpha));
        plot.xTitle = facts.log ? "Users in the log, thousands" : "Users of both arms, thousands";
        plot.yTitle = "Chance to find the effect";
        plot.yMinimum = 0, plot.yMaximum = 1;
        const double most = 4 * finding.usersNow;
        for (std::size_t k = 0; k < finding.curve.size(); ++k) {
            const PowerPoint& point = finding.curve[k];
            table.rows.push_back({traced(textCell(percent(point.effect)), fmt::format("power[{}].curve[{}].effect", f, k)), traced(textCell(usersText(point.users)), fmt::format("power[{}].curve[{}].users", f, k)),
                                  std::isfinite(point.powerNow) ? traced(textCell(percent(point.powerNow)), fmt::format("power[{}].curve[{}].powerNow", f, k)) : muted("–")});
            if (!(finding.base > 0) || k == 2)
                continue; // 3 % lies between its neighbours and would only crowd the plot
            PlotSeries series{.name = percent(point.effect), .colour = static_cast<int>(plot.series.size())};
            for (int i = 1; i <= 32; ++i) {
                const double users = most * i / 32;
                series.x.push_back(users / 1000), series.y.push_back(power(finding.plan, users, point.effect * finding.base));
            }
            plot.series.push_back(std::move(series));
        }
        out.tables.push_back(std::move(table));
        if (!plot.series.empty()) {
            plot.series.push_back({.name = "wanted", .colour = -1, .x = {most / 32000, most / 1000}, .y = {facts.design.wantedPower, facts.design.wantedPower}, .low = {}, .high = {}, .dashed = true});
            plot.verticalLines = {finding.usersNow / 1000};
            plot.verticalLineLabel = "now";
            out.plots.push_back(std::move(plot));
        }
    }
    return out;
}

ReportSection abSegments(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Segments";
    for (std::size_t c = 0; c < facts.findings.segments.size(); ++c) {
        const SegmentComparison& comparison = facts.findings.segments[c];
        const std::string& arm = armName(facts, comparison.arm);
        const bool differ = comparison.differ.pValue < 1 - facts.design.confidence;
        if (comparison.differ.degrees > 0)
            out.paragraphs.push_back(fmt::format("{} (Cochran's Q {} on {} of freedom, p {}).", differ ? fmt::format("'{}' does not do the same to all segments", arm) : fmt::format("Segments are not shown to differ in what '{}' does to them", arm),
                                                 threeFigures(comparison.differ.statistic), countOf(static_cast<std::size_t>(comparison.differ.degrees), "degree", "degrees"), pValueText(comparison.differ.pValue)));
        ReportTable table;
        table.caption = fmt::format("{} by {}, '{}' against '{}'", metricTitle(facts, facts.design.primary), facts.segmentTitle, arm, armName(facts, 0));
        table.columns = {{"Segment", false, ""}, {"Users", true, facts.log ? "" : "Of both arms"}, {armName(facts, 0), true, ""}, {arm, true, ""}, {"Difference", true, "", facts.log ? "pairedDifference()" : "compareColumns()"}, {"Relative", true, "", "delta method; Oehlert 1992"}, {"p, corrected", true, "Benjamini and Hochberg over the segments", "benjaminiHochberg()"}};
        PlotSpec plot;
        plot.id = severalTreatments(facts) ? fmt::format("segments-{}", comparison.arm) : "segments";
        plot.title = differ ? fmt::format("Segments answer '{}' differently", arm) : fmt::format("Segments are not shown to answer '{}' differently", arm);
        plot.xTitle = facts.segmentTitle.empty() ? "Segment" : facts.segmentTitle;
        plot.yTitle = fmt::format("Difference in {}", metricTitle(facts, facts.design.primary));
        PlotSeries series{.name = arm, .colour = static_cast<int>(comparison.arm), .kind = Kind::points};
        double users = 0;
        for (std::size_t s = 0; s < comparison.segments.size(); ++s) {
            const SegmentEffect& each = comparison.segments[s];
            const std::string& segment = facts.segmentNames[static_cast<std::size_t>(each.segment)];
            const auto at = [c, s](const char* key) { return fmt::format("segments[{}].segments[{}].{}", c, s, key); };
            const double counted = facts.log ? each.controlUsers : each.controlUsers + each.treatmentUsers; // a log's users are in every arm
            users += counted;
            table.rows.push_back({textCell(segment), textCell(usersText(counted)), traced(numberCell(each.effect.control), at("effect.control")), traced(numberCell(each.effect.treatment), at("effect.treatment")),
                                  traced(differenceCell(each.effect), at("effect.difference")), traced(liftCell(each.effect), at("effect.lift")), traced(textCell(pValueText(each.adjustedP)), at("adjustedP"))});
            series.x.push_back(static_cast<double>(plot.categories.size())), series.y.push_back(each.effect.difference);
            series.low.push_back(each.effect.interval.low), series.high.push_back(each.effect.interval.high);
            plot.categories.push_back(segment);
        }
        plot.subtitle = fmt::format("n = {} users, {} intervals, each for itself", usersText(users), level(facts.design.confidence));
        if (comparison.leftOut > 0)
            table.note = fmt::format("Segments with {} users in all are left out: {}.", usersText(comparison.leftOut), facts.log ? "the log does not support an estimate for them" : "too few of them, or no spread, in an arm");
        if (!table.rows.empty()) {
            plot.series.push_back(std::move(series));
            plot.series.push_back({.name = "no effect", .colour = -1, .x = {0, static_cast<double>(plot.categories.size() - 1)}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
            out.plots.push_back(std::move(plot));
        } else {
            out.paragraphs.push_back(fmt::format("No segment of '{}' has enough users in both arms.", facts.segmentTitle));
        }
        out.tables.push_back(std::move(table));
    }
    return out;
}

ReportSection abBayesian(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Read with a prior";
    ReportTable table;
    table.caption = "Chance that the arm is better, and what a wrong choice costs";
    table.columns = {{"Arm", false, ""}, {"Chance to be better", true, "", "bayesian(): normal prior and likelihood"}, {"Effect", true, "Mean and credible interval after seeing the data; above 0 is better"}, {"Risk if shipped", true, "Loss to be expected when it is shipped and is worse"},
                     {"Risk if not shipped", true, "Gain to be expected that is given away when it is better"}};
    for (std::size_t b = 0; b < facts.findings.bayesian.size(); ++b) {
        const BayesianComparison& each = facts.findings.bayesian[b];
        const auto at = [b](const char* key) { return fmt::format("bayesian[{}].{}", b, key); };
        const auto shown = [&](double value) { return each.relative ? signedPercent(value) : threeFigures(value); };
        ReportCell effect = textCell(shown(each.effect.mean));
        if (isFinite(each.effect.interval))
            effect.interval = fmt::format("[{}, {}]", shown(each.effect.interval.low), shown(each.effect.interval.high));
        table.rows.push_back({textCell(armName(facts, each.arm), static_cast<int>(each.arm)), traced(textCell(percent(each.effect.chanceBetter)), at("chanceBetter")), traced(effect, at("mean")), traced(textCell(shown(each.effect.lossIfShipped)), at("lossIfShipped")),
                              traced(textCell(shown(each.effect.lossIfNotShipped)), at("lossIfNotShipped"))});
    }
    const bool relative = !facts.findings.bayesian.empty() && facts.findings.bayesian.front().relative;
    table.note = fmt::format("{}, {}. {} credible intervals. These figures do not decide: they are no protection against looking often.", metricTitle(facts, facts.design.primary),
                             relative && facts.design.priorSd > 0 ? fmt::format("relative effect; before looking, effects were taken to spread around none with a standard deviation of {}", percent(facts.design.priorSd))
                             : relative                           ? std::string("relative effect; before looking, every effect was taken to be as likely")
                                                                  : std::string("difference, since the control is too near 0 for relative effects; before looking, every effect was taken to be as likely"),
                             level(facts.design.confidence));
    out.tables.push_back(std::move(table));
    return out;
}

} // namespace carousel::analyses
