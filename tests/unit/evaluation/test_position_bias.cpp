// SPDX-License-Identifier: GPL-3.0-or-later
// Values worked by hand, and what each kind of log supports.
#include "evaluation/position_bias/position_bias.h"
#include "test_position_bias_logs.h"
#include <QProcess>
#include <QTest>
#include <cstdio>
#include <set>

using namespace carousel;
using namespace carousel::bias_logs;

namespace {
enum : std::size_t { naive, randomised, swapped, pivot, chain, allPairs, regression };

PositionBias run(const ClickLog& log, std::int64_t overlap = 20, int draws = 0) {
    PositionBiasOptions options;
    options.draws = draws;
    options.minimumOverlap = overlap;
    auto result = positionBias(log, options, {});
    if (!result)
        qFatal("%s", describe(result.error()).c_str());
    return *result;
}
bool near(double a, double b, double tolerance = 1e-9) {
    return std::fabs(a - b) <= tolerance;
}

// Two policies, three items, three slots. Impressions and clicks per item and slot:
//   policy 0, 10 visits A B C: A1 4/10, B2 2/10, C3 1/10;   policy 1, 20 visits B A C: B1 6/20, A2 4/20, C3 2/20;
//   policy 1, 10 visits C B A: C1 2/10, B2 1/10, A3 1/10.
ClickLog byHand() {
    ClickLog log;
    addSessions(log, 10, {0, 1, 2}, {4, 2, 1}, 0);
    addSessions(log, 20, {1, 0, 2}, {6, 4, 2}, 1);
    addSessions(log, 10, {2, 1, 0}, {2, 1, 1}, 1);
    return log;
}

Simulation shuffled(std::uint64_t seed = 1) {
    Simulation plan;
    plan.attraction = fallingAttraction(20);
    plan.examination = knownExamination;
    plan.sessions = 8000;
    plan.seed = seed;
    plan.order = [](auto& items, auto& random) {
        shuffle(items, random);
        return 0;
    };
    return plan;
}
} // namespace

