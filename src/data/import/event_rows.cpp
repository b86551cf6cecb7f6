// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/event_rows.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel {

Result<std::uint8_t> kindCode(InteractionTable& events, std::string_view kind, const std::string& where) {
    for (std::size_t k = 0; k < events.kinds.size(); ++k)
        if (events.kinds[k] == kind)
            return static_cast<std::uint8_t>(k);
    if (events.kinds.size() >= 255)
        return fail(ErrorKind::input, "CL-1012",
                    fmt::format("{}: more than 255 event kinds; the next is '{}'.", where, quotedForMessage(kind, 60)),
                    "Check that the kind column is the right one.");
    events.kinds.emplace_back(kind);
    return static_cast<std::uint8_t>(events.kinds.size() - 1);
}

Result<SourceFile> readEvents(TableReader& table, const EventColumns& columns, Dataset& dataset, ImportLog& log, ImportReport& report,
                              const std::string& importer, const std::string& options,
                              const std::function<void(Code user, Code item)>& onKept) {
    auto& events = dataset.interactions;
    auto nameOf = [&](int column) -> const std::string& { return table.columns()[static_cast<std::size_t>(column)]; };
    TimeReader times(columns.timeUnit);
    std::uint8_t kind = 0;
    if (columns.kind < 0) {
        CAROUSEL_ASSIGN(kind, kindCode(events, columns.constantKind, table.file()));
    }
    for (;;) {
        CAROUSEL_ASSIGN(const bool any, log.nextRow(table));
        if (!any)
            break;
        const auto fields = table.fields();
        auto field = [&](int column) { return fields[static_cast<std::size_t>(column)]; };
        const auto user = field(columns.user), item = field(columns.item);
        if (user.empty() || item.empty()) {
            log.reject(table, fmt::format("column '{}': empty id", nameOf(user.empty() ? columns.user : columns.item)));
            continue;
        }
        float value = 1;
        if (columns.value >= 0) {
            const auto text = trimmed(field(columns.value));
            // Among events of several kinds a view or click need not have a value; a rating must.
            if (!text.empty() || columns.kind < 0) {
                const auto number = parseNumber(text);
                if (!number || !std::isfinite(static_cast<float>(*number))) {
                    log.rejectNumber(table, columns.value, text);
                    continue;
                }
                value = static_cast<float>(*number);
            }
        }
        std::int64_t time = noTime;
        if (columns.time >= 0) {
            const auto text = field(columns.time);
            const auto read = times.read(text);
            if (!read) {
                log.reject(table, fmt::format("column '{}': not a time", nameOf(columns.time)),
                           fmt::format("column '{}': '{}' is not a time ({})", nameOf(columns.time), quotedForMessage(text, 60),
                                       times.unit() == TimeUnit::automatic
                                           ? "number or ISO date, years 1900 to 2200"
                                           : fmt::format("unit {}, years 1900 to 2200", name(times.unit()))));
                continue;
            }
            time = *read;
        }
        if (columns.kind >= 0) {
            const auto text = trimmed(field(columns.kind));
            if (text.empty()) {
                log.reject(table, fmt::format("column '{}': empty event kind", nameOf(columns.kind)));
                continue;
            }
            if (kind >= events.kinds.size() || events.kinds[kind] != text) {
                CAROUSEL_ASSIGN(kind, kindCode(events, text, fmt::format("'{}' line {}", table.file(), table.line())));
            }
        }
        const Code userCode = dataset.users.ids.add(user), itemCode = dataset.items.ids.add(item);
        events.user.push_back(userCode);
        events.item.push_back(itemCode);
        events.kind.push_back(kind);
        events.value.push_back(value);
        events.time.push_back(time);
        log.keep();
        if (onKept)
            onKept(userCode, itemCode);
    }
    if (columns.time >= 0 && log.kept() > 0)
        report.warnings.push_back(times.note(nameOf(columns.time)));
    return log.finish(table, importer, options);
}

} // namespace carousel
