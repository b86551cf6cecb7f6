// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/time_text.h"
#include "base/text.h"
#include <chrono>
#include <cmath>

namespace carousel {

namespace {

constexpr double earliest = -2208988800.0; // 1900
constexpr double latest = 7258118400.0;    // 2200

bool digits(std::string_view& text, std::size_t count, int& out) {
    if (text.size() < count)
        return false;
    out = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        out = out * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return true;
}

bool skip(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted)
        return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

const char* name(TimeUnit unit) {
    switch (unit) {
    case TimeUnit::automatic:
        return "auto";
    case TimeUnit::seconds:
        return "s";
    case TimeUnit::milliseconds:
        return "ms";
    case TimeUnit::microseconds:
        return "us";
    case TimeUnit::iso:
        return "iso";
    }
    return "auto";
}

Result<TimeUnit> timeUnit(std::string_view text) {
    for (const auto unit : {TimeUnit::automatic, TimeUnit::seconds, TimeUnit::milliseconds, TimeUnit::microseconds, TimeUnit::iso})
        if (text == name(unit))
            return unit;
    return fail(ErrorKind::input, "CL-1010", fmt::format("The time unit '{}' is not known.", quotedForMessage(text)),
                "Use one of: auto, s, ms, us, iso.");
}

std::optional<std::int64_t> parseIsoTime(std::string_view text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!digits(text, 4, year) || !skip(text, '-') || !digits(text, 2, month) || !skip(text, '-') || !digits(text, 2, day))
        return std::nullopt;
    int zone = 0;
    if (!text.empty()) {
        if (!skip(text, 'T') && !skip(text, ' '))
            return std::nullopt;
        if (!digits(text, 2, hour) || !skip(text, ':') || !digits(text, 2, minute))
            return std::nullopt;
        if (skip(text, ':')) {
            if (!digits(text, 2, second))
                return std::nullopt;
            if (skip(text, '.') || skip(text, ',')) {
                int fraction = 0;
                if (!digits(text, 1, fraction))
                    return std::nullopt;
                while (digits(text, 1, fraction)) {
                }
            }
        }
        skip(text, ' ');
        if (skip(text, 'Z')) {
        } else if (text == "UTC") {
            text = {};
        } else if (!text.empty()) {
            const int sign = text.front() == '-' ? -1 : 1;
            int zoneHours = 0, zoneMinutes = 0;
            if (!skip(text, '+') && !skip(text, '-'))
                return std::nullopt;
            if (!digits(text, 2, zoneHours))
                return std::nullopt;
            skip(text, ':');
            if (!text.empty() && !digits(text, 2, zoneMinutes))
                return std::nullopt;
            zone = sign * (zoneHours * 3600 + zoneMinutes * 60);
        }
        if (!text.empty())
            return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    const auto days = std::chrono::sys_days(date).time_since_epoch().count();
    return static_cast<std::int64_t>(days) * 86400 + hour * 3600 + minute * 60 + second - zone;
}

std::optional<std::int64_t> TimeReader::read(std::string_view text) {
    text = trimmed(text);
    if (text.empty())
        return std::nullopt;
    TimeUnit unit = m_unit;
    std::optional<double> number;
    if (unit != TimeUnit::iso)
        number = parseNumber(text);
    if (unit == TimeUnit::automatic) {
        if (number) {
            const double size = std::fabs(*number);
            unit = size < 1e11 ? TimeUnit::seconds : (size < 1e14 ? TimeUnit::milliseconds : TimeUnit::microseconds);
        } else {
            unit = TimeUnit::iso;
        }
    }
    std::optional<std::int64_t> seconds;
    if (unit == TimeUnit::iso) {
        seconds = parseIsoTime(text);
    } else if (number) {
        const double value = std::floor(*number / (unit == TimeUnit::seconds ? 1 : (unit == TimeUnit::milliseconds ? 1e3 : 1e6)));
        if (value >= earliest && value < latest)
            seconds = static_cast<std::int64_t>(value);
    }
    if (!seconds || static_cast<double>(*seconds) < earliest || static_cast<double>(*seconds) >= latest)
        return std::nullopt;
    m_unit = unit;
    if (m_firstText.empty()) {
        m_firstText = text.substr(0, 40);
        m_first = *seconds;
    }
    return seconds;
}

std::string TimeReader::note(const std::string& column) const {
    if (m_firstText.empty())
        return fmt::format("Column '{}' holds no times.", column);
    const char* what = m_unit == TimeUnit::iso            ? "ISO dates (UTC where no zone is given)"
                       : m_unit == TimeUnit::seconds      ? "seconds since 1970 UTC"
                       : m_unit == TimeUnit::milliseconds ? "milliseconds since 1970 UTC"
                                                          : "microseconds since 1970 UTC";
    return fmt::format("Column '{}' was read as {}: '{}' is {}.", column, what, m_firstText, utcMinute(m_first));
}

} // namespace carousel
