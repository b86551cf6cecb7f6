// SPDX-License-Identifier: GPL-3.0-or-later
// Work off the GUI thread: results arrive on it, cancelled and superseded work does not, exclusive work is alone.
#include "jobs/job_runner.h"
#include <QSignalSpy>
#include <QTest>
#include <chrono>

using namespace carousel;
using namespace carousel::ui;
using namespace std::chrono_literals;

class TestJobs : public QObject {
    Q_OBJECT
private:
    // Runs until it is asked to stop.
    static Result<int> untilStopped(const RunControl& control) {
        while (!control.stopRequested())
            std::this_thread::sleep_for(2ms);
        return fail(RunControl::cancelled("Waiting"));
    }

private Q_SLOTS:
    void resultArrivesOnGuiThread() {
        JobRunner runner;
        std::thread::id worker, gui = std::this_thread::get_id(), delivered;
        int value = 0;
        runner.run<int>(
            this, {QStringLiteral("add"), Lane::quick, {}},
            [&](const RunControl&) -> Result<int> {
                worker = std::this_thread::get_id();
                return 42;
            },
            [&](JobRunner::Shared<int> result) {
                delivered = std::this_thread::get_id();
                value = **result;
            });
        QVERIFY(!runner.isIdle());
        QTRY_VERIFY(runner.isIdle());
        QCOMPARE(value, 42);
        QVERIFY(delivered == gui);
        QVERIFY(worker != gui);
    }

    void cancelStopsWithinQuarterOfASecond() {
        JobRunner runner;
        Error error;
        const auto number = runner.run<int>(this, {QStringLiteral("long"), Lane::task, {}}, untilStopped, [&](JobRunner::Shared<int> result) { error = result.error(); });
        QTRY_COMPARE(runner.jobs().front().state, JobState::running);
        QElapsedTimer timer;
        timer.start();
        runner.cancelTasks();
        QCOMPARE(runner.jobs().front().state, JobState::cancelling);
        QTRY_VERIFY(!runner.isActive(number));
        QVERIFY2(timer.elapsed() < 250, qPrintable(QString::number(timer.elapsed())));
        QCOMPARE(error.kind, ErrorKind::cancelled);
    }

    void cancellingAWaitingTaskTellsItsReceiver() {
        JobRunner runner;
        bool first = false, second = false;
        runner.run<int>(this, {QStringLiteral("first"), Lane::task, {}}, untilStopped, [&](JobRunner::Shared<int>) { first = true; });
        QTRY_COMPARE(runner.jobs().front().state, JobState::running);
        const auto waiting = runner.run<int>(
            this, {QStringLiteral("second"), Lane::task, {}}, [](const RunControl&) -> Result<int> { return 1; },
            [&](JobRunner::Shared<int> result) { second = !result && result.error().kind == ErrorKind::cancelled; });
        QTest::qWait(30);
        QCOMPARE(runner.jobs().back().state, JobState::waiting);
        runner.cancel(waiting);
        QVERIFY(second);
        QVERIFY(!first);
        runner.cancelAll();
        QTRY_VERIFY(runner.isIdle());
    }

    void lateResultIsDropped() {
        JobRunner runner;
        QList<int> seen;
        std::atomic<bool> go{false};
        // The first job does not look at its stop token: its value comes late and must not be delivered.
        runner.run<int>(
            this, {QStringLiteral("old"), Lane::quick, QStringLiteral("search")},
            [&](const RunControl&) -> Result<int> {
                while (!go)
                    std::this_thread::sleep_for(1ms);
                return 1;
            },
            [&](JobRunner::Shared<int> result) { seen << **result; });
        QTRY_COMPARE(runner.jobs().front().state, JobState::running);
        runner.run<int>(
            this, {QStringLiteral("new"), Lane::quick, QStringLiteral("search")}, [](const RunControl&) -> Result<int> { return 2; },
            [&](JobRunner::Shared<int> result) { seen << **result; });
        QTRY_COMPARE(seen, QList<int>{2});
        go = true;
        QTRY_VERIFY(runner.isIdle());
        QCOMPARE(seen, QList<int>{2});
    }

    void resultForAGoneReceiverIsDropped() {
        JobRunner runner;
        bool called = false;
        auto* receiver = new QObject;
        std::atomic<bool> go{false};
        runner.run<int>(
            receiver, {QStringLiteral("page"), Lane::quick, {}},
            [&](const RunControl&) -> Result<int> {
                while (!go)
                    std::this_thread::sleep_for(1ms);
                return 1;
            },
            [&](JobRunner::Shared<int>) { called = true; });
        QTRY_COMPARE(runner.jobs().front().state, JobState::running);
        delete receiver;
        go = true;
        QTRY_VERIFY(runner.isIdle());
        QVERIFY(!called);
    }

    void exceptionBecomesAnError() {
        JobRunner runner;
        Error error;
        runner.run<int>(
            this, {QStringLiteral("broken"), Lane::quick, {}}, [](const RunControl&) -> Result<int> { throw std::runtime_error("boom"); },
            [&](JobRunner::Shared<int> result) { error = result.error(); });
        QTRY_VERIFY(runner.isIdle());
        QCOMPARE(QString::fromStdString(error.code), QStringLiteral("CL-9001"));
        QVERIFY(error.message.find("boom") != std::string::npos);
    }

    void exclusiveRunsAlone() {
        JobRunner runner;
        std::atomic<int> running{0}, most{0};
        std::atomic<bool> overlap{false};
        const auto work = [&](bool alone) {
            return [&, alone](const RunControl&) -> Result<int> {
                const int now = ++running;
                most = std::max(most.load(), now);
                std::this_thread::sleep_for(15ms);
                if (alone && running > 1)
                    overlap = true;
                --running;
                return 0;
            };
        };
        for (int i = 0; i < 9; ++i)
            runner.run<int>(this, {QStringLiteral("job"), i % 3 == 1 ? Lane::exclusive : Lane::quick, {}}, work(i % 3 == 1), [](JobRunner::Shared<int>) {});
        QTRY_VERIFY(runner.isIdle());
        QVERIFY(!overlap);
        QVERIFY(most >= 2); // the quick ones do run side by side
    }

    void progressIsThrottled() {
        JobRunner runner;
        QSignalSpy spy(&runner, &JobRunner::progressed);
        runner.run<int>(
            this, {QStringLiteral("count"), Lane::task, {}},
            [](const RunControl& control) -> Result<int> {
                for (int i = 0; i < 400; ++i) {
                    control.report("Counting", i, 400, "steps");
                    std::this_thread::sleep_for(1ms);
                }
                return 0;
            },
            [](JobRunner::Shared<int>) {});
        QTRY_VERIFY(runner.isIdle());
        QVERIFY(spy.size() >= 1);
        QVERIFY2(spy.size() <= 40, qPrintable(QString::number(spy.size()))); // about ten a second, whatever the machine
    }

    void destructionStopsWork() {
        QElapsedTimer timer;
        timer.start();
        {
            JobRunner runner;
            runner.run<int>(this, {QStringLiteral("long"), Lane::task, {}}, untilStopped, [](JobRunner::Shared<int>) { QFAIL("delivered after the end"); });
            QTRY_COMPARE(runner.jobs().front().state, JobState::running);
        }
        QVERIFY(timer.elapsed() < 5000);
    }
};

QTEST_GUILESS_MAIN(TestJobs)
#include "test_jobs.moc"
