// SPDX-License-Identifier: GPL-3.0-or-later
// A look at a file before anything is imported: its format, columns and first rows.
#include "base/text.h"
#include "data/import/atomic_files.h"
#include "data/import/column_guess.h"
#include <algorithm>
#include <filesystem>

namespace carousel {

namespace fs = std::filesystem;

namespace {

// "ml-100k.inter.gz" -> "ml-100k.inter"
std::string withoutPacking(std::string name) {
    for (const std::string_view packed : {".gz", ".zst", ".xz", ".bz2"})
        if (name.ends_with(packed))
            return name.substr(0, name.size() - packed.size());
    return name;
}

bool isAtomic(const std::string& name) {
    const auto plain = withoutPacking(name);
    for (const char* ending : {".inter", ".item", ".user", ".review", ".slates"})
        if (plain.ends_with(ending))
            return true;
    return false;
}

// The file of a folder that tells most about it.
Result<std::string> mainFile(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        names.push_back(it->path().filename().string());
    std::sort(names.begin(), names.end());
    for (const auto& name : names)
        if (withoutPacking(name).ends_with(".inter"))
            return folder + "/" + name;
    const fs::path root(folder);
    for (const char* policy : {"random", "bts"})
        for (const char* campaign : {"all", "men", "women"})
            for (const auto& log : {root / policy / campaign / (std::string(campaign) + ".csv"),
                                    root / campaign / (std::string(campaign) + ".csv"), root / (std::string(campaign) + ".csv")})
                if (fs::is_regular_file(log, error))
                    return log.string();
    return fail(ErrorKind::input, "CL-1014",
                fmt::format("'{}' holds no data set that is known: no .inter file and no Open Bandit log.", folder),
                "Give a folder with RecBole atomic files, an Open Bandit folder, or a CSV/TSV file.");
}

std::string delimiterName(char delimiter) {
    return delimiter == '\t' ? "tab" : fmt::format("'{}'", delimiter);
}

void addTypes(const std::string& format, const std::vector<AtomicColumn>& declared, const ColumnSample& sample, FileInspection& out) {
    for (std::size_t i = 0; i < out.columns.size(); ++i)
        out.guessedTypes.push_back(format == "recbole" || format == "six-of-hundreds" ? std::string(name(declared[i].type))
                                                                                      : sample.types[i]);
}

void addNotes(const std::string& path, const ColumnSample& sample, FileInspection& out) {
    if (withoutPacking(path) != path)
        out.notes.push_back("The file is compressed and is read as it lies.");
    if (sample.problems > 0)
        out.notes.push_back(
            fmt::format("{} of the first {} rows cannot be split; the first is {}.", sample.problems, sample.read, sample.firstProblem));
    if (sample.read == 0)
        out.notes.push_back("The file has a header and no rows.");
    if (out.format != "csv")
        return;
    out.notes.push_back("Columns are separated by " + delimiterName(out.delimiter) + ".");
    if (std::all_of(out.columns.begin(), out.columns.end(), [](const std::string& column) { return parseNumber(column).has_value(); }))
        out.notes.push_back("The first line looks like data: put a line with column names above it.");
    if (out.columns.front().empty())
        out.notes.push_back("Column 1 has no name: give it one before importing.");
    if (out.columns.size() == 1)
        out.notes.push_back("There is one column only: the delimiter may be another one.");
}

} // namespace

Result<FileInspection> inspectFile(const std::string& path) {
    std::error_code error;
    std::string file = path;
    if (fs::is_directory(path, error)) {
        CAROUSEL_ASSIGN(file, mainFile(path));
    }
    const auto plainName = fileName(file);
    const bool atomic = isAtomic(plainName);
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(file, atomic ? TableFormat{'\t', false, false} : TableFormat{0, true, true}));
    FileInspection out;
    out.format = "csv";
    if (atomic)
        out.format = startsWith(plainName, "six_of_hundreds.") ? "six-of-hundreds" : "recbole";
    else if (table.column("position") >= 0 && table.column("click") >= 0 &&
             (table.column("propensity_score") >= 0 || table.column("action_prob") >= 0))
        out.format = "open-bandit";
    out.columns = table.columns();
    out.delimiter = table.delimiter();
    std::vector<AtomicColumn> declared;
    if (atomic) {
        CAROUSEL_ASSIGN(declared, atomicColumns(table));
    }
    CAROUSEL_ASSIGN(ColumnSample sample, sampleColumns(table, 1000));
    addTypes(out.format, declared, sample, out);
    addNotes(file, sample, out);
    out.firstRows = std::move(sample.rows);
    return out;
}

} // namespace carousel
