// SPDX-License-Identifier: GPL-3.0-or-later
// A plain text table for stdout: columns as wide as their content, numbers to the right.
#pragma once
#include <string>
#include <vector>

namespace carousel::cli {

class TextTable {
public:
    // A heading that begins with '>' names a column that is set to the right.
    explicit TextTable(std::vector<std::string> headings);
    void add(std::vector<std::string> cells);
    std::string text() const;
    bool empty() const { return m_rows.empty(); }

private:
    std::vector<std::string> m_headings;
    std::vector<bool> m_right;
    std::vector<std::vector<std::string>> m_rows;
};

// Printable, one line, at most `limit` characters.
std::string shortened(const std::string& text, std::size_t limit = 40);
std::string megabytes(std::int64_t bytes);

} // namespace carousel::cli
