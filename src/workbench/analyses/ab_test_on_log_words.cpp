// SPDX-License-Identifier: GPL-3.0-or-later
// What an A/B comparison on a log says of itself: on whom, by which rule, what its words mean and what it cannot tell.
#include "base/text.h"
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"
#include <cmath>

namespace carousel::analyses {

ReportSection abTestedOnLog(const AbTestFacts& facts) {
    const AbTestLog& log = *facts.log;
    ReportSection out;
    out.title = "What was tested, on whom";
    out.paragraphs.push_back(facts.population);
    if (!facts.assignment.empty())
        out.paragraphs.push_back(facts.assignment);
    out.paragraphs.push_back(fmt::format("Every arm is judged on the same {}s, by how likely it would have shown them; '{}' is the control. Laid down before: {} decides, at {} confidence, at one look; effects under {} do not matter.", log.unit,
                                         facts.findings.arms.front(), metricTitle(facts, facts.design.primary), level(facts.design.confidence), percent(facts.design.smallestEffect)));
    ReportTable table;
    table.caption = "Arms";
    table.columns = {{"Arm", false, ""}, {"What fills the carousel", false, ""}, {fmt::format("Effective {}s", log.unit), true, "So many equally weighted ones would say as much", "evidenceGate(); Kish 1965"}, {"Mean weight", true, "Should be 1", "evidenceGate()"},
                     {"Overlap", true, "1: the log shows what the arm would show as often as it would", "evidenceGate()"}, {"Evidence", false, "The worst of the lights below"}};
    for (std::size_t a = 0; a < facts.findings.arms.size(); ++a) {
        const EvidenceGate& gate = log.gates[a];
        ReportCell evidence = textCell(words(gate.level));
        evidence.tone = gate.level == Evidence::green ? ReportCell::Tone::good : gate.level == Evidence::red ? ReportCell::Tone::bad : ReportCell::Tone::muted;
        const std::string at = fmt::format("log.evidence[{}].", a);
        const auto figure = [&](double value, const char* key, bool whole) {
            return !std::isfinite(value) ? muted("–") : traced(whole ? textCell(usersText(std::floor(value))) : numberCell(value), at + key);
        };
        table.rows.push_back({textCell(facts.findings.arms[a], static_cast<int>(a)), textCell(a < facts.arms.size() ? facts.arms[a].words : ""), figure(gate.effectiveSampleSize, "effectiveSampleSize", true), figure(gate.meanWeight, "meanWeight", false),
                              figure(gate.overlap, "overlap", false), traced(evidence, at + "level")});
    }
    out.tables.push_back(std::move(table));
    return out;
}

std::vector<std::string> abLimitsOfLog(const AbTestFacts& facts) {
    const std::string& unit = facts.log->unit;
    return {fmt::format("The log tells what its users did with what they were shown, one {} at a time. What an arm does over time is not in it: users who come back or stay away, habits, and an arm that learns from its own clicks.", unit),
            "Nobody saw the arms. Their values rest on the logged propensities being right, and on users answering to the carousel and to nothing that the logging policy knew and the log does not tell.",
            unit == "slate" ? std::string("RIPS lets a click depend on what stands in its slot and in those before it, as when people look from left to right; what stands behind must not matter. Purchases, reach and what was missed behind the fold are not told.")
                            : std::string("The log holds single impressions: what an item does to those beside it is not told, nor are purchases."),
            "Intervals tell the chance of which users are in the log. They do not tell how other days, seasons or users would answer."};
}

std::vector<ReportDefinition> abDefinitionsOfLog(const AbTestFacts& facts) {
    const std::string& unit = facts.log->unit;
    std::vector<ReportDefinition> out{
        {"Weight", unit == "slate" ? "How likely the arm fills a slot as it was logged, given the slots before, divided by how likely the logging policy did; for a slate the product up to a slot." : "How likely the arm shows what was logged, divided by how likely the logging policy did.",
         unit == "slate" ? "McInerney et al., KDD 2020 (RIPS)" : "Horvitz and Thompson 1952 (IPS)"},
        {fmt::format("Clicks per {0}, value per {0}", unit), fmt::format("Weighted clicks of the log, or prices of what was clicked, per {}.", unit), unit == "slate" ? "RIPS" : "IPS"},
        {"Difference", "Estimated by itself, on the same rows: what both arms would show alike cancels, and what chance did to the weights is taken out with a control variate. It is more exact than the difference of the two values, and need not equal it.", "Jeunen, Delta-OPE, 2024"},
        {"Interval", fmt::format("{} confidence interval with a normal limit; users are the units, their {}s are taken together.", level(facts.design.confidence), unit), "Liang and Zeger 1986"},
        {"p, corrected", std::string("Over all metrics and arms; ") + title(facts.design.correction) + ".", "Holm 1979; Benjamini and Hochberg 1995"},
        {"Effective sample size", "Square of the sum of weights by the sum of their squares: so many equally weighted rounds would say as much.", "Kish 1965"},
        {"Overlap", "Mean over the log of the weight, at most 1: how much of what the arm would do the log does as often.", ""},
        {"Power", "Chance to find an effect that is there, from the standard error of this difference; more users would have to be logged by the same policies.", ""}};
    if (!facts.findings.segments.empty())
        out.push_back({"Cochran's Q", "Sum of squared distances of the segments' effects from their weighted mean, each by its variance; chi-squared when the effect is one for all.", "Cochran 1954"});
    return out;
}

} // namespace carousel::analyses
