// SPDX-License-Identifier: GPL-3.0-or-later
// Point estimates of single actions: values known by hand, limits, properties, and what a bad log is told.
#include "off_policy_logs.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace carousel;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

double valueOf(OffPolicy estimator, const BanditLog& log, double lambda = 0) {
    const auto value = offPolicyValue(estimator, log, lambda);
    return value ? *value : std::numeric_limits<double>::quiet_NaN();
}
bool near(double a, double b, double tolerance = 5e-7) {
    return std::fabs(a - b) <= tolerance;
}
bool says(const Error& error, std::initializer_list<const char*> parts) {
    return error.code == "CL-8030" && std::all_of(parts.begin(), parts.end(), [&](const char* part) {
               return (error.message + error.hint).find(part) != std::string::npos;
           });
}
BanditLog shuffled(const BanditLog& log, std::uint64_t seed) {
    BanditLog result = log;
    RandomStream random(seed, "shuffle");
    for (std::size_t i = log.rounds(); i > 1; --i) {
        const auto j = static_cast<std::size_t>(random.below(i));
        for (auto* column : {&result.reward, &result.propensity, &result.target, &result.predicted, &result.predictedUnderTarget,
                             &result.embeddingWeight, &result.mixturePropensity})
            if (!column->empty())
                std::swap((*column)[i - 1], (*column)[j]);
        if (!result.logger.empty())
            std::swap(result.logger[i - 1], result.logger[j]);
    }
    return result;
}
} // namespace

