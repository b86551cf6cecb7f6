// SPDX-License-Identifier: GPL-3.0-or-later
// Effects of two-level designs, Shapley shares, redrawn users and seeds, and the rule of the verdict.
#include "base/random.h"
#include "evaluation/factorial/factorial.h"
#include "evaluation/factorial/placement_verdict.h"
#include "evaluation/statistics/crossed_bootstrap.h"
#include <QTest>
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {
bool near(double a, double b, double bound = 1e-12) { return std::fabs(a - b) <= bound * std::max({1.0, std::fabs(a), std::fabs(b)}); }

std::vector<double> random16(std::uint64_t seed) {
    RandomStream random(seed, "responses");
    std::vector<double> out(16);
    for (double& each : out)
        each = random.normal();
    return out;
}
std::vector<double> halfOf(const std::vector<double>& all) {
    std::vector<double> out;
    for (const std::uint32_t mask : halfDesign(4).runs)
        out.push_back(all[mask]);
    return out;
}
// The mean over all orders, one by one.
std::vector<double> byOrders(const std::vector<double>& values, int places) {
    std::vector<int> order(static_cast<std::size_t>(places));
    std::iota(order.begin(), order.end(), 0);
    std::vector<double> out(order.size(), 0.0);
    double orders = 0;
    do {
        std::uint32_t on = 0;
        for (const int place : order) {
            out[static_cast<std::size_t>(place)] += values[on | 1u << place] - values[on];
            on |= 1u << place;
        }
        orders += 1;
    } while (std::next_permutation(order.begin(), order.end()));
    for (double& each : out)
        each /= orders;
    return out;
}
// The values as they would stand had place p been called order[p].
std::vector<double> renamed(const std::vector<double>& values, const std::vector<int>& order) {
    std::vector<double> out(values.size());
    for (std::uint32_t mask = 0; mask < values.size(); ++mask) {
        std::uint32_t other = 0;
        for (std::size_t p = 0; p < order.size(); ++p)
            if (mask & (1u << p))
                other |= 1u << order[p];
        out[other] = values[mask];
    }
    return out;
}
} // namespace

