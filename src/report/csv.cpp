// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/csv.h"
#include "base/text.h"
#include <cmath>
#include <fmt/format.h>

namespace carousel {

namespace {
bool looksLikeFormula(std::string_view text) {
    if (text.empty() || parseNumber(text))
        return false;
    if (std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
        return true;
    for (const std::string_view fullWidth : {"＝", "＋", "－", "＠"})
        if (startsWith(text, fullWidth))
            return true;
    return false;
}
} // namespace

std::string csvField(std::string_view text, CsvMode mode) {
    std::string value = mode == CsvMode::safe && looksLikeFormula(text) ? "'" + std::string(text) : std::string(text);
    if (value.find_first_of(",\"\r\n") == std::string::npos)
        return value;
    std::string quoted = "\"";
    for (const char c : value) {
        quoted += c;
        if (c == '"')
            quoted += c;
    }
    return quoted + "\"";
}

std::string csvRow(std::span<const std::string> fields, CsvMode mode) {
    std::string row;
    for (std::size_t i = 0; i < fields.size(); ++i)
        row += (i > 0 ? "," : "") + csvField(fields[i], mode);
    return row + "\r\n";
}

std::string csvNumber(double value) {
    return std::isfinite(value) ? fmt::format("{}", value) : "";
}

} // namespace carousel
