// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/html_report.h"
#include "base/text.h"
#include "report/plot_table.h"
#include "report/report_record.h"
#include "report/svg_writer.h"
#include <cmath>
#include <kainjow/mustache.hpp>

namespace carousel {

extern const char* const reportTemplate; // resources/report/report.html

namespace {
using kainjow::mustache::data;

std::string marker(int colour) {
    const auto& colours = strategyColours();
    SvgWriter svg(14, 14, "");
    svg.marker(colour, 7, 7, 4.6, colours[static_cast<std::size_t>(colour) % colours.size()], {},
               colour >= static_cast<int>(colours.size()));
    return svg.finished();
}

data cellData(const ReportCell& cell, bool numeric) {
    static const char* tones[] = {"", "good", "bad", "muted"};
    data d;
    d.set("text", cell.text);
    d.set("class", std::string(numeric ? "number " : "") + (cell.colour >= 0 ? "marked " : "") + tones[static_cast<int>(cell.tone)]);
    if (!cell.interval.empty())
        d.set("interval", cell.interval);
    if (!cell.note.empty())
        d.set("note", cell.note);
    if (cell.colour >= 0)
        d.set("marker", marker(cell.colour));
    return d;
}

data tableData(const ReportTable& table) {
    data d, columns{data::type::list}, rows{data::type::list};
    for (const auto& column : table.columns) {
        data c;
        c.set("title", column.title);
        c.set("class", column.numeric ? "number" : "");
        if (!column.help.empty())
            c.set("help", column.help);
        columns.push_back(c);
    }
    for (const auto& row : table.rows) {
        data r, cells{data::type::list};
        for (std::size_t i = 0; i < row.size(); ++i) {
            const data cell = cellData(row[i], i < table.columns.size() && table.columns[i].numeric);
            if (i == 0)
                r.set("head", cell); // the first cell names the row
            else
                cells.push_back(cell);
        }
        r.set("cells", cells);
        rows.push_back(r);
    }
    if (!table.caption.empty())
        d.set("caption", table.caption);
    if (!table.note.empty())
        d.set("tableNote", table.note); // a name of its own: a cell without a note would find its table's
    d.set("columns", columns);
    d.set("rows", rows);
    return d;
}

std::string plain(double value) {
    return std::isfinite(value) && value == std::round(value) && std::fabs(value) < 1e15 ? withThousands(static_cast<std::int64_t>(value))
                                                                                         : threeFigures(value);
}

data plotData(const PlotSpec& plot) {
    const PlotTable numbers = plotTable(plot);
    ReportTable table;
    for (std::size_t c = 0; c < numbers.header.size(); ++c)
        table.columns.push_back({.title = numbers.header[c], .numeric = numbers.numeric[c]});
    for (const auto& row : numbers.rows) {
        auto& cells = table.rows.emplace_back();
        for (std::size_t c = 0; c < row.size(); ++c)
            cells.push_back(!numbers.numeric[c] ? textCell(row[c].text)
                            : row[c].interval   ? estimateCell(row[c].value, row[c].low, row[c].high)
                                                : ReportCell{.text = plain(row[c].value)});
    }
    data d = tableData(table);
    d.set("svg", toSvg(plot, 760, 380));
    d.set("title", plot.title);
    d.set("subtitle", plot.subtitle);
    return d;
}

// Each light has a shape of its own beside its word: a disc with a tick, a triangle, a square with a cross; an open ring where none is given.
std::string lightMark(Light light) {
    static const char* shapes[] = {"<circle cx=\"8\" cy=\"8\" r=\"5.5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"/>",
                                   "<circle cx=\"8\" cy=\"8\" r=\"7\" fill=\"currentColor\"/><path class=\"cut\" d=\"M4.6 8.2l2.4 2.4 4.4-4.8\"/>",
                                   "<path d=\"M8 1.2l7.2 13.2H.8z\" fill=\"currentColor\"/><path class=\"cut\" d=\"M8 6v4M8 11.8v.4\"/>",
                                   "<rect x=\"1.5\" y=\"1.5\" width=\"13\" height=\"13\" rx=\"1.5\" fill=\"currentColor\"/><path class=\"cut\" d=\"M5 5l6 6M11 5l-6 6\"/>"};
    return fmt::format("<svg viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\">{}</svg>", shapes[static_cast<int>(light)]);
}
const char* lightClass(Light light) {
    static const char* classes[] = {"plainlight", "green", "amber", "red"};
    return classes[static_cast<int>(light)];
}

data lightData(Light light) {
    data d;
    d.set("mark", lightMark(light));
    d.set("class", lightClass(light));
    if (light != Light::none)
        d.set("word", name(light));
    return d;
}

data textList(const std::vector<std::string>& texts) {
    data list{data::type::list};
    for (const auto& text : texts)
        list.push_back(data{text});
    return list;
}

data sectionData(const ReportSection& section, std::size_t index) {
    data d, tables{data::type::list}, plots{data::type::list}, definitions{data::type::list};
    for (const auto& table : section.tables)
        tables.push_back(tableData(table));
    for (const auto& plot : section.plots)
        plots.push_back(plotData(plot));
    for (const auto& definition : section.definitions) {
        data entry;
        entry.set("term", definition.term);
        entry.set("meaning", definition.meaning);
        if (!definition.source.empty())
            entry.set("source", definition.source);
        definitions.push_back(entry);
    }
    d.set("id", fmt::format("section-{}", index + 1));
    d.set("title", section.title);
    d.set("paragraphs", textList(section.paragraphs));
    d.set("tables", tables);
    d.set("plots", plots);
    if (!section.definitions.empty()) {
        d.set("hasDefinitions", true);
        d.set("definitions", definitions);
    }
    return d;
}

// JSON inside a script element: no byte sequence may end that element.
std::string scriptSafe(std::string_view json) {
    std::string text;
    for (const char c : json)
        text += c == '<'   ? std::string("\\u003c")
                : c == '>' ? std::string("\\u003e")
                : c == '&' ? std::string("\\u0026")
                           : std::string(1, c);
    return text;
}
} // namespace

ReportCell textCell(std::string text, int colour) {
    return {.text = std::move(text), .colour = colour};
}
ReportCell numberCell(double value) {
    return {.text = threeFigures(value)};
}
ReportCell estimateCell(double value, double low, double high) {
    ReportCell cell{.text = threeFigures(value)};
    if (std::isfinite(low) && std::isfinite(high))
        cell.interval = fmt::format("[{}, {}]", threeFigures(low), threeFigures(high));
    return cell;
}

const char* name(Light light) {
    switch (light) {
    case Light::green: return "supported";
    case Light::amber: return "weak";
    case Light::red: return "not supported";
    case Light::none: break;
    }
    return "";
}

Result<std::string> htmlReport(const ReportModel& model) { return htmlReport(model, {}); }

Result<std::string> htmlReport(const ReportModel& model, const std::string& figures) {
    data d, facts{data::type::list}, sections{data::type::list};
    d.set("title", model.title);
    if (!model.subtitle.empty())
        d.set("subtitle", model.subtitle);
    d.set("lead", textList(model.lead));
    for (const auto& [label, value] : model.facts) {
        data fact;
        fact.set("label", label);
        fact.set("value", value);
        facts.push_back(fact);
    }
    if (!model.facts.empty())
        d.set("hasFacts", true);
    d.set("facts", facts);
    if (model.light != Light::none)
        d.set("verdictLight", lightData(model.light));
    if (!model.findings.empty()) {
        data findings{data::type::list};
        for (const auto& finding : model.findings) {
            data entry = lightData(finding.light);
            entry.set("findingTitle", finding.title);
            entry.set("findingText", finding.text);
            findings.push_back(entry);
        }
        d.set("hasFindings", true);
        d.set("findings", findings);
    }
    if (!model.warnings.empty()) {
        d.set("hasWarnings", true);
        d.set("warnings", textList(model.warnings));
    }
    for (std::size_t i = 0; i < model.sections.size(); ++i)
        sections.push_back(sectionData(model.sections[i], i));
    d.set("sections", sections);
    if (!model.command.empty())
        d.set("command", model.command);
    if (!model.provenanceJson.empty()) {
        d.set("provenance", model.provenanceJson);
        d.set("provenanceData", scriptSafe(model.provenanceJson));
    }
    if (!figures.empty())
        d.set("figuresData", scriptSafe(figures));
    try {
        kainjow::mustache::mustache page{reportTemplate};
        if (!page.is_valid())
            return fail(ErrorKind::internal, "CL-9003", "the report template cannot be read: " + page.error_message(),
                        "Install the program again.");
        return replaceInvalidUtf8(page.render(d));
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, "CL-9003", fmt::format("the report could not be written: {}", error.what()),
                    "Install the program again.");
    }
}

} // namespace carousel
