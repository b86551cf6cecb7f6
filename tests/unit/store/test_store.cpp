// SPDX-License-Identifier: GPL-3.0-or-later
// The project store: round trips, refusals, migration, locks. Raw SQLite is used to make files that are wrong in a known way.
#include "base/file.h"
#include "base/hash.h"
#include "store_samples.h"
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <csignal>
#include <unistd.h>

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
std::size_t filesIn(const std::string& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        (void)entry;
        ++count;
    }
    return count;
}
// What version 1 of the schema looked like, written down here on purpose and never changed: a project of that time must open for ever.
const char* const schemaOne = R"sql(
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
    strategy_json TEXT NOT NULL, provenance TEXT NOT NULL, notes TEXT NOT NULL, users_done INTEGER NOT NULL, users_total INTEGER NOT NULL, error TEXT NOT NULL);
CREATE TABLE user_result(run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, user INTEGER NOT NULL, result BLOB NOT NULL, trace BLOB NOT NULL, UNIQUE(run, user));
CREATE TABLE completion(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES('clean', '1'); INSERT INTO setting VALUES('title', 'Old project');
INSERT INTO study VALUES(1, 'Old study', 'name = "old"', '2026-01-02T03:04:05Z');
INSERT INTO run VALUES(7, 1, 'Popularity', 'ml', 'd', 's', 'f', 'complete', '2026-01-02T03:04:05Z', '2026-01-02T03:05:05Z', '{}', '{}', '{}', 0, 10, '');
PRAGMA user_version=1;
)sql";
} // namespace

class TestStore : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    int m_next = 0;
    std::string fresh() { // a project path in a folder of its own
        const auto folder = fs::path(m_folder.path().toStdString()) / std::to_string(m_next++);
        fs::create_directories(folder);
        return (folder / "p.carousel").string();
    }
    std::string made() {
        const auto file = fresh();
        auto store = ProjectStore::create(file, "Test");
        if (!store)
            qFatal("%s", describe(store.error()).c_str());
        return file;
    }

