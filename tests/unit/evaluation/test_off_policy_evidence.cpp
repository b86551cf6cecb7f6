// SPDX-License-Identifier: GPL-3.0-or-later
// The gate: which colour, for which number, said in which words.
#include "base/random.h"
#include "evaluation/off_policy/evidence.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <limits>

using namespace carousel;

namespace {
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
const EvidenceReason* find(const EvidenceGate& gate, const std::string& what) {
    const auto at = std::find_if(gate.reasons.begin(), gate.reasons.end(), [&](const auto& r) { return r.what == what; });
    return at == gate.reasons.end() ? nullptr : &*at;
}
bool is(const EvidenceGate& gate, const std::string& what, Evidence level, std::initializer_list<const char*> parts = {}) {
    const EvidenceReason* reason = find(gate, what);
    return reason && reason->level == level && !reason->text.empty() &&
           std::all_of(parts.begin(), parts.end(), [&](const char* part) { return reason->text.find(part) != std::string::npos; });
}
PolicyEstimate estimate(const char* name, double value, double error) {
    PolicyEstimate result;
    result.name = name;
    result.value = value;
    result.standardError = error;
    return result;
}
struct Rows {
    std::vector<double> weight, reward;
};
// Weights 0.5 and 1.5 by turns, every tenth row earns.
Rows healthy(std::size_t n) {
    Rows rows;
    for (std::size_t i = 0; i < n; ++i) {
        rows.weight.push_back(i % 2 ? 1.5 : .5);
        rows.reward.push_back(i % 10 == 0 ? 1 : 0);
    }
    return rows;
}
} // namespace

