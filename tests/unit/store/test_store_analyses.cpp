// SPDX-License-Identifier: GPL-3.0-or-later
// Finished analyses in a project: kept whole, listed newest first, removed, refused where runs are refused; projects made before there were
// analyses gain the table.
#include "base/file.h"
#include "store/project_store.h"
#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <sqlite3.h>

using namespace carousel;
namespace fs = std::filesystem;

namespace {
void sql(const std::string& file, const std::string& statements) {
    sqlite3* handle = nullptr;
    QCOMPARE(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
    char* message = nullptr;
    if (sqlite3_exec(handle, statements.c_str(), nullptr, nullptr, &message) != SQLITE_OK)
        qFatal("%s", message);
    sqlite3_close(handle);
}
template <class T> std::string codeOf(const Result<T>& result) { return result ? "ok" : result.error().code; }
// What version 2 of the schema looked like, written down here on purpose and never changed: a project of that time must open for ever.
const char* const schemaTwo = R"sql(
PRAGMA page_size=8192; PRAGMA application_id=1128354380;
CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dataset(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, note TEXT NOT NULL, digest TEXT NOT NULL, imported_at TEXT NOT NULL,
    users INTEGER NOT NULL, items INTEGER NOT NULL, interactions INTEGER NOT NULL, impressions INTEGER NOT NULL, layout TEXT NOT NULL, report TEXT NOT NULL);
CREATE TABLE dataset_column(dataset INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE, name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(dataset, name, part));
CREATE TABLE study(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, toml TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, study INTEGER NOT NULL REFERENCES study(id), strategy TEXT NOT NULL, dataset TEXT NOT NULL,
    dataset_digest TEXT NOT NULL, split_digest TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK(state IN ('running', 'interrupted', 'complete', 'failed')), created_at TEXT NOT NULL, finished_at TEXT NOT NULL,
    strategy_json TEXT NOT NULL, provenance TEXT NOT NULL, notes TEXT NOT NULL, users_done INTEGER NOT NULL, users_total INTEGER NOT NULL, error TEXT NOT NULL,
    tag TEXT NOT NULL DEFAULT '');
CREATE INDEX run_by_study ON run(study);
CREATE TABLE user_result(run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, user INTEGER NOT NULL, result BLOB NOT NULL, trace BLOB NOT NULL, UNIQUE(run, user));
CREATE TABLE completion(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES('clean', '1'); INSERT INTO setting VALUES('title', 'Last month');
INSERT INTO study VALUES(1, 'Old study', 'name = "old"', '2026-10-02T03:04:05Z');
INSERT INTO run VALUES(7, 1, 'Popularity', 'ml', 'd', 's', 'f', 'complete', '2026-10-02T03:04:05Z', '2026-10-02T03:05:05Z', '{}', '{}', '{}', 0, 10, '', 'mine');
PRAGMA user_version=2;
)sql";
const AnalysisRow someRow{0, "clicks", "Click models: shop", "shop", "", "The carousel model predicts best.", "supported"};
} // namespace

class TestStoreAnalyses : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    int m_next = 0;
    std::string fresh() {
        const auto folder = fs::path(m_folder.path().toStdString()) / std::to_string(m_next++);
        fs::create_directories(folder);
        return (folder / "p.carousel").string();
    }

private slots:
    void documentsAreKeptListedAndRemoved() {
        const auto file = fresh();
        const std::string document = "{\"figures\":[" + std::string(50000, '1') + "]}";
        {
            auto store = *ProjectStore::create(file, "Test");
            QVERIFY(store->analyses()->empty());
            QCOMPARE(*store->saveAnalysis(someRow, document), std::int64_t(1));
            auto second = someRow;
            second.kind = "lens";
            second.light.clear();
            QCOMPARE(*store->saveAnalysis(second, "{}"), std::int64_t(2));
        }
        auto store = *ProjectStore::open(file);
        const auto rows = *store->analyses();
        QCOMPARE(rows.size(), std::size_t(2));
        QCOMPARE(rows[0].kind, std::string("lens")); // newest first
        QCOMPARE(rows[1].title, someRow.title);
        QCOMPARE(rows[1].dataset, someRow.dataset);
        QCOMPARE(rows[1].verdict, someRow.verdict);
        QCOMPARE(rows[1].light, someRow.light);
        QVERIFY(!rows[1].createdAt.empty());
        QVERIFY(*store->analysisDocument(1) == document);
        QVERIFY(store->integrityCheck());
        QVERIFY(store->removeAnalysis(1));
        QCOMPARE(codeOf(store->analysisDocument(1)), std::string("CL-4007"));
        QCOMPARE(codeOf(store->removeAnalysis(1)), std::string("CL-4007"));
        QVERIFY(*store->saveAnalysis(someRow, "{}") == 3); // a number is never given twice
    }

    void readingAloneChangesNothing() {
        const auto file = fresh();
        QVERIFY((*ProjectStore::create(file, "Test"))->saveAnalysis(someRow, "{\"a\":1}"));
        auto store = *ProjectStore::open(file, true);
        QCOMPARE(codeOf(store->saveAnalysis(someRow, "{}")), std::string("CL-4005"));
        QCOMPARE(codeOf(store->removeAnalysis(1)), std::string("CL-4005"));
        QVERIFY(*store->analysisDocument(1) == "{\"a\":1}");
    }

    void damageIsNamed() {
        const auto file = fresh();
        QVERIFY((*ProjectStore::create(file, "Test"))->saveAnalysis(someRow, "{\"a\":1}"));
        sql(file, "UPDATE analysis SET document = x'0001'");
        auto store = *ProjectStore::open(file);
        QCOMPARE(codeOf(store->analysisDocument(1)), std::string("CL-4003"));
        QCOMPARE(codeOf(store->integrityCheck()), std::string("CL-4003"));
    }

    void aProjectOfVersionTwoGainsTheTable() {
        const auto file = fresh();
        sql(file, schemaTwo);
        QCOMPARE(codeOf(ProjectStore::open(file, true)), std::string("CL-4005")); // reading alone may not upgrade it
        auto opened = ProjectStore::open(file);
        QVERIFY2(opened, opened ? "" : describe(opened.error()).c_str());
        auto& store = **opened;
        QCOMPARE(store.schemaVersion(), 4);
        QCOMPARE(*store.setting("title"), std::string("Last month"));
        QCOMPARE(store.run(7)->tag, std::string("mine"));
        QVERIFY(store.analyses()->empty());
        QVERIFY(store.saveAnalysis(someRow, "{}"));
        QCOMPARE(store.analyses()->size(), std::size_t(1));
        QVERIFY(store.integrityCheck());
        QCOMPARE(readFile(file + ".bak-v2")->substr(60, 4), std::string("\0\0\0\2", 4));
    }
};

QTEST_APPLESS_MAIN(TestStoreAnalyses)
#include "test_store_analyses.moc"
