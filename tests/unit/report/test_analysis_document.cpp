// SPDX-License-Identifier: GPL-3.0-or-later
// Analysis documents: the same after JSON and back, readable on a terminal, whole as files; findings with word and shape; heat maps.
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "report/analysis_document.h"
#include "report/plot_heat.h"
#include "report/svg_writer.h"
#include <QDir>
#include <QRectF>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {
PlotSpec heatPlot(std::size_t rows, std::size_t columns, std::uint64_t seed, double scale = 1) {
    RandomStream random(seed, "heat");
    PlotSpec plot{.id = "heat", .title = "Young users reach the fold less often", .subtitle = "n = 943 users, means", .xTitle = "Position", .yTitle = "Segment"};
    for (std::size_t r = 0; r < rows; ++r)
        plot.heat.rows.push_back(r % 2 ? "short" : "a segment with a longer name " + std::to_string(r));
    for (std::size_t c = 0; c < columns; ++c)
        plot.heat.columns.push_back(std::to_string(c + 1));
    for (std::size_t i = 0; i < rows * columns; ++i)
        plot.heat.values.push_back(random.below(15) == 0 ? std::nan("") : scale * random.uniform());
    plot.heat.valueTitle = "Reach (probability)";
    plot.verticalLines = {static_cast<double>(columns) / 2 - 0.5};
    plot.verticalLineLabel = "fold (6 visible)";
    return plot;
}

AnalysisDocument document() {
    AnalysisDocument d{.kind = "clicks", .report = {}, .figuresJson = nlohmann::json{{"swipe", 0.1 + 0.2}, {"missing", nullptr}}.dump(), .specToml = "dataset = \"shop\"\n"};
    auto& r = d.report;
    r.title = "Click models: shop <b>";
    r.subtitle = "Shop · 5,000 sessions";
    r.lead = {"The carousel model predicts best.", "It says that 35 % swipe on."};
    r.facts = {{"Sessions", "5,000"}};
    r.light = Light::amber;
    r.findings = {{Light::green, "Whole slates", "Every session begins at position 1."}, {Light::amber, "Clicks", "Only 212 clicks."}, {Light::red, "Reach", "Not logged <script>."}, {Light::none, "Note", "As it is."}};
    r.warnings = {"Few clicks"};
    ReportTable table{.caption = "Models & more", .columns = {{"Model"}, {"Log-likelihood", true, "held out"}}, .rows = {}, .note = "per session"};
    table.rows = {{textCell("Position-based model", 1), estimateCell(-0.412345, -0.45, -0.39)}, {ReportCell{.text = "Cascade", .note = "refused: two clicks", .tone = ReportCell::Tone::muted}, textCell("–")}};
    PlotSpec plot{.id = "convergence", .title = "All models converge", .subtitle = "n = 5,000", .xTitle = "Iteration", .yTitle = "Log-likelihood per session"};
    plot.series.push_back({.name = "PBM", .colour = 2, .kind = PlotSeries::Kind::step, .x = {0, 1, 2}, .y = {-1.0 / 3, std::nan(""), -INFINITY}, .low = {-1, -1, -1}, .high = {0, 1e-300, 3}, .dashed = true});
    plot.yMinimum = -2;
    r.sections = {{.title = "Comparison", .paragraphs = {"Words."}, .tables = {table}, .plots = {plot}, .definitions = {{"PBM", "gamma times alpha", "Richardson"}}},
                  {.title = "Segments", .plots = {heatPlot(3, 4, 1)}}};
    r.provenanceJson = "{\"seed\":1}";
    r.command = "carousel-lab-cli evaluate clicks";
    return d;
}
std::string codeOf(const Result<AnalysisDocument>& result) { return result ? "ok" : result.error().code; }
} // namespace

