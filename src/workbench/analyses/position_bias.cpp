// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a position-bias analysis: seven estimators on one axis, what each rests on, which of them this log supports, and what its
// assumptions look like when they are put to the test.
#include "evaluation/position_bias/position_bias.h"
#include "base/text.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/documents.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
struct BiasResult {
    SelectedLog log;
    PositionBias bias;
    std::vector<AssumptionTest> tests;
    std::vector<PropensityReading> propensities;
    PositionBiasOptions options;
};

const PositionBiasEstimate* recommended(const PositionBias& bias) {
    for (const auto& e : bias.estimates)
        if (e.id == bias.recommended)
            return &e;
    return nullptr;
}

std::string size(const BiasResult& r) {
    return fmt::format("n = {}, {} bootstrap intervals, users redrawn whole", countOf(r.log.log.sessions(), "session", "sessions"), level(r.options.confidence));
}

ReportSection estimatorSection(const BiasResult& r) {
    ReportSection section{.title = "Seven estimates of the same thing"};
    section.paragraphs = {"Each estimate says how often a position is looked at, relative to position 1. They differ in what they need of the log; where their needs are met they should agree. "
                          "The plain click rates mix in which items stand where, and are shown to be compared with."};
    PlotSpec plot{.id = "position_bias", .title = "No estimate is supported by this log", .subtitle = size(r), .xTitle = "Position", .yTitle = "Looked at, relative to position 1"};
    plot.yMinimum = 0;
    addFold(plot, r.options.window, static_cast<std::size_t>(r.bias.slots));
    ReportTable table;
    table.caption = "What this log supports";
    table.columns = {{"Estimate"}, {"Supported"}};
    std::vector<std::size_t> shown;
    for (const auto k : {std::size_t(1), static_cast<std::size_t>(r.options.window) - 1, static_cast<std::size_t>(r.options.window), static_cast<std::size_t>(r.bias.slots) - 1})
        if (k > 0 && k < static_cast<std::size_t>(r.bias.slots) && std::find(shown.begin(), shown.end(), k) == shown.end())
            shown.push_back(k);
    for (const auto k : shown)
        table.columns.push_back({fmt::format("Position {}", k + 1), true, "relative to position 1"});
    ReportTable reasons;
    reasons.caption = "Why";
    reasons.columns = {{"Estimate"}, {"What it needs"}, {"What this log has"}};
    std::size_t supported = 0;
    for (std::size_t i = 0; i < r.bias.estimates.size(); ++i) {
        const auto& e = r.bias.estimates[i];
        const bool naive = e.id == "naive", any = std::any_of(e.relative.begin(), e.relative.end(), [](double v) { return std::isfinite(v); });
        supported += e.supported && !naive;
        if (any && (e.supported || naive)) {
            plot.series.push_back(overPositions(e.name, naive ? -1 : static_cast<int>(i) - 1, e.relative, e.interval));
            plot.series.back().dashed = naive;
        }
        auto head = textCell(e.name, naive ? -1 : static_cast<int>(i) - 1);
        if (e.id == r.bias.recommended)
            head.note = "use this one";
        std::vector<ReportCell> row{head, textCell(naive ? "always, but confounded" : e.supported ? "yes" : "no")};
        for (const auto k : shown)
            row.push_back(k < e.relative.size() ? cell(e.relative[k], k < e.interval.size() ? e.interval[k] : noInterval()) : muted("–"));
        table.rows.push_back(std::move(row));
        reasons.rows.push_back({textCell(e.name, naive ? -1 : static_cast<int>(i) - 1), textCell(e.needs), textCell(e.reason)});
    }
    if (const auto* best = recommended(r.bias)) {
        const auto w = static_cast<std::size_t>(r.options.window);
        if (best->relative.size() > w && std::isfinite(best->relative[w]) && std::isfinite(best->relative[w - 1]))
            plot.title = fmt::format("Position {} is looked at {} times as often as the first, position {} behind the fold {} times", w, threeFigures(best->relative[w - 1]), w + 1, threeFigures(best->relative[w]));
        else
            plot.title = fmt::format("{} of six estimates are supported by this log", supported);
    }
    if (!plot.series.empty())
        section.plots = {std::move(plot)};
    section.tables = {std::move(table), std::move(reasons)};
    return section;
}

