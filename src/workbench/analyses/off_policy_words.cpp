// SPDX-License-Identifier: GPL-3.0-or-later
// What an off-policy analysis says: first what can be concluded, then what cannot and what would help.
#include "workbench/analyses/off_policy_words.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel::off_policy_analysis {

namespace {

using Json = nlohmann::json;

// A value with its interval; one user, for example, gives no interval.
std::string estimate(double value, const Interval& i) {
    return std::isfinite(i.low) && std::isfinite(i.high)
               ? fmt::format("{} [{}, {}]", threeFigures(value), threeFigures(i.low), threeFigures(i.high))
               : threeFigures(value) + " (no interval)";
}

bool slateRed(const PolicyFigures& policy) {
    const auto* gate = policy.gate("rips");
    return !gate || gate->gate.level == Evidence::red;
}

// The reasons that are not green, the worst first.
std::string reasons(const EvidenceGate& gate) {
    std::string out;
    for (const Evidence level : {Evidence::red, Evidence::amber})
        for (const auto& reason : gate.reasons)
            if (reason.level == level)
                out += (out.empty() ? "" : " ") + reason.text;
    return out.empty() ? fmt::format("{} effective rounds, mean weight {:.3f}, {} rewards behind the estimate.",
                                     withThousands(std::llround(gate.effectiveSampleSize)), gate.meanWeight,
                                     withThousands(std::llround(gate.clicksBehind)))
                       : out;
}

const std::vector<TemperatureRow>* temperaturesOf(const Findings& findings, const std::string& name) {
    for (const auto& [policy, rows] : findings.temperatures)
        if (policy == name)
            return &rows;
    return nullptr;
}

std::string verdictOf(const Findings& findings, const PolicyFigures& policy) {
    if (!policy.refused.empty())
        return fmt::format("{} cannot be evaluated: {}", policy.name, policy.refused);
    const bool slates = findings.facts->slates;
    if (slates && !slateRed(policy)) {
        const auto& gate = policy.gate("rips")->gate;
        if (const auto* rips = policy.slate("rips")) {
            std::string out = fmt::format("{} would have earned {} {} (RIPS; evidence {}: {} effective slates).", policy.name,
                                          estimate(rips->value, rips->bootstrap), findings.reward, words(gate.level),
                                          withThousands(std::llround(gate.effectiveSampleSize)));
            for (const auto& d : findings.differences)
                if (d.first == policy.name && d.second == "the log" && d.on == "whole slates") {
                    const bool clear = d.controlledInterval.low > 0 || d.controlledInterval.high < 0;
                    out += clear ? fmt::format(" That is {} {} than the log earned.", threeFigures(std::abs(d.controlled)),
                                               d.controlled > 0 ? "more" : "less")
                                 : fmt::format(" A difference to the log is not shown ({}).", estimate(d.controlled, d.controlledInterval));
                }
            return out;
        }
    }
    if (policy.firstGate.level != Evidence::red)
        if (const auto* snips = policy.firstSlot("snips")) {
            std::string out = fmt::format("{}: {} would have earned {} (SNIPS; evidence {}: {} effective rounds).", policy.name,
                                          slates ? "its first slot" : "an impression", estimate(snips->value, snips->bootstrap),
                                          words(policy.firstGate.level), withThousands(std::llround(policy.firstGate.effectiveSampleSize)));
            if (slates)
                out += fmt::format(" Nothing can be concluded about its whole slates. {}", wayOut(policy, temperaturesOf(findings, policy.name)));
            return out;
        }
    std::string why = policy.firstGate.reasons.empty() ? "" : reasons(policy.firstGate);
    if (slates) {
        if (const auto* gate = policy.gate("rips"); gate && std::isfinite(gate->gate.effectiveSampleSize))
            why = fmt::format("Of {} slates {} effective ones are left, and {} effective first slots.",
                              withThousands(static_cast<std::int64_t>(policy.rounds)),
                              withThousands(std::llround(gate->gate.effectiveSampleSize)),
                              withThousands(std::llround(policy.firstGate.effectiveSampleSize)));
        why += " " + wayOut(policy, temperaturesOf(findings, policy.name));
    }
    return fmt::format("{}: nothing can be concluded. {}", policy.name, why);
}

Evidence headline(const Findings& findings, const PolicyFigures& policy) {
    if (!policy.refused.empty())
        return Evidence::red;
    return findings.facts->slates ? (slateRed(policy) ? Evidence::red : policy.gate("rips")->gate.level) : policy.firstGate.level;
}

std::vector<ReportFinding> lights(const Findings& findings) {
    std::vector<ReportFinding> out;
    for (const auto& policy : findings.strategies) {
        if (!policy.refused.empty()) {
            out.push_back({Light::red, policy.name, policy.refused});
            continue;
        }
        if (const auto* gate = policy.gate("rips"))
            out.push_back({light(gate->gate.level), policy.name + ": whole slates", reasons(gate->gate)});
        out.push_back({light(policy.firstGate.level), policy.name + (findings.facts->slates ? ": first slot" : ": impressions"),
                       reasons(policy.firstGate)});
    }
    for (const auto& policy : findings.loggers)
        out.push_back(selfCheck(findings.facts->slates, policy));
    return out;
}

void section(const Findings& findings, const PolicyFigures& policy, std::size_t index, const AnalysisSpec& spec, ReportModel& report) {
    ReportSection out;
    out.title = policy.isLogger ? fmt::format("{}, from the others' {}", policy.name, findings.facts->slates ? "slates" : "impressions")
                                : policy.name;
    if (!policy.refused.empty()) {
        out.paragraphs.push_back(policy.refused);
        report.sections.push_back(std::move(out));
        return;
    }
    out.paragraphs = policy.notes;
    out.tables.push_back(gateTable(policy, findings.facts->slates));
    if (!policy.slates.empty())
        out.tables.push_back(estimateTable("Whole slates, by what may depend on what: from the weakest assumption to the strongest",
                                           policy.slates, policy.isLogger ? policy.measured : findings.all.value,
                                           findings.facts->sessionRewardHigh, spec));
    out.tables.push_back(estimateTable(findings.facts->slates ? "First slot: what its item earns" : "One impression", policy.first,
                                       std::numeric_limits<double>::quiet_NaN(), findings.facts->rowRewardHigh, spec));
    if (!policy.anywhere.empty())
        out.tables.push_back(estimateTable("First slot by this policy, the rest as the logging policy fills it: what the slate earns",
                                           policy.anywhere, policy.isLogger ? std::numeric_limits<double>::quiet_NaN() : findings.all.value,
                                           findings.facts->sessionRewardHigh, spec));
    if (!policy.slots.empty()) {
        out.tables.push_back(slotTable(policy, spec));
        if (auto plot = slotPlot(policy, index, spec); !plot.series.empty())
            out.plots.push_back(std::move(plot));
    }
    out.plots.push_back(agreementPlot(policy, index, findings, spec));
    out.plots.push_back(weightPlot(policy, index, findings));
    report.sections.push_back(std::move(out));
}

Json number(double value) {
    return std::isfinite(value) ? Json(value) : Json(nullptr);
}
Json interval(const Interval& i) {
    return Json::array({number(i.low), number(i.high)});
}
Json json(const std::vector<PolicyEstimate>& estimates) {
    Json out = Json::object();
    for (const auto& e : estimates) {
        if (!e.refused.empty()) {
            out[e.id] = {{"refused", e.refused}};
            continue;
        }
        out[e.id] = {{"value", number(e.value)},
                     {"standardError", number(e.standardError)},
                     {"bootstrap", interval(e.bootstrap)},
                     {"bernstein", interval(e.bernstein)},
                     {"anytime", interval(e.anytime)}};
        if (!e.lambda.method.empty())
            out[e.id]["lambda"] = {{"value", number(e.lambda.lambda)}, {"method", e.lambda.method}};
        if (!e.notes.empty())
            out[e.id]["notes"] = e.notes;
    }
    return out;
}
Json json(const EvidenceGate& gate) {
    return {{"level", name(gate.level)},
            {"effectiveSampleSize", number(gate.effectiveSampleSize)},
            {"largestShare", number(gate.largestShare)},
            {"meanWeight", number(gate.meanWeight)},
            {"meanWeightError", number(gate.meanWeightError)},
            {"overlap", number(gate.overlap)},
            {"unsupported", number(gate.unsupported)},
            {"rewardsBehind", number(gate.clicksBehind)},
            {"spread", number(gate.spread)}};
}
Json json(const PolicyFigures& policy) {
    Json out{{"name", policy.name}, {"rounds", policy.rounds}};
    if (!policy.refused.empty()) {
        out["refused"] = policy.refused;
        return out;
    }
    out["gates"]["first"] = json(policy.firstGate);
    for (const auto& gate : policy.slateGates)
        out["gates"][gate.id] = json(gate.gate);
    out["first"] = json(policy.first);
    out["anywhere"] = json(policy.anywhere);
    out["slates"] = json(policy.slates);
    for (const auto& slot : policy.slots) {
        Json one{{"position", slot.slot + 1}, {"logged", number(slot.logged)}, {"loggedInterval", interval(slot.loggedInterval)}};
        if (slot.refused.empty()) {
            one["gate"] = json(slot.gate);
            one["estimates"] = json(slot.estimates);
        } else {
            one["refused"] = slot.refused;
        }
        out["positions"].push_back(std::move(one));
    }
    if (policy.isLogger)
        out["measured"] = {{"value", number(policy.measured)}, {"interval", interval(policy.measuredInterval)}};
    return out;
}
std::string figures(const Findings& findings) {
    Json out{{"reward", findings.reward},
             {"log",
              {{"value", number(findings.all.value)}, {"interval", interval(findings.all.interval)}, {"sessions", findings.all.sessions}}}};
    out["loggers"] = Json::array();
    for (std::size_t p = 0; p < findings.perLogger.size(); ++p)
        out["loggers"].push_back({{"policy", findings.facts->readings[p].policy},
                                  {"sessions", findings.perLogger[p].sessions},
                                  {"value", number(findings.perLogger[p].value)},
                                  {"interval", interval(findings.perLogger[p].interval)},
                                  {"meaning", name(findings.facts->readings[p].meaning)},
                                  {"known", findings.facts->loggers[p].known}});
    out["policies"] = Json::array();
    for (const auto& policy : findings.strategies)
        out["policies"].push_back(json(policy));
    out["crossed"] = Json::array();
    for (const auto& policy : findings.loggers)
        out["crossed"].push_back(json(policy));
    out["differences"] = Json::array();
    for (const auto& d : findings.differences)
        out["differences"].push_back({{"first", d.first},
                                      {"second", d.second},
                                      {"on", d.on},
                                      {"plain", number(d.plain)},
                                      {"plainInterval", interval(d.plainInterval)},
                                      {"controlled", number(d.controlled)},
                                      {"controlledInterval", interval(d.controlledInterval)},
                                      {"beta", number(d.beta)},
                                      {"supported", d.supported}});
    for (const auto& [policy, rows] : findings.temperatures)
        for (const auto& row : rows)
            out["temperatures"][policy].push_back(
                {{"temperature", row.temperature}, {"firstEffective", number(row.firstEss)}, {"slateEffective", number(row.slateEss)}});
    return out.dump(1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string wayOut(const PolicyFigures& policy, const std::vector<TemperatureRow>* rows) {
    std::vector<std::string> ways;
    if (policy.firstGate.level != Evidence::red)
        ways.push_back("its first slot alone can be judged");
    if (rows) {
        const auto slate = std::find_if(rows->begin(), rows->end(), [](const auto& row) { return row.slate != Evidence::red; });
        const auto first = std::find_if(rows->begin(), rows->end(), [](const auto& row) { return row.first != Evidence::red; });
        if (policy.firstGate.level == Evidence::red && first != rows->end())
            ways.push_back(fmt::format("its first slot could be judged from a temperature of about {:g}", first->temperature));
        if (slate != rows->end())
            ways.push_back(fmt::format("its slates could be judged from a temperature of about {:g}", slate->temperature));
    }
    if (ways.empty())
        return "On this log no temperature helps; it takes a log that shows what this policy would show.";
    return fmt::format("What would work: {}.", fmt::join(ways, "; "));
}

ReportFinding selfCheck(bool slates, const PolicyFigures& policy) {
    ReportFinding finding;
    finding.title = fmt::format("The log against itself: {}", policy.name);
    const auto* check = slates && !slateRed(policy) ? policy.slate("rips") : nullptr;
    if (!check && !slates)
        check = policy.firstSlot("snips");
    if (!policy.refused.empty() || !check || (!slates && policy.firstGate.level == Evidence::red)) {
        finding.text = policy.refused.empty()
                           ? fmt::format("Its value cannot be estimated from the other policies' {}. {}", slates ? "slates" : "impressions",
                                         reasons(slates && policy.gate("rips") ? policy.gate("rips")->gate : policy.firstGate))
                           : policy.refused;
        return finding;
    }
    const double error = std::hypot(check->standardError, policy.measuredError);
    if (!(error > 0)) { // one user, or no click: nothing says how far chance reaches
        finding.text =
            fmt::format("Estimated from the other policies' {} ({}): {}; measured on its own: {}. How far apart chance can bring them is "
                        "not known from this log.",
                        slates ? "slates" : "impressions", check->name, estimate(check->value, check->bootstrap),
                        estimate(policy.measured, policy.measuredInterval));
        return finding;
    }
    const double gap = std::abs(check->value - policy.measured) / error;
    finding.light = gap < 2 ? Light::green : gap < 3 ? Light::amber : Light::red;
    finding.text =
        fmt::format("Estimated from the other policies' {} ({}): {}; measured on its own: {}. They are {:.1f} standard errors apart{}",
                    slates ? "slates" : "impressions", check->name, estimate(check->value, check->bootstrap),
                    estimate(policy.measured, policy.measuredInterval), gap,
                    gap < 3 ? ", as they may be by chance." : ": propensities, or the comparison of the policies' visitors, are wrong.");
    return finding;
}

AnalysisDocument documentOf(const Findings& findings, const AnalysisSpec& spec) {
    const LogFacts& facts = *findings.facts;
    AnalysisDocument document;
    document.kind = name(spec.kind);
    auto& report = document.report;
    const double temperature = spec.options.number("temperature");
    report.title = "What would these policies have earned?";
    report.subtitle = fmt::format("{}: {} {}, {}", findings.datasetTitle, withThousands(static_cast<std::int64_t>(findings.all.sessions)),
                                  facts.slates ? "slates" : "impressions",
                                  temperature > 0 ? fmt::format("strategies drawn at temperature {:g}", temperature)
                                                  : std::string("strategies as they order"));
    Evidence worst = Evidence::green;
    for (const auto& policy : findings.strategies) {
        report.lead.push_back(verdictOf(findings, policy));
        worst = std::max(worst, headline(findings, policy));
    }
    if (findings.strategies.empty())
        report.lead.push_back(
            findings.loggers.empty()
                ? "No policy was named, and the log has no two policies whose probabilities are known: there is nothing to evaluate."
                : "No strategy was named: the logging policies are estimated from each other's slates, which checks the log.");
    if (facts.slates)
        report.lead.push_back("A slate's estimate rests on what may depend on what: RIPS, the headline, lets a slot's reward depend on the "
                              "slots before it only, as when people look from left to right. "
                              "The other assumptions stand beside it.");
    report.facts = {{facts.slates ? "Slates" : "Impressions", withThousands(static_cast<std::int64_t>(findings.all.sessions))},
                    {"Clicks", withThousands(std::llround(findings.all.clicks))},
                    {"The log's own " + findings.reward, estimate(findings.all.value, findings.all.interval)},
                    {"Logging policies", std::to_string(facts.readings.size())},
                    {"Temperature", temperature > 0 ? fmt::format("{:g} positions", temperature) : "0: the order itself"}};
    report.findings = lights(findings);
    report.light = light(worst);
    if (findings.strategies.empty()) { // the light of the log's check of itself; none when nothing could be compared
        report.light = Light::none;
        for (const auto& finding : report.findings)
            report.light = std::max(report.light, finding.light);
        if (report.light == Light::none && !findings.loggers.empty())
            report.lead.push_back("None of the logging policies could be estimated from the others: nothing was evaluated.");
    }
    report.warnings = findings.warnings;

    ReportSection overview;
    overview.title = "The policies";
    if (!findings.strategies.empty())
        overview.plots.push_back(overviewPlot(findings, spec));
    if (!findings.differences.empty())
        overview.tables.push_back(differenceTable(findings, spec));
    if (!findings.temperatures.empty())
        overview.tables.push_back(temperatureTable(findings));
    if (!overview.plots.empty() || !overview.tables.empty())
        report.sections.push_back(std::move(overview));
    ReportSection log;
    log.title = "The log";
    log.paragraphs = facts.log.notes;
    log.paragraphs.insert(log.paragraphs.end(), facts.propensities.notes.begin(), facts.propensities.notes.end());
    log.tables.push_back(logTable(findings));
    report.sections.push_back(std::move(log));
    std::size_t index = 0;
    for (const auto* policies : {&findings.strategies, &findings.loggers})
        for (const auto& policy : *policies)
            section(findings, policy, index++, spec, report);
    ReportSection words;
    words.title = "What the words mean";
    words.definitions = definitions();
    report.sections.push_back(std::move(words));
    document.figuresJson = figures(findings);
    document.specToml = toToml(spec);
    return document;
}

} // namespace carousel::off_policy_analysis
