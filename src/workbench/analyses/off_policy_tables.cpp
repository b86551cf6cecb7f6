// SPDX-License-Identifier: GPL-3.0-or-later
// Tables and plots of an off-policy analysis.
#include "base/text.h"
#include "workbench/analyses/off_policy_words.h"
#include <algorithm>
#include <cmath>

namespace carousel::off_policy_analysis {

namespace {

std::string percent(double share) {
    return std::isfinite(share) ? fmt::format("{:.3g} %", 100 * share) : "none";
}
std::string count(double value) {
    return std::isfinite(value) ? withThousands(std::llround(value)) : "unknown";
}
ReportCell lightCell(Evidence level) {
    ReportCell cell;
    cell.text = words(level);
    cell.tone = level == Evidence::green ? ReportCell::Tone::good
                : level == Evidence::red ? ReportCell::Tone::bad
                                         : ReportCell::Tone::plain;
    return cell;
}
// An interval wider than the range of a reward says nothing, and its ends, often astronomical, say less.
ReportCell intervalCell(const Interval& interval, double high) {
    const bool none = !std::isfinite(interval.low) || !std::isfinite(interval.high), wide = !none && interval.high - interval.low >= high;
    ReportCell cell = textCell(none   ? std::string("none")
                               : wide ? fmt::format("wider than [0, {}]", threeFigures(high))
                                      : fmt::format("[{}, {}]", threeFigures(interval.low), threeFigures(interval.high)));
    if (none || wide)
        cell.tone = ReportCell::Tone::muted;
    return cell;
}

} // namespace

Light light(Evidence level) {
    return level == Evidence::green ? Light::green : level == Evidence::amber ? Light::amber : Light::red;
}

ReportTable logTable(const Findings& findings) {
    const LogFacts& facts = *findings.facts;
    ReportTable table;
    table.caption = "Who showed what";
    table.columns = {{"Logging policy"},       {facts.slates ? "Slates" : "Impressions", true},
                     {"Clicks", true},         {findings.reward, true},
                     {"Items shown", true},    {"Its propensities are"},
                     {"Its other choices are"}};
    for (std::size_t p = 0; p < facts.readings.size(); ++p) {
        const auto& mean = findings.perLogger[p];
        table.rows.push_back({textCell(facts.readings[p].policy), textCell(count(static_cast<double>(mean.sessions))),
                              textCell(count(mean.clicks)), estimateCell(mean.value, mean.interval.low, mean.interval.high),
                              textCell(count(static_cast<double>(facts.readings[p].candidates))), textCell(facts.readings[p].words),
                              textCell(facts.loggers[p].words)});
    }
    table.note = "A propensity is the probability with which the logging policy showed an item. Where one weight per item explains all of "
                 "a policy's propensities, its probability "
                 "is known for every item and slate, not only for what it showed.";
    return table;
}

ReportTable gateTable(const PolicyFigures& policy, bool slates) {
    ReportTable table;
    table.caption = "How far the log supports this policy";
    table.columns = {{"Question"},          {"Evidence"},      {"Effective sample size", true}, {"Largest weight", true},
                     {"Mean weight", true}, {"Overlap", true}, {"Never logged", true},          {"Rewards behind", true}};
    auto add = [&](const std::string& title, const EvidenceGate& gate) {
        if (!std::isfinite(gate.effectiveSampleSize)) {
            table.rows.push_back({textCell(title), lightCell(gate.level), textCell("unknown"), textCell(""), textCell(""), textCell(""),
                                  textCell(""), textCell("")});
            table.rows.back()[1].note = gate.reasons.empty() ? "" : gate.reasons.front().text;
            return;
        }
        auto mean = textCell(fmt::format("{:.3f}", gate.meanWeight));
        if (std::isfinite(gate.meanWeightError)) // one round, or no weight at all, has no error
            mean.interval = fmt::format("± {:.2g}", 3 * gate.meanWeightError);
        table.rows.push_back({textCell(title), lightCell(gate.level),
                              textCell(fmt::format("{} of {}", count(gate.effectiveSampleSize), count(static_cast<double>(policy.rounds)))),
                              textCell(percent(gate.largestShare)), mean, textCell(percent(gate.overlap)),
                              textCell(percent(gate.unsupported)), textCell(count(gate.clicksBehind))});
    };
    add(slates ? "First slot" : "One impression", policy.firstGate);
    for (const auto& gate : policy.slateGates)
        add(gate.title, gate.gate);
    table.note = "Mean weight should be 1 within three standard errors (shown behind ±). Overlap: how much of the log's choices the policy "
                 "shares, 100 % when it is the logging policy.";
    if (slates)
        table.note += " A slate's weight is the mean of its slots' weights, by each slot's share of the reward.";
    return table;
}

ReportTable estimateTable(const std::string& caption, const std::vector<PolicyEstimate>& estimates, double logMean, double high,
                          const AnalysisSpec& spec) {
    ReportTable table;
    table.caption = caption;
    table.columns = {{"Estimator"},
                     {fmt::format("Value, {:.0f} % bootstrap", 100 * spec.options.number("confidence")), true},
                     {"Standard error", true},
                     {"Bernstein", true, "valid for any sample size; wide"},
                     {"Anytime", true, "valid however often it is looked at"},
                     {"Lambda", true},
                     {"What must be true"}};
    for (const auto& e : estimates) {
        if (!e.refused.empty()) {
            auto cell = textCell("refused");
            cell.tone = ReportCell::Tone::muted;
            table.rows.push_back(
                {textCell(e.name), cell, textCell(""), textCell(""), textCell(""), textCell(""), textCell("Refused: " + e.refused)});
            continue;
        }
        auto value = estimateCell(e.value, e.bootstrap.low, e.bootstrap.high);
        if (e.value < 0 || e.value > high)
            value.tone = ReportCell::Tone::bad;
        ReportCell lambda = textCell("");
        if (!e.lambda.method.empty()) {
            lambda = std::isfinite(e.lambda.lambda) ? numberCell(e.lambda.lambda) : textCell("no limit");
            lambda.note = e.lambda.method;
        }
        auto assumption = textCell(e.assumption);
        for (const auto& note : e.notes)
            if (!startsWith(note, "no empirical Bernstein")) // the column says none
                assumption.note += (assumption.note.empty() ? "" : " ") + note;
        table.rows.push_back({textCell(e.name), value, std::isfinite(e.standardError) ? numberCell(e.standardError) : textCell("none"),
                              intervalCell(e.bernstein, high), intervalCell(e.anytime, high), lambda, assumption});
    }
    table.note = "Bernstein: none for ratios, whose terms have no bound.";
    if (std::isfinite(logMean))
        table.note += fmt::format(" The log itself: {}.", threeFigures(logMean));
    return table;
}

ReportTable differenceTable(const Findings& findings, const AnalysisSpec& spec) {
    ReportTable table;
    table.caption =
        fmt::format("Differences on the same log, {:.0f} % bootstrap intervals over users", 100 * spec.options.number("confidence"));
    table.columns = {{"Policy"}, {"Against"}, {"On"}, {"Plain", true}, {"With control variate", true}, {"Says"}};
    for (const auto& d : findings.differences) {
        const bool clear = d.controlledInterval.low > 0 || d.controlledInterval.high < 0;
        auto says = textCell(!d.supported       ? "not supported by the log"
                             : !clear           ? "no difference shown"
                             : d.controlled > 0 ? "higher"
                                                : "lower");
        says.tone = !clear || !d.supported ? ReportCell::Tone::muted : ReportCell::Tone::plain;
        table.rows.push_back({textCell(d.first), textCell(d.second), textCell(d.on),
                              estimateCell(d.plain, d.plainInterval.low, d.plainInterval.high),
                              estimateCell(d.controlled, d.controlledInterval.low, d.controlledInterval.high), says});
    }
    table.note = "Both policies are weighed on the same rounds, so much of the noise cancels. The control variate takes out what the mean "
                 "weight, known to be 1, is off by. A difference says "
                 "no more than the evidence of the two policies it compares.";
    return table;
}

ReportTable temperatureTable(const Findings& findings) {
    ReportTable table;
    table.caption = "What other temperatures would support";
    table.columns = {{"Policy"},     {"Temperature", true},       {"First slot: effective", true},
                     {"First slot"}, {"Slates: effective", true}, {"Slates"}};
    for (const auto& [name, rows] : findings.temperatures)
        for (const auto& row : rows)
            table.rows.push_back({textCell(name), textCell(row.temperature > 0 ? fmt::format("{:g}", row.temperature) : "0 (its order)"),
                                  textCell(count(row.firstEss)), lightCell(row.first), textCell(count(row.slateEss)),
                                  lightCell(row.slate)});
    table.note = "Slates: each slot with those before it. A higher temperature is another policy: closer to chance, and further from the "
                 "strategy's own order.";
    return table;
}

PlotSpec agreementPlot(const PolicyFigures& policy, std::size_t index, const Findings& findings, const AnalysisSpec& spec) {
    const bool slates = findings.facts->slates;
    const auto& estimates = slates && !policy.slates.empty() ? policy.slates : policy.first;
    PlotSpec plot;
    plot.id = fmt::format("agreement_{}", index + 1);
    plot.subtitle =
        fmt::format("{}: {} {}, {:.0f} % bootstrap intervals over users", policy.name, count(static_cast<double>(policy.rounds)),
                    slates ? "slates" : "impressions", 100 * spec.options.number("confidence"));
    plot.xTitle = "Estimator";
    plot.yTitle = findings.reward;
    PlotSeries points;
    points.name = policy.name;
    points.colour = policy.colour;
    points.kind = PlotSeries::Kind::points;
    double least = 1e300, most = -1e300;
    for (const auto& e : estimates) {
        if (!e.refused.empty() || !std::isfinite(e.value))
            continue;
        points.x.push_back(static_cast<double>(plot.categories.size()));
        plot.categories.push_back(e.name);
        points.y.push_back(e.value);
        points.low.push_back(e.bootstrap.low);
        points.high.push_back(e.bootstrap.high);
        least = std::min(least, e.value);
        most = std::max(most, e.value);
    }
    plot.title = points.y.empty() ? "No estimator can be used"
                                  : fmt::format("{} estimators give {} to {}", points.y.size(), threeFigures(least), threeFigures(most));
    const auto last = static_cast<double>(plot.categories.size()) - 0.5;
    auto line = [&](const std::string& name, double value) {
        PlotSeries series;
        series.name = name;
        series.colour = -1;
        series.dashed = true;
        series.x = {-0.5, std::max(last, 0.5)};
        series.y = {value, value};
        plot.series.push_back(std::move(series));
    };
    plot.series.push_back(std::move(points));
    if (slates && std::isfinite(policy.measured))
        line("measured on its own slates", policy.measured);
    else if (slates)
        line("the log's mean", findings.all.value);
    return plot;
}

PlotSpec weightPlot(const PolicyFigures& policy, std::size_t index, const Findings& findings) {
    static const std::vector<std::pair<double, std::string>> bins{{0, "0"},        {0.01, "to 0.01"}, {0.03, "to 0.03"},  {0.1, "to 0.1"},
                                                                  {0.3, "to 0.3"}, {1, "to 1"},       {3, "to 3"},        {10, "to 10"},
                                                                  {30, "to 30"},   {100, "to 100"},   {1000, "to 1,000"}, {1e300, "more"}};
    PlotSpec plot;
    plot.id = fmt::format("weights_{}", index + 1);
    plot.subtitle =
        fmt::format("{}: {} {}", policy.name, count(static_cast<double>(policy.rounds)), findings.facts->slates ? "slates" : "impressions");
    plot.xTitle = "Weight";
    plot.yTitle = "Share of rounds (%)";
    plot.yMinimum = 0;
    for (const auto& bin : bins)
        plot.categories.push_back(bin.second);
    auto add = [&](const std::string& name, const std::vector<double>& weights, int colour) {
        if (weights.empty())
            return;
        PlotSeries series;
        series.name = name;
        series.colour = colour;
        series.kind = PlotSeries::Kind::bars;
        series.y.assign(bins.size(), 0);
        for (std::size_t b = 0; b < bins.size(); ++b)
            series.x.push_back(static_cast<double>(b));
        for (const double w : weights) {
            const auto bin = std::find_if(bins.begin(), bins.end(), [&](const auto& b) { return w <= b.first; });
            series.y[static_cast<std::size_t>(bin - bins.begin())] += 100 / static_cast<double>(weights.size());
        }
        plot.series.push_back(std::move(series));
    };
    add(findings.facts->slates ? "first slot" : "impression", policy.firstWeight, 0);
    if (const auto* gate = policy.gate("rips"))
        add("slates, each slot with those before it", gate->weights, 1);
    const auto zero = static_cast<double>(std::count(policy.firstWeight.begin(), policy.firstWeight.end(), 0.0));
    plot.title = policy.firstWeight.empty() ? "No weights: propensities are missing"
                                            : fmt::format("{} of the rounds weigh nothing in the first slot",
                                                          percent(zero / static_cast<double>(policy.firstWeight.size())));
    return plot;
}

PlotSpec overviewPlot(const Findings& findings, const AnalysisSpec& spec) {
    PlotSpec plot;
    plot.id = "policies";
    plot.subtitle = fmt::format("{}, {:.0f} % bootstrap intervals over users; RIPS for slates, SNIPS for single impressions",
                                findings.datasetTitle, 100 * spec.options.number("confidence"));
    plot.xTitle = "Policy";
    plot.yTitle = findings.reward;
    auto add = [&](const std::string& name, int colour, double value, const Interval& interval) {
        PlotSeries series;
        series.name = name;
        series.colour = colour;
        series.kind = PlotSeries::Kind::points;
        series.x = {static_cast<double>(plot.categories.size())};
        series.y = {value};
        series.low = {interval.low};
        series.high = {interval.high};
        plot.categories.push_back(name);
        plot.series.push_back(std::move(series));
    };
    add("the log, measured", -1, findings.all.value, findings.all.interval);
    std::size_t shown = 0, left = 0;
    for (const auto& policy : findings.strategies) {
        const auto* estimate = findings.facts->slates ? policy.slate("rips") : policy.firstSlot("snips");
        const Evidence level = findings.facts->slates && policy.gate("rips") ? policy.gate("rips")->gate.level : policy.firstGate.level;
        if (!policy.refused.empty() || !estimate || level == Evidence::red) {
            ++left;
            continue;
        }
        ++shown;
        add(policy.name, policy.colour, estimate->value, estimate->bootstrap);
    }
    plot.title = fmt::format("{} of {} policies can be estimated on this log", shown, shown + left);
    if (left > 0)
        plot.subtitle += "; policies that the log does not support are left out";
    return plot;
}

std::vector<ReportDefinition> definitions() {
    std::vector<ReportDefinition> out;
    for (const auto& info : offPolicyEstimators())
        out.push_back({info.name, info.formula, "one slot"});
    for (const auto& info : slatePolicyEstimators())
        out.push_back({info.name, info.formula, "slates"});
    out.push_back({"Weight w", "probability of the shown item under the evaluated policy by its logged propensity", ""});
    out.push_back({"Effective sample size", "(sum w)^2 / sum w^2", "Kish, 1965"});
    return out;
}

} // namespace carousel::off_policy_analysis