class TestFactorial : public QObject {
    Q_OBJECT
private slots:
    void effectsOfThePilotPlant() {
        // The 2^3 of a pilot plant in Box, Hunter and Hunter: temperature, concentration, catalyst on the yield.
        const std::vector<double> yield{60, 72, 54, 68, 52, 83, 45, 80};
        const auto effects = factorialEffects(fullDesign(3), yield);
        QVERIFY(near(effects[0], 64.25));
        QVERIFY(near(effects[1], 23));
        QVERIFY(near(effects[2], -5));
        QVERIFY(near(effects[4], 1.5));
        QVERIFY(near(effects[3], 1.5));
        QVERIFY(near(effects[5], 10));
        QVERIFY(near(effects[6], 0));
        QVERIFY(near(effects[7], 0.5));
    }
    void aGainThatNeedsTwoPlaces() {
        // Only encoder (1) and scorer (2) together gain, 1: each alone half of it; interaction a quarter with four places averaged out.
        std::vector<double> values(16, 0.0);
        for (std::uint32_t mask = 0; mask < 16; ++mask)
            values[mask] = (mask & 6) == 6 ? 1.0 : 0.0;
        const auto shares = shapleyShares(values);
        QVERIFY(near(shares[0], 0) && near(shares[1], 0.5) && near(shares[2], 0.5) && near(shares[3], 0));
        const auto effects = factorialEffects(fullDesign(4), values);
        QVERIFY(near(effects[2], 0.5) && near(effects[4], 0.5) && near(effects[6], 0.5) && near(effects[1], 0) && near(effects[15], 0));
    }
    void shapleyOfGloves() {
        // One left glove (0), two right ones (1, 2); a pair is worth 1: 2/3, 1/6, 1/6.
        const std::vector<double> values{0, 0, 0, 1, 0, 1, 0, 1};
        const auto shares = shapleyShares(values);
        QVERIFY(near(shares[0], 2.0 / 3) && near(shares[1], 1.0 / 6) && near(shares[2], 1.0 / 6));
    }
    void shapleyEqualsTheMeanOverOrders() {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            const auto values = random16(seed);
            const auto shares = shapleyShares(values), orders = byOrders(values, 4);
            double sum = 0;
            for (std::size_t p = 0; p < 4; ++p) {
                QVERIFY(near(shares[p], orders[p]));
                sum += shares[p];
            }
            QVERIFY(near(sum, values[15] - values[0])); // nothing is lost
        }
        const std::vector<double> two{3, 5, 4, 10}; // by hand: (2 + 6) / 2, (1 + 5) / 2
        QVERIFY(near(shapleyShares(two)[0], 4) && near(shapleyShares(two)[1], 3));
    }
    void namesAndConstantsChangeNothing() {
        const std::vector<int> order{2, 0, 3, 1};
        for (std::uint64_t seed = 100; seed < 130; ++seed) {
            const auto values = random16(seed);
            const auto other = renamed(values, order);
            const auto shares = shapleyShares(values), otherShares = shapleyShares(other);
            const auto effects = factorialEffects(fullDesign(4), values), otherEffects = factorialEffects(fullDesign(4), other);
            const auto names = renamed(effects, order);
            for (std::size_t p = 0; p < 4; ++p)
                QVERIFY(near(shares[p], otherShares[static_cast<std::size_t>(order[p])]));
            for (std::size_t e = 0; e < 16; ++e)
                QVERIFY(near(names[e], otherEffects[e]));
            auto moved = values;
            for (double& each : moved)
                each += 7.5;
            const auto movedShares = shapleyShares(moved);
            const auto movedEffects = factorialEffects(fullDesign(4), moved);
            QVERIFY(near(movedEffects[0], effects[0] + 7.5));
            for (std::size_t e = 1; e < 16; ++e)
                QVERIFY(std::fabs(movedEffects[e] - effects[e]) < 1e-12);
            for (std::size_t p = 0; p < 4; ++p)
                QVERIFY(std::fabs(movedShares[p] - shares[p]) < 1e-12);
        }
    }
    void effectsAddUpAndRebuildTheResponses() {
        const auto values = random16(7);
        const auto effects = factorialEffects(fullDesign(4), values);
        double odd = 0;
        for (std::uint32_t mask = 1; mask < 16; ++mask)
            if (std::popcount(mask) % 2 == 1)
                odd += effects[mask];
        QVERIFY(near(odd, values[15] - values[0]));
        for (std::uint32_t run = 0; run < 16; ++run) {
            double sum = effects[0];
            for (std::uint32_t mask = 1; mask < 16; ++mask)
                sum += (std::popcount(mask & ~run) % 2 == 0 ? 0.5 : -0.5) * effects[mask];
            QVERIFY(near(sum, values[run]));
        }
    }
    void halfAndItsAliases() {
        const auto half = halfDesign(4);
        QCOMPARE(half.runs, (std::vector<std::uint32_t>{0, 3, 5, 6, 9, 10, 12, 15})); // controller = product of the other three
        QCOMPARE(aliasOf(half, 1), 14u);                                              // features with encoder x scorer x controller
        QCOMPARE(aliasOf(half, 6), 9u);
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const auto values = random16(seed);
            const auto all = factorialEffects(fullDesign(4), values), some = factorialEffects(half, halfOf(values));
            for (std::uint32_t mask = 1; mask < 15; ++mask) {
                QVERIFY(near(some[mask], all[mask] + all[15 ^ mask]));
                QVERIFY(near(some[mask], some[15 ^ mask]));
            }
            QVERIFY(near(some[0], all[0] + all[15] / 2));
            QVERIFY(near(some[1] + some[2] + some[4] + some[8], values[15] - values[0]));
        }
    }
    void redrawnUsersAgreeWithTheFormula() {
        // One seed: the standard error of a mean is sd / sqrt(n).
        RandomStream random(3, "rows");
        std::vector<std::vector<double>> columns(2);
        std::vector<std::int32_t> user, seedOf;
        double squares = 0, sum = 0;
        for (int i = 0; i < 200; ++i) {
            columns[0].push_back(random.normal());
            columns[1].push_back(columns[0].back() + 1);
            sum += columns[0].back(), squares += columns[0].back() * columns[0].back();
            user.push_back(i);
            seedOf.push_back(0);
        }
        const auto means = crossedMeans(columns, user, seedOf, 4000, 1, {});
        QVERIFY(means);
        const double sd = std::sqrt((squares - sum * sum / 200) / 200);
        QVERIFY(std::fabs(means->standardError(0) / (sd / std::sqrt(200.0)) - 1) < 0.05);
        QVERIFY(near(means->mean[1], means->mean[0] + 1));
        for (int d = 0; d < 50; ++d) // columns share their draws
            QVERIFY(near(means->at(d, 1), means->at(d, 0) + 1));
        const Interval interval = means->interval(0, 0.95);
        QVERIFY(interval.low < means->mean[0] && means->mean[0] < interval.high);
        QVERIFY(std::fabs((interval.high - interval.low) / (2 * 1.96 * sd / std::sqrt(200.0)) - 1) < 0.1);
    }
    void seedsThatMatterWiden() {
        // What differs between four seeds alone: users redrawn alone would see no spread at all.
        std::vector<std::vector<double>> columns(1);
        std::vector<std::int32_t> user, seedOf, one;
        for (int s = 0; s < 4; ++s)
            for (int u = 0; u < 50; ++u) {
                columns[0].push_back(s);
                user.push_back(u);
                seedOf.push_back(s);
                one.push_back(0);
            }
        const auto both = crossedMeans(columns, user, seedOf, 4000, 1, {});
        // Mean of four drawn from 0, 1, 2, 3: sd sqrt(1.25 / 4).
        QVERIFY(std::fabs(both->standardError(0) - std::sqrt(1.25 / 4)) < 0.02);
        const auto alone = crossedMeans(columns, user, one, 4000, 1, {});
        QVERIFY(alone->standardError(0) < 1e-9);
        const auto again = crossedMeans(columns, user, seedOf, 4000, 1, {});
        QCOMPARE(again->drawn, both->drawn);
    }
    void theRule() {
        PlacementEvidence e{.gain = 0.02, .interval = {0.01, 0.03}, .standardError = 0.005, .users = 100, .smallestGain = 0.005, .seconds = 1, .money = 3, .mostSeconds = 0, .mostMoney = 0};
        QCOMPARE(placementVerdict(e), PlacementVerdict::pays);
        e.users = 19;
        QCOMPARE(placementVerdict(e), PlacementVerdict::notShown);
        e.users = 100;
        e.mostSeconds = 0.5;
        QCOMPARE(placementVerdict(e), PlacementVerdict::tooDear);
        e.mostSeconds = 1, e.mostMoney = 2;
        QCOMPARE(placementVerdict(e), PlacementVerdict::tooDear);
        e.money = std::nan(""); // no price: no limit can be passed
        QCOMPARE(placementVerdict(e), PlacementVerdict::pays);
        e.smallestGain = 0.025;
        QCOMPARE(placementVerdict(e), PlacementVerdict::notShown);
        QVERIFY(mayStillMatter(e));
        e.smallestGain = 0.035;
        QVERIFY(!mayStillMatter(e));
        e.interval = {-0.001, 0.03}, e.smallestGain = 0;
        QCOMPARE(placementVerdict(e), PlacementVerdict::notShown);
        e.interval = {0, 0}, e.gain = 0;
        QCOMPARE(placementVerdict(e), PlacementVerdict::notShown);
        e.interval = {-0.03, -0.001}, e.gain = -0.02;
        QCOMPARE(placementVerdict(e), PlacementVerdict::hurts);
        e.interval = noInterval();
        QCOMPARE(placementVerdict(e), PlacementVerdict::notShown);
    }
    void usersThatWouldTell() {
        // 100 (1.959964 + 0.841621)^2 (0.01 / 0.028)^2
        const PlacementEvidence e{.gain = 0.028, .interval = {}, .standardError = 0.01, .users = 100};
        QVERIFY(std::fabs(usersToTell(e, 0.028, 0.95, 0.8) - 100.1133) < 1e-3);
        QVERIFY(std::isinf(usersToTell(e, 0, 0.95, 0.8)));
        QVERIFY(near(usersToTell(e, -0.014, 0.95, 0.8), 4 * usersToTell(e, 0.028, 0.95, 0.8)));
    }
};

QTEST_APPLESS_MAIN(TestFactorial)
#include "test_factorial.moc"
