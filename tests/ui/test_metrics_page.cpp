// SPDX-License-Identifier: GPL-3.0-or-later
// The metrics page: what the table says is what the comparison holds; the selected column is defined and drawn; the CSV reads back.
#include "base/text.h"
#include "carousel_project.h"
#include "models/text_table_model.h"
#include "pages/metrics_page.h"
#include "pages/metrics_table.h"
#include "pages/pairs_panel.h"
#include "widgets/document_table.h"
#include <QComboBox>
#include "plots/plot_view.h"
#include "session/run_selection.h"
#include "theme/theme.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

using namespace carousel;
using namespace carousel::ui;

namespace {
// A comparison made by hand: the second strategy is clearly better, the third is not shown to differ; ties in the first.
ComparisonPtr comparisonByHand() {
    auto c = std::make_shared<StudyComparison>();
    c->definitions = metricDefinitions(10);
    c->users = 100;
    c->chance.assign(c->definitions.size(), 0.01);
    for (int s = 0; s < 3; ++s) {
        StrategyResult result;
        result.strategy.name = s == 0 ? "=Base, \"quoted\"" : s == 1 ? "<b>Better</b>" : "Same";
        result.colour = s;
        for (std::size_t m = 0; m < c->definitions.size(); ++m) {
            MetricValue value;
            value.metric = c->definitions[m].metric;
            value.value = value.worst = value.best = 0.1 + 0.1 * (s == 1) + 0.001 * (s == 2);
            if (s == 0)
                value.best += 0.02;
            value.interval = {value.value - 0.01, value.value + 0.01};
            value.users = 100;
            value.excluded = s == 2 ? 5 : 0;
            result.metrics.push_back(value);
            PairedDifference d;
            d.difference = s == 1 ? 0.1 : 0.001;
            d.pValue = s == 1 ? 0.001 : 0.8;
            d.interval = {d.difference - 0.01, d.difference + 0.01};
            d.users = 100;
            d.words = s == 1 ? "higher" : "not significant";
            if (s > 0)
                result.toBaseline.push_back(d);
        }
        c->strategies.push_back(std::move(result));
    }
    return c;
}
} // namespace

class TestMetricsPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
    }

    void tableSaysWhatTheComparisonHolds() {
        const auto c = comparisonByHand();
        MetricsTableModel model;
        model.setComparison(c);
        QCOMPARE(model.rowCount(), 4);
        QCOMPARE(model.columnCount(), static_cast<int>(c->definitions.size()));
        int ndcg = 0;
        for (int m = 0; m < model.columnCount(); ++m)
            if (c->definitions[static_cast<std::size_t>(m)].metric == Metric::ndcg)
                ndcg = m;
        const auto better = model.index(1, ndcg), same = model.index(2, ndcg), base = model.index(0, ndcg), chance = model.index(3, ndcg);
        QCOMPARE(better.data(MetricsTableModel::EstimateRole).toString(), figures(0.2));
        QCOMPARE(better.data(MetricsTableModel::IntervalRole).toString(), QStringLiteral("[%1, %2]").arg(figures(0.19), figures(0.21)));
        QVERIFY(better.data(MetricsTableModel::DifferenceRole).toString().contains(QStringLiteral("higher")));
        QCOMPARE(better.data(MetricsTableModel::ToneRole).toInt(), 1);
        QVERIFY(better.data(MetricsTableModel::BestRole).toBool());
        QCOMPARE(same.data(MetricsTableModel::ToneRole).toInt(), 0);
        QVERIFY(same.data(Qt::ToolTipRole).toString().contains(QStringLiteral("not significant")));
        QVERIFY(same.data(Qt::ToolTipRole).toString().contains(QStringLiteral("5 left out")));
        QVERIFY(base.data(Qt::ToolTipRole).toString().contains(QStringLiteral("ties: between")));
        QVERIFY(!better.data(Qt::ToolTipRole).toString().contains(QStringLiteral("<b>")));
        QCOMPARE(base.data(MetricsTableModel::DifferenceRole).toString(), QStringLiteral("baseline"));
        QCOMPARE(chance.data(MetricsTableModel::EstimateRole).toString(), figures(0.01));
        QCOMPARE(model.headerData(3, Qt::Vertical, Qt::DisplayRole).toString(), QStringLiteral("Chance"));
    }

    void lowerCanBeWorse() {
        auto c = std::make_shared<StudyComparison>(*comparisonByHand());
        for (auto& d : c->strategies[1].toBaseline) {
            d.words = "lower";
            d.difference = -0.1;
        }
        MetricsTableModel model;
        model.setComparison(c);
        QCOMPARE(model.index(1, 0).data(MetricsTableModel::ToneRole).toInt(), c->definitions[0].higherIsBetter ? -1 : 1);
        QVERIFY(model.index(1, 0).data(MetricsTableModel::DifferenceRole).toString().startsWith(QLatin1Char('-')) ||
                model.index(1, 0).data(MetricsTableModel::DifferenceRole).toString().startsWith(QChar(0x2212)));
    }

    void csvReadsBack() {
        const auto c = comparisonByHand();
        const auto records = csvRecords(qs(metricsCsv(*c)));
        QCOMPARE(records.size(), 1 + c->strategies.size() * c->definitions.size());
        for (const auto& record : records)
            QCOMPARE(record.size(), 15);
        QCOMPARE(records[1][0], QStringLiteral("'=Base, \"quoted\"")); // no formula for a spreadsheet
        QCOMPARE(records[1][2].toDouble(), 0.1);
        QCOMPARE(records[1][13], QStringLiteral("baseline"));
        const auto& better = records[1 + c->definitions.size()];
        QCOMPARE(better[9].toDouble(), 0.1);
        QCOMPARE(better[12].toDouble(), 0.001);
    }

    void pageInEveryState() {
        Session session;
        MetricsPage page(session);
        page.resize(1200, 840);
        page.show();
        auto* state = page.findChild<StateView*>();
        QCOMPARE(state->state(), StateView::State::empty);
        page.copyTable(); // nothing to copy: must do no harm
        QVERIFY(!page.exportTo(m_folder.filePath(QStringLiteral("none.csv"))));
        if (session.workbench().plugins().all().empty())
            QSKIP("no plugins beside the program");

        // A project without runs says what to do first.
        const QString file = m_folder.filePath(QStringLiteral("demo.carousel")),
                      empty = m_folder.filePath(QStringLiteral("empty.carousel"));
        session.createProject(empty, QStringLiteral("Empty"));
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded(), 20000);
        QCOMPARE(state->state(), StateView::State::empty);
        QSignalSpy wanted(&session, &Session::pageWanted);
        bool offered = false;
        for (auto* button : page.findChildren<QPushButton*>())
            if (button->isVisible() && button->text().contains(QStringLiteral("Strategies"))) {
                button->click();
                offered = true;
            }
        QVERIFY(offered);
        QCOMPARE(wanted.first().first().toString(), QStringLiteral("strategies"));

        const auto made = test::makeCarouselProject(ss(file));
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        session.openProject(file);
        QTRY_COMPARE_WITH_TIMEOUT(session.selection().state(), RunSelection::State::ready, 60000);
        QCOMPARE(state->state(), StateView::State::ready);
        QVERIFY(QTest::qWaitFor([&] { return session.isIdle() && !page.isBusy(); }, 30000));

        const auto& c = *session.selection().comparison();
        auto* table = page.findChild<QTableView*>();
        QCOMPARE(table->model()->rowCount(), 3);
        const auto& chosen = c.definitions[static_cast<std::size_t>(page.metric())];
        QCOMPARE(chosen.metric, Metric::ndcg);
        auto* plot = page.findChild<PlotView*>(QStringLiteral("plot-metric"));
        QCOMPARE(plot->plot().id, "metric_" + chosen.id);
        const auto shows = [&](const std::string& text) {
            const auto labels = page.findChildren<QLabel*>();
            return std::any_of(labels.begin(), labels.end(), [&](QLabel* label) { return label->text().contains(qs(text)); });
        };
        QVERIFY(shows(chosen.formula) && shows(chosen.source));
        const int other = page.metric() == 0 ? 1 : 0;
        table->setCurrentIndex(table->model()->index(1, other));
        QCOMPARE(page.metric(), other);
        QCOMPARE(plot->plot().id, "metric_" + c.definitions[static_cast<std::size_t>(other)].id);
        QVERIFY(shows(c.definitions[static_cast<std::size_t>(other)].formula));
        for (auto* view : page.findChildren<PlotView*>())
            QVERIFY2(!view->plot().series.empty(), "a plot of the page has nothing to show");

        page.copyTable();
        const QString copied = QApplication::clipboard()->text();
        QCOMPARE(copied.count(QLatin1Char('\n')), 4); // header, two strategies, chance
        QVERIFY(copied.contains(QStringLiteral("nDCG@10")));
        const QString out = m_folder.filePath(QStringLiteral("metrics.csv"));
        QVERIFY(page.exportTo(out));
        QFile written(out);
        QVERIFY(written.open(QIODevice::ReadOnly));
        QCOMPARE(csvRecords(QString::fromUtf8(written.readAll())).size(), 1 + 2 * c.definitions.size());
        QVERIFY(!page.exportTo(m_folder.filePath(QStringLiteral("no/such/folder/metrics.csv"))));
        QVERIFY(session.log().asText().contains(QStringLiteral("CL-50")));

        // Every pair, on the chosen metric, once the tab is looked at.
        auto* pairs = page.findChild<PairsPanel*>();
        QVERIFY(pairs->toTsv().isEmpty());
        QVERIFY(!pairs->exportTo(m_folder.filePath(QStringLiteral("none.csv"))));
        QSignalSpy shown(pairs, &PairsPanel::shown);
        page.showPairs();
        QTRY_COMPARE_WITH_TIMEOUT(shown.size(), 1, 60000);
        QVERIFY2(shown.last().first().toBool(), qPrintable(session.log().asText()));
        const QStringList lines = pairs->toTsv().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 2); // head and the one pair of two strategies
        QVERIFY(lines[1].contains(qs(c.strategies[0].strategy.name)) && lines[1].contains(qs(c.strategies[1].strategy.name)));
        QVERIFY(shows("under one seed"));
        pairs->setCorrection(PairCorrection::none); // one column less
        QCOMPARE(pairs->toTsv().split(QLatin1Char('\n')).first().count(QLatin1Char('\t')), lines[0].count(QLatin1Char('\t')) - 1);
        for (std::size_t m = 0; m < c.definitions.size(); ++m)
            if (!c.definitions[m].perUser) { // said, and nothing to copy
                page.selectMetric(static_cast<int>(m));
                QTRY_COMPARE_WITH_TIMEOUT(shown.size(), 2, 60000);
                QVERIFY(!shown.last().first().toBool() && pairs->toTsv().isEmpty());
                break;
            }
        page.selectMetric(other);
        QTRY_VERIFY_WITH_TIMEOUT(!pairs->toTsv().isEmpty(), 60000);
        const QString pairsFile = m_folder.filePath(QStringLiteral("pairs.csv"));
        QVERIFY(pairs->exportTo(pairsFile));
        QFile pairsWritten(pairsFile);
        QVERIFY(pairsWritten.open(QIODevice::ReadOnly));
        QCOMPARE(csvRecords(QString::fromUtf8(pairsWritten.readAll())).size(), std::size_t(2));
        for (auto* label : page.findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty(), qPrintable(label->text()));
        QVERIFY(!page.grab().isNull());
    }
};

QTEST_MAIN(TestMetricsPage)
#include "test_metrics_page.moc"
