// SPDX-License-Identifier: GPL-3.0-or-later
// Importers: files -> Dataset + report. Streaming; a refusal leaves nothing behind. All errors are ErrorKind::input, CL-10nn, and name
// file, line and field. Rows that cannot be read are rejected one by one (line, reason, raw text); more than `rejectLimit` of the rows stops it.
#pragma once
#include "base/run_control.h"
#include "data/dataset.h"

namespace carousel {

struct Imported {
    std::shared_ptr<Dataset> dataset;
    ImportReport report;
};

struct ImportLimits {
    double rejectShare = 0.01; // stop when more of the rows are rejected ...
    std::int64_t rejectMinimum = 1; // ... and at least so many
    bool keepGoing = false;    // the analyst said: import what can be read
};

// RecBole atomic files: FOLDER/NAME.inter with optional .item, .user and .review (written opinions, one a line); header cells "name:type".
Result<Imported> importRecBole(const std::string& folderOrInterFile, const ImportLimits& limits, const RunControl& control);

// Open Bandit: FOLDER with {random,bts}/{all,men,women}/*.csv, or one such campaign folder. campaign "all", "men" or "women".
Result<Imported> importOpenBandit(const std::string& folder, const std::string& campaign, const ImportLimits& limits, const RunControl& control);

// A CSV/TSV with a column mapping. Roles of columns; every other column is ignored unless named in userFields/itemFields.
struct TableMapping {
    std::string user, item;              // column names; required
    std::string value, time, kind;       // optional columns
    std::string constantKind;            // event kind when there is no kind column; default "rating" with a value column, else "click"
    std::string timeUnit = "auto";       // "s", "ms", "us", "iso", "auto"
    char delimiter = 0;                  // 0: found from the header
    std::vector<std::string> itemFields, userFields; // attribute columns of the interaction file itself
    std::string itemFile, itemId;        // optional item table with its id column; other columns become attributes
    std::string userFile, userId;
};
Result<TableMapping> guessMapping(const std::string& csvFile);           // from header names and the first rows
Result<TableMapping> readMapping(const std::string& tomlFile);           // *.import.toml
std::string writeMapping(const TableMapping& mapping);                    // TOML text
Result<Imported> importTable(const std::string& csvFile, const TableMapping& mapping, const ImportLimits& limits, const RunControl& control);

// The project's own sample set in sample_data/ (compressed atomic files + impressions). See sample_data/SOURCE.md.
Result<Imported> importSixOfHundreds(const std::string& folder, const RunControl& control);

// First rows and column facts of a file before anything is imported (`data inspect`, the import page).
struct FileInspection {
    std::string format; // "recbole", "open-bandit", "csv", "six-of-hundreds"
    char delimiter = ',';
    std::vector<std::string> columns;
    std::vector<std::string> guessedTypes;
    std::vector<std::vector<std::string>> firstRows; // at most 20
    std::vector<std::string> notes;
};
Result<FileInspection> inspectFile(const std::string& path);

} // namespace carousel
