// SPDX-License-Identifier: GPL-3.0-or-later
// What a written report carries for a replay, and the comparison of its figures: equal to the last digit or told apart, clock and cache apart.
#include "report/figure_comparison.h"
#include "report/report_record.h"
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;
using nlohmann::json;

namespace {
AnalysisDocument document() {
    AnalysisDocument d{.kind = "clicks", .report = {}, .figuresJson = json{{"swipe", 0.1 + 0.2}, {"words", "</script><b>&"}, {"none", nullptr}}.dump(), .specToml = "dataset = \"</script>\"\n"};
    d.report.title = "Click models";
    d.report.provenanceJson = R"({"seed":1,"note":"</script>"})";
    return d;
}
std::string codeOf(const Result<ReportRecord>& result) { return result ? "ok" : result.error().code; }
std::size_t differing(const json& a, const json& b) {
    const auto compared = compareFigures(a.dump(), b.dump());
    return compared ? compared->differing : 999;
}
json study() {
    return json::parse(R"({"users":40,"strategies":[
        {"strategy":"Random","run":1,"fingerprint":"aa","seconds":1.5,"notes":["took 3 s"],"cost":{"modelCalls":7,"scoredCandidates":90},
         "metrics":[{"id":"ndcg","value":0.25,"low":null},{"id":"hr","value":0.5}]},
        {"strategy":"Popularity","run":2,"fingerprint":"bb","seconds":2.5,"cost":{"modelCalls":0,"scoredCandidates":90},"metrics":[]}]})");
}
} // namespace

class TestReportRecord : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pageAndJsonCarryTheSame() {
        const auto d = document();
        const auto html = htmlReport(d.report, figuresRecord(d));
        QVERIFY(html);
        QCOMPARE(QByteArray::fromStdString(*html).count("</script>"), 2); // no byte of the data ends an element
        const auto ofPage = readReportRecord(*html), ofJson = readReportRecord("\n " + toJson(d));
        QVERIFY2(ofPage && ofJson, ofPage ? "json" : ofPage.error().message.c_str());
        for (const auto& record : {*ofPage, *ofJson}) {
            QCOMPARE(record.kind, d.kind);
            QCOMPARE(record.title, d.report.title);
            QCOMPARE(record.specToml, d.specToml);
            QVERIFY(json::parse(record.figuresJson) == json::parse(d.figuresJson));
            QVERIFY(json::parse(record.provenanceJson) == json::parse(d.report.provenanceJson));
        }
        QCOMPARE(json::parse(ofPage->figuresJson)["swipe"].get<double>(), 0.1 + 0.2);
    }
    void foreignAndCutFilesAreRefused() {
        const auto d = document();
        const std::string html = *htmlReport(d.report, figuresRecord(d)), without = *htmlReport(d.report);
        QCOMPARE(codeOf(readReportRecord(without)), std::string("CL-5007"));
        QCOMPARE(codeOf(readReportRecord("")), std::string("CL-5007"));
        QCOMPARE(codeOf(readReportRecord("{}")), std::string("CL-5007"));
        QCOMPARE(codeOf(readReportRecord("{\"format\":\"carousel-lab/analysis\"}")), std::string("CL-5007"));
        QCOMPARE(codeOf(readReportRecord("<html></html>")), std::string("CL-5007"));
        const auto at = html.find("carousel-lab-figures");
        for (std::size_t cut = at; cut < at + 200; cut += 7)
            QCOMPARE(codeOf(readReportRecord(html.substr(0, cut))), std::string("CL-5007"));
        std::string newer = html;
        const std::string version = "\"version\":1";
        newer.replace(newer.find(version), version.size(), "\"version\":2");
        QVERIFY(readReportRecord(newer).error().message.find("version 2") != std::string::npos);
    }
    void equalMeansTheLastDigit() {
        const auto same = compareFigures(study().dump(), study().dump());
        QVERIFY(same && same->equal());
        QCOMPARE(same->figures, std::size_t(10)); // users; strategy, candidates, 2 ids, 3 values; strategy, candidates
        auto other = study();
        other["strategies"][0]["metrics"][0]["value"] = std::nextafter(0.25, 1.0);
        const auto compared = compareFigures(study().dump(), other.dump());
        QCOMPARE(compared->differing, std::size_t(1));
        const auto row = std::find_if(compared->rows.begin(), compared->rows.end(), [](const auto& r) { return !r.equal; });
        QCOMPARE(row->path, std::string("strategies[Random].metrics[ndcg].value"));
        QCOMPARE(row->difference, std::nextafter(0.25, 1.0) - 0.25);
        QCOMPARE(row->report, std::string("0.25"));
    }
    void everyLeafIsSeen() {
        auto other = study();
        other["strategies"][0]["metrics"][0]["low"] = 0.1; // was none
        QCOMPARE(differing(study(), other), std::size_t(1));
        other = study();
        other["strategies"][0]["metrics"].erase(1); // a metric less: its two figures
        QCOMPARE(differing(study(), other), std::size_t(2));
        QCOMPARE(differing(other, study()), std::size_t(2));
        other = study();
        other["strategies"][1]["strategy"] = "Best sellers"; // another name: neither side finds its own
        QCOMPARE(differing(study(), other), std::size_t(4));
        other = study();
        other["users"] = 40.0; // the same number, written otherwise
        QCOMPARE(differing(study(), other), std::size_t(0));
        other["users"] = "40";
        QCOMPARE(differing(study(), other), std::size_t(1));
    }
    void clockAndCacheAreApart() {
        auto other = study();
        other["strategies"][0]["seconds"] = 99;
        other["strategies"][0]["cost"]["modelCalls"] = 0;
        other["strategies"][0]["run"] = 17;
        other["strategies"][0]["fingerprint"] = "zz";
        other["strategies"][0]["notes"] = {"took 99 s"};
        const auto compared = compareFigures(study().dump(), other.dump());
        QVERIFY(compared && compared->equal());
        std::size_t clock = 0, work = 0;
        for (const auto& row : compared->rows) {
            clock += row.kind == FigureClass::clock;
            work += row.kind == FigureClass::work;
            QVERIFY(row.path.find("run") == std::string::npos && row.path.find("notes") == std::string::npos);
        }
        QCOMPARE(clock, std::size_t(2));
        QCOMPARE(work, std::size_t(2));
        other["strategies"][0]["cost"]["scoredCandidates"] = 91; // how many there were is a figure
        QCOMPARE(differing(study(), other), std::size_t(1));
    }
    void clockNames() {
        for (const char* key : {"trainSeconds", "tokensPerSecond", "peakBytes", "joules", "wattHours", "secondsPerUser"})
            QCOMPARE(differing({{key, 1}}, {{key, 2}}), std::size_t(0));
        for (const char* key : {"second", "rate", "clickRate", "sessions"})
            QCOMPARE(differing({{key, 1}}, {{key, 2}}), std::size_t(1));
    }
    void hostileFiguresAreRefused() {
        std::string deep = "{\"a\":";
        for (int i = 0; i < 100000; ++i)
            deep += "[";
        QCOMPARE(compareFigures(deep, "{}").error().code, std::string("CL-5007"));
        json nested = 1;
        for (int i = 0; i < 70; ++i)
            nested = json::array({nested});
        QCOMPARE(compareFigures(json{{"a", nested}}.dump(), "{}").error().code, std::string("CL-5007"));
        QCOMPARE(compareFigures("[1]", "{}").error().code, std::string("CL-5007"));
    }
};

QTEST_APPLESS_MAIN(TestReportRecord)
#include "test_report_record.moc"
