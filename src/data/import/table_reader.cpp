// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/table_reader.h"
#include "base/text.h"
#include <algorithm>
#include <csv.h>
#include <unordered_set>

namespace carousel {

namespace {

// A record with quotes goes through libcsv; the others are split in place, which is several times faster.
class QuotedRecord {
public:
    explicit QuotedRecord(char delimiter) {
        csv_init(&m_parser, CSV_STRICT);
        csv_set_delim(&m_parser, static_cast<unsigned char>(delimiter));
        csv_set_space_func(&m_parser, [](unsigned char) { return 0; });                  // blanks belong to the field
        csv_set_term_func(&m_parser, [](unsigned char c) { return c == '\n' ? 1 : 0; }); // a lone CR does not end a row
    }
    ~QuotedRecord() { csv_free(&m_parser); }
    QuotedRecord(const QuotedRecord&) = delete;
    QuotedRecord& operator=(const QuotedRecord&) = delete;

    // False when the quotes are malformed.
    bool add(std::string_view line) {
        return csv_parse(&m_parser, line.data(), line.size(), &onField, &onRow, this) == line.size() &&
               csv_parse(&m_parser, "\n", 1, &onField, &onRow, this) == 1;
    }
    bool complete() const { return m_complete; }
    const std::string& text() const { return m_text; }
    const std::vector<std::size_t>& ends() const { return m_ends; }

private:
    static void onField(void* bytes, std::size_t length, void* self) {
        auto& record = *static_cast<QuotedRecord*>(self);
        record.m_text.append(static_cast<const char*>(bytes), length);
        record.m_ends.push_back(record.m_text.size());
    }
    static void onRow(int, void* self) { static_cast<QuotedRecord*>(self)->m_complete = true; }

    csv_parser m_parser{};
    std::string m_text;
    std::vector<std::size_t> m_ends;
    bool m_complete = false;
};

char likelyDelimiter(std::string_view header) {
    char best = 0;
    std::size_t most = 0;
    for (const char candidate : {'\t', ',', ';', '|'}) {
        bool quoted = false;
        std::size_t count = 0;
        for (const char c : header) {
            if (c == '"')
                quoted = !quoted;
            count += !quoted && c == candidate;
        }
        if (count > most) {
            most = count;
            best = candidate;
        }
    }
    return best ? best : ',';
}

} // namespace

struct TableReader::State {
    LineReader lines;
    TableFormat format;
    std::vector<std::string> columns;
    std::vector<std::string_view> fields;
    std::string text, record, problem; // text and record hold quoted rows only
    std::string_view raw;
    std::int64_t line = 0;

    void splitPlain(std::string_view row) {
        fields.clear();
        std::size_t start = 0;
        for (;;) {
            const auto end = row.find(format.delimiter, start);
            fields.push_back(row.substr(start, end == std::string_view::npos ? end : end - start));
            if (end == std::string_view::npos || fields.size() > mostColumns)
                return;
            start = end + 1;
        }
    }

    Result<void> splitQuoted(std::string_view first) {
        QuotedRecord quoted(format.delimiter);
        record.assign(first);
        raw = record;
        bool sound = quoted.add(first);
        while (sound && !quoted.complete()) {
            std::string_view more;
            CAROUSEL_ASSIGN(const bool any, lines.next(more));
            if (!any || record.size() + more.size() > longestLine)
                return fail(
                    ErrorKind::input, "CL-1009",
                    fmt::format("'{}' line {}: a quoted field opens and does not end{}.", lines.file(), line, any ? " within 4 MiB" : ""),
                    "Close the quote, or write a quote inside a field twice (\"\").");
            record += '\n';
            record += more;
            sound = quoted.add(more);
        }
        raw = record;
        if (!sound) {
            problem = "misplaced quote";
            return {};
        }
        text = quoted.text();
        fields.clear();
        std::size_t start = 0;
        for (const auto end : quoted.ends()) {
            fields.push_back(std::string_view(text).substr(start, end - start));
            start = end;
        }
        return {};
    }