class TestAnalysisDocument : public QObject {
    Q_OBJECT
private slots:
    void jsonGivesTheSameBack() {
        const auto before = document();
        const std::string text = toJson(before);
        const auto after = analysisFromJson(text);
        QVERIFY2(after, after ? "" : describe(after.error()).c_str());
        QCOMPARE(toJson(*after), text);
        QCOMPARE(after->figuresJson, before.figuresJson);
        QCOMPARE(after->specToml, before.specToml);
        QCOMPARE(after->report.provenanceJson, before.report.provenanceJson);
        const auto& series = after->report.sections[0].plots[0].series[0];
        QVERIFY(series.y[0] == -1.0 / 3 && std::isnan(series.y[1]) && std::isinf(series.y[2]) && series.high[1] == 1e-300);
        QVERIFY(series.dashed && series.kind == PlotSeries::Kind::step && series.colour == 2);
        QVERIFY(after->report.sections[0].plots[0].yMinimum == -2.0 && !after->report.sections[0].plots[0].yMaximum);
        QCOMPARE(after->report.findings[1].light, Light::amber);
        QCOMPARE(after->report.sections[0].tables[0].rows[1][0].note, std::string("refused: two clicks"));
        QCOMPARE(after->report.sections[1].plots[0].heat.columns.size(), std::size_t(4));
        QCOMPARE(*htmlReport(after->report), *htmlReport(before.report));
        const auto json = nlohmann::json::parse(text);
        QCOMPARE(json["figures"]["swipe"].get<double>(), 0.1 + 0.2); // an object for programs, not a text
        QVERIFY(json["sections"][0]["plots"][0]["series"][0]["y"][1].is_null());
    }
    void textThatIsNoJsonSurvives() {
        auto d = document();
        d.figuresJson = "{\"b\": 1, \"a\": 2}"; // neither sorted nor compact
        d.report.provenanceJson = "";
        const auto after = analysisFromJson(toJson(d));
        QVERIFY(after);
        QCOMPARE(after->figuresJson, d.figuresJson);
        QCOMPARE(after->report.provenanceJson, std::string());
    }
    void whatDoesNotHoldTogetherIsRefused() {
        QCOMPARE(codeOf(analysisFromJson("")), std::string("CL-9004"));
        QCOMPARE(codeOf(analysisFromJson("{}")), std::string("CL-9004"));
        QCOMPARE(codeOf(analysisFromJson("[1,2]")), std::string("CL-9004"));
        const auto good = nlohmann::json::parse(toJson(document()));
        auto broken = [&](auto change) {
            auto bad = good;
            change(bad);
            return codeOf(analysisFromJson(bad.dump()));
        };
        QCOMPARE(broken([](auto&) {}), std::string("ok"));
        QCOMPARE(broken([](auto& j) { j["version"] = 2; }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j["light"] = "blue"; }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j["sections"][0]["plots"][0]["series"][0]["kind"] = 9; }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j["sections"][0]["plots"][0]["series"][0]["y"][0] = "many"; }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j["sections"][1]["plots"][0]["heat"]["values"].push_back(1); }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j["sections"][0]["tables"][0]["rows"][0][0]["tone"] = 7; }), std::string("CL-9004"));
        QCOMPARE(broken([](auto& j) { j.erase("findings"); }), std::string("CL-9004"));
        const auto text = toJson(document());
        RandomStream random(3, "cuts");
        for (int i = 0; i < 100; ++i)
            QCOMPARE(codeOf(analysisFromJson(text.substr(0, random.below(text.size())))), std::string("CL-9004"));
    }
    void textIsReadable() {
        const std::string text = toText(document(), 80);
        for (const char* part : {"Click models: shop <b>", "Evidence: weak.", "The carousel model predicts best.", "[supported] Whole slates", "[not supported] Reach", "- Note: As it is.",
                                 "Read with care", "Few clicks", "Position-based model", "-0.412 [-0.450, -0.390]", "refused: two clicks", "Plot: All models converge", "Sessions 5,000",
                                 "Plot: Young users reach", "a segment with a longer name", "evaluate clicks"})
            QVERIFY2(text.find(part) != std::string::npos, part);
        QVERIFY(text.find("[supported] Whole") < text.find("Comparison"));
        for (const auto& line : QString::fromStdString(text).split('\n'))
            QVERIFY2(line.size() <= 80 || line.startsWith("To see"), qPrintable(line));
        QVERIFY(toText(document()).find("[supported] Whole slates: Every session begins at position 1.") != std::string::npos);
    }
    void filesAreWhole() {
        QTemporaryDir folder;
        const auto at = [&](const char* file) { return folder.filePath(file).toStdString(); };
        QVERIFY(writeAnalysis(document(), at("sub/a.json")));
        QCOMPARE(toJson(*analysisFromJson(*readFile(at("sub/a.json")))), toJson(document()));
        QVERIFY(writeAnalysis(document(), at("a.html")));
        QVERIFY(readFile(at("a.html"))->find("</html>") != std::string::npos);
        QVERIFY(writeAnalysis(document(), at("out")));
        const QStringList names = QDir(folder.filePath("out")).entryList(QDir::Files, QDir::Name);
        QCOMPARE(names, (QStringList{"convergence.csv", "convergence.svg", "figures.json", "heat.csv", "heat.svg", "index.html", "specification.toml", "table_models_more.csv"}));
        QCOMPARE(*readFile(at("out/figures.json")), document().figuresJson);
        const std::string csv = *readFile(at("out/table_models_more.csv"));
        QVERIFY2(csv.find("Model,Model (note),Log-likelihood,Log-likelihood (interval)\r\nPosition-based model,,-0.412,") == 0, csv.c_str());
        QVERIFY(writeAnalysis(document(), at("out"))); // again into the same folder
        const auto refused = writeAnalysis(document(), at("a.pdf"));
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-5006"));
        QCOMPARE(writeAnalysis(document(), at("a.html/b.html")).error().code, std::string("CL-5004"));
    }
    void findingsCarryWordAndShape() {
        const QString page = QString::fromStdString(htmlReport(document().report).value());
        QVERIFY(page.contains("What was checked"));
        static const QRegularExpression entry("<li><span class=\"(\\w+)\"><svg[^>]*>(.*?)</svg></span><span class=\"word \\w+\">([^<]*)</span>");
        QStringList classes, words;
        QSet<QString> shapes;
        for (auto it = entry.globalMatch(page); it.hasNext();) {
            const auto m = it.next();
            classes << m.captured(1);
            shapes << m.captured(2);
            words << m.captured(3);
        }
        QCOMPARE(classes, (QStringList{"green", "amber", "red", "plainlight"}));
        QCOMPARE(words, (QStringList{"supported", "weak", "not supported", ""}));
        QCOMPARE(shapes.size(), 4); // never colour alone
        QVERIFY(page.contains("Not logged &lt;script&gt;."));
        QVERIFY(page.contains("<div class=\"light amber\">"));
        QVERIFY(!QString::fromStdString(htmlReport({.title = "t"}).value()).contains("What was checked"));
        QVERIFY(!QString::fromStdString(htmlReport({.title = "t"}).value()).contains("<div class=\"light"));
    }
    void heatMapsAreCompleteAndReadable() {
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            const int width = seed % 3 == 0 ? 480 : 760;
            const auto plot = heatPlot(1 + seed % 13, 1 + seed % 20, seed, std::pow(10.0, static_cast<double>(seed % 9) - 4));
            const std::string svg = toSvg(plot, width, 360);
            QVERIFY(svg.find("nan") == std::string::npos && svg.find("inf") == std::string::npos);
            QXmlStreamReader xml(QByteArray::fromStdString(svg));
            double height = 0;
            std::vector<QRectF> boxes;
            while (!xml.atEnd()) {
                if (xml.readNext() != QXmlStreamReader::StartElement)
                    continue;
                const auto a = xml.attributes();
                if (xml.name() == QLatin1String("svg"))
                    height = a.value("height").toDouble();
                if (xml.name() != QLatin1String("text"))
                    continue;
                const double x = a.value("x").toDouble(), y = a.value("y").toDouble(), size = a.value("font-size").toDouble();
                const QString anchor = a.value("text-anchor").toString(), text = xml.readElementText();
                const double w = textWidth(text.toStdString(), size) * 0.9;
                const QRectF box(anchor == "start" ? x : anchor == "end" ? x - w : x - w / 2, y - size * 0.8, w, size * 0.95);
                QVERIFY2(QRectF(0, 0, width, height).contains(box), qPrintable(QString("seed %1: %2").arg(seed).arg(text)));
                for (const auto& other : boxes)
                    QVERIFY2(!box.intersects(other), qPrintable(QString("seed %1: %2").arg(seed).arg(text)));
                boxes.push_back(box);
            }
            QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
        }
        auto empty = heatPlot(2, 2, 1);
        empty.heat.values.assign(4, std::nan(""));
        QVERIFY(toSvg(empty).find("No data to draw") != std::string::npos);
    }
    void coloursAreViridisAndTextContrasts() {
        QCOMPARE(viridis(0), std::string("#440154"));
        QCOMPARE(viridis(1), std::string("#FDE725"));
        QCOMPARE(viridis(0.5), std::string("#21918C"));
        QCOMPARE(viridis(std::nan("")), viridis(0));
        QVERIFY(!takesDarkText(0) && takesDarkText(1));
        const auto labels = heatLabels({{"a"}, {"1", "2", "3"}, {0.0583, 0.007, std::nan("")}, ""}, 11, 60);
        QCOMPARE(labels, (std::vector<std::string>{"0.0583", "0.0070", ""})); // the same decimals everywhere
        QCOMPARE(heatLabels({{"a"}, {"1"}, {0.0583}, ""}, 11, 5), (std::vector<std::string>{""}));
    }
    void heatMapTableTwin() {
        PlotSpec plot{.id = "h", .title = "t", .yTitle = "Segment"};
        plot.heat = {{"=young", "old"}, {"1", "2"}, {0.5, 1.0 / 3, std::nan(""), 7}, "Reach"};
        QCOMPARE(toCsv(plot), std::string("Segment,1,2\r\n'=young,0.5,0.3333333333333333\r\nold,,7\r\n"));
    }
};

QTEST_APPLESS_MAIN(TestAnalysisDocument)
#include "test_analysis_document.moc"
