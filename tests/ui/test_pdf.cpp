// SPDX-License-Identifier: GPL-3.0-or-later
// Pages of a PDF: nothing over the margins, nothing lost, nothing announced at the foot of a page, heads repeated, and the same file every time.
#include "base/file.h"
#include "report/pdf_layout.h"
#include "report/pdf_writer.h"
#include <QFontMetricsF>
#include <QGuiApplication>
#include <QPainter>
#include <QRegularExpression>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <nlohmann/json.hpp>

using namespace carousel;
using namespace carousel::ui;

namespace {
using Kind = PdfItem::Kind;
using Role = PdfItem::Role;

PlotSpec plot(const std::string& id) {
    PlotSpec spec{.id = id, .title = "Reach drops at the fold", .subtitle = "n = 943 users", .xTitle = "Position", .yTitle = "Reach"};
    spec.series.push_back({.name = "Popularity", .colour = 1, .x = {1, 2, 3, 4}, .y = {0.9, 0.8, 0.4, 0.2}, .low = {0.8, 0.7, 0.3, 0.1}, .high = {1, 0.9, 0.5, 0.3}});
    spec.verticalLines = {2.5};
    spec.verticalLineLabel = "fold";
    return spec;
}

PlotSpec heat(int rows) {
    PlotSpec spec{.id = "heat", .title = "Clicks by position", .xTitle = "Position", .yTitle = "Segment"};
    for (int r = 0; r < rows; ++r)
        spec.heat.rows.push_back("segment " + std::to_string(r));
    spec.heat.columns = {"1", "2", "3"};
    for (int i = 0; i < rows * 3; ++i)
        spec.heat.values.push_back(0.01 * i);
    spec.heat.valueTitle = "Clicks";
    return spec;
}

ReportTable table(int columns, int rows, const std::string& caption) {
    ReportTable out{.caption = caption, .columns = {{"Strategy"}}, .rows = {}, .note = "A note below the table " + caption + "."};
    for (int c = 1; c < columns; ++c)
        out.columns.push_back({caption + " measure " + std::to_string(c), true});
    for (int r = 0; r < rows; ++r) {
        std::vector<ReportCell> row{textCell("Strategy number " + std::to_string(r), r % 8)};
        for (int c = 1; c < columns; ++c) {
            row.push_back(estimateCell(0.1 * r + c, 0.1 * r + c - 0.5, 0.1 * r + c + 0.5));
            row.back().note = "+0.02 not significant";
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

AnalysisDocument document() {
    AnalysisDocument d{.kind = "clicks", .report = {}, .figuresJson = "{}", .specToml = "dataset = \"shop\"\nseed = 7\n"};
    auto& r = d.report;
    r.title = "Click models <b>of a shop</b>";
    r.subtitle = "Shop · 5,000 sessions";
    r.lead = {"The carousel model predicts best.", "It says that 35 % swipe on."};
    r.facts = {{"Sessions", "5,000"}, {"Clicks", "812"}};
    r.light = Light::amber;
    r.findings = {{Light::green, "Whole slates", "Every session begins at position 1."}, {Light::red, "Reach", "Not logged."}};
    r.warnings = {"Few clicks."};
    r.sections = {{.title = "First section", .paragraphs = {"Words of the first section."}, .tables = {table(4, 70, "Long")}, .plots = {plot("a"), plot("b")}},
                  {.title = "Second section", .paragraphs = {std::string(6000, 'w')}, .tables = {table(16, 5, "Wide")}, .definitions = {{"PBM", "gamma times alpha", "Richardson"}}},
                  {.title = "Third section", .plots = {plot("c"), heat(60)}}};
    r.provenanceJson = R"({"written":"2026-11-27T21:10:24Z","program":{"version":"1.0"},"files":[{"sha256":"0123456789abcdef"}]})";
    r.command = "carousel-lab-cli --project PROJECT evaluate clicks";
    return d;
}

QString wordsOf(const PdfLayout& layout, Role role) {
    QString all;
    for (const auto& page : layout.pages)
        for (const auto& item : page.items)
            if (item.kind == Kind::text && item.role == role)
                all += item.text + QLatin1Char(' ');
    return all;
}
int pagesOf(const QByteArray& pdf) {
    static const QRegularExpression page(QStringLiteral("/Type\\s*/Page[^s]"));
    return static_cast<int>(QString::fromLatin1(pdf).count(page));
}
void checkPlaces(const PdfLayout& layout) {
    const QRectF paper(QPointF(0, 0), layout.size);
    constexpr double slack = 2; // dots of 1200 an inch
    const QRectF content = layout.content.adjusted(-slack, -slack, slack, slack);
    for (const auto& page : layout.pages)
        for (const auto& item : page.items) {
            const QString what = item.text.left(60) + QStringLiteral(" at %1,%2 %3x%4").arg(item.at.x()).arg(item.at.y()).arg(item.at.width()).arg(item.at.height());
            if (item.role == Role::footer)
                QVERIFY2(paper.contains(item.at) && item.at.top() > layout.content.bottom(), qPrintable(what));
            else
                QVERIFY2(content.contains(item.at) || (item.kind == Kind::fill && content.intersects(item.at)), qPrintable(what));
            if (item.kind == Kind::text)
                QVERIFY2(QFontMetricsF(item.font).horizontalAdvance(item.text) <= item.at.width() + slack, qPrintable(what));
        }
}
} // namespace

class TestPdf : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nothingReachesOverTheMargins() {
        checkPlaces(layOutPdf(document()));
    }
    void linesDoNotLieOnEachOther() {
        for (const auto& page : layOutPdf(document()).pages)
            for (std::size_t i = 0; i < page.items.size(); ++i)
                for (std::size_t j = i + 1; j < page.items.size(); ++j) {
                    const auto &a = page.items[i], &b = page.items[j];
                    if (a.kind == Kind::fill || b.kind == Kind::fill)
                        continue;
                    const QRectF both = a.at.intersected(b.at);
                    QVERIFY2(both.width() < 3 || both.height() < 3, qPrintable(a.text + QStringLiteral(" | ") + b.text));
                }
    }
    void nothingIsLost() {
        const auto d = document();
        const auto layout = layOutPdf(d);
        const QString body = wordsOf(layout, Role::body), headings = wordsOf(layout, Role::heading), cells = wordsOf(layout, Role::cell), heads = wordsOf(layout, Role::tableHead), footers = wordsOf(layout, Role::footer);
        for (const char* words : {"Click models <b>of a shop</b>", "predicts best", "35 % swipe on", "5,000", "Whole slates", "Not logged.", "Few clicks.", "Words of the first section.", "evaluate clicks", "seed = 7", "supported"})
            QVERIFY2(body.contains(QString::fromUtf8(words)), words);
        QCOMPARE(body.count(QLatin1Char('w')) >= 6000, true); // the endless word is cut into lines, not off
        for (const char* words : {"First section", "Second section", "Third section", "Provenance"})
            QVERIFY2(headings.contains(QString::fromUtf8(words)), words);
        for (int r = 0; r < 70; ++r)
            QVERIFY(cells.contains(QStringLiteral("Strategy number %1 ").arg(r)));
        for (int c = 1; c < 16; ++c)
            QVERIFY2(QString(heads).remove(QLatin1Char(' ')).contains(QStringLiteral("Widemeasure%1").arg(c)), qPrintable(heads));
        QVERIFY(cells.contains(QStringLiteral("Richardson")) && cells.contains(QStringLiteral("0123456789abcdef")));
        QVERIFY(cells.contains(QStringLiteral("[3.50, 4.50]")) || cells.contains(QStringLiteral("[3.5, 4.5]")));
        QVERIFY(footers.contains(QStringLiteral("Page 1 of %1").arg(layout.pages.size())) && footers.contains(QStringLiteral("Page %1 of %1").arg(layout.pages.size())));
        int plots = 0;
        for (const auto& page : layout.pages)
            for (const auto& item : page.items)
                if (item.role == Role::plot) {
                    ++plots;
                    const QSizeF drawn = QSvgRenderer(item.svg).viewBoxF().size(); // neither squeezed nor stretched
                    QVERIFY(std::abs(item.at.height() / item.at.width() - drawn.height() / drawn.width()) < 0.001);
                }
        QCOMPARE(plots, 4);
    }
    void headingsAndCaptionsStayWithWhatTheyAnnounce() {
        auto d = document();
        for (int lines = 0; lines < 60; lines += 3) { // wherever the page ends
            d.report.sections[0].paragraphs = {std::string("Words.")};
            for (int i = 0; i < lines; ++i)
                d.report.sections[0].paragraphs.back() += "\nline";
            for (const auto& page : layOutPdf(d).pages) {
                double lowestAnnounced = 0, lowestOther = 0;
                for (const auto& item : page.items)
                    if (item.role == Role::heading || item.role == Role::caption)
                        lowestAnnounced = std::max(lowestAnnounced, item.at.bottom());
                    else if (item.role != Role::footer && item.kind != Kind::fill && item.role != Role::tableHead)
                        lowestOther = std::max(lowestOther, item.at.bottom());
                QVERIFY2(lowestOther > lowestAnnounced, qPrintable(QString::number(lines)));
            }
        }
    }
    void headsAreRepeated() {
        const auto layout = layOutPdf(document());
        int pagesWithRows = 0;
        for (const auto& page : layout.pages) {
            const bool rows = std::any_of(page.items.begin(), page.items.end(), [](const PdfItem& item) { return item.role == Role::cell && item.text.startsWith(QStringLiteral("Strategy number")); });
            const bool head = std::any_of(page.items.begin(), page.items.end(), [](const PdfItem& item) { return item.role == Role::tableHead && item.text == QStringLiteral("Strategy"); });
            QVERIFY(!rows || head);
            pagesWithRows += rows;
        }
        QVERIFY(pagesWithRows >= 3);
    }
    void aRowHigherThanAPageGoesOn() {
        AnalysisDocument d;
        d.report.title = "Tall";
        ReportTable tall{.caption = "Tall", .columns = {{"Name"}, {"Words"}}, .rows = {}, .note = {}};
        std::string words;
        for (int i = 0; i < 3000; ++i)
            words += "word" + std::to_string(i) + " ";
        tall.rows = {{textCell("before"), textCell("short")}, {textCell("tall"), textCell(words)}, {textCell("after"), textCell("short")}};
        d.report.sections = {{.title = "Section", .tables = {tall}}};
        const auto layout = layOutPdf(d);
        checkPlaces(layout);
        const QString cells = wordsOf(layout, Role::cell);
        for (int i = 0; i < 3000; ++i)
            QVERIFY(cells.contains(QStringLiteral("word%1 ").arg(i)));
        QVERIFY(cells.contains(QStringLiteral("after")));
    }
    void emptyDocumentIsOnePage() {
        AnalysisDocument d;
        d.report.title = "Nothing yet";
        QCOMPARE(layOutPdf(d).pages.size(), std::size_t(1));
        const auto pdf = pdfOf(d);
        QVERIFY(pdf && pdf->startsWith("%PDF-") && pagesOf(*pdf) == 1);
    }
    void theFileHasThePagesTitleAndDate() {
        const auto d = document();
        const auto pdf = pdfOf(d);
        QVERIFY(pdf);
        QCOMPARE(pagesOf(*pdf), static_cast<int>(layOutPdf(d).pages.size()));
        QVERIFY(pdf->contains("/CreationDate (D:20261127211024"));
        QVERIFY(pdf->contains("/FontFile2") || pdf->contains("/FontFile3")); // letters, not pictures of them
        QVERIFY(pdf->contains("/ToUnicode"));                                 // and they can be searched
    }
    void theSameReportGivesTheSameFile() {
        const auto first = pdfOf(document());
        QTest::qSleep(1100); // the clock must not show
        const auto second = pdfOf(document());
        QVERIFY(first && second);
        QCOMPARE(first->size(), second->size());
        QVERIFY(*first == *second);
    }
    void everyPlotCanBeDrawn() {
        for (const auto& page : layOutPdf(document()).pages)
            for (const auto& item : page.items) {
                if (item.kind != Kind::picture)
                    continue;
                QSvgRenderer picture(item.svg);
                QVERIFY(picture.isValid());
                if (item.role != Role::plot)
                    continue;
                QImage image(640, 330, QImage::Format_RGB32);
                image.fill(Qt::white);
                QPainter painter(&image);
                picture.render(&painter);
                painter.end();
                int coloured = 0;
                for (int y = 0; y < image.height(); ++y)
                    for (int x = 0; x < image.width(); ++x)
                        coloured += image.pixelColor(x, y).saturation() > 120;
                QVERIFY2(coloured > 200, qPrintable(QString::number(coloured))); // the line of the series
            }
    }
    void endingDecidesTheForm() {
        QTemporaryDir folder;
        const std::string path = folder.path().toStdString();
        QVERIFY(writeDocument(document(), path + "/new/a.PDF"));
        QVERIFY(readFile(path + "/new/a.PDF")->starts_with("%PDF-"));
        QVERIFY(writeDocument(document(), path + "/a.html"));
        QVERIFY(readFile(path + "/a.html")->starts_with("<!DOCTYPE"));
        QVERIFY(!writeDocument(document(), path + "/a.html/b.pdf"));
    }
};

QTEST_MAIN(TestPdf)
#include "test_pdf.moc"
