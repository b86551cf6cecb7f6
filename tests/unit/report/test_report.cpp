// SPDX-License-Identifier: GPL-3.0-or-later
// CSV and HTML as they leave the program: quoted, escaped, self-contained.
#include "base/text.h"
#include "report/csv.h"
#include "report/html_report.h"
#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>
#include <cmath>

using namespace carousel;

namespace {
const std::string nasty = "</script><script>alert('x')</script> \"quoted\" & =1+1 {{title}} é";

ReportModel model() {
    PlotSpec plot{.id = "reach",
                  .title = "Reach " + nasty,
                  .subtitle = "n = 3",
                  .xTitle = "Position",
                  .yTitle = "Reach",
                  .verticalLines = {1.5},
                  .verticalLineLabel = "fold " + nasty};
    plot.series.push_back({.name = "A " + nasty, .colour = 0, .x = {1, 2}, .y = {1, 0.5}, .low = {0.9, 0.4}, .high = {1, 0.6}});
    plot.series.push_back({.name = "B", .colour = 1, .x = {1, 2}, .y = {0.25, std::nan("")}});
    ReportTable table{.caption = "Accuracy " + nasty, .columns = {{"Strategy"}, {"nDCG@10", true, "help " + nasty}}, .note = "table note"};
    table.rows = {{textCell("popularity " + nasty, 1), estimateCell(0.0421, 0.031, 0.0553)},
                  {textCell("none", 2), estimateCell(std::nan(""), std::nan(""), std::nan(""))}};
    ReportModel m{.title = "Title " + nasty,
                  .subtitle = "sub",
                  .lead = {"Verdict " + nasty},
                  .facts = {{"Users", "943"}},
                  .warnings = {"Careful " + nasty}};
    m.sections.push_back({.title = "Section " + nasty,
                          .paragraphs = {"Words " + nasty},
                          .tables = {table},
                          .plots = {plot},
                          .definitions = {{"nDCG@10", "formula " + nasty, "RecBole"}}});
    m.sections.push_back({.title = "Empty"});
    m.provenanceJson = "{\"name\": \"</script><script>alert(1)</script>\"}";
    m.command = "carousel-lab-cli run a.toml --set x=\"<1>\"";
    return m;
}
} // namespace

class TestReport : public QObject {
    Q_OBJECT
private slots:
    void csvIsQuoted() {
        QCOMPARE(csvField("plain"), std::string("plain"));
        QCOMPARE(csvField("a,b"), std::string("\"a,b\""));
        QCOMPARE(csvField("say \"hi\"\n"), std::string("\"say \"\"hi\"\"\n\""));
        const std::vector<std::string> row{"a", "", "b,c"};
        QCOMPARE(csvRow(row), std::string("a,,\"b,c\"\r\n"));
    }
    void formulasAreDefused() {
        for (const char* formula : {"=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"}) {
            const auto field = csvField(formula);
            QVERIFY2(field.find("'") == (field.front() == '"' ? 1u : 0u), formula);
            QVERIFY2(csvField(formula, CsvMode::raw).find('\'') == std::string::npos, formula);
        }
        for (const char* number : {"-2", "+0.5", "-3e2", "-"})
            QVERIFY2((csvField(number).front() == '\'') == (std::string(number) == "-"), number);
        QCOMPARE(csvField("=HYPERLINK(\"x\",\"y\")"), std::string("\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""));
    }
    void numbersReadBackTheSame() {
        for (const double value : {0.1, 1.0 / 3, 1e-300, 123456789.125})
            QCOMPARE(*parseNumber(csvNumber(value)), value);
        QCOMPARE(csvNumber(std::nan("")), std::string());
    }
    void reportStandsAlone() {
        const auto html = htmlReport(model());
        QVERIFY(html);
        const QString page = QString::fromStdString(*html);
        QVERIFY(
            page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'"));
        static const QRegularExpression outside("(src|href)=\"(?!#)");
        QVERIFY(!outside.match(page).hasMatch());
        static const QRegularExpression urls("(url\\(|@import|https?://(?!www\\.w3\\.org/2000/svg))");
        QVERIFY(!urls.match(page).hasMatch());
        QCOMPARE(page.count("<script"), 1); // the provenance, as data
        QVERIFY(page.contains("<script type=\"application/json\" id=\"carousel-lab-provenance\">{\"name\": \"\\u003c/script\\u003e"));
        QCOMPARE(page.count("</script>"), 1);
        QVERIFY(!page.contains("alert('x')"));
        QVERIFY(page.contains("&quot;quoted&quot; &amp; =1+1 {{title}}")); // shown, neither run nor expanded
        QVERIFY(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    }
    void everythingGivenIsShown() {
        const std::string html = htmlReport(model()).value();
        for (const char* part :
             {"0.0421", "[0.0310, 0.0553]", "n/a", "Read with care", "Users</dt><dd>943", "Same as: RecBole", "id=\"section-1\"",
              "href=\"#section-2\"", "Reproduce this report", "run a.toml --set x=&quot;&lt;1&gt;&quot;",
              "<details><summary>The same numbers as a table", "[0.400, 0.600]"})
            QVERIFY2(html.find(part) != std::string::npos, part);
        QCOMPARE(QString::fromStdString(html).count("table note"), 1); // not in every cell
        QCOMPARE(QString::fromStdString(html).count("<table>"), 2);
    }
    void emptyReportsAreWhole() {
        const auto html = htmlReport({.title = "Nothing yet"});
        QVERIFY(html);
        QVERIFY(html->find("Provenance") == std::string::npos && html->find("Read with care") == std::string::npos);
        QVERIFY(html->find("</html>") != std::string::npos);
    }
    void badBytesBecomeReplacementCharacters() {
        auto m = model();
        m.title = "bad \xff byte";
        m.sections[0].plots[0].title = "bad \xfe\x01 byte";
        QCOMPARE(firstInvalidUtf8(htmlReport(m).value()), std::string::npos);
    }
};
QTEST_APPLESS_MAIN(TestReport)
#include "test_report.moc"
