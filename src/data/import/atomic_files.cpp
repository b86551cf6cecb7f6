// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/atomic_files.h"
#include "base/file.h"
#include "base/text.h"
#include "data/import/review_rows.h"
#include <cmath>

namespace carousel {

namespace {

bool isWholeText(const std::string& column) {
    for (const char* part : {"title", "description", "abstract", "summary"})
        if (column == part || column.ends_with(std::string("_") + part))
            return true;
    return column == "name" || column == "text" || column == "item_name" || column == "product_name";
}

int indexOf(const std::vector<AtomicColumn>& columns, std::initializer_list<const char*> names) {
    for (const char* name : names)
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (columns[i].name == name)
                return static_cast<int>(i);
    return -1;
}

Result<int> requireColumn(const TableReader& table, const std::vector<AtomicColumn>& columns, const char* name, const std::string& role) {
    const int found = indexOf(columns, {name});
    if (found < 0)
        return table.require(std::string(name) + ":token", role);
    return found;
}

// The values of one cell, or what is wrong with it.
Result<void> appendCell(AttributeColumn& column, std::string_view cell) {
    std::vector<std::string_view> parts;
    const bool sequence = column.type() == FieldType::tokenSeq || column.type() == FieldType::numberSeq;
    if (sequence) {
        for (const auto part : split(cell, ' '))
            if (!part.empty())
                parts.push_back(part);
    } else if (const auto whole = trimmed(cell); !whole.empty()) {
        parts.push_back(whole);
    }
    if (!column.isNumeric()) {
        column.appendTokens(parts);
        return {};
    }
    std::vector<double> numbers;
    for (const auto part : parts) {
        const auto number = parseNumber(part);
        if (!number)
            return fail(ErrorKind::input, "CL-1008",
                        fmt::format("column '{}': '{}' is not a number", column.name(), quotedForMessage(part, 60)));
        numbers.push_back(*number);
    }
    column.appendNumbers(numbers);
    return {};
}

Result<void> readSideTable(const std::string& path, const char* idName, EntityTable& entities, Dataset& dataset, ImportReport& report,
                           const ImportLimits& limits, const RunControl& control, const std::string& importer) {
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(path, {'\t', false, false}));
    CAROUSEL_ASSIGN(const auto columns, atomicColumns(table));
    CAROUSEL_ASSIGN(const int id, requireColumn(table, columns, idName, "the id"));
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (static_cast<int>(i) != id)
            entities.attributes.emplace_back(columns[i].name, columns[i].type);
    ImportLog log(report, limits, control, false);
    for (;;) {
        CAROUSEL_ASSIGN(const bool any, log.nextRow(table));
        if (!any)
            break;
        const auto fields = table.fields();
        const auto text = fields[static_cast<std::size_t>(id)];
        if (text.empty() || entities.ids.find(text) != noCode) {
            log.reject(table, text.empty() ? "empty id" : "repeated id",
                       text.empty() ? "" : fmt::format("id '{}' repeats an earlier row", quotedForMessage(text, 60)));
            continue;
        }
        // A bad number costs the value, not the row: the item may still be interacted with.
        entities.ids.add(text);
        bool sound = true;
        std::size_t attribute = 0;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (static_cast<int>(i) == id)
                continue;
            auto& column = entities.attributes[attribute++];
            if (const auto appended = appendCell(column, fields[i]); !appended) {
                column.appendMissing();
                if (sound)
                    log.reject(table, fmt::format("column '{}': not a number (kept without it)", column.name()),
                               appended.error().message + " (kept without it)");
                sound = false;
            }
        }
        if (sound)
            log.keep();
    }
    CAROUSEL_ASSIGN(auto source, log.finish(table, importer, "{}"));
    dataset.sources.push_back(std::move(source));
    return {};
}

} // namespace

void fillMissing(EntityTable& entities) {
    for (auto& column : entities.attributes)
        while (column.rows() < entities.size())
            column.appendMissing();
}

