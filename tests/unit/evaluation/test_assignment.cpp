// SPDX-License-Identifier: GPL-3.0-or-later
// Who sees which arm: the same name the same arm, shares as planned, a ramp that only adds, balance inside strata.
#include "evaluation/ab_test/assignment.h"
#include "evaluation/ab_test/health.h"
#include <QTest>
#include <algorithm>
#include <cmath>

using namespace carousel;

namespace {
std::vector<std::string> names(int n, const std::string& prefix = "user ") {
    std::vector<std::string> out;
    for (int i = 0; i < n; ++i)
        out.push_back(prefix + std::to_string(i));
    return out;
}
std::vector<double> counts(const std::vector<std::int32_t>& arms, std::size_t n) {
    std::vector<double> out(n, 0);
    for (const std::int32_t arm : arms)
        if (arm >= 0)
            ++out[static_cast<std::size_t>(arm)];
    return out;
}
} // namespace

class TestAssignment : public QObject {
    Q_OBJECT
private slots:
    void aUnitKeepsItsArmWhoeverElseIsThere() {
        const AssignmentPlan plan{"home page", {1, 1, 2}, 0.8, {}};
        const auto all = names(3000);
        const Assignment whole = *assign(plan, all);
        std::vector<std::string> some;
        for (std::size_t i = 0; i < all.size(); i += 7)
            some.push_back(all[all.size() - 1 - i]);
        const Assignment part = *assign(plan, some);
        for (std::size_t i = 0; i < some.size(); ++i) {
            const auto at = static_cast<std::size_t>(std::find(all.begin(), all.end(), some[i]) - all.begin());
            QCOMPARE(part.arm[i], whole.arm[at]);
            QCOMPARE(part.round[i], whole.round[at]);
        }
    }
    void sharesAreAsPlanned() { // p values of 200 salts: none absurd, and as spread as chance makes them
        const auto all = names(4000);
        int small = 0;
        for (int s = 0; s < 200; ++s) {
            const AssignmentPlan plan{"salt " + std::to_string(s), {0.5, 0.3, 0.2}, 1, {}};
            const double p = sampleRatio(counts(assign(plan, all)->arm, 3), plan.shares).pValue;
            QVERIFY2(p > 1e-5, qPrintable(QString::number(p)));
            small += p < 0.1;
        }
        QVERIFY2(small >= 6 && small <= 36, qPrintable(QString::number(small))); // 20 +- 3.5 standard errors
    }
    void anotherSaltIsAnotherDraw() { // of those in arm 0 of one experiment, half are in arm 0 of the next
        const auto all = names(4000);
        const auto one = assign({"one", {1, 1}, 1, {}}, all)->arm, two = assign({"two", {1, 1}, 1, {}}, all)->arm;
        double both = 0, first = 0;
        for (std::size_t i = 0; i < all.size(); ++i)
            first += one[i] == 0, both += one[i] == 0 && two[i] == 0;
        QVERIFY(std::fabs(both / first - 0.5) < 4 * 0.5 / std::sqrt(first));
    }
    void takingPartDoesNotChooseTheArm() {
        const AssignmentPlan plan{"x", {1, 1}, 0.3, {}};
        const auto all = names(20000);
        const Assignment out = *assign(plan, all);
        const auto in = counts(out.arm, 2);
        const double share = (in[0] + in[1]) / 20000;
        QVERIFY(std::fabs(share - 0.3) < 4 * std::sqrt(0.21 / 20000));
        QVERIFY(sampleRatio(in, plan.shares).pValue > 1e-4);
        for (std::size_t i = 0; i < all.size(); ++i)
            QCOMPARE(out.arm[i] < 0, out.round[i] < 0);
    }
    void aRampOnlyAdds() {
        const auto all = names(5000);
        AssignmentPlan small{"ramp", {1, 1}, 1, {0.1, 0.1, 0.5}}, large = small;
        const Assignment out = *assign(small, all);
        int in[5] = {};
        for (std::size_t i = 0; i < all.size(); ++i)
            for (int round = out.round[i]; round < 5; ++round)
                ++in[round];
        QVERIFY(std::abs(in[0] - 500) < 90 && in[1] == in[0] && std::abs(in[2] - 2500) < 150);
        QCOMPARE(in[3], 5000);
        large.ramp = {0.3, 1}; // faster: nobody comes later, nobody changes arms
        const Assignment faster = *assign(large, all);
        for (std::size_t i = 0; i < all.size(); ++i) {
            QVERIFY(faster.round[i] <= out.round[i]);
            QCOMPARE(faster.arm[i], out.arm[i]);
        }
    }
    void moreTrafficOnlyAdds() {
        const auto all = names(5000);
        const Assignment some = *assign({"t", {1, 2}, 0.2, {}}, all), more = *assign({"t", {1, 2}, 0.6, {}}, all);
        for (std::size_t i = 0; i < all.size(); ++i)
            QVERIFY(some.arm[i] < 0 || some.arm[i] == more.arm[i]);
    }
    void strataAreBalanced() {
        const auto all = names(6000);
        std::vector<std::int32_t> stratum;
        for (int i = 0; i < 6000; ++i)
            stratum.push_back(i < 9 ? 7 : i % 5); // one of nine users
        const AssignmentPlan plan{"strata", {1, 1, 2}, 1, {}};
        const Assignment out = *assignWithinStrata(plan, all, stratum);
        double together[3] = {};
        for (const std::int32_t code : {0, 1, 2, 3, 4, 7}) {
            double n = 0, in[3] = {};
            for (std::size_t i = 0; i < all.size(); ++i)
                if (stratum[i] == code)
                    ++n, ++in[out.arm[i]], ++together[out.arm[i]];
            for (int a = 0; a < 3; ++a)
                QVERIFY2(std::fabs(in[a] - n * (a == 2 ? 0.5 : 0.25)) <= 1.5, qPrintable(QString::number(in[a]))); // within the last block of four
        }
        QVERIFY(together[0] + together[1] + together[2] == 6000);
        // The order in which units are listed does not matter.
        auto turned = all;
        auto turnedStratum = stratum;
        std::reverse(turned.begin(), turned.end());
        std::reverse(turnedStratum.begin(), turnedStratum.end());
        auto again = assignWithinStrata(plan, turned, turnedStratum)->arm;
        std::reverse(again.begin(), again.end());
        QCOMPARE(again, out.arm);
    }
    void strataOfOneAreFair() { // a stratum of one user gets either arm: over many, as the shares say
        const auto all = names(4000);
        std::vector<std::int32_t> stratum(4000);
        for (int i = 0; i < 4000; ++i)
            stratum[static_cast<std::size_t>(i)] = i;
        const AssignmentPlan plan{"ones", {0.9, 0.1}, 1, {}};
        QVERIFY(sampleRatio(counts(assignWithinStrata(plan, all, stratum)->arm, 2), plan.shares).pValue > 1e-4);
        const AssignmentPlan odd{"odd", {0.317, 0.683}, 1, {}}; // no small block fits: thousandths
        const std::vector<std::int32_t> one(4000, 0);
        QCOMPARE(counts(assignWithinStrata(odd, all, one)->arm, 2)[0], 1268.0);
    }
    void plansThatCannotBe() {
        for (const AssignmentPlan& bad : {AssignmentPlan{"", {}, 1, {}}, AssignmentPlan{"", {1, 0}, 1, {}}, AssignmentPlan{"", {1, -1}, 1, {}}, AssignmentPlan{"", {1, 1}, 1.5, {}},
                                          AssignmentPlan{"", {1, 1}, 1, {0.5, 0.4}}, AssignmentPlan{"", {1, 1}, 1, {1.1}}, AssignmentPlan{"", {1, NAN}, 1, {}}})
            QCOMPARE(assign(bad, names(3)).error().code, std::string("CL-3136"));
        QCOMPARE(assignWithinStrata({"", {1, 1}, 1, {}}, names(3), std::vector<std::int32_t>{1}).error().code, std::string("CL-3136"));
    }
};

QTEST_APPLESS_MAIN(TestAssignment)
#include "test_assignment.moc"
