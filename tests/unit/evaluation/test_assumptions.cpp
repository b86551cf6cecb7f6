// SPDX-License-Identifier: GPL-3.0-or-later
// The tests of assumptions: how often they cry wolf where nothing is wrong, and that they notice what is.
#include "evaluation/position_bias/position_bias.h"
#include "test_position_bias_logs.h"
#include <QTest>
#include <boost/math/distributions/binomial.hpp>

using namespace carousel;
using namespace carousel::bias_logs;

namespace {
AssumptionTest find(const std::vector<AssumptionTest>& tests, const std::string& id) {
    for (const auto& test : tests)
        if (test.id == id)
            return test;
    qFatal("no test %s", id.c_str());
}
std::vector<AssumptionTest> run(const ClickLog& log, int draws = 60, int window = 3) {
    PositionBiasOptions options;
    options.draws = draws;
    options.window = window;
    auto result = testAssumptions(log, options, {});
    if (!result)
        qFatal("%s", describe(result.error()).c_str());
    return *result;
}

Simulation plainPlan(std::uint64_t seed, std::size_t sessions) {
    Simulation plan;
    plan.attraction = fallingAttraction(10, 0.5, 0.2);
    plan.examination = knownExamination;
    plan.sessions = sessions;
    plan.seed = seed;
    plan.order = [](auto& items, auto& random) {
        shuffle(items, random);
        return 0;
    };
    return plan;
}
// Pages of three: the second comes into view by a swipe after a page without a click with probability 0.7 (0.4 after one).
void swipe(ClickLog& log, std::uint64_t seed, double reset) {
    log.reached.assign(log.rows(), 1);
    const auto attraction = fallingAttraction(10, 0.5, 0.2);
    const double theta[] = {1, 0.8, 0.6};
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        RandomStream random(seed, "swipes", s);
        bool on = true, inView = true;
        for (std::size_t k = 0; k < 6; ++k) {
            const std::size_t r = log.offsets[s] + k;
            if (k == 3)
                inView = on = on && random.uniform() < 0.7;
            log.reached[r] = inView;
            const double p = on ? attraction[static_cast<std::size_t>(log.item[r])] * theta[k % 3] * (k >= 3 ? reset : 1) : 0;
            log.click[r] = random.uniform() < p;
            if (log.click[r])
                on = random.uniform() < 0.6;
        }
    }
}
ClickLog nullLog(std::uint64_t seed, std::size_t sessions, bool swipes) {
    auto log = simulate(plainPlan(seed, sessions));
    if (swipes)
        swipe(log, seed, 1);
    log.propensity.assign(log.rows(), 0.1f); // six of ten items, shuffled
    return log;
}
// One position, where item 0 stands half of the time and nine others share the rest, with these propensities.
ClickLog skewedLog(std::uint64_t seed, std::size_t sessions) {
    ClickLog log;
    for (std::size_t s = 0; s < sessions; ++s) {
        RandomStream random(seed, "skewed", s);
        const auto item = random.uniform() < 0.5 ? 0 : 1 + static_cast<std::int32_t>(random.below(9));
        addSession(log, {item}, {static_cast<std::uint8_t>(random.uniform() < 0.3)});
        log.propensity.push_back(item == 0 ? 0.5f : 0.5f / 9);
    }
    declareSize(log, 10, 2);
    return log;
}
// Four of ten items, slot by slot with weights 1 to 10 over the free ones; the propensity is the one given the slots before.
ClickLog sequentialLog(std::uint64_t seed, std::size_t sessions) {
    ClickLog log;
    for (std::size_t s = 0; s < sessions; ++s) {
        RandomStream random(seed, "sequential", s);
        std::vector<std::int32_t> shown, freeItems{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        for (int slot = 0; slot < 4; ++slot) {
            double total = 0;
            for (const auto item : freeItems)
                total += item + 1;
            double left = random.uniform() * total;
            std::size_t at = 0;
            while (at + 1 < freeItems.size() && (left -= freeItems[at] + 1) > 0)
                ++at;
            log.propensity.push_back(static_cast<float>((freeItems[at] + 1) / total));
            shown.push_back(freeItems[at]);
            freeItems.erase(freeItems.begin() + static_cast<std::ptrdiff_t>(at));
        }
        addSession(log, shown, {0, static_cast<std::uint8_t>(random.uniform() < 0.3), 0, 0});
    }
    declareSize(log, 10, 4);
    return log;
}
void withinItsLevel(int count, int runs, double level) {
    const boost::math::binomial distribution(runs, level);
    const double low = boost::math::quantile(distribution, 0.001),
                 high = boost::math::quantile(boost::math::complement(distribution, 0.001));
    QVERIFY2(count >= low && count <= high, QByteArray::number(count) + " of " + QByteArray::number(runs));
}
} // namespace

