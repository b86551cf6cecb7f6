// SPDX-License-Identifier: GPL-3.0-or-later
// Kill -9 at random moments: every acknowledged user is there once, with its exact result, and the file is sound.
#include "store_samples.h"
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <algorithm>
#include <set>

using namespace carousel;

class TestStoreCrash : public QObject {
    Q_OBJECT
private slots:
    void killedAtAnyMomentNothingAcknowledgedIsLost() {
        QTemporaryDir folder;
        const std::string file = folder.filePath("p.carousel").toStdString();
        std::int64_t run = 0;
        {
            auto store = ProjectStore::create(file, "Crash");
            QVERIFY(store);
            run = *(*store)->beginRun(madeRun());
        }
        RandomStream random(3, "kill");
        std::set<Code> acknowledged;
        for (int kill = 0; kill < 20; ++kill) {
            QProcess child;
            child.start(STORE_CRASH_CHILD, {QString::fromStdString(file)});
            QVERIFY(child.waitForStarted());
            // One in five dies while it is still opening, which is when the -wal of the last kill is recovered.
            if (kill % 5 != 4) {
                while (!child.canReadLine())
                    QVERIFY2(child.waitForReadyRead(20000), child.readAllStandardError().constData());
                QThread::usleep(2000 + random.below(150000));
            } else {
                QThread::usleep(random.below(12000));
            }
            child.kill();
            QVERIFY(child.waitForFinished());
            QCOMPARE(child.exitStatus(), QProcess::CrashExit);
            while (child.canReadLine()) {
                const auto line = child.readLine();
                if (line.startsWith("ACK ") && line.endsWith("\n"))
                    acknowledged.insert(line.mid(4).trimmed().toInt());
            }
            auto store = ProjectStore::open(file); // the lock of a dead process holds nobody up
            QVERIFY2(store, store ? "" : describe(store.error()).c_str());
            const auto checked = (*store)->integrityCheck();
            QVERIFY2(checked, checked ? "" : describe(checked.error()).c_str());
            QVERIFY((*store)->run(run)->state == RunState::interrupted);
            const auto finished = *(*store)->finishedUsers(run);
            QVERIFY(std::includes(finished.begin(), finished.end(), acknowledged.begin(), acknowledged.end()));
            QVERIFY(std::adjacent_find(finished.begin(), finished.end()) == finished.end());
            QCOMPARE((*store)->run(run)->usersDone, static_cast<std::int64_t>(finished.size()));
        }
        auto store = *ProjectStore::open(file);
        const auto results = *store->userResults(run);
        QVERIFY(results.size() >= acknowledged.size() && acknowledged.size() > 100);
        for (const auto& result : results)
            QVERIFY(result == madeResult(result.user));
        qInfo("%zu users acknowledged, %zu stored", acknowledged.size(), results.size());
    }
};
QTEST_GUILESS_MAIN(TestStoreCrash)
#include "test_store_crash.moc"
