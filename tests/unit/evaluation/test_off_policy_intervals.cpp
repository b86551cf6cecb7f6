// SPDX-License-Identifier: GPL-3.0-or-later
// How sure: lambda chosen from the log, standard errors, bootstrap, empirical Bernstein, confidence sequences, the difference of two
// policies.
#include "evaluation/off_policy/intervals.h"
#include "evaluation/off_policy/tuning.h"
#include "off_policy_logs.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace carousel;
using namespace carousel::off_policy;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<OffPolicy> everything = [] {
    std::vector<OffPolicy> all;
    for (const auto& info : offPolicyEstimators())
        all.push_back(info.estimator);
    return all;
}();
bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance;
}
bool holds(const Interval& interval, double value) { // rounding apart
    return interval.low <= value + 1e-12 && value <= interval.high + 1e-12;
}
PolicyEstimate estimated(OffPolicy estimator, const BanditLog& log, const OffPolicyOptions& options) {
    auto result = estimatePolicy({estimator}, log, options, RunControl());
    if (result)
        return result->front();
    PolicyEstimate failed;
    failed.refused = result.error().message;
    return failed;
}
bool noted(const PolicyEstimate& estimate, const char* part) {
    return std::any_of(estimate.notes.begin(), estimate.notes.end(),
                       [&](const auto& note) { return note.find(part) != std::string::npos; });
}
} // namespace

