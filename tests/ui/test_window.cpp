// SPDX-License-Identifier: GPL-3.0-or-later
// The whole window on a small project: every page in every state, names for assistive tools, keyboard, palette, a run from F5 to the comparison.
#include "main_window.h"
#include "models/text_table_model.h"
#include "pages/experiments/analysis_setup.h"
#include "pages/page.h"
#include "pages/runs_page.h"
#include "pages/study_settings.h"
#include "session/run_selection.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/command_palette.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>

using namespace carousel;
using namespace carousel::ui;

class TestWindow : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    std::unique_ptr<MainWindow> m_window;

    bool settle(int ms = 60000) {
        return QTest::qWaitFor([this] { return m_window->isSettled(); }, ms);
    }
    QStringList problems() const {
        QStringList names;
        for (auto* widget : m_window->findChildren<QWidget*>()) {
            const bool control = qobject_cast<QAbstractButton*>(widget) || qobject_cast<QLineEdit*>(widget) || qobject_cast<QComboBox*>(widget) ||
                                 qobject_cast<QAbstractSpinBox*>(widget) || qobject_cast<QAbstractItemView*>(widget) || qobject_cast<QPlainTextEdit*>(widget) ||
                                 qobject_cast<QTabBar*>(widget);
            // Parts that Qt makes inside its own controls are named by those.
            const bool inner = widget->objectName().startsWith(QLatin1String("qt_")) || qobject_cast<QHeaderView*>(widget) ||
                               qobject_cast<QComboBox*>(widget->parentWidget()) || qobject_cast<QAbstractSpinBox*>(widget->parentWidget()) ||
                               qobject_cast<QTabBar*>(widget->parentWidget()) || qobject_cast<QLineEdit*>(widget->parentWidget()) ||
                               qobject_cast<QAbstractItemView*>(widget->parentWidget()) || widget->inherits("QComboBoxListView");
            if (!control || inner)
                continue;
            auto* seen = QAccessible::queryAccessibleInterface(widget);
            if (!seen || seen->text(QAccessible::Name).trimmed().isEmpty()) {
                const QWidget* page = widget;
                while (page && !page->objectName().startsWith(QLatin1String("page-")))
                    page = page->parentWidget();
                names << QStringLiteral("%1 '%2' in %3").arg(QString::fromLatin1(widget->metaObject()->className()), widget->objectName(), page ? page->objectName() : QString());
            }
        }
        return names;
    }
    QString csv() {
        const QString file = m_folder.filePath(QStringLiteral("events.csv"));
        QFile out(file);
        if (!out.open(QIODevice::WriteOnly))
            return {};
        out.write("user_id,item_id,rating,timestamp\n");
        for (int user = 0; user < 40; ++user)
            for (int i = 0; i < 12; ++i)
                out.write(QByteArray::number(user) + ',' + QByteArray::number((user * 5 + i * 3) % 50) + ',' + QByteArray::number(3 + (i + user) % 3) + ',' +
                          QByteArray::number(1'000'000'000 + user * 1000 + i * 60) + '\n');
        return file;
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("carousel-lab-test"));
        QCoreApplication::setApplicationName(QStringLiteral("test-window"));
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1400, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }
    void cleanupTestCase() { m_window.reset(); }

    void startsWithoutAProject() {
        QVERIFY(settle());
        QCOMPARE(m_window->pages().size(), std::size_t(10));
        for (auto* page : m_window->pages()) {
            QVERIFY(m_window->showPage(page->id()));
            QVERIFY(!page->title().isEmpty());
            QVERIFY2(page->question().endsWith(QLatin1Char('?')), qPrintable(page->id()));
            if (page->id() != QLatin1String("home") && page->id() != QLatin1String("models")) // these two need no project
                QCOMPARE(page->findChild<StateView*>()->state(), StateView::State::empty);
        }
        QVERIFY(!m_window->showPage(QStringLiteral("nowhere")));
        QVERIFY2(problems().isEmpty(), qPrintable(problems().join(QStringLiteral("; "))));
    }

    void aFileThatIsNoProjectIsRefused() {
        const QString file = m_folder.filePath(QStringLiteral("text.carousel"));
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write("this is no project");
        out.close();
        QSignalSpy failed(&m_window->session(), &Session::openFailed);
        m_window->session().openProject(file);
        QTRY_COMPARE(failed.size(), 1);
        QVERIFY(settle());
        QVERIFY(!m_window->session().hasProject());
        QVERIFY(m_window->session().log().asText().contains(QStringLiteral("CL-4")));
    }

    void createImportAndLook() {
        auto& session = m_window->session();
        session.createProject(m_folder.filePath(QStringLiteral("shop.carousel")), QStringLiteral("Shop"));
        QTRY_VERIFY(session.loaded());
        const auto mapping = guessMapping(ss(csv()));
        QVERIFY2(mapping, mapping ? "" : mapping.error().message.c_str());
        Workbench::ImportRequest request;
        request.kind = "csv";
        request.path = ss(m_folder.filePath(QStringLiteral("events.csv")));
        request.name = "events";
        request.mapping = *mapping;
        QSignalSpy imported(&session, &Session::imported);
        session.importData(request);
        QTRY_COMPARE_WITH_TIMEOUT(imported.size(), 1, 30000);
        m_window->showPage(QStringLiteral("data"));
        QVERIFY(settle());
        QCOMPARE(session.datasets().size(), std::size_t(1));
        QCOMPARE(session.datasets().front().interactions, 480);
        auto* page = m_window->currentPage();
        QCOMPARE(page->findChild<StateView*>()->state(), StateView::State::ready);
        QVERIFY(Session::recentProjects().contains(session.projectFile()));
        QVERIFY2(problems().isEmpty(), qPrintable(problems().join(QStringLiteral("; "))));
    }

    // These data hold no impressions, but histories with times: the five tasks can be learned from them.
    void theTasksPageLeadsToWhatTrainsItsModels() {
        QVERIFY(m_window->showPage(QStringLiteral("tasks")));
        QVERIFY(settle());
        auto* state = m_window->currentPage()->findChild<StateView*>();
        QCOMPARE(state->state(), StateView::State::empty);
        QPushButton* go = nullptr;
        for (auto* button : state->findChildren<QPushButton*>())
            if (button->isVisible())
                go = button;
        QVERIFY(go);
        go->click();
        QVERIFY(settle());
        auto* experiments = m_window->currentPage();
        QCOMPARE(experiments->id(), QStringLiteral("experiments"));
        QCOMPARE(experiments->findChild<StateView*>()->state(), StateView::State::ready);
        auto* setup = experiments->findChild<AnalysisSetup*>();
        QVERIFY(setup->kind() == AnalysisKind::tasks);
        QString reason;
        QVERIFY2(setup->canRun(&reason), qPrintable(reason));
    }

    void editsCanBeUndone() {
        auto& draft = m_window->session().draft();
        m_window->showPage(QStringLiteral("strategies"));
        QVERIFY(settle());
        if (m_window->session().workbench().plugins().all().empty())
            QSKIP("no plugins beside the program");
        draft.addStrategy();
        QVERIFY(draft.strategy());
        QCOMPARE(draft.study().strategies.size(), std::size_t(1));
        QVERIFY(draft.setPlugin(StageKind::scorer, QStringLiteral("popularity")));
        QVERIFY(draft.renameStrategy(QStringLiteral("Popularity")));
        draft.copyStrategy();
        QCOMPARE(draft.study().strategies.size(), std::size_t(2));
        QVERIFY(!draft.renameStrategy(QStringLiteral("Popularity"))); // taken
        QVERIFY(draft.renameStrategy(QStringLiteral("Random")));
        QVERIFY(draft.setPlugin(StageKind::scorer, QStringLiteral("random")));
        draft.undoStack().undo();
        QCOMPARE(draft.strategy()->stage(StageKind::scorer).plugin, std::string("popularity"));
        draft.undoStack().redo();
        QCOMPARE(draft.strategy()->stage(StageKind::scorer).plugin, std::string("random"));
        QVERIFY(settle());
        QVERIFY2(problems().isEmpty(), qPrintable(problems().join(QStringLiteral("; "))));
    }

    void learningFromClicksReachesTheStudy() {
        auto& draft = m_window->session().draft();
        if (!draft.strategy())
            QSKIP("no plugins beside the program");
        auto* clicks = m_window->findChild<QComboBox*>(QStringLiteral("training-clicks"));
        auto* clip = m_window->findChild<QAbstractSpinBox*>(QStringLiteral("training-clip"));
        QVERIFY(clicks && clip);
        QVERIFY(!clicks->isEnabled()); // this data set has no carousel log
        const auto before = draft.study();
        const int steps = draft.undoStack().index();
        clicks->setCurrentIndex(clicks->findData(QStringLiteral("ips")));
        clip->setProperty("value", 7.0);
        QCOMPARE(draft.strategy()->training.clicks, std::string("ips"));
        QCOMPARE(draft.strategy()->training.clip, 7.0);
        const auto read = parseStudy(draft.toml(), m_window->session().workbench().plugins());
        QVERIFY2(read, read ? "" : read.error().message.c_str());
        QVERIFY(read->strategies[static_cast<std::size_t>(draft.current())].training == draft.strategy()->training);
        draft.copyStrategy();
        QCOMPARE(draft.study().strategies.size(), before.strategies.size() + 1);
        QCOMPARE(draft.strategy()->training.clip, 7.0);
        bool noted = false;
        for (auto* list : m_window->findChildren<QListWidget*>())
            for (int i = 0; i < list->count(); ++i)
                noted = noted || list->item(i)->text().contains(QStringLiteral("+ clicks, weighted"));
        QVERIFY(noted);
        draft.undoStack().setIndex(steps);
        QVERIFY(draft.study().strategies == before.strategies);
        QCOMPARE(clicks->currentData().toString(), QStringLiteral("none"));
    }

    void evaluationFormRoundTrips() {
        StudySpec study, back;
        study.evaluation.users = 17;
        study.evaluation.swipe = 0.5;
        study.evaluation.refitOnValidation = false;
        study.seed = 99;
        const auto checked = validate(evaluationParameters(), toParameters(study), "evaluation");
        QVERIFY(checked);
        fromParameters(*checked, back);
        QVERIFY(toParameters(back) == toParameters(study));
    }

    void runFromTheStrategiesPage() {
        auto& session = m_window->session();
        if (session.draft().study().strategies.size() != 2)
            QSKIP("no plugins beside the program");
        m_window->showPage(QStringLiteral("strategies"));
        m_window->activateWindow();
        m_window->currentPage()->setFocus();
        QSignalSpy ended(&session, &Session::studyEnded);
        QString reason;
        QVERIFY2(session.draft().canRun(&reason), qPrintable(reason));
        QTest::keyClick(m_window->currentPage(), Qt::Key_F5);
        if (session.isIdle() && ended.isEmpty()) // a platform without window activation delivers no shortcuts
            session.runStudy(session.draft().study());
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, 120000);
        QVERIFY2(ended.first().first().toBool(), qPrintable(session.log().asText()));
        QVERIFY(settle());
        QCOMPARE(session.runs().size(), std::size_t(2));
        QCOMPARE(session.selection().state(), RunSelection::State::ready);
        QCOMPARE(session.selection().comparison()->strategies.size(), std::size_t(2));
        const auto differences = specificationDifferences(session.runs());
        QVERIFY(!differences.empty());
        for (const auto& row : differences)
            QVERIFY(row.size() == 3 && row[1] != row[2]);
        for (auto* page : m_window->pages()) {
            m_window->showPage(page->id());
            QVERIFY(settle());
            const bool needsModel = page->id() == QLatin1String("tasks"); // none has been trained
            QCOMPARE(page->findChild<StateView*>()->state(), needsModel ? StateView::State::empty : StateView::State::ready);
            QVERIFY(!m_window->grab().isNull());
        }
        QVERIFY2(problems().isEmpty(), qPrintable(problems().join(QStringLiteral("; "))));
    }

    void noLabelReadsTextAsMarkup() {
        for (auto* label : m_window->findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty() || !Qt::mightBeRichText(label->text()), qPrintable(label->text()));
        QVERIFY(plainToolTip(QStringLiteral("<b>x</b>")).contains(QStringLiteral("&lt;b&gt;")));
    }

    void paletteFindsPagesAndActions() {
        QVERIFY(matchScore(QStringLiteral("met"), QStringLiteral("Metrics")) > matchScore(QStringLiteral("et"), QStringLiteral("Metrics")));
        QVERIFY(matchScore(QStringLiteral("run zzz"), QStringLiteral("Run study")) < 0);
        m_window->showPage(QStringLiteral("home"));
        m_window->openPalette();
        auto* palette = m_window->findChild<CommandPalette*>();
        QVERIFY(palette && palette->isVisible());
        auto* edit = palette->findChild<QLineEdit*>();
        QTest::keyClicks(edit, QStringLiteral("runs"));
        QTest::keyClick(edit, Qt::Key_Return);
        QVERIFY(!palette->isVisible());
        QCOMPARE(m_window->currentPage()->id(), QStringLiteral("runs"));
        m_window->openPalette();
        QTest::keyClick(edit, Qt::Key_Escape);
        QVERIFY(!palette->isVisible());
    }

    void darkLookIsComplete() {
        const QColor light = m_window->grab().toImage().pixelColor(700, 300);
        Theme::instance().setMode(Theme::Mode::dark);
        m_window->showPage(QStringLiteral("home"));
        QVERIFY(settle());
        const QImage picture = m_window->grab().toImage();
        int bright = 0, all = 0;
        for (int x = 0; x < picture.width(); x += 9)
            for (int y = 0; y < picture.height(); y += 9, ++all)
                bright += picture.pixelColor(x, y).lightness() > 200;
        QVERIFY2(bright < all / 10, qPrintable(QStringLiteral("%1 of %2 bright").arg(bright).arg(all)));
        Theme::instance().setMode(Theme::Mode::light);
        QVERIFY(light.lightness() > 200);
    }

    void projectClosesAndOpensAgain() {
        auto& session = m_window->session();
        const QString file = session.projectFile();
        const auto runs = session.runs().size();
        session.closeProject();
        QVERIFY(settle());
        QVERIFY(!session.hasProject());
        session.openProject(file);
        QTRY_VERIFY_WITH_TIMEOUT(session.loaded(), 30000);
        QVERIFY(settle());
        QCOMPARE(session.runs().size(), runs);
        if (runs == 2) { // the draft was kept, and the newest study is what the pages show
            QTRY_COMPARE(session.draft().study().strategies.size(), std::size_t(2));
            QCOMPARE(session.selection().runs().size(), std::size_t(2));
        }
    }
};

QTEST_MAIN(TestWindow)
#include "test_window.moc"
