// SPDX-License-Identifier: GPL-3.0-or-later
// Worked examples and properties of the A/B statistics; agreement with other programs is in tests/reference.
#include "base/random.h"
#include "evaluation/ab_test/adjustment.h"
#include "evaluation/ab_test/bayesian.h"
#include "evaluation/ab_test/corrections.h"
#include "evaluation/ab_test/health.h"
#include "evaluation/ab_test/interleaving.h"
#include "evaluation/ab_test/offline_tests.h"
#include "evaluation/ab_test/operating_characteristics.h"
#include "evaluation/ab_test/power.h"
#include "evaluation/ab_test/sequential.h"
#include <QTest>
#include <cmath>
#include <set>

using namespace carousel;

namespace {
bool near(double a, double b, double by) { return std::fabs(a - b) <= by; }
#define NEAR(a, b, by) QVERIFY2(near(a, b, by), qPrintable(QStringLiteral("%1 is not %2").arg(double(a), 0, 'g', 10).arg(double(b), 0, 'g', 10)))

std::vector<double> normals(std::size_t n, double mean, std::uint64_t seed) {
    RandomStream random(seed, "test");
    std::vector<double> out;
    for (std::size_t i = 0; i < n; ++i)
        out.push_back(mean + random.normal());
    return out;
}
} // namespace

