// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/compare_analyses.h"
#include "base/text.h"
#include "workbench/analyses/compare_placements.h"
#include "workbench/analyses/compare_tables.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <set>

namespace carousel::analyses {

namespace {
using nlohmann::json;
constexpr std::size_t most = 6;

auto refused(const std::string& what, const std::string& hint) { return fail(ErrorKind::input, "CL-7021", what, hint); }

// What A/B tests decided, in one sentence.
std::string decisions(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    std::set<std::string> all;
    std::vector<std::string> each;
    for (std::size_t i = 0; i < analyses.size(); ++i) {
        std::string decision = figures[i].value("decision", std::string("undecided"));
        std::replace(decision.begin(), decision.end(), '-', ' ');
        const std::string about = fmt::format("{} ('{}')", decision, figures[i].value("best", std::string()));
        all.insert(about);
        each.push_back(fmt::format("{}: {}", analysisName(analyses[i]), about));
    }
    return all.size() == 1 ? fmt::format("All {} come to the same verdict: {}.", analyses.size(), *all.begin()) : fmt::format("They do not come to one verdict. {}.", fmt::join(each, "; "));
}

std::string controlOf(const json& figures) {
    const auto arms = figures.find("arms");
    return arms != figures.end() && arms->is_array() && !arms->empty() ? arms->front().value("name", std::string()) : std::string();
}
} // namespace

bool canCompare(const std::string& kind) { return kind == "ab-test" || kind == "placement" || kind == "ab-check"; }

Result<AnalysisDocument> comparisonDocument(std::span<const ComparedAnalysis> analyses) {
    if (analyses.size() < 2 || analyses.size() > most)
        return refused(fmt::format("{} cannot be compared: two to {} can.", countOf(analyses.size(), "analysis", "analyses"), most), "Name their numbers: evaluate list.");
    const std::string& kind = analyses.front().document.kind;
    Figures figures;
    std::set<std::int64_t> ids;
    for (const ComparedAnalysis& each : analyses) {
        if (each.document.kind != kind)
            return refused(fmt::format("Analysis {} is of kind '{}' and analysis {} of kind '{}': their figures are not of the same things.", analyses.front().id, kind, each.id, each.document.kind), "Compare analyses of one kind.");
        if (!canCompare(kind))
            return refused(fmt::format("Analyses of kind '{}' have no arms or rules that could be set side by side.", kind), "Compare experiments: ab-test, placement or ab-check. Exported as JSON, any figures can be compared elsewhere.");
        if (!ids.insert(each.id).second)
            return refused(fmt::format("Analysis {} is named twice.", each.id), "Name different ones.");
        auto parsed = json::parse(each.document.figuresJson, nullptr, false);
        if (!parsed.is_object())
            return refused(fmt::format("The figures of analysis {} cannot be read.", each.id), "Run it again.");
        figures.push_back(std::move(parsed));
    }

    AnalysisDocument out;
    out.kind = "comparison";
    ReportModel& report = out.report;
    report.title = "Experiments side by side";
    std::vector<std::string> names;
    for (const ComparedAnalysis& each : analyses)
        names.push_back(fmt::format("{} ({}, {})", analysisName(each), each.dataset, each.createdAt.substr(0, 10)));
    report.subtitle = fmt::format("{}", fmt::join(names, "; "));
    std::size_t differing = 0;
    ReportTable design = designTable(analyses, differing);
    if (kind == "ab-test")
        report.lead.push_back(decisions(analyses, figures));
    else
        for (const ComparedAnalysis& each : analyses)
            report.lead.push_back(fmt::format("{}: {}", analysisName(each), each.document.report.lead.empty() ? "no verdict" : each.document.report.lead.front()));
    report.lead.push_back(differing == 0 ? "Their designs are the same; what differs comes from the program or the data." : fmt::format("Their designs differ in {}.", countOf(differing, "point", "points")));
    for (const ComparedAnalysis& each : analyses)
        report.light = worst(report.light, each.document.report.light);
    report.facts = {{"Analyses", std::to_string(analyses.size())}, {"Kind", kind}, {"Points of design that differ", std::to_string(differing)}};

    if (kind == "ab-test") {
        for (std::size_t i = 1; i < figures.size(); ++i)
            if (controlOf(figures[i]) != controlOf(figures[0]))
                report.warnings.push_back(fmt::format("The control of {} is '{}', that of {} '{}': effects are against different things.", analysisName(analyses[0]), controlOf(figures[0]), analysisName(analyses[i]), controlOf(figures[i])));
        for (std::size_t i = 0; i < figures.size(); ++i)
            if (figures[i].value("partial", false))
                report.warnings.push_back(fmt::format("{} was stopped before its last round.", analysisName(analyses[i])));
    }
    for (std::size_t i = 1; i < analyses.size(); ++i)
        if (analyses[i].dataset != analyses[0].dataset)
            report.warnings.push_back(fmt::format("{} is of data set '{}', {} of '{}'.", analysisName(analyses[0]), analyses[0].dataset, analysisName(analyses[i]), analyses[i].dataset));

    ReportSection verdicts;
    verdicts.title = "Verdicts";
    verdicts.tables.push_back(verdictTable(analyses, figures));
    report.sections.push_back(std::move(verdicts));
    if (differing > 0) {
        ReportSection designs;
        designs.title = "Designs";
        designs.tables.push_back(std::move(design));
        report.sections.push_back(std::move(designs));
    }
    ReportSection effects;
    effects.title = kind == "ab-check" ? "Rules" : kind == "placement" ? "Places" : "Effects";
    if (kind == "ab-test") {
        if (PlotSpec plot = experimentPlot(analyses, figures); !plot.series.empty())
            effects.plots.push_back(std::move(plot));
        effects.tables.push_back(experimentEffects(analyses, figures));
        effects.paragraphs.push_back("Intervals belong to each experiment by itself. Experiments on the same data or with the same seed share their luck, so whether two of their effects differ is not told by intervals that overlap or do not.");
    } else if (kind == "ab-check") {
        effects.tables.push_back(ruleTable(analyses, figures));
    } else if (kind == "placement") {
        if (const std::string differ = differentMetrics(analyses, figures); !differ.empty())
            report.warnings.push_back(differ);
        if (PlotSpec plot = placementsPlot(analyses, figures); !plot.series.empty())
            effects.plots.push_back(std::move(plot));
        effects.tables = {placementGains(analyses, figures), placementCosts(analyses, figures)};
    }
    if (!effects.tables.empty() && !effects.tables.front().rows.empty())
        report.sections.push_back(std::move(effects));
    if (ReportTable checks = healthTable(analyses); !checks.rows.empty()) {
        ReportSection health;
        health.title = "Health";
        health.tables.push_back(std::move(checks));
        report.sections.push_back(std::move(health));
    }

    json all = json::array();
    for (std::size_t i = 0; i < analyses.size(); ++i)
        all.push_back({{"id", analyses[i].id}, {"kind", kind}, {"dataset", analyses[i].dataset}, {"createdAt", analyses[i].createdAt}, {"light", name(analyses[i].document.report.light)}, {"specification", analyses[i].document.specToml},
                       {"command", analyses[i].document.report.command}, {"figures", figures[i]}});
    out.figuresJson = json{{"analyses", all}, {"designPointsThatDiffer", differing}}.dump(-1, ' ', false, json::error_handler_t::replace);
    report.command = "carousel-lab-cli --project PROJECT evaluate compare";
    for (const ComparedAnalysis& each : analyses)
        report.command += fmt::format(" {}", each.id);
    return out;
}

} // namespace carousel::analyses
