// SPDX-License-Identifier: GPL-3.0-or-later
// The plot class: exports in every format, the table twin, hover values, contrast and markers of the theme.
#include "plots/plot_drawing.h"
#include "plots/plot_view.h"
#include "theme/theme.h"
#include <QFile>
#include <QImage>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <set>

using namespace carousel;
using namespace carousel::ui;

class TestPlots : public QObject {
    Q_OBJECT
private:
    static PlotSpec reach() {
        PlotSpec spec;
        spec.id = "reach";
        spec.title = "Reach drops at the fold";
        spec.subtitle = "n = 10 users";
        spec.xTitle = "position";
        spec.yTitle = "reach";
        for (int s = 0; s < 2; ++s) {
            PlotSeries series;
            series.name = s ? "LLM <b>yes</b>" : "Popularity";
            series.colour = s;
            for (int i = 1; i <= 12; ++i) {
                series.x.push_back(i);
                series.y.push_back((s ? 0.9 : 0.5) / i);
                series.low.push_back(series.y.back() - 0.02);
                series.high.push_back(series.y.back() + 0.02);
            }
            spec.series.push_back(series);
        }
        spec.verticalLines = {6.5};
        spec.verticalLineLabel = "the fold";
        return spec;
    }

    static PlotSpec heat() {
        PlotSpec spec;
        spec.id = "heat";
        spec.title = "Clicks per segment and position";
        spec.xTitle = "position";
        spec.yTitle = "segment";
        spec.heat.rows = {"new customers", "returning"};
        spec.heat.columns = {"1", "2", "3"};
        spec.heat.values = {0.3, 0.2, 0.1, 0.2, std::nan(""), 0.05};
        spec.heat.valueTitle = "clicks per shown item";
        spec.verticalLines = {1.5};
        spec.verticalLineLabel = "the fold";
        return spec;
    }
    static bool holds(const QImage& image, const QColor& colour) {
        int found = 0;
        for (int x = 0; x < image.width(); ++x)
            for (int y = 0; y < image.height(); ++y) {
                const QColor c = image.pixelColor(x, y);
                found += std::abs(c.red() - colour.red()) < 4 && std::abs(c.green() - colour.green()) < 4 && std::abs(c.blue() - colour.blue()) < 4;
            }
        return found > 20;
    }

private Q_SLOTS:
    void exportsAreWhole() {
        QTemporaryDir folder;
        PlotView view;
        view.setPlot(reach());
        for (const char* ending : {"png", "svg", "pdf", "csv"})
            QVERIFY(view.exportTo(folder.filePath(QStringLiteral("plot.") + QLatin1String(ending))));
        const QImage image(folder.filePath(QStringLiteral("plot.png")));
        QCOMPARE(image.size(), QSize(1800, 920));
        std::set<QRgb> colours;
        for (int x = 0; x < image.width(); x += 7)
            for (int y = 0; y < image.height(); y += 7)
                colours.insert(image.pixel(x, y));
        QVERIFY2(colours.size() > 10, "the picture is blank");
        QFile pdf(folder.filePath(QStringLiteral("plot.pdf")));
        QVERIFY(pdf.open(QIODevice::ReadOnly));
        const QByteArray bytes = pdf.readAll();
        QVERIFY(bytes.startsWith("%PDF"));
        QVERIFY(bytes.trimmed().endsWith("%%EOF"));
        QFile svg(folder.filePath(QStringLiteral("plot.svg")));
        QVERIFY(svg.open(QIODevice::ReadOnly));
        QVERIFY(!svg.readAll().contains("<b>"));
    }

    void exportIntoNowhereSaysSo() {
        PlotView view;
        view.setPlot(reach());
        QString message;
        connect(&view, &PlotView::exportFailed, this, [&](const QString& text) { message = text; });
        QVERIFY(!view.exportTo(QStringLiteral("/nonexistent/folder/plot.png")));
        QVERIFY2(message.contains(QStringLiteral("CL-")), qPrintable(message));
    }

    void tableTwinHoldsTheNumbers() {
        PlotView view;
        view.setPlot(reach());
        QVERIFY(!view.showsTable());
        view.setTableShown(true);
        QVERIFY(view.showsTable());
        auto* table = view.findChild<QTableView*>();
        QVERIFY(table);
        QVERIFY(table->model()->rowCount() >= 12);
    }

    void hoverReadsTheNearestPlace() {
        PlotView view;
        view.setPlot(reach());
        const QString text = view.hoverText(2.2);
        QVERIFY2(text.startsWith(QStringLiteral("position 2")), qPrintable(text));
        QVERIFY2(text.contains(QStringLiteral("0.25")), qPrintable(text));
        QVERIFY(text.contains(QStringLiteral("LLM <b>yes</b>: 0.450 [0.430, 0.470]")));
    }

