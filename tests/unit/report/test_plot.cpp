// SPDX-License-Identifier: GPL-3.0-or-later
// Plots: well-formed, nothing outside the picture, no labels on each other, the same numbers in the table twin.
#include "base/file.h"
#include "base/random.h"
#include "report/plot_layout.h"
#include "report/png.h"
#include "report/svg_writer.h"
#include <QFile>
#include <QRectF>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>
#include <cmath>

using namespace carousel;

namespace {
struct Label {
    QRectF box;
    QString text;
};
// Boxes of all upright labels, by the width estimate that the layout uses.
bool readSvg(const std::string& svg, std::vector<Label>& labels, QString& problem) {
    QXmlStreamReader xml(QByteArray::fromStdString(svg));
    while (!xml.atEnd()) {
        if (xml.readNext() != QXmlStreamReader::StartElement || xml.name() != QLatin1String("text"))
            continue;
        const auto a = xml.attributes();
        const double x = a.value("x").toDouble(), y = a.value("y").toDouble(), size = a.value("font-size").toDouble();
        const bool rotated = a.hasAttribute("transform");
        const QString anchor = a.value("text-anchor").toString();
        const QString text = xml.readElementText();
        const double w = textWidth(text.toStdString(), size) * 0.9; // the estimate is on the safe side
        if (!rotated)
            labels.push_back({QRectF(anchor == "start" ? x : anchor == "end" ? x - w : x - w / 2, y - size * 0.8, w, size * 0.95), text});
    }
    problem = xml.errorString();
    return !xml.hasError();
}
PlotSpec randomPlot(std::uint64_t seed) {
    RandomStream random(seed, "plots");
    PlotSpec plot{.id = "p",
                  .title = "A message about what happens here",
                  .subtitle = "n = 943 users, 95 % bootstrap intervals",
                  .xTitle = "Position",
                  .yTitle = "Value (clicks per visit)"};
    if (random.below(3) == 0)
        plot.title += " which is so long that it needs a second line in a picture of the usual width";
    const bool categories = random.below(2);
    const std::size_t n = 1 + random.below(categories ? 14 : 60), count = 1 + random.below(8);
    for (std::size_t i = 0; categories && i < n; ++i)
        plot.categories.push_back(random.below(2) ? "short" : "a strategy with a longer name " + std::to_string(i));
    const double scale = std::pow(10.0, static_cast<double>(random.below(9)) - 4);
    for (std::size_t s = 0; s < count; ++s) {
        PlotSeries series{.name = "strategy " + std::to_string(s),
                          .colour = static_cast<int>(s),
                          .kind = static_cast<PlotSeries::Kind>(random.below(4)),
                          .dashed = random.below(3) == 0};
        for (std::size_t i = 0; i < n; ++i) {
            series.x.push_back(static_cast<double>(i));
            series.y.push_back(random.below(20) == 0 ? std::nan("") : scale * (random.uniform() - (seed % 3 == 0 ? 0.5 : 0.0)));
            if (seed % 2) {
                series.low.push_back(series.y.back() - scale * 0.1);
                series.high.push_back(series.y.back() + scale * 0.1);
            }
        }
        plot.series.push_back(std::move(series));
    }
    if (!categories && seed % 4 == 0) {
        plot.verticalLines = {static_cast<double>(n) / 2};
        plot.verticalLineLabel = "fold (6 visible)";
    }
    return plot;
}
} // namespace