class TestAssumptions : public QObject {
    Q_OBJECT
private slots:
    void fourInOrder() {
        const auto tests = run(nullLog(1, 500, false));
        QCOMPARE(tests.size(), std::size_t(4));
        const char* ids[] = {"item_independence", "swipe_behaviour", "order_shuffled", "propensities"};
        for (std::size_t i = 0; i < 4; ++i) {
            QCOMPARE(tests[i].id, std::string(ids[i]));
            QVERIFY(!tests[i].question.empty() && !tests[i].words.empty());
        }
        QCOMPARE(QByteArray(name(Assumption::broken)), QByteArray("contradicted"));
    }
    void sizeUnderTheNull() {
        constexpr int runs = 200;
        int item = 0, swipes = 0, order = 0, propensity = 0, broken = 0;
        for (int i = 0; i < runs; ++i) {
            const auto tests = run(nullLog(5000 + static_cast<std::uint64_t>(i), 600, false));
            item += find(tests, "item_independence").pValue < 0.05;
            order += find(tests, "order_shuffled").pValue < 0.05;
            for (const auto& test : tests)
                broken += test.verdict == Assumption::broken;
            const auto carousel = run(nullLog(9000 + static_cast<std::uint64_t>(i), 600, true), 50);
            swipes += find(carousel, "swipe_behaviour").pValue < 0.05;
            propensity += find(run(skewedLog(static_cast<std::uint64_t>(i), 800)), "propensities").pValue < 0.05;
        }
        withinItsLevel(item, runs, 0.05);
        withinItsLevel(swipes, runs, 0.05);
        withinItsLevel(order, runs, 0.05);
        withinItsLevel(propensity, runs, 0.05);
        QVERIFY2(broken <= boost::math::quantile(boost::math::complement(boost::math::binomial(runs, 0.01), 0.001)),
                 QByteArray::number(broken));
    }
    void orderOfTheSameItems() { // every visit shows the same six items: the strongest dependence between items
        constexpr int runs = 300;
        int low = 0, middle = 0;
        for (int i = 0; i < runs; ++i) {
            auto plan = plainPlan(20000 + static_cast<std::uint64_t>(i), 300);
            plan.attraction = fallingAttraction(6);
            const auto test = find(run(simulate(plan), 50), "order_shuffled");
            low += test.pValue < 0.05;
            middle += test.pValue < 0.5;
        }
        withinItsLevel(low, runs, 0.05);
        withinItsLevel(middle, runs, 0.5);
    }
    void itemDependentExamination() {
        auto plan = plainPlan(3, 6000);
        const auto attraction = plan.attraction;
        // Striking items (even codes) are seen everywhere.
        plan.click = [attraction](std::int32_t item, std::size_t slot) {
            return attraction[static_cast<std::size_t>(item)] * (item % 2 == 0 ? 0.8 : knownExamination[slot]);
        };
        const auto test = find(run(simulate(plan)), "item_independence");
        QVERIFY2(test.verdict == Assumption::broken, test.words.c_str());
        QVERIFY(test.adjustedP < 1e-4 && test.adjustedP >= test.pValue);
        QVERIFY2(find(run(simulate(plainPlan(3, 6000))), "item_independence").verdict == Assumption::notShown, test.words.c_str());
    }
    void resetAfterASwipe() {
        auto log = simulate(plainPlan(4, 6000));
        swipe(log, 4, 0.5);
        const auto test = find(run(log), "swipe_behaviour");
        QVERIFY2(test.verdict == Assumption::broken, test.words.c_str());
        QVERIFY2(test.words.find("looked at 0.5") != std::string::npos || test.words.find("looked at 0.4") != std::string::npos,
                 test.words.c_str());
        swipe(log, 4, 1);
        QVERIFY(find(run(log), "swipe_behaviour").verdict != Assumption::broken);
        auto large = simulate(plainPlan(5, 60000));
        swipe(large, 5, 1);
        QCOMPARE(int(find(run(large, 50), "swipe_behaviour").verdict), int(Assumption::holds));
    }
    void sortedOrder() {
        auto plan = plainPlan(6, 600);
        plan.order = [&](auto& items, auto& random) {
            sortByTaste(items, plan.attraction, 0.7, random);
            return 0;
        };
        const auto test = find(run(simulate(plan)), "order_shuffled");
        QVERIFY2(test.verdict == Assumption::broken, test.words.c_str());
        const auto shuffled = find(run(simulate(plainPlan(6, 20000)), 50), "order_shuffled");
        QVERIFY2(shuffled.verdict == Assumption::holds, shuffled.words.c_str());
    }
    void wrongPropensities() {
        auto log = nullLog(7, 3000, false);
        auto test = find(run(log), "propensities");
        QVERIFY2(test.verdict == Assumption::holds, test.words.c_str());
        QVERIFY(std::fabs(test.statistic - 1) < 1e-6); // weights of a uniform policy are all 1
        for (auto& p : log.propensity)
            p = 0.12f;
        test = find(run(log), "propensities");
        QVERIFY2(test.verdict == Assumption::broken, test.words.c_str());
        QVERIFY(std::fabs(test.statistic - 1 / 1.2) < 1e-6);

        auto skewed = skewedLog(8, 6000);
        const auto right = find(run(skewed), "propensities");
        QVERIFY2(right.verdict != Assumption::broken && right.verdict != Assumption::unknown, right.words.c_str());
        for (auto& p : skewed.propensity)
            p = p > 0.4f ? 0.3f : 0.7f / 9;
        QVERIFY(find(run(skewed), "propensities").verdict == Assumption::broken);
    }
    void propensitiesGivenTheSlotsBefore() {
        auto log = sequentialLog(9, 6000);
        auto test = find(run(log), "propensities");
        QVERIFY2(test.verdict == Assumption::holds, test.words.c_str());
        QVERIFY2(test.words.find("given the items in the positions before") != std::string::npos, test.words.c_str());
        for (auto& p : log.propensity)
            p *= 0.85f;
        test = find(run(log), "propensities");
        QVERIFY2(test.verdict == Assumption::broken, test.words.c_str());
    }
    void whatCannotBeTestedSaysWhy() {
        auto plan = plainPlan(9, 300);
        plan.order = [&](auto& items, auto& random) {
            sortByTaste(items, plan.attraction, 0, random);
            return 0;
        };
        auto log = simulate(plan); // every item at one position, no reach, no propensities
        for (const auto* id : {"item_independence", "swipe_behaviour", "propensities"}) {
            const auto test = find(run(log), id);
            QCOMPARE(int(test.verdict), int(Assumption::unknown));
            QVERIFY(std::isnan(test.pValue));
            QVERIFY2(test.words.find("Cannot be tested") == 0, test.words.c_str());
        }
        log.reached.assign(log.rows(), 1); // items before and after the swipe differ
        QVERIFY(find(run(log), "swipe_behaviour").words.find("no item was seen both") != std::string::npos);
        QVERIFY(find(run(log, 60, 6), "swipe_behaviour").words.find("6 are visible") != std::string::npos);
        std::stop_source stop;
        stop.request_stop();
        const auto cancelled = testAssumptions(log, {}, RunControl(stop.get_token()));
        QVERIFY(!cancelled && cancelled.error().kind == ErrorKind::cancelled);
    }
};

QTEST_GUILESS_MAIN(TestAssumptions)
#include "test_assumptions.moc"
