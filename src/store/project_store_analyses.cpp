// SPDX-License-Identifier: GPL-3.0-or-later
// Finished analyses: written once, read back whole, or removed. Nothing changes one.
#include "store/blob.h"
#include "store/project_store_private.h"

namespace carousel {

namespace {
Error unknownAnalysis(std::int64_t id) {
    return {ErrorKind::input, "CL-4007", fmt::format("The project holds no analysis {}.", id), "See 'evaluate list' for those it holds."};
}
} // namespace

Result<std::int64_t> ProjectStore::saveAnalysis(const AnalysisRow& row, const std::string& documentJson) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked("saving an analysis", [&]() -> Result<std::int64_t> {
        const std::string document = store::packed(documentJson);
        SQLite::Statement insert(*m_d->database, "INSERT INTO analysis(kind, title, dataset, created_at, verdict, light, document) VALUES(?, ?, ?, ?, ?, ?, ?)");
        insert.bind(1, row.kind);
        insert.bind(2, row.title);
        insert.bind(3, row.dataset);
        insert.bind(4, store::now());
        insert.bind(5, row.verdict);
        insert.bind(6, row.light);
        insert.bindNoCopy(7, document.data(), static_cast<int>(document.size()));
        insert.exec();
        return m_d->database->getLastInsertRowid();
    });
}

Result<std::vector<AnalysisRow>> ProjectStore::analyses() {
    return m_d->locked("listing the analyses", [&]() -> Result<std::vector<AnalysisRow>> {
        std::vector<AnalysisRow> rows;
        SQLite::Statement query(*m_d->database, "SELECT id, kind, title, dataset, created_at, verdict, light FROM analysis ORDER BY id DESC");
        while (query.executeStep()) {
            auto text = [&](int column) { return query.getColumn(column).getString(); };
            rows.push_back({query.getColumn(0).getInt64(), text(1), text(2), text(3), text(4), text(5), text(6)});
        }
        return rows;
    });
}

Result<std::string> ProjectStore::analysisDocument(std::int64_t id) {
    return m_d->locked(fmt::format("reading analysis {}", id), [&]() -> Result<std::string> {
        SQLite::Statement query(*m_d->database, "SELECT document FROM analysis WHERE id = ?");
        query.bind(1, id);
        if (!query.executeStep())
            return fail(unknownAnalysis(id));
        const auto cell = query.getColumn(0);
        auto document = store::unpacked({static_cast<const char*>(cell.getBlob()), static_cast<std::size_t>(cell.getBytes())});
        if (!document)
            return fail(store::damaged(m_d->file, fmt::format("analysis {} fails its checksum", id)));
        return std::move(*document);
    });
}

Result<void> ProjectStore::removeAnalysis(std::int64_t id) {
    CAROUSEL_TRY(m_d->writable());
    return m_d->locked(fmt::format("removing analysis {}", id), [&]() -> Result<void> {
        SQLite::Statement remove(*m_d->database, "DELETE FROM analysis WHERE id = ?");
        remove.bind(1, id);
        if (remove.exec() == 0)
            return fail(unknownAnalysis(id));
        return {};
    });
}

} // namespace carousel
