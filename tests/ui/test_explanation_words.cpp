// SPDX-License-Identifier: GPL-3.0-or-later
// Explanations in sentences: what no fact backs is underlined with its reason and counted; a model's writing can be stopped.
#include "pages/carousel/explanation_words.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTextEdit>
#include <QTextFragment>
#include <atomic>
#include <thread>

using namespace carousel;
using namespace carousel::ui;

namespace {
std::atomic<int> asked{0};

// "Café by Tarnfell. Good." with the brand contradicted; a model is slow and can be stopped.
Result<GroundedExplanation> told(std::int64_t, Code, Code item, const Parameters& options, const RunControl& control) {
    ++asked;
    GroundedExplanation out;
    out.writer = options.text("writer");
    if (item == 9)
        return fail(ErrorKind::input, "CL-7014", "No such item.", "Choose another.");
    if (out.writer == "model") {
        for (int i = 0; i < 500 && item == 7; ++i) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("writing"));
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        out.model = "some-model";
        out.text = "Café by Tarnfell. <b>Good</b>.";
        const std::size_t at = out.text.find("Tarnfell");
        CheckedStatement first{0, at + 8, StatementStatus::contradicted, {{at, at + 8, StatementStatus::contradicted, "brand of this item: <i>Dunmarrow</i>"}}};
        out.checked.statements = {first, {at + 10, out.text.size() - 1, StatementStatus::noClaim, {}}};
        out.generatedTokens = 12;
        return out;
    }
    out.text = "It costs 148.";
    out.checked.statements = {{0, 12, StatementStatus::supported, {{9, 12, StatementStatus::supported, "the item costs 148"}}}};
    return out;
}

struct Underlined {
    QString text, toolTip;
};
std::vector<Underlined> underlined(const QTextEdit& edit) {
    std::vector<Underlined> out;
    for (auto block = edit.document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (const auto fragment = it.fragment(); fragment.charFormat().underlineStyle() == QTextCharFormat::WaveUnderline)
                out.push_back({fragment.text(), fragment.charFormat().toolTip()});
    return out;
}
} // namespace

class TestExplanationWords : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<ExplanationWords> m_words;
    template <class T> T* part(const char* name) { return m_words->findChild<T*>(QString::fromLatin1(name)); }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
        m_session = std::make_unique<Session>();
        m_words = std::make_unique<ExplanationWords>(*m_session, told);
    }
    void cleanupTestCase() {
        m_words.reset();
        m_session.reset();
    }

    void ourSentencesComeAtOnce() {
        QCOMPARE(m_words->unsupported(), -1);
        m_words->show(1, 2, 3);
        QTRY_COMPARE(m_words->unsupported(), 0);
        QCOMPARE(part<QTextEdit>("explanation-text")->toPlainText(), QStringLiteral("It costs 148."));
        QVERIFY(underlined(*part<QTextEdit>("explanation-text")).empty());
        QVERIFY(!part<QPushButton>("explanation-write")->isVisibleTo(m_words.get()));
        const int before = asked;
        m_words->show(1, 2, 3); // the same again: nothing is asked
        QTest::qWait(50);
        QCOMPARE(int(asked), before);
    }

    void whatNoFactBacksIsUnderlined() {
        auto* writer = part<QComboBox>("explanation-writer");
        const int before = asked;
        writer->setCurrentIndex(1);
        QTest::qWait(50);
        QCOMPARE(int(asked), before); // a model is asked only when the user says so
        QCOMPARE(m_words->unsupported(), -1);
        part<QPushButton>("explanation-write")->click();
        QTRY_COMPARE(m_words->unsupported(), 1);
        const auto marks = underlined(*part<QTextEdit>("explanation-text"));
        QCOMPARE(marks.size(), std::size_t(1));
        QCOMPARE(marks[0].text, QStringLiteral("Tarnfell")); // behind a letter of two bytes
        QVERIFY(marks[0].toolTip.contains(QStringLiteral("contradicted")));
        QVERIFY(!marks[0].toolTip.contains(QStringLiteral("<i>"))); // shown as written
        QVERIFY(part<QTextEdit>("explanation-text")->toPlainText().contains(QStringLiteral("<b>Good</b>")));
        QVERIFY2(part<QLabel>("explanation-count")->text().contains(QStringLiteral("1 of 2")), qPrintable(part<QLabel>("explanation-count")->text()));
        QCOMPARE(part<QLabel>("explanation-count")->textFormat(), Qt::PlainText);
    }

    void aModelCanBeStopped() {
        m_words->show(1, 2, 7);
        auto* button = part<QPushButton>("explanation-write");
        button->click();
        QVERIFY(m_words->isBusy());
        QTest::qWait(100);
        button->click();
        QVERIFY(!m_words->isBusy());
        QTRY_VERIFY_WITH_TIMEOUT(m_session->jobs().isIdle(), 4000);
        QCOMPARE(m_words->unsupported(), -1);
        QVERIFY(part<QLabel>("explanation-count")->text().contains(QStringLiteral("Stopped")));
        // Another card while the model writes: the old answer never arrives.
        button->click();
        m_words->show(1, 2, 3);
        QVERIFY(!m_words->isBusy());
        QTRY_VERIFY_WITH_TIMEOUT(m_session->jobs().isIdle(), 4000);
        QVERIFY(part<QTextEdit>("explanation-text")->toPlainText().isEmpty());
    }

    void errorsAreSaid() {
        part<QComboBox>("explanation-writer")->setCurrentIndex(0);
        m_words->show(1, 2, 9);
        QTRY_VERIFY(part<QLabel>("explanation-count")->text().contains(QStringLiteral("CL-7014")));
        QCOMPARE(m_words->unsupported(), -1);
        m_words->show(0, noCode, noCode);
        QVERIFY(m_words->isHidden());
    }
};

QTEST_MAIN(TestExplanationWords)
#include "test_explanation_words.moc"