class TestOffPolicyEvidence : public QObject {
    Q_OBJECT
private slots:
    void numbersByHand() {
        const std::vector<double> w{1.8, .2, .75, 2}, r{1, 0, 1, 1};
        const EvidenceGate gate = evidenceGate(w, r, unknown, {});
        QVERIFY(std::fabs(gate.effectiveSampleSize - 2.876953) < 5e-7);
        QVERIFY(std::fabs(gate.effectiveShare - 2.876953 / 4) < 5e-7);
        QVERIFY(std::fabs(gate.largestShare - 2 / 4.75) < 1e-12);
        QVERIFY(std::fabs(gate.meanWeight - 1.1875) < 1e-12);
        QVERIFY(std::fabs(gate.overlap - (1 + .2 + .75 + 1) / 4) < 1e-12);
        const double squares = .6125 * .6125 + .9875 * .9875 + .4375 * .4375 + .8125 * .8125;
        QVERIFY(std::fabs(gate.meanWeightError - std::sqrt(squares / 12)) < 1e-12);
        QCOMPARE(gate.clicksBehind, 3.0);
        QVERIFY(gate.level == Evidence::red && is(gate, "Effective sample size", Evidence::red, {"2.88", "500", "50"}));
        QVERIFY(is(gate, "Largest weight", Evidence::red, {"42.1 %", "weight 2", "25 %"}));
    }
    void greenWhenAllIsWell() {
        const Rows rows = healthy(2000);
        const std::vector<PolicyEstimate> agree{estimate("IPS", .10, .01), estimate("DR", .11, .01)};
        const EvidenceGate gate = evidenceGate(rows.weight, rows.reward, 0.0, agree);
        for (const auto& reason : gate.reasons)
            QVERIFY2(reason.level == Evidence::green && !reason.text.empty(), reason.text.c_str());
        QCOMPARE(gate.level, Evidence::green);
        QCOMPARE(gate.reasons.size(), std::size_t(6));
        QVERIFY(std::fabs(gate.effectiveSampleSize - 1600) < 1e-9);
        QVERIFY(std::fabs(gate.spread - 1) < 1e-9);
        QCOMPARE(find(gate, "Effective sample size")->threshold, 500.0);
        QCOMPARE(std::string(name(gate.level)) + " " + words(gate.level), std::string("green supported"));
    }
    void effectiveSampleSize() {
        const Rows few = healthy(400); // 320 effective
        EvidenceGate gate = evidenceGate(few.weight, few.reward, 0.0, {});
        QVERIFY(is(gate, "Effective sample size", Evidence::amber, {"400", "320", "80 %"}));
        QCOMPARE(find(gate, "Effective sample size")->threshold, 500.0);
        const Rows fewer = healthy(50); // 40 effective
        gate = evidenceGate(fewer.weight, fewer.reward, 0.0, {});
        QVERIFY(is(gate, "Effective sample size", Evidence::red, {"40"}));
        QCOMPARE(find(gate, "Effective sample size")->threshold, 50.0);
    }
    void oneRoundCarriesItAll() {
        Rows rows = healthy(10000);
        rows.weight[3] = 800; // 7.4 %
        QVERIFY(is(evidenceGate(rows.weight, rows.reward, 0.0, {}), "Largest weight", Evidence::amber, {"7.41 %", "800"}));
        rows.weight[3] = 5000;
        const EvidenceGate gate = evidenceGate(rows.weight, rows.reward, 0.0, {});
        QVERIFY(is(gate, "Largest weight", Evidence::red, {"33.3 %", "25 %"}) && gate.level == Evidence::red);
    }
    void meanWeightShouldBeOne() {
        Rows rows = healthy(10000);
        for (auto& w : rows.weight)
            w *= .98; // SE .0049: 4 standard errors
        EvidenceGate gate = evidenceGate(rows.weight, rows.reward, 0.0, {});
        QVERIFY(is(gate, "Mean weight", Evidence::red, {"0.98", "should average 1", "4.08", "Propensities are wrong"}));
        const Rows right = healthy(10000);
        QVERIFY(is(evidenceGate(right.weight, right.reward, 0.0, {}), "Mean weight", Evidence::green, {"Propensities look right"}));
        const std::vector<double> ones(1000, 1.0), half(1000, .5), reward(1000, 1.0);
        QVERIFY(is(evidenceGate(ones, reward, 0.0, {}), "Mean weight", Evidence::green));
        QVERIFY(is(evidenceGate(half, reward, 0.0, {}), "Mean weight", Evidence::red, {"no room for chance"}));
    }
    void choicesNeverLogged() {
        const Rows rows = healthy(2000);
        QVERIFY(is(evidenceGate(rows.weight, rows.reward, .02, {}), "Choices never logged", Evidence::green, {"2 %"}));
        QVERIFY(is(evidenceGate(rows.weight, rows.reward, .05, {}), "Choices never logged", Evidence::amber, {"5 %"}));
        QVERIFY(is(evidenceGate(rows.weight, rows.reward, .35, {}), "Choices never logged", Evidence::red, {"35 %", "20 %"}));
        // Unknown: what the mean weight leaves room for. 2,000 rounds: 2 * .0112; 20,000: 2 * .0035.
        QVERIFY(is(evidenceGate(rows.weight, rows.reward, unknown, {}), "Choices never logged", Evidence::amber, {"does not say", "2.24 %"}));
        const Rows more = healthy(20000);
        QVERIFY(is(evidenceGate(more.weight, more.reward, unknown, {}), "Choices never logged", Evidence::green, {"0.707 %"}));
    }
    void rewardsBehindTheEstimate() {
        Rows rows = healthy(2000);
        auto keep = [&](int n) {
            std::fill(rows.reward.begin(), rows.reward.end(), 0);
            std::fill_n(rows.reward.begin(), n, 1);
            return evidenceGate(rows.weight, rows.reward, 0.0, {});
        };
        QVERIFY(is(keep(50), "Rewards behind the estimate", Evidence::green));
        QVERIFY(is(keep(49), "Rewards behind the estimate", Evidence::amber, {"49"}));
        QVERIFY(is(keep(9), "Rewards behind the estimate", Evidence::red, {"9", "10"}));
        rows.weight[0] = 0; // a click that the policy could not have had
        QCOMPARE(keep(50).clicksBehind, 49.0);
    }
    void estimatorsThatDisagree() {
        const Rows rows = healthy(2000);
        auto with = [&](double far) {
            std::vector<PolicyEstimate> all{estimate("IPS", .10, .01), estimate("SNIPS", .10 + far, .02), estimate("DR", .105, .005)};
            all.push_back(estimate("Refused", unknown, unknown));
            all.back().refused = "needs predictions";
            return evidenceGate(rows.weight, rows.reward, 0.0, all);
        };
        QVERIFY(is(with(.02), "Agreement of estimators", Evidence::green));
        QVERIFY(is(with(.05), "Agreement of estimators", Evidence::amber, {"IPS gives 0.1", "SNIPS gives 0.15", "5 standard errors"}));
        QVERIFY(is(with(.09), "Agreement of estimators", Evidence::red, {"9 standard errors", "8"}));
        QVERIFY(std::fabs(with(.05).spread - 5) < 1e-9);
        const std::vector<PolicyEstimate> one{estimate("IPS", .1, .01)};
        const EvidenceGate gate = evidenceGate(rows.weight, rows.reward, 0.0, one);
        QVERIFY(std::isnan(gate.spread) && !find(gate, "Agreement of estimators"));
    }
    void nothingToSay() {
        const Rows rows = healthy(100);
        for (const EvidenceGate& gate : {evidenceGate({}, {}, unknown, {}), evidenceGate(rows.weight, std::vector<double>(3, 1.0), 0.0, {}),
                                         evidenceGate(std::vector<double>{1, unknown}, std::vector<double>{1, 1}, 0.0, {}),
                                         evidenceGate(std::vector<double>(9, 0.0), std::vector<double>(9, 1.0), 0.0, {}),
                                         refusedEvidence("This log has no propensities.")}) {
            QCOMPARE(gate.level, Evidence::red);
            QCOMPARE(gate.reasons.size(), std::size_t(1));
            QVERIFY(!gate.reasons.front().text.empty());
        }
        QVERIFY(evidenceGate({}, {}, unknown, {}).reasons.front().text.find("no propensities") != std::string::npos);
        QCOMPARE(refusedEvidence("Why.").reasons.front().text, std::string("Why."));
        QVERIFY(evidenceGate(std::vector<double>{1, unknown}, std::vector<double>{1, 1}, 0.0, {})
                    .reasons.front()
                    .text.find("Row 2 has weight nan") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestOffPolicyEvidence)
#include "test_off_policy_evidence.moc"
