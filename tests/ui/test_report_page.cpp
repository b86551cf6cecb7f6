// SPDX-License-Identifier: GPL-3.0-or-later
// The report page: the file is written where it was asked for, the preview shows its words and loads nothing, exports are there to be read.
#include "carousel_project.h"
#include "pages/report_page.h"
#include "pages/report_preview.h"
#include "session/run_selection.h"
#include "theme/theme.h"
#include "widgets/state_view.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QListWidget>
#include <QSettings>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>
#include <QUrl>
#include <nlohmann/json.hpp>

using namespace carousel;
using namespace carousel::ui;

class TestReportPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;

    static QByteArray contents(const QString& file) {
        QFile in(file);
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
    }

    void simplifies_data() {
        QTest::addColumn<QString>("html");
        QTest::addColumn<QString>("kept");
        QTest::addColumn<QString>("gone");
        QTest::newRow("style") << "<p>a</p><style>p { x }</style><p>b</p>"
                               << "<p>b</p>"
                               << "{ x }";
        QTest::newRow("svg in svg") << "<svg id='1'><svg>in</svg>out</svg>after"
                                    << "after"
                                    << "out";
        QTest::newRow("plot") << "<svg width='1' aria-label=\"Reach drops. By position\"><text>0.5</text></svg>"
                              << "Plot: Reach drops<"
                              << "0.5";
        QTest::newRow("not a svg") << "<svgx>text</svgx>"
                                   << "text"
                                   << "Plot";
        QTest::newRow("header is no head") << "<head><title>t</title></head><header>words</header>"
                                           << "words"
                                           << "<title>";
        QTest::newRow("never closed") << "before<script>alert(1)"
                                      << "before"
                                      << "alert";
        QTest::newRow("capitals") << "x<SCRIPT>alert(1)</SCRIPT>y"
                                  << "xy"
                                  << "alert";
    }
    void simplifies() {
        QFETCH(QString, html);
        QFETCH(QString, kept);
        QFETCH(QString, gone);
        const QString out = simplifiedReport(html);
        QVERIFY2(out.contains(kept), qPrintable(out));
        QVERIFY2(!out.contains(gone), qPrintable(out));
    }

    void previewLoadsNothing() {
        ReportPreview preview;
        preview.showReport(QStringLiteral("<p>words</p><img src='file:///etc/hostname'><a href='http://example.invalid/'>link</a>"));
        QVERIFY(preview.toPlainText().contains(QStringLiteral("words")));
        QVERIFY(!preview.loadResource(2, QUrl(QStringLiteral("file:///etc/hostname"))).isValid());
        QVERIFY(!preview.openLinks());
    }

    void provenanceAsATree() {
        QTreeWidget tree;
        tree.setColumnCount(2);
        showJson(tree, R"({"program":{"version":"1","list":[1,2]},"seed":7})");
        QCOMPARE(tree.topLevelItemCount(), 2);
        QCOMPARE(tree.topLevelItem(1)->text(1), QStringLiteral("7"));
        QCOMPARE(tree.topLevelItem(0)->childCount(), 2);
        showJson(tree, "no json");
        QCOMPARE(tree.topLevelItemCount(), 1);
        showJson(tree, std::string(3000, '['));
        QCOMPARE(tree.topLevelItemCount(), 1);
    }

    void writesAndExports() {
        Session session;
        ReportPage page(session);
        page.resize(1200, 840);
        page.show();
        auto* state = page.findChild<StateView*>();
        QCOMPARE(state->state(), StateView::State::empty);
        if (session.workbench().plugins().all().empty())
            QSKIP("no plugins beside the program");
        const QString file = m_folder.filePath(QStringLiteral("demo.carousel"));
        const auto made = test::makeCarouselProject(ss(file));
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        session.openProject(file);
        QTRY_COMPARE_WITH_TIMEOUT(session.selection().state(), RunSelection::State::ready, 60000);
        QCOMPARE(state->state(), StateView::State::ready);
        QVERIFY(QTest::qWaitFor([&] { return session.isIdle() && !page.isBusy(); }, 60000));

        auto* list = page.findChild<QListWidget*>();
        QCOMPARE(list->count(), 2);
        QCOMPARE(page.chosen(), session.selection().runs());
        // Beside the project, named after the study.
        QCOMPARE(page.file(), QFileInfo(file).dir().filePath(QStringLiteral("first-look-report.html")));
        auto* preview = page.findChild<ReportPreview*>();
        const QString words = preview->toPlainText();
        QVERIFY2(words.contains(QStringLiteral("First look")) && words.contains(QStringLiteral("Sequence rules")),
                 qPrintable(words.left(400)));
        QVERIFY(words.contains(QStringLiteral("nDCG@10")));
        auto* tree = page.findChild<QTreeWidget*>();
        QVERIFY(tree->topLevelItemCount() > 3);

        QSignalSpy written(&page, &ReportPage::written);
        page.write();
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 1, 60000);
        QVERIFY2(written.first().first().toBool(), qPrintable(session.log().asText()));
        const QByteArray html = contents(page.file());
        QVERIFY(html.contains("<svg") && html.contains("Sequence rules"));
        QVERIFY(!QDir(m_folder.filePath(QStringLiteral("first-look-report_plots"))).exists());

        // Now with pictures, one run only, under a name without ending.
        list->item(1)->setCheckState(Qt::Unchecked);
        QCOMPARE(page.chosen().size(), std::size_t(1));
        page.setFile(m_folder.filePath(QStringLiteral("one")));
        QVERIFY(page.file().endsWith(QStringLiteral("one.html")));
        page.findChild<QCheckBox*>()->setChecked(true);
        page.write();
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 2, 120000);
        QVERIFY2(written.last().first().toBool(), qPrintable(session.log().asText()));
        QVERIFY(!QDir(m_folder.filePath(QStringLiteral("one_plots"))).entryList({QStringLiteral("*.png")}).isEmpty());
        QVERIFY(!contents(page.file()).contains("Sequence rules</")); // the run that is not ticked is not in the file

        // As pages: the plots are in the file, and no folder of pictures is made.
        page.setFile(m_folder.filePath(QStringLiteral("pages.pdf")));
        QVERIFY(page.file().endsWith(QStringLiteral("pages.pdf")));
        QVERIFY(!page.findChild<QCheckBox*>()->isEnabled());
        page.write();
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 3, 120000);
        QVERIFY2(written.last().first().toBool(), qPrintable(session.log().asText()));
        QVERIFY(contents(page.file()).startsWith("%PDF-"));
        QVERIFY(!QDir(m_folder.filePath(QStringLiteral("pages_plots"))).exists());
        page.setFile(m_folder.filePath(QStringLiteral("one")));
        written.removeLast();

        // Nothing ticked: nothing to write.
        list->item(0)->setCheckState(Qt::Unchecked);
        page.write();
        QVERIFY(QTest::qWaitFor([&] { return session.isIdle(); }, 30000));
        QCOMPARE(written.size(), 2);

        // A place that cannot be written is said, not swallowed.
        list->item(0)->setCheckState(Qt::Checked);
        page.setFile(file + QStringLiteral("/inside-a-file/report.html"));
        page.write();
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 3, 60000);
        QVERIFY(!written.last().first().toBool());
        const auto labels = page.findChildren<QLabel*>();
        QVERIFY(std::any_of(labels.begin(), labels.end(),
                            [](QLabel* label) { return label->isVisible() && label->text().startsWith(QStringLiteral("✕")); }));

        auto* format = page.findChildren<QComboBox*>().at(1);
        QCOMPARE(format->count(), 4);
        for (int i = 0; i < format->count(); ++i) {
            format->setCurrentIndex(i);
            const QString ending = format->currentData().toString(), out = m_folder.filePath(QStringLiteral("run.") + ending);
            const auto before = written.size();
            page.exportRun(out);
            QTRY_COMPARE_WITH_TIMEOUT(written.size(), before + 1, 60000);
            QVERIFY2(written.last().first().toBool(), qPrintable(session.log().asText()));
            const QByteArray text = contents(out);
            QVERIFY2(!text.isEmpty(), qPrintable(ending));
            if (ending == QLatin1String("json"))
                QVERIFY(nlohmann::json::parse(text.toStdString(), nullptr, false).is_object());
            if (ending == QLatin1String("jsonl"))
                QCOMPARE(text.count('\n'), 60);
            if (ending == QLatin1String("trec"))
                QVERIFY(QFile::exists(out + QStringLiteral(".qrels")));
        }
        for (auto* label : page.findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty(), qPrintable(label->text()));
        QVERIFY(!page.grab().isNull());
    }
};

QTEST_MAIN(TestReportPage)
#include "test_report_page.moc"
