// SPDX-License-Identifier: GPL-3.0-or-later
// The carousel page: figures follow cards, fold and swipe at once; everything can be done with the keyboard; a drag does what it shows.
#include "carousel_project.h"
#include "pages/carousel/card_painter.h"
#include "pages/carousel/carousel_plots.h"
#include "pages/carousel/carousel_strip.h"
#include "pages/carousel/explanation.h"
#include "pages/carousel/explanation_words.h"
#include "pages/carousel/user_index.h"
#include "pages/carousel_page.h"
#include "plots/plot_view.h"
#include "session/run_selection.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTextEdit>

using namespace carousel;
using namespace carousel::ui;

namespace {
std::vector<CarouselCard> cards(int count, int target) {
    std::vector<CarouselCard> out;
    for (int i = 0; i < count; ++i) {
        CarouselCard card;
        card.item = i;
        card.title = i == 2 ? "<b>Bold</b> & long title that does not fit on one line" : "Item " + std::to_string(i);
        card.attraction = i == target ? 1.0 : 0.05;
        card.isTarget = i == target;
        card.score = 1.0F - 0.01F * static_cast<float>(i);
        out.push_back(card);
    }
    return out;
}
} // namespace

class TestCarouselPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<CarouselPage> m_page;

    bool settle() {
        return QTest::qWaitFor([this] { return m_session->isIdle() && !m_session->isOpening() && !m_page->isBusy(); }, 60000);
    }
    std::vector<CarouselStrip*> strips() const {
        const auto found = m_page->findChildren<CarouselStrip*>();
        return {found.begin(), found.end()};
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.filePath(QStringLiteral("settings")));
        Theme::instance().install();
    }
    void cleanupTestCase() {
        m_page.reset();
        m_session.reset();
    }

    void movingAndResetting() {
        ArrangedCarousel carousel;
        carousel.setCards(cards(10, 7));
        const auto model = CarouselModel::geometric(6, 0.35, 0.85);
        QVERIFY(carousel.evaluate(model));
        const double before = carousel.figures().value;
        QVERIFY(carousel.figures().missed > 0);
        QCOMPARE(carousel.targetPlace(), std::size_t(7));
        carousel.move(7, 0);
        QCOMPARE(carousel.storedPlace(0), std::size_t(7));
        QCOMPARE(carousel.storedPlace(1), std::size_t(0));
        QCOMPARE(carousel.storedPlace(8), std::size_t(8));
        QVERIFY(carousel.isMoved());
        QVERIFY(carousel.evaluate(model));
        // The wanted item at the top is clicked for certain: attraction 1, examined with probability 1.
        QCOMPARE(carousel.figures().slots[0].click, 1.0);
        QVERIFY(carousel.figures().value > before);
        carousel.move(0, 7);
        QVERIFY(!carousel.isMoved());
        carousel.move(3, 99); // nowhere: nothing happens
        QVERIFY(!carousel.isMoved());
        carousel.move(2, 5);
        carousel.reset();
        QVERIFY(!carousel.isMoved());
        QVERIFY(carousel.evaluate(model));
        QCOMPARE(carousel.figures().value, before);
    }

    void figuresAreQuickEnoughToDrag() {
        ArrangedCarousel carousel;
        auto many = cards(30, 7);
        for (std::size_t i = 0; i < many.size(); ++i) {
            many[i].attraction = 0.02 + 0.01 * static_cast<double>((i * 7) % 13);
            many[i].value = 1.0 + static_cast<double>((i * 11) % 17);
        }
        carousel.setCards(many);
        const auto model = CarouselModel::geometric(6, 0.35, 0.85);
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < 10; ++i)
            QVERIFY(carousel.evaluate(model));
        qInfo("one evaluation of 30 cards: %.2f ms", static_cast<double>(timer.nsecsElapsed()) / 1e7);
        QVERIFY2(timer.elapsed() < 10 * 100, "a drag would stutter");
    }

    void cardTexts() {
        QCOMPARE(shortFigure(0.08), QStringLiteral(".08"));
        QCOMPARE(shortFigure(1), QStringLiteral("1.00"));
        QCOMPARE(shortFigure(0.001), QStringLiteral("<.01"));
        QCOMPARE(shortFigure(0), QStringLiteral(".00"));
        const QFontMetrics metrics(Theme::instance().caption());
        const auto lines = elidedLines(QStringLiteral("one two three four five six seven eight nine ten"), metrics, 60, 3);
        QCOMPARE(lines.size(), 3);
        QVERIFY(lines.last().endsWith(QChar(0x2026)));
        for (const auto& line : lines)
            QVERIFY(metrics.horizontalAdvance(line) <= 60);
        QCOMPARE(elidedLines(QStringLiteral("short"), metrics, 200, 3), QStringList{QStringLiteral("short")});
        QVERIFY(elidedLines(QStringLiteral("Donaudampfschifffahrtsgesellschaftskapitaen"), metrics, 40, 2).size() == 2);
        QVERIFY(elidedLines({}, metrics, 40, 2).isEmpty());
    }

    void explanationsAreRead() {
        const auto rows =
            explanationRows(R"({"position":3,"score":0.5,"status":"fallback","tiedWith":2,"strategy":{"scorer":{"plugin":"popularity"}},
            "steps":[{"stage":"controller","step":"cascade","detail":{"candidates":50,"behind":550}}],"modelTokens":30})");
        QString all;
        for (const auto& row : rows)
            all += row.name + QLatin1Char('=') + row.value + QLatin1Char('\n');
        for (const char* part : {"rank 3", "fallback", "2 other items", "popularity", "candidates 50", "behind 550", "30 tokens"})
            QVERIFY2(all.contains(QString::fromLatin1(part)), qPrintable(all));
        QCOMPARE(explanationRows("no json").size(), std::size_t(1));
        QCOMPARE(explanationRows("[]").size(), std::size_t(1));
        (void)explanationRows(R"({"steps":[1,null,{"detail":[[[[[[[[[1]]]]]]]]]}],"strategy":5,"score":"x"})");
    }

    void stripWorksWithTheKeyboard() {
        ArrangedCarousel carousel;
        carousel.setCards(cards(30, 7));
        QVERIFY(carousel.evaluate(CarouselModel::geometric(6, 0.35, 0.85)));
        CarouselStrip strip;
        strip.resize(900, 180);
        strip.show(&carousel, 0, QStringLiteral("Test"), 6);
        strip.QWidget::show();
        QSignalSpy moved(&strip, &CarouselStrip::moveWanted), window(&strip, &CarouselStrip::windowWanted);
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(strip.selected(), 0);
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(strip.selected(), 1);
        QVERIFY(strip.accessibleDescription().contains(QStringLiteral("Position 2 of 30")));
        QTest::keyClick(&strip, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(moved.size(), 1);
        QCOMPARE(moved.first().at(0).toInt(), 1);
        QCOMPARE(moved.first().at(1).toInt(), 2);
        QTest::keyClick(&strip, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(window.last().first().toInt(), 7);
        QTest::keyClick(&strip, Qt::Key_End);
        QCOMPARE(strip.selected(), 29);
        QCOMPARE(strip.page(), 4);
        QVERIFY(strip.rect().contains(strip.cardRect(29)));
        QTest::keyClick(&strip, Qt::Key_Home);
        QCOMPARE(strip.page(), 0);
        QVERIFY(strip.spoken(7).contains(QStringLiteral("★")));
        QVERIFY(strip.spoken(7).contains(QStringLiteral("behind the fold")));
    }

    void stripFitsEveryWindow() {
        ArrangedCarousel carousel;
        carousel.setCards(cards(30, 7));
        QVERIFY(carousel.evaluate(CarouselModel::geometric(6, 0.35, 0.85)));
        CarouselStrip strip;
        for (const int width : {560, 900, 1300}) {
            strip.resize(width, 180);
            for (int window = smallestWindow; window <= largestWindow; ++window) {
                strip.show(&carousel, 0, QStringLiteral("Test"), window);
                for (int place = 1; place < 30; ++place)
                    QVERIFY(strip.cardRect(place).left() > strip.cardRect(place - 1).right());
                QVERIFY(strip.foldX() > strip.cardRect(window - 1).right() && strip.foldX() < strip.cardRect(window).left());
                if (width >= 900)
                    QVERIFY2(strip.foldX() < width - 26, qPrintable(QStringLiteral("%1 %2").arg(width).arg(window)));
            }
        }
    }

    void dragsDoWhatTheyShow() {
        ArrangedCarousel carousel;
        carousel.setCards(cards(30, 7));
        QVERIFY(carousel.evaluate(CarouselModel::geometric(6, 0.35, 0.85)));
        CarouselStrip strip;
        strip.resize(1000, 180);
        strip.show(&carousel, 0, QStringLiteral("Test"), 6);
        strip.QWidget::show();
        connect(&strip, &CarouselStrip::moveWanted, &strip, [&](int from, int to) {
            carousel.move(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
            strip.refresh();
        });
        connect(&strip, &CarouselStrip::windowWanted, &strip, [&](int window) { strip.setWindow(window); });
        QTest::mousePress(&strip, Qt::LeftButton, {}, strip.cardRect(7).center());
        QCOMPARE(strip.selected(), 7);
        QTest::mouseMove(&strip, strip.cardRect(5).center());
        QTest::mouseMove(&strip, strip.cardRect(0).center());
        QTest::mouseRelease(&strip, Qt::LeftButton, {}, strip.cardRect(0).center());
        QCOMPARE(carousel.storedPlace(0), std::size_t(7));
        QCOMPARE(strip.selected(), 0);
        const QPoint fold(strip.foldX(), 80);
        const int pitch = strip.cardRect(1).left() - strip.cardRect(0).left();
        QTest::mousePress(&strip, Qt::LeftButton, {}, fold);
        QTest::mouseMove(&strip, fold + QPoint(2 * pitch, 0));
        QCOMPARE(strip.window(), 8);
        QTest::mouseMove(&strip, fold - QPoint(9 * pitch, 0));
        QCOMPARE(strip.window(), smallestWindow);
        QTest::mouseRelease(&strip, Qt::LeftButton, {}, fold);
        QVERIFY(!strip.grab().isNull());
    }

    void pageOnARealStudy() {
        const QString file = m_folder.filePath(QStringLiteral("demo.carousel"));
        {
            if (Workbench().plugins().all().empty())
                QSKIP("no plugins beside the program");
            const auto made = test::makeCarouselProject(ss(file));
            QVERIFY2(made, made ? "" : describe(made.error()).c_str());
            QVERIFY2(made->failures.empty(), made->failures.empty() ? "" : made->failures.front().c_str());
        }
        m_session = std::make_unique<Session>();
        m_page = std::make_unique<CarouselPage>(*m_session);
        m_page->resize(1300, 860);
        m_page->show();
        m_session->openProject(file);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->loaded(), 20000);
        QTRY_COMPARE_WITH_TIMEOUT(m_session->selection().state(), RunSelection::State::ready, 60000);
        QTRY_VERIFY_WITH_TIMEOUT(m_page->arranged(0).size() > 0, 60000);
        QVERIFY(settle());
        QCOMPARE(m_page->arranged(0).size(), std::size_t(30));
        QCOMPARE(m_page->arranged(1).size(), std::size_t(30));
        QVERIFY(m_page->arranged(0).figures().value >= 0);
        QVERIFY(!m_page->isChanged());
        QVERIFY(!m_page->grab().isNull());
    }

    void theInspectedItemIsExplainedInSentences() {
        if (!m_page)
            QSKIP("no study to look at");
        auto* words = m_page->findChild<ExplanationWords*>();
        QVERIFY(words && words->hasItem() && words->isVisible());
        QTRY_COMPARE_WITH_TIMEOUT(words->unsupported(), 0, 20000); // our own sentences never err
        auto* text = words->findChild<QTextEdit*>(QStringLiteral("explanation-text"));
        QVERIFY2(text->toPlainText().startsWith(QStringLiteral("This is ")), qPrintable(text->toPlainText()));
        const QString before = text->toPlainText();
        strips().front()->select(4);
        QTRY_VERIFY_WITH_TIMEOUT(words->unsupported() == 0 && text->toPlainText() != before, 20000);
        QVERIFY(text->toPlainText().contains(QStringLiteral("position 5 of this carousel")));
        QVERIFY(m_page->showTab(QStringLiteral("lens")));
        QVERIFY(!words->isVisible()); // of one user only
        QVERIFY(m_page->showTab(QStringLiteral("user")));
        QVERIFY(words->isVisible());
        QVERIFY(settle());
    }

    void everyFigureFollows() {
        if (!m_page)
            QSKIP("no study to look at");
        auto* plot = m_page->findChild<PlotView*>(QStringLiteral("plot-positions"));
        const double before = m_page->arranged(0).figures().value;
        const auto clicks = plot->plot().series.front().y;
        // The fold moves to 12: what was behind it is reached at once.
        m_page->findChild<QSpinBox*>()->setValue(12);
        QCOMPARE(m_page->model().window, 12);
        QCOMPARE(plot->plot().verticalLines.front(), 12.5);
        QVERIFY(m_page->isChanged());
        for (auto* strip : strips())
            QCOMPARE(strip->window(), 12);
        m_page->setSwipe(0);
        QCOMPARE(m_page->arranged(0).figures().slots[12].reach, 0.0);
        m_page->setSwipe(1);
        QVERIFY(m_page->arranged(0).figures().slots[12].reach >= 0);
        QVERIFY(m_page->arranged(0).figures().value >= before - 1e-12);
        QVERIFY(plot->plot().series.front().y != clicks);
        // A card moves by the keyboard.
        auto* strip = strips().front();
        strip->select(1);
        QTest::keyClick(strip, Qt::Key_Left, Qt::ControlModifier);
        QCOMPARE(m_page->arranged(0).storedPlace(0), std::size_t(1));
        m_page->reset();
        QVERIFY(!m_page->isChanged());
        QCOMPARE(m_page->arranged(0).storedPlace(0), std::size_t(0));
        QCOMPARE(m_page->arranged(0).figures().value, before);
        QVERIFY(settle());
    }

    void figuresAgreeWithTheStudy() {
        if (!m_page)
            QSKIP("no study to look at");
        // V of the page (first five pages of cards) is the V that the comparison found for the same user.
        const auto& c = *m_session->selection().comparison();
        const auto users = m_session->workbench().runUsers(c.strategies[0].run.id);
        QVERIFY(users);
        const auto at = std::lower_bound(users->begin(), users->end(), m_session->selection().user()) - users->begin();
        QVERIFY(std::abs(m_page->arranged(0).figures().value -
                         static_cast<double>(c.strategies[0].value.perUser[static_cast<std::size_t>(at)])) < 1e-4);
    }

    void usersAreFoundAndFiltered() {
        if (!m_page)
            QSKIP("no study to look at");
        auto& selection = m_session->selection();
        const Code first = selection.user();
        m_page->stepUser(1);
        const bool atEnd = selection.user() == first;
        m_page->stepUser(-1);
        QVERIFY(atEnd || selection.user() <= first + 1);
        QVERIFY(settle());
        auto* search = m_page->findChild<QLineEdit*>(QStringLiteral("user-search"));
        QVERIFY(search);
        const QString known = search->text();
        QVERIFY(!known.isEmpty());
        search->setText(QStringLiteral("no such user anywhere"));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(search->text(), known);
        QVERIFY(m_session->log().asText().contains(QStringLiteral("no such user anywhere")));
        auto* outside = m_page->findChild<QCheckBox*>();
        if (!outside->isEnabled())
            QSKIP("no ideal item just outside in this study");
        outside->setChecked(true);
        QVERIFY(settle());
        const auto index = readUserIndex(m_session->workbench(), "six-of-hundreds", selection.runs(), {});
        QVERIFY(index);
        const auto rows = index->justOutside(selection.runs(), 6);
        QVERIFY(!rows.empty());
        for (const int row : rows) {
            bool hit = false;
            for (const auto run : selection.runs()) {
                const auto rank = index->bestRank.at(run)[static_cast<std::size_t>(row)];
                hit = hit || (rank >= 7 && rank <= 10);
            }
            QVERIFY(hit);
        }
        QVERIFY(std::find(rows.begin(), rows.end(), index->rowOf(selection.user())) != rows.end());
        outside->setChecked(false);
        QVERIFY(settle());
    }

    void oneStrategyAlone() {
        if (!m_page)
            QSKIP("no study to look at");
        QList<QComboBox*> choosers; // of strategies: the header's, not those of panels
        for (auto* box : m_page->findChildren<QComboBox*>())
            if (box->objectName() != QStringLiteral("explanation-writer"))
                choosers.push_back(box);
        QVERIFY(choosers.size() >= 2);
        auto* second = choosers.at(1);
        second->setCurrentIndex(0);
        Q_EMIT second->activated(0);
        QVERIFY(settle());
        QVERIFY(!strips()[1]->isVisible());
        QCOMPARE(m_page->findChild<PlotView*>(QStringLiteral("plot-positions"))->plot().series.size(), std::size_t(3));
        second->setCurrentIndex(2);
        Q_EMIT second->activated(2);
        QVERIFY(settle());
        QVERIFY(strips()[1]->isVisible());
    }

    void itemTextIsNeverMarkup() {
        if (!m_page)
            QSKIP("no study to look at");
        for (auto* label : m_page->findChildren<QLabel*>())
            QVERIFY2(label->textFormat() == Qt::PlainText || label->text().isEmpty(), qPrintable(label->text()));
    }
};

QTEST_MAIN(TestCarouselPage)
#include "test_carousel_page.moc"
