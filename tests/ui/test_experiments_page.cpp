// SPDX-License-Identifier: GPL-3.0-or-later
// The experiments page: what a log cannot support is said and cannot be started; a document is shown whole; analyses are run, kept, opened, written
// and removed.
#include "carousel_project.h"
#include "pages/experiments/analysis_list.h"
#include "pages/experiments/analysis_needs.h"
#include "pages/experiments/analysis_setup.h"
#include "pages/experiments/strategy_choice.h"
#include "pages/experiments_page.h"
#include "plots/plot_view.h"
#include "theme/theme.h"
#include "widgets/document_table.h"
#include "widgets/document_view.h"
#include "widgets/origin_window.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

using namespace carousel;
using namespace carousel::ui;

namespace {
// Numbers drawn by hand, one of everything a document can hold.
AnalysisDocument documentByHand() {
    AnalysisDocument d;
    d.kind = "clicks";
    d.figuresJson = "{}";
    auto& r = d.report;
    r.title = "Click models of <b>a log</b>";
    r.subtitle = "1,000 slates";
    r.lead = {"Clicks fall by half at the fold.", "Examination and swipe are told apart by the logged reach."};
    r.facts = {{"Slates", "1,000"}, {"Click rate", "0.083"}};
    r.light = Light::amber;
    r.findings = {{Light::green, "Order is shuffled", "p = 0.43"}, {Light::amber, "After a swipe", "attention starts again"}, {Light::red, "Support", "3 of 10 first choices were never shown"}};
    r.warnings = {"112 anonymous slates are resampled one by one."};
    r.command = "carousel-lab-cli evaluate clicks spec.toml";
    PlotSpec line;
    line.id = "examination";
    line.title = "Examination drops at the fold";
    PlotSeries series;
    series.name = "PBM";
    series.x = {1, 2, 3};
    series.y = {1, 0.8, 0.4};
    line.series = {series};
    PlotSpec heat;
    heat.id = "heat";
    heat.title = "Clicks per segment";
    heat.heat.rows = {"new", "returning"};
    heat.heat.columns = {"1", "2", "3"};
    heat.heat.values = {0.3, 0.2, 0.1, 0.2, NAN, 0.05};
    ReportTable table;
    table.caption = "Models";
    table.columns = {{"model", false, {}}, {"perplexity", true, "lower is better"}, {"identified", false, {}}};
    table.rows = {{textCell("PBM", 0), estimateCell(1.12, 1.1, 1.14), textCell("examination up to a factor")},
                  {textCell("DCM", 1), estimateCell(1.031, 1.02, 1.04), textCell("continuation after a click")},
                  {textCell("UBM", 2), estimateCell(10.5, 9.9, 11.1), textCell("examination by the last click")}};
    table.rows[1][0].note = "did not converge";
    r.sections.push_back({"Examination", {"One paragraph."}, {table}, {line, heat}, {}});
    r.sections.push_back({"Words", {}, {}, {}, {{"PBM", "P(click) = examination × attraction", "Craswell 2008"}}});
    return d;
}
// The page on a project of the tests, opening; where there is none (no plugins beside the program) nothing is opened.
struct OpenPage {
    bool exists;
    Session session;
    ExperimentsPage page{session};
    AnalysisSetup* setup = page.findChild<AnalysisSetup*>();
    AnalysisList* list = page.findChild<AnalysisList*>();
    DocumentView* document = page.findChild<DocumentView*>();

    explicit OpenPage(const QString& file) : exists(QFileInfo::exists(file)) {
        page.resize(1200, 800);
        page.show();
        if (exists)
            session.openProject(file);
    }
};
} // namespace

class TestExperimentsPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;

    static std::vector<carousel::Badge> log(bool positions, bool propensities) {
        return {{"slates", true, "whole slates are logged"},
                {"positions", positions, positions ? "positions 1 to 6" : "no positions: position effects cannot be estimated"},
                {"non-clicks", true, "shown but not clicked items are logged"},
                {"propensities", propensities, propensities ? "every impression carries its propensity" : "no propensities: IPS is not available"}};
    }
    static QStringList texts(const QWidget& widget) {
        QStringList list;
        for (auto* label : widget.findChildren<QLabel*>())
            list << label->text();
        return list;
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
    }

    void aLogThatCannotCarryAnAnalysisSaysWhy() {
        QVERIFY(analysisAbility(AnalysisKind::clicks, log(true, false)).refusal.isEmpty());
        QVERIFY(analysisAbility(AnalysisKind::clicks, log(true, false)).note.contains(QStringLiteral("no propensities")));
        QVERIFY(analysisAbility(AnalysisKind::offPolicy, log(true, false)).refusal.contains(QStringLiteral("IPS is not available")));
        QVERIFY(analysisAbility(AnalysisKind::offPolicy, log(false, true)).refusal.isEmpty());
        QVERIFY(analysisAbility(AnalysisKind::positionBias, log(false, true)).refusal.contains(QStringLiteral("no positions")));
        QVERIFY(!analysisAbility(AnalysisKind::clicks, {}).refusal.isEmpty());
    }

    void everyCommonOptionIsAnOption() {
        for (const auto kind : logAnalyses()) {
            QVERIFY(!commonOptions(kind).empty());
            for (const auto& id : commonOptions(kind)) {
                const auto& all = analysisParameters(kind);
                QVERIFY2(std::any_of(all.begin(), all.end(), [&](const ParameterSpec& option) { return option.id == id; }), id.c_str());
            }
            QVERIFY(analysisQuestion(kind).endsWith(QLatin1Char('?')));
            QCOMPARE(analysisTitle(std::string(name(kind))), analysisTitle(kind));
        }
        QCOMPARE(analysisTitle(std::string("other")), QStringLiteral("other"));
    }

    void aDocumentIsShownWhole() {
        DocumentView view;
        view.resize(1000, 700);
        view.show();
        view.setDocument(documentByHand());
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QCOMPARE(view.contents(), QStringList({QStringLiteral("Verdict"), QStringLiteral("Checks"), QStringLiteral("Examination"), QStringLiteral("Words")}));
        const QStringList words = texts(view);
        for (const char* text : {"Click models of <b>a log</b>", "Clicks fall by half at the fold.", "1,000 slates", "Slates", "0.083", "After a swipe", "attention starts again",
                                 "▲ 112 anonymous slates are resampled one by one.", "One paragraph.", "PBM", "P(click) = examination × attraction", "Source: Craswell 2008"})
            QVERIFY2(words.contains(QString::fromUtf8(text)), text);
        for (auto* label : view.findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || !Qt::mightBeRichText(label->text()), qPrintable(label->text()));
        QStringList lights;
        for (auto* badge : view.findChildren<carousel::ui::Badge*>())
            lights << badge->text();
        QCOMPARE(lights, QStringList({QStringLiteral("weak"), QStringLiteral("supported"), QStringLiteral("weak"), QStringLiteral("not supported")}));
        QCOMPARE(view.plots().size(), 2);
        // Nothing is wider than the page, at either width: no sideways scrolling, nothing cut off.
        for (const int width : {1000, 460}) {
            view.resize(width, 700);
            auto* scroll = view.findChild<QScrollArea*>();
            QTRY_COMPARE(view.width(), width);
            QTRY_VERIFY2(scroll->widget()->width() <= scroll->viewport()->width(), qPrintable(QStringLiteral("%1 wide, at least %2, in %3").arg(scroll->widget()->width()).arg(scroll->widget()->minimumSizeHint().width()).arg(scroll->viewport()->width())));
            for (auto* plot : view.plots())
                QVERIFY(plot->mapTo(scroll->widget(), QPoint(plot->width(), 0)).x() <= scroll->viewport()->width());
            const auto abreast = view.plots()[0]->mapTo(scroll->widget(), QPoint()).y() == view.plots()[1]->mapTo(scroll->widget(), QPoint()).y();
            QCOMPARE(abreast, width == 1000);
        }
        // The strip of contents leads to its part and follows the scrolling.
        auto* tabs = view.findChild<QTabBar*>();
        auto* bar = view.findChild<QScrollArea*>()->verticalScrollBar();
        QVERIFY(bar->maximum() > 0);
        view.showPart(2);
        QVERIFY(bar->value() > 0);
        bar->setValue(0);
        QCOMPARE(tabs->currentIndex(), 0);
        bar->setValue(bar->maximum());
        QCOMPARE(tabs->currentIndex(), 3);
        // Another document leaves nothing of the first.
        view.setDocument({});
        QVERIFY(view.plots().isEmpty());
        QCOMPARE(view.contents(), QStringList({QStringLiteral("Verdict")}));
    }

    void tablesSortByValueAndCopy() {
        DocumentTable table(documentByHand().report.sections[0].tables[0]);
        table.resize(700, 300);
        table.show();
        auto* view = table.findChild<QTableView*>();
        QCOMPARE(view->model()->rowCount(), 3);
        QCOMPARE(view->model()->index(0, 0).data().toString(), QStringLiteral("PBM"));
        view->sortByColumn(1, Qt::DescendingOrder); // 10.5 before 1.12, not "1.12" before "10.5"
        QCOMPARE(view->model()->index(0, 0).data().toString(), QStringLiteral("UBM"));
        QCOMPARE(view->model()->index(2, 0).data().toString(), QStringLiteral("DCM"));
        const QStringList lines = table.toTsv().split(QLatin1Char('\n'));
        QCOMPARE(lines[0], QStringLiteral("model\tperplexity\tidentified"));
        QVERIFY2(lines[1].startsWith(QStringLiteral("UBM\t10.5")) && lines[1].contains(QLatin1Char('[')), qPrintable(lines[1]));
        table.findChild<QToolButton*>()->click();
        QCOMPARE(QApplication::clipboard()->text(), table.toTsv());
        // Rows with a note are taller; a narrow table breaks its words instead of cutting them.
        QVERIFY(view->rowHeight(2) > view->rowHeight(0));
        const int before = view->rowHeight(0);
        table.resize(330, 300);
        QTRY_VERIFY(view->rowHeight(0) > before);
    }

    void aCellSaysWhereItComesFrom() {
        AnalysisDocument document = documentByHand();
        document.figuresJson = R"({"models":[{"perplexity":1.123456789012345,"interval":[1.1,1.14]}]})";
        document.report.provenanceJson = R"({"specificationSha256":"5eed","data":{"digest":"da7a"}})";
        document.report.sections[0].tables[0].rows[0][1].path = "models[0].perplexity";
        DocumentView view;
        view.resize(900, 700);
        view.show();
        view.setDocument(document);
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        auto* table = view.findChild<DocumentTable*>()->findChild<QTableView*>();
        QVERIFY(!view.origin());
        table->sortByColumn(1, Qt::DescendingOrder); // PBM is now in the middle: the cell is found all the same
        QCOMPARE(table->model()->index(1, 0).data().toString(), QStringLiteral("PBM"));
        table->setCurrentIndex(table->model()->index(1, 1));
        table->setFocus();
        QTest::keyClick(table, Qt::Key_Return);
        QTRY_VERIFY(view.origin() && view.origin()->isVisible());
        for (const char* part : {"1.123456789012345", "models[0].perplexity", "[1.1,1.14]", "carousel-lab-cli evaluate clicks spec.toml", "5eed", "da7a", "PBM"})
            QVERIFY2(view.origin()->text().contains(QString::fromLatin1(part)), part);
        for (auto* button : view.origin()->findChildren<QPushButton*>())
            if (button->text().contains(QStringLiteral("Copy")))
                button->click();
        QCOMPARE(QApplication::clipboard()->text(), view.origin()->text());
        // A cell of words has no figure, and says what made it all the same; the menu leads there too.
        view.origin()->close();
        Q_EMIT table->customContextMenuRequested(table->visualRect(table->model()->index(1, 2)).center());
        auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
        QVERIFY(menu);
        menu->actions().first()->trigger();
        menu->close();
        QTRY_VERIFY(view.origin()->isVisible());
        QVERIFY(view.origin()->text().contains(QStringLiteral("not a single one of them")));
        QVERIFY(!view.origin()->text().contains(QStringLiteral("Exactly")));
    }

    void emptyStatesSayWhatToDo() {
        Session session;
        ExperimentsPage page(session);
        page.resize(1200, 800);
        page.show();
        auto* state = page.findChild<StateView*>();
        QCOMPARE(state->state(), StateView::State::empty);
        QVERIFY(texts(*state).contains(QStringLiteral("No project is open")));
        const QString file = m_folder.filePath(QStringLiteral("plain.carousel"));
        session.createProject(file, QStringLiteral("Plain"));
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded() && !page.isBusy(), 30000);
        QCOMPARE(state->state(), StateView::State::empty);
        QVERIFY(texts(*state).contains(QStringLiteral("No log to analyse")));
        // A data set without impressions is named.
        const QString csv = m_folder.filePath(QStringLiteral("ratings.csv"));
        QFile out(csv);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write("user_id,item_id,rating\n");
        for (int i = 0; i < 60; ++i)
            out.write(QByteArray::number(i % 7) + ',' + QByteArray::number(i % 11) + ",4\n");
        out.close();
        const auto mapping = guessMapping(ss(csv));
        QVERIFY(mapping);
        Workbench::ImportRequest request;
        request.kind = "csv";
        request.path = ss(csv);
        request.name = "ratings";
        request.mapping = *mapping;
        session.importData(request);
        QTRY_VERIFY_WITH_TIMEOUT(session.datasets().size() == 1 && !page.isBusy(), 30000);
        QCOMPARE(state->state(), StateView::State::empty);
        QVERIFY(texts(*state).filter(QStringLiteral("No impressions are in: ratings")).size() == 1);
        QString reason;
        QVERIFY(!page.findChild<AnalysisSetup*>()->canRun(&reason));
        QVERIFY2(reason.contains(QStringLiteral("impression")), qPrintable(reason));
    }

    void runsKeepsOpensWritesAndRemoves() {
        Session session;
        ExperimentsPage page(session);
        page.resize(1200, 800);
        page.show();
        if (session.workbench().plugins().all().empty())
            QSKIP("no plugins beside the program");
        const QString file = m_folder.filePath(QStringLiteral("demo.carousel"));
        const auto made = test::makeCarouselProject(ss(file), 20);
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        session.openProject(file);
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded() && session.isIdle() && !page.isBusy(), 60000);
        auto* state = page.findChild<StateView*>();
        auto* setup = page.findChild<AnalysisSetup*>();
        auto* list = page.findChild<AnalysisList*>();
        auto* document = page.findChild<DocumentView*>();
        QCOMPARE(state->state(), StateView::State::ready);
        QCOMPARE(setup->dataset(), QStringLiteral("six-of-hundreds"));
        QVERIFY(list->rows().empty());
        for (auto* button : setup->findChildren<QRadioButton*>())
            QVERIFY2(button->isEnabled(), qPrintable(button->text()));

        // The strategies of the finished study can be evaluated; those without a language model are ticked.
        setup->setKind(AnalysisKind::offPolicy);
        const auto offPolicy = setup->spec();
        QVERIFY2(offPolicy, offPolicy ? "" : describe(offPolicy.error()).c_str());
        QCOMPARE(offPolicy->strategies.size(), std::size_t(2));
        auto* ticks = setup->findChild<StrategyChoice*>()->findChild<QListWidget*>();
        ticks->item(0)->setCheckState(Qt::Unchecked);
        QCOMPARE(setup->spec()->strategies.size(), std::size_t(1));
        QCOMPARE(setup->spec()->strategies.front().name, std::string("Sequence rules"));

        // What is set is kept while another kind is looked at; what is not valid cannot be run.
        setup->setKind(AnalysisKind::positionBias);
        QVERIFY(setup->spec()->strategies.empty());
        const auto edit = [&](const char* id) { return setup->findChild<QLineEdit*>(QString::fromLatin1(id)); };
        edit("draws")->setText(QStringLiteral("40"));
        edit("seed")->setText(QStringLiteral("7"));
        setup->setKind(AnalysisKind::clicks);
        setup->setKind(AnalysisKind::positionBias);
        QCOMPARE(setup->spec()->options.integer("draws"), std::int64_t(40));
        QCOMPARE(setup->spec()->seed, std::uint64_t(7));
        edit("draws")->setText(QStringLiteral("many"));
        QVERIFY(!setup->canRun());
        edit("draws")->setText(QStringLiteral("40"));
        QString reason;
        QVERIFY2(setup->canRun(&reason), qPrintable(reason));

        QSignalSpy analysed(&page, &ExperimentsPage::analysed);
        page.run();
        QVERIFY(page.isRunning());
        page.run(); // a second one does not start
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, 120000);
        QVERIFY2(analysed.first().first().toBool(), qPrintable(session.log().asText()));
        QTRY_COMPARE_WITH_TIMEOUT(list->rows().size(), std::size_t(1), 30000);
        QCOMPARE(list->current(), page.shown());
        QCOMPARE(list->rows().front().kind, std::string("position-bias"));
        QVERIFY(!document->document().report.lead.empty());
        QCOMPARE(list->rows().front().verdict, document->document().report.lead.front());
        const auto first = page.shown();

        // The same from the store, after the project was closed.
        session.closeProject();
        QTRY_VERIFY_WITH_TIMEOUT(session.isIdle(), 30000);
        QCOMPARE(state->state(), StateView::State::empty);
        QSignalSpy opened(&page, &ExperimentsPage::opened);
        session.openProject(file);
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, 60000); // the newest opens by itself
        QCOMPARE(page.shown(), first);
        QVERIFY(session.log().warnings() == 0 || !session.log().asText().contains(QStringLiteral("CL-4")));

        page.copyCommand();
        QCOMPARE(QApplication::clipboard()->text(), qs(document->document().report.command));
        QVERIFY(QApplication::clipboard()->text().startsWith(QStringLiteral("carousel-lab-cli")));
        QSignalSpy written(&page, &ExperimentsPage::written);
        for (const char* target : {"out.html", "out.json", "out"}) {
            page.writeTo(m_folder.filePath(QString::fromLatin1(target)));
            QTRY_VERIFY_WITH_TIMEOUT(!written.isEmpty() && session.isIdle(), 30000);
            QVERIFY2(written.takeFirst().first().toBool(), qPrintable(session.log().asText()));
            QVERIFY2(QFileInfo::exists(m_folder.filePath(QString::fromLatin1(target))), target);
        }
        QVERIFY(QDir(m_folder.filePath(QStringLiteral("out"))).entryList({QStringLiteral("*.csv")}, QDir::Files).size() > 0);

        page.openAnalysis(first + 99); // unknown
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 2, 30000);
        QVERIFY(!opened.last().last().toBool());
        QVERIFY(session.log().asText().contains(QStringLiteral("CL-4007")));
        page.removeAnalysis(first);
        QTRY_VERIFY_WITH_TIMEOUT(list->rows().empty() && session.isIdle(), 30000);
    }

    void experimentsAreComparedSideBySide() {
        OpenPage open(m_folder.filePath(QStringLiteral("demo.carousel")));
        if (!open.exists)
            QSKIP("no plugins beside the program");
        auto& [exists, session, page, setup, list, document] = open;
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded() && session.isIdle() && !page.isBusy(), 60000);
        QSignalSpy analysed(&page, &ExperimentsPage::analysed);
        for (const char* users : {"200", "300"}) { // small ones: what they find does not matter here
            setup->setKind(AnalysisKind::abTest);
            setup->findChild<QLineEdit*>(QStringLiteral("users"))->setText(QString::fromLatin1(users));
            setup->findChild<QLineEdit*>(QStringLiteral("rounds"))->setText(QStringLiteral("2"));
            analysed.clear();
            page.run();
            QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, 120000);
            QVERIFY2(analysed.first().first().toBool(), qPrintable(session.log().asText()));
            QTRY_VERIFY_WITH_TIMEOUT(session.isIdle() && !page.isBusy(), 30000);
        }
        QCOMPARE(list->rows().size(), std::size_t(2));
        // One alone is not compared, and the page says why.
        QAction* compare = nullptr;
        for (auto* action : page.findChildren<QAction*>())
            if (action->text() == QStringLiteral("Compare"))
                compare = action;
        QVERIFY(compare && !compare->isEnabled());
        QVERIFY2(compare->toolTip().contains(QStringLiteral("two or more")), qPrintable(compare->toolTip()));
        list->setFocus();
        list->setCurrentIndex(list->model()->index(0, 0));
        QTest::keyClick(list, Qt::Key_Down, Qt::ShiftModifier);
        QTRY_VERIFY_WITH_TIMEOUT(!page.isBusy() && session.isIdle(), 30000); // the one the cursor went to was opened
        QCOMPARE(list->selected().size(), std::size_t(2));
        QVERIFY(compare->isEnabled());
        QSignalSpy compared(&page, &ExperimentsPage::compared);
        compare->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(compared.size(), 1, 30000);
        QVERIFY2(compared.first().first().toBool(), qPrintable(session.log().asText()));
        QCOMPARE(document->document().kind, std::string("comparison"));
        QCOMPARE(page.shown(), std::int64_t(0));
        QCOMPARE(list->selected().size(), std::size_t(2));
        QVERIFY(document->contents().contains(QStringLiteral("Designs")));
        // Every number of it leads to the kept one.
        for (auto* table : document->findChildren<DocumentTable*>())
            for (const auto& row : table->table().rows)
                for (const auto& cell : row)
                    if (!cell.path.empty())
                        QVERIFY2(!figureAt(document->document().figuresJson, cell.path).empty(), cell.path.c_str());
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(list->currentIndex()).center()); // back to one
        QTRY_VERIFY_WITH_TIMEOUT(page.shown() != 0 && !page.isBusy(), 30000);
        QCOMPARE(document->document().kind, std::string("ab-test"));
        for (const auto& row : std::vector<AnalysisRow>(list->rows()))
            page.removeAnalysis(row.id);
        QTRY_VERIFY_WITH_TIMEOUT(list->rows().empty() && session.isIdle(), 30000);
    }

    void anExperimentIsSeenWhileItRunsAndWhatWasStoppedIsKept() {
        OpenPage open(m_folder.filePath(QStringLiteral("demo.carousel")));
        if (!open.exists)
            QSKIP("the project of the test before is missing");
        auto& [exists, session, page, setup, list, document] = open;
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded() && session.isIdle() && !page.isBusy(), 60000);
        const std::size_t before = list->rows().size();
        setup->setKind(AnalysisKind::abTest);
        for (const auto& [id, value] : {std::pair{"users", "1500"}, {"rounds", "2000"}, {"learnEvery", "1"}, {"draws", "50"}})
            setup->findChild<QLineEdit*>(QString::fromLatin1(id))->setText(QString::fromLatin1(value));
        QString reason;
        QVERIFY2(setup->canRun(&reason), qPrintable(reason));
        QSignalSpy analysed(&page, &ExperimentsPage::analysed);
        page.run();
        const auto isPartial = [&] { return QByteArray::fromStdString(document->document().figuresJson).contains("\"partial\":true"); };
        QTRY_VERIFY_WITH_TIMEOUT(page.isRunning() && isPartial(), 120000); // figures while rounds pass
        QCOMPARE(page.shown(), std::int64_t(0));
        const std::string first = document->document().figuresJson;
        QTRY_VERIFY_WITH_TIMEOUT(document->document().figuresJson != first, 60000); // and newer ones
        session.jobs().cancelTasks();
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, 60000);
        QTRY_VERIFY_WITH_TIMEOUT(list->rows().size() == before + 1 && page.shown() != 0 && session.isIdle(), 30000);
        QCOMPARE(list->rows().front().kind, std::string("ab-test"));
        QVERIFY(isPartial());
        page.removeAnalysis(page.shown());
        QTRY_VERIFY_WITH_TIMEOUT(list->rows().size() == before && session.isIdle(), 30000);
    }

    void cancelledLeavesNothing() {
        OpenPage open(m_folder.filePath(QStringLiteral("demo.carousel")));
        if (!open.exists)
            QSKIP("no plugins beside the program");
        auto& [exists, session, page, setup, list, document] = open;
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded() && session.isIdle() && !page.isBusy(), 60000);
        setup->setKind(AnalysisKind::clicks);
        QSignalSpy analysed(&page, &ExperimentsPage::analysed);
        page.run();
        QVERIFY(page.isRunning());
        session.jobs().cancelTasks(); // as Esc does
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, 30000);
        QVERIFY(!analysed.first().first().toBool());
        QVERIFY(!page.isRunning());
        QVERIFY(page.findChild<AnalysisList*>()->rows().empty());
        QVERIFY(setup->canRun());
    }
};

QTEST_MAIN(TestExperimentsPage)
#include "test_experiments_page.moc"
