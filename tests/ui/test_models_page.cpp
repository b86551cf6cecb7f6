// SPDX-License-Identifier: GPL-3.0-or-later
// The page of models and the chooser in the title bar: every state, adding and refusing, removing with confirmation, keyboard and names.
#include "base/machine.h"
#include "llm/model_manifest.h"
#include "main_window.h"
#include "models/shelf_table_model.h"
#include "pages/models_page.h"
#include "pages/servers_panel.h"
#include "session/compute_setting.h"
#include "session/model_list.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "tiny_decoder.h"
#include "widgets/badge.h"
#include "widgets/compute_chooser.h"
#include "widgets/inspector.h"
#include "widgets/parameter_form.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QAbstractItemModelTester>
#include <QAbstractButton>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTableView>
#include <QTest>
#include <QTimer>
#include <QToolButton>

using namespace carousel;
using namespace carousel::ui;

class TestModelsPage : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    std::unique_ptr<MainWindow> m_window;
    static constexpr int mostLooks = 100;
    int m_looks = mostLooks;
    Session& session() { return m_window->session(); }
    bool settle() {
        return QTest::qWaitFor([this] { return m_window->isSettled(); }, 60000);
    }
    ModelsPage* page() { return m_window->findChild<ModelsPage*>(); }
    QTableView* table() { return page()->findChild<QTableView*>(); }
    QString inspected() {
        QString text;
        for (auto* label : page()->findChild<Inspector*>()->findChildren<QLabel*>())
            text += label->text() + QLatin1Char('\n');
        return text.remove(QChar(0x200B));
    }
    int rowOf(const QString& id) {
        for (int row = 0; row < table()->model()->rowCount(); ++row)
            if (table()->model()->index(row, 0).data(ShelfTableModel::IdRole).toString() == id)
                return row;
        return -1;
    }
    void selectRow(int row) { // whatever key the last shortcut left down
        table()->selectionModel()->setCurrentIndex(table()->model()->index(row, 0), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    }
    QAction* action(const QString& text) {
        for (auto* action : page()->actions())
            if (action->text() == text)
                return action;
        return nullptr;
    }
    void answerBox(const QString& button) {
        QTimer::singleShot(50, this, [this, button] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box && --m_looks > 0) // a busy machine opens it later
                return answerBox(button);
            m_looks = mostLooks;
            QVERIFY(box);
            for (auto* each : box->buttons())
                if (each->text().remove(QLatin1Char('&')) == button)
                    return each->click();
            QFAIL("no such button");
        });
    }

    // On a machine without a key store, which a dead bus address makes of any: the choice says so, and a key of this session is taken.
    void theKeyOfAServer(QWidget* panel, QPushButton* use, QPushButton* removeKey) {
        QLineEdit* key = nullptr;
        for (auto* edit : panel->findChildren<QLineEdit*>())
            if (edit->accessibleName() == QLatin1String("Key of the server"))
                key = edit;
        QComboBox* where = nullptr;
        for (auto* box : panel->findChildren<QComboBox*>())
            if (box->accessibleName() == QLatin1String("How long the key is kept"))
                where = box;
        QVERIFY(key && where && use && removeKey);
        QCOMPARE(key->echoMode(), QLineEdit::Password);
        QVERIFY(key->isEnabled() && !use->isEnabled() && !removeKey->isEnabled());
        const auto says = [&](const QString& words) {
            for (auto* label : panel->findChildren<QLabel*>())
                if (label->text().contains(words))
                    return true;
            return false;
        };
        QVERIFY(says(QStringLiteral("No key is sent")));
        QTRY_VERIFY(where->itemText(1).contains(QStringLiteral("not there")));
        QVERIFY(!(where->model()->flags(where->model()->index(1, 0)) & Qt::ItemIsEnabled));
        key->setText(QStringLiteral("sk-of-this-session"));
        QVERIFY(use->isEnabled());
        use->click();
        QVERIFY(key->text().isEmpty());
        QVERIFY(settle());
        QTRY_VERIFY(says(QStringLiteral("A key was typed for this session")));
        QVERIFY(removeKey->isEnabled());
        key->setText(QStringLiteral("two words"));
        use->click();
        QVERIFY(settle());
        QTRY_VERIFY(says(QStringLiteral("CL-2103")));
        removeKey->click();
        QVERIFY(settle());
        QTRY_VERIFY(says(QStringLiteral("No key is sent")));
        QVERIFY(!removeKey->isEnabled());
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("carousel-lab-test"));
        QCoreApplication::setApplicationName(QStringLiteral("test-models"));
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, qs(m_folder.path("settings")));
        qputenv("CAROUSEL_LAB_MODELS", m_folder.path("shelf").c_str());
        qputenv("CAROUSEL_LAB_ENDPOINTS", m_folder.path("endpoints.toml").c_str());
        Theme::instance().install();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1400, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }
    void cleanupTestCase() { m_window.reset(); }

    void anEmptyShelfSaysWhatToDo() {
        QTest::keySequence(m_window.get(), QKeySequence(QStringLiteral("Ctrl+0")));
        QCOMPARE(m_window->currentPage()->id(), QStringLiteral("models"));
        QVERIFY(settle());
        new QAbstractItemModelTester(table()->model(), QAbstractItemModelTester::FailureReportingMode::QtTest, this);
        new QAbstractItemModelTester(page()->findChild<ShelfTableModel*>(), QAbstractItemModelTester::FailureReportingMode::QtTest, this);
        QCOMPARE(page()->findChild<StateView*>()->state(), StateView::State::ready);
        QCOMPARE(table()->model()->rowCount(), 2);
        QVERIFY(table()->model()->index(0, ShelfTableModel::State).data().toString().contains(QStringLiteral("missing")));
        bool said = false;
        for (auto* label : page()->findChildren<QLabel*>())
            said = said || (label->isVisible() && label->text().contains(QStringLiteral("No model is on this machine yet")));
        QVERIFY(said);
        QVERIFY(inspected().contains(QStringLiteral("packaging/run.sh")));
        QVERIFY(inspected().contains(QStringLiteral("not measured on this processor")));
        QVERIFY(!action(QStringLiteral("Measure speed"))->isEnabled());
        QVERIFY(!action(QStringLiteral("Remove…"))->isEnabled());
    }
    void addingListsSelectsAndOffers() {
        const auto file = m_folder.write("shop model.gguf", builder::TinyDecoder().bytes());
        QSignalSpy added(&session().models(), &ModelList::added);
        session().models().add(qs(file));
        QTRY_COMPARE_WITH_TIMEOUT(added.size(), 1, 30000);
        QVERIFY(settle());
        QTRY_COMPARE(table()->model()->rowCount(), 3);
        const int row = rowOf(QStringLiteral("shop-model"));
        QVERIFY(row >= 0 && table()->selectionModel()->isRowSelected(row));
        const auto cell = [&](int column) { return table()->model()->index(row, column).data().toString(); };
        QCOMPARE(cell(ShelfTableModel::State), QStringLiteral("● ready"));
        QCOMPARE(cell(ShelfTableModel::Licence), QStringLiteral("not stated"));
        QCOMPARE(cell(ShelfTableModel::Format), QStringLiteral("GGUF F32"));
        QCOMPARE(cell(ShelfTableModel::Speed), QStringLiteral("not measured"));
        QVERIFY(cell(ShelfTableModel::Memory).endsWith(QStringLiteral("B")));
        QVERIFY(inspected().contains(QStringLiteral("35,136 parameters")));
        QVERIFY(action(QStringLiteral("Measure speed"))->isEnabled());
        QVERIFY(action(QStringLiteral("Remove…"))->isEnabled());
        // Forms offer it by its title.
        ParameterForm form;
        ParameterSpec spec;
        spec.id = "model", spec.label = "Language model", spec.kind = ParameterKind::text, spec.defaultValue = std::string("smollm2-135m-instruct");
        form.setParameters({spec}, {}, {nullptr, {}, session().models().formModels()}, "test");
        auto* box = qobject_cast<QComboBox*>(form.control("model"));
        QVERIFY(box);
        QVERIFY(box->findData(QStringLiteral("shop-model")) >= 0);
        QVERIFY(box->currentText().contains(QStringLiteral("not on the shelf"))); // what is set stays, and says so
        box->setCurrentIndex(box->findData(QStringLiteral("shop-model")));
        QCOMPARE(form.parameters()->text("model"), std::string("shop-model"));
        // Where the default is an encoder, models that only chat are not offered.
        spec.defaultValue = std::string("encoder");
        form.setParameters({spec}, {}, {nullptr, {}, {{"only-chat", QStringLiteral("Chat"), true, false}, {"encoder", QStringLiteral("Encoder"), false, true}}}, "test");
        QCOMPARE(qobject_cast<QComboBox*>(form.control("model"))->findData(QStringLiteral("only-chat")), -1);
        QVERIFY(qobject_cast<QComboBox*>(form.control("model"))->findData(QStringLiteral("encoder")) >= 0);
    }
    void aRefusedFileSaysWhyAndChangesNothing() {
        builder::TinyDecoder bad;
        bad.architecture = "mamba";
        const auto file = m_folder.write("strange.gguf", bad.bytes());
        QSignalSpy refused(&session().models(), &ModelList::refused);
        session().models().add(qs(file));
        QTRY_COMPARE_WITH_TIMEOUT(refused.size(), 1, 30000);
        QVERIFY(settle());
        QCOMPARE(table()->model()->rowCount(), 3);
        bool said = false;
        for (auto* label : page()->findChildren<QLabel*>())
            said = said || (label->isVisible() && label->text().contains(QStringLiteral("strange.gguf was not added")) && label->text().contains(QStringLiteral("mamba")));
        QVERIFY(said);
        QVERIFY(session().log().asText().contains(QStringLiteral("CL-2035")));
    }
    void checkingFindsAChangedFile() {
        QFile kept(qs(m_folder.path("shelf/shop-model/shop model.gguf")));
        QVERIFY(kept.open(QIODevice::ReadWrite) && kept.seek(kept.size() - 100));
        kept.write("abcd");
        kept.close();
        selectRow(rowOf(QStringLiteral("shop-model")));
        QSignalSpy checked(&session().models(), &ModelList::checked);
        QTest::keySequence(m_window.get(), QKeySequence(QStringLiteral("Ctrl+R")));
        QTRY_COMPARE_WITH_TIMEOUT(checked.size(), 1, 30000);
        QCOMPARE(checked.first()[1].toInt(), 1);
        const int row = rowOf(QStringLiteral("shop-model"));
        QCOMPARE(table()->model()->index(row, ShelfTableModel::State).data().toString(), QStringLiteral("■ wrong hash"));
        QVERIFY(table()->model()->index(row, ShelfTableModel::About).data().toString().contains(QStringLiteral("SHA-256")));
        QVERIFY(inspected().contains(QStringLiteral("why it cannot be used")));
        session().models().read(); // a look at sizes must not call it sound again
        QVERIFY(settle());
        QCOMPARE(table()->model()->index(row, ShelfTableModel::State).data().toString(), QStringLiteral("■ wrong hash"));
    }
    void removingAsksFirst() {
        selectRow(rowOf(QStringLiteral("shop-model")));
        answerBox(QStringLiteral("Cancel"));
        QTest::keySequence(m_window.get(), QKeySequence(QKeySequence::Delete));
        QVERIFY(settle());
        QVERIFY(QDir(qs(m_folder.path("shelf/shop-model"))).exists());
        answerBox(QStringLiteral("Remove"));
        action(QStringLiteral("Remove…"))->trigger();
        QTRY_COMPARE(table()->model()->rowCount(), 2);
        QVERIFY(!QDir(qs(m_folder.path("shelf/shop-model"))).exists());
    }
    void speedsAreThoseOfTheChosenNumbers() {
        ModelStatus status;
        status.model.id = "quick";
        status.model.canChat = true;
        status.state = ModelState::ready;
        for (const auto& [type, rate] : {std::pair("int16", 50.0), std::pair("fp32", 10.0), std::pair("bf16", 30.0)}) { // the newest first
            SpeedRecord record;
            record.processor = processorName();
            record.computeType = type;
            record.candidatesPerSecond = rate;
            status.speeds.push_back(record);
        }
        ShelfTableModel model;
        model.setModels({status});
        const auto speed = [&](int role = Qt::DisplayRole) { return model.index(0, ShelfTableModel::Speed).data(role).toString(); };
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        for (const auto& [type, automatic, text] : {std::tuple("fp32", "bf16", "10.0 cand/s fp32"), std::tuple("auto", "bf16", "30.0 cand/s bf16"), std::tuple("auto", "fp32", "10.0 cand/s fp32"),
                                                    std::tuple("int16", "bf16", "50.0 cand/s int16")}) {
            model.setComputeType(type, {automatic, automatic, automatic});
            QCOMPARE(speed(), QString::fromLatin1(text));
            QVERIFY(changed.back().at(1).toModelIndex().column() >= ShelfTableModel::Speed);
        }
        QVERIFY(!speed(Qt::ToolTipRole).contains(QStringLiteral("Not measured")));
        status.speeds.erase(status.speeds.begin());
        model.setModels({status});
        QCOMPARE(speed(), QStringLiteral("10.0 cand/s fp32"));
        QVERIFY(speed(Qt::ToolTipRole).contains(QStringLiteral("Not measured in int16")));
    }
    void damagedNotesAreShown() {
        QDir().mkpath(qs(m_folder.path("shelf/odd")));
        m_folder.write("shelf/odd/model.json", "{}");
        session().models().read();
        QVERIFY(settle());
        selectRow(rowOf(QStringLiteral("odd")));
        QVERIFY(inspected().contains(QStringLiteral("refused")));
        QVERIFY(inspected().contains(QStringLiteral("model.json")));
        QVERIFY(action(QStringLiteral("Remove…"))->isEnabled());
    }
    void serversAreDescribedTestedAndForgotten() {
        qputenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + m_folder.path("nobody")).c_str());
        QVERIFY(page()->showTab(QStringLiteral("servers")));
        QVERIFY(settle());
        QVERIFY(!action(QStringLiteral("Add file…"))->isVisible());
        auto* panel = page()->findChild<ServersPanel*>();
        panel->newServer();
        auto* forms = panel->findChild<ParameterForm*>();
        const auto button = [&](const QString& name) {
            for (auto* each : panel->findChildren<QPushButton*>())
                if (each->accessibleName() == name)
                    return each;
            return static_cast<QPushButton*>(nullptr);
        };
        m_window->resize(1200, 760); // a small screen: the form scrolls, the buttons stay
        for (const bool more : {false, true}) {
            for (auto* each : panel->findChildren<QToolButton*>())
                if (each->accessibleName() == QLatin1String("More settings"))
                    each->setChecked(more);
            QTest::qWait(50);
            for (const char* name : {"Save the server", "Test the server", "New server", "Remove the server"}) {
                auto* each = button(QString::fromLatin1(name));
                QCOMPARE(each->visibleRegion().boundingRect(), each->rect());
            }
        }
        m_window->resize(1400, 900);
        QVERIFY(!button(QStringLiteral("Test the server"))->isEnabled());
        qobject_cast<QLineEdit*>(forms->control("url"))->setText(QStringLiteral("http://127.0.0.1:9"));
        QVERIFY(button(QStringLiteral("Test the server"))->isEnabled());
        QVERIFY(!button(QStringLiteral("Save the server"))->isEnabled());
        for (auto* edit : panel->findChildren<QLineEdit*>())
            if (edit->accessibleName() == QLatin1String("Name of the server"))
                edit->setText(QStringLiteral("nobody"));
        button(QStringLiteral("Save the server"))->click();
        QVERIFY(settle());
        auto* list = panel->findChild<QListWidget*>();
        QTRY_COMPARE(list->count(), 1);
        theKeyOfAServer(panel, button(QStringLiteral("Use the key")), button(QStringLiteral("Remove the key")));
        button(QStringLiteral("Test the server"))->click(); // nobody listens on that port
        QVERIFY(settle());
        bool said = false;
        for (auto* label : panel->findChildren<QLabel*>())
            said = said || (label->isVisible() && label->text().contains(QStringLiteral("What to do")) && label->text().contains(QStringLiteral("CL-21")));
        QVERIFY(said);
        qobject_cast<QCheckBox*>(forms->control("consent"))->setChecked(true);
        said = false;
        for (auto* label : panel->findChildren<QLabel*>())
            said = said || label->text().contains(QStringLiteral("You agree"));
        QVERIFY(said);
        auto* badge = m_window->findChild<carousel::ui::Badge*>();
        QCOMPARE(badge->text(), QStringLiteral("data stays home"));
        button(QStringLiteral("Save the server"))->click(); // with consent
        QTRY_COMPARE(badge->text(), QStringLiteral("data may leave"));
        QVERIFY(settle());
        answerBox(QStringLiteral("Remove"));
        button(QStringLiteral("Remove the server"))->click();
        QTRY_COMPARE(list->count(), 0);
        QTRY_COMPARE(badge->text(), QStringLiteral("data stays home"));
        QVERIFY(page()->showTab(QStringLiteral("shelf")));
        QVERIFY(action(QStringLiteral("Add file…"))->isVisible());
    }
    void theChooserIsKeptAndReachesTheStudy() {
        auto* chooser = m_window->findChild<ComputeChooser*>();
        QVERIFY(chooser);
        QVERIFY(chooser->text().startsWith(QStringLiteral("CPU · auto")));
        QVERIFY(chooser->accessibleName().contains(QStringLiteral("CPU")));
        session().compute().setType(QStringLiteral("fp32"));
        QVERIFY(chooser->text().contains(QStringLiteral("fp32")));
        QCOMPARE(QSettings().value(QStringLiteral("compute/type")).toString(), QStringLiteral("fp32"));
        session().compute().setType(QStringLiteral("fp7"));
        QCOMPARE(session().compute().type(), QStringLiteral("fp32"));
        session().createProject(qs(m_folder.path("chooser.carousel")), QStringLiteral("Chooser"));
        QTRY_VERIFY(session().loaded());
        QVERIFY(settle());
        QCOMPARE(session().draft().study().compute, std::string("fp32")); // a new study starts with the choice made last
        for (auto* choice : chooser->menu()->actions())
            if (choice->data().toString() == QLatin1String("type bf16"))
                choice->trigger();
        QCOMPARE(session().draft().study().compute, std::string("bf16"));
        session().draft().undoStack().undo();
        QCOMPARE(session().draft().study().compute, std::string("fp32"));
        QVERIFY(chooser->text().contains(QStringLiteral("fp32")));
        // A study file that says nothing keeps the choice; one that does is followed.
        session().draft().addStrategy();
        std::string file = session().draft().toml();
        file.replace(file.find("dataset = ''"), 12, "dataset = 'shop'"); // a study of no data is refused
        std::string silent = file;
        silent.erase(silent.find("compute ="), silent.find('\n', silent.find("compute =")) - silent.find("compute =") + 1);
        std::string other = file;
        other.replace(other.find("fp32"), 4, "auto");
        QVERIFY(session().draft().load(other, QStringLiteral("load")));
        QCOMPARE(session().draft().study().compute, std::string("auto"));
        QVERIFY(session().draft().load(silent, QStringLiteral("load")));
        QCOMPARE(session().draft().study().compute, std::string("bf16"));
    }
};

QTEST_MAIN(TestModelsPage)
#include "test_models_page.moc"
