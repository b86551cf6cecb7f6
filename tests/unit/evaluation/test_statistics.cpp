// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include "evaluation/statistics/bootstrap.h"
#include <QProcess>
#include <QTest>
#include <cmath>
#include <cstdio>
#include <limits>

using namespace carousel;

namespace {
std::vector<float> normals(std::uint64_t seed, std::size_t n, double mean) {
    RandomStream random(seed, "normals");
    std::vector<float> values;
    for (std::size_t i = 0; i < n; ++i)
        values.push_back(static_cast<float>(mean + random.normal()));
    return values;
}
constexpr float gap = std::numeric_limits<float>::quiet_NaN();
} // namespace

class TestStatistics : public QObject {
    Q_OBJECT
private slots:
    void widthIsThatOfTheMean() {
        const auto values = normals(1, 5000, 2);
        const auto interval = bootstrapMean(values, 4000, 0.95, 7);
        QVERIFY(interval.low < 2.0 + 0.05 && interval.high > 2.0 - 0.05);
        QVERIFY(std::fabs((interval.high - interval.low) - 2 * 1.96 / std::sqrt(5000.0)) < 0.003);
    }
    void coversAsOftenAsItSays() {
        int covered = 0;
        for (std::uint64_t trial = 0; trial < 400; ++trial) {
            const auto interval = bootstrapMean(normals(100 + trial, 200, 0), 400, 0.9, trial);
            covered += interval.low <= 0 && interval.high >= 0;
        }
        QVERIFY2(covered >= 340 && covered <= 380, QByteArray::number(covered)); // 360 expected, sd 6
    }
    void columnsShareTheirDraws() {
        const auto a = normals(3, 300, 0);
        std::vector<float> shifted = a, other = normals(4, 300, 5);
        for (auto& value : shifted)
            value += 1;
        const std::vector<std::vector<float>> all{a, other, shifted, other, other, other, other, other, a};
        const auto together = bootstrapMeans(all, 500, 0.95, 9);
        QVERIFY(std::fabs(together[2].low - together[0].low - 1) < 1e-6);
        QCOMPARE(together[8].low, together[0].low);
        QCOMPARE(bootstrapMean(a, 500, 0.95, 9).high, together[0].high); // alone or together
        QVERIFY(bootstrapMean(a, 500, 0.95, 10).high != together[0].high);
    }
    void gapsAreLeftOut() {
        std::vector<float> values{1, gap, 3, gap, 2};
        const auto interval = bootstrapMean(values, 2000, 0.95, 1);
        QVERIFY(interval.low >= 1 && interval.high <= 3 && interval.low < interval.high);
        QVERIFY(std::isnan(bootstrapMean({}, 100, 0.95, 1).low));
        QVERIFY(std::isnan(bootstrapMean(std::vector<float>{gap, gap}, 100, 0.95, 1).low));
        const auto single = bootstrapMean(std::vector<float>{4}, 100, 0.95, 1);
        QCOMPARE(single.low, 4.0);
        QCOMPARE(single.high, 4.0);
    }
    void threadCountChangesNothing() {
        // A process reads its thread count once, so other counts need other processes of this very program.
        QByteArray first;
        for (const char* threads : {"1", "2", "5"}) {
            QProcess child;
            auto environment = QProcessEnvironment::systemEnvironment();
            environment.insert("CAROUSEL_LAB_THREADS", threads);
            environment.insert("CAROUSEL_TEST_PRINT", "1");
            child.setProcessEnvironment(environment);
            child.start(QCoreApplication::applicationFilePath(), {});
            QVERIFY(child.waitForFinished(60000));
            const auto printed = child.readAllStandardOutput();
            QVERIFY(printed.contains("low"));
            if (first.isEmpty())
                first = printed;
            QCOMPARE(printed, first);
        }
    }
    void signFlipsFindDifferences() {
        const auto a = normals(5, 400, 0);
        auto b = a;
        RandomStream random(6, "shift");
        for (auto& value : b)
            value += static_cast<float>(0.2 + random.normal());
        const auto higher = pairedDifference(a, b, {.bootstrap = 999});
        QCOMPARE(higher.words, std::string("higher"));
        QVERIFY(higher.interval.low > 0 && higher.interval.low < higher.difference && higher.difference < higher.interval.high);
        const auto lower = pairedDifference(b, a, {.bootstrap = 999});
        QCOMPARE(lower.words, std::string("lower"));
        QCOMPARE(lower.pValue, higher.pValue);
        auto farAway = a;
        for (auto& value : farAway)
            value += 10;
        QCOMPARE(pairedDifference(a, farAway, {.bootstrap = 999}).pValue, 1.0 / 1000); // never 0
        const auto same = pairedDifference(a, a, {});
        QCOMPARE(same.pValue, 1.0);
        QCOMPARE(same.words, std::string("not significant"));
        const auto none = pairedDifference(std::vector<float>{gap}, std::vector<float>{1}, {});
        QCOMPARE(none.users, std::int64_t(0));
        QCOMPARE(none.words, std::string("not comparable"));
    }
    void falseAlarmsAreAsRareAsPromised() {
        int alarms = 0;
        for (std::uint64_t trial = 0; trial < 400; ++trial) {
            const auto a = normals(1000 + trial, 60, 0), b = normals(5000 + trial, 60, 0);
            alarms += pairedDifference(a, b, {.bootstrap = 399, .seed = trial}).words != "not significant";
        }
        QVERIFY2(alarms >= 6 && alarms <= 36, QByteArray::number(alarms)); // 20 expected, sd 4.4
    }
    void exactPOfATinyTest() {
        // Four equal differences: 2 of the 16 sign patterns are as extreme, so p is near 1/8.
        const std::vector<float> a{0, 0, 0, 0}, b{1, 1, 1, 1};
        QVERIFY(std::fabs(pairedDifference(a, b, {.bootstrap = 20000}).pValue - 0.125) < 0.01);
    }
};

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (qEnvironmentVariableIsSet("CAROUSEL_TEST_PRINT")) {
        const auto interval = bootstrapMean(normals(1, 3000, 0), 800, 0.95, 5);
        const auto difference = pairedDifference(normals(1, 3000, 0), normals(2, 3000, 0.02), {});
        std::printf("low %a high %a p %a low %a\n", interval.low, interval.high, difference.pValue, difference.interval.low);
        return 0;
    }
    TestStatistics test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_statistics.moc"