std::string existingFile(const std::string& path) {
    for (const char* ending : {"", ".gz", ".zst", ".xz", ".bz2"})
        if (fileExists(path + ending))
            return path + ending;
    return {};
}

Result<std::vector<AtomicColumn>> atomicColumns(const TableReader& table) {
    std::vector<AtomicColumn> out;
    for (const auto& cell : table.columns()) {
        const auto colon = cell.rfind(':');
        const std::string type = colon == std::string::npos ? "" : cell.substr(colon + 1);
        AtomicColumn column{cell.substr(0, colon), FieldType::token};
        if (type == "token_seq")
            column.type = FieldType::tokenSeq;
        else if (type == "float")
            column.type = FieldType::number;
        else if (type == "float_seq")
            column.type = FieldType::numberSeq;
        else if (type != "token" || column.name.empty())
            return fail(
                ErrorKind::input, "CL-1005",
                fmt::format("'{}' line 1: the header cell '{}' is not 'name:type' with a type of token, token_seq, float, float_seq.",
                            table.file(), quotedForMessage(cell)),
                "Correct the header, or import the file as a CSV/TSV table with a column mapping.");
        if (column.type == FieldType::tokenSeq && isWholeText(column.name))
            column.type = FieldType::token;
        for (const auto& earlier : out)
            if (earlier.name == column.name)
                return fail(ErrorKind::input, "CL-1005",
                            fmt::format("'{}' line 1: the header names '{}' twice.", table.file(), quotedForMessage(column.name)),
                            "Give every column its own name.");
        out.push_back(std::move(column));
    }
    return out;
}

Result<void> readAtomicFiles(const std::string& base, Dataset& dataset, ImportReport& report, const ImportLimits& limits,
                             const RunControl& control, const std::string& importer) {
    const auto inter = existingFile(base + ".inter");
    // The interactions are opened first, so that a wrong file is refused before anything else is read.
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(inter.empty() ? base + ".inter" : inter, {'\t', false, false}));
    CAROUSEL_ASSIGN(const auto columns, atomicColumns(table));
    EventColumns roles;
    CAROUSEL_ASSIGN(roles.user, requireColumn(table, columns, "user_id", "the user"));
    CAROUSEL_ASSIGN(roles.item, requireColumn(table, columns, "item_id", "the item"));
    roles.value = indexOf(columns, {"rating", "value"});
    roles.time = indexOf(columns, {"timestamp", "time"});
    roles.kind = indexOf(columns, {"event", "kind"});
    roles.constantKind = roles.value >= 0 ? "rating" : "click";
    std::string ignored;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const int index = static_cast<int>(i);
        if (index != roles.user && index != roles.item && index != roles.value && index != roles.time && index != roles.kind)
            ignored += (ignored.empty() ? "'" : ", '") + columns[i].name + "'";
    }
    if (!ignored.empty())
        report.warnings.push_back(fmt::format("Columns of '{}' that are not used: {}.", table.file(), ignored));
    // Side tables come before the interactions: the catalogue keeps its own order, and codes say nothing about who met an item first.
    if (const auto items = existingFile(base + ".item"); !items.empty())
        CAROUSEL_TRY(readSideTable(items, "item_id", dataset.items, dataset, report, limits, control, importer));
    if (const auto users = existingFile(base + ".user"); !users.empty())
        CAROUSEL_TRY(readSideTable(users, "user_id", dataset.users, dataset, report, limits, control, importer));
    ImportLog log(report, limits, control, true);
    CAROUSEL_ASSIGN(auto source, readEvents(table, roles, dataset, log, report, importer, "{}"));
    dataset.sources.push_back(std::move(source));
    if (log.kept() == 0)
        return noInteractions(table.file(), report);
    if (const auto reviews = existingFile(base + ".review"); !reviews.empty())
        CAROUSEL_TRY(readReviews(reviews, dataset, report, limits, control, importer));
    fillMissing(dataset.items);
    fillMissing(dataset.users);
    return {};
}

} // namespace carousel
