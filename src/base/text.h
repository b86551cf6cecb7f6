// SPDX-License-Identifier: GPL-3.0-or-later
// Small text helpers. All text in the program is UTF-8; numbers are read and written with a dot, whatever the locale.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

std::string_view trimmed(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator); // keeps empty fields; "" gives one empty field
bool startsWith(std::string_view text, std::string_view prefix);
std::string lowered(std::string_view asciiOrUtf8); // ASCII letters only
// Whole-field, finite numbers only: "1.5", "-3e2"; not "1,5", "nan", "inf", "12abc", "".
std::optional<double> parseNumber(std::string_view text);
std::optional<std::int64_t> parseInteger(std::string_view text);
// Offset of the first byte that is not valid UTF-8, or npos.
std::size_t firstInvalidUtf8(std::string_view text);
std::string replaceInvalidUtf8(std::string_view text); // U+FFFD for every bad byte
std::string escapedHtml(std::string_view text);
// For messages and logs: control characters and bad bytes shown as \xNN, cut at `limit` bytes with an ellipsis.
std::string quotedForMessage(std::string_view text, std::size_t limit = 120);
// Three significant figures, as the window and the reports print numbers: 0.0123, 4.57, 1,240, 12.3 M is not used.
std::string threeFigures(double value);
std::string withThousands(std::int64_t value); // 1,234,567
// ISO 8601 UTC of seconds since 1970, "2019-11-24 00:00".
std::string utcMinute(std::int64_t seconds);
std::string utcSecond(std::int64_t seconds);

} // namespace carousel
