// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"
#include <charconv>
#include <cmath>
#include <ctime>
#include <fmt/format.h>
#include <utf8proc.h>

namespace carousel {

std::string_view trimmed(std::string_view text) {
    const char* const blanks = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    for (;;) {
        const auto end = text.find(separator, start);
        parts.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos)
            return parts;
        start = end + 1;
    }
}

bool startsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::optional<double> parseNumber(std::string_view text) {
    if (!text.empty() && text.front() == '+')
        text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::optional<std::int64_t> parseInteger(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::size_t firstInvalidUtf8(std::string_view text) {
    std::size_t offset = 0;
    while (offset < text.size()) {
        utf8proc_int32_t codepoint = 0;
        const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + offset),
                                             static_cast<utf8proc_ssize_t>(text.size() - offset), &codepoint);
        if (length <= 0)
            return offset;
        offset += static_cast<std::size_t>(length);
    }
    return std::string_view::npos;
}

std::string replaceInvalidUtf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto bad = firstInvalidUtf8(text);
        out.append(text.substr(0, bad));
        if (bad == std::string_view::npos)
            break;
        out += "\xEF\xBF\xBD";
        text.remove_prefix(bad + 1);
    }
    return out;
}

std::string escapedHtml(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string quotedForMessage(std::string_view text, std::size_t limit) {
    std::string out;
    const std::string clean = replaceInvalidUtf8(text.substr(0, limit + 4));
    std::size_t used = 0;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const auto c = static_cast<unsigned char>(clean[i]);
        if (used >= limit && (c & 0xC0) != 0x80)
            break;
        if (c < 0x20 || c == 0x7F)
            out += fmt::format("\\x{:02x}", c);
        else
            out += clean[i];
        ++used;
    }
    return text.size() > limit ? out + "…" : out;
}

std::string threeFigures(double value) {
    if (!std::isfinite(value))
        return "n/a";
    if (value == 0)
        return "0";
    const double magnitude = std::fabs(value);
    if (magnitude >= 1e9) // digits that nobody reads, and far beyond what 64 bits hold
        return fmt::format("{:.2e}", value);
    if (magnitude >= 1000)
        return (value < 0 ? "-" : "") + withThousands(std::llround(magnitude));
    if (magnitude < 1e-4)
        return fmt::format("{:.2e}", value);
    const int decimals = 2 - static_cast<int>(std::floor(std::log10(magnitude)));
    return fmt::format("{:.{}f}", value, decimals > 0 ? decimals : 0);
}

std::string withThousands(std::int64_t value) {
    const auto magnitude = static_cast<std::uint64_t>(value); // the smallest number has no positive twin
    std::string digits = std::to_string(value < 0 ? 0 - magnitude : magnitude);
    for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
        digits.insert(static_cast<std::size_t>(i), ",");
    return value < 0 ? "-" + digits : digits;
}

namespace {
std::string utc(std::int64_t seconds, const char* format) {
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (!gmtime_r(&time, &parts))
        return "n/a";
    char buffer[64];
    const auto length = std::strftime(buffer, sizeof buffer, format, &parts);
    return {buffer, length};
}
} // namespace

std::string utcMinute(std::int64_t seconds) { return utc(seconds, "%Y-%m-%d %H:%M"); }
std::string utcSecond(std::int64_t seconds) { return utc(seconds, "%Y-%m-%dT%H:%M:%SZ"); }

} // namespace carousel
