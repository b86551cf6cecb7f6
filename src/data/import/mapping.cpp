// SPDX-License-Identifier: GPL-3.0-or-later
// Column mappings: guessed from a file, and kept as TOML (*.import.toml) so that an import can be repeated without the window.
#include "base/file.h"
#include "base/text.h"
#include "data/import.h"
#include "data/import/column_guess.h"
#include "data/import/time_text.h"
#include <algorithm>
#include <sstream>
#include <toml++/toml.h>

namespace carousel {

namespace {

// Every text entry of a mapping with its key in the file.
template <class Mapping, class Visit> void forEachText(Mapping& mapping, const Visit& visit) {
    visit("user", mapping.user);
    visit("item", mapping.item);
    visit("value", mapping.value);
    visit("time", mapping.time);
    visit("kind", mapping.kind);
    visit("constant_kind", mapping.constantKind);
    visit("time_unit", mapping.timeUnit);
    visit("item_file", mapping.itemFile);
    visit("item_id", mapping.itemId);
    visit("user_file", mapping.userFile);
    visit("user_id", mapping.userId);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (byte < 0x20 || byte == 0x7F)
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(byte));
        else
            out += c;
    }
    return out + "\"";
}

std::string quotedList(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts)
        out += (out.size() > 1 ? ", " : "") + quoted(text);
    return out + "]";
}

tl::unexpected<Error> refused(const std::string& file, std::size_t line, const std::string& what, const std::string& hint) {
    return fail(ErrorKind::input, "CL-1010", fmt::format("'{}' line {}: {}.", file, line, what), hint);
}

} // namespace

Result<TableMapping> guessMapping(const std::string& csvFile) {
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(csvFile, {}));
    CAROUSEL_ASSIGN(const ColumnSample sample, sampleColumns(table, 1000));
    const auto& columns = table.columns();
    const int user = guessRole(columns, ColumnRole::user), item = guessRole(columns, ColumnRole::item);
    if (user < 0 || item < 0) {
        const bool noHeader =
            std::all_of(columns.begin(), columns.end(), [](const std::string& name) { return parseNumber(name).has_value(); });
        auto missing = table.require(user < 0 ? "user_id" : "item_id",
                                     user < 0 ? "the user; no column name looks like one" : "the item; no column name looks like one");
        Error error = missing ? Error{} : std::move(missing.error());
        if (noHeader)
            error.hint = "The first line looks like data: put a line with column names above it.";
        return fail(std::move(error));
    }
    auto nameOf = [&](int index) { return index < 0 ? std::string() : columns[static_cast<std::size_t>(index)]; };
    TableMapping mapping;
    mapping.user = nameOf(user);
    mapping.item = nameOf(item);
    mapping.kind = nameOf(guessRole(columns, ColumnRole::kind));
    mapping.delimiter = table.delimiter();
    const int value = guessRole(columns, ColumnRole::value), time = guessRole(columns, ColumnRole::time);
    if (value >= 0 && sample.types[static_cast<std::size_t>(value)] == "float")
        mapping.value = nameOf(value);
    if (time >= 0 && sample.types[static_cast<std::size_t>(time)] != "token" && sample.types[static_cast<std::size_t>(time)] != "empty")
        mapping.time = nameOf(time);
    return mapping;
}

Result<TableMapping> readMapping(const std::string& tomlFile) {
    CAROUSEL_ASSIGN(const std::string text, readFile(tomlFile, std::size_t(1) << 20));
    const auto file = fileName(tomlFile);
    toml::table table;
    try {
        table = toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        return refused(file, error.source().begin.line, std::string(error.description()), "Correct the line; the file is TOML.");
    }
    TableMapping mapping;
    std::vector<std::string> known{"delimiter", "item_fields", "user_fields"};
    Result<void> outcome;
    forEachText(mapping, [&](const char* key, std::string& target) {
        known.emplace_back(key);
        const auto* node = table.get(key);
        if (!node)
            return;
        if (const auto* value = node->as_string())
            target = value->get();
        else
            outcome = refused(file, node->source().begin.line, fmt::format("'{}' is not a text", key), "Write the value in quotes.");
    });
    CAROUSEL_TRY(outcome);
    for (const auto& [key, node] : table)
        if (std::find(known.begin(), known.end(), std::string(key.str())) == known.end()) {
            std::string list;
            for (const auto& one : known)
                list += (list.empty() ? "" : ", ") + one;
            return refused(file, key.source().begin.line, fmt::format("there is no setting '{}'", quotedForMessage(key.str())),
                           "Known settings: " + list + ".");
        }
    if (const auto* node = table.get("delimiter")) {
        const auto* value = node->as_string();
        if (!value || value->get().size() != 1 || value->get() == "\"" || value->get() == "\n" || value->get() == "\r")
            return refused(file, node->source().begin.line, "'delimiter' is not one character",
                           R"(Write for example delimiter = "," or "\t".)");
        mapping.delimiter = value->get()[0];
    }
    for (const auto& [key, target] : {std::pair{"item_fields", &mapping.itemFields}, {"user_fields", &mapping.userFields}})
        if (const auto* node = table.get(key)) {
            const auto* list = node->as_array();
            if (!list)
                return refused(file, node->source().begin.line, fmt::format("'{}' is not a list", key),
                               R"(Write for example ["title", "price"].)");
            for (const auto& entry : *list) {
                if (!entry.is_string())
                    return refused(file, entry.source().begin.line, fmt::format("'{}' holds something that is not a text", key),
                                   R"(Write for example ["title", "price"].)");
                target->push_back(entry.as_string()->get());
            }
        }
    if (mapping.user.empty() || mapping.item.empty())
        return refused(file, 1, fmt::format("'{}' is missing", mapping.user.empty() ? "user" : "item"),
                       "Name the columns of the user and of the item.");
    CAROUSEL_TRY(timeUnit(mapping.timeUnit));
    return mapping;
}

std::string writeMapping(const TableMapping& mapping) {
    std::string out = "# How the columns of a table are read (Carousel Lab)\n";
    forEachText(mapping, [&](const char* key, const std::string& text) {
        if (!text.empty())
            out += fmt::format("{} = {}\n", key, quoted(text));
    });
    if (mapping.delimiter != 0)
        out += fmt::format("delimiter = {}\n", quoted(std::string_view(&mapping.delimiter, 1)));
    if (!mapping.itemFields.empty())
        out += fmt::format("item_fields = {}\n", quotedList(mapping.itemFields));
    if (!mapping.userFields.empty())
        out += fmt::format("user_fields = {}\n", quotedList(mapping.userFields));
    return out;
}

} // namespace carousel
