// SPDX-License-Identifier: GPL-3.0-or-later
// The Tasks page: what is missing is said; who and what are found by typing; a template's prompt follows every key; five answers come one
// after another, and those that come too late are dropped.
#include "pages/tasks/choice_bars.h"
#include "pages/tasks/entity_field.h"
#include "pages/tasks_page.h"
#include "task_fixtures.h"
#include "theme/theme.h"
#include "widgets/badge.h"
#include "widgets/text.h"
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QCompleter>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace carousel;
using namespace carousel::ui;

class TestTasksPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    std::vector<KeptTaskModel> m_models;
    test::RuleModel m_rule;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<TasksPage> m_page;

    static KeptTaskModel model(const std::string& folder, const std::string& title, std::vector<TaskFamily> families) {
        KeptTaskModel out;
        out.folder = folder;
        out.title = title;
        out.families = std::move(families);
        return out;
    }
    static std::vector<TaskFamily> all() { return {taskFamilies.begin(), taskFamilies.end()}; }
    void makePage(QSize size = {954, 620}) {
        m_page.reset();
        m_session = std::make_unique<Session>();
        TaskServices services;
        services.models = [this] { return m_models; };
        services.desk = [](const KeptTaskModel& wanted, const RunControl&) -> Result<std::shared_ptr<const TaskDesk>> {
            if (wanted.folder == "gone")
                return fail(ErrorKind::input, "CL-3117", "The project has no data set that 'old' was trained on.",
                            "Import the data again.");
            return test::taskDeskOf(wanted);
        };
        services.ask = [this](const TaskDesk& desk, TaskCard card, const RunControl& control) {
            return desk.ask(m_rule, std::move(card), control);
        };
        m_page = std::make_unique<TasksPage>(*m_session, services);
        m_page->resize(size);
        m_page->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_page.get()));
    }
    bool settle() {
        return QTest::qWaitFor([this] { return m_session->isIdle() && !m_session->isOpening() && !m_page->isBusy(); }, 60000);
    }
    void openProject(const QString& name = QStringLiteral("tasks")) {
        const QString file = m_folder.filePath(name + QStringLiteral(".carousel"));
        if (QFileInfo::exists(file))
            m_session->openProject(file);
        else
            m_session->createProject(file, name);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->loaded(), 30000);
        m_page->entered();
        QVERIFY(settle());
    }
    StateView* state() const { return m_page->findChild<StateView*>(); }
    template <class T> T* part(TaskFamily family, const char* name) const {
        return m_page->card(family)->findChild<T*>(QString::fromLatin1(name));
    }
    QString words(TaskFamily family, const char* name) const {
        auto* label = part<QLabel>(family, name);
        return label->isHidden() ? QString() : label->text();
    }
    QAction* action(const QString& text) const {
        for (auto* each : m_page->actions())
            if (each->text() == text)
                return each;
        return nullptr;
    }
    bool says(const QString& text) const {
        for (auto* label : m_page->findChildren<QLabel*>())
            if (label->isVisible() && label->text().contains(text))
                return true;
        return false;
    }
    // Controls and words that have less room than they ask for, or stand outside of what they stand in.
    QStringList clipped() const {
        QStringList out;
        for (auto* widget : m_page->findChildren<QWidget*>()) {
            if (!widget->isVisible())
                continue;
            auto* label = qobject_cast<QLabel*>(widget);
            auto* button = qobject_cast<QAbstractButton*>(widget);
            QSize needs;
            if (label && label->wordWrap())
                needs = {0, label->heightForWidth(label->width())};
            else if (label && !label->toolTip().isEmpty() && label->property("role") == QLatin1String("caption"))
                needs = {0, label->sizeHint().height()}; // elided on purpose, with the whole text as its tooltip
            else if (label || button || qobject_cast<carousel::ui::Badge*>(widget))
                needs = widget->sizeHint();
            else if (auto* bars = qobject_cast<ChoiceBars*>(widget))
                needs = {0, bars->sizeHint().height()};
            else
                continue;
            const QWidget* parent = widget->parentWidget();
            if (needs.width() > widget->width() || needs.height() > widget->height() || !parent->rect().contains(widget->geometry()))
                out << QStringLiteral("%1 '%2' has %3x%4, needs %5x%6")
                           .arg(QString::fromLatin1(widget->metaObject()->className()),
                                label ? label->text().left(40) : widget->accessibleName())
                           .arg(widget->width())
                           .arg(widget->height())
                           .arg(needs.width())
                           .arg(needs.height());
        }
        for (auto* scroll : m_page->findChildren<QScrollArea*>())
            if (scroll->isVisible() && scroll->widget()->width() > scroll->viewport()->width())
                out << QStringLiteral("wider than the page: %1 in %2").arg(scroll->widget()->width()).arg(scroll->viewport()->width());
        return out;
    }
    void picture(const QString& name) const {
        const QString folder = qEnvironmentVariable("CAROUSEL_TEST_PICTURES");
        if (folder.isEmpty())
            return;
        m_page->grab().save(folder + QStringLiteral("/") + name + QStringLiteral(".png"));
        auto* canvas = m_page->findChild<QScrollArea*>(QStringLiteral("task-cards"))->widget();
        canvas->grab().save(folder + QStringLiteral("/") + name + QStringLiteral("-all.png"));
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
        qRegisterMetaType<carousel::Code>("carousel::Code");
    }
    void init() {
        m_rule.hold = false;
        m_models = {model("one", "one model for five families, trained on 27 November 2026", all()),
                    model("stars", "rating alone, trained on 26 November 2026", {TaskFamily::rating})};
        makePage();
    }
    void cleanup() {
        m_rule.hold = false;
        m_page.reset();
        m_session.reset();
    }

    void whatIsMissingIsSaid() {
        QCOMPARE(state()->state(), StateView::State::empty);
        QVERIFY(says(QStringLiteral("No project is open")));
        m_models.clear();
        openProject();
        QCOMPARE(state()->state(), StateView::State::empty);
        QVERIFY(says(QStringLiteral("Five tasks, one model")));
        QVERIFY(!action(QStringLiteral("Ask all"))->isEnabled());
        QSignalSpy page(m_session.get(), &Session::pageWanted), kind(m_session.get(), &Session::analysisWanted);
        for (auto* button : state()->findChildren<QPushButton*>())
            if (button->isVisible() && button->text() == QLatin1String("Go to Experiments"))
                button->click();
        QCOMPARE(page.size(), 1);
        QCOMPARE(page.first().first().toString(), QStringLiteral("experiments"));
        QCOMPARE(kind.size(), 1);
        QCOMPARE(kind.first().first().toString(), QStringLiteral("tasks"));
        // A model that has been trained meanwhile is there when the page is entered again.
        m_models = {model("gone", "old", all()), model("one", "new", all())};
        m_page->entered();
        QVERIFY(settle());
        QCOMPARE(state()->state(), StateView::State::ready);
        QVERIFY(!m_page->isOpen());
        QVERIFY(says(QStringLiteral("The project has no data set that 'old' was trained on.")));
        QVERIFY(says(QStringLiteral("CL-3117")));
        QVERIFY(!action(QStringLiteral("Ask all"))->isEnabled());
        // The other one can still be chosen.
        m_page->openModel(1);
        QVERIFY(settle());
        QVERIFY(m_page->isOpen());
        QVERIFY(!says(QStringLiteral("CL-3117")));
        QVERIFY(action(QStringLiteral("Ask all"))->isEnabled());
        m_session->closeProject();
        QVERIFY(settle());
        QCOMPARE(state()->state(), StateView::State::empty);
        QVERIFY(!m_page->isOpen());
    }

    void theIndexFindsTheBestFirst() {
        Dataset data;
        AttributeColumn title("title", FieldType::token);
        constexpr int items = 100000;
        for (int i = 0; i < items; ++i) {
            data.items.ids.add("p" + std::to_string(i));
            const std::string text = i == 77777 ? "Lamp" : i == 500 ? "" : (i % 2 ? "Red lamp " : "Lamp of ") + std::to_string(i);
            const std::string_view view = text;
            if (text.empty())
                title.appendMissing();
            else
                title.appendTokens({&view, 1});
        }
        data.items.attributes.push_back(std::move(title));
        const EntityIndex index(data.items);
        QCOMPARE(index.size(), std::size_t(items));
        const auto found = index.find(QStringLiteral("LAMP"), 40);
        QCOMPARE(found.size(), std::size_t(40));
        QCOMPARE(found.front(), Code(0)); // begins with it; "Red lamp" comes later
        QVERIFY(index.label(found[39]).startsWith(QStringLiteral("Lamp of")));
        QCOMPARE(index.find(QStringLiteral("p77777"), 3).front(), Code(77777)); // an id, whatever begins with it
        QCOMPARE(index.find(QStringLiteral("lamp · p77777"), 3).front(), Code(77777));
        QCOMPARE(index.find(QStringLiteral("99999"), 3), std::vector<Code>({99999})); // inside only
        QVERIFY(index.find(QStringLiteral("chair"), 3).empty());
        QCOMPARE(index.label(500), QStringLiteral("p500"));
        QCOMPARE(index.withId(QStringLiteral("p31")), Code(31));
        QCOMPARE(index.withId(QStringLiteral("31")), noCode);
        QCOMPARE(index.find({}, 2), std::vector<Code>({0, 1}));
    }

    void peopleAndThingsAreFoundByTyping() {
        openProject();
        QVERIFY(m_page->isOpen());
        const auto desk = test::taskDeskOf(m_models.front());
        const auto& world = desk->world();
        QVERIFY(world.split().heldOut(m_page->customer(), m_page->item())); // the first thing shown is worth looking at
        const auto before = std::pair{m_page->customer(), m_page->item()};
        action(QStringLiteral("Next example"))->trigger();
        QVERIFY((std::pair{m_page->customer(), m_page->item()} != before));
        QVERIFY(world.split().heldOut(m_page->customer(), m_page->item()));

        auto* customers = m_page->findChild<EntityField*>(QStringLiteral("task-customer"));
        auto* items = m_page->findChild<EntityField*>(QStringLiteral("task-item"));
        customers->setFocus();
        customers->selectAll();
        QTest::keyClicks(customers, QStringLiteral("u7"));
        QTest::keyClick(customers, Qt::Key_Return);
        QCOMPARE(m_page->customer(), Code(7));
        QTRY_COMPARE(customers->text(), QStringLiteral("u7"));
        items->setFocus();
        items->selectAll();
        QTest::keyClicks(items, QStringLiteral("number 14"));
        auto* popup = items->completer()->popup();
        QVERIFY(popup->model()->rowCount() > 1);
        QVERIFY(popup->model()->rowCount() <= static_cast<int>(EntityField::mostOffered));
        QCOMPARE(popup->model()->index(1, 0).data().toString(), QStringLiteral("Thing number 140 · i140"));
        Q_EMIT items->completer()->activated(popup->model()->index(1, 0));
        popup->hide();
        QCOMPARE(m_page->item(), Code(140));
        QTRY_COMPARE(items->text(), QStringLiteral("Thing number 140 · i140"));
        QVERIFY(words(TaskFamily::rating, "prompt").contains(qs(world.userName(7))));
        QVERIFY(words(TaskFamily::rating, "prompt").contains(qs(world.identifiers().names[140])));
        // Nonsense changes nothing and is said.
        items->selectAll();
        QTest::keyClicks(items, QStringLiteral("no such thing"));
        QTest::keyClick(items, Qt::Key_Return);
        QCOMPARE(m_page->item(), Code(140));
        QCOMPARE(items->text(), QStringLiteral("Thing number 140 · i140"));
        QVERIFY(m_session->log().asText().contains(QStringLiteral("no such thing")));
    }

    void thePromptFollowsTheTemplate() {
        openProject();
        m_page->choosePair(7, 140);
        auto* form = part<QPlainTextEdit>(TaskFamily::rating, "form");
        auto* badge = m_page->card(TaskFamily::rating)->findChild<carousel::ui::Badge*>();
        const QString before = words(TaskFamily::rating, "prompt");
        const QString builtIn = form->toPlainText();
        QVERIFY(badge->isHidden());
        QVERIFY(!part<QPushButton>(TaskFamily::rating, "reset")->isEnabled());
        form->setPlainText(QStringLiteral("Stars for {{title}}"));
        QTest::keyClicks(form, QStringLiteral("Well: "));                                                  // at the beginning
        QCOMPARE(words(TaskFamily::rating, "prompt"), QStringLiteral("Well: Stars for Thing number 140")); // no event loop in between
        QCOMPARE(badge->text(), QStringLiteral("edited"));
        QVERIFY(!badge->isHidden());
        QVERIFY(words(TaskFamily::rating, "note").contains(QStringLiteral("was not trained with this wording")));
        QCOMPARE(m_rule.calls.load(), 0); // the model is not asked for a preview

        // What is no template is said at the card; the last prompt stays, and nothing can be asked.
        form->setPlainText(QStringLiteral("Stars for {{titel}}"));
        QVERIFY(words(TaskFamily::rating, "invalid").contains(QStringLiteral("titel")));
        QVERIFY(words(TaskFamily::rating, "invalid").contains(QStringLiteral("CL-3110")));
        QVERIFY(words(TaskFamily::rating, "prompt").contains(QStringLiteral("Stars for Thing number 140")));
        QVERIFY(!part<QPushButton>(TaskFamily::rating, "ask")->isEnabled());
        QVERIFY(action(QStringLiteral("Ask all"))->isEnabled()); // the other four can
        form->setPlainText({});
        QVERIFY(words(TaskFamily::rating, "invalid").contains(QStringLiteral("is empty")));
        form->setPlainText(QStringLiteral("{{#history}}open"));
        QVERIFY(words(TaskFamily::rating, "invalid").contains(QStringLiteral("no valid template")));
        part<QPushButton>(TaskFamily::rating, "reset")->click();
        QCOMPARE(form->toPlainText(), builtIn);
        QCOMPARE(words(TaskFamily::rating, "prompt"), before);
        QVERIFY(words(TaskFamily::rating, "invalid").isEmpty());
        QVERIFY(part<QPushButton>(TaskFamily::rating, "ask")->isEnabled());

        // The wording that was kept out of training says so.
        auto* wordings = part<QComboBox>(TaskFamily::rating, "wording");
        const int last = wordings->count() - 1;
        QVERIFY(wordings->itemText(last).contains(QStringLiteral("not trained on")));
        QVERIFY(!wordings->itemText(0).contains(QStringLiteral("not trained on")));
        wordings->setCurrentIndex(last);
        Q_EMIT wordings->activated(last);
        QCOMPARE(badge->text(), QStringLiteral("not trained on"));
        QVERIFY(words(TaskFamily::rating, "prompt").startsWith(QStringLiteral("Between 1 and 5 stars")));
    }

    void fiveAnswersCome() {
        openProject();
        QSignalSpy asked(m_page.get(), &TasksPage::asked);
        QTest::keyClick(m_page.get(), Qt::Key_Return, Qt::ControlModifier);
        if (!m_page->isAsking()) // a platform without window activation delivers no shortcuts
            m_page->askAll();
        QVERIFY(m_page->isAsking());
        QVERIFY(!action(QStringLiteral("Ask all"))->isEnabled());
        QTRY_COMPARE_WITH_TIMEOUT(asked.size(), 1, 30000);
        QVERIFY(asked.first().first().toBool());
        QCOMPARE(m_rule.calls.load(), 5);
        for (const TaskFamily family : taskFamilies) {
            QVERIFY2(m_page->card(family)->isAnswered(), name(family));
            QVERIFY2(!words(family, "answer").isEmpty(), name(family));
            QVERIFY2(words(family, "cost").contains(QStringLiteral("read")), name(family));
        }
        QVERIFY(words(TaskFamily::rating, "answer").startsWith(QStringLiteral("2 (")));
        QCOMPARE(words(TaskFamily::explanation, "answer"), QStringLiteral("“the seams hold well”"));
        QVERIFY(words(TaskFamily::explanation, "truth").contains(QStringLiteral("The seams hold well!")));
        QVERIFY(words(TaskFamily::sequential, "answer").contains(QStringLiteral("number")));
        auto* bars = m_page->card(TaskFamily::sequential)->findChild<ChoiceBars*>();
        QCOMPARE(bars->rows(), std::size_t(5));
        QVERIFY(bars->accessibleDescription().count(QLatin1Char(';')) == 9); // all ten are read aloud
        part<QAbstractButton>(TaskFamily::sequential, "more")->click();
        QCOMPARE(bars->rows(), std::size_t(10));
        QVERIFY(m_page->card(TaskFamily::explanation)->findChild<ChoiceBars*>()->isHidden()); // written texts have none
        // The trace is what the core says, in full, and goes to the clipboard.
        part<QAbstractButton>(TaskFamily::rating, "trace-button")->click();
        auto* trace = part<QPlainTextEdit>(TaskFamily::rating, "trace");
        QVERIFY(trace->isVisible());
        part<QPushButton>(TaskFamily::rating, "copy-trace")->click();
        const auto read = nlohmann::json::parse(QApplication::clipboard()->text().toStdString(), nullptr, false);
        QVERIFY(!read.is_discarded());
        QCOMPARE(qs(read["prompt"].get<std::string>()), words(TaskFamily::rating, "prompt"));
        QCOMPARE(read["answers"].size(), std::size_t(5));

        // An edit leaves the answer and says that it is of the wording before; asked again, both can be compared.
        part<QPlainTextEdit>(TaskFamily::rating, "form")->setPlainText(QStringLiteral("{{item}}: how many stars?"));
        QVERIFY(words(TaskFamily::rating, "stale").contains(QStringLiteral("wording before")));
        part<QPushButton>(TaskFamily::rating, "ask")->click();
        QTRY_COMPARE_WITH_TIMEOUT(asked.size(), 2, 30000);
        QCOMPARE(m_rule.calls.load(), 6);
        QVERIFY(words(TaskFamily::rating, "stale").isEmpty());
        QVERIFY(words(TaskFamily::rating, "before").contains(QStringLiteral("2 (")));
        // Another pair: nothing of the one before stays.
        m_page->nextExample();
        for (const TaskFamily family : taskFamilies)
            QVERIFY2(!m_page->card(family)->isAnswered(), name(family));
        QCOMPARE(words(TaskFamily::rating, "answer"), QStringLiteral("Not asked yet."));
        QVERIFY(words(TaskFamily::rating, "before").isEmpty());
    }

    void whatAModelHasNotLearnedIsNotAsked() {
        openProject();
        m_page->openModel(1);
        QVERIFY(settle());
        QVERIFY(words(TaskFamily::summary, "answer").contains(QStringLiteral("has not learned")));
        QVERIFY(!part<QPushButton>(TaskFamily::summary, "ask")->isEnabled());
        QSignalSpy asked(m_page.get(), &TasksPage::asked);
        const int before = m_rule.calls;
        m_page->askAll();
        QTRY_COMPARE_WITH_TIMEOUT(asked.size(), 1, 30000);
        QVERIFY(asked.first().first().toBool());
        QCOMPARE(m_rule.calls.load(), before + 1);
        QVERIFY(m_page->card(TaskFamily::rating)->isAnswered());
        QVERIFY(!m_page->card(TaskFamily::summary)->isAnswered());
    }

    void stoppedAndLateAnswersAreDropped() {
        openProject();
        QSignalSpy asked(m_page.get(), &TasksPage::asked);
        m_rule.hold = true;
        const int before = m_rule.calls;
        m_page->askAll();
        QTRY_COMPARE_WITH_TIMEOUT(m_rule.calls.load(), before + 1, 30000);
        QCOMPARE(words(TaskFamily::sequential, "answer"), QStringLiteral("Asking…"));
        QCOMPARE(words(TaskFamily::direct, "answer"), QStringLiteral("Waiting for its turn…"));
        m_session->jobs().cancelTasks(); // as Esc does: the four behind it stop too
        QTRY_COMPARE_WITH_TIMEOUT(asked.size(), 1, 30000);
        QVERIFY(!asked.first().first().toBool());
        QVERIFY(settle());
        QVERIFY(!m_page->isAsking());
        QCOMPARE(m_rule.calls.load(), before + 1);
        for (const TaskFamily family : taskFamilies)
            QVERIFY2(!m_page->card(family)->isAnswered(), name(family));
        QCOMPARE(words(TaskFamily::sequential, "answer"), QStringLiteral("Not asked yet."));
        // Somebody else is chosen while a question is under way.
        m_page->askAll();
        QTRY_COMPARE_WITH_TIMEOUT(m_rule.calls.load(), before + 2, 30000);
        m_page->nextExample();
        QVERIFY(!m_page->isAsking());
        m_rule.hold = false;
        QVERIFY(settle());
        for (const TaskFamily family : taskFamilies)
            QVERIFY2(!m_page->card(family)->isAnswered(), name(family));
        m_page->ask(TaskFamily::rating); // and it goes on as if nothing had been
        QVERIFY(settle());
        QVERIFY(m_page->card(TaskFamily::rating)->isAnswered());
    }

    void theLastChoiceOfAProjectIsKept() {
        openProject(QStringLiteral("kept"));
        m_page->openModel(1);
        QVERIFY(settle());
        m_page->choosePair(9, 33);
        part<QPlainTextEdit>(TaskFamily::rating, "form")->setPlainText(QStringLiteral("{{item}}?"));
        openProject(QStringLiteral("other"));
        QVERIFY(m_page->isOpen());
        QVERIFY(m_page->customer() != 9 || m_page->item() != 33);
        openProject(QStringLiteral("kept"));
        QVERIFY(m_page->isOpen());
        QCOMPARE(m_page->findChild<QComboBox*>(QStringLiteral("task-model"))->currentIndex(), 1);
        QCOMPARE(m_page->customer(), Code(9));
        QCOMPARE(m_page->item(), Code(33));
        QCOMPARE(part<QPlainTextEdit>(TaskFamily::rating, "form")->toPlainText(), QStringLiteral("{{item}}?"));
    }

    void everyControlHasANameAndNothingIsClipped() {
        openProject();
        QSignalSpy asked(m_page.get(), &TasksPage::asked);
        part<QPlainTextEdit>(TaskFamily::summary, "form")->setPlainText(QStringLiteral("{{no_such_slot}}"));
        m_page->askAll();
        QTRY_COMPARE_WITH_TIMEOUT(asked.size(), 1, 30000);
        part<QAbstractButton>(TaskFamily::rating, "trace-button")->click();
        QCoreApplication::processEvents();
        for (auto* widget : m_page->findChildren<QWidget*>()) {
            const bool control = qobject_cast<QAbstractButton*>(widget) || qobject_cast<QLineEdit*>(widget) ||
                                 qobject_cast<QComboBox*>(widget) || qobject_cast<QPlainTextEdit*>(widget);
            if (!control || widget->objectName().startsWith(QLatin1String("qt_")) || qobject_cast<QComboBox*>(widget->parentWidget()))
                continue;
            auto* seen = QAccessible::queryAccessibleInterface(widget);
            QVERIFY2(seen && !seen->text(QAccessible::Name).trimmed().isEmpty(), qPrintable(widget->objectName()));
        }
        for (auto* label : m_page->findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty() || !Qt::mightBeRichText(label->text()),
                     qPrintable(label->text()));
        QTRY_VERIFY2(clipped().isEmpty(), qPrintable(clipped().join(QStringLiteral("\n"))));
        picture(QStringLiteral("light"));
        Theme::instance().setMode(Theme::Mode::dark);
        QCoreApplication::processEvents();
        picture(QStringLiteral("dark"));
        Theme::instance().setMode(Theme::Mode::light);
        auto* text = part<QLabel>(TaskFamily::rating, "prompt");
        const int usual = text->fontMetrics().height();
        m_page->setStyleSheet(QStringLiteral("* { font-size: 17px; }"));
        QTRY_VERIFY(text->fontMetrics().height() > usual + 3); // or the next line would look at the same page again
        QTRY_VERIFY2(clipped().isEmpty(), qPrintable(clipped().join(QStringLiteral("\n"))));
        picture(QStringLiteral("large"));
        m_page->setStyleSheet({});
        m_page->resize(1250, 800);
        QTRY_VERIFY2(clipped().isEmpty(), qPrintable(clipped().join(QStringLiteral("\n"))));
        picture(QStringLiteral("wide"));
    }
};

QTEST_MAIN(TestTasksPage)
#include "test_tasks_page.moc"