    // Splits the next line that is not empty.
    Result<bool> row() {
        problem.clear();
        std::string_view next;
        do {
            CAROUSEL_ASSIGN(const bool any, lines.next(next));
            if (!any)
                return false;
        } while (next.empty());
        line = lines.lineNumber();
        raw = next;
        if (format.delimiter == 0)
            format.delimiter = likelyDelimiter(next);
        if (format.quoting && next.find('"') != std::string_view::npos)
            CAROUSEL_TRY(splitQuoted(next));
        else
            splitPlain(next);
        for (const auto field : fields)
            if (field.size() > longestField)
                return fail(ErrorKind::input, "CL-1009",
                            fmt::format("'{}' line {}: a field is longer than {} bytes.", lines.file(), line, longestField),
                            "Shorten the field, or check the quotes before it.");
        return true;
    }

    Result<void> readHeader() {
        CAROUSEL_ASSIGN(const bool any, row());
        const auto& file = lines.file();
        if (!any)
            return fail(ErrorKind::input, "CL-1004", fmt::format("'{}' has no header line.", file),
                        "Choose a file with a header line and rows.");
        if (!problem.empty())
            return fail(ErrorKind::input, "CL-1005", fmt::format("'{}' line {}: the header has a {}.", file, line, problem),
                        "Correct the header line.");
        if (fields.size() > mostColumns)
            return fail(ErrorKind::input, "CL-1005", fmt::format("'{}' has more than {} columns.", file, mostColumns),
                        "Check the delimiter.");
        std::unordered_set<std::string> seen;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const std::string name(trimmed(fields[i]));
            if (name.empty() && !(i == 0 && format.unnamedFirst))
                return fail(ErrorKind::input, "CL-1005",
                            fmt::format("'{}' line {}: column {} of the header has no name.", file, line, i + 1),
                            "Give every column a name.");
            if (!seen.insert(name).second)
                return fail(ErrorKind::input, "CL-1005",
                            fmt::format("'{}' line {}: the header names '{}' twice.", file, line, quotedForMessage(name)),
                            "Give every column its own name.");
            columns.push_back(name);
        }
        return {};
    }
};

TableReader::TableReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
TableReader::TableReader(TableReader&&) noexcept = default;
TableReader& TableReader::operator=(TableReader&&) noexcept = default;
TableReader::~TableReader() = default;

Result<TableReader> TableReader::open(const std::string& path, const TableFormat& format) {
    CAROUSEL_ASSIGN(LineReader lines, LineReader::open(path));
    auto state = std::unique_ptr<State>(new State{std::move(lines), format, {}, {}, {}, {}, {}, {}, 0});
    CAROUSEL_TRY(state->readHeader());
    return TableReader(std::move(state));
}

const std::vector<std::string>& TableReader::columns() const {
    return m_state->columns;
}

int TableReader::column(std::string_view name) const {
    const auto& columns = m_state->columns;
    const auto found = std::find(columns.begin(), columns.end(), name);
    return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

Result<int> TableReader::require(std::string_view name, const std::string& role) const {
    const int found = column(name);
    if (found >= 0)
        return found;
    std::string present;
    for (std::size_t i = 0; i < m_state->columns.size() && i < 40; ++i)
        present += (i == 0 ? "'" : ", '") + quotedForMessage(m_state->columns[i], 40) + "'";
    if (m_state->columns.size() > 40)
        present += fmt::format(" and {} more", m_state->columns.size() - 40);
    return fail(ErrorKind::input, "CL-1006",
                fmt::format("'{}' has no column '{}' ({}). Columns present: {}.", file(), quotedForMessage(name), role, present),
                "Name one of the columns present, or add the column to the file.");
}

char TableReader::delimiter() const {
    return m_state->format.delimiter;
}

Result<bool> TableReader::next() {
    auto& s = *m_state;
    CAROUSEL_ASSIGN(const bool any, s.row());
    if (any && s.problem.empty() && s.fields.size() != s.columns.size())
        s.problem = fmt::format("{} fields where the header has {}",
                                s.fields.size() > mostColumns ? "too many" : std::to_string(s.fields.size()), s.columns.size());
    return any;
}

std::span<const std::string_view> TableReader::fields() const {
    return m_state->fields;
}
const std::string& TableReader::problem() const {
    return m_state->problem;
}
std::string_view TableReader::raw() const {
    return m_state->raw;
}
std::int64_t TableReader::line() const {
    return m_state->line;
}
double TableReader::fractionRead() const {
    return m_state->lines.fractionRead();
}
const std::string& TableReader::file() const {
    return m_state->lines.file();
}
Result<SourceFile> TableReader::source() {
    return m_state->lines.source();
}

} // namespace carousel
