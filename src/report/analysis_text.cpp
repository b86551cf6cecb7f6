// SPDX-License-Identifier: GPL-3.0-or-later
// An analysis as a person reads it on a terminal.
#include "base/text.h"
#include "report/analysis_document.h"
#include "report/plot_table.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
std::size_t printedWidth(std::string_view text) { // characters, not bytes
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Words into lines; a word longer than the line stands alone on a longer one.
std::vector<std::string> lines(std::string_view text, std::size_t width) {
    std::vector<std::string> out;
    for (const auto paragraph : split(text, '\n')) {
        std::string line;
        for (const auto word : split(paragraph, ' ')) {
            if (!line.empty() && width > 0 && printedWidth(line) + 1 + printedWidth(word) > width) {
                out.push_back(line);
                line.clear();
            }
            line += (line.empty() ? "" : " ") + std::string(word);
        }
        out.push_back(line);
    }
    return out;
}

std::string filled(std::string_view text, std::size_t width, const std::string& first = "", const std::string& next = "") {
    std::string out;
    const std::size_t room = width > next.size() + 20 ? width - next.size() : 0;
    bool begun = false;
    for (const auto& line : lines(text, room)) {
        out += (begun ? next : first) + line + "\n";
        begun = true;
    }
    return out;
}

struct Grid {
    std::vector<std::string> header;
    std::vector<bool> numeric;
    std::vector<std::vector<std::vector<std::string>>> rows; // row, column, paragraphs of the cell
};

std::string printed(const Grid& grid, std::size_t width) {
    const std::size_t columns = grid.header.size();
    std::vector<std::size_t> wide(columns), least(columns);
    auto longestWord = [](const std::string& text) {
        std::size_t longest = 0;
        for (const auto word : split(text, ' '))
            longest = std::max(longest, printedWidth(word));
        return longest;
    };
    for (std::size_t c = 0; c < columns; ++c) {
        wide[c] = printedWidth(grid.header[c]);
        least[c] = longestWord(grid.header[c]);
        for (const auto& row : grid.rows)
            if (c < row.size())
                for (const auto& paragraph : row[c]) {
                    wide[c] = std::max(wide[c], printedWidth(paragraph));
                    least[c] = std::max(least[c], grid.numeric[c] ? printedWidth(paragraph) : std::min<std::size_t>(24, longestWord(paragraph)));
                }
    }
    auto total = [&] {
        std::size_t sum = 2 * (columns - 1);
        for (const auto w : wide)
            sum += w;
        return sum;
    };
    while (width > 0 && columns > 0 && total() > width) { // the widest column that can give way gives way
        std::size_t widest = columns;
        for (std::size_t c = 0; c < columns; ++c)
            if (wide[c] > least[c] && (widest == columns || wide[c] > wide[widest]))
                widest = c;
        if (widest == columns)
            break;
        --wide[widest];
    }
    std::string out;
    auto addRow = [&](const std::vector<std::vector<std::string>>& cells) {
        std::vector<std::vector<std::string>> wrapped(columns);
        std::size_t height = 1;
        for (std::size_t c = 0; c < columns && c < cells.size(); ++c) {
            for (const auto& paragraph : cells[c])
                for (auto& line : lines(paragraph, wide[c]))
                    wrapped[c].push_back(std::move(line));
            height = std::max(height, wrapped[c].size());
        }
        for (std::size_t l = 0; l < height; ++l) {
            std::string line;
            for (std::size_t c = 0; c < columns; ++c) {
                const std::string text = l < wrapped[c].size() ? wrapped[c][l] : "";
                const std::string room(wide[c] > printedWidth(text) ? wide[c] - printedWidth(text) : 0, ' ');
                line += (c > 0 ? "  " : "") + (grid.numeric[c] ? room + text : text + room);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
    };
    std::vector<std::vector<std::string>> header, rule;
    for (std::size_t c = 0; c < columns; ++c) {
        header.push_back({grid.header[c]});
        rule.push_back({std::string(wide[c], '-')});
    }
    addRow(header);
    addRow(rule);
    for (const auto& row : grid.rows)
        addRow(row);
    return out;
}

Grid gridOf(const ReportTable& table) {
    Grid grid;
    for (const auto& column : table.columns) {
        grid.header.push_back(column.title);
        grid.numeric.push_back(column.numeric);
    }
    for (const auto& row : table.rows) {
        auto& cells = grid.rows.emplace_back();
        for (const auto& cell : row) {
            cells.push_back({cell.interval.empty() ? cell.text : cell.text + " " + cell.interval});
            if (!cell.note.empty())
                cells.back().push_back(cell.note);
        }
    }
    return grid;
}

std::string plain(double value) {
    return std::isfinite(value) && value == std::round(value) && std::fabs(value) < 1e15 ? withThousands(static_cast<std::int64_t>(value)) : threeFigures(value);
}

Grid gridOf(const PlotSpec& plot) {
    const auto table = plotTable(plot);
    Grid grid{table.header, {table.numeric.begin(), table.numeric.end()}, {}};
    for (const auto& row : table.rows) {
        auto& cells = grid.rows.emplace_back();
        for (std::size_t c = 0; c < row.size(); ++c) {
            const auto& cell = row[c];
            std::string text = table.numeric[c] ? plain(cell.value) : cell.text;
            if (table.numeric[c] && cell.interval && std::isfinite(cell.low) && std::isfinite(cell.high))
                text += fmt::format(" [{}, {}]", threeFigures(cell.low), threeFigures(cell.high));
            cells.push_back({text});
        }
    }
    return grid;
}
} // namespace

std::string toText(const AnalysisDocument& document, int width) {
    const auto& report = document.report;
    const std::size_t wide = width > 0 ? static_cast<std::size_t>(width) : 0;
    std::string out = report.title + "\n";
    if (!report.subtitle.empty())
        out += filled(report.subtitle, wide);
    out += "\n";
    if (report.light != Light::none)
        out += fmt::format("Evidence: {}.\n", name(report.light));
    for (const auto& line : report.lead)
        out += filled(line, wide);
    if (!report.facts.empty()) {
        out += "\n";
        std::string facts;
        for (const auto& [label, value] : report.facts)
            facts += (facts.empty() ? "" : " · ") + label + " " + value;
        out += filled(facts, wide);
    }
    if (!report.findings.empty()) {
        out += "\nWhat was checked\n";
        for (const auto& finding : report.findings) {
            const std::string mark = finding.light == Light::none ? "- " : fmt::format("- [{}] ", name(finding.light));
            out += filled(finding.title + (finding.text.empty() ? "" : ": " + finding.text), wide, mark, "    ");
        }
    }
    if (!report.warnings.empty()) {
        out += "\nRead with care\n";
        for (const auto& warning : report.warnings)
            out += filled(warning, wide, "- ", "  ");
    }
    for (const auto& section : report.sections) {
        out += "\n" + section.title + "\n" + std::string(printedWidth(section.title), '=') + "\n";
        for (const auto& paragraph : section.paragraphs)
            out += filled(paragraph, wide);
        for (const auto& table : section.tables) {
            out += "\n" + (table.caption.empty() ? "" : filled(table.caption, wide)) + printed(gridOf(table), wide);
            if (!table.note.empty())
                out += filled(table.note, wide);
        }
        for (const auto& plot : section.plots) {
            out += "\n" + filled("Plot: " + plot.title + (plot.subtitle.empty() ? "" : " (" + plot.subtitle + ")"), wide);
            if (section.tables.empty())
                out += printed(gridOf(plot), wide);
        }
    }
    if (!report.command.empty())
        out += "\nTo see it again: " + report.command + "\n";
    return out;
}

} // namespace carousel