ReportSection overlapSection(const BiasResult& r) {
    ReportSection section{.title = "What they rest on"};
    ReportTable table;
    table.caption = "Impressions behind the estimate of each position";
    table.columns = {{"Estimate"}};
    for (int k = 0; k < r.bias.slots; ++k)
        table.columns.push_back({std::to_string(k + 1), true});
    for (std::size_t i = 0; i < r.bias.estimates.size(); ++i) {
        const auto& e = r.bias.estimates[i];
        std::vector<ReportCell> row{textCell(e.name, e.id == "naive" ? -1 : static_cast<int>(i) - 1)};
        for (std::size_t k = 0; k < static_cast<std::size_t>(r.bias.slots); ++k)
            row.push_back(k < e.overlap.size() ? textCell(withThousands(std::llround(e.overlap[k]))) : muted("–"));
        table.rows.push_back(std::move(row));
    }
    table.note = fmt::format("Two positions are compared only when items shown in both have at least {} impressions in each.", withThousands(r.options.minimumOverlap));
    section.tables = {std::move(table)};

    const auto slots = static_cast<std::size_t>(r.bias.slots);
    PlotSpec plot{.id = "shared_items", .subtitle = fmt::format("n = {}; {} items", countOf(r.log.log.rows(), "impression", "impressions"), withThousands(r.log.log.items)), .xTitle = "Position", .yTitle = "Position"};
    std::int64_t least = -1;
    for (std::size_t k = 0; k < slots; ++k) {
        plot.heat.rows.push_back(std::to_string(k + 1));
        plot.heat.columns.push_back(std::to_string(k + 1));
        for (std::size_t l = 0; l < slots; ++l) {
            const auto shared = r.bias.sharedItems[k * slots + l];
            plot.heat.values.push_back(static_cast<double>(shared));
            if (k != l && (least < 0 || shared < least))
                least = shared;
        }
    }
    plot.heat.valueTitle = "Items shown in both";
    plot.title = least < 0 ? "The log has one position" : least == 0 ? "Some positions share no item" : fmt::format("Every two positions share at least {}", countOf(static_cast<std::size_t>(least), "item", "items"));
    if (slots > 1)
        section.plots = {std::move(plot)};
    return section;
}

Light lightOf(const AssumptionTest& test) {
    switch (test.verdict) {
    case Assumption::holds: return Light::green;
    case Assumption::broken: return Light::red;
    default: return Light::none; // neither shown nor contradicted: said in words, no light
    }
}

std::string startedBig(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

ReportSection testSection(const BiasResult& r) {
    ReportSection section{.title = "Tests of the assumptions"};
    ReportTable table;
    table.caption = "What the estimates take for granted, put to the test";
    table.columns = {{"Question"}, {"Verdict"}, {"Statistic", true}, {"p", true}, {"p, corrected", true, "Holm, over the tests of this table"}, {"n", true}};
    for (const auto& test : r.tests) {
        auto head = textCell(test.question);
        head.note = test.words;
        table.rows.push_back({head, textCell(name(test.verdict)), std::isfinite(test.statistic) ? numberCell(test.statistic) : muted("–"), std::isfinite(test.pValue) ? numberCell(test.pValue) : muted("–"),
                              std::isfinite(test.adjustedP) ? numberCell(test.adjustedP) : muted("–"), textCell(withThousands(test.n))});
    }
    table.note = "An assumption is contradicted only when p after the correction is below 0.01; no evidence against it is not evidence for it.";
    section.tables = {std::move(table)};
    if (!r.propensities.empty()) {
        ReportTable read;
        read.caption = "How the logged propensities are read";
        read.columns = {{"Policy"}, {"Reading"}, {"Items shown", true}, {"Why"}};
        for (const auto& p : r.propensities)
            read.rows.push_back({textCell(p.policy.empty() ? "the log" : p.policy), textCell(name(p.meaning)), textCell(withThousands(p.candidates)), textCell(p.words)});
        section.tables.push_back(std::move(read));
    }
    return section;
}

std::string figures(const BiasResult& r) {
    nlohmann::json out{{"sessions", r.log.log.sessions()}, {"slots", r.bias.slots}, {"recommended", r.bias.recommended}, {"verdict", r.bias.verdict}, {"sharedItems", r.bias.sharedItems},
                       {"estimates", nlohmann::json::array()}, {"tests", nlohmann::json::array()}, {"propensities", nlohmann::json::array()}};
    for (const auto& e : r.bias.estimates)
        out["estimates"].push_back({{"id", e.id}, {"name", e.name}, {"supported", e.supported}, {"reason", e.reason}, {"relative", numbers(e.relative)}, {"interval", intervals(e.interval)}, {"overlap", numbers(e.overlap)}});
    for (const auto& t : r.tests)
        out["tests"].push_back({{"id", t.id}, {"verdict", name(t.verdict)}, {"statistic", number(t.statistic)}, {"pValue", number(t.pValue)}, {"adjustedP", number(t.adjustedP)}, {"n", t.n}, {"words", t.words}});
    for (const auto& p : r.propensities)
        out["propensities"].push_back({{"policy", p.policy}, {"meaning", name(p.meaning)}, {"candidates", p.candidates}, {"words", p.words}});
    return out.dump();
}
} // namespace

