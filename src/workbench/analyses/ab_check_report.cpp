// SPDX-License-Identifier: GPL-3.0-or-later
// What the check of stopping rules found, in words, tables and one plot.
#include "base/text.h"
#include "workbench/analyses/ab_check.h"
#include "workbench/analyses/document_parts.h"
#include <cmath>

namespace carousel::analyses {

namespace {

std::string count(double n) { return withThousands(static_cast<std::int64_t>(std::llround(n))); }
ReportCell shareCell(double share, const Interval& interval) {
    ReportCell out = textCell(fmt::format("{:.1f} %", 100 * share));
    out.interval = fmt::format("[{:.1f}, {:.1f}]", 100 * interval.low, 100 * interval.high);
    return out;
}
// A fixed test must be at its level; a rule that may be looked at must not be above it.
bool keeps(const Characteristics& c, double alpha) { return c.rule == StoppingRule::fixed ? c.interval.low <= alpha && alpha <= c.interval.high : c.interval.low <= alpha; }

ReportSection rulesSection(const AbCheckFacts& facts) {
    ReportSection out;
    out.title = "What each rule does";
    out.paragraphs.push_back(fmt::format("{} experiments of {} users in two equal arms, drawn from {}{}, looked at {} times. Every rule sees the same experiments.",
                                         count(facts.plan.experiments), count(static_cast<double>(facts.plan.users)), facts.metric,
                                         facts.metricUsers > 0 ? fmt::format(" ({} users, mean {}, {:.0f} % at none, skewness {:.1f})", count(facts.metricUsers), threeFigures(facts.metricMean),
                                                                             100 * facts.metricZeros, facts.metricSkewness)
                                                               : "",
                                         count(facts.plan.looks)));
    ReportTable table;
    table.caption = "False alarms and power";
    table.columns = {{"Rule", false, ""}, {"Promises", true, "Experiments without an effect that it says have one, at most"}, {"Without an effect", true, "Share that ends with 'there is an effect'; 95 % interval of the counting"}, {"Keeps it", false, ""}};
    for (const double effect : facts.effects)
        table.columns.push_back({fmt::format("Finds {:g} sd", effect), true, "Share of experiments with an effect of so many standard deviations of the metric that ends with it found"});
    if (!facts.effects.empty())
        table.columns.push_back({fmt::format("Users at {:g} sd", facts.effects.back()), true, "Median number of users at the end of an experiment"});
    for (std::size_t r = 0; r < facts.none.size(); ++r) {
        const Characteristics& c = facts.none[r];
        ReportCell kept = textCell(!promisesLevel(c.rule) ? "promises nothing" : keeps(c, facts.plan.alpha) ? "yes" : "no");
        kept.tone = !promisesLevel(c.rule) ? ReportCell::Tone::muted : keeps(c, facts.plan.alpha) ? ReportCell::Tone::good : ReportCell::Tone::bad;
        std::vector<ReportCell> row{textCell(title(c.rule)), promisesLevel(c.rule) ? textCell(percent(facts.plan.alpha)) : muted("–"), shareCell(c.found, c.interval), kept};
        for (const auto& power : facts.power)
            row.push_back(shareCell(power[r].found, power[r].interval));
        if (!facts.power.empty())
            row.push_back(textCell(count(facts.power.back()[r].medianUsers)));
        table.rows.push_back(std::move(row));
    }
    table.note = "Intervals of the counting: Clopper and Pearson, 95 %. The fixed test looks once, at the end; a rule for many looks keeps its promise when it is not above it.";
    out.tables.push_back(std::move(table));
    if (facts.effects.size() > 1) {
        PlotSpec plot;
        plot.id = "power-of-rules";
        plot.title = "What it costs to be allowed to look: power of each rule";
        plot.subtitle = fmt::format("n = {} experiments of {} users for each point, 95 % Clopper-Pearson intervals", count(facts.plan.experiments), count(static_cast<double>(facts.plan.users)));
        plot.xTitle = "Effect, standard deviations of the metric", plot.yTitle = "Share of experiments in which it is found";
        for (std::size_t r = 0; r < facts.none.size(); ++r) {
            if (!promisesLevel(facts.none[r].rule))
                continue;
            PlotSeries series;
            series.name = title(facts.none[r].rule), series.colour = static_cast<int>(r);
            for (std::size_t e = 0; e < facts.effects.size(); ++e) {
                series.x.push_back(facts.effects[e]), series.y.push_back(facts.power[e][r].found);
                series.low.push_back(facts.power[e][r].interval.low), series.high.push_back(facts.power[e][r].interval.high);
            }
            plot.series.push_back(std::move(series));
        }
        plot.yMinimum = 0, plot.yMaximum = 1;
        out.plots.push_back(std::move(plot));
    }
    return out;
}

ReportSection truthSection(const AbCheckFacts& facts) {
    const CoverageCheck& c = *facts.feedbackOn;
    ReportSection out;
    out.title = "Simulated experiments with a known truth";
    out.paragraphs.push_back(fmt::format("'{}' against '{}' on simulated users ({}): {} experiments of {} users, and as many in which both arms are '{}'. Users, arms and visits are drawn anew for each. The true "
                                         "difference of {} is {} (standard error {}), from everybody living in both arms.",
                                         facts.arms[1], facts.arms[0], facts.people, count(c.repetitions), count(static_cast<double>(facts.simulatedUsers)), facts.arms[0], title(facts.primary), signedFigures(c.effect),
                                         threeFigures(c.effectError)));
    ReportTable coverage;
    coverage.caption = "Do 95 % intervals hold the true effect?";
    coverage.caption = fmt::format("Do {} intervals hold the true effect?", level(1 - facts.plan.alpha));
    coverage.columns = {{"Estimate", false, ""}, {"Hold it", true, "Share of intervals"}, {"Mean estimate", true, ""}, {"True effect", true, ""}, {"Mean width", true, "Of the interval"}};
    for (const CoverageRow& row : c.rows)
        coverage.rows.push_back({textCell(row.method), shareCell(row.coverage, row.interval), numberCell(row.meanEstimate), numberCell(c.effect), numberCell(row.meanWidth)});
    out.tables.push_back(std::move(coverage));
    ReportTable alarms;
    alarms.caption = "The same strategy in both arms";
    alarms.columns = {{"What decides", false, ""}, {"Says there is an effect", true, ""}, {"Promises at most", true, ""}};
    alarms.rows = {{textCell("fixed test at the end"), shareCell(c.falseFixed, c.falseFixedInterval), textCell(percent(facts.plan.alpha))},
                   {textCell(fmt::format("{}, after every round", title(ExperimentDesign{}.rule))), shareCell(c.falseRule, c.falseRuleInterval), textCell(percent(facts.plan.alpha))}};
    alarms.note = fmt::format("With the true effect the rule found it in {:.1f} % of the experiments.", 100 * c.found);
    out.tables.push_back(std::move(alarms));
    if (facts.feedbackOff) {
        const CoverageCheck& off = *facts.feedbackOff;
        ReportTable loop;
        loop.caption = "What the feedback loop changes";
        loop.columns = {{"Clicks leave the next carousels", false, ""}, {facts.arms[0], true, ""}, {facts.arms[1], true, ""}, {"True effect", true, ""}};
        loop.rows = {{textCell("yes"), numberCell(c.control), numberCell(c.treatment), numberCell(c.effect)}, {textCell("no"), numberCell(off.control), numberCell(off.treatment), numberCell(off.effect)}};
        loop.note = fmt::format("Without it the best products are clicked again and again, and the strategy that shows them looks better than it is: the effect is {} by {}.",
                                std::fabs(off.effect) > std::fabs(c.effect) ? "overstated" : "not overstated here but differs", threeFigures(std::fabs(off.effect - c.effect)));
        out.tables.push_back(std::move(loop));
    }
    return out;
}

nlohmann::json characteristicsJson(const Characteristics& c) {
    return {{"rule", name(c.rule)}, {"found", number(c.found)}, {"interval", interval(c.interval)}, {"medianUsers", number(c.medianUsers)}};
}
nlohmann::json coverageJson(const CoverageCheck& c) {
    auto rows = nlohmann::json::array();
    for (const CoverageRow& row : c.rows)
        rows.push_back({{"method", row.method}, {"coverage", number(row.coverage)}, {"interval", interval(row.interval)}, {"meanEstimate", number(row.meanEstimate)}, {"meanWidth", number(row.meanWidth)}});
    return {{"control", number(c.control)}, {"treatment", number(c.treatment)}, {"effect", number(c.effect)}, {"effectError", number(c.effectError)}, {"coverage", rows},
            {"falseFixed", number(c.falseFixed)}, {"falseFixedInterval", interval(c.falseFixedInterval)}, {"falseRule", number(c.falseRule)}, {"falseRuleInterval", interval(c.falseRuleInterval)},
            {"found", number(c.found)}, {"repetitions", c.repetitions}};
}

} // namespace

AnalysisDocument abCheckReport(const AbCheckFacts& facts) {
    AnalysisDocument document;
    ReportModel& report = document.report;
    report.title = "Check of stopping rules";
    report.subtitle = fmt::format("{}: {} experiments for each rule and effect, on {}", facts.dataset, count(facts.plan.experiments), facts.metric);
    std::vector<std::string> broken;
    const Characteristics* peeking = nullptr;
    for (const Characteristics& c : facts.none) {
        if (c.rule == StoppingRule::peeking)
            peeking = &c;
        if (promisesLevel(c.rule) && !keeps(c, facts.plan.alpha))
            broken.push_back(fmt::format("'{}' ({:.1f} %)", title(c.rule), 100 * c.found));
    }
    report.lead.push_back(broken.empty() ? fmt::format("On this metric every rule that promises a level of {} keeps it.", percent(facts.plan.alpha))
                                         : fmt::format("On this metric {} does not keep the promised level of {}.", joined(broken), percent(facts.plan.alpha)));
    if (peeking)
        report.lead.push_back(fmt::format("A fixed test that is looked at {} times finds an effect in {:.1f} % of experiments that have none.", count(facts.plan.looks), 100 * peeking->found));
    report.light = broken.empty() ? Light::green : Light::red;
    for (const Characteristics& c : facts.none)
        if (promisesLevel(c.rule))
            report.findings.push_back({keeps(c, facts.plan.alpha) ? Light::green : Light::red, title(c.rule),
                                       fmt::format("{:.1f} % [{:.1f}, {:.1f}] of experiments without an effect end with one; {} promised.", 100 * c.found, 100 * c.interval.low, 100 * c.interval.high, percent(facts.plan.alpha))});
    if (facts.feedbackOn)
        for (const CoverageRow& row : facts.feedbackOn->rows) {
            const bool good = row.interval.low <= 1 - facts.plan.alpha && 1 - facts.plan.alpha <= row.interval.high;
            const Light light = good ? Light::green : row.coverage > 1 - facts.plan.alpha ? Light::amber : Light::red;
            report.light = worst(report.light, light);
            report.findings.push_back({light, fmt::format("Intervals of simulated experiments, {}", row.method),
                                       fmt::format("{:.1f} % [{:.1f}, {:.1f}] hold the true effect; {} promised{}.", 100 * row.coverage, 100 * row.interval.low, 100 * row.interval.high, level(1 - facts.plan.alpha),
                                                   good ? "" : row.coverage > 1 - facts.plan.alpha ? ": wider than they must be" : "")});
        }
    report.warnings = facts.notes;
    report.facts = {{"Experiments", count(facts.plan.experiments)}, {"Looks", count(facts.plan.looks)}, {"Users", count(static_cast<double>(facts.plan.users))}, {"Level", percent(facts.plan.alpha)}};
    report.sections.push_back(rulesSection(facts));
    if (facts.feedbackOn)
        report.sections.push_back(truthSection(facts));
    ReportSection words;
    words.title = "Definitions";
    words.definitions = {{"Without an effect", "Both arms draw from the same values (A/A): whoever finds an effect is wrong.", ""},
                         {"sd", "Standard deviation of the metric over users; an effect of 0.05 sd moves the mean by a twentieth of it.", ""},
                         {"Hold the truth", "An interval at 95 % should contain the true effect in 95 of 100 experiments.", ""}};
    report.sections.push_back(std::move(words));

    auto none = nlohmann::json::array(), power = nlohmann::json::array();
    for (const Characteristics& c : facts.none)
        none.push_back(characteristicsJson(c));
    for (std::size_t e = 0; e < facts.effects.size(); ++e) {
        auto rows = nlohmann::json::array();
        for (const Characteristics& c : facts.power[e])
            rows.push_back(characteristicsJson(c));
        power.push_back({{"effect", number(facts.effects[e])}, {"rules", rows}});
    }
    nlohmann::json figures{{"metric", facts.metric}, {"experiments", facts.plan.experiments}, {"looks", facts.plan.looks}, {"users", facts.plan.users}, {"alpha", number(facts.plan.alpha)}, {"withoutEffect", none}, {"power", power}};
    if (facts.feedbackOn)
        figures["knownTruth"] = coverageJson(*facts.feedbackOn);
    if (facts.feedbackOff)
        figures["knownTruthWithoutFeedback"] = coverageJson(*facts.feedbackOff);
    document.figuresJson = figures.dump();
    return document;
}

} // namespace carousel::analyses
