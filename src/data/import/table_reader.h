// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of a delimited table with a header line. A row that cannot be split is reported with its reason, not thrown away in silence.
#pragma once
#include "base/run_control.h"
#include "data/import/line_reader.h"
#include <span>
#include <vector>

namespace carousel {

struct TableFormat {
    char delimiter = 0;        // 0: found from the header
    bool quoting = true;       // RFC 4180 quotes; false: quote characters are data, as in RecBole files
    bool unnamedFirst = false; // an index column without a name may lead
};

class TableReader {
public:
    // Errors as LineReader, and CL-1005 (header: empty or repeated names, one column only where a delimiter is needed).
    static Result<TableReader> open(const std::string& path, const TableFormat& format);
    TableReader(TableReader&&) noexcept;
    TableReader& operator=(TableReader&&) noexcept;
    ~TableReader();

    const std::vector<std::string>& columns() const;
    int column(std::string_view name) const; // -1 when absent
    // CL-1006: the named column is missing; lists the columns present.
    Result<int> require(std::string_view name, const std::string& role) const;
    char delimiter() const;

    // The next row; false at the end. When problem() is not empty the row could not be split and fields() means nothing.
    Result<bool> next();
    std::span<const std::string_view> fields() const;
    const std::string& problem() const;
    std::string_view raw() const;
    std::int64_t line() const; // where the row starts
    double fractionRead() const;
    const std::string& file() const;
    Result<SourceFile> source();

private:
    struct State;
    explicit TableReader(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace carousel
