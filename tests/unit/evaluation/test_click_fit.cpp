// SPDX-License-Identifier: GPL-3.0-or-later
// Fits of click models: worked values, the gradient against finite differences, invariances, refusals.
#define QT_NO_KEYWORDS // a log has slots
#include "click_test_logs.h"
#include "evaluation/click_models/fit_steps.h"
#include <QProcess>
#include <QTest>
#include <cmath>
#include <cstdio>

using namespace carousel;
using K = ClickModelKind;

namespace {
bool near(double a, double b, double bound) {
    return std::fabs(a - b) <= bound;
}
// Sessions written as items and clicks: {"XY:10"} with X = 0, Y = 1, Z = 2.
ClickLog written(const std::vector<std::string>& sessions, std::int32_t items, std::int32_t wide) {
    ClickLog log;
    log.items = items;
    log.slots = wide;
    for (const std::string& text : sessions) {
        const std::size_t n = text.find(':');
        for (std::size_t r = 0; r < n; ++r) {
            log.item.push_back(text[r] - 'X');
            log.slot.push_back(static_cast<std::int16_t>(r));
            log.click.push_back(static_cast<std::uint8_t>(text[n + 1 + r] - '0'));
        }
        log.offsets.push_back(log.item.size());
    }
    return log;
}
ClickModelFit fitted(K kind, const ClickLog& log, const ClickFitOptions& options = {}) {
    auto fit = fitClickModel(kind, log, options, RunControl());
    if (!fit)
        qFatal("%s", fit.error().message.c_str());
    return std::move(*fit);
}
ClickFitOptions exact(int iterations = 2000, double tolerance = 1e-13) {
    ClickFitOptions options;
    options.maxIterations = iterations;
    options.tolerance = tolerance;
    options.window = 3;
    return options;
}
double difference(const ClickModelParameters& a, const ClickModelParameters& b) {
    double worst =
        std::max({std::fabs(a.swipe - b.swipe), std::fabs(a.continueAfterClick - b.continueAfterClick), std::fabs(a.reset - b.reset)});
    auto compare = [&](const std::vector<double>& x, const std::vector<double>& y) {
        for (std::size_t i = 0; i < x.size(); ++i)
            worst = std::max(worst, std::fabs(x[i] - y[i]));
    };
    compare(a.attraction, b.attraction);
    compare(a.satisfaction, b.satisfaction);
    compare(a.examination, b.examination);
    compare(a.continuation, b.continuation);
    return worst;
}
// Printed in hexadecimal, so that one wrong bit shows.
std::string digits() {
    std::string text;
    for (const K kind : {K::pbm, K::ubm, K::dbn, K::ccm, K::carousel}) {
        const ClickLog log = drawnLog(kind, someParameters(kind, 20, 6, 3, 5), 20, 6, 20000, 3, kind == K::carousel);
        ClickFitOptions options = exact(15);
        const ClickModelFit fit = fitted(kind, log, options);
        for (const double value : fit.trace)
            text += fmt::format("{:a} ", value);
        for (const double value : fit.parameters.attraction)
            text += fmt::format("{:a} ", value);
        if (kind == K::pbm) {
            ClickModelParameters p = someParameters(kind, 20, 6, 3, 5);
            pbmIterationByRows(log, p, 1, 2);
            text += fmt::format("{:a} ", p.attraction[3]);
        }
        text += "\n";
    }
    return text;
}
} // namespace

