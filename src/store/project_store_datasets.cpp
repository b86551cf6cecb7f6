// SPDX-License-Identifier: GPL-3.0-or-later
// Data sets in the project: columnar, packed, one transaction each, and the digest checked whenever one is loaded.
#include "store/blob.h"
#include "store/dataset_columns.h"
#include "store/project_store_private.h"

namespace carousel {

using nlohmann::json;

namespace {
std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

Error unknownDataset(SQLite::Database& database, const std::string& name) {
    std::string known;
    SQLite::Statement names(database, "SELECT name FROM dataset ORDER BY name");
    while (names.executeStep())
        known += (known.empty() ? "'" : ", '") + names.getColumn(0).getString() + "'";
    return {ErrorKind::input, "CL-4007", fmt::format("The project holds no data set '{}'.", name),
            known.empty() ? "Import one first." : fmt::format("It holds {}.", known)};
}

// Runs that were computed on this very data; they would lose their meaning without it.
std::string runsOn(SQLite::Database& database, const std::string& name) {
    std::string list;
    SQLite::Statement query(database, "SELECT id FROM run WHERE dataset = ? ORDER BY id");
    query.bind(1, name);
    while (query.executeStep())
        list += (list.empty() ? "" : ", ") + std::to_string(query.getColumn(0).getInt64());
    return list;
}

Result<void> insertColumns(SQLite::Database& database, std::int64_t id, const Dataset& dataset, const RunControl& control) {
    SQLite::Statement insert(database, "INSERT INTO dataset_column(dataset, name, part, bytes) VALUES(?, ?, ?, ?)");
    const double columns = 18 + (dataset.reviews.size() > 0 ? 10.0 : 0.0) + 3.0 * static_cast<double>(dataset.users.attributes.size() + dataset.items.attributes.size());
    double done = 0;
    return store::writeColumns(dataset, [&](const std::string& name, std::string_view bytes) -> Result<void> {
        int part = 0;
        do {
            if (control.stopRequested())
                return fail(RunControl::cancelled("Saving the data set"));
            const std::string cell = store::packed(bytes.substr(0, store::partBytes));
            bytes.remove_prefix(std::min(bytes.size(), store::partBytes));
            insert.bind(1, id);
            insert.bindNoCopy(2, name);
            insert.bind(3, part++);
            insert.bindNoCopy(4, cell.data(), static_cast<int>(cell.size()));
            insert.exec();
            insert.reset();
        } while (!bytes.empty());
        control.report("Saving", std::min(++done, columns), columns, "columns");
        return {};
    });
}
} // namespace

Result<void> ProjectStore::saveDataset(const Dataset& dataset, const ImportReport& report, const RunControl& control) {
    CAROUSEL_TRY(m_d->writable());
    const std::string digest = datasetDigest(dataset);
    return m_d->locked(fmt::format("saving the data set '{}'", dataset.name), [&]() -> Result<void> {
        auto& database = *m_d->database;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE); // rolls back on every early return
        SQLite::Statement old(database, "SELECT digest FROM dataset WHERE name = ?");
        old.bind(1, dataset.name);
        if (old.executeStep() && old.getColumn(0).getString() != digest)
            if (const std::string used = runsOn(database, dataset.name); !used.empty())
                return fail(ErrorKind::input, "CL-4011", fmt::format("The data set '{}' is used by run {} and the new data differ from it.", dataset.name, used),
                            "Import under another name, or remove those runs first.");
        old.reset();
        SQLite::Statement remove(database, "DELETE FROM dataset WHERE name = ?");
        remove.bind(1, dataset.name);
        remove.exec();
        SQLite::Statement insert(database, "INSERT INTO dataset(name, title, note, digest, imported_at, users, items, interactions, impressions, layout, report, reviews) "
                                           "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        insert.bind(1, dataset.name);
        insert.bind(2, dataset.title);
        insert.bind(3, dataset.note);
        insert.bind(4, digest);
        insert.bind(5, store::now());
        insert.bind(6, static_cast<std::int64_t>(dataset.users.size()));
        insert.bind(7, static_cast<std::int64_t>(dataset.items.size()));
        insert.bind(8, static_cast<std::int64_t>(dataset.interactions.size()));
        insert.bind(9, static_cast<std::int64_t>(dataset.impressions.size()));
        insert.bind(10, dumped(store::layoutOf(dataset)));
        insert.bind(11, dumped(store::toJson(report)));
        insert.bind(12, static_cast<std::int64_t>(dataset.reviews.size()));
        insert.exec();
        CAROUSEL_TRY(insertColumns(database, database.getLastInsertRowid(), dataset, control));
        transaction.commit();
        return {};
    });
}

Result<std::shared_ptr<Dataset>> ProjectStore::loadDataset(const std::string& name, const RunControl& control) {
    auto dataset = std::make_shared<Dataset>();
    CAROUSEL_TRY(m_d->locked(fmt::format("loading the data set '{}'", name), [&]() -> Result<void> {
        auto& database = *m_d->database;
        SQLite::Statement row(database, "SELECT id, title, note, digest, layout FROM dataset WHERE name = ?");
        row.bind(1, name);
        if (!row.executeStep())
            return fail(unknownDataset(database, name));
        const std::int64_t id = row.getColumn(0).getInt64();
        dataset->name = name;
        dataset->title = row.getColumn(1).getString();
        dataset->note = row.getColumn(2).getString();
        dataset->digest = row.getColumn(3).getString();
        const json layout = json::parse(row.getColumn(4).getString(), nullptr, false);
        SQLite::Statement parts(database, "SELECT bytes FROM dataset_column WHERE dataset = ? AND name = ? ORDER BY part");
        double done = 0;
        auto source = [&](const std::string& column) -> Result<std::string> {
            std::string bytes;
            bool any = false;
            parts.reset();
            parts.bind(1, id);
            parts.bindNoCopy(2, column);
            while (parts.executeStep()) {
                if (control.stopRequested())
                    return fail(RunControl::cancelled("Loading the data set"));
                const auto cell = parts.getColumn(0);
                const auto part = store::unpacked({static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes())});
                if (!part)
                    return fail(ErrorKind::project, "CL-4003", fmt::format("column '{}' cannot be unpacked", column));
                bytes += *part;
                any = true;
            }
            if (!any)
                return fail(ErrorKind::project, "CL-4003", fmt::format("column '{}' is missing", column));
            control.report("Loading", ++done, 0, "columns");
            return bytes;
        };
        Result<void> read;
        try {
            read = store::readColumns(*dataset, layout, source);
        } catch (const json::exception& exception) {
            return fail(store::damaged(m_d->file, fmt::format("the layout of the data set '{}' cannot be read ({})", name, exception.what())));
        }
        if (!read && read.error().code == "CL-4003")
            return fail(store::damaged(m_d->file, fmt::format("in the data set '{}', {}", name, read.error().message)));
        return read;
    }));
    if (const std::string digest = datasetDigest(*dataset); digest != dataset->digest)
        return fail(store::damaged(m_d->file, fmt::format("the data set '{}' has the digest {}, but was saved with {}", name, digest.substr(0, 12), dataset->digest.substr(0, 12))));
    return dataset;
}