Result<AnalysisDocument> positionBiasDocument(const Dataset& dataset, const AnalysisSpec& spec, const RunControl& control) {
    BiasResult r;
    CAROUSEL_ASSIGN(r.log, selectLog(dataset, {.policies = spec.options.list("policies"), .segment = {}}));
    r.options = {.draws = static_cast<int>(spec.options.integer("draws")), .confidence = spec.options.number("confidence"), .window = static_cast<int>(spec.options.integer("window")),
                 .minimumOverlap = spec.options.integer("minimumOverlap"), .seed = spec.seed};
    if (r.log.log.slots < 2)
        return fail(ErrorKind::input, "CL-8032", fmt::format("The log of '{}' has a single position: there is nothing to compare it with.", dataset.name), "Use a log that says which slot an item was shown in.");
    CAROUSEL_ASSIGN(r.bias, positionBias(r.log.log, r.options, control.slice(0, 0.6)));
    CAROUSEL_ASSIGN(r.tests, testAssumptions(r.log.log, r.options, control.slice(0.6, 1)));
    if (!r.log.log.propensity.empty())
        if (auto read = readPropensities(r.log, "auto"))
            r.propensities = std::move(*read);

    AnalysisDocument document{.kind = name(spec.kind), .report = {}, .figuresJson = figures(r), .specToml = {}};
    auto& report = document.report;
    const std::string data = dataset.title.empty() ? dataset.name : dataset.title;
    const auto& log = r.log.log;
    std::size_t clicks = 0;
    for (const auto c : log.click)
        clicks += c;
    report.title = "Position bias: " + data;
    report.subtitle = fmt::format("{} · {} · {} · {} visible · seed {}", data, countOf(log.sessions(), "session", "sessions"), countOf(clicks, "click", "clicks"), r.options.window, spec.seed);
    report.lead = {r.bias.verdict};
    std::size_t supported = 0;
    for (const auto& e : r.bias.estimates)
        supported += e.supported && e.id != "naive";
    report.facts = {{"Sessions", withThousands(static_cast<std::int64_t>(log.sessions()))},
                    {"Clicks", withThousands(static_cast<std::int64_t>(clicks))},
                    {"Positions", std::to_string(log.slots)},
                    {"Policies", std::to_string(std::max<std::size_t>(1, log.policies.size()))},
                    {"Estimates supported", fmt::format("{} of 6", supported)}};
    const auto* best = recommended(r.bias);
    const Light basis = !best ? Light::red : best->id == "regression_em" ? Light::amber : Light::green;
    report.findings.push_back({basis, "Can this log tell position from taste?", best ? fmt::format("{}: {}", best->name, best->reason) : std::string("None of the six estimates finds what it needs.")});
    Light broken = Light::none;
    for (const auto& test : r.tests) {
        const Light light = lightOf(test);
        if (light == Light::red && test.id != "propensities") // no estimate of this table weighs by them
            broken = Light::amber;
        report.findings.push_back({light, test.question, (light == Light::none ? startedBig(name(test.verdict)) + ". " : "") + test.words});
    }
    report.light = worst(basis, broken);
    report.warnings = r.log.notes;
    report.sections = {estimatorSection(r), overlapSection(r), testSection(r)};
    ReportSection terms{.title = "Where the estimates come from"};
    terms.definitions = {{"Naive click rates", "clicks per impression at a position over those at position 1", ""},
                         {"Randomised order", "the same on sessions whose order was shuffled: items are alike at every position", "Joachims, Swaminathan, Schnabel, WSDM 2017, section 5.1"},
                         {"Exchanged pairs", "click rates of the same items at two positions that a coin exchanges", "Joachims et al., WSDM 2017; FairPairs, Radlinski and Joachims, AAAI 2006"},
                         {"Harvest", "click rates of the same item at two positions where two policies, or chance, put it there: against position 1, along a chain of neighbours, over all pairs",
                          "Agarwal et al., WSDM 2019"},
                         {"Regression-EM", "examination of a position-based model by expectation maximisation, with a click propensity per item", "Wang et al., WSDM 2018"}};
    report.sections.push_back(std::move(terms));
    return document;
}

} // namespace carousel::analyses