    void oddPlotsAreDrawn() {
        PlotView view;
        view.resize(400, 300);
        view.setPlot({}); // nothing at all
        PlotSpec flat;
        flat.title = "flat";
        PlotSeries one;
        one.kind = PlotSeries::Kind::bars;
        one.x = {0};
        one.y = {0};
        flat.series = {one, one};
        flat.categories = {"only"};
        view.setPlot(flat);
        flat.series[0].kind = PlotSeries::Kind::step;
        flat.series[0].y = {std::nan("")};
        view.setPlot(flat);
        flat.series[1].kind = PlotSeries::Kind::points;
        view.setPlot(flat);
        view.setPlot(reach());
        QVERIFY(!view.grab().isNull());
        QVERIFY(plotSummary(reach()).contains(QStringLiteral("Popularity: from")));
    }

    void heatMapsAreDrawnReadAndExported() {
        PlotSpec spec = heat();
        PlotView view;
        view.resize(640, 320);
        view.setPlot(spec);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        // Cells under the cursor, at their middle and near their edges; nothing outside.
        QCOMPARE(view.hoverText(0, 0), QStringLiteral("new customers\nposition 1\nclicks per shown item: 0.300"));
        QCOMPARE(view.hoverText(0.49, 1.4), QStringLiteral("returning\nposition 1\nclicks per shown item: 0.200"));
        QVERIFY(view.hoverText(1, 1).endsWith(QStringLiteral("no data")));
        QVERIFY(view.hoverText(-0.6, 0).isEmpty());
        QVERIFY(view.hoverText(2.6, 0).isEmpty());
        QVERIFY(view.hoverText(0, 2.1).isEmpty());
        // The table twin has a row per segment and a column per position.
        view.setTableShown(true);
        auto* model = view.findChild<QTableView*>()->model();
        QCOMPARE(model->rowCount(), 2);
        QCOMPARE(model->columnCount(), 4);
        QCOMPARE(model->index(1, 0).data().toString(), QStringLiteral("returning"));
        QCOMPARE(model->index(1, 1).data().toString().toDouble(), 0.2);
        const QString summary = plotSummary(spec);
        QVERIFY2(summary.contains(QStringLiteral("largest 0.300 at new customers, 1, smallest 0.0500 at returning, 3")), qPrintable(summary));
        // Both ends of the scale are on the picture, in the window and in exports; after it a plot of lines is a plot of lines again.
        QTemporaryDir folder;
        for (const char* ending : {"png", "svg", "pdf", "csv"})
            QVERIFY(view.exportTo(folder.filePath(QStringLiteral("heat.") + QLatin1String(ending))));
        const QImage image(folder.filePath(QStringLiteral("heat.png")));
        QVERIFY(holds(image, QColor(0x44, 0x01, 0x54)) && holds(image, QColor(0xfd, 0xe7, 0x25)));
        view.setTableShown(false);
        QTest::qWait(50);
        QVERIFY(holds(view.grab().toImage(), QColor(0xfd, 0xe7, 0x25)));
        view.setPlot(reach());
        QTest::qWait(50);
        QVERIFY(!holds(view.grab().toImage(), QColor(0xfd, 0xe7, 0x25)));
        QVERIFY(view.hoverText(2.2).startsWith(QStringLiteral("position 2")));
        for (int round = 0; round < 3; ++round) { // back and forth, flat, empty cells only, nothing at all
            view.setPlot(spec);
            spec.heat.values.assign(6, round == 0 ? 1.0 : NAN);
            QVERIFY(!view.grab().isNull());
            view.setPlot(reach());
        }
        spec.heat.rows.clear();
        view.setPlot(spec);
        QVERIFY(!view.grab().isNull());
    }

    void textContrastIsEnough() {
        for (const auto& c : {Theme::lightPalette(), Theme::darkPalette()}) {
            for (const auto& ground : {c.window, c.surface, c.raised})
                for (const auto& ink : {c.text, c.secondary, c.good, c.warning, c.bad})
                    QVERIFY2(Theme::contrast(ink, ground) >= 4.5, qPrintable(ink.name() + QStringLiteral(" on ") + ground.name() + QStringLiteral(" ") + QString::number(Theme::contrast(ink, ground))));
            QVERIFY(Theme::contrast(c.accentText, c.accent) >= 4.5);
            QVERIFY(Theme::contrast(c.good, c.goodSoft) >= 4.5);
            QVERIFY(Theme::contrast(c.warning, c.warningSoft) >= 4.5);
            QVERIFY(Theme::contrast(c.bad, c.badSoft) >= 4.5);
            QVERIFY(Theme::contrast(c.text, c.accentSoft) >= 4.5);
        }
    }

    void strategiesDifferInColourAndShape() {
        std::set<QString> colours, shapes;
        for (int i = 0; i < 6; ++i) {
            for (const bool dark : {false, true}) {
                const auto ground = dark ? Theme::darkPalette().surface : Theme::lightPalette().surface;
                QVERIFY2(Theme::contrast(Theme::strategy(i, dark), ground) >= 2.0, qPrintable(Theme::strategy(i, dark).name()));
            }
            colours.insert(Theme::strategy(i, false).name());
            shapes.insert(Theme::markerName(i));
        }
        QCOMPARE(colours.size(), std::size_t(6));
        QCOMPARE(shapes.size(), std::size_t(6));
    }
};

QTEST_MAIN(TestPlots)
#include "test_plots.moc"