class TestPositionBias : public QObject {
    Q_OBJECT
private slots:
    void sevenInOrder() {
        const auto result = run(byHand(), 1);
        QCOMPARE(result.estimates.size(), std::size_t(7));
        const char* ids[] = {"naive", "randomised", "swap", "pivot", "chain", "all_pairs", "regression_em"};
        for (std::size_t m = 0; m < 7; ++m) {
            QCOMPARE(result.estimates[m].id, std::string(ids[m]));
            QCOMPARE(result.estimates[m].relative.size(), std::size_t(3));
            QCOMPARE(result.estimates[m].overlap.size(), std::size_t(3));
            QVERIFY(!result.estimates[m].reason.empty() && !result.estimates[m].needs.empty());
            if (result.estimates[m].supported) {
                QCOMPARE(result.estimates[m].relative[0], 1.0);
                QVERIFY(std::isnan(result.estimates[m].interval[0].low));
            }
        }
    }
    void naiveByHand() { // 12, 7 and 4 clicks in 40 impressions each
        const auto one = run(byHand(), 1).estimates[naive];
        QVERIFY(near(one.relative[1], 7.0 / 12) && near(one.relative[2], 4.0 / 12));
        QCOMPARE(one.overlap[1], 40.0);
    }
    void pivotByHand() {
        // S_21 = {A, B}: A .4 at 1, 4/20 at 2; B .3 at 1, 3/20 at 2. S_31 = {A, C}: A 1/10 at 3, C 3/30 at 3 and .2 at 1.
        const auto one = run(byHand(), 1).estimates[pivot];
        QVERIFY(one.supported);
        QVERIFY(near(one.relative[1], (0.2 + 0.15) / (0.4 + 0.3)));
        QVERIFY(near(one.relative[2], (0.1 + 0.1) / (0.4 + 0.2)));
        QCOMPARE(one.overlap[1], 30.0); // A and B: 10 + 20 at position 1, 20 + 20 at position 2
        QCOMPARE(one.overlap[2], 20.0); // A and C: 10 + 10 at 1, 10 + 30 at 3
    }
    void chainByHand() { // S_32 = {A}: .1 at 3, .2 at 2
        const auto one = run(byHand(), 1).estimates[chain];
        QVERIFY(near(one.relative[1], 0.5) && near(one.relative[2], 0.5 * 0.1 / 0.2));
        QCOMPARE(one.overlap[2], 10.0);
    }
    void allPairsByHand() {
        // The maximum is where no small move of a position or of a pair's attraction gains; found here by plain coordinate search.
        const double rate[3][2] = {{0.7, 0.35}, {0.6, 0.2}, {0.2, 0.1}}, items[3] = {2, 2, 1};
        const int ends[3][2] = {{0, 1}, {0, 2}, {1, 2}};
        std::vector<double> x{0.5, 0.3, 0.3, 0.3, 0.3}; // p2, p3, r12, r13, r23
        const auto value = [&](const std::vector<double>& at) {
            const double p[3] = {1, at[0], at[1]};
            double sum = 0;
            for (int pair = 0; pair < 3; ++pair)
                for (int side = 0; side < 2; ++side) {
                    const double q = p[ends[pair][side]] * at[static_cast<std::size_t>(2 + pair)];
                    sum += rate[pair][side] * std::log(q) + (items[pair] - rate[pair][side]) * std::log(1 - q);
                }
            return sum;
        };
        for (double step = 0.1; step > 1e-9;) {
            bool moved = false;
            for (auto& coordinate : x)
                for (const double by : {step, -step}) {
                    auto before = value(x);
                    coordinate += by;
                    if (coordinate > 0 && coordinate < 1 && value(x) > before)
                        moved = true;
                    else
                        coordinate -= by;
                }
            if (!moved)
                step /= 2;
        }
        const auto one = run(byHand(), 1).estimates[allPairs];
        QVERIFY2(near(one.relative[1], x[0], 1e-6) && near(one.relative[2], x[1], 1e-6), QByteArray::number(one.relative[1] - x[0]));
        QCOMPARE(one.overlap[0], 30.0 + 20.0);
    }
    void randomisedByHand() {
        // Two items in both orders, as often: constant propensities make it a shuffle; 6 clicks at position 1, 3 at position 2.
        ClickLog log;
        addSessions(log, 10, {0, 1}, {4, 1});
        addSessions(log, 10, {1, 0}, {2, 2});
        log.propensity.assign(log.rows(), 0.5f);
        const auto result = run(log, 10);
        QVERIFY2(result.estimates[randomised].supported, result.estimates[randomised].reason.c_str());
        QVERIFY(near(result.estimates[randomised].relative[1], 0.5));
        QCOMPARE(result.estimates[randomised].overlap[1], 20.0);
        QCOMPARE(result.recommended, std::string("randomised"));
        // The same visits are exchanges of the pair.
        QVERIFY2(result.estimates[swapped].supported, result.estimates[swapped].reason.c_str());
        QVERIFY(near(result.estimates[swapped].relative[1], 0.5));
        QCOMPARE(result.estimates[swapped].overlap[1], 20.0);
    }
    void slatesOfDifferentLengthAreComparedWithinThemselves() {
        // Long slates come to people who click twice as often; that must not lift position 3.
        ClickLog log;
        for (const auto& order : std::vector<std::vector<std::int32_t>>{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}})
            addSessions(log, 20, order, {8, 6, 4});
        for (const auto& order : std::vector<std::vector<std::int32_t>>{{0, 1}, {1, 0}})
            addSessions(log, 30, order, {6, 3});
        log.propensity.assign(log.rows(), 0);
        for (std::size_t s = 0; s < log.sessions(); ++s)
            for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r)
                log.propensity[r] = 1.0f / static_cast<float>(log.offsets[s + 1] - log.offsets[s]);
        const auto result = run(log);
        QVERIFY2(result.estimates[randomised].supported, result.estimates[randomised].reason.c_str());
        QVERIFY(near(result.estimates[randomised].relative[1], 24.0 / 36));
        QVERIFY(near(result.estimates[randomised].relative[2], 12.0 / 24));
    }
    void pairsDoNotCollide() {
        // Item 0 stands at positions 2 and 6, item 1 at positions 3 and 4: products of positions are equal, pairs are not.
        ClickLog log;
        addSessions(log, 50, {9, 0, 1, 8, 7, 6}, {20, 10, 20, 2, 2, 2}, 0);
        addSessions(log, 50, {0, 9, 8, 1, 7, 6}, {20, 10, 5, 10, 2, 2}, 1);
        addSessions(log, 50, {9, 8, 7, 6, 5, 0}, {20, 4, 4, 4, 4, 2}, 1);
        const auto result = run(log);
        const auto shared = [&](std::size_t k, std::size_t l) { return result.sharedItems[(k - 1) * 6 + (l - 1)]; };
        QCOMPARE(shared(2, 6), std::int64_t(1));
        QCOMPARE(shared(3, 4), std::int64_t(2)); // items 1 and 8
        QCOMPARE(shared(6, 2), shared(2, 6));
        QCOMPARE(shared(1, 6), std::int64_t(1));
        QCOMPARE(shared(6, 1), std::int64_t(1));
        QCOMPARE(result.sharedItems.size(), std::size_t(36));
    }
    void zeroCountsAreSaid() {
        ClickLog log; // nobody clicks position 1 of A and B
        addSessions(log, 20, {0, 1, 2}, {0, 5, 0}, 0);
        addSessions(log, 20, {1, 0, 2}, {0, 4, 0}, 1);
        const auto result = run(log, 10);
        for (const auto m : {naive, pivot, chain, allPairs}) {
            QVERIFY(!result.estimates[m].supported);
            QVERIFY(std::isnan(result.estimates[m].relative[1]));
            QVERIFY2(result.estimates[m].reason.find("click") != std::string::npos, result.estimates[m].reason.c_str());
        }
        QVERIFY(result.recommended.empty());
        QVERIFY(result.verdict.find("no estimate") != std::string::npos);

        ClickLog silent; // position 3 is never clicked: 0, without an interval
        addSessions(silent, 40, {0, 1, 2}, {10, 8, 0}, 0);
        addSessions(silent, 40, {2, 0, 1}, {10, 8, 0}, 1);
        const auto zero = run(silent, 10, 20);
        QCOMPARE(zero.estimates[pivot].relative[2], 0.0);
        QCOMPARE(zero.estimates[allPairs].relative[2], 0.0);
        QVERIFY(std::isnan(zero.estimates[pivot].interval[2].low));
        QVERIFY(zero.estimates[pivot].reason.find("No click at position 3") != std::string::npos);
    }
    void thinOverlapIsRefusedWithItsNumbers() {
        const auto result = run(byHand(), 1000);
        for (const auto m : {pivot, chain, allPairs}) {
            QVERIFY(!result.estimates[m].supported);
            QVERIFY2(result.estimates[m].reason.find("1000") != std::string::npos, result.estimates[m].reason.c_str());
        }
        QVERIFY(result.estimates[pivot].reason.find("30 impressions") != std::string::npos);
    }
    void oneFixedRanking() {
        auto plan = shuffled();
        plan.sessions = 4000;
        plan.order = [&](auto& items, auto& random) {
            sortByTaste(items, fallingAttraction(20), 0, random);
            return 0;
        };
        const auto result = run(simulate(plan));
        for (std::size_t m = 1; m < 7; ++m)
            QVERIFY2(!result.estimates[m].supported && !result.estimates[m].reason.empty(), result.estimates[m].id.c_str());
        QVERIFY(result.estimates[naive].supported);
        QVERIFY(result.recommended.empty());
        QVERIFY2(result.estimates[randomised].reason.find("not shuffled") != std::string::npos,
                 result.estimates[randomised].reason.c_str());
    }
    void onePersonalRanking() { // items move, but one policy decides: only the model is left, with a warning
        auto plan = shuffled();
        plan.sessions = 4000;
        plan.order = [&](auto& items, auto& random) {
            sortByTaste(items, fallingAttraction(20), 0.7, random);
            return 0;
        };
        const auto result = run(simulate(plan));
        for (const auto m : {randomised, swapped, pivot, chain, allPairs})
            QVERIFY2(!result.estimates[m].supported, (result.estimates[m].id + ": " + result.estimates[m].reason).c_str());
        QVERIFY2(result.estimates[pivot].reason.find("one policy") != std::string::npos, result.estimates[pivot].reason.c_str());
        QVERIFY(result.estimates[regression].supported);
        QCOMPARE(result.recommended, std::string("regression_em"));
        QVERIFY2(result.verdict.find("With caution") != std::string::npos, result.verdict.c_str());
    }
    void propensitiesDoNotOverruleASortedOrder() {
        auto plan = shuffled();
        plan.order = [&](auto& items, auto& random) {
            sortByTaste(items, fallingAttraction(20), 0.7, random);
            return 0;
        };
        auto log = simulate(plan);
        log.propensity.assign(log.rows(), 0.05f);
        const auto result = run(log);
        QVERIFY(!result.estimates[randomised].supported);
        QVERIFY2(result.estimates[randomised].reason.find("in spite of") != std::string::npos, result.estimates[randomised].reason.c_str());
    }
    void namesOfItemsDoNotMatter() {
        const auto log = simulate(shuffled());
        auto renamed = log;
        for (auto& item : renamed.item)
            item = (item * 7 + 3) % 20;
        const auto a = run(log, 20, 20), b = run(renamed, 20, 20);
        for (std::size_t m = 0; m < 7; ++m) {
            QCOMPARE(a.estimates[m].supported, b.estimates[m].supported);
            for (std::size_t k = 1; k < 6 && a.estimates[m].supported; ++k) {
                QVERIFY(near(a.estimates[m].relative[k], b.estimates[m].relative[k]));
                QVERIFY(near(a.estimates[m].interval[k].low, b.estimates[m].interval[k].low, 1e-6));
            }
        }
        QCOMPARE(a.sharedItems, b.sharedItems);
        QCOMPARE(a.recommended, b.recommended);
    }
    void threadCountChangesNothing() {
        QByteArray first;
        for (const char* threads : {"1", "2", "5"}) { // a process reads its thread count once
            QProcess child;
            auto environment = QProcessEnvironment::systemEnvironment();
            environment.insert("CAROUSEL_LAB_THREADS", threads);
            environment.insert("CAROUSEL_TEST_PRINT", "1");
            child.setProcessEnvironment(environment);
            child.start(QCoreApplication::applicationFilePath(), {});
            QVERIFY(child.waitForFinished(60000));
            const auto printed = child.readAllStandardOutput();
            QVERIFY(printed.contains("all_pairs"));
            if (first.isEmpty())
                first = printed;
            QCOMPARE(printed, first);
        }
    }
    void refusals() {
        const auto code = [](const ClickLog& log, const PositionBiasOptions& options) {
            const auto result = positionBias(log, options, {});
            return result ? std::string() : result.error().code;
        };
        ClickLog silent, narrow;
        addSessions(silent, 5, {0, 1}, {0, 0});
        addSessions(narrow, 5, {0}, {3});
        QCOMPARE(code(silent, {}), std::string("CL-8032"));
        QCOMPARE(code(narrow, {}), std::string("CL-8032"));
        QCOMPARE(code({}, {}), std::string("CL-8032"));
        PositionBiasOptions options;
        options.confidence = 95;
        QCOMPARE(code(byHand(), options), std::string("CL-8033"));
        auto broken = byHand();
        broken.item[3] = 99;
        QCOMPARE(code(broken, {}), std::string("CL-8020"));
        std::stop_source stop;
        stop.request_stop();
        const auto cancelled = positionBias(byHand(), {}, RunControl(stop.get_token()));
        QVERIFY(!cancelled && cancelled.error().kind == ErrorKind::cancelled);
    }
};

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsSet("CAROUSEL_TEST_PRINT")) {
        auto plan = shuffled();
        plan.sessions = 2000;
        for (const auto& estimate : run(simulate(plan), 20, 30).estimates)
            for (std::size_t k = 0; k < 6; ++k)
                std::printf("%s %zu %.17g %.17g %.17g\n", estimate.id.c_str(), k, estimate.relative[k], estimate.interval[k].low,
                            estimate.interval[k].high);
        return 0;
    }
    QCoreApplication app(argc, argv);
    TestPositionBias test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_position_bias.moc"
