// SPDX-License-Identifier: GPL-3.0-or-later
// Table models: correct for views, right order after filter and sort, and no more work than what is seen at a million rows.
#include "models/dataset_statistics.h"
#include "models/dataset_table_model.h"
#include "models/runs_model.h"
#include "models/text_table_model.h"
#include "session/activity_log.h"
#include "ui/ui_fixtures.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QAbstractItemModelTester>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

using namespace carousel;
using namespace carousel::ui;

class TestModels : public QObject {
    Q_OBJECT
private:
    static QStringList column(const QAbstractItemModel& model, int column) {
        QStringList cells;
        for (int row = 0; row < model.rowCount(); ++row)
            cells << model.index(row, column).data().toString();
        return cells;
    }

private Q_SLOTS:
    void tablesAreConsistent_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("rows");
        QTest::newRow("users") << 0 << 20;
        QTest::newRow("items") << 1 << 30;
        QTest::newRow("interactions") << 2 << 200;
        QTest::newRow("impressions") << 3 << 60;
        QTest::newRow("reviews") << 4 << 12;
    }
    void tablesAreConsistent() {
        QFETCH(int, kind);
        QFETCH(int, rows);
        DatasetTableModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto data = test::smallDataset();
        model.setTable(data, static_cast<TableKind>(kind));
        QCOMPARE(model.rowCount(), rows);
        QCOMPARE(model.columnCount(), static_cast<int>(columnNames(*data, static_cast<TableKind>(kind)).size()));
        RowOrderRequest request{static_cast<TableKind>(kind), "", 0, false};
        auto order = rowOrder(*data, request, {});
        QVERIFY(order);
        model.setOrder(std::make_shared<const std::vector<std::uint32_t>>(*order));
        QCOMPARE(model.rowCount(), rows);
        model.setOrder(nullptr);
        QCOMPARE(model.sourceRow(3), std::size_t(3));
        model.setTable(nullptr, TableKind::users);
        QCOMPARE(model.rowCount(), 0);
    }

    void filterAndSort() {
        const auto data = test::smallDataset();
        auto order = rowOrder(*data, {TableKind::items, "bold", -1, true}, {});
        QVERIFY(order);
        QCOMPARE(order->size(), std::size_t(4)); // items 3, 10, 17, 24
        QCOMPARE(order->front(), 3U);
        // Numbers sort as numbers, empty cells last in both directions.
        for (const bool ascending : {true, false}) {
            order = rowOrder(*data, {TableKind::items, "", 2, ascending}, {});
            QVERIFY(order);
            double before = ascending ? -1e9 : 1e9;
            bool empties = false;
            for (const auto row : *order) {
                const double value = cellNumber(*data, TableKind::items, row, 2);
                if (std::isnan(value)) {
                    empties = true;
                    continue;
                }
                QVERIFY(!empties);
                QVERIFY(ascending ? value >= before : value <= before);
                before = value;
            }
            QVERIFY(empties);
        }
        // Reviews: the words are searched; stars sort as numbers, those without any last.
        order = rowOrder(*data, {TableKind::reviews, "number 1", -1, true}, {});
        QVERIFY(order);
        QCOMPARE(*order, (std::vector<std::uint32_t>{1, 10, 11}));
        order = rowOrder(*data, {TableKind::reviews, "", 2, false}, {});
        QVERIFY(order);
        QCOMPARE(cellText(*data, TableKind::reviews, order->front(), 2), std::string("5"));
        QCOMPARE(cellText(*data, TableKind::reviews, order->back(), 2), std::string());
        order = rowOrder(*data, {TableKind::reviews, "", 0, true}, {});
        QVERIFY(order);
        QCOMPARE(cellText(*data, TableKind::reviews, (*order)[1], 0), std::string("u1"));
        QCOMPARE(cellText(*data, TableKind::reviews, (*order)[2], 0), std::string("u10"));
        // Equal cells keep the order of the file.
        order = rowOrder(*data, {TableKind::interactions, "", 2, true}, {});
        QVERIFY(order);
        for (std::size_t i = 1; i < order->size(); ++i)
            if (data->interactions.kind[(*order)[i]] == data->interactions.kind[(*order)[i - 1]])
                QVERIFY((*order)[i] > (*order)[i - 1]);
    }

    void orderingStopsWhenAsked() {
        const auto data = test::smallDataset(50, 50, 20000);
        std::stop_source stop;
        stop.request_stop();
        const auto order = rowOrder(*data, {TableKind::interactions, "zzz", -1, true}, RunControl(stop.get_token()));
        QVERIFY(!order);
        QCOMPARE(order.error().kind, ErrorKind::cancelled);
    }

    void sortOnlyAnnounces() {
        DatasetTableModel model;
        model.setTable(test::smallDataset(), TableKind::items);
        QSignalSpy spy(&model, &DatasetTableModel::sortRequested);
        const QStringList before = column(model, 0);
        model.sort(1, Qt::DescendingOrder);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(column(model, 0), before);
    }

    void millionRowsAskOnlyForWhatIsSeen() {
        const auto data = test::smallDataset(1000, 2000, 1'000'000);
        DatasetTableModel model;
        model.setTable(data, TableKind::interactions);
        QCOMPARE(model.rowCount(), 1'000'000);
        QTableView view;
        setUpTable(&view, QStringLiteral("rows"));
        view.setModel(&model);
        fitColumns(&view);
        view.resize(900, 600);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QTest::qWait(20);
        const auto afterShow = model.dataCalls();
        constexpr int jumps = 40;
        for (int i = 1; i <= jumps; ++i) {
            view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum() / jumps * i);
            view.viewport()->repaint();
        }
        // 600 px of 26 px rows and 6 columns: about 150 cells a frame. A view that walked the rows would ask for millions.
        const auto perFrame = (model.dataCalls() - afterShow) / jumps;
        QVERIFY2(perFrame > 0 && perFrame < 800, qPrintable(QString::number(perFrame)));
        QCOMPARE(view.verticalScrollBar()->value(), view.verticalScrollBar()->maximum() / jumps * jumps);
    }

    void runs() {
        RunsModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        std::vector<RunRow> rows(3);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i].id = static_cast<std::int64_t>(i + 1);
            rows[i].strategy = "S" + std::to_string(i);
            rows[i].usersDone = static_cast<std::int64_t>(i);
            rows[i].usersTotal = 2;
        }
        rows[2].state = RunState::complete;
        model.setRuns(rows);
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.index(1, RunsModel::Users).data().toString(), QStringLiteral("1 / 2"));
        QVERIFY(model.index(2, RunsModel::State).data().toString().contains(QStringLiteral("complete")));
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset), changed(&model, &QAbstractItemModel::dataChanged), tagged(&model, &RunsModel::tagEdited);
        rows[1].usersDone = 2;
        model.setRuns(rows); // the same runs: a selection must survive
        QCOMPARE(reset.size(), 0);
        QCOMPARE(changed.size(), 1);
        QVERIFY(model.setData(model.index(0, RunsModel::Tag), QStringLiteral("keep"), Qt::EditRole));
        QCOMPARE(tagged.first().at(0).toLongLong(), 1);
        QCOMPARE(tagged.first().at(1).toString(), QStringLiteral("keep"));
        QVERIFY(!model.setData(model.index(0, RunsModel::Study), QStringLiteral("x"), Qt::EditRole));
        model.setRuns({});
        QCOMPARE(model.rowCount(), 0);
    }

    void textTablesReadCsv() {
        TextTableModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setCsv(QStringLiteral("name,value\n\"a, \"\"quoted\"\"\nname\",1.5\nplain,\n"));
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.index(0, 0).data().toString(), QStringLiteral("a, \"quoted\"\nname"));
        QCOMPARE(model.index(1, 1).data().toString(), QString());
        QVERIFY(model.index(0, 1).data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight);
        QCOMPARE(model.toTsv().count(QLatin1Char('\n')), 3);
    }

    void logCounts() {
        ActivityLog log;
        QAbstractItemModelTester tester(&log, QAbstractItemModelTester::FailureReportingMode::QtTest);
        log.add(ActivityLog::Level::note, QStringLiteral("a"));
        log.add(Error{ErrorKind::input, "CL-1001", "bad", "do"});
        log.add(RunControl::cancelled("Work")); // what the analyst asked for is no error
        QCOMPARE(log.rowCount(), 3);
        QCOMPARE(log.warnings(), 1);
        log.markSeen();
        QCOMPARE(log.warnings(), 0);
        QVERIFY(log.asText().contains(QStringLiteral("CL-1001")));
    }

    void statistics() {
        const auto data = test::smallDataset();
        const auto s = datasetStatistics(*data, {});
        QVERIFY(s);
        QCOMPARE(s->slates, 10);
        QCOMPARE(s->interactions, 200);
        QCOMPARE(s->reviews, 12);
        QCOMPARE(s->wordsPerReview, 7.0);
        QCOMPARE(s->density, 200.0 / 600.0);
        QStringList ids;
        for (const auto& plot : s->plots) {
            ids << qs(plot.id);
            QVERIFY(!plot.title.empty() && !plot.xTitle.empty() && !plot.yTitle.empty());
            for (const auto& series : plot.series)
                QCOMPARE(series.x.size(), series.y.size());
        }
        QCOMPARE(ids, (QStringList{"event-kinds", "ratings", "popularity", "events-per-day", "clicks-per-position", "review-stars"}));
        double kinds = 0;
        for (const double y : s->plots[0].series[0].y)
            kinds += y;
        QCOMPARE(kinds, 200.0);
        Dataset empty;
        const auto none = datasetStatistics(empty, {});
        QVERIFY(none);
        QVERIFY(none->plots.empty());
    }
};

QTEST_MAIN(TestModels)
#include "test_models.moc"