class TestAbTest : public QObject {
    Q_OBJECT
private slots:
    void welchOfAWorkedExample() { // means 3 and 6, variances 2.5 and 10 of five values each: se sqrt(2.5), df 12.5^2 / ((6.25 + 100) / 4)
        const std::vector<double> a{1, 2, 3, 4, 5}, b{2, 4, 6, 8, 10};
        const Effect e = welch(momentsOf(a), momentsOf(b), 0.95);
        NEAR(e.difference, 3, 1e-12);
        NEAR(e.standardError, std::sqrt(2.5), 1e-12);
        NEAR(e.degrees, 2.5 * 2.5 / (0.25 / 4 + 4.0 / 4), 1e-9);
        NEAR(e.statistic, 3 / std::sqrt(2.5), 1e-12);
        QVERIFY(!e.hasLift); // 3 is 4.2 standard errors from 0
    }
    void aGroupWithoutSpreadOrValuesProvesNothing() {
        const std::vector<double> flat{2, 2, 2}, one{5}, none;
        for (const auto& other : {flat, one, none}) {
            const Effect e = welch(momentsOf(flat), momentsOf(other), 0.95);
            QCOMPARE(e.pValue, 1.0);
            QVERIFY(std::isnan(e.interval.low) && std::isnan(e.interval.high));
        }
        QCOMPARE(compareShares({0, 0}, {3, 10}, 0.95).pValue, 1.0);
    }
    void sharesAndTheirLift() { // 100 of 1000 against 130 of 1000
        const Effect e = compareShares({100, 1000}, {130, 1000}, 0.95);
        NEAR(e.statistic, 0.03 / std::sqrt(0.115 * 0.885 * 0.002), 1e-12);
        NEAR(e.interval.high - e.interval.low, 2 * 1.959963984540054 * std::sqrt(0.1 * 0.9 / 1000 + 0.13 * 0.87 / 1000), 1e-12);
        QVERIFY(e.hasLift);
        NEAR(e.lift, 0.3, 1e-12);
    }
    void aRatioWithEqualDenominatorsIsAMean() {
        const auto y = normals(400, 1, 1), z = normals(400, 1.2, 2);
        const std::vector<double> two(400, 2);
        const Effect ratio = compareRatios(ratioMomentsOf(y, two), ratioMomentsOf(z, two), 0.95);
        const Effect mean = welch(momentsOf(y), momentsOf(z), 0.95);
        NEAR(ratio.difference, mean.difference / 2, 1e-12);
        NEAR(ratio.standardError, mean.standardError / 2, 1e-12);
    }
    void ratioIntervalsHoldTheTruth() { // clicks per impression; users differ in how many impressions they have
        int covered = 0;
        constexpr int repetitions = 400;
        for (int r = 0; r < repetitions; ++r) {
            std::vector<double> clicks[2], shown[2];
            for (int arm = 0; arm < 2; ++arm) {
                RandomStream random(3, "ratio", static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(arm));
                for (int u = 0; u < 300; ++u) {
                    const double own = 0.05 + 0.3 * random.uniform(), n = 1 + static_cast<double>(random.below(20));
                    double hits = 0;
                    for (int i = 0; i < n; ++i)
                        hits += random.uniform() < own;
                    clicks[arm].push_back(hits), shown[arm].push_back(n);
                }
            }
            const Effect e = compareRatios(ratioMomentsOf(clicks[0], shown[0]), ratioMomentsOf(clicks[1], shown[1]), 0.95);
            covered += e.interval.low <= 0 && 0 <= e.interval.high;
        }
        QVERIFY2(covered >= 366 && covered <= 394, qPrintable(QString::number(covered))); // 380 +- 3.2 standard errors
    }
    void quantilesOfAKnownDistribution() {
        int covered = 0;
        for (std::uint64_t r = 0; r < 300; ++r) {
            const Effect e = compareQuantiles(normals(500, 0, 2 * r + 11), normals(500, 0.3, 2 * r + 12), 0.9, 400, 0.9, r);
            covered += e.interval.low <= 0.3 && 0.3 <= e.interval.high;
        }
        QVERIFY2(covered >= 253 && covered <= 289, qPrintable(QString::number(covered))); // 270 +- 3.4 standard errors
        QVERIFY(compareQuantiles({1, 2, 3}, {101, 102, 103}, 0.5, 100, 0.95, 1).pValue > 0);
    }
    void winsorisingCutsTheTail() {
        std::vector<double> a, b;
        for (int i = 1; i <= 50; ++i)
            a.push_back(i), b.push_back(50 + i);
        QCOMPARE(winsorise(a, b, 0.9), 91.0);
        QCOMPARE(*std::max_element(b.begin(), b.end()), 91.0);
        QCOMPARE(a.back(), 50.0);
    }
    void cupedOfThePublishedExample() { // y = (3, 5, 4, 8), x = (2, 4, 5, 7): theta .923077, variance ratio .208791
        const std::vector<double> y{3, 5, 4, 8}, x{2, 4, 5, 7}, none;
        const AdjustedEffect e = cuped(y, x, none, none, 0.95);
        NEAR(e.coefficient, 0.923077, 5e-7);
        NEAR(e.varianceRatio, 0.208791, 5e-7);
        NEAR(momentsOf(y).variance * e.varianceRatio, 0.974359, 5e-7);
    }
    void adjustmentsAgreeAndDoNotInventEffects() {
        int covered[2] = {0, 0};
        double narrower[2] = {0, 0};
        constexpr int repetitions = 400;
        for (int r = 0; r < repetitions; ++r) {
            RandomStream random(5, "cuped", static_cast<std::uint64_t>(r));
            std::vector<double> y[2], x[2];
            Matrix m[2] = {Matrix(150, 2), Matrix(150, 2)};
            for (int arm = 0; arm < 2; ++arm)
                for (std::size_t u = 0; u < 150; ++u) {
                    const double before = random.normal();
                    x[arm].push_back(before);
                    m[arm].row(u)[0] = static_cast<float>(before), m[arm].row(u)[1] = static_cast<float>(2 * before); // the second says nothing new
                    y[arm].push_back(0.8 * before + 0.6 * random.normal() + 0.5 * arm);
                }
            const Effect plain = welch(momentsOf(y[0]), momentsOf(y[1]), 0.95);
            const AdjustedEffect both[2] = {cuped(y[0], x[0], y[1], x[1], 0.95), regressionAdjusted(y[0], m[0], y[1], m[1], 0.95)};
            for (int k = 0; k < 2; ++k) {
                covered[k] += both[k].effect.interval.low <= 0.5 && 0.5 <= both[k].effect.interval.high;
                narrower[k] += both[k].effect.standardError / plain.standardError / repetitions;
            }
            NEAR(both[0].effect.difference, both[1].effect.difference, 0.05);
        }
        for (int k = 0; k < 2; ++k) {
            QVERIFY2(covered[k] >= 366 && covered[k] <= 394, qPrintable(QString::number(covered[k])));
            NEAR(narrower[k], 0.6, 0.02);
        }
    }
    void publishedCorrections() {
        const std::vector<double> p{.001, .012, .020, .041, .30};
        const std::vector<double> wantedHolm{.005, .048, .060, .082, .300}, wantedBh{.005, .030, .033333333, .05125, .300};
        const auto h = holm(p), b = benjaminiHochberg(p);
        for (std::size_t i = 0; i < p.size(); ++i) {
            NEAR(h[i], wantedHolm[i], 1e-8);
            NEAR(b[i], wantedBh[i], 1e-8);
        }
        QCOMPARE(holm(std::vector<double>{.3, .001})[1], .002); // in the order given
        QVERIFY(holm({}).empty());
    }
    void publishedSampleRatios() {
        const std::vector<double> even{1, 1};
        const HealthTest fine = sampleRatio(std::vector<double>{5050, 4950}, even), bad = sampleRatio(std::vector<double>{5200, 4800}, even);
        NEAR(fine.statistic, 1, 1e-12);
        NEAR(fine.pValue, .317311, 5e-7);
        NEAR(bad.statistic, 16, 1e-12);
        NEAR(bad.pValue, 6.334e-5, 5e-9);
        const std::vector<std::int32_t> user{1, 1, 2, 3, 3, 3}, arm{0, 0, 1, 0, 1, 0};
        const auto several = multipleExposure(user, arm);
        QCOMPARE(several.users, std::size_t(3));
        QCOMPARE(several.inSeveral, std::size_t(1));
    }
    void publishedMultipliers() { // of the standard error, at n = 500, 5,000, 20,000, 200,000
        const double n[] = {500, 5000, 20000, 200000}, one[] = {3.855, 3.035, 3.127, 3.434}, two[] = {4.719, 3.084, 3.061, 3.337};
        for (int i = 0; i < 4; ++i) {
            NEAR(asymptoticMultiplier(n[i], .05, 5000), one[i], 5e-4);
            NEAR(normalMixtureMultiplier(n[i], .05, 10000), two[i], 5e-4);
        }
    }
    void publishedGroupSequentialBounds() { // five equal looks, two-sided .05, as the tables of Lan and DeMets' functions give them
        const std::vector<double> shares{.2, .4, .6, .8, 1};
        const auto of = groupSequentialBounds(shares, .05, {Spending::obrienFleming});
        const auto pocock = groupSequentialBounds(shares, .05, {Spending::pocock});
        QVERIFY(of && pocock);
        const double wantedOf[] = {4.8769, 3.3569, 2.6803, 2.2898, 2.0310}, wantedPocock[] = {2.4380, 2.4268, 2.4101, 2.3966, 2.3859};
        for (std::size_t i = 0; i < 5; ++i) {
            NEAR((*of)[i], wantedOf[i], 1e-3);
            NEAR((*pocock)[i], wantedPocock[i], 1e-3);
        }
        NEAR(crossingProbability(shares, *of, 0), .05, 1e-4);
        const auto single = groupSequentialBounds(std::vector<double>{1}, .05, {Spending::power, 2});
        NEAR((*single)[0], 1.959964, 1e-5);
        QVERIFY(crossingProbability(shares, *of, 3.2415) > .88 && crossingProbability(shares, *of, 3.2415) < .9); // .9 with a single look
        for (const auto& bad : {std::vector<double>{}, std::vector<double>{.5, .5}, std::vector<double>{.5, 1.2}, std::vector<double>{0, 1}})
            QCOMPARE(groupSequentialBounds(bad, .05, {}).error().code, std::string("CL-3120"));
    }
    void theMixtureAndItsIntervalSayTheSame() {
        for (const double variance : {1e-4, 0.01, 0.5})
            for (const double tau2 : {1e-3, 0.1}) {
                const double half = mixtureHalfWidth(variance, tau2, .05);
                NEAR(1 / mixtureLikelihoodRatio(half, variance, tau2), .05, 1e-9);
            }
        QCOMPARE(mixtureLikelihoodRatio(0.1, 0, 1), 1.0);
    }
    void powerCurves() { // base 10 %: 5 % lift 57,763 an arm, 10 % lift 14,751
        NEAR(sampleSizePerArmForShares(.1, .105, .05, .8), 57763, 1);
        NEAR(sampleSizePerArmForShares(.1, .11, .05, .8), 14751, 1);
        NEAR(sampleSizePerArmForShares(.1, .101, .05, .8), 1419072, 10);
        const PowerPlan plan{1, 1, .5, .05};
        const double n = sampleSize(plan, .1, .8);
        NEAR(n, 2 * 1569.776, 1);
        NEAR(power(plan, n, .1), .8, 1e-6);
        NEAR(minimumDetectableEffect(plan, n, .8), .1, 1e-6);
        NEAR(power(plan, n, 0), .05, 1e-9);
        QVERIFY(std::isinf(sampleSize(plan, 0, .8)));
    }
    void posteriorOfANormalPrior() {
        const BayesianEffect flat = bayesian(1, 0.5, 0, 0, .95);
        NEAR(flat.mean, 1, 1e-12);
        NEAR(flat.chanceBetter, 0.977249868, 1e-8);
        NEAR(flat.lossIfNotShipped - flat.lossIfShipped, 1, 1e-12);
        const BayesianEffect drawn = bayesian(1, 0.5, 0, 0.5, .95); // equal weights: half way
        NEAR(drawn.mean, 0.5, 1e-12);
        NEAR(drawn.sd, 0.5 / std::sqrt(2.0), 1e-12);
    }
    void interleavingIsFairAndFindsTheBetterList() {
        std::vector<std::int32_t> a(20), b(20);
        for (int i = 0; i < 20; ++i)
            a[static_cast<std::size_t>(i)] = i, b[static_cast<std::size_t>(i)] = 19 - i;
        for (const bool probabilistic : {false, true}) {
            std::vector<int> same[2], better[2];
            for (std::uint64_t r = 0; r < 2000; ++r) {
                RandomStream random(1, "interleave", r, probabilistic);
                const auto mixed = [&](auto first, auto second) { return probabilistic ? probabilisticInterleave(first, second, 8, random) : teamDraft(first, second, 8, random); };
                const Interleaved one = mixed(std::span<const std::int32_t>(a), std::span<const std::int32_t>(a)), two = mixed(std::span<const std::int32_t>(a), std::span<const std::int32_t>(b));
                for (const auto* shown : {&one, &two}) {
                    QCOMPARE(shown->items.size(), std::size_t(8));
                    QCOMPARE(std::set<std::int32_t>(shown->items.begin(), shown->items.end()).size(), std::size_t(8));
                    int clicks[2] = {0, 0};
                    for (std::size_t i = 0; i < 8; ++i)
                        clicks[shown->team[i]] += random.uniform() < (shown->items[i] < 5 ? .5 : .05); // the first five are good
                    auto* out = shown == &one ? same : better;
                    out[0].push_back(clicks[0]), out[1].push_back(clicks[1]);
                }
            }
            const auto fair = judge(same[0], same[1], .95), clear = judge(better[0], better[1], .95);
            QVERIFY2(fair.pValue > .001, qPrintable(QString::number(fair.pValue)));
            QVERIFY(clear.preference > .2 && clear.pValue < 1e-9 && clear.winShare.low > .5);
        }
        RandomStream random(1, "x");
        const std::vector<std::int32_t> few{1, 2};
        QCOMPARE(teamDraft(few, few, 8, random).items.size(), std::size_t(2));
        QCOMPARE(probabilisticInterleave(few, few, 8, random).items.size(), std::size_t(2));
        QCOMPARE(judge(std::vector<int>{1, 0}, std::vector<int>{0, 1}, .95).pValue, 1.0);
    }
    void tukeyKeepsItsLevelOverAllPairs() {
        int wrong = 0;
        for (std::uint64_t r = 0; r < 200; ++r) {
            std::vector<std::vector<double>> scores;
            const auto shared = normals(40, 0, 900 + r);
            for (std::uint64_t s = 0; s < 5; ++s) {
                scores.push_back(normals(40, 0, 5000 + r * 10 + s));
                for (std::size_t u = 0; u < 40; ++u)
                    scores.back()[u] += 2 * shared[u];
            }
            const auto pairs = *randomisedTukey(scores, 199, r, {});
            QCOMPARE(pairs.size(), std::size_t(10));
            bool any = false;
            for (const auto& pair : pairs) {
                QVERIFY(pair.pValue > 0);
                any = any || pair.pValue <= .05;
            }
            wrong += any;
        }
        QVERIFY2(wrong <= 21, qPrintable(QString::number(wrong))); // 10 +- 3.5 standard errors
        const std::vector<std::vector<double>> clear{normals(60, 0, 1), normals(60, 1, 2), normals(60, 0, 3)};
        const auto pairs = *randomisedTukey(clear, 999, 1, {});
        QCOMPARE(pairs[0].pValue, .001);
        QVERIFY(pairs[1].pValue > .05);
    }
    void rulesDoWhatTheyPromiseAndPeekingDoesNot() { // few experiments here; `evaluate`'s command counts by the thousand
        CharacteristicsPlan plan;
        plan.experiments = 300, plan.looks = 50, plan.users = 5000, plan.tuneN = 1000;
        for (const bool skewed : {false, true}) {
            std::vector<double> metric;
            if (skewed)
                for (int i = 0; i < 1000; ++i)
                    metric.push_back(i % 10 == 0 ? 1 + i % 7 : 0);
            const auto rules = stoppingRules();
            const auto out = *operatingCharacteristics(metric, rules, plan, {});
            for (const Characteristics& each : out) {
                if (promisesLevel(each.rule))
                    QVERIFY2(each.interval.low <= .05, name(each.rule));
                else
                    QVERIFY2(each.interval.low > .15, name(each.rule));
            }
            QCOMPARE(out[0].medianUsers, 5000.0);
        }
        plan.effect = 0.2;
        const auto found = *operatingCharacteristics({}, stoppingRules(), plan, {});
        for (const Characteristics& each : found) {
            QVERIFY2(each.found > .9, name(each.rule)); // 5,000 users find a fifth of a standard deviation
            QVERIFY(each.rule == StoppingRule::fixed || each.medianUsers < 4000);
        }
        QCOMPARE(operatingCharacteristics(std::vector<double>{2, 2, 2}, stoppingRules(), plan, {}).error().code, std::string("CL-3121"));
    }
    void publishedCorrectedT() {
        const CorrectedT t = correctedPairedT(std::vector<double>{.02, .01, .03, 0, .02}, .25);
        NEAR(t.plain, 3.137858, 5e-7);
        NEAR(t.corrected, 2.091905, 5e-7);
    }
    void varianceIsSplitAsItWasMade() { // users sd 2, seeds sd 1, rest sd 0.5
        double users = 0, seeds = 0, rest = 0;
        constexpr int repetitions = 60;
        for (std::uint64_t r = 0; r < repetitions; ++r) {
            const auto u = normals(200, 0, 100 + r), s = normals(8, 0, 400 + r);
            std::vector<std::vector<double>> scores;
            for (std::size_t i = 0; i < 8; ++i) {
                scores.push_back(normals(200, 0, 7000 + 10 * r + i));
                for (std::size_t j = 0; j < 200; ++j)
                    scores[i][j] = 0.5 * scores[i][j] + 2 * u[j] + s[i];
            }
            const auto split = varianceSplit(scores);
            users += split.users / repetitions, seeds += split.seeds / repetitions, rest += split.rest / repetitions;
        }
        NEAR(users, 4, .2);
        NEAR(seeds, 1, .25);
        NEAR(rest, .25, .01);
    }
};

QTEST_GUILESS_MAIN(TestAbTest)
#include "test_ab_test.moc"