class TestPlot : public QObject {
    Q_OBJECT
private slots:
    void nothingIsCutAndNothingOverlaps() {
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            const int width = seed % 3 == 0 ? 480 : 760, height = seed % 5 == 0 ? 300 : 380;
            const std::string svg = toSvg(randomPlot(seed), width, height);
            std::vector<Label> labels;
            QString problem;
            QVERIFY2(readSvg(svg, labels, problem), qPrintable(problem));
            QVERIFY(svg.find("nan") == std::string::npos && svg.find("inf") == std::string::npos);
            const QRectF picture(0, 0, width, height);
            for (std::size_t i = 0; i < labels.size(); ++i) {
                QVERIFY2(picture.contains(labels[i].box), qPrintable(QString("seed %1: %2").arg(seed).arg(labels[i].text)));
                for (std::size_t j = 0; j < i; ++j)
                    QVERIFY2(!labels[i].box.intersects(labels[j].box),
                             qPrintable(QString("seed %1: '%2' on '%3'").arg(seed).arg(labels[i].text, labels[j].text)));
            }
        }
    }
    void namesStandAtTheLinesWhenTheyFit() {
        PlotSpec plot{.id = "a", .title = "t"};
        for (int s = 0; s < 2; ++s)
            plot.series.push_back({.name = s ? "upper" : "lower", .colour = s, .x = {1, 2, 3}, .y = {1.0 * s, 1.0 * s + 1, 1.0 * s + 2}});
        QCOMPARE(layOut(plot, 720, 360).direct.size(), std::size_t(2));
        for (auto& series : plot.series)
            series.y = {5, 5, 5};
        for (int s = 2; s < 6; ++s)
            plot.series.push_back({.name = "one of many", .colour = s, .x = {1, 2, 3}, .y = {5, 5, 5}});
        const auto crowded = layOut(plot, 720, 360);
        QVERIFY(crowded.direct.empty());
        QCOMPARE(crowded.legend.size(), std::size_t(6));
    }
    void barsStartAtZeroAndFixedLimitsHold() {
        PlotSpec plot{.id = "a",
                      .title = "t",
                      .categories = {"x", "y"},
                      .series = {{.name = "s", .kind = PlotSeries::Kind::bars, .x = {0, 1}, .y = {90, 100}}}};
        QCOMPARE(layOut(plot, 720, 360).y.low, 0.0);
        plot.yMinimum = -5;
        plot.yMaximum = 120;
        QCOMPARE(layOut(plot, 720, 360).y.low, -5.0);
        QCOMPARE(layOut(plot, 720, 360).y.high, 120.0);
    }
    void ticksAreRound() {
        QCOMPARE(niceTicks(0, 0.0823, 5).labels, (std::vector<std::string>{"0", "0.02", "0.04", "0.06", "0.08", "0.10"}));
        QCOMPARE(niceTicks(1, 12, 14, true, true, true).labels.size(), std::size_t(12));
        QCOMPARE(niceTicks(0, 12000, 4).labels.at(1), std::string("5,000"));
        QCOMPARE(niceTicks(3, 3, 5).at.empty(), false);
        QCOMPARE(niceTicks(-1, 1, 4).labels, (std::vector<std::string>{"-1.0", "-0.5", "0", "0.5", "1.0"}));
    }
    void tableTwinHoldsTheSameNumbers() {
        PlotSpec plot{.id = "a", .title = "t", .xTitle = "Strategy", .categories = {"=popularity", "LLM, top 50"}};
        plot.series.push_back(
            {.name = "nDCG@10", .kind = PlotSeries::Kind::bars, .x = {0, 1}, .y = {0.1, 0.25}, .low = {0.05, 0.2}, .high = {0.15, 0.3}});
        plot.series.push_back({.name = "chance", .x = {0, 1}, .y = {0.01, std::nan("")}});
        QCOMPARE(toCsv(plot), std::string("Strategy,nDCG@10,nDCG@10 (low),nDCG@10 "
                                          "(high),chance\r\n'=popularity,0.1,0.05,0.15,0.01\r\n\"LLM, top 50\",0.25,0.2,0.3,\r\n"));
        plot.categories.clear();
        plot.series[1].x = {0.5};
        plot.series[1].y = {7};
        QCOMPARE(
            toCsv(plot),
            std::string("Series,Strategy,y,y (low),y (high)\r\nnDCG@10,0,0.1,0.05,0.15\r\nnDCG@10,1,0.25,0.2,0.3\r\nchance,0.5,7,,\r\n"));
    }
    void emptyPlotsSaySo() {
        QVERIFY(toSvg({.id = "e", .title = "Nothing"}).find("No data to draw") != std::string::npos);
        PlotSpec gaps{.id = "e", .title = "Gaps", .series = {{.name = "s", .x = {1, 2}, .y = {std::nan(""), INFINITY}}}};
        QVERIFY(toSvg(gaps).find("No data to draw") != std::string::npos);
        PlotSpec uneven{.id = "e", .title = "Uneven", .series = {{.name = "s", .x = {1, 2, 3}, .y = {4}, .low = {3}, .high = {}}}};
        QVERIFY(toSvg(uneven).find("No data") == std::string::npos);
    }
    void pngIsWrittenOrRefusedClearly() {
        QTemporaryDir folder;
        const auto path = folder.filePath("plot.png").toStdString();
        const QByteArray searchPath = qgetenv("PATH");
        qputenv("PATH", folder.path().toUtf8());
        const auto missing = writePng("<svg/>", path, 1);
        qputenv("PATH", searchPath);
        QVERIFY(!missing);
        QCOMPARE(missing.error().code, std::string("CL-5010"));
        QVERIFY(missing.error().hint.find("librsvg2-bin") != std::string::npos);
        QVERIFY(QDir(folder.path()).isEmpty());
        if (QStandardPaths::findExecutable("rsvg-convert").isEmpty())
            QSKIP("rsvg-convert is not installed");
        QVERIFY(writePng(toSvg(randomPlot(7)), path, 2));
        QFile file(folder.filePath("plot.png"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray head = file.read(24);
        QVERIFY(head.startsWith("\x89PNG"));
        QCOMPARE(static_cast<int>(static_cast<unsigned char>(head[18])) * 256 + static_cast<unsigned char>(head[19]), 1440);
        QVERIFY(!writePng("this is no drawing", path, 1));
        QCOMPARE(writePng("this is no drawing", path, 1).error().code, std::string("CL-5011"));
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files).size(), 1); // the old picture, nothing half-written
        QCOMPARE(writePng("<svg/>", "/no/such/folder/x.png", 1).error().code, std::string("CL-5002"));
    }
};
QTEST_APPLESS_MAIN(TestPlot)
#include "test_plot.moc"
