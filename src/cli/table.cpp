// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/table.h"
#include "base/text.h"
#include <algorithm>
#include <fmt/format.h>

namespace carousel::cli {

namespace {
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
} // namespace

TextTable::TextTable(std::vector<std::string> headings) : m_headings(std::move(headings)) {
    for (auto& heading : m_headings) {
        m_right.push_back(startsWith(heading, ">"));
        if (m_right.back())
            heading.erase(0, 1);
    }
}

void TextTable::add(std::vector<std::string> cells) {
    cells.resize(m_headings.size());
    m_rows.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<std::size_t> width;
    for (const auto& heading : m_headings)
        width.push_back(characters(heading));
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            width[i] = std::max(width[i], characters(row[i]));
    std::string out;
    auto line = [&](const std::vector<std::string>& row) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string pad(width[i] - characters(row[i]), ' ');
            text += (i == 0 ? "" : "  ");
            text += m_right[i] ? pad + row[i] : row[i] + pad;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text;
        out += '\n';
    };
    line(m_headings);
    std::vector<std::string> rule;
    for (const auto w : width)
        rule.emplace_back(w, '-');
    line(rule);
    for (const auto& row : m_rows)
        line(row);
    return out;
}

std::string shortened(const std::string& text, std::size_t limit) { return quotedForMessage(text, limit); }

std::string megabytes(std::int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

} // namespace carousel::cli
