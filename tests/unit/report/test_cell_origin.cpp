// SPDX-License-Identifier: GPL-3.0-or-later
// Where a cell's number comes from: the place in the figures, to the last digit, and what makes it again.
#include "report/cell_origin.h"
#include <QTest>

using namespace carousel;

class TestCellOrigin : public QObject {
    Q_OBJECT
private slots:
    void figuresByPath() {
        const std::string figures = R"({"effects":[{"metric":"clicks"},{"effect":{"difference":0.30000000000000004,"interval":[0.1,0.4],"lift":null}}],"n":3})";
        QCOMPARE(figureAt(figures, "effects[1].effect.difference"), std::string("0.30000000000000004"));
        QCOMPARE(figureAt(figures, "effects[1].effect.interval"), std::string("[0.1,0.4]"));
        QCOMPARE(figureAt(figures, "effects[1].effect.interval[1]"), std::string("0.4"));
        QCOMPARE(figureAt(figures, "effects[0].metric"), std::string("\"clicks\""));
        QCOMPARE(figureAt(figures, "n"), std::string("3"));
        for (const char* wrong : {"", "m", "effects[2]", "effects[x].metric", "effects[", "effects[1", "effects.metric", "n[0]", "effects[1].effect.difference.more", "effects[-1]"})
            QVERIFY2(figureAt(figures, wrong).empty(), wrong);
        QVERIFY(figureAt("no json", "n").empty());
    }
    void aCellTellsEverything() {
        AnalysisDocument document;
        document.figuresJson = R"({"effects":[{"effect":{"difference":0.125,"interval":[0.0625,0.1875],"lift":0.5,"liftInterval":[0.25,0.75]}}]})";
        document.report.command = "carousel-lab-cli --project PROJECT simulate";
        document.report.provenanceJson = R"({"specificationSha256":"abc","data":{"digest":"def"},"program":{"version":"1.2","commit":"0123"}})";
        ReportTable table;
        table.caption = "Every metric";
        table.columns = {{"Metric", false, ""}, {"Arm", false, ""}, {"Difference", true, "", "welch(); Welch 1947"}, {"Relative", true, ""}, {"Words", false, ""}};
        ReportCell difference = estimateCell(0.125, 0.0625, 0.1875), lift = estimateCell(0.5, 0.25, 0.75);
        difference.path = "effects[0].effect.difference", lift.path = "effects[0].effect.lift";
        table.rows = {{textCell("clicks"), textCell("new"), difference, lift, textCell("better")}};
        const CellOrigin origin = originOf(document, table, 0, 2);
        QCOMPARE(origin.exact, std::string("0.125"));
        QCOMPARE(origin.exactInterval, std::string("[0.0625,0.1875]"));
        QCOMPARE(origin.row, std::string("clicks, new"));
        QCOMPARE(originOf(document, table, 0, 3).exactInterval, std::string("[0.25,0.75]"));
        const std::string text = toText(origin);
        for (const char* part : {"Exactly: 0.125\n", "effects[0].effect.difference", "Every metric", "welch(); Welch 1947", "simulate", "abc", "def", "1.2, 0123"})
            QVERIFY2(text.find(part) != std::string::npos, part);
        const std::string words = toText(originOf(document, table, 0, 4)); // no figure: the rest all the same
        QVERIFY(words.find("Exactly") == std::string::npos && words.find("not a single one of them") != std::string::npos && words.find("abc") != std::string::npos);
        QVERIFY(originOf(document, table, 1, 0).shown.empty() && originOf(document, table, 0, 5).shown.empty());
    }
    void pathsAndSourcesAreKept() {
        AnalysisDocument document{.kind = "ab-test", .report = {}, .figuresJson = std::string("{}"), .specToml = {}};
        ReportTable table;
        table.caption = "One";
        table.columns = {{"Metric", false, ""}, {"Difference", true, "help", "source"}};
        ReportCell cell = numberCell(2);
        cell.path = "a[0].b";
        table.rows = {{textCell("clicks"), cell}};
        document.report.sections.push_back({"Effects", {}, {table}, {}, {}});
        const auto back = analysisFromJson(toJson(document));
        QVERIFY(back.has_value());
        const ReportTable& read = back->report.sections[0].tables[0];
        QCOMPARE(read.columns[1].source, std::string("source"));
        QCOMPARE(read.columns[0].source, std::string());
        QCOMPARE(read.rows[0][1].path, std::string("a[0].b"));
        QCOMPARE(read.rows[0][0].path, std::string());
    }
};

QTEST_APPLESS_MAIN(TestCellOrigin)
#include "test_cell_origin.moc"