class TestOffPolicyIntervals : public QObject {
    Q_OBJECT
private slots:
    void studentQuantiles() {
        QVERIFY(near(studentQuantile(.1, 3), 1.6377443536962102, 1e-9)); // tables: 1.638, 1.372, 1.282
        QVERIFY(near(studentQuantile(.1, 10), 1.3721836411102863, 1e-9));
        QVERIFY(near(studentQuantile(.1, 999999), 1.2815515655446004, 1e-5));
        QVERIFY(near(studentQuantile(.025, 1), 12.706204736174698, 1e-8));
    }
    void mseBoundByHand() {
        const BanditLog log = fourRounds();
        const auto choice = tuneLambda(OffPolicy::clippedIps, log, "mse bound", {infinity, 1}, RunControl());
        QVERIFY(choice.has_value());
        // w 1.8 .2 .75 2, terms 1.8 0 .75 2 and cut at 1: 1 0 .75 1; lost: .8 0 0 1 over 4.
        const double square = (1.8 * 1.8 + .2 * .2 + .75 * .75 + 4) / 4,
                     noise = std::sqrt(2 * square * std::log(20) / 4) + 4 * std::log(20) / 12;
        const double whole = (1.8 * 1.8 + .75 * .75 + 4) / 4 - 1.1375 * 1.1375, cut = (1 + .75 * .75 + 1) / 4 - .6875 * .6875;
        QVERIFY(near(choice->score[0], whole / 4 + noise * noise));
        QVERIFY(near(choice->score[1], cut / 4 + (.45 + noise) * (.45 + noise)));
        QCOMPARE(choice->lambda, infinity);
        QCOMPARE(choice->method, std::string("mse bound"));
    }
    void slopeByHand() {
        // Half widths: t(3 degrees, one-sided .1) * sd / sqrt(3). The second candidate must lie within its own + (sqrt 6 - 1) times the
        // first.
        BanditLog log = fourRounds();
        const double t = 1.6377443536962102 / std::sqrt(3.0);
        auto choice = tuneLambda(OffPolicy::clippedIps, log, "slope", {1, infinity}, RunControl());
        QVERIFY(choice.has_value());
        const double whole = std::sqrt((1.8 * 1.8 + .75 * .75 + 4) / 4 - 1.1375 * 1.1375),
                     cut = std::sqrt((1 + .75 * .75 + 1) / 4 - .6875 * .6875);
        QVERIFY(near(choice->score[1], t * whole, 1e-9) && near(choice->score[0], t * cut, 1e-9));
        QCOMPARE(choice->lambda, 1.0); // .45 apart, .35 + 1.45 * .73 allowed
        // Many copies of the same rounds: half widths shrink, the gap of .45 stays, and the unbiased candidate is kept.
        BanditLog many;
        for (int k = 0; k < 400; ++k)
            for (std::size_t i = 0; i < 4; ++i) {
                many.reward.push_back(log.reward[i]);
                many.propensity.push_back(log.propensity[i]);
                many.target.push_back(log.target[i]);
            }
        choice = tuneLambda(OffPolicy::clippedIps, many, "slope", {1, infinity}, RunControl());
        QCOMPARE(choice->lambda, infinity);
        choice = tuneLambda(OffPolicy::clippedIps, many, "mse bound", {1, infinity}, RunControl());
        QCOMPARE(choice->lambda, infinity);
    }
    void rareHugeWeightsAreCut() {
        // One round in 2,000 has weight 1,000 and pays: the unbiased estimate hangs on two rounds.
        BanditLog log;
        RandomStream random(11, "heavy");
        for (int i = 0; i < 4000; ++i) {
            const bool heavy = i % 2000 == 77;
            log.propensity.push_back(heavy ? 1e-3 : .5);
            log.target.push_back(heavy ? 1 : .25);
            log.reward.push_back(heavy || random.uniform() < .2 ? 1 : 0);
        }
        OffPolicyOptions options{.draws = 0};
        for (const char* method : {"mse bound", "slope"}) {
            options.tuning = method;
            const PolicyEstimate cut = estimated(OffPolicy::clippedIps, log, options), ips = estimated(OffPolicy::ips, log, options);
            QVERIFY2(cut.refused.empty() && cut.lambda.candidates.size() >= 8 && cut.lambda.candidates.size() == cut.lambda.score.size(),
                     method);
            QCOMPARE(cut.lambda.candidates.front(), infinity);
            if (options.tuning == "slope") {
                QVERIFY2(cut.lambda.lambda < 1000, method);
                QVERIFY(cut.standardError < .5 * ips.standardError);
            }
            QVERIFY(std::find(cut.lambda.candidates.begin(), cut.lambda.candidates.end(), cut.lambda.lambda) !=
                    cut.lambda.candidates.end());
        }
    }
    void givenLambdas() {
        const BanditLog log = fourRounds();
        OffPolicyOptions options{.lambda = {1, 1.5, 2, .5, .25}, .draws = 0};
        const auto all = estimatePolicy(everything, log, options, RunControl());
        QVERIFY(all.has_value());
        for (std::size_t i = 0; i < everything.size(); ++i) {
            const PolicyEstimate& estimate = (*all)[i];
            if (!estimate.refused.empty())
                continue;
            QVERIFY2(near(estimate.value, *offPolicyValue(everything[i], log, estimate.lambda.lambda)), estimate.id.c_str());
        }
        QCOMPARE((*all)[7].lambda.lambda, 1.5);
        QVERIFY(near((*all)[7].value, .55375));
        QCOMPARE((*all)[10].lambda.method, std::string("given"));
        options.lambda = {2};
        QCOMPARE(estimated(OffPolicy::drOs, log, options).lambda.lambda, 2.0);
        const PolicyEstimate refused = estimated(OffPolicy::sgIps, log, options);
        QVERIFY(refused.refused.find("lambda is 2") != std::string::npos && std::isnan(refused.value));
        options.lambda = {1, 2};
        QVERIFY(!estimatePolicy(everything, log, options, RunControl()));
    }
    void standardErrorOfAMeanAndOfARatio() {
        const BanditLog log = fourRounds();
        OffPolicyOptions options{.draws = 0};
        // Terms 1.8 0 .75 2 around 1.1375, n - 1 = 3.
        const double squares = .6625 * .6625 + 1.1375 * 1.1375 + .3875 * .3875 + .8625 * .8625;
        QVERIFY(near(estimated(OffPolicy::ips, log, options).standardError, std::sqrt(squares / 12)));
        // SNIPS: w (r - V) / mean w with V = 91/95, mean 1.1875.
        const double v = 91.0 / 95, m = 1.1875;
        double sum = 0;
        const double w[] = {1.8, .2, .75, 2}, r[] = {1, 0, 1, 1};
        for (int i = 0; i < 4; ++i)
            sum += std::pow(w[i] * (r[i] - v) / m, 2);
        QVERIFY(near(estimated(OffPolicy::snips, log, options).standardError, std::sqrt(sum / 12)));
    }
    void clusteredErrorByHand() {
        BanditLog log;
        log.reward = {1, 1, 0, 0, 1};
        log.propensity = log.target = {.5, .5, .5, .5, .5};
        log.cluster = {900, 900, 7, 7, 12}; // any numbers
        // Sums of deviations from .6: .8, -1.2, .4; G = 3, n = 5.
        const PolicyEstimate estimate = estimated(OffPolicy::ips, log, {.draws = 0});
        QVERIFY(near(estimate.standardError, std::sqrt((.64 + 1.44 + .16) * 3 / 2) / 5));
    }
    void clustersOfEqualRoundsAreOneObservationEach() {
        const SimulatedLog simulated = simulatedLog(12, 1000);
        BanditLog five;
        for (std::size_t i = 0; i < 1000; ++i)
            for (int k = 0; k < 5; ++k) {
                five.reward.push_back(simulated.log.reward[i]);
                five.propensity.push_back(simulated.log.propensity[i]);
                five.target.push_back(simulated.log.target[i]);
                five.cluster.push_back(static_cast<std::int32_t>(i));
            }
        const OffPolicyOptions options{.draws = 400};
        for (const OffPolicy estimator : {OffPolicy::ips, OffPolicy::snips}) {
            const PolicyEstimate single = estimated(estimator, simulated.log, options), clustered = estimated(estimator, five, options);
            QVERIFY(near(single.standardError, clustered.standardError, 1e-9));
            QVERIFY(near(single.bootstrap.low, clustered.bootstrap.low, 1e-9) &&
                    near(single.bootstrap.high, clustered.bootstrap.high, 1e-9));
            QVERIFY(near(single.anytime.low, clustered.anytime.low, 1e-9));
        }
        QVERIFY(near(estimated(OffPolicy::ips, simulated.log, options).bernstein.low,
                     estimated(OffPolicy::ips, five, options).bernstein.low, 1e-9));
        five.cluster.clear(); // as if the copies were independent: far too sure
        QVERIFY(estimated(OffPolicy::ips, five, options).standardError <
                .5 * estimated(OffPolicy::ips, simulated.log, options).standardError);
    }
    void bernsteinByHand() {
        // Range of w r: 1 / .2 = 5. Alpha .05 on two sides.
        const PolicyEstimate estimate = estimated(OffPolicy::ips, fourRounds(), {.draws = 0});
        const double variance = (.6625 * .6625 + 1.1375 * 1.1375 + .3875 * .3875 + .8625 * .8625) / 3, logarithm = std::log(80);
        const double half = std::sqrt(2 * variance * logarithm / 4) + 7 * 5 * logarithm / 9;
        QVERIFY(near(estimate.bernstein.high, 1.1375 + half, 1e-9) && near(estimate.bernstein.low, 1.1375 - half, 1e-9));
        // Clipping at 1 bounds the terms by 1.
        const PolicyEstimate cut = estimated(OffPolicy::clippedIps, fourRounds(), {.lambda = {1}, .draws = 0});
        const double cutVariance = (.3125 * .3125 * 2 + .6875 * .6875 + .0625 * .0625) / 3;
        QVERIFY(near(cut.bernstein.high - cut.value, std::sqrt(2 * cutVariance * logarithm / 4) + 7 * logarithm / 9, 1e-9));
        const PolicyEstimate ratio = estimated(OffPolicy::snips, fourRounds(), {.draws = 0});
        QVERIFY(std::isnan(ratio.bernstein.low) && noted(ratio, "a ratio has no bounded terms"));
    }
    void intervalsCoverAsOftenAsTheySay() {
        int percentile = 0, bernstein = 0, anytime = 0, snips = 0;
        constexpr int repetitions = 300;
        for (int k = 0; k < repetitions; ++k) {
            const SimulatedLog simulated = simulatedLog(5000 + static_cast<std::uint64_t>(k), 600);
            const auto both = estimatePolicy({OffPolicy::ips, OffPolicy::snips}, simulated.log,
                                             {.draws = 200, .seed = static_cast<std::uint64_t>(k)}, RunControl());
            percentile += holds((*both)[0].bootstrap, simulated.value);
            bernstein += holds((*both)[0].bernstein, simulated.value);
            anytime += holds((*both)[0].anytime, simulated.value);
            snips += holds((*both)[1].bootstrap, simulated.value);
        }
        // 95 % of 300 is 285, sd 3.8; the other two promise more and must keep it.
        QVERIFY2(percentile >= 270 && percentile <= 296, QByteArray::number(percentile));
        QVERIFY2(snips >= 270 && snips <= 296, QByteArray::number(snips));
        QVERIFY2(anytime >= 295, QByteArray::number(anytime));
        QVERIFY2(bernstein >= 297, QByteArray::number(bernstein));
    }
    void multipliersOfTheConfidenceSequence() {
        // Tuned for 5,000: known operating points at 500, 5,000, 20,000 and 200,000 observations; tuned for 10,000 at the same.
        const double units[] = {500, 5000, 20000, 200000}, tuned5[] = {3.855, 3.035, 3.127, 3.434},
                     tuned10[] = {4.719, 3.084, 3.061, 3.337};
        for (int i = 0; i < 4; ++i) {
            QVERIFY(near(anytimeMultiplier(units[i], 5000, .95), tuned5[i], 5.1e-4));
            QVERIFY(near(anytimeMultiplier(units[i], 10000, .95), tuned10[i], 5.1e-4));
        }
    }
    void confidenceSequenceSurvivesLooking() {
        // 300 streams of 4,000 rewards, looked at every 50: the sequence holds at every look; a plain interval does not.
        int lost = 0, plain = 0;
        constexpr int streams = 300;
        for (int k = 0; k < streams; ++k) {
            RandomStream random(static_cast<std::uint64_t>(k), "looks");
            double sum = 0, squares = 0;
            bool left = false, leftPlain = false;
            for (int n = 1; n <= 4000; ++n) {
                const double x = random.uniform() < .3 ? 1 : 0;
                sum += x;
                squares += x * x;
                if (n < 200 || n % 50 != 0)
                    continue;
                const double mean = sum / n, error = std::sqrt((squares / n - mean * mean) / (n - 1));
                left |= std::fabs(mean - .3) > error * anytimeMultiplier(n, 4000, .95);
                leftPlain |= std::fabs(mean - .3) > error * 1.96;
            }
            lost += left;
            plain += leftPlain;
        }
        QVERIFY2(lost <= 15, QByteArray::number(lost)); // 5 % of 300
        QVERIFY2(plain > 60, QByteArray::number(plain));
    }
    void allOnOneLog() {
        BanditLog log = simulatedLog(21, 3000).log;
        log.embeddingWeight = log.target;
        log.mixturePropensity = log.propensity;
        for (std::size_t i = 0; i < log.rounds(); ++i)
            log.logger.push_back(static_cast<std::uint8_t>(i % 2));
        const OffPolicyOptions options{.draws = 300, .seed = 4};
        const auto all = estimatePolicy(everything, log, options, RunControl()),
                   again = estimatePolicy(everything, log, options, RunControl());
        QVERIFY(all.has_value() && again.has_value());
        QCOMPARE(all->size(), everything.size());
        for (std::size_t i = 0; i < all->size(); ++i) {
            const PolicyEstimate& e = (*all)[i];
            if (everything[i] == OffPolicy::rm) {
                QVERIFY(e.refused.find("deterministic") != std::string::npos && std::isnan(e.value));
                continue;
            }
            QVERIFY2(e.refused.empty() && std::isfinite(e.value) && std::isfinite(e.standardError) && !e.assumption.empty(), e.id.c_str());
            QVERIFY2(near(e.value, *offPolicyValue(everything[i], log, e.lambda.lambda)), e.id.c_str());
            QVERIFY2(holds(e.bootstrap, e.value) && holds(e.anytime, e.value),
                     fmt::format("{}: {} in {} to {}, {} to {}", e.id, e.value, e.bootstrap.low, e.bootstrap.high, e.anytime.low, e.anytime.high)
                         .c_str());
            if (everything[i] != OffPolicy::dm) // whose only error is in the model: this one predicts the same everywhere
                QVERIFY2(std::fabs((e.bootstrap.high - e.bootstrap.low) / (2 * 1.96 * e.standardError) - 1) < .25, e.id.c_str());
            QVERIFY2(std::isfinite(e.bernstein.low) || noted(e, "Bernstein"), e.id.c_str());
            QCOMPARE(e.bootstrap.low, (*again)[i].bootstrap.low);
            // Alone or together: the draws are the same.
            QVERIFY(near(estimated(everything[i], log, options).bootstrap.high, e.bootstrap.high));
        }
    }
    void saysWhenAValueCannotBe() {
        const PolicyEstimate ips = estimated(OffPolicy::ips, fourRounds(), {.draws = 50});
        QVERIFY(noted(ips, "value 1.137 lies outside the range of a reward [0, 1]") ||
                noted(ips, "value 1.138 lies outside the range of a reward [0, 1]"));
        QVERIFY(!noted(estimated(OffPolicy::snips, fourRounds(), {.draws = 50}), "outside"));
        BanditLog one = fourRounds();
        one.cluster = {3, 3, 3, 3};
        const PolicyEstimate alone = estimated(OffPolicy::ips, one, {.draws = 50});
        QVERIFY(near(alone.value, 1.1375) && std::isnan(alone.standardError) && std::isnan(alone.bootstrap.low) &&
                noted(alone, "no interval"));
        BanditLog without = fourRounds();
        without.propensity.clear();
        const auto all = estimatePolicy({OffPolicy::ips, OffPolicy::dm}, without, {.draws = 50}, RunControl());
        QCOMPARE((*all)[0].refused, std::string("needs propensities: this log has none, so IPS is not available"));
        QVERIFY(near((*all)[1].value, .475));
    }
    void optionsAreChecked() {
        for (const OffPolicyOptions& wrong :
             {OffPolicyOptions{.tuning = "best"}, OffPolicyOptions{.draws = -1}, OffPolicyOptions{.confidence = 1}})
            QVERIFY(!estimatePolicy({OffPolicy::ips}, fourRounds(), wrong, RunControl()));
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = estimatePolicy({OffPolicy::ips}, fourRounds(), {}, RunControl(stop.get_token()));
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::cancelled);
    }
    void differenceByHand() {
        // dw = (.8, -.4, .5, -2), dw r = .8 0 .5 -2.
        const BanditLog log = fourRounds();
        const std::vector<double> second{.5, .3, .2, .8};
        const auto difference = estimateDifference(log, second, {.draws = 200}, RunControl());
        QVERIFY(difference.has_value());
        const double mean = -1.1 / 4, reward = -.7 / 4, square = (.64 + .16 + .25 + 4) / 4, squareReward = (.64 + .25 + 4) / 4;
        const double beta = (squareReward - reward * mean) / (square - mean * mean);
        QVERIFY(near(difference->ips, reward) && near(difference->beta, beta) && near(difference->controlled, reward - beta * mean));
        BanditLog other = log;
        other.target = second;
        QVERIFY(near(difference->ips, *offPolicyValue(OffPolicy::ips, log) - *offPolicyValue(OffPolicy::ips, other)));
        const auto same = estimateDifference(log, log.target, {.draws = 50}, RunControl());
        QCOMPARE(same->controlled, 0.0);
        QCOMPARE(same->controlledInterval.high, 0.0);
        QCOMPARE(same->beta, 0.0);
    }
    void differenceIsSteadierThanTwoEstimates() {
        const SimulatedLog simulated = simulatedLog(31, 4000);
        BanditLog other = simulated.log;
        other.target = simulated.otherTarget;
        const OffPolicyOptions options{.draws = 400};
        const auto difference = estimateDifference(simulated.log, simulated.otherTarget, options, RunControl());
        const double apart = std::hypot(estimated(OffPolicy::ips, simulated.log, options).standardError,
                                        estimated(OffPolicy::ips, other, options).standardError);
        QVERIFY(difference->standardErrorIps < .25 * apart);
        QVERIFY(difference->standardErrorControlled < difference->standardErrorIps);
        auto width = [](const Interval& i) { return i.high - i.low; };
        QVERIFY(width(difference->controlledInterval) < width(difference->ipsInterval));
        const double truth = simulated.value - simulated.otherValue;
        QVERIFY(std::fabs(difference->controlled - truth) < 4 * difference->standardErrorControlled);
        int covered = 0;
        for (std::uint64_t k = 0; k < 200; ++k) {
            const SimulatedLog each = simulatedLog(9000 + k, 500);
            covered +=
                holds(estimateDifference(each.log, each.otherTarget, {.draws = 200, .seed = k}, RunControl())->controlledInterval, truth);
        }
        QVERIFY2(covered >= 178 && covered <= 199, QByteArray::number(covered)); // 190 expected, sd 3.1
    }
    void differenceIsChecked() {
        BanditLog log = fourRounds();
        const auto wrong = estimateDifference(log, std::vector<double>{.5, .3, 1.5, .8}, {}, RunControl());
        QVERIFY(!wrong && wrong.error().code == "CL-8030" && wrong.error().message.find("round 3: 1.5") != std::string::npos);
        QVERIFY(!estimateDifference(log, std::vector<double>{.5}, {}, RunControl()));
        log.propensity.clear();
        QVERIFY(!estimateDifference(log, log.target, {}, RunControl()));
    }
};

QTEST_APPLESS_MAIN(TestOffPolicyIntervals)
#include "test_off_policy_intervals.moc"
