// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals of click-model parameters, comparison on unseen clusters, recovery of known truths.
#define QT_NO_KEYWORDS // a log has slots
#include "click_test_logs.h"
#include <QTest>
#include <cmath>

using namespace carousel;
using K = ClickModelKind;

namespace {
double width(const ParameterEstimate& estimate) {
    return estimate.interval.high - estimate.interval.low;
}
std::vector<ParameterEstimate> estimated(const ClickLog& log, K kind, const char* method, int draws = 100) {
    ClickFitOptions options;
    options.window = 3;
    const auto fit = fitClickModel(kind, log, options, RunControl());
    if (!fit)
        qFatal("%s", fit.error().message.c_str());
    IntervalOptions intervals;
    intervals.method = method;
    intervals.draws = draws;
    auto result = parameterIntervals(log, *fit, options, intervals, RunControl());
    if (!result)
        qFatal("%s", result.error().message.c_str());
    return std::move(*result);
}
} // namespace

class TestClickIntervals : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bothMethodsAgree_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("reach");
        QTest::addColumn<double>("goesOn");
        QTest::newRow("pbm") << static_cast<int>(K::pbm) << false << 0.0;
        QTest::newRow("carousel, nothing hidden") << static_cast<int>(K::carousel) << true << 0.0;
        QTest::newRow("carousel, several clicks") << static_cast<int>(K::carousel) << true << 0.4;
        QTest::newRow("carousel, no reach") << static_cast<int>(K::carousel) << false << 0.4;
    }
    // Two ways that share little: redrawn clusters with refits, and the sandwich.
    void bothMethodsAgree() {
        QFETCH(int, kind);
        QFETCH(bool, reach);
        QFETCH(double, goesOn);
        const auto of = static_cast<K>(kind);
        ClickModelParameters truth = someParameters(of, 8, 6, 3, 3);
        truth.continueAfterClick = goesOn;
        ClickLog log = drawnLog(of, truth, 8, 6, 4000, 2, reach);
        log.cluster.resize(log.sessions());
        for (std::size_t s = 0; s < log.sessions(); ++s)
            log.cluster[s] = static_cast<std::int32_t>(s / 2);
        const auto robust = estimated(log, of, "robust"), bootstrap = estimated(log, of, "bootstrap");
        int compared = 0;
        for (std::size_t i = 0; i < robust.size(); ++i) {
            QCOMPARE(robust[i].label, bootstrap[i].label);
            if (std::isnan(robust[i].interval.low) || robust[i].block == "reset")
                continue;
            QVERIFY(robust[i].interval.low < robust[i].value && robust[i].value < robust[i].interval.high);
            // 100 draws know a width to about 10 percent
            QVERIFY2(std::fabs(std::log(width(robust[i]) / width(bootstrap[i]))) < 0.4,
                     qPrintable(QString("%1: %2 and %3").arg(robust[i].label.c_str()).arg(width(robust[i])).arg(width(bootstrap[i]))));
            ++compared;
        }
        QVERIFY(compared >= 3);
    }
    void copiesOfASessionAddNothing() {
        const ClickLog log = drawnLog(K::pbm, someParameters(K::pbm, 8, 5, 3, 3), 8, 5, 3000, 2);
        std::vector<std::size_t> twice;
        for (std::size_t s = 0; s < log.sessions(); ++s)
            twice.insert(twice.end(), 3, s);
        ClickLog copied = selectSessions(log, twice);
        const auto once = estimated(log, K::pbm, "robust"), alone = estimated(copied, K::pbm, "robust");
        for (std::size_t s = 0; s < copied.sessions(); ++s)
            copied.cluster.push_back(static_cast<std::int32_t>(s / 3));
        const auto together = estimated(copied, K::pbm, "robust");
        for (std::size_t i = 0; i < once.size(); ++i) {
            QVERIFY(std::fabs(width(together[i]) / width(once[i]) - 1) < 0.01);
            QVERIFY(width(alone[i]) < 0.65 * width(once[i])); // 1 / sqrt(3)
        }
    }
    void everyModelWithGlobalsGetsIntervals() {
        for (const K kind : {K::rankCtr, K::dcm, K::ubm, K::dbn, K::ccm}) {
            const ClickLog log = drawnLog(kind, someParameters(kind, 6, 4, 2, 3), 6, 4, 600, 2);
            const auto estimates = estimated(log, kind, "bootstrap", 20);
            QVERIFY(!estimates.empty());
            for (const auto& estimate : estimates)
                QVERIFY(estimate.interval.low <= estimate.interval.high);
        }
        const ClickLog log = drawnLog(K::dbn, someParameters(K::dbn, 6, 4, 2, 3), 6, 4, 200, 2);
        IntervalOptions robust;
        robust.method = "robust";
        const auto fit = fitClickModel(K::dbn, log, {}, RunControl());
        QCOMPARE(parameterIntervals(log, *fit, {}, robust, RunControl()).error().code, std::string("CL-8024"));
    }
    void theTrueModelIsBest() {
        const ClickLog log = drawnLog(K::dbn, someParameters(K::dbn, 10, 6, 3, 3), 10, 6, 8000, 2);
        ClickFitOptions options;
        options.window = 3;
        IntervalOptions intervals;
        intervals.draws = 8;
        const auto comparison = compareClickModels(log, {K::rankCtr, K::pbm, K::cascade, K::dbn}, options, intervals, 0.25, RunControl());
        QVERIFY(comparison.has_value());
        QCOMPARE(comparison->rows.size(), std::size_t{4});
        QCOMPARE(comparison->best, 3);
        QCOMPARE(comparison->heldOutSessions, std::size_t{2000});
        QVERIFY(comparison->rows[2].refused.find("more than one click") != std::string::npos);
        QCOMPARE(comparison->rows[3].toBest, 0.0);
        for (const int i : {0, 1}) {
            const auto& row = comparison->rows[static_cast<std::size_t>(i)];
            QVERIFY(row.refused.empty() && row.toBest < 0);
            QVERIFY(row.toBestInterval.low < row.toBest && row.toBest < row.toBestInterval.high && row.toBestInterval.high < 0);
            QVERIFY(row.heldOutInterval.low < row.heldOut.logLikelihood && row.heldOut.logLikelihood < row.heldOutInterval.high);
            QVERIFY(row.heldOut.meanConditionalPerplexity > comparison->rows[3].heldOut.meanConditionalPerplexity);
        }
        QCOMPARE(compareClickModels(log, {K::pbm}, options, intervals, 0, RunControl()).error().code, std::string("CL-8023"));
    }
    void recoversTheTruth() {
        RecoveryPlan plan;
        plan.items = 20;
        plan.sessions = 4000;
        plan.repetitions = 40;
        plan.intervals.method = "robust";
        const auto rows = checkRecovery(plan, {}, RunControl());
        QVERIFY(rows.has_value());
        double covered = 0, counted = 0;
        for (const RecoveryRow& row : *rows) {
            QVERIFY(row.coverageInterval.low <= row.coverage && row.coverage <= row.coverageInterval.high);
            if (row.block != "examination" && row.block != "swipe")
                continue;
            QVERIFY2(std::fabs(row.meanEstimate - row.truth) < 0.25 * row.meanWidth, row.label.c_str()); // the mean of 40
            covered += row.coverage;
            counted += 1;
        }
        QCOMPARE(counted, 6.0);
        QVERIFY2(covered / counted > 0.90 && covered / counted < 0.99, qPrintable(QString::number(covered / counted))); // 240, sd 0.014
        const auto again = checkRecovery(plan, {}, RunControl());
        QCOMPARE((*again)[0].meanEstimate, (*rows)[0].meanEstimate);
        plan.slots = 30;
        QCOMPARE(checkRecovery(plan, {}, RunControl()).error().code, std::string("CL-8036"));
    }
};

QTEST_APPLESS_MAIN(TestClickIntervals)
#include "test_click_intervals.moc"
