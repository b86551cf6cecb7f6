// SPDX-License-Identifier: GPL-3.0-or-later
// Times as files write them: seconds, milliseconds or microseconds since 1970 UTC, or ISO 8601.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <optional>
#include <string_view>

namespace carousel {

enum class TimeUnit { automatic, seconds, milliseconds, microseconds, iso };
const char* name(TimeUnit unit);                  // "auto", "s", "ms", "us", "iso"
Result<TimeUnit> timeUnit(std::string_view text); // CL-1010

// "2019-11-24", "2019-11-24 00:03", "2019-11-24T00:03:13.442536+01:00"; without a zone: UTC. Seconds, rounded down.
std::optional<std::int64_t> parseIsoTime(std::string_view text);

// Reads a column. With `automatic` the first time decides on the unit; later times must fit it.
class TimeReader {
public:
    explicit TimeReader(TimeUnit unit) : m_unit(unit) {}
    // nullopt: not a time in this unit, or outside the years 1900 to 2200.
    std::optional<std::int64_t> read(std::string_view text);
    TimeUnit unit() const { return m_unit; }
    std::string
    note(const std::string& column) const; // "Column 'timestamp' was read as seconds since 1970 UTC: '881250949' is 1997-12-04 15:55."

private:
    TimeUnit m_unit;
    std::string m_firstText;
    std::int64_t m_first = 0;
};

} // namespace carousel
