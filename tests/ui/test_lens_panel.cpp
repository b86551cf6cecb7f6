// SPDX-License-Identifier: GPL-3.0-or-later
// The position lens in the window: figures are those of the library and follow the fold at once; late results of an earlier fold are dropped; the fold
// is dragged in strip and plot and moved by keys; plots keep what they drew while only figures move. And the rows.
#include "carousel_project.h"
#include "lens_fixtures.h"
#include "pages/carousel/lens_panel.h"
#include "pages/carousel/lens_strip.h"
#include "pages/carousel/row_study.h"
#include "pages/carousel/rows_grid.h"
#include "pages/carousel/user_segments.h"
#include "plots/plot_update.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "theme/theme.h"
#include "ui_fixtures.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QLabel>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include "plots/custom_plot.h"

using namespace carousel;
using namespace carousel::ui;

class TestLensPanel : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<WhatIf> m_whatIf;
    std::unique_ptr<LensPanel> m_panel;
    std::array<LensPtr, 2> m_lenses;

    bool settle() {
        return QTest::qWaitFor([this] { return m_session->isIdle() && !m_panel->isBusy(); }, 30000);
    }
    PlotView* plot(const char* name) { return m_panel->findChild<PlotView*>(QString::fromLatin1(name)); }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
    }
    void init() {
        m_session = std::make_unique<Session>();
        m_whatIf = std::make_unique<WhatIf>();
        EvaluationSpec evaluation;
        m_whatIf->begin(evaluation);
        m_panel = std::make_unique<LensPanel>(*m_session, *m_whatIf, [this](std::int64_t run, int, const std::string&, const RunControl&) -> Result<LensPtr> {
            return m_lenses[static_cast<std::size_t>(run - 1)];
        });
        m_panel->resize(1000, 800);
        m_panel->show();
        m_lenses = {test::madeLens(400, 12, 1), test::madeLens(400, 12, 2)};
        QVERIFY(m_lenses[0] && m_lenses[1]);
        ShownRuns shown;
        auto comparison = std::make_shared<StudyComparison>();
        shown.comparison = comparison; // no strategies: nothing is read, the lenses are brought by hand
        m_panel->setActive(true);
        m_panel->showRuns(shown);
    }
    void cleanup() {
        m_panel.reset();
        m_whatIf.reset();
        m_session.reset();
    }

    void figuresAreTheLibrarys() {
        m_panel->showLenses(m_lenses, {QStringLiteral("device"), QStringLiteral("region")});
        QVERIFY(m_panel->figures(0) && m_panel->figures(1));
        for (std::size_t r = 0; r < 2; ++r) {
            const auto expected = m_lenses[r]->lens.figures(m_whatIf->model());
            QVERIFY(expected);
            QCOMPARE(m_panel->figures(r)->value, expected->value);
            QCOMPARE(m_panel->figures(r)->slots[7].hidden, expected->slots[7].hidden);
        }
        const auto& drawn = plot("lens-positions")->plot();
        QCOMPARE(drawn.series.size(), std::size_t(6)); // click, reach and examination of both
        QCOMPARE(drawn.series[1].y[6], m_panel->figures(0)->slots[6].reach);
        QCOMPARE(drawn.verticalLines.front(), 6.5);
        QVERIFY(settle());
        // Intervals, missed value and heat map came later, with the defaults of the command line.
        const auto intervals = m_lenses[0]->lens.intervals(m_whatIf->model(), 1000, 0.95, 1, {});
        QVERIFY(intervals && m_panel->intervals(0));
        QCOMPARE(m_panel->intervals(0)->total.low, intervals->total.low);
        QCOMPARE(plot("lens-positions")->plot().series[0].low.size(), std::size_t(12));
        QVERIFY(m_panel->missed(0) && m_panel->missed(0)->missed >= 0);
        QVERIFY(m_panel->missed(0)->carousels <= 150);
        QVERIFY(!m_panel->change(0)); // nothing is changed
        const auto& heat = plot("lens-heat")->plot().heat;
        QCOMPARE(heat.rows.size(), std::size_t(4));
        QCOMPARE(heat.columns.size(), std::size_t(12));
        const auto expected = m_lenses[0]->lens.heatMap(m_whatIf->model(), PositionLens::Figure::click);
        QVERIFY(expected);
        QCOMPARE(heat.values, expected->mean);
    }

    void theFoldIsFollowedAtOnceAndLateAnswersDropped() {
        m_panel->showLenses(m_lenses, {});
        QVERIFY(settle());
        const double before = m_panel->figures(0)->value;
        m_whatIf->setWindow(7);
        QVERIFY(m_panel->figures(0)->value > before);
        QVERIFY(!m_panel->intervals(0)); // those of six visible are gone at once
        QVERIFY(plot("lens-positions")->plot().series[0].low.empty());
        QVERIFY2(m_panel->changeWords(0).startsWith(QStringLiteral("7 visible instead of 6: V +")), qPrintable(m_panel->changeWords(0)));
        QVERIFY(!m_panel->changeWords(0).contains(QLatin1Char('[')));
        QTest::qWait(100); // its late work begins ...
        m_whatIf->setWindow(8); // ... and is superseded
        QVERIFY(settle());
        const auto expected = m_lenses[0]->lens.change(m_whatIf->study(), m_whatIf->model(), 1000, 0.95, 1, {});
        QVERIFY(expected && m_panel->change(0));
        QCOMPARE(m_panel->change(0)->difference, expected->difference);
        QCOMPARE(m_panel->change(0)->interval.low, expected->interval.low);
        QVERIFY2(m_panel->changeWords(0).contains(QLatin1Char('[')), qPrintable(m_panel->changeWords(0)));
        QCOMPARE(m_panel->intervals(0)->total.low, m_lenses[0]->lens.intervals(m_whatIf->model(), 1000, 0.95, 1, {})->total.low);
        m_whatIf->setSwipe(0.5);
        QVERIFY(m_panel->changeWords(0).startsWith(QStringLiteral("8 visible instead of 6, s 0.500 instead of 0.350")));
        m_whatIf->reset();
        QCOMPARE(m_panel->figures(0)->value, before);
        QVERIFY(settle());
        QVERIFY(!m_panel->change(0));
    }

    void plotsAreNotDrawnAnewWhileDragging() {
        m_panel->showLenses(m_lenses, {});
        QVERIFY(settle());
        auto* drawn = plot("lens-positions")->findChild<QCustomPlot*>();
        QVERIFY(drawn);
        m_whatIf->setWindow(7); // bands go
        const auto* graph = drawn->graph(0);
        const double range = drawn->yAxis->range().upper;
        m_whatIf->setWindow(9);
        QCOMPARE(drawn->graph(0), graph); // the same objects with other figures
        QCOMPARE(drawn->yAxis->range().upper, range);
        const auto* line = [&]() -> const QCPItemStraightLine* {
            for (int i = 0; i < drawn->itemCount(); ++i)
                if (auto* found = qobject_cast<QCPItemStraightLine*>(drawn->item(i)))
                    return found;
            return nullptr;
        }();
        QVERIFY(line);
        QCOMPARE(line->point1->coords().x(), 9.5);
        // What is drawn is what the description says.
        const auto& spec = plot("lens-positions")->plot();
        for (int i = 0; i < drawn->plottableCount(); ++i)
            if (auto* bars = qobject_cast<QCPBars*>(drawn->plottable(i)); bars && bars->name() == qs(spec.series[0].name))
                QCOMPARE(bars->data()->at(3)->value, spec.series[0].y[3]);
    }

    void shapesAreTold() {
        PlotSpec a;
        a.series.push_back({.name = "one", .x = {1, 2}, .y = {3, 4}});
        PlotSpec b = a;
        b.series[0].y = {5, 6};
        QVERIFY(sameShape(a, b) && !sameFigures(a, b) && sameFigures(a, a));
        b.series[0].low = b.series[0].high = {5, 6};
        QVERIFY(!sameShape(a, b)); // a band has to be drawn
        QVERIFY(sameShape(b, a));  // one that goes only loses its figures
        b = a;
        b.series[0].x = {1, 3};
        QVERIFY(!sameShape(a, b));
        b = a;
        b.categories = {"x"};
        QVERIFY(!sameShape(a, b));
        b = a;
        b.heat.values = {1};
        QVERIFY(!sameShape(a, b));
    }

    void theFoldIsDraggedAndStepped() {
        m_panel->showLenses(m_lenses, {});
        auto* strip = m_panel->findChild<LensStrip*>();
        QVERIFY(strip);
        QTest::keyClick(strip, Qt::Key_Right);
        QCOMPARE(m_whatIf->window(), 7);
        QTest::keyClick(strip, Qt::Key_Left);
        QCOMPARE(m_whatIf->window(), 6);
        QTest::keyClick(strip, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(m_whatIf->window(), 6);
        QCOMPARE(strip->selected(), 7);
        QVERIFY(strip->accessibleDescription().contains(QStringLiteral("Fold after position 6")));
        const QPoint fold(strip->foldX(), 40);
        const int pitch = strip->cellRect(0, 1).left() - strip->cellRect(0, 0).left();
        QTest::mousePress(strip, Qt::LeftButton, {}, fold);
        QTest::mouseMove(strip, fold + QPoint(2 * pitch, 0));
        QCOMPARE(m_whatIf->window(), 8);
        QTest::mouseMove(strip, fold - QPoint(20 * pitch, 0));
        QCOMPARE(m_whatIf->window(), 3);
        QTest::mouseRelease(strip, Qt::LeftButton, {}, fold);
        // In the plot.
        m_whatIf->reset();
        QTest::qWait(50);
        auto* drawn = plot("lens-positions")->findChild<QCustomPlot*>();
        drawn->replot(QCustomPlot::rpImmediateRefresh);
        const auto at = [&](double x) { return QPoint(static_cast<int>(drawn->xAxis->coordToPixel(x)), drawn->axisRect()->center().y()); };
        QTest::mousePress(drawn, Qt::LeftButton, {}, at(6.5));
        QTest::mouseMove(drawn, at(9.4));
        QCOMPARE(m_whatIf->window(), 9);
        QTest::mouseRelease(drawn, Qt::LeftButton, {}, at(9.4));
        QTest::keyClick(drawn, Qt::Key_Left);
        QCOMPARE(m_whatIf->window(), 8);
        QTest::mousePress(drawn, Qt::LeftButton, {}, at(2)); // beside the line: a position is chosen, the fold stays
        QTest::mouseRelease(drawn, Qt::LeftButton, {}, at(2));
        QCOMPARE(m_whatIf->window(), 8);
        QCOMPARE(strip->selected(), 1);
        QVERIFY(m_panel->inspection().heading.contains(QStringLiteral("Position 2")));
    }

    void everyFigureCanBeChosen() {
        m_panel->showLenses(m_lenses, {});
        auto* combo = m_panel->findChild<QComboBox*>(QStringLiteral("lens-figure"));
        QVERIFY(combo);
        for (int i = 0; i < combo->count() - 1; ++i) {
            combo->setCurrentIndex(i);
            const auto& drawn = plot("lens-positions")->plot();
            QVERIFY(!drawn.title.empty());
            QCOMPARE(drawn.series.size(), std::size_t(i == 0 ? 6 : 2));
        }
        combo->setCurrentIndex(5);
        QCOMPARE(plot("lens-positions")->plot().series[0].y[7], m_panel->figures(0)->slots[7].hidden);
        const auto conversion = combo->model()->index(combo->count() - 1, 0);
        QVERIFY(!(combo->model()->flags(conversion) & Qt::ItemIsEnabled)); // not known
        auto known = std::make_shared<RunLens>(*m_lenses[0]);
        known->conversion = m_lenses[1]->lens;
        m_panel->showLenses({known, nullptr}, {});
        QVERIFY(combo->model()->flags(conversion) & Qt::ItemIsEnabled);
        combo->setCurrentIndex(combo->count() - 1);
        QCOMPARE(plot("lens-positions")->plot().series[0].y[7], m_lenses[1]->lens.figures(m_whatIf->model())->slots[7].value);
    }

    void idealItemsJustOutside() {
        m_panel->showLenses(m_lenses, {});
        const auto landing = m_lenses[0]->lens.landing(6);
        const auto& drawn = plot("lens-landing")->plot();
        QVERIFY2(drawn.title.find("land just outside, at 7–10") != std::string::npos, drawn.title.c_str());
        QCOMPARE(drawn.series[0].y[6], landing.share[6]);
        QCOMPARE(drawn.verticalLines.front(), 5.5);
    }

    void withoutLogOrSegmentsTheReasonIsSaid() {
        m_lenses = {test::madeLens(50, 12, 1, false), nullptr};
        m_panel->showLenses(m_lenses, {});
        QString all;
        for (auto* label : m_panel->findChildren<QLabel*>())
            if (label->isVisible())
                all += label->text() + QLatin1Char('\n');
        QVERIFY2(all.contains(QStringLiteral("made up: no log")), qPrintable(all));
        QCOMPARE(plot("lens-positions")->plot().series.size(), std::size_t(3)); // one strategy alone
        m_panel->showLenses({nullptr, nullptr}, {});
        QCOMPARE(m_panel->state().state(), StateView::State::empty);
    }

    void everyControlHasAName() {
        m_panel->showLenses(m_lenses, {QStringLiteral("device")});
        for (auto* combo : m_panel->findChildren<QComboBox*>())
            QVERIFY(!combo->accessibleName().isEmpty());
        for (auto* label : m_panel->findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty(), qPrintable(label->text()));
        for (const int width : {560, 700, 1300}) {
            m_panel->resize(width, 500);
            QVERIFY(!m_panel->grab().isNull());
        }
        Theme::instance().setMode(Theme::Mode::dark);
        QVERIFY(!m_panel->grab().isNull());
        Theme::instance().setMode(Theme::Mode::light);
    }

    void segmentsOfUsers() {
        auto data = test::smallDataset();
        AttributeColumn device("device", FieldType::token), many("city", FieldType::token), age("age", FieldType::number);
        for (std::size_t i = 0; i < data->users.size(); ++i) {
            const std::string_view phone = i % 2 ? "phone" : "laptop";
            device.appendTokens({&phone, 1});
            const std::string city = "c" + std::to_string(i);
            const std::string_view view = city;
            many.appendTokens({&view, 1});
            const double years = static_cast<double>(i);
            age.appendNumbers({&years, 1});
        }
        data->users.attributes.push_back(std::move(device));
        data->users.attributes.push_back(std::move(many));
        data->users.attributes.push_back(std::move(age));
        QCOMPARE(userSegments(*data), QStringList({QStringLiteral("device"), QStringLiteral("age")}));
    }

    void cellsCountOnce() {
        auto study = std::make_shared<RowStudy>();
        study->question.columns = 3;
        study->question.rows = 2;
        study->candidates = {{"first", {{0, 1, 2}}}, {"second", {{2, 3, 4}}}};
        study->users = {7};
        study->relevant = {{2, 4}};
        study->dataset = test::smallDataset();
        const std::vector<std::size_t> order{0, 1};
        const auto grid = gridOf(*study, order, 0);
        // Item 2 stands at row 1, column 3 (cost 4) and row 2, column 1 (cost 3): the cheaper cell counts.
        QVERIFY(grid[0][2].repeated && !grid[1][0].repeated);
        QVERIFY(grid[1][0].relevant && grid[1][0].gain > 0);
        QCOMPARE(grid[0][2].gain, 0.0);
        double sum = 0;
        for (const auto& row : grid)
            for (const auto& cell : row)
                sum += cell.gain;
        const double ideal = 1 / std::log2(2.0) + 1 / std::log2(3.0);
        const auto figure = userFigure(*study, order, 0);
        QVERIFY(figure);
        QVERIFY(std::abs(*figure - sum / ideal) < 1e-12);
        RowsGrid shown;
        shown.resize(600, 200);
        shown.show(study, order, 0, {0, 1});
        shown.QWidget::show();
        QTest::keyClick(&shown, Qt::Key_Right);
        QTest::keyClick(&shown, Qt::Key_Down);
        QCOMPARE(shown.selected(), 3);
        QVERIFY(shown.spoken(3).contains(QStringLiteral("★")));
        QVERIFY(shown.spoken(2).contains(QStringLiteral("shown before")));
        QVERIFY(!shown.grab().isNull());
    }

    void rowsOfARealStudy() {
        const std::string file = ss(m_folder.filePath(QStringLiteral("rows.carousel")));
        if (Workbench().plugins().all().empty())
            QSKIP("no plugins beside the program");
        const auto made = test::makeCarouselProject(file, 40);
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        Workbench bench;
        QVERIFY(bench.openProject(file));
        RowQuestion question;
        question.runs = made->runs;
        question.draws = 200;
        const auto study = studyRows(bench, question, {});
        QVERIFY2(study, study ? "" : describe(study.error()).c_str());
        QCOMPARE(study->users.size(), std::size_t(40));
        QCOMPARE(study->choice.greedy.size(), std::size_t(2));
        QVERIFY(study->choice.greedyValue >= 0 && study->choice.greedyValue <= 1);
        QVERIFY(study->interval.low <= study->choice.greedyValue && study->choice.greedyValue <= study->interval.high);
        for (std::size_t user = 0; user < study->users.size(); ++user)
            QVERIFY(std::abs(*userFigure(*study, study->choice.greedy, user) - study->choice.perUser[user]) < 1e-12);
    }
};

QTEST_MAIN(TestLensPanel)
#include "test_lens_panel.moc"
