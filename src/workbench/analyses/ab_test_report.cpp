// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/ab_test_report.h"
#include "base/text.h"
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"
#include <cmath>

namespace carousel::analyses {

namespace {
Light lightOf(HealthLight light) {
    switch (light) {
    case HealthLight::green: return Light::green;
    case HealthLight::amber: return Light::amber;
    case HealthLight::red: return Light::red;
    case HealthLight::unknown: break;
    }
    return Light::none;
}

ReportSection tested(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "What was tested, on whom";
    out.paragraphs.push_back(facts.population);
    if (!facts.assignment.empty())
        out.paragraphs.push_back(facts.assignment);
    out.paragraphs.push_back(fmt::format("Each arm fills the carousel of its own {}; '{}' is the control. Laid down before: {} decides, at {} confidence, by the rule '{}', over {} rounds; effects under {} do not matter.",
                                         facts.usersOfSessions > 0 ? "visits" : "users", facts.findings.arms.front(), metricTitle(facts, facts.design.primary), level(facts.design.confidence), title(facts.design.rule), facts.design.rounds, percent(facts.design.smallestEffect)));
    ReportTable table;
    table.caption = "Arms";
    table.columns = {{"Arm", false, ""}, {"What fills the carousel", false, ""}, {"Planned share", true, ""}, {"Users", true, ""}, {"Visits", true, ""}};
    double planned = 0;
    for (const double share : facts.design.shares)
        planned += share;
    for (std::size_t a = 0; a < facts.findings.arms.size(); ++a)
        table.rows.push_back({textCell(facts.findings.arms[a], static_cast<int>(a)), textCell(a < facts.arms.size() ? facts.arms[a].words : ""), a < facts.design.shares.size() ? textCell(percent(facts.design.shares[a] / planned)) : muted("–"),
                              textCell(usersText(facts.findings.users[a])), textCell(usersText(facts.findings.visits[a]))});
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection verdict(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Verdict";
    ReportTable table;
    table.caption = "What to do with each arm";
    table.columns = {{"Arm", false, ""}, {"Verdict", false, ""}, {"Decided in round", true, ""}, {"Difference", true, "With the rule's band where it has one"}, {"Relative", true, ""}, {"What would change this", false, ""}};
    for (std::size_t v = 0; v < facts.findings.verdicts.size(); ++v) {
        const ArmVerdict& each = facts.findings.verdicts[v];
        const auto at = [v](const char* key) { return fmt::format("verdicts[{}].{}", v, key); };
        const bool decided = each.decision != Decision::undecided;
        ReportCell decision = textCell(decisionText(each.decision));
        decision.tone = each.decision == Decision::ship ? ReportCell::Tone::good : each.decision == Decision::doNotShip ? ReportCell::Tone::bad : ReportCell::Tone::muted;
        ReportCell difference = cell(each.effect.difference, isFinite(each.band) ? each.band : each.effect.interval);
        difference.text = signedFigures(each.effect.difference);
        table.rows.push_back({textCell(facts.findings.arms[each.arm], static_cast<int>(each.arm)), decision, decided ? textCell(std::to_string(each.round + 1)) : muted("–"), traced(difference, at("effect.difference")),
                              each.effect.hasLift ? traced(textCell(signedPercent(each.effect.lift)), at("effect.lift")) : muted("–"), textCell(each.changes)});
        if (facts.log)
            table.rows.back().erase(table.rows.back().begin() + 2); // there is one look
    }
    if (facts.log)
        table.columns.erase(table.columns.begin() + 2);
    table.note = fmt::format("{} Ship when the primary metric left the rule's band for the better and no light of health is red; do not ship when it left it for the worse; else undecided.{}",
                             severalTreatments(facts) && facts.design.correction != PValueCorrection::none
                                 ? fmt::format("The level is shared by {} comparisons, so each band holds with {}.", facts.findings.verdicts.size(), level(facts.findings.decisionConfidence))
                                 : "",
                             facts.log ? " On a log: nothing is decided where the evidence of the arm or of the control is red." : "");
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection health(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Health: can it be believed?";
    ReportTable table;
    table.caption = "Checks";
    table.columns = {{"Check", false, ""}, {"Light", false, ""}, {"What was found", false, ""}};
    for (std::size_t h = 0; h < facts.findings.health.size(); ++h) {
        const HealthCheck& check = facts.findings.health[h];
        ReportCell light = traced(textCell(check.light == HealthLight::unknown ? "no light" : name(check.light)), fmt::format("health[{}].light", h));
        light.tone = check.light == HealthLight::green ? ReportCell::Tone::good : check.light == HealthLight::red ? ReportCell::Tone::bad : ReportCell::Tone::muted;
        table.rows.push_back({textCell(check.title), light, traced(textCell(check.text), fmt::format("health[{}].value", h))});
    }
    out.tables.push_back(std::move(table));
    return out;
}

ReportSection limits(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Limits";
    out.paragraphs = facts.limits;
    if (facts.log) {
        for (std::string& limit : abLimitsOfLog(facts))
            out.paragraphs.push_back(std::move(limit));
        return out;
    }
    out.paragraphs.push_back("Users are simulated. The test tells what these users do; what real users do is told only as far as the simulated ones are like them.");
    out.paragraphs.push_back("Intervals tell the chance of who came into which arm and of what they drew. They do not tell how wrong the simulated users' numbers may be: another fit may move every figure by more than its interval.");
    out.paragraphs.push_back("Users do not speak with one another, the stock does not run out, and nothing changes but the carousel.");
    return out;
}

ReportSection definitions(const AbTestFacts& facts) {
    ReportSection out;
    out.title = "Definitions";
    if (facts.log) {
        out.definitions = abDefinitionsOfLog(facts);
        return out;
    }
    out.definitions = {
        {"Visit, round", "In each round every user who is there and has not left visits once and sees one carousel.", ""},
        {"Clicks, purchases and value per visit", "Sums over users divided by the sum of their visits; the error follows users, since visits of one user are alike (delta method).", "Deng, Knoblich and Lu, KDD 2018"},
        {"Missed behind the fold", "Share of visits that ended without a click while the carousel's most attractive item lay on a page that never came into view.", "ours"},
        {"Highest values limited", fmt::format("Values above the {:.4g} % quantile of all users become it (winsorising), so that a few buyers do not decide.", 100 * facts.design.metrics.winsorShare), ""},
        {"Users who stay away", "Share of users who left after a visit and do not come back.", ""},
        {"Interval", fmt::format("{} confidence interval: made this way, intervals hold the truth in {} of experiments. Means by Welch's t, shares with pooled variance in the test, quantiles by redrawn order statistics.", level(facts.design.confidence), level(facts.design.confidence)), "Welch 1947; Schultzberg and Ankargren 2022"},
        {"p, corrected", std::string("Over all metrics and arms; ") + title(facts.design.correction) + ".", "Holm 1979; Benjamini and Hochberg 1995"},
        {"Rule's band", "An interval that may be looked at while the experiment runs: over all looks together it misses the truth no more often than its level says.", "Lan and DeMets 1983; Johari et al. 2017; Howard et al. 2021; Waudby-Smith et al. 2024"},
        {"CUPED, regression", "The part of a user's behaviour that was known before the experiment is taken out, with one slope for both arms (CUPED) or one for each (regression); the effect stays, noise goes.", "Deng et al., WSDM 2013; Lin 2013"},
        {"Post-stratified", "Differences inside groups of users, weighted by the groups' share of all users.", "Miratrix, Sekhon and Yu 2013"},
        {"Power", "Chance to find an effect that is there.", ""},
        {"Cochran's Q", "Sum of squared distances of the segments' effects from their weighted mean, each by its variance; chi-squared when the effect is one for all.", "Cochran 1954"},
        {"Users per arm as planned", "Chi-squared test of the users found in each arm (sample ratio mismatch); below 0.001 the experiment is not believed.", "Fabijan et al., KDD 2019"}};
    return out;
}

// Every column that says what computes it, once for all tables before.
ReportTable columnSources(const std::vector<ReportSection>& sections) {
    ReportTable out;
    out.caption = "Where the columns come from";
    out.columns = {{"Table", false, ""}, {"Column", false, ""}, {"Computed by, after", false, ""}};
    for (const ReportSection& section : sections)
        for (const ReportTable& table : section.tables)
            for (const ReportColumn& column : table.columns)
                if (!column.source.empty())
                    out.rows.push_back({textCell(table.caption), textCell(column.title), textCell(column.source)});
    out.note = "Every number stands to its last digit in the figures of this document (JSON).";
    return out;
}

// A part that has something to say.
void add(std::vector<ReportSection>& sections, ReportSection section) {
    bool content = !section.paragraphs.empty() || !section.plots.empty() || !section.definitions.empty();
    for (const ReportTable& table : section.tables)
        content = content || !table.rows.empty();
    if (content)
        sections.push_back(std::move(section));
}
} // namespace

AnalysisDocument abTestReport(const AbTestFacts& facts) {
    const ExperimentFindings& f = facts.findings;
    AnalysisDocument document;
    document.kind = "ab-test";
    ReportModel& report = document.report;
    report.title = facts.log ? "A/B comparison on a log" : "A/B simulation";
    double users = 0, visits = 0;
    for (std::size_t a = 0; a < f.users.size(); ++a)
        users += f.users[a], visits += f.visits[a];
    report.subtitle = fmt::format("{}: {} in {}, {} visits, {} of {} rounds", facts.dataset, countOf(static_cast<std::size_t>(users), "simulated user", "simulated users"), countOf(f.arms.size(), "arm", "arms"), usersText(visits), f.rounds, facts.design.rounds);
    if (facts.usersOfSessions > 0)
        report.subtitle = fmt::format("{}: {} visits of {} in {}, each assigned by itself, {} of {} rounds", facts.dataset, usersText(visits), countOf(facts.usersOfSessions, "simulated user", "simulated users"), countOf(f.arms.size(), "arm", "arms"), f.rounds, facts.design.rounds);
    if (facts.log)
        report.subtitle = fmt::format("{}: {} {}s of {} users, {}", facts.dataset, usersText(facts.log->rounds), facts.log->unit, usersText(facts.log->users), countOf(f.arms.size(), "arm", "arms"));
    // The verdict first: the best arm's, then the others'.
    for (const ArmVerdict& each : f.verdicts)
        if (each.arm == f.best)
            report.lead.insert(report.lead.begin(), each.sentence), report.lead.insert(report.lead.begin() + 1, "What would change this: " + each.changes);
        else // one arm can be shipped
            report.lead.push_back(each.decision == Decision::ship ? fmt::format("Better than the control too, {}", each.sentence.substr(std::string("Ship ").size())) : each.sentence);
    for (const HealthCheck& check : f.health)
        if (check.light == HealthLight::red && !facts.log) // of a log the sentences above say it
            report.lead.push_back(fmt::format("Health is red: {}. {}", check.title, check.text));
    if (facts.fidelity && !facts.fidelity->mustNotBeTrustedFor.empty())
        report.lead.push_back(fmt::format("The simulated users must not be trusted for {}.", joined(facts.fidelity->mustNotBeTrustedFor)));
    report.light = lightOf(f.healthLight);
    report.facts = {{"Users", usersText(facts.usersOfSessions > 0 ? static_cast<double>(facts.usersOfSessions) : users)}, {"Visits", usersText(visits)}, {"Rounds", fmt::format("{} of {}", f.rounds, facts.design.rounds)}, {"Verdict", decisionText(f.decision)}};
    if (facts.log)
        report.facts = {{"Users", usersText(facts.log->users)}, {facts.log->unit == "slate" ? "Slates" : "Impressions", usersText(facts.log->rounds)}, {"Arms", std::to_string(f.arms.size())}, {"Verdict", decisionText(f.decision)}};
    for (const HealthCheck& check : f.health)
        report.findings.push_back({lightOf(check.light), check.title, check.text});
    if (facts.fidelity)
        report.findings.push_back({facts.fidelity->mustNotBeTrustedFor.empty() ? Light::green : Light::amber, "Users like the log's",
                                   facts.fidelity->mustNotBeTrustedFor.empty() ? "On held-out slates the simulated users click as the logged ones do, as far as was looked."
                                                                               : fmt::format("Not to be trusted for {}.", joined(facts.fidelity->mustNotBeTrustedFor))});
    report.warnings = facts.warnings;
    if (facts.partial)
        report.warnings.insert(report.warnings.begin(), fmt::format("Stopped after round {} of {}: figures are those so far.", f.rounds, facts.design.rounds));

    if (facts.log) {
        report.sections = {abTestedOnLog(facts), verdict(facts), abEffects(facts), health(facts)};
        add(report.sections, abPower(facts));
        add(report.sections, abSegments(facts));
        if (facts.log->positions)
            add(report.sections, *facts.log->positions);
        add(report.sections, abBayesian(facts));
    } else {
        report.sections = {tested(facts), verdict(facts), abEffects(facts), abOverTime(facts), health(facts), abPower(facts)};
        if (!f.segments.empty())
            report.sections.push_back(abSegments(facts));
        report.sections.push_back(abFeedback(facts));
        report.sections.push_back(abPositions(facts));
        if (!facts.interleavings.empty())
            report.sections.push_back(abInterleaving(facts));
        report.sections.push_back(abBayesian(facts));
        report.sections.push_back(abFidelity(facts));
    }
    if (!facts.costs.empty())
        report.sections.push_back(abCost(facts));
    report.sections.push_back(limits(facts));
    ReportSection words = definitions(facts);
    if (ReportTable sources = columnSources(report.sections); !sources.rows.empty())
        words.tables.push_back(std::move(sources));
    report.sections.push_back(std::move(words));
    document.figuresJson = abFigures(facts).dump();
    return document;
}

} // namespace carousel::analyses
