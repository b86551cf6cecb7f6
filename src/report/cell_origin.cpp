// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/cell_origin.h"
#include "base/text.h"
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
using nlohmann::json;

// nullptr where the path leads nowhere.
const json* follow(const json& from, std::string_view path) {
    const json* at = &from;
    while (!path.empty()) {
        if (path.front() == '[') {
            const auto close = path.find(']');
            const auto index = close == std::string_view::npos ? std::nullopt : parseInteger(std::string(path.substr(1, close - 1)));
            if (!index || !at->is_array() || *index < 0 || static_cast<std::size_t>(*index) >= at->size())
                return nullptr;
            at = &(*at)[static_cast<std::size_t>(*index)];
            path.remove_prefix(close + 1);
            if (!path.empty() && path.front() == '.')
                path.remove_prefix(1);
            continue;
        }
        const auto end = path.find_first_of(".[");
        const std::string key(path.substr(0, end));
        if (!at->is_object() || !at->contains(key))
            return nullptr;
        at = &(*at)[key];
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + (path[end] == '.'));
    }
    return at;
}
std::string textAt(const json& from, std::string_view path) {
    const json* found = follow(from, path);
    return found && found->is_string() ? found->get<std::string>() : std::string();
}
} // namespace

std::string figureAt(const std::string& figuresJson, const std::string& path) {
    const json figures = json::parse(figuresJson, nullptr, false);
    const json* found = path.empty() || figures.is_discarded() ? nullptr : follow(figures, path);
    return found ? found->dump(-1, ' ', false, json::error_handler_t::replace) : std::string();
}

CellOrigin originOf(const AnalysisDocument& document, const ReportTable& table, std::size_t row, std::size_t column) {
    CellOrigin out;
    if (row >= table.rows.size() || column >= table.rows[row].size() || column >= table.columns.size())
        return out;
    const auto& cells = table.rows[row];
    const ReportCell& cell = cells[column];
    out.table = table.caption, out.column = table.columns[column].title, out.source = table.columns[column].source;
    out.row = cells.front().text;
    if (cells.size() > 1 && column != 1 && !table.columns[1].numeric && cells[1].text.size() < 60)
        out.row += ", " + cells[1].text;
    out.shown = cell.interval.empty() ? cell.text : cell.text + " " + cell.interval;
    if (out.exact = figureAt(document.figuresJson, cell.path); !out.exact.empty()) {
        out.path = cell.path;
        const auto dot = cell.path.rfind('.');
        const std::string key = dot == std::string::npos ? cell.path : cell.path.substr(dot + 1), parent = dot == std::string::npos ? "" : cell.path.substr(0, dot + 1);
        if (!cell.interval.empty())
            out.exactInterval = figureAt(document.figuresJson, parent + (key == "lift" ? "liftInterval" : "interval"));
    }
    out.command = document.report.command;
    const json provenance = json::parse(document.report.provenanceJson, nullptr, false);
    if (provenance.is_object()) {
        out.specificationSha256 = textAt(provenance, "specificationSha256");
        out.dataDigest = textAt(provenance, "data.digest");
        out.program = textAt(provenance, "program.version");
        if (const std::string commit = textAt(provenance, "program.commit"); !commit.empty())
            out.program += (out.program.empty() ? "" : ", ") + commit;
    }
    return out;
}

std::string toText(const CellOrigin& origin) {
    std::string out;
    const auto line = [&](const char* what, const std::string& value) {
        if (!value.empty())
            out += fmt::format("{}: {}\n", what, value);
    };
    line("Shown", origin.shown);
    line("Exactly", origin.exact);
    line("Interval exactly", origin.exactInterval);
    line("In the figures (JSON)", origin.path.empty() ? "not a single one of them" : origin.path);
    line("Table", origin.table);
    line("Row", origin.row);
    line("Column", origin.column);
    line("Computed by", origin.source);
    line("Command", origin.command);
    line("Specification (SHA-256)", origin.specificationSha256);
    line("Data (digest)", origin.dataDigest);
    line("Program", origin.program);
    return out;
}

} // namespace carousel
