// SPDX-License-Identifier: GPL-3.0-or-later
// Any CSV or TSV with a column mapping, with optional tables of items and users.
#include "base/text.h"
#include "data/import/column_guess.h"
#include "data/import/event_rows.h"
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

// Paths in a mapping are relative to the folder of the interaction file.
std::string beside(const std::string& csvFile, const std::string& path) {
    return (std::filesystem::path(csvFile).parent_path() / path).string();
}

Result<void> readSideTable(const std::string& path, const std::string& idName, EntityTable& entities, Dataset& dataset,
                           ImportReport& report, const ImportLimits& limits, const RunControl& control) {
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(path, {}));
    CAROUSEL_ASSIGN(const int id, table.require(idName, "the id"));
    const auto n = table.columns().size();
    std::vector<std::vector<std::string>> texts(n);
    ImportLog log(report, limits, control, false);
    for (;;) {
        CAROUSEL_ASSIGN(const bool any, log.nextRow(table));
        if (!any)
            break;
        const auto fields = table.fields();
        const auto key = fields[static_cast<std::size_t>(id)];
        if (key.empty() || entities.ids.find(key) != noCode) {
            log.reject(table, key.empty() ? "empty id" : "repeated id",
                       key.empty() ? "" : fmt::format("id '{}' repeats an earlier row", quotedForMessage(key, 60)));
            continue;
        }
        entities.ids.add(key);
        for (std::size_t i = 0; i < n; ++i)
            texts[i].emplace_back(fields[i]);
        log.keep();
    }
    for (std::size_t i = 0; i < n; ++i)
        if (static_cast<int>(i) != id)
            entities.attributes.push_back(columnFromTexts(table.columns()[i], texts[i]));
    CAROUSEL_ASSIGN(auto source, log.finish(table, "csv", nlohmann::json{{"id", idName}}.dump()));
    dataset.sources.push_back(std::move(source));
    return {};
}

// Attribute columns of the interaction file: the first value that a user or item comes with counts.
class RowFields {
public:
    Result<void> find(const TableReader& table, const std::vector<std::string>& names, const std::string& role) {
        for (const auto& name : names) {
            CAROUSEL_ASSIGN(const int index, table.require(name, role));
            m_columns.push_back(static_cast<std::size_t>(index));
            m_names.push_back(name);
        }
        m_texts.resize(m_columns.size());
        return {};
    }
    void take(Code code, std::span<const std::string_view> fields) {
        for (std::size_t k = 0; k < m_columns.size(); ++k) {
            auto& texts = m_texts[k];
            if (texts.size() <= static_cast<std::size_t>(code))
                texts.resize(static_cast<std::size_t>(code) + 1);
            auto& text = texts[static_cast<std::size_t>(code)];
            const auto value = trimmed(fields[m_columns[k]]);
            if (text.empty())
                text = value;
            else if (!value.empty() && text != value)
                ++m_conflicts;
        }
    }
    void addTo(EntityTable& entities, const std::string& what, ImportReport& report) {
        for (std::size_t k = 0; k < m_columns.size(); ++k) {
            m_texts[k].resize(entities.size());
            entities.attributes.push_back(columnFromTexts(m_names[k], m_texts[k]));
        }
        if (m_conflicts > 0)
            report.warnings.push_back(
                fmt::format("{} rows give a {} another attribute value than an earlier row did; the first value counts.",
                            withThousands(m_conflicts), what));
    }

private:
    std::vector<std::size_t> m_columns;
    std::vector<std::string> m_names;
    std::vector<std::vector<std::string>> m_texts;
    std::int64_t m_conflicts = 0;
};

Result<void> checkNames(const EntityTable& entities) {
    for (std::size_t i = 0; i < entities.attributes.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (entities.attributes[i].name() == entities.attributes[j].name())
                return fail(ErrorKind::input, "CL-1005",
                            fmt::format("The attribute '{}' comes twice, from the interaction file and from the side table.",
                                        entities.attributes[i].name()),
                            "Leave one of them out of the mapping.");
    return {};
}

Result<EventColumns> findRoles(const TableReader& table, const TableMapping& mapping) {
    EventColumns roles;
    if (mapping.user.empty() || mapping.item.empty())
        return fail(ErrorKind::input, "CL-1010",
                    fmt::format("The mapping names no column for the {}.", mapping.user.empty() ? "user" : "item"),
                    "Name the columns of the user and of the item.");
    CAROUSEL_ASSIGN(roles.user, table.require(mapping.user, "the user"));
    CAROUSEL_ASSIGN(roles.item, table.require(mapping.item, "the item"));
    for (const auto& [name, role, index] : {std::tuple{&mapping.value, "the value", &roles.value},
                                            {&mapping.time, "the time", &roles.time},
                                            {&mapping.kind, "the event kind", &roles.kind}})
        if (!name->empty()) {
            CAROUSEL_ASSIGN(*index, table.require(*name, role));
        }
    roles.constantKind = !mapping.constantKind.empty() ? mapping.constantKind : (roles.value >= 0 ? "rating" : "click");
    CAROUSEL_ASSIGN(roles.timeUnit, timeUnit(mapping.timeUnit.empty() ? "auto" : mapping.timeUnit));
    return roles;
}

} // namespace

Result<Imported> importTable(const std::string& csvFile, const TableMapping& mapping, const ImportLimits& limits,
                             const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(csvFile, {mapping.delimiter, true, false}));
    CAROUSEL_ASSIGN(const EventColumns roles, findRoles(table, mapping));
    RowFields itemFields, userFields;
    CAROUSEL_TRY(itemFields.find(table, mapping.itemFields, "an item attribute"));
    CAROUSEL_TRY(userFields.find(table, mapping.userFields, "a user attribute"));

    Imported out{std::make_shared<Dataset>(), {}};
    auto& dataset = *out.dataset;
    const auto file = fileName(csvFile);
    dataset.name = file.substr(0, file.find('.'));
    dataset.title = dataset.name;
    if (!mapping.itemFile.empty())
        CAROUSEL_TRY(readSideTable(beside(csvFile, mapping.itemFile), mapping.itemId.empty() ? mapping.item : mapping.itemId, dataset.items,
                                   dataset, out.report, limits, control));
    if (!mapping.userFile.empty())
        CAROUSEL_TRY(readSideTable(beside(csvFile, mapping.userFile), mapping.userId.empty() ? mapping.user : mapping.userId, dataset.users,
                                   dataset, out.report, limits, control));
    std::function<void(Code, Code)> onKept;
    if (!mapping.itemFields.empty() || !mapping.userFields.empty())
        onKept = [&](Code user, Code item) {
            itemFields.take(item, table.fields());
            userFields.take(user, table.fields());
        };
    ImportLog log(out.report, limits, control, true);
    const auto options = nlohmann::json{{"mapping", writeMapping(mapping)}}.dump();
    CAROUSEL_ASSIGN(auto source, readEvents(table, roles, dataset, log, out.report, "csv", options, onKept));
    dataset.sources.push_back(std::move(source));
    if (log.kept() == 0)
        return noInteractions(file, out.report);
    for (auto* entities : {&dataset.users, &dataset.items})
        for (auto& column : entities->attributes)
            while (column.rows() < entities->size())
                column.appendMissing();
    itemFields.addTo(dataset.items, "item", out.report);
    userFields.addTo(dataset.users, "user", out.report);
    CAROUSEL_TRY(checkNames(dataset.items));
    CAROUSEL_TRY(checkNames(dataset.users));
    finishImport(out, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return out;
}

} // namespace carousel