private slots:
    void aNewProjectIsOneFileWithItsMarks() {
        const auto file = fresh();
        {
            auto store = ProjectStore::create(file, "My project");
            QVERIFY2(store, store ? "" : describe(store.error()).c_str());
            QCOMPARE((*store)->schemaVersion(), 4);
            QCOMPARE(*(*store)->setting("title"), std::string("My project"));
            QCOMPARE(*(*store)->setting("unset"), std::string());
            QVERIFY((*store)->integrityCheck());
            QCOMPARE(codeOf(ProjectStore::create(file, "Again")), std::string("CL-5005"));
        }
        QCOMPARE(filesIn(fs::path(file).parent_path()), std::size_t(1)); // no -wal, -shm, .lock or part of a file
        const auto bytes = *readFile(file);
        QCOMPARE(bytes.substr(68, 4), std::string("CARL"));
        QCOMPARE(bytes.substr(60, 4), std::string("\0\0\0\4", 4));
        QCOMPARE(bytes.substr(16, 2), std::string("\x20\0", 2)); // pages of 8192 bytes
    }

    void aDatasetComesBackTheSame() {
        const auto file = made();
        const auto data = madeDataset("made", 300, 200, 5000);
        ImportReport report;
        report.rowsRead = 5003;
        report.rowsKept = 5000;
        report.rowsRejected = 3;
        report.rejects = {{17, "made.inter", "text in a number column", "u1\tbad \xff byte"}};
        report.rejectReasons = {{"text in a number column", 3}};
        report.firstTime = 880000000;
        report.warnings = {"a warning"};
        {
            auto store = *ProjectStore::open(file);
            QVERIFY(store->saveDataset(data, report, {}));
        }
        auto store = *ProjectStore::open(file);
        const auto loaded = store->loadDataset("made", {});
        QVERIFY2(loaded, loaded ? "" : describe(loaded.error()).c_str());
        const Dataset& back = **loaded;
        QCOMPARE(back.digest, data.digest);
        QCOMPARE(back.title, data.title);
        QCOMPARE(back.note, data.note);
        QCOMPARE(back.users.ids.ids(), data.users.ids.ids());
        QCOMPARE(back.items.attributes.size(), std::size_t(2));
        for (std::size_t row = 0; row < data.items.size(); ++row)
            QCOMPARE(back.items.attributes[1].text(row), data.items.attributes[1].text(row));
        for (std::size_t row = 0; row < data.users.size(); ++row)
            QCOMPARE(back.users.attributes[0].missing(row), data.users.attributes[0].missing(row));
        QVERIFY(back.interactions.time == data.interactions.time && back.interactions.value == data.interactions.value && back.interactions.kinds == data.interactions.kinds);
        QVERIFY(back.impressions.policy == data.impressions.policy && back.impressions.slot == data.impressions.slot);
        QVERIFY(std::isnan(back.impressions.propensity[0]) && back.impressions.propensity[1] == 0.25f);
        QCOMPARE(back.sources.front().rowsKept, std::int64_t(5000));
        const auto rows = *store->datasets();
        QCOMPARE(rows.size(), std::size_t(1));
        QCOMPARE(rows[0].interactions, std::int64_t(5000));
        QVERIFY(rows[0].reportJson.find("\"sources\"") != std::string::npos);
        const auto reportBack = *store->importReport("made");
        QCOMPARE(reportBack.rejects.front().line, std::int64_t(17));
        QCOMPARE(reportBack.firstTime, report.firstTime);
        QCOMPARE(reportBack.lastTime, noTime);
        QCOMPARE(codeOf(store->loadDataset("other", {})), std::string("CL-4007"));
        QVERIFY(store->loadDataset("other", {}).error().hint.find("'made'") != std::string::npos);
    }

    void reviewsComeBackTheSame() {
        const auto file = made();
        auto data = madeDataset("made", 30, 20, 500);
        const auto without = data.digest;
        auto& r = data.reviews;
        for (int i = 0; i < 40; ++i) {
            r.user.push_back(i % 30);
            r.item.push_back(i % 20);
            r.stars.push_back(i % 4 == 0 ? std::numeric_limits<float>::quiet_NaN() : 2.5f);
            r.time.push_back(i % 5 == 0 ? noTime : 880000000 + i);
            r.headline.push_back(i % 3 == 0 ? "" : fmt::format("Headline {} ☕", i));
            r.text.push_back(i % 7 == 0 ? "" : std::string(static_cast<std::size_t>(i) * 50, 'x'));
            r.feature.push_back(i % 2 == 0 ? "zip" : "");
        }
        data.digest = datasetDigest(data);
        QVERIFY(data.digest != without);
        {
            auto store = *ProjectStore::open(file);
            QVERIFY(store->saveDataset(data, {}, {}));
            QVERIFY(store->saveDataset(madeDataset("plain", 30, 20, 500), {}, {}));
        }
        {
            auto store = *ProjectStore::open(file);
            const auto rows = *store->datasets();
            QCOMPARE(rows[0].reviews, std::int64_t(40));
            QCOMPARE(rows[1].reviews, std::int64_t(0));
            const auto back = store->loadDataset("made", {});
            QVERIFY2(back, back ? "" : describe(back.error()).c_str());
            const auto& b = (*back)->reviews;
            QCOMPARE((*back)->digest, data.digest);
            QVERIFY(b.user == r.user && b.item == r.item && b.time == r.time && b.headline == r.headline && b.text == r.text && b.feature == r.feature);
            QVERIFY(std::isnan(b.stars[0]) && b.stars[1] == 2.5f);
            QCOMPARE((*store->loadDataset("plain", {}))->digest, without);
            QCOMPARE((*store->loadDataset("plain", {}))->reviews.size(), std::size_t(0));
        }
        // A file that says another number of reviews than it holds is damaged, and says where.
        sql(file, "UPDATE dataset SET layout = json_set(layout, '$.reviews', 41) WHERE name = 'made'");
        const auto refused = (*ProjectStore::open(file))->loadDataset("made", {});
        QCOMPARE(codeOf(refused), std::string("CL-4003"));
        QVERIFY(refused.error().message.find("41") != std::string::npos);
    }

    void hundredThousandInteractionsSaveInHalfASecond() {
        auto store = *ProjectStore::open(made());
        const auto data = madeDataset("ml", 943, 1682, 100000);
        double best = 1e9;
        for (int i = 0; i < 3; ++i) { // the best of three: other programs may be busy
            QElapsedTimer timer;
            timer.start();
            QVERIFY(store->saveDataset(data, {}, {}));
            best = std::min(best, static_cast<double>(timer.nsecsElapsed()) / 1e9);
        }
        QElapsedTimer timer;
        timer.start();
        QVERIFY(store->loadDataset("ml", {}));
        qInfo("saved in %.3f s, loaded in %.3f s", best, static_cast<double>(timer.nsecsElapsed()) / 1e9);
        QVERIFY2(best < 0.5, qPrintable(QString::number(best)));
    }

    void replacingOrRemovingDataThatRunsUseIsRefused() {
        auto store = *ProjectStore::open(made());
        const auto data = madeDataset("made", 20, 10, 100);
        QVERIFY(store->saveDataset(data, {}, {}));
        const auto run = *store->beginRun(madeRun());
        QVERIFY(store->saveDataset(data, {}, {})); // the same data again changes nothing
        const auto replaced = store->saveDataset(madeDataset("made", 20, 10, 101), {}, {});
        QCOMPARE(codeOf(replaced), std::string("CL-4011"));
        QCOMPARE(codeOf(store->removeDataset("made")), std::string("CL-4011"));
        QVERIFY(store->loadDataset("made", {})); // refused means untouched
        QVERIFY(store->removeRun(run));
        QVERIFY(store->removeDataset("made"));
        QCOMPARE(codeOf(store->removeDataset("made")), std::string("CL-4007"));
        QVERIFY(store->datasets()->empty());
    }

    void aStoppedSaveLeavesTheOldData() {
        auto store = *ProjectStore::open(made());
        QVERIFY(store->saveDataset(madeDataset("made", 20, 10, 100), {}, {}));
        std::stop_source source;
        source.request_stop();
        QCOMPARE(codeOf(store->saveDataset(madeDataset("made", 20, 10, 200), {}, RunControl(source.get_token()))), std::string("CL-7001"));
        QCOMPARE((*store->loadDataset("made", {}))->interactions.size(), std::size_t(100));
    }

    void dataThatChangedInTheFileIsNamed() {
        const auto file = made();
        {
            auto store = *ProjectStore::open(file);
            QVERIFY(store->saveDataset(madeDataset("made", 20, 10, 100), {}, {}));
        }
        sql(file, "UPDATE dataset SET digest = 'ffff'");
        {
            auto store = *ProjectStore::open(file);
            QCOMPARE(codeOf(store->loadDataset("made", {})), std::string("CL-4003"));
        }
        sql(file, "UPDATE dataset_column SET bytes = x'0001' WHERE name = 'interactions.user'");
        auto store = *ProjectStore::open(file);
        QCOMPARE(codeOf(store->loadDataset("made", {})), std::string("CL-4003"));
    }

    void userResultsKeepTheirExactBits() {
        const auto file = made();
        std::int64_t run = 0;
        std::vector<UserResult> given;
        for (Code user = 0; user < 50; ++user)
            given.push_back(madeResult(user));
        given[3].slate[0] = {5, std::numeric_limits<float>::quiet_NaN(), ScoreStatus::invalid}; // carried with its status
        given[4].slate[0].score = -0.0f;
        given[5].slate[0].score = 1e-42f; // denormal
        given[6] = UserResult{};
        given[6].user = 6;
        {
            auto store = *ProjectStore::open(file);
            run = *store->beginRun(madeRun());
            QVERIFY(store->appendUsers(run, {given.begin() + 25, given.end()}));
            QVERIFY(store->appendUsers(run, {given.begin(), given.begin() + 25}));
        }
        auto store = *ProjectStore::open(file);
        QCOMPARE(store->finishedUsers(run)->size(), std::size_t(50));
        auto back = *store->userResults(run);
        QCOMPARE(back.size(), std::size_t(50));
        QVERIFY(std::isnan(back[3].slate[0].score) && back[3].slate[0].status == ScoreStatus::invalid);
        QVERIFY(std::signbit(back[4].slate[0].score));
        back[3].slate[0].score = given[3].slate[0].score = 0;
        QVERIFY(back == given);
        QCOMPARE(store->run(run)->usersDone, std::int64_t(50));
        QVERIFY(store->integrityCheck());
    }

    void whatIsNotANumberIsRefused() {
        auto store = *ProjectStore::open(made());
        const auto run = *store->beginRun(madeRun());
        auto bad = [&](auto change) {
            auto result = madeResult(1);
            change(result);
            return codeOf(store->appendUsers(run, {madeResult(0), result}));
        };
        const float nan = std::numeric_limits<float>::quiet_NaN();
        QCOMPARE(bad([&](UserResult& r) { r.slate[7].score = nan; }), std::string("CL-4012"));
        QCOMPARE(bad([&](UserResult& r) { r.slate[7].score = std::numeric_limits<float>::infinity(); }), std::string("CL-4012"));
        QCOMPARE(bad([&](UserResult& r) { r.rankScore[2] = nan; }), std::string("CL-4012"));
        QCOMPARE(bad([&](UserResult& r) { r.auc = nan; }), std::string("CL-4012"));
        QVERIFY(store->finishedUsers(run)->empty()); // nothing of a refused batch
        auto data = madeDataset("made", 20, 10, 100);
        data.interactions.value[50] = nan;
        QCOMPARE(codeOf(store->saveDataset(data, {}, {})), std::string("CL-4012"));
        QVERIFY(store->datasets()->empty());
    }

    void aRunIsImmutableOnceComplete() {
        auto store = *ProjectStore::open(made());
        const auto study = *store->beginStudy("Study A", "name = \"A\"");
        auto row = madeRun();
        row.study = study;
        const auto run = *store->beginRun(row);
        QCOMPARE(*store->studyToml(study), std::string("name = \"A\""));
        QCOMPARE(codeOf(store->studyToml(99)), std::string("CL-4007"));
        QCOMPARE(*store->latestStudy(), study);
        row.study = 99;
        QCOMPARE(codeOf(store->beginRun(row)), std::string("CL-4007"));
        QVERIFY(store->appendUsers(run, {madeResult(1)}));
        const auto twice = store->appendUsers(run, {madeResult(2), madeResult(1)});
        QCOMPARE(codeOf(twice), std::string("CL-4009"));
        QCOMPARE(store->finishedUsers(run)->size(), std::size_t(1)); // the whole batch is refused
        QVERIFY(store->finishRun(run, RunState::interrupted, "{}", ""));
        QCOMPARE(codeOf(store->appendUsers(run, {madeResult(3)})), std::string("CL-4009"));
        QVERIFY(store->reopenRun(run));
        QVERIFY(store->appendUsers(run, {madeResult(3)}));
        QVERIFY(store->finishRun(run, RunState::complete, R"({"seconds":1})", ""));
        QCOMPARE(codeOf(store->appendUsers(run, {madeResult(4)})), std::string("CL-4009"));
        QCOMPARE(codeOf(store->reopenRun(run)), std::string("CL-4009"));
        QCOMPARE(codeOf(store->finishRun(run, RunState::failed, "{}", "x")), std::string("CL-4009"));
        QVERIFY(store->tagRun(run, "for the talk"));
        const auto back = *store->run(run);
        QVERIFY(back.state == RunState::complete);
        QCOMPARE(back.studyName, std::string("Study A"));
        QCOMPARE(back.tag, std::string("for the talk"));
        QVERIFY(!back.finishedAt.empty());
        for (const auto& code : {codeOf(store->run(55)), codeOf(store->tagRun(55, "")), codeOf(store->removeRun(55)), codeOf(store->userResults(55)), codeOf(store->finishedUsers(55)),
                                 codeOf(store->appendUsers(55, {})), codeOf(store->reopenRun(55))})
            QCOMPARE(code, std::string("CL-4007"));
        QVERIFY(store->removeRun(run));
        QVERIFY(store->runs()->empty());
    }

    void runsFoundRunningAreInterrupted() {
        const auto file = made();
        {
            auto store = *ProjectStore::open(file);
            const auto run = *store->beginRun(madeRun());
            QVERIFY(store->run(run)->state == RunState::running);
            const auto second = *store->beginRun(madeRun());
            QVERIFY(store->finishRun(second, RunState::complete, "{}", ""));
        }
        auto store = *ProjectStore::open(file);
        const auto runs = *store->runs();
        QCOMPARE(runs.size(), std::size_t(2));
        QVERIFY(runs[0].id > runs[1].id); // newest first
        QVERIFY(runs[0].state == RunState::complete && runs[1].state == RunState::interrupted);
    }

    void cachedAnswersAreFoundAgain() {
        const auto file = made();
        {
            auto store = *ProjectStore::open(file);
            QVERIFY(store->store({{"k1", "short"}, {"k2", std::string(5000, 'x')}, {"k3", std::string("\0\1", 2)}, {"k4", ""}}));
            QVERIFY(store->store({{"k1", "newer"}}));
        }
        auto store = *ProjectStore::open(file);
        QCOMPARE(store->cachedAnswers(), std::int64_t(4));
        const auto found = store->find({"k1", "k2", "k3", "k4", "k5"});
        QCOMPARE(found.size(), std::size_t(4));
        QCOMPARE(found.at("k1"), std::string("newer"));
        QCOMPARE(found.at("k2"), std::string(5000, 'x'));
        QCOMPARE(found.at("k3"), std::string("\0\1", 2));
    }

    void foreignFilesAreRefusedAndLeftAlone() {
        const auto text = fresh();
        QVERIFY(atomicWrite(text, std::string(500, 'a')));
        const auto empty = fresh();
        QVERIFY(atomicWrite(empty, ""));
        const auto other = fresh();
        sql(other, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
        for (const auto& file : {text, empty, other}) {
            const auto before = *sha256File(file);
            for (const bool readOnly : {false, true}) {
                const auto refused = ProjectStore::open(file, readOnly);
                QCOMPARE(codeOf(refused), std::string("CL-4001"));
                QVERIFY(refused.error().message.find(file) != std::string::npos);
                QCOMPARE(exitCode(refused.error().kind), 4);
            }
            QCOMPARE(*sha256File(file), before);
            QCOMPARE(filesIn(fs::path(file).parent_path()), std::size_t(1));
        }
        QCOMPARE(codeOf(ProjectStore::open(fresh())), std::string("CL-5001"));
        QCOMPARE(codeOf(ProjectStore::open(m_folder.path().toStdString())), std::string("CL-4001"));
    }

    void aNewerProjectIsRefusedWithBothNumbers() {
        const auto file = made();
        sql(file, "PRAGMA user_version=7");
        const auto before = *sha256File(file);
        const auto refused = ProjectStore::open(file);
        QCOMPARE(codeOf(refused), std::string("CL-4002"));
        QVERIFY(refused.error().message.find("7") != std::string::npos && refused.error().message.find("4") != std::string::npos);
        QCOMPARE(exitCode(refused.error().kind), 4);
        QCOMPARE(*sha256File(file), before);
    }

    void anOlderProjectIsCarriedForwardAfterACopy() {
        const auto file = fresh();
        sql(file, schemaOne);
        const auto before = *sha256File(file);
        QCOMPARE(codeOf(ProjectStore::open(file, true)), std::string("CL-4005")); // reading alone may not upgrade it
        QCOMPARE(*sha256File(file), before);
        {
            auto opened = ProjectStore::open(file);
            QVERIFY2(opened, opened ? "" : describe(opened.error()).c_str());
            auto& store = *opened;
            QCOMPARE(store->schemaVersion(), 4);
            QCOMPARE(*store->setting("title"), std::string("Old project"));
            const auto row = *store->run(7);
            QCOMPARE(row.studyName, std::string("Old study"));
            QCOMPARE(row.tag, std::string());
            QVERIFY(store->tagRun(7, "kept"));
            QVERIFY(store->integrityCheck());
        }
        QCOMPARE(filesIn(fs::path(file).parent_path()), std::size_t(2));
        const auto copy = *readFile(file + ".bak-v1");
        QCOMPARE(copy.substr(60, 4), std::string("\0\0\0\1", 4));
        // The copy is itself a project of the old version and opens the same way.
        const auto again = fresh();
        fs::copy_file(file + ".bak-v1", again);
        QCOMPARE((*ProjectStore::open(again))->schemaVersion(), 4);
        QCOMPARE(*(*ProjectStore::open(file))->setting("title"), std::string("Old project"));
    }

    void aFailedUpgradeChangesNothing() {
        const auto file = fresh();
        sql(file, schemaOne);
        sql(file, "PRAGMA foreign_keys=OFF; INSERT INTO user_result VALUES(99, 1, x'00', x'00')"); // points at no run
        QCOMPARE(codeOf(ProjectStore::open(file)), std::string("CL-4003"));
        const auto bytes = *readFile(file);
        QCOMPARE(bytes.substr(60, 4), std::string("\0\0\0\1", 4));
    }

    void damageIsNamedAndTheFileLeftAlone() {
        // 300 opens wait for 300 disks; memory will do, since nothing here is about durability.
        const QTemporaryDir memory("/dev/shm/carousel-XXXXXX");
        const auto file = memory.isValid() ? memory.filePath("p.carousel").toStdString() : fresh();
        QVERIFY(ProjectStore::create(file, "Test"));
        {
            auto store = *ProjectStore::open(file);
            QVERIFY(store->saveDataset(madeDataset("made", 200, 100, 2000), {}, {}));
            const auto run = *store->beginRun(madeRun());
            for (Code user = 0; user < 100; ++user)
                QVERIFY(store->appendUsers(run, {madeResult(user)}));
            QVERIFY(store->finishRun(run, RunState::complete, "{}", ""));
        }
        const auto good = *readFile(file);
        // Flips anywhere: never a crash; either the open or the use of what was hit names the damage, or the content is unharmed.
        RandomStream random(5, "flips");
        int named = 0, harmless = 0;
        for (int i = 0; i < 300; ++i) {
            auto bytes = good;
            const auto at = random.below(bytes.size());
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
            QVERIFY(atomicWrite(file, bytes));
            auto store = ProjectStore::open(file);
            if (!store) {
                QVERIFY2(exitCode(store.error().kind) == 4, describe(store.error()).c_str());
                QVERIFY(*readFile(file) == bytes);
                ++named;
                continue;
            }
            const auto data = (*store)->loadDataset("made", {});
            const auto results = (*store)->userResults(1);
            bool told = !data || !results;
            if (results) {
                QCOMPARE(results->size(), std::size_t(100));
                for (Code user = 0; user < 100; ++user)
                    QVERIFY((*results)[static_cast<std::size_t>(user)] == madeResult(user)); // nothing false is given out
            }
            told ? ++named : ++harmless;
        }
        qInfo("%d flips named, %d without harm", named, harmless);
        QVERIFY(named > 100); // the rest hit free space: pages are 8 KiB and few are full
        QVERIFY(atomicWrite(file, good.substr(0, good.size() / 2)));
        const auto cut = ProjectStore::open(file);
        QCOMPARE(codeOf(cut), std::string("CL-4003"));
        QCOMPARE(exitCode(cut.error().kind), 4);
        QVERIFY(*readFile(file) == good.substr(0, good.size() / 2));
    }

    void aSecondInstanceIsToldWhoHoldsTheProject() {
        const auto file = made();
        auto first = *ProjectStore::open(file);
        const auto begin = std::chrono::steady_clock::now();
        const auto second = ProjectStore::open(file);
        QVERIFY(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
        QCOMPARE(codeOf(second), std::string("CL-4004"));
        QCOMPARE(exitCode(second.error().kind), 6);
        QVERIFY2(second.error().message.find(std::to_string(::getpid())) != std::string::npos, second.error().message.c_str());
        // Reading beside the writer works, and sees what was committed.
        QVERIFY(first->setSetting("a", "b"));
        {
            const auto reader = ProjectStore::open(file, true);
            QVERIFY2(reader, reader ? "" : describe(reader.error()).c_str());
            QCOMPARE(*(*reader)->setting("a"), std::string("b"));
            QCOMPARE(codeOf((*reader)->setSetting("a", "c")), std::string("CL-4005"));
        }
        QVERIFY(first->setSetting("a", "d"));
        first.reset();
        QCOMPARE(filesIn(fs::path(file).parent_path()), std::size_t(1));
        auto third = ProjectStore::open(file);
        QVERIFY(third);
        QCOMPARE(*(*third)->setting("a"), std::string("d"));
    }

    void aLockFileLeftBehindDoesNotMatter() {
        const auto file = made();
        QVERIFY(atomicWrite(file + ".lock", "process 1 on elsewhere\n"));
        QVERIFY(ProjectStore::open(file));
    }

    void aPlaceThatCannotBeWrittenIsNamed() {
        const auto file = made();
        const auto folder = fs::path(file).parent_path();
        // A file in place of a folder refuses everybody, root too.
        QCOMPARE(codeOf(ProjectStore::create(file + "/inside.carousel", "x")), std::string("CL-4005"));
        QCOMPARE(codeOf(ProjectStore::create((folder / "no/such/folder/p.carousel").string(), "x")), std::string("CL-4005"));
        fs::create_directory(file + ".lock"); // the lock cannot be taken
        const auto refused = ProjectStore::open(file);
        QCOMPARE(codeOf(refused), std::string("CL-4005"));
        QCOMPARE(exitCode(refused.error().kind), 5);
        fs::remove(file + ".lock");
        if (::geteuid() == 0)
            QSKIP("root may write everywhere, so folder permissions cannot be tried");
        fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
        const auto writer = ProjectStore::open(file);
        const auto reader = ProjectStore::open(file, true);
        fs::permissions(folder, fs::perms::owner_all);
        QCOMPARE(codeOf(writer), std::string("CL-4005"));
        QVERIFY(reader);
    }

    // A limit on file size makes writes fail as a full disk does, for every user.
    void aFullDiskKeepsWhatWasCommitted() {
        const auto file = made();
        auto store = *ProjectStore::open(file);
        const auto run = *store->beginRun(madeRun());
        rlimit old{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &old), 0);
        const auto handler = std::signal(SIGXFSZ, SIG_IGN);
        const rlimit small{2 * 1024 * 1024, old.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &small), 0);
        std::size_t acknowledged = 0;
        std::string code;
        for (Code user = 0; user < 2000; ++user) {
            const auto saved = store->appendUsers(run, {madeResult(user)});
            if (!saved) {
                code = saved.error().code;
                QCOMPARE(exitCode(saved.error().kind), 5);
                break;
            }
            ++acknowledged;
        }
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &old), 0);
        std::signal(SIGXFSZ, handler);
        QVERIFY2(code == "CL-4006" || code == "CL-4008", code.c_str());
        QVERIFY(acknowledged > 10);
        QCOMPARE(store->finishedUsers(run)->size(), acknowledged);
        QVERIFY(store->appendUsers(run, {madeResult(5000)})); // and it goes on once there is room
        store.reset();
        auto again = ProjectStore::open(file);
        QVERIFY(again);
        QCOMPARE((*again)->finishedUsers(run)->size(), acknowledged + 1);
        QVERIFY((*again)->integrityCheck());
    }

    void manyThreadsMayUseOneStore() {
        auto store = *ProjectStore::open(made());
        const auto run = *store->beginRun(madeRun());
        std::vector<std::thread> threads;
        std::atomic<int> failures = 0;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (Code user = 0; user < 25; ++user) {
                    if (!store->appendUsers(run, {madeResult(t * 100 + user, 10)}))
                        ++failures;
                    if (!store->store({{fmt::format("{}-{}", t, user), "x"}}) || store->find({fmt::format("{}-{}", t, user)}).empty())
                        ++failures;
                }
            });
        for (auto& thread : threads)
            thread.join();
        QCOMPARE(failures.load(), 0);
        QCOMPARE(store->finishedUsers(run)->size(), std::size_t(100));
    }
};
QTEST_GUILESS_MAIN(TestStore)
#include "test_store.moc"