class TestOffPolicy : public QObject {
    Q_OBJECT
private slots:
    void knownValues() {
        const BanditLog log = fourRounds();
        QCOMPARE(log.rounds(), std::size_t(4));
        QVERIFY(near(valueOf(OffPolicy::ips, log), 1.1375, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::snips, log), .957895));
        QVERIFY(near(valueOf(OffPolicy::snips, log), 91.0 / 95.0, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::dm, log), .475, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::dr, log), 1.13375, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::sndr, log), 1.029737));
        QVERIFY(near(valueOf(OffPolicy::switchDr, log, 1.5), .55375, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::drOs, log, 2), .735500));
        QVERIFY(near(valueOf(OffPolicy::sgIps, log, .5), .869048));
        // By hand: cut at 1: (1 + 0 + .75 + 1) / 4. SG-DR: .475 + mean of w' (r - q) with w' = 9/7, 1/3, 6/7, 4/3.
        QVERIFY(near(valueOf(OffPolicy::clippedIps, log, 1), .6875, 1e-12));
        const double sgDr = .475 + (9. / 7 * .4 - 1. / 3 * .3 + 6. / 7 * .5 + 4. / 3 * .8) / 4;
        QVERIFY(near(valueOf(OffPolicy::sgDr, log, .5), sgDr, 1e-12));
    }
    void tablesInOneSweep() {
        RandomStream random(8, "tables");
        for (const std::size_t actions : {1, 3, 4, 10, 33}) {
            BanditLog log;
            log.reward.assign(700, 0);
            std::vector<double> policy, model;
            std::vector<std::int32_t> action;
            for (std::size_t i = 0; i < 700; ++i) {
                action.push_back(static_cast<std::int32_t>(random.below(actions)));
                for (std::size_t a = 0; a < actions; ++a) {
                    policy.push_back(random.uniform());
                    model.push_back(random.normal());
                }
            }
            QVERIFY(readPolicy(policy, model, action, actions, log).has_value());
            std::vector<double> target(700), predicted(700), under(700);
            QVERIFY(ofLoggedAction(policy, action, actions, target) && ofLoggedAction(model, action, actions, predicted) &&
                    expectedReward(policy, model, actions, under));
            QVERIFY(log.target == target && log.predicted == predicted && log.predictedUnderTarget == under);
            for (const std::size_t i : {0, 350, 699}) {
                const auto at = i * actions;
                double sum = 0;
                for (std::size_t a = 0; a < actions; ++a)
                    sum += policy[at + a] * model[at + a];
                QVERIFY(near(under[i], sum, 1e-12));
                QCOMPARE(target[i], policy[at + static_cast<std::size_t>(action[i])]);
            }
            action[3] = static_cast<std::int32_t>(actions);
            QVERIFY(says(readPolicy(policy, model, action, actions, log).error(), {"'action'", "round 4"}));
        }
    }
    void replayUsesMatchingRounds() {
        BanditLog log = fourRounds();
        log.target = {1, 0, 0, 1};
        log.reward = {1, 1, 1, 0};
        QCOMPARE(valueOf(OffPolicy::rm, log), 0.5);
        log.propensity.clear(); // not needed
        QCOMPARE(valueOf(OffPolicy::rm, log), 0.5);
        log.target[2] = .25;
        const auto refused = offPolicyValue(OffPolicy::rm, log);
        QVERIFY(!refused && says(refused.error(), {"deterministic", "round 3", "0.25"}));
        log.target = {0, 0, 0, 0};
        const auto none = offPolicyValue(OffPolicy::rm, log);
        QVERIFY(!none && says(none.error(), {"none of the 4 logged actions", "0 / 0"}));
    }
    void embeddingsReplaceTheWeight() {
        BanditLog log;
        log.reward = {1, 0, .5};
        log.embeddingWeight = {1.5, .5, 1};
        QVERIFY(near(valueOf(OffPolicy::mips, log), 2.0 / 3, 1e-12));
    }
    void severalLoggers() {
        // Logger 0: w r = 2 0 1 1, mean 1, variance .5. Logger 1: w r = 4 0, mean 2, variance 4. By hand: shares 4 / .5 and 2 / 4.
        BanditLog log;
        log.reward = {1, 0, 1, 1, 1, 0};
        log.target = {.5, .5, .25, .25, .8, .2};
        log.propensity = {.25, .5, .25, .25, .2, .8};
        log.logger = {0, 0, 0, 0, 1, 1};
        QVERIFY(near(valueOf(OffPolicy::weightedIps, log), (8 * 1 + .5 * 2) / 8.5, 1e-12));
        // Mixture of both loggers, 2 : 1, when the other logger chose with probabilities .4 .2 .4 .1 and .1 .2.
        log.mixturePropensity = {(.5 + .4) / 3, (1 + .2) / 3, (.5 + .4) / 3, (.5 + .1) / 3, (.1 * 2 + .2) / 3, (.2 * 2 + .8) / 3};
        const double balanced = (.5 / .3 + .25 / .3 + .25 / .2 + .8 / (.4 / 3)) / 6;
        QVERIFY(near(valueOf(OffPolicy::balancedIps, log), balanced, 1e-12));
        // DR with a model of 0 is IPS; with a model of .5 the residuals are +-.5 and the model adds .5.
        log.predicted.assign(6, 0);
        log.predictedUnderTarget.assign(6, 0);
        QVERIFY(near(valueOf(OffPolicy::weightedDr, log), valueOf(OffPolicy::weightedIps, log), 1e-12));
        log.predicted.assign(6, .5);
        log.predictedUnderTarget.assign(6, .5);
        // terms - .5: logger 0: 1 -.5 .5 .5, mean .375, variance .296875; logger 1: 2 -.125, mean .9375, variance 1.12890625
        const double first = 4 / .296875, second = 2 / 1.12890625;
        QVERIFY(near(valueOf(OffPolicy::weightedDr, log), .5 + (first * .375 + second * .9375) / (first + second), 1e-12));
        // A logger without a click has no variance; it must not take all the weight.
        log.reward = {1, 0, 1, 1, 0, 0};
        QVERIFY(near(valueOf(OffPolicy::weightedIps, log), 4.0 / 6, 1e-12));
    }
    void limitsOfLambda() {
        const BanditLog log = simulatedLog(3, 5000).log;
        const double ips = valueOf(OffPolicy::ips, log), dr = valueOf(OffPolicy::dr, log), dm = valueOf(OffPolicy::dm, log);
        QCOMPARE(valueOf(OffPolicy::clippedIps, log, infinity), ips);
        QCOMPARE(valueOf(OffPolicy::switchDr, log, infinity), dr);
        QCOMPARE(valueOf(OffPolicy::switchDr, log, 0), dm);
        QCOMPARE(valueOf(OffPolicy::drOs, log, infinity), dr);
        QCOMPARE(valueOf(OffPolicy::drOs, log, 0), dm);
        QVERIFY(near(valueOf(OffPolicy::sgIps, log, 0), ips, 1e-12));
        QVERIFY(near(valueOf(OffPolicy::sgDr, log, 0), dr, 1e-12));
        const double mean = std::accumulate(log.reward.begin(), log.reward.end(), 0.0) / 5000;
        QVERIFY(near(valueOf(OffPolicy::sgIps, log, 1), mean, 1e-12)); // every weight is 1
        BanditLog zero = log;
        zero.target[7] = 0; // 0 / 0 in the formulas of shrinkage
        QVERIFY(std::isfinite(valueOf(OffPolicy::drOs, zero, 0)) && std::isfinite(valueOf(OffPolicy::sgIps, zero, 1)));
        for (const double wrong : {-1.0, std::numeric_limits<double>::quiet_NaN()})
            QVERIFY(!offPolicyValue(OffPolicy::clippedIps, log, wrong));
        const auto refused = offPolicyValue(OffPolicy::sgDr, log, 1.5);
        QVERIFY(!refused && says(refused.error(), {"lambda is 1.5", "0 to 1"}));
    }
    void sameRoundsInAnotherOrder() {
        BanditLog log = simulatedLog(4, 40000).log; // several chunks
        log.embeddingWeight = log.target;
        log.mixturePropensity = log.propensity;
        for (std::size_t i = 0; i < log.rounds(); ++i)
            log.logger.push_back(static_cast<std::uint8_t>(i % 3));
        const BanditLog other = shuffled(log, 5);
        QVERIFY(other.reward != log.reward);
        for (const auto& info : offPolicyEstimators())
            if (info.estimator != OffPolicy::rm) {
                const double a = valueOf(info.estimator, log, .7), b = valueOf(info.estimator, other, .7);
                QVERIFY2(near(a, b, 1e-12) && a > 0, info.id.c_str());
            }
    }
    void targetThatIsTheLoggingPolicyEarnsTheMean() {
        BanditLog log = simulatedLog(6, 30000).log;
        log.target = log.propensity;
        log.predicted.assign(log.rounds(), .2); // a model of the context alone, so that its mean under the policy is itself
        log.predictedUnderTarget = log.predicted;
        const double mean = std::accumulate(log.reward.begin(), log.reward.end(), 0.0) / 30000;
        QCOMPARE(valueOf(OffPolicy::ips, log), mean);
        QCOMPARE(valueOf(OffPolicy::snips, log), mean);
        QVERIFY(near(valueOf(OffPolicy::dr, log), mean, 1e-14));
    }
    void selfNormalisedStaysInTheRangeOfRewards() {
        for (std::uint64_t trial = 0; trial < 200; ++trial) {
            RandomStream random(trial, "range");
            BanditLog log;
            log.rewardLow = -2;
            log.rewardHigh = 5;
            for (int i = 0; i < 6; ++i) {
                log.reward.push_back(-2 + 7 * random.uniform());
                log.propensity.push_back(std::pow(10, -6 * random.uniform()));
                log.target.push_back(random.uniform());
            }
            const double value = valueOf(OffPolicy::snips, log);
            const auto [low, high] = std::minmax_element(log.reward.begin(), log.reward.end());
            QVERIFY(value >= *low - 1e-9 && value <= *high + 1e-9);
        }
    }
    void unbiased() {
        double sum = 0, squares = 0, snips = 0, dr = 0;
        double truth = 0;
        constexpr int repetitions = 300;
        for (int k = 0; k < repetitions; ++k) {
            const SimulatedLog simulated = simulatedLog(1000 + static_cast<std::uint64_t>(k), 500);
            const double v = valueOf(OffPolicy::ips, simulated.log);
            sum += v;
            squares += v * v;
            snips += valueOf(OffPolicy::snips, simulated.log);
            dr += valueOf(OffPolicy::dr, simulated.log);
            truth = simulated.value;
        }
        const double mean = sum / repetitions, error = std::sqrt((squares / repetitions - mean * mean) / repetitions);
        QVERIFY(std::fabs(mean - truth) < 3.3 * error);
        QVERIFY(std::fabs(snips / repetitions - truth) < 5 * error);
        QVERIFY(std::fabs(dr / repetitions - truth) < 3.3 * error);
    }
    void saysWhatIsMissing() {
        BanditLog log = fourRounds();
        log.propensity.clear();
        const auto ips = offPolicyValue(OffPolicy::ips, log);
        QVERIFY(!ips);
        QCOMPARE(ips.error().message, std::string("needs propensities: this log has none, so IPS is not available"));
        QVERIFY(offPolicyValue(OffPolicy::dm, log).has_value());
        log = fourRounds();
        log.predicted.clear();
        QVERIFY(says(offPolicyValue(OffPolicy::dr, log).error(), {"needs predicted rewards", "DR is not available"}));
        QVERIFY(says(offPolicyValue(OffPolicy::mips, log).error(), {"embeddings"}));
        QVERIFY(says(offPolicyValue(OffPolicy::balancedIps, log).error(), {"mixture"}));
        QVERIFY(says(offPolicyValue(OffPolicy::weightedIps, log).error(), {"logging policy of each round"}));
        log.target = {0, 0, 0, 0};
        QVERIFY(says(offPolicyValue(OffPolicy::snips, log).error(), {"none of the 4 logged actions"}));
        QCOMPARE(valueOf(OffPolicy::ips, log), 0.0);
    }
    void namesColumnRowAndValue() {
        auto broken = [](auto change) {
            BanditLog log = fourRounds();
            change(log);
            const auto checked = checkBanditLog(log);
            return checked ? Error{} : checked.error();
        };
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        QVERIFY(says(broken([](BanditLog& l) { l.propensity[2] = 0; }), {"'propensity'", "round 3", ": 0 "}));
        QVERIFY(says(broken([](BanditLog& l) { l.propensity[1] = 1.25; }), {"'propensity'", "round 2", "1.25"}));
        QVERIFY(says(broken([](BanditLog& l) { l.propensity[1] = nan; }), {"'propensity'", "round 2", "nan"}));
        QVERIFY(says(broken([](BanditLog& l) { l.target[3] = -.5; }), {"'target'", "round 4", "-0.5"}));
        QVERIFY(says(broken([](BanditLog& l) { l.reward[0] = 7; }), {"'reward'", "round 1", "7", "0 to 1"}));
        QVERIFY(says(broken([](BanditLog& l) { l.reward[0] = nan; }), {"'reward'", "round 1", "nan"}));
        QVERIFY(says(broken([](BanditLog& l) { l.predicted[1] = -infinity; }), {"'predicted'", "round 2", "inf"}));
        QVERIFY(says(broken([](BanditLog& l) { l.target.pop_back(); }), {"'target'", "3 values", "4 rounds"}));
        QVERIFY(says(broken([](BanditLog& l) { l.cluster = {0, 1, -4, 2}; }), {"'cluster'", "round 3", "-4"}));
        QVERIFY(says(broken([](BanditLog& l) { l.logger = {0, 1}; }), {"'logger'", "2 values"}));
        QVERIFY(says(broken([](BanditLog& l) { l.rewardHigh = -1; }), {"range of a reward"}));
        QVERIFY(says(broken([](BanditLog& l) { l = BanditLog{}; }), {"no rounds"}));
        BanditLog large = simulatedLog(7, 200000).log; // the first bad row, whatever thread finds one first
        large.propensity[150001] = large.propensity[70002] = large.propensity[199999] = 2;
        QVERIFY(says(checkBanditLog(large).error(), {"round 70003", ": 2 "}));
        std::vector<double> out(2);
        const std::vector<double> values(6, .5), five(5, .5);
        QVERIFY(says(ofLoggedAction(values, std::vector<std::int32_t>{0, 3}, 3, out).error(), {"'action'", "round 2", "3", "0 to 2"}));
        QVERIFY(says(ofLoggedAction(values, std::vector<std::int32_t>{0, -1}, 3, out).error(), {"'action'", "round 2", "-1"}));
        QVERIFY(says(expectedReward(values, five, 3, out).error(), {"'predicted'", "5 values", "2 rounds"}));
        QVERIFY(says(expectedReward(values, values, 0, out).error(), {"'policy'"}));
    }
    void tinyPropensitiesAreNoSilentNan() {
        BanditLog log = fourRounds();
        log.propensity = {1e-308, 5e-324, .8, .2};
        for (const auto& info : offPolicyEstimators()) {
            const auto value = offPolicyValue(info.estimator, log, 1);
            QVERIFY2(value ? std::isfinite(*value) : !value.error().message.empty(), info.id.c_str());
        }
    }
    void listFollowsTheEnum() {
        const auto& all = offPolicyEstimators();
        QCOMPARE(all.size(), std::size_t(15));
        for (std::size_t i = 0; i < all.size(); ++i) {
            QCOMPARE(static_cast<std::size_t>(all[i].estimator), i);
            QVERIFY(!all[i].id.empty() && !all[i].name.empty() && !all[i].formula.empty() && all[i].assumption.back() == '.');
        }
    }
};

QTEST_APPLESS_MAIN(TestOffPolicy)
#include "test_off_policy.moc"
