// SPDX-License-Identifier: GPL-3.0-or-later
// Counts rows and keeps the reasons for rejecting them; decides when too many were rejected.
#pragma once
#include "data/import.h"
#include "data/import/table_reader.h"

namespace carousel {

class ImportLog {
public:
    // `events` false: a side table (items, users), whose rows are not counted as interactions of the report.
    ImportLog(ImportReport& report, const ImportLimits& limits, const RunControl& control, bool events);

    // Counts the row that `table` stands at. Every few thousand rows: progress, cancel (CL-7001), a file in which nothing can be read.
    Result<void> row(const TableReader& table);
    // Goes on to the next row that can be read and counts it; rows before it that cannot are rejected. False at the end of the file.
    Result<bool> nextRow(TableReader& table);
    void keep() { ++m_kept; }
    // `reason` is counted; `detail` is shown with the line.
    void reject(const TableReader& table, const std::string& reason, const std::string& detail = {});
    // "column 'rating': 'abc' is not a number"
    void rejectNumber(const TableReader& table, int column, std::string_view value);
    // The end of a file: CL-1008 when too many rows were rejected; else its source with the counts.
    Result<SourceFile> finish(TableReader& table, const std::string& importer, const std::string& options);
    std::int64_t kept() const { return m_kept; }

private:
    tl::unexpected<Error> tooMany(const std::string& file) const;
    ImportReport& m_report;
    const ImportLimits& m_limits;
    const RunControl& m_control;
    bool m_events;
    std::int64_t m_read = 0, m_kept = 0, m_rejected = 0;
    ImportIssue m_first;
};

// CL-1007 for a file without any interaction, quoting the first rejected row if there is one.
tl::unexpected<Error> noInteractions(const std::string& file, const ImportReport& report);
// Duplicates, time range and digest: what every importer does last.
void finishImport(Imported& imported, double seconds);

} // namespace carousel
