// SPDX-License-Identifier: GPL-3.0-or-later
// CSV as RFC 4180 asks, and safe to open in a spreadsheet: a text that a spreadsheet would run as a formula gets a leading apostrophe
// (quoting alone does not stop that). `raw` is for machines that need the exact text.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace carousel {

enum class CsvMode { safe, raw };
std::string csvField(std::string_view text, CsvMode mode = CsvMode::safe);
std::string csvRow(std::span<const std::string> fields, CsvMode mode = CsvMode::safe); // with CR LF
std::string csvNumber(double value); // shortest text that reads back as the same number; "" when not finite

} // namespace carousel