class TestClickFit : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pbmGolden() {
        const ClickLog log = written({"XY:10", "XY:00", "YX:01", "YX:10"}, 2, 2);
        struct Row {
            int iterations;
            double x, y, first, second, likelihood;
        };
        for (const Row& row :
             {Row{0, .5, .5, .5, .5, -5.597293}, Row{1, .611111, .5, .611111, .5, -5.128388},
              Row{2, .636552, .491111, .636552, .491111, -5.050192}, Row{50, .646381, .483393, .646381, .483393, -5.021812}}) {
            ClickFitOptions options;
            options.maxIterations = row.iterations;
            options.tolerance = 0;
            options.accelerate = options.relativeToFirst = false;
            options.priorClicks = 1;
            options.priorImpressions = 2;
            const ClickModelFit fit = fitted(K::pbm, log, options);
            QCOMPARE(fit.iterations, row.iterations);
            QCOMPARE(fit.trace.size(), static_cast<std::size_t>(row.iterations) + 1);
            QVERIFY(near(fit.parameters.attraction[0], row.x, 5e-7) && near(fit.parameters.attraction[1], row.y, 5e-7));
            QVERIFY(near(fit.parameters.examination[0], row.first, 5e-7) && near(fit.parameters.examination[1], row.second, 5e-7));
            QVERIFY(near(fit.trace.back() * 4, row.likelihood, 5e-7));
            ClickModelParameters rows;
            rows.attraction = rows.examination = {.5, .5};
            for (int i = 0; i < row.iterations; ++i)
                pbmIterationByRows(log, rows, 1, 2);
            QVERIFY(difference(rows, fit.parameters) < 1e-12);
        }
    }
    void cascadeByHand() {
        // X: shown 3 times up to the first click (rows 1, 1, 2), clicked twice. Y: 3, 1. Z: 1 (the session without a click), 0.
        const ClickFitOptions options = exact();
        const auto fit = fitted(K::cascade, written({"XYZ:100", "YXZ:010", "XYZ:000", "YZX:100"}, 3, 3), options);
        QVERIFY(near(fit.parameters.attraction[0], 2.0 / 3, 1e-12) && near(fit.parameters.attraction[1], 1.0 / 3, 1e-12));
        QVERIFY(near(fit.parameters.attraction[2], 0, 1e-12));
        QVERIFY(near(fit.trace.back() * 4, 2 * std::log(2.0 / 3) + std::log(1.0 / 3) + 2 * std::log(2.0 / 3) + std::log(1.0 / 3), 1e-9));
    }
    void countsByHand() {
        ClickFitOptions options;
        options.method = "counts";
        const ClickLog log = written({"XYZ:101", "YXZ:110", "XYZ:000", "ZYX:010", "YZX:100"}, 3, 3);
        // Up to the last click (all rows without one): X rows 1, 2, 1 of sessions 1-3: 3 shown, 2 clicks. Y: 2, 1, 2, 2, 1: 5 shown, 3
        // clicks. Z: 3, 3, 1: 3 shown, 1 click.
        for (const K kind : {K::dcm, K::sdbn}) {
            const auto fit = fitted(kind, log, options);
            QVERIFY(near(fit.parameters.attraction[0], 2.0 / 3, 1e-12) && near(fit.parameters.attraction[1], 3.0 / 5, 1e-12) &&
                    near(fit.parameters.attraction[2], 1.0 / 3, 1e-12));
            if (kind == K::dcm) { // clicks per slot that were not the last: 2 of 3, 0 of 2, 0 of 1
                QVERIFY(near(fit.parameters.continuation[0], 2.0 / 3, 1e-12) && near(fit.parameters.continuation[1], 0, 1e-12) &&
                        near(fit.parameters.continuation[2], 0, 1e-12));
            } else { // last clicks per item: X 1 of 2, Y 2 of 3, Z 1 of 1
                QVERIFY(near(fit.parameters.satisfaction[0], 1.0 / 2, 1e-12) && near(fit.parameters.satisfaction[1], 2.0 / 3, 1e-12) &&
                        near(fit.parameters.satisfaction[2], 1, 1e-12));
            }
        }
        // The maximum explains the log better than the simplified counts.
        for (const K kind : {K::dcm, K::sdbn})
            QVERIFY(fitted(kind, log, exact()).trace.back() > fitted(kind, log, options).trace.back() - 1e-12);
        QCOMPARE(fitClickModel(K::dbn, log, options, RunControl()).error().code, std::string("CL-8024"));
    }
    void likelihoodAndGradient_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("reach");
        for (const ClickModelInfo& info : clickModels())
            QTest::newRow(info.id.c_str()) << static_cast<int>(info.kind) << false;
        QTest::newRow("carousel with reach") << static_cast<int>(K::carousel) << true;
    }
    // The counts lose nothing: their likelihood is that of the rows, and successes - p trials is its slope on the logit scale.
    void likelihoodAndGradient() {
        QFETCH(int, kind);
        QFETCH(bool, reach);
        const auto of = static_cast<K>(kind);
        ClickLog log = drawnLog(of, someParameters(of, 8, 6, 2, 3), 8, 6, 60, 9, reach);
        if (reach) // some of it was not logged
            for (std::size_t r = 0; r < log.rows(); r += 18)
                for (std::size_t j = 2; j < 6; ++j)
                    log.reached[r + j] = reachUnknown;
        QVERIFY(checkClickLog(log).has_value());
        const ParameterLayout layout = parameterLayout(of, log, 2);
        const auto counts = countClicks(layout, log, {}, RunControl());
        std::vector<double> p = layout.pack(someParameters(of, 8, 6, 2, 4));
        QCOMPARE(p.size(), layout.total);
        Expectation here;
        expectClicks(*counts, p, here);
        if (!reach) {
            const auto made = makeClickModel(of, layout.unpack(p), 8, 6);
            double sum = 0;
            for (std::size_t s = 0; s < log.sessions(); ++s)
                sum += logLikelihood(**made, session(log, s));
            QVERIFY(near(sum, here.logLikelihood, 1e-9 * std::fabs(sum)));
        }
        int moved = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            Expectation up, down;
            const double x = std::log(p[i] / (1 - p[i])), kept = p[i], step = 1e-5;
            p[i] = 1 / (1 + std::exp(-x - step));
            expectClicks(*counts, p, up);
            p[i] = 1 / (1 + std::exp(-x + step));
            expectClicks(*counts, p, down);
            p[i] = kept;
            const double slope = (up.logLikelihood - down.logLikelihood) / (2 * step);
            QVERIFY2(near(slope, here.successes[i] - kept * here.trials[i], 1e-5), qPrintable(QString("parameter %1").arg(i)));
            moved += std::fabs(slope) > 1e-3;
        }
        QVERIFY(moved > static_cast<int>(p.size()) / 3);
        // A weight counts a session that many times.
        std::vector<std::uint8_t> weight(log.sessions());
        std::vector<std::size_t> chosen;
        for (std::size_t s = 0; s < weight.size(); ++s) {
            weight[s] = static_cast<std::uint8_t>(s % 3);
            chosen.insert(chosen.end(), s % 3, s);
        }
        Expectation weighted, repeated;
        expectClicks(*countClicks(layout, log, weight, RunControl()), p, weighted);
        expectClicks(*countClicks(layout, selectSessions(log, chosen), {}, RunControl()), p, repeated);
        QVERIFY(near(weighted.logLikelihood, repeated.logLikelihood, 1e-8));
        for (std::size_t i = 0; i < p.size(); ++i)
            QVERIFY(near(weighted.successes[i], repeated.successes[i], 1e-9) && near(weighted.trials[i], repeated.trials[i], 1e-9));
    }
    void neverFallsAndFindsTheTruth_data() { likelihoodAndGradient_data(); }
    void neverFallsAndFindsTheTruth() {
        QFETCH(int, kind);
        QFETCH(bool, reach);
        const auto of = static_cast<K>(kind);
        const ClickModelParameters truth = someParameters(of, 12, 6, 3, 3);
        const ClickLog log = drawnLog(of, truth, 12, 6, 20000, 2, reach);
        for (const bool fast : {false, true}) {
            ClickFitOptions options = exact(fast ? 400 : 40, 1e-10);
            options.accelerate = fast;
            const ClickModelFit fit = fitted(of, log, options);
            for (std::size_t i = 1; i < fit.trace.size(); ++i)
                QVERIFY(fit.trace[i] >= fit.trace[i - 1] - 1e-12);
            if (!fast)
                continue;
            QVERIFY2(fit.converged, qPrintable(QString::number(fit.iterations)));
            ClickModelFit known;
            known.kind = of;
            known.parameters = truth;
            const auto wanted = globalParameters(known), found = globalParameters(fit);
            QCOMPARE(wanted.size(), found.size());
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                const bool weak = wanted[i].block == "reset" && !reach; // held at 1
                const bool rare = of == K::ubm || of == K::ccm || (of == K::carousel && !reach);
                if (!weak)
                    QVERIFY2(near(wanted[i].value, found[i].value, rare ? 0.2 : 0.08),
                             qPrintable(QString("%1 %2: %3, found %4")
                                            .arg(wanted[i].block.c_str(), wanted[i].label.c_str())
                                            .arg(wanted[i].value)
                                            .arg(found[i].value)));
            }
        }
    }
    void gradientEndsWhereEmDoes_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("reach");
        QTest::newRow("pbm") << static_cast<int>(K::pbm) << false;
        QTest::newRow("dbn") << static_cast<int>(K::dbn) << false;
        QTest::newRow("carousel") << static_cast<int>(K::carousel) << false;
        QTest::newRow("carousel with reach") << static_cast<int>(K::carousel) << true;
    }
    void gradientEndsWhereEmDoes() {
        QFETCH(int, kind);
        QFETCH(bool, reach);
        const auto of = static_cast<K>(kind);
        const ClickLog log = drawnLog(of, someParameters(of, 6, 6, 3, 3), 6, 6, 3000, 2, reach);
        const ClickModelFit em = fitted(of, log, exact(5000));
        ClickFitOptions options = exact(5000, 1e-12);
        options.method = "gradient";
        const ClickModelFit gradient = fitted(of, log, options);
        QVERIFY2(near(em.trace.back(), gradient.trace.back(), 1e-7),
                 qPrintable(QString("%1 %2").arg(em.trace.back(), 0, 'g', 12).arg(gradient.trace.back(), 0, 'g', 12)));
        QVERIFY2(difference(em.parameters, gradient.parameters) < 5e-3,
                 qPrintable(QString::number(difference(em.parameters, gradient.parameters))));
    }
    void namesAndOrderDoNotMatter() {
        for (const K kind : {K::pbm, K::ubm, K::dbn, K::ccm, K::carousel}) {
            const ClickLog log = drawnLog(kind, someParameters(kind, 10, 6, 3, 3), 10, 6, 400, 2);
            const ClickModelFit fit = fitted(kind, log, exact(30));
            ClickLog renamed = log;
            for (std::int32_t& item : renamed.item)
                item = (item * 7 + 3) % 10;
            const ClickModelFit other = fitted(kind, renamed, exact(30));
            QVERIFY(near(other.trace.back(), fit.trace.back(), 1e-11));
            for (std::size_t i = 0; i < 10; ++i)
                QVERIFY(near(other.parameters.attraction[(i * 7 + 3) % 10], fit.parameters.attraction[i], 1e-8));
            std::vector<std::size_t> order(log.sessions());
            for (std::size_t s = 0; s < order.size(); ++s)
                order[s] = (s * 157 + 11) % order.size();
            const ClickModelFit permuted = fitted(kind, selectSessions(log, order), exact(30));
            QVERIFY(difference(permuted.parameters, fit.parameters) < 1e-8);
        }
    }
    void sessionsWithoutClickCount() {
        for (const ClickModelInfo& info : clickModels()) {
            std::vector<std::string> sessions{"XYZ:100", "YZX:010", "ZXY:001", "YXZ:100", "XZY:010", "ZYX:100"};
            const ClickModelFit with = fitted(info.kind, written(sessions, 3, 3), exact());
            sessions.insert(sessions.end(), 6, "XYZ:000");
            sessions.insert(sessions.end(), 6, "ZYX:000");
            const ClickModelFit more = fitted(info.kind, written(sessions, 3, 3), exact());
            const auto& before = info.kind == K::rankCtr ? with.parameters.examination : with.parameters.attraction;
            const auto& after = info.kind == K::rankCtr ? more.parameters.examination : more.parameters.attraction;
            QVERIFY2(after[0] < before[0] - 0.01, info.id.c_str());
        }
    }
    void oneClickLeavesNoContinuing() {
        ClickModelParameters truth = someParameters(K::carousel, 10, 6, 3, 3);
        truth.continueAfterClick = 0;
        for (const bool reach : {false, true}) {
            const ClickModelFit fit = fitted(K::carousel, drawnLog(K::carousel, truth, 10, 6, 4000, 2, reach), exact());
            QCOMPARE(fit.parameters.continueAfterClick, 0.0);
            QVERIFY(reach || fit.parameters.reset == 1);
            QVERIFY(!fit.notes.empty());
        }
    }
    void refuses() {
        auto code = [](K kind, const ClickLog& log, ClickFitOptions options = {}) {
            const auto fit = fitClickModel(kind, log, options, RunControl());
            return fit ? std::string("fitted") : fit.error().code;
        };
        QCOMPARE(code(K::pbm, written({"XY:00", "YX:00"}, 2, 2)), std::string("CL-8023"));
        QCOMPARE(code(K::cascade, written({"XY:11"}, 2, 2)), std::string("CL-8023"));
        ClickLog gap = written({"XYZ:100", "YXZ:010"}, 3, 4);
        gap.slot = {0, 1, 3, 0, 1, 2};
        QCOMPARE(code(K::dbn, gap), std::string("CL-8023"));
        QCOMPARE(code(K::carousel, gap), std::string("CL-8023"));
        QCOMPARE(code(K::pbm, gap), std::string("fitted"));
        ClickFitOptions options;
        options.method = "newton";
        QCOMPARE(code(K::pbm, gap, options), std::string("CL-8024"));
        const auto fit = fitted(K::pbm, written({"XY:10", "XY:01"}, 3, 2));
        QVERIFY(fit.notes.size() >= 2); // Z never shown; positions share no item
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(fitClickModel(K::pbm, gap, {}, RunControl(stop.get_token())).error().kind, ErrorKind::cancelled);
    }
    void restartsKeepTheBest() {
        const ClickLog log = drawnLog(K::ccm, someParameters(K::ccm, 8, 6, 3, 3), 8, 6, 500, 2);
        ClickFitOptions options = exact(60, 1e-9);
        options.restarts = 4;
        const ClickModelFit fit = fitted(K::ccm, log, options);
        QCOMPARE(fit.restartEnds.size(), std::size_t{4});
        QCOMPARE(fit.trace.back(), *std::max_element(fit.restartEnds.begin(), fit.restartEnds.end()));
        QVERIFY(fit.restartEnds[0] != fit.restartEnds[1]);
    }
    void anyThreadCountGivesTheSameBits() {
        auto with = [](const char* count) {
            QProcess process;
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert("CAROUSEL_LAB_THREADS", count);
            process.setProcessEnvironment(environment);
            process.start(QCoreApplication::applicationFilePath(), {"--digits"});
            process.waitForFinished();
            return process.readAllStandardOutput();
        };
        const QByteArray one = with("1");
        QVERIFY(one.size() > 1000);
        QCOMPARE(one, with("2"));
        QCOMPARE(one, with("5"));
    }
};

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc > 1 && std::string(argv[1]) == "--digits") {
        std::printf("%s", digits().c_str());
        return 0;
    }
    TestClickFit test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_click_fit.moc"
