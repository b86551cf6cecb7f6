// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/compare_tables.h"
#include "base/text.h"
#include "experiment/analysis_specification.h"
#include "workbench/analyses/ab_test_sections.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <map>
#include <sstream>
#include <toml++/toml.h>

namespace carousel::analyses {

namespace {
using nlohmann::json;

std::string textAt(const json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}
const json& listAt(const json& from, const char* key) {
    static const json empty = json::array();
    const auto found = from.find(key);
    return found != from.end() && found->is_array() ? *found : empty;
}

// Every value of a specification by its path, in a form that a person reads.
using Points = std::map<std::string, std::string>;
void flatten(const toml::node& node, const std::string& path, Points& out) {
    if (const auto* table = node.as_table()) {
        for (const auto& [key, value] : *table)
            flatten(value, path.empty() ? std::string(key.str()) : path + "." + std::string(key.str()), out);
    } else if (const auto* array = node.as_array(); array && array->is_array_of_tables()) {
        for (std::size_t i = 0; i < array->size(); ++i)
            flatten(*array->get(i), fmt::format("{} {}", path, i + 1), out);
    } else {
        std::ostringstream text;
        node.visit([&](const auto& value) { text << value; });
        out[path] = text.str();
    }
}
Points pointsOf(const ComparedAnalysis& analysis) {
    Points out;
    try {
        const toml::table specification = toml::parse(analysis.document.specToml);
        flatten(specification, "", out);
    } catch (const toml::parse_error&) {
        out["specification"] = "cannot be read";
    }
    const auto provenance = json::parse(analysis.document.report.provenanceJson, nullptr, false);
    if (provenance.is_object()) {
        if (const json::json_pointer digest("/data/digest"); provenance.contains(digest) && provenance.at(digest).is_string())
            out["data digest"] = provenance.at(digest).get<std::string>().substr(0, 12);
        if (const json::json_pointer commit("/program/commit"); provenance.contains(commit) && provenance.at(commit).is_string())
            out["program"] = provenance.at(commit).get<std::string>();
    }
    return out;
}
// "ab_test.users": what the form calls it.
std::string labelOf(const std::string& kind, const std::string& path) {
    const auto dot = path.find('.');
    if (const auto known = analysisKind(kind); known && dot != std::string::npos && !path.starts_with("strategy"))
        for (const ParameterSpec& option : analysisParameters(*known))
            if (option.id == path.substr(dot + 1))
                return option.label;
    return path;
}

Interval intervalAt(const json& from, const char* low, const char* high) { return {numberAt(from, low), numberAt(from, high)}; }
} // namespace

double numberAt(const json& from, const std::string& pointer) {
    const json::json_pointer where(pointer);
    return from.contains(where) && from.at(where).is_number() ? from.at(where).get<double>() : std::numeric_limits<double>::quiet_NaN();
}

void addColumns(ReportTable& table, std::span<const ComparedAnalysis> analyses, bool numeric, const char* help) {
    for (const ComparedAnalysis& each : analyses)
        table.columns.push_back({analysisName(each), numeric, help});
}

std::string analysisName(const ComparedAnalysis& analysis) { return fmt::format("Analysis {}", analysis.id); }

ReportTable designTable(std::span<const ComparedAnalysis> analyses, std::size_t& differing) {
    ReportTable out;
    out.caption = "What is not the same in all";
    out.columns = {{"Point", false, ""}};
    addColumns(out, analyses, false, "");
    std::vector<Points> all;
    std::map<std::string, bool> paths;
    for (const ComparedAnalysis& each : analyses) {
        all.push_back(pointsOf(each));
        for (const auto& [path, value] : all.back())
            paths[path] = true;
    }
    for (const auto& [path, used] : paths) {
        std::vector<std::string> values;
        for (const Points& points : all) {
            const auto found = points.find(path);
            values.push_back(found == points.end() ? std::string() : found->second);
        }
        if (std::all_of(values.begin(), values.end(), [&](const std::string& value) { return value == values.front(); }))
            continue;
        ReportCell point = textCell(labelOf(analyses.front().document.kind, path));
        if (point.text != path)
            point.note = path;
        std::vector<ReportCell> row{point};
        for (const std::string& value : values)
            row.push_back(value.empty() ? muted("–") : textCell(value));
        out.rows.push_back(std::move(row));
    }
    differing = out.rows.size();
    out.note = "Whole specifications are in the figures of this document (JSON).";
    return out;
}

ReportTable verdictTable(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    ReportTable out;
    out.caption = "What each came to";
    const bool experiments = analyses.front().document.kind == "ab-test";
    out.columns = {{"Analysis", false, ""}, {"Data", false, ""}, {"Made", false, "UTC"}, {"Evidence", false, ""}};
    if (experiments)
        out.columns.insert(out.columns.end(), {{"Decision", false, ""}, {"About", false, ""}});
    out.columns.push_back({"In words", false, ""});
    for (std::size_t i = 0; i < analyses.size(); ++i) {
        const ComparedAnalysis& each = analyses[i];
        const Light light = each.document.report.light;
        ReportCell evidence = textCell(light == Light::none ? "no light" : name(light));
        evidence.tone = light == Light::green ? ReportCell::Tone::good : light == Light::red ? ReportCell::Tone::bad : ReportCell::Tone::muted;
        std::vector<ReportCell> row{textCell(analysisName(each), static_cast<int>(i)), textCell(each.dataset), textCell(each.createdAt.substr(0, 16)), evidence};
        if (experiments) {
            std::string decision = textAt(figures[i], "decision");
            ReportCell cell = traced(textCell(decision), fmt::format("analyses[{}].figures.decision", i));
            cell.tone = decision == "ship" ? ReportCell::Tone::good : decision == "do-not-ship" ? ReportCell::Tone::bad : ReportCell::Tone::muted;
            std::replace(cell.text.begin(), cell.text.end(), '-', ' ');
            row.push_back(std::move(cell));
            row.push_back(traced(textCell(textAt(figures[i], "best")), fmt::format("analyses[{}].figures.best", i)));
        }
        row.push_back(textCell(each.document.report.lead.empty() ? "" : each.document.report.lead.front()));
        out.rows.push_back(std::move(row));
    }
    return out;
}

ReportTable healthTable(std::span<const ComparedAnalysis> analyses) {
    ReportTable out;
    out.caption = "Lights of each";
    out.columns = {{"Check", false, ""}};
    addColumns(out, analyses, false, "");
    std::vector<std::string> titles;
    for (const ComparedAnalysis& each : analyses)
        for (const ReportFinding& finding : each.document.report.findings)
            if (std::find(titles.begin(), titles.end(), finding.title) == titles.end())
                titles.push_back(finding.title);
    for (const std::string& title : titles) {
        std::vector<ReportCell> row{textCell(title)};
        for (const ComparedAnalysis& each : analyses) {
            const auto& findings = each.document.report.findings;
            const auto found = std::find_if(findings.begin(), findings.end(), [&](const ReportFinding& finding) { return finding.title == title; });
            ReportCell cell = found == findings.end() ? muted("not checked") : textCell(found->light == Light::none ? "no light" : name(found->light));
            if (found != findings.end())
                cell.tone = found->light == Light::green ? ReportCell::Tone::good : found->light == Light::red ? ReportCell::Tone::bad : ReportCell::Tone::muted;
            row.push_back(std::move(cell));
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

ReportTable experimentEffects(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    ReportTable out;
    out.caption = "Differences to the control, by metric and arm";
    out.columns = {{"Metric", false, ""}, {"Arm", false, ""}};
    addColumns(out, analyses, true, "Difference with its interval; below: relative, and the corrected p value");
    std::vector<std::pair<std::string, std::string>> keys; // metric and arm, in the order they come
    for (const json& each : figures)
        for (const json& effect : listAt(each, "effects"))
            if (const std::pair key(textAt(effect, "metric"), textAt(effect, "arm")); std::find(keys.begin(), keys.end(), key) == keys.end())
                keys.push_back(key);
    for (const auto& [metric, arm] : keys) {
        const auto known = userMetric(metric);
        std::vector<ReportCell> row{textCell(known ? title(*known) : metric), textCell(arm)};
        for (std::size_t i = 0; i < figures.size(); ++i) {
            const json& effects = listAt(figures[i], "effects");
            ReportCell cell = muted("–");
            for (std::size_t e = 0; e < effects.size(); ++e)
                if (textAt(effects[e], "metric") == metric && textAt(effects[e], "arm") == arm) {
                    const double difference = numberAt(effects[e], "/effect/difference"), lift = numberAt(effects[e], "/effect/lift"), p = numberAt(effects[e], "/adjustedP");
                    cell = traced(analyses::cell(difference, intervalAt(effects[e], "/effect/interval/0", "/effect/interval/1")), fmt::format("analyses[{}].figures.effects[{}].effect.difference", i, e));
                    cell.text = signedFigures(difference);
                    if (std::isfinite(p))
                        cell.note = fmt::format("{}p {}", std::isfinite(lift) ? signedPercent(lift) + ", " : "", pValueText(p));
                    const json evidence = figures[i].contains("/log/evidence"_json_pointer) ? figures[i].at("/log/evidence"_json_pointer) : json::array();
                    for (const json& gate : evidence)
                        if (textAt(gate, "arm") == arm && !gate.value("supported", true)) {
                            cell.tone = ReportCell::Tone::muted;
                            cell.note = "not supported";
                        }
                }
            row.push_back(std::move(cell));
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

PlotSpec experimentPlot(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    PlotSpec plot;
    plot.id = "compared";
    plot.yTitle = "Relative effect of the primary metric, %";
    plot.xTitle = "Arm";
    for (std::size_t i = 0; i < figures.size(); ++i) {
        PlotSeries series{.name = analysisName(analyses[i]), .colour = static_cast<int>(i), .kind = PlotSeries::Kind::points};
        const std::string primary = textAt(figures[i], "primary");
        for (const json& effect : listAt(figures[i], "effects")) {
            const double lift = numberAt(effect, "/effect/lift");
            if (textAt(effect, "metric") != primary || !std::isfinite(lift))
                continue;
            const std::string arm = textAt(effect, "arm");
            auto place = std::find(plot.categories.begin(), plot.categories.end(), arm);
            if (place == plot.categories.end())
                place = plot.categories.insert(plot.categories.end(), arm);
            // Beside each other, so that whiskers can be told apart.
            const double shift = (static_cast<double>(i) - (static_cast<double>(figures.size()) - 1) / 2) * 0.12;
            series.x.push_back(static_cast<double>(place - plot.categories.begin()) + shift), series.y.push_back(100 * lift);
            series.low.push_back(100 * numberAt(effect, "/effect/liftInterval/0")), series.high.push_back(100 * numberAt(effect, "/effect/liftInterval/1"));
        }
        if (!series.x.empty())
            plot.series.push_back(std::move(series));
    }
    if (plot.series.empty())
        return plot;
    plot.title = "Relative effects of the primary metric, side by side";
    plot.subtitle = "intervals as each experiment has them, each for itself";
    plot.series.push_back({.name = "no effect", .colour = -1, .x = {-0.4, static_cast<double>(plot.categories.size()) - 0.6}, .y = {0, 0}, .low = {}, .high = {}, .dashed = true});
    return plot;
}

ReportTable ruleTable(std::span<const ComparedAnalysis> analyses, const Figures& figures) {
    ReportTable out;
    out.caption = "False alarms of each rule, %";
    out.columns = {{"Rule", false, ""}};
    addColumns(out, analyses, true, "Share of experiments without an effect in which the rule found one");
    std::vector<std::string> rules;
    for (const json& each : figures)
        for (const json& rule : listAt(each, "withoutEffect"))
            if (std::find(rules.begin(), rules.end(), textAt(rule, "rule")) == rules.end())
                rules.push_back(textAt(rule, "rule"));
    for (const std::string& rule : rules) {
        std::vector<ReportCell> row{textCell(rule)};
        for (std::size_t i = 0; i < figures.size(); ++i) {
            ReportCell cell = muted("–");
            const json& list = listAt(figures[i], "withoutEffect");
            for (std::size_t r = 0; r < list.size(); ++r)
                if (textAt(list[r], "rule") == rule)
                    cell = traced(analyses::cell(100 * numberAt(list[r], "/found"), {100 * numberAt(list[r], "/interval/0"), 100 * numberAt(list[r], "/interval/1")}), fmt::format("analyses[{}].figures.withoutEffect[{}].found", i, r));
            row.push_back(std::move(cell));
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

} // namespace carousel::analyses
