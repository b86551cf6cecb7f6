// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/import_log.h"
#include "base/text.h"
#include <algorithm>
#include <bit>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace carousel {

ImportLog::ImportLog(ImportReport& report, const ImportLimits& limits, const RunControl& control, bool events)
    : m_report(report), m_limits(limits), m_control(control), m_events(events) {}

Result<void> ImportLog::row(const TableReader& table) {
    ++m_read;
    if (m_read % 8192 == 0) {
        if (m_control.stopRequested())
            return fail(RunControl::cancelled("The import"));
        m_control.report("Importing", table.fractionRead() * 100, 100, "%");
        if (!m_limits.keepGoing && m_kept == 0 && m_rejected >= m_limits.rejectMinimum)
            return tooMany(table.file());
    }
    return {};
}

Result<bool> ImportLog::nextRow(TableReader& table) {
    for (;;) {
        CAROUSEL_ASSIGN(const bool any, table.next());
        if (!any)
            return false;
        CAROUSEL_TRY(row(table));
        if (table.problem().empty())
            return true;
        reject(table, table.problem());
    }
}

void ImportLog::reject(const TableReader& table, const std::string& reason, const std::string& detail) {
    ImportIssue issue{table.line(), table.file(), detail.empty() ? reason : detail, std::string(table.raw().substr(0, 4096))};
    if (m_rejected == 0)
        m_first = issue;
    ++m_rejected;
    if (m_events)
        ++m_report.rowsRejected;
    ++m_report.rejectReasons[reason];
    if (m_report.rejects.size() < 20)
        m_report.rejects.push_back(std::move(issue));
}

void ImportLog::rejectNumber(const TableReader& table, int column, std::string_view value) {
    const auto& name = table.columns()[static_cast<std::size_t>(column)];
    if (value.empty())
        reject(table, fmt::format("column '{}': empty", name));
    else
        reject(table, fmt::format("column '{}': not a number", name),
               fmt::format("column '{}': '{}' is not a number", name, quotedForMessage(value, 60)));
}

tl::unexpected<Error> ImportLog::tooMany(const std::string& file) const {
    return fail(ErrorKind::input, "CL-1008",
                fmt::format("'{}': {} of {} rows cannot be read. The first is line {}: {}.", file, withThousands(m_rejected),
                            withThousands(m_read), m_first.line, m_first.reason),
                "Correct the file or the column mapping, or import only the rows that can be read (--keep-going).");
}

Result<SourceFile> ImportLog::finish(TableReader& table, const std::string& importer, const std::string& options) {
    const bool many =
        m_rejected >= m_limits.rejectMinimum && static_cast<double>(m_rejected) > m_limits.rejectShare * static_cast<double>(m_read);
    if (many && !m_limits.keepGoing)
        return tooMany(table.file());
    if (m_events) {
        m_report.rowsRead += m_read;
        m_report.rowsKept += m_kept;
    } else if (m_rejected > 0) {
        m_report.warnings.push_back(fmt::format("{} of {} rows of '{}' were rejected; the first is line {}: {}.", withThousands(m_rejected),
                                                withThousands(m_read), table.file(), m_first.line, m_first.reason));
    }
    CAROUSEL_ASSIGN(SourceFile source, table.source());
    source.importer = importer;
    source.options = options;
    source.rowsRead = m_read;
    source.rowsKept = m_kept;
    return source;
}

tl::unexpected<Error> noInteractions(const std::string& file, const ImportReport& report) {
    std::string why = "it has a header and no rows";
    if (!report.rejects.empty())
        why = fmt::format("all {} rows were rejected, the first in line {}: {}", withThousands(report.rowsRejected),
                          report.rejects.front().line, report.rejects.front().reason);
    return fail(ErrorKind::input, "CL-1007", fmt::format("'{}' gives no interactions: {}.", file, why),
                "Choose a file with at least one row that can be read, or correct the column mapping.");
}

void finishImport(Imported& imported, double seconds) {
    auto& data = *imported.dataset;
    auto& report = imported.report;
    const auto& events = data.interactions;
    std::vector<std::uint64_t> hashes(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        const std::int64_t fields[] = {events.user[i], events.item[i], events.kind[i], std::bit_cast<std::int32_t>(events.value[i]),
                                       events.time[i]};
        hashes[i] = XXH3_64bits(fields, sizeof fields);
    }
    std::sort(hashes.begin(), hashes.end());
    for (std::size_t i = 1; i < hashes.size(); ++i)
        report.duplicates += hashes[i] == hashes[i - 1];
    if (report.duplicates > 0)
        report.warnings.push_back(
            fmt::format("{} interactions repeat another one exactly (same user, item, kind, value and time); they are kept.",
                        withThousands(report.duplicates)));
    for (const auto* times : {&events.time, &std::as_const(data.impressions.time), &std::as_const(data.reviews.time)})
        for (const auto time : *times)
            if (time != noTime) {
                report.firstTime = report.firstTime == noTime ? time : std::min(report.firstTime, time);
                report.lastTime = std::max(report.lastTime, time);
            }
    data.digest = datasetDigest(data);
    report.seconds = seconds;
}

} // namespace carousel