Result<std::vector<DatasetRow>> ProjectStore::datasets() {
    return m_d->locked("listing the data sets", [&]() -> Result<std::vector<DatasetRow>> {
        std::vector<DatasetRow> rows;
        SQLite::Statement query(*m_d->database, "SELECT name, title, digest, imported_at, users, items, interactions, impressions, report, layout, reviews FROM dataset ORDER BY id");
        while (query.executeStep()) {
            DatasetRow row;
            row.name = query.getColumn(0).getString();
            row.title = query.getColumn(1).getString();
            row.digest = query.getColumn(2).getString();
            row.importedAt = query.getColumn(3).getString();
            row.users = query.getColumn(4).getInt64();
            row.items = query.getColumn(5).getInt64();
            row.interactions = query.getColumn(6).getInt64();
            row.impressions = query.getColumn(7).getInt64();
            row.reviews = query.getColumn(10).getInt64();
            json report = json::parse(query.getColumn(8).getString(), nullptr, false);
            const json layout = json::parse(query.getColumn(9).getString(), nullptr, false);
            if (!report.is_object() || !layout.is_object())
                return fail(store::damaged(m_d->file, fmt::format("the import report of the data set '{}' cannot be read", row.name)));
            report["sources"] = layout.value("sources", json::array());
            row.reportJson = dumped(report);
            rows.push_back(std::move(row));
        }
        return rows;
    });
}

Result<ImportReport> ProjectStore::importReport(const std::string& name) {
    return m_d->locked("reading an import report", [&]() -> Result<ImportReport> {
        SQLite::Statement query(*m_d->database, "SELECT report FROM dataset WHERE name = ?");
        query.bind(1, name);
        if (!query.executeStep())
            return fail(unknownDataset(*m_d->database, name));
        try {
            return store::reportFromJson(json::parse(query.getColumn(0).getString()));
        } catch (const json::exception& exception) {
            return fail(store::damaged(m_d->file, fmt::format("the import report of the data set '{}' cannot be read ({})", name, exception.what())));
        }
    });
}

Result<void> ProjectStore::removeDataset(const std::string& name) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("removing the data set '{}'", name), [&]() -> Result<void> {
        auto& database = *m_d->database;
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        if (const std::string used = runsOn(database, name); !used.empty())
            return fail(ErrorKind::input, "CL-4011", fmt::format("The data set '{}' is used by run {}.", name, used), "Remove those runs first.");
        SQLite::Statement remove(database, "DELETE FROM dataset WHERE name = ?");
        remove.bind(1, name);
        if (remove.exec() == 0)
            return fail(unknownDataset(database, name));
        transaction.commit();
        return {};
    });
}

} // namespace carousel
