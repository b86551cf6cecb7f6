// SPDX-License-Identifier: GPL-3.0-or-later
// An analysis document as JSON and back, without loss: every number to its last digit, NaN as null, infinities as texts.
#include "report/analysis_document.h"
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
using nlohmann::json;
constexpr const char* format = "carousel-lab/analysis";
constexpr int version = 1;

json number(double value) {
    if (std::isnan(value))
        return nullptr;
    if (std::isinf(value))
        return value > 0 ? "infinity" : "-infinity";
    return value;
}
json numbers(const std::vector<double>& values) {
    json out = json::array();
    for (const double value : values)
        out.push_back(number(value));
    return out;
}
double readNumber(const json& value) {
    if (value.is_null())
        return std::numeric_limits<double>::quiet_NaN();
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (text == "infinity" || text == "-infinity")
            return text.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    return value.get<double>(); // throws when it is no number; caught by the reader
}
std::vector<double> readNumbers(const json& values) {
    std::vector<double> out;
    for (const auto& value : values.get_ref<const json::array_t&>())
        out.push_back(readNumber(value));
    return out;
}
std::vector<std::string> texts(const json& values) { return values.get<std::vector<std::string>>(); }

// A JSON text inside the document: as an object where that gives the same text back, else as the text that it is.
json embedded(const std::string& text) {
    auto parsed = json::parse(text, nullptr, false);
    if ((parsed.is_object() || parsed.is_array()) && parsed.dump() == text)
        return parsed;
    return text;
}
std::string readEmbedded(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

json cellJson(const ReportCell& cell) {
    json out{{"text", cell.text}};
    if (!cell.interval.empty())
        out["interval"] = cell.interval;
    if (!cell.note.empty())
        out["note"] = cell.note;
    if (cell.tone != ReportCell::Tone::plain)
        out["tone"] = static_cast<int>(cell.tone);
    if (cell.colour != -1)
        out["colour"] = cell.colour;
    if (!cell.path.empty())
        out["path"] = cell.path;
    return out;
}
ReportCell readCell(const json& from) {
    const int tone = from.value("tone", 0);
    if (tone < 0 || tone > 3)
        throw std::out_of_range("a cell's tone is unknown");
    return {from.at("text").get<std::string>(), from.value("interval", std::string()), from.value("note", std::string()), static_cast<ReportCell::Tone>(tone), from.value("colour", -1), from.value("path", std::string())};
}

json tableJson(const ReportTable& table) {
    json columns = json::array(), rows = json::array();
    for (const auto& column : table.columns) {
        columns.push_back({{"title", column.title}, {"numeric", column.numeric}, {"help", column.help}});
        if (!column.source.empty())
            columns.back()["source"] = column.source;
    }
    for (const auto& row : table.rows) {
        json cells = json::array();
        for (const auto& cell : row)
            cells.push_back(cellJson(cell));
        rows.push_back(std::move(cells));
    }
    return {{"caption", table.caption}, {"columns", columns}, {"rows", rows}, {"note", table.note}};
}
ReportTable readTable(const json& from) {
    ReportTable table{.caption = from.at("caption").get<std::string>(), .note = from.at("note").get<std::string>()};
    for (const auto& column : from.at("columns"))
        table.columns.push_back({column.at("title").get<std::string>(), column.at("numeric").get<bool>(), column.at("help").get<std::string>(), column.value("source", std::string())});
    for (const auto& row : from.at("rows")) {
        auto& cells = table.rows.emplace_back();
        for (const auto& cell : row)
            cells.push_back(readCell(cell));
    }
    return table;
}

json plotJson(const PlotSpec& plot) {
    json out{{"id", plot.id}, {"title", plot.title}, {"subtitle", plot.subtitle}, {"xTitle", plot.xTitle}, {"yTitle", plot.yTitle}, {"categories", plot.categories},
             {"verticalLines", numbers(plot.verticalLines)}, {"verticalLineLabel", plot.verticalLineLabel}, {"series", json::array()}};
    if (plot.yMinimum)
        out["yMinimum"] = number(*plot.yMinimum);
    if (plot.yMaximum)
        out["yMaximum"] = number(*plot.yMaximum);
    for (const auto& series : plot.series)
        out["series"].push_back({{"name", series.name}, {"colour", series.colour}, {"kind", static_cast<int>(series.kind)}, {"x", numbers(series.x)}, {"y", numbers(series.y)},
                                 {"low", numbers(series.low)}, {"high", numbers(series.high)}, {"dashed", series.dashed}});
    if (!plot.heat.empty())
        out["heat"] = {{"rows", plot.heat.rows}, {"columns", plot.heat.columns}, {"values", numbers(plot.heat.values)}, {"valueTitle", plot.heat.valueTitle}};
    return out;
}
PlotSpec readPlot(const json& from) {
    PlotSpec plot;
    plot.id = from.at("id").get<std::string>();
    plot.title = from.at("title").get<std::string>();
    plot.subtitle = from.at("subtitle").get<std::string>();
    plot.xTitle = from.at("xTitle").get<std::string>();
    plot.yTitle = from.at("yTitle").get<std::string>();
    plot.categories = texts(from.at("categories"));
    plot.verticalLines = readNumbers(from.at("verticalLines"));
    plot.verticalLineLabel = from.at("verticalLineLabel").get<std::string>();
    if (from.contains("yMinimum"))
        plot.yMinimum = readNumber(from.at("yMinimum"));
    if (from.contains("yMaximum"))
        plot.yMaximum = readNumber(from.at("yMaximum"));
    for (const auto& series : from.at("series")) {
        const int kind = series.at("kind").get<int>();
        if (kind < 0 || kind > static_cast<int>(PlotSeries::Kind::step))
            throw std::out_of_range("a series has an unknown kind");
        plot.series.push_back({.name = series.at("name").get<std::string>(),
                               .colour = series.at("colour").get<int>(),
                               .kind = static_cast<PlotSeries::Kind>(kind),
                               .x = readNumbers(series.at("x")),
                               .y = readNumbers(series.at("y")),
                               .low = readNumbers(series.at("low")),
                               .high = readNumbers(series.at("high")),
                               .dashed = series.at("dashed").get<bool>()});
    }
    if (from.contains("heat")) {
        const auto& heat = from.at("heat");
        plot.heat = {texts(heat.at("rows")), texts(heat.at("columns")), readNumbers(heat.at("values")), heat.at("valueTitle").get<std::string>()};
        if (plot.heat.rows.size() * plot.heat.columns.size() != plot.heat.values.size())
            throw std::out_of_range("a heat map has other than rows times columns values");
    }
    return plot;
}

json sectionJson(const ReportSection& section) {
    json out{{"title", section.title}, {"paragraphs", section.paragraphs}, {"tables", json::array()}, {"plots", json::array()}, {"definitions", json::array()}};
    for (const auto& table : section.tables)
        out["tables"].push_back(tableJson(table));
    for (const auto& plot : section.plots)
        out["plots"].push_back(plotJson(plot));
    for (const auto& d : section.definitions)
        out["definitions"].push_back({{"term", d.term}, {"meaning", d.meaning}, {"source", d.source}});
    return out;
}
ReportSection readSection(const json& from) {
    ReportSection section{.title = from.at("title").get<std::string>(), .paragraphs = texts(from.at("paragraphs"))};
    for (const auto& table : from.at("tables"))
        section.tables.push_back(readTable(table));
    for (const auto& plot : from.at("plots"))
        section.plots.push_back(readPlot(plot));
    for (const auto& d : from.at("definitions"))
        section.definitions.push_back({d.at("term").get<std::string>(), d.at("meaning").get<std::string>(), d.at("source").get<std::string>()});
    return section;
}

Light readLight(const json& value) {
    const auto text = value.get<std::string>();
    for (const auto light : {Light::none, Light::green, Light::amber, Light::red})
        if (text == name(light))
            return light;
    throw std::out_of_range("a light has an unknown word");
}

AnalysisDocument read(const json& from) {
    if (from.at("format") != format || from.at("version") != version)
        throw std::out_of_range("it is not an analysis of this version");
    AnalysisDocument document{.kind = from.at("kind").get<std::string>(), .report = {}, .figuresJson = readEmbedded(from.at("figures")), .specToml = from.at("specification").get<std::string>()};
    auto& report = document.report;
    report.title = from.at("title").get<std::string>();
    report.subtitle = from.at("subtitle").get<std::string>();
    report.lead = texts(from.at("lead"));
    for (const auto& fact : from.at("facts"))
        report.facts.emplace_back(fact.at(0).get<std::string>(), fact.at(1).get<std::string>());
    report.light = readLight(from.at("light"));
    for (const auto& finding : from.at("findings"))
        report.findings.push_back({readLight(finding.at("light")), finding.at("title").get<std::string>(), finding.at("text").get<std::string>()});
    report.warnings = texts(from.at("warnings"));
    for (const auto& section : from.at("sections"))
        report.sections.push_back(readSection(section));
    report.provenanceJson = readEmbedded(from.at("provenance"));
    report.command = from.at("command").get<std::string>();
    return document;
}
} // namespace

std::string toJson(const AnalysisDocument& document) {
    const auto& report = document.report;
    json out{{"format", format}, {"version", version}, {"kind", document.kind}, {"title", report.title}, {"subtitle", report.subtitle}, {"lead", report.lead},
             {"facts", json::array()}, {"light", name(report.light)}, {"findings", json::array()}, {"warnings", report.warnings}, {"sections", json::array()},
             {"figures", embedded(document.figuresJson)}, {"specification", document.specToml}, {"provenance", embedded(report.provenanceJson)}, {"command", report.command}};
    for (const auto& [label, value] : report.facts)
        out["facts"].push_back({label, value});
    for (const auto& finding : report.findings)
        out["findings"].push_back({{"light", name(finding.light)}, {"title", finding.title}, {"text", finding.text}});
    for (const auto& section : report.sections)
        out["sections"].push_back(sectionJson(section));
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<AnalysisDocument> analysisFromJson(const std::string& text) {
    try {
        return read(json::parse(text));
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, "CL-9004", fmt::format("The analysis cannot be read: {}.", error.what()), "Run the analysis again.");
    }
}

} // namespace carousel
