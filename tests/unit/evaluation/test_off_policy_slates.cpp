// SPDX-License-Identifier: GPL-3.0-or-later
// Whole slates under a ladder of assumptions.
#include "base/random.h"
#include "evaluation/off_policy/slate.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <limits>

using namespace carousel;

namespace {
bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance;
}
double valueOf(SlatePolicy estimator, const SlateLog& log) {
    const auto value = slatePolicyValue(estimator, log);
    return value ? *value : std::numeric_limits<double>::quiet_NaN();
}
// rho = (2, .5), (.5, 2); rewards (1, 0), (0, 1).
SlateLog twoSlates() {
    SlateLog log;
    log.offsets = {0, 2, 4};
    log.reward = {1, 0, 0, 1};
    log.conditional = log.marginal = {.25, .5, .5, .25};
    log.targetConditional = log.targetMarginal = {.5, .25, .25, .5};
    log.rewardHigh = 2;
    return log;
}
// Two items in two slots without repetition, clicks that depend on the item and the slot alone; everything about the policies is exact.
struct Simulated {
    SlateLog log;
    double value = 0;
};
Simulated simulated(std::uint64_t seed, std::size_t slates) {
    const double first[3] = {.6, .3, .1}, target[3] = {.2, .3, .5}, appeal[3] = {.1, .2, .4}, seen[2] = {1, .5};
    auto conditional = [](const double* p, int before, int item) { return p[item] / (1 - p[before]); };
    auto marginal = [&](const double* p, int slot, int item) {
        if (slot == 0)
            return p[item];
        double sum = 0;
        for (int before = 0; before < 3; ++before)
            sum += before == item ? 0 : p[before] * conditional(p, before, item);
        return sum;
    };
    Simulated result;
    for (int slot = 0; slot < 2; ++slot)
        for (int item = 0; item < 3; ++item)
            result.value += marginal(target, slot, item) * seen[slot] * appeal[item];
    SlateLog& log = result.log;
    log.rewardHigh = 2;
    auto choose = [](RandomStream& random, const double* p, int before) {
        double u = random.uniform() * (before < 0 ? 1 : 1 - p[before]);
        int last = 0;
        for (int item = 0; item < 3; ++item)
            if (item != before) {
                last = item;
                if (u < p[item])
                    break;
                u -= p[item];
            }
        return last;
    };
    for (std::size_t s = 0; s < slates; ++s) {
        RandomStream random(seed, "slates", s);
        const int a = choose(random, first, -1), b = choose(random, first, a);
        log.conditional.insert(log.conditional.end(), {first[a], conditional(first, a, b)});
        log.targetConditional.insert(log.targetConditional.end(), {target[a], conditional(target, a, b)});
        log.marginal.insert(log.marginal.end(), {marginal(first, 0, a), marginal(first, 1, b)});
        log.targetMarginal.insert(log.targetMarginal.end(), {marginal(target, 0, a), marginal(target, 1, b)});
        log.reward.push_back(random.uniform() < seen[0] * appeal[a]);
        log.reward.push_back(random.uniform() < seen[1] * appeal[b]);
        // Q: expected reward of this slot and the next, exact.
        auto rest = [&](int before) {
            double sum = 0;
            for (int item = 0; item < 3; ++item)
                sum += item == before ? 0 : conditional(target, before, item) * seen[1] * appeal[item];
            return sum;
        };
        log.predicted.insert(log.predicted.end(), {seen[0] * appeal[a] + rest(a), seen[1] * appeal[b]});
        double expected = 0;
        for (int item = 0; item < 3; ++item)
            expected += target[item] * (seen[0] * appeal[item] + rest(item));
        log.predictedUnderTarget.insert(log.predictedUnderTarget.end(), {expected, rest(a)});
        log.offsets.push_back(log.reward.size());
    }
    return result;
}
} // namespace

class TestOffPolicySlates : public QObject {
    Q_OBJECT
private slots:
    void sameDataFromOneToTwo() {
        const SlateLog log = twoSlates();
        QCOMPARE(valueOf(SlatePolicy::sips, log), 1.0);
        QCOMPARE(valueOf(SlatePolicy::iips, log), 2.0);
        QCOMPARE(valueOf(SlatePolicy::rips, log), 1.5);
        QCOMPARE(valueOf(SlatePolicy::pi, log), 1.5);
        QCOMPARE(valueOf(SlatePolicy::snsips, log), 1.0);
        QVERIFY(near(valueOf(SlatePolicy::sniips, log), 1.6));
        QVERIFY(near(valueOf(SlatePolicy::snrips, log), 1.3));
    }
    void cascadeDrByHand() {
        SlateLog log = twoSlates();
        log.predicted = {.5, .25, .5, .25};
        log.predictedUnderTarget = {.4, .2, .4, .2};
        // w: 2, 1 and .5, 1. First: 2 (1 - .5) + .4 + 1 (0 - .25) + 2 * .2; second: .5 (0 - .5) + .4 + 1 (1 - .25) + .5 * .2.
        QVERIFY(near(valueOf(SlatePolicy::cascadeDr, log), ((1 + .4 - .25 + .4) + (-.25 + .4 + .75 + .1)) / 2));
        log.predicted.assign(4, 0);
        log.predictedUnderTarget.assign(4, 0);
        QCOMPARE(valueOf(SlatePolicy::cascadeDr, log), valueOf(SlatePolicy::rips, log));
    }
    void slatesOfOneSlotAreSingleActions() {
        SlateLog log;
        log.offsets = {0, 1, 2, 3, 4};
        log.reward = {1, 0, 1, 1};
        log.conditional = log.marginal = {.5, .5, .8, .2};
        log.targetConditional = log.targetMarginal = {.9, .1, .6, .4};
        for (const auto estimator : {SlatePolicy::sips, SlatePolicy::rips, SlatePolicy::iips, SlatePolicy::pi})
            QVERIFY(near(valueOf(estimator, log), 1.1375));
        for (const auto estimator : {SlatePolicy::snsips, SlatePolicy::snrips, SlatePolicy::sniips})
            QVERIFY(near(valueOf(estimator, log), 91.0 / 95));
    }
    void slatesOfDifferentLengths() {
        // The second slot exists in one of two slates: its ratio counts half.
        SlateLog log;
        log.offsets = {0, 2, 3};
        log.reward = {1, 1, 1};
        log.marginal = {.25, .5, .5};
        log.targetMarginal = {.5, .25, .25};
        log.rewardHigh = 2;
        QVERIFY(near(valueOf(SlatePolicy::sniips, log), 1 + .5 * 1));
        const auto estimate = estimateSlatePolicy({SlatePolicy::sniips}, log, {.draws = 0}, RunControl());
        QVERIFY(near(estimate->front().value, 1.5));
        // Rewards of 1 make both ratios 1 whatever the weights; only the share of the second slot varies: +-.5 over two slates.
        QVERIFY(near(estimate->front().standardError, .5));
    }
    void targetThatIsTheLoggingPolicyEarnsTheMean() {
        SlateLog log = simulated(1, 2000).log;
        log.targetConditional = log.conditional;
        log.targetMarginal = log.marginal;
        double mean = 0;
        for (const double r : log.reward)
            mean += r / 2000;
        for (const auto& info : slatePolicyEstimators())
            if (info.estimator != SlatePolicy::cascadeDr)
                QVERIFY2(near(valueOf(info.estimator, log), mean, 1e-12), info.id.c_str());
    }
    void ladderAgreesWhereItsAssumptionsHold() {
        const Simulated log = simulated(2, 20000);
        std::vector<SlatePolicy> all;
        for (const auto& info : slatePolicyEstimators())
            all.push_back(info.estimator);
        const auto estimates = estimateSlatePolicy(all, log.log, {.draws = 200}, RunControl());
        QVERIFY(estimates.has_value());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const PolicyEstimate& e = (*estimates)[i];
            QVERIFY2(e.refused.empty() && near(e.value, valueOf(all[i], log.log), 1e-12), e.id.c_str());
            QVERIFY2(all[i] == SlatePolicy::pi || std::fabs(e.value - log.value) < 4 * e.standardError,
                     e.id.c_str()); // PI: policies without repetition
            QVERIFY2(std::fabs((e.bootstrap.high - e.bootstrap.low) / (2 * 1.96 * e.standardError) - 1) < .25, e.id.c_str());
            QVERIFY2(e.bootstrap.low <= e.value && e.value <= e.bootstrap.high, e.id.c_str());
            QVERIFY2(std::isfinite(e.bernstein.low) || !e.notes.empty(), e.id.c_str());
        }
        auto error = [&](SlatePolicy p) {
            return (*estimates)[static_cast<std::size_t>(std::find(all.begin(), all.end(), p) - all.begin())].standardError;
        };
        QVERIFY(error(SlatePolicy::iips) < error(SlatePolicy::rips) && error(SlatePolicy::rips) < error(SlatePolicy::sips));
        QVERIFY(error(SlatePolicy::cascadeDr) < error(SlatePolicy::rips));
    }
    void pseudoInverseWithProductPolicies() {
        // Slots filled independently and a reward that is a sum of slots: PI is right, and steadier than SIPS.
        const double logged[2] = {.7, .3}, target[2] = {.4, .6}, earns[2][2] = {{.1, .3}, {.2, .4}};
        SlateLog log;
        log.rewardHigh = 3;
        double truth = 0;
        for (const auto& slot : earns)
            truth += target[0] * slot[0] + target[1] * slot[1];
        for (std::uint64_t s = 0; s < 20000; ++s) {
            RandomStream random(s, "product");
            for (const auto& slot : earns) {
                const int a = random.uniform() < logged[0] ? 0 : 1;
                log.marginal.push_back(logged[a]);
                log.targetMarginal.push_back(target[a]);
                log.reward.push_back(random.uniform() < slot[a]);
            }
            log.offsets.push_back(log.reward.size());
        }
        log.conditional = log.marginal;
        log.targetConditional = log.targetMarginal;
        const auto both = estimateSlatePolicy({SlatePolicy::pi, SlatePolicy::sips}, log, {.draws = 0}, RunControl());
        QVERIFY(std::fabs((*both)[0].value - truth) < 3.5 * (*both)[0].standardError);
        QVERIFY((*both)[0].standardError < (*both)[1].standardError);
    }
    void refusals() {
        SlateLog log = twoSlates();
        log.conditional.clear();
        const auto all =
            estimateSlatePolicy({SlatePolicy::sips, SlatePolicy::iips, SlatePolicy::cascadeDr}, log, {.draws = 10}, RunControl());
        QVERIFY((*all)[0].refused.find("this log has none, so SIPS is not available") != std::string::npos && std::isnan((*all)[0].value));
        QVERIFY((*all)[1].refused.empty() && near((*all)[1].value, 2));
        log = twoSlates();
        QVERIFY(slatePolicyValue(SlatePolicy::cascadeDr, log).error().message.find("predicted rewards") != std::string::npos);
        log.targetMarginal = {0, .5, 0, .5};
        const auto zero = slatePolicyValue(SlatePolicy::sniips, log);
        QVERIFY(!zero && zero.error().message.find("every weight of slot 1 is 0") != std::string::npos);
        SlateLog large; // 120 slots of weight 1e6: more than a number can hold
        large.reward.assign(120, 0);
        large.conditional.assign(120, 1e-6);
        large.targetConditional.assign(120, 1);
        large.offsets = {0, 120};
        const auto overflow = slatePolicyValue(SlatePolicy::sips, large);
        QVERIFY(!overflow && overflow.error().message.find("slate 1") != std::string::npos);
        large.targetConditional[0] = 0;
        QCOMPARE(valueOf(SlatePolicy::sips, large), 0.0);
        const PolicyEstimate outside = estimateSlatePolicy(
                                           {SlatePolicy::iips},
                                           [] {
                                               SlateLog l = twoSlates();
                                               l.rewardHigh = 1;
                                               return l;
                                           }(),
                                           {.draws = 0}, RunControl())
                                           ->front();
        QVERIFY(std::any_of(outside.notes.begin(), outside.notes.end(),
                            [](const auto& n) { return n == "value 2 lies outside the range of a reward [0, 1]"; }));
    }
    void namesColumnRowAndValue() {
        auto refusedWith = [](std::initializer_list<const char*> parts, auto change) {
            SlateLog log = twoSlates();
            change(log);
            const auto checked = checkSlateLog(log);
            return !checked && checked.error().code == "CL-8031" && std::all_of(parts.begin(), parts.end(), [&](const char* part) {
                return checked.error().message.find(part) != std::string::npos;
            });
        };
        QVERIFY(refusedWith({"'conditional'", "slate 2, slot 1", ": 0 "}, [](SlateLog& l) { l.conditional[2] = 0; }));
        QVERIFY(refusedWith({"'marginal'", "slate 1, slot 2", "1.5"}, [](SlateLog& l) { l.marginal[1] = 1.5; }));
        QVERIFY(refusedWith({"'targetMarginal'", "slate 1, slot 1", "-1"}, [](SlateLog& l) { l.targetMarginal[0] = -1; }));
        QVERIFY(refusedWith({"'reward'", "slate 2, slot 2", "nan"}, [](SlateLog& l) { l.reward[3] = std::nan(""); }));
        QVERIFY(refusedWith({"'reward'", "slate 2", "sum to 3"}, [](SlateLog& l) { l.reward[3] = 3; }));
        QVERIFY(refusedWith({"'predicted'", "1 values", "4 slots"}, [](SlateLog& l) { l.predicted = {1}; }));
        QVERIFY(refusedWith({"'offsets'", "slate 2", "no slots"}, [](SlateLog& l) { l.offsets = {0, 4, 4}; }));
        QVERIFY(refusedWith({"'offsets'", "0 to 3", "4 slots"}, [](SlateLog& l) { l.offsets = {0, 2, 3}; }));
        QVERIFY(refusedWith({"'offsets'"}, [](SlateLog& l) { l = SlateLog{}; }));
        QVERIFY(refusedWith({"'cluster'", "slate 2", "-1"}, [](SlateLog& l) { l.cluster = {0, -1}; }));
        QVERIFY(refusedWith({"'cluster'", "3 values", "2 slates"}, [](SlateLog& l) { l.cluster = {0, 1, 2}; }));
        QVERIFY(refusedWith({"range"}, [](SlateLog& l) { l.rewardLow = 9; }));
        QVERIFY(checkSlateLog(twoSlates()).has_value());
    }
    void clustersOfSlates() {
        SlateLog log = simulated(3, 400).log, twice = log;
        for (std::size_t s = 0; s < 400; ++s) {
            log.cluster.push_back(static_cast<std::int32_t>(s));
            twice.cluster.push_back(static_cast<std::int32_t>(s));
        }
        const std::size_t rows = log.reward.size();
        for (auto* column : {&twice.reward, &twice.conditional, &twice.targetConditional, &twice.marginal, &twice.targetMarginal,
                             &twice.predicted, &twice.predictedUnderTarget})
            column->insert(column->end(), column->begin(), column->begin() + static_cast<std::ptrdiff_t>(rows));
        for (std::size_t s = 0; s < 400; ++s) {
            twice.offsets.push_back(rows + log.offsets[s + 1]);
            twice.cluster.push_back(static_cast<std::int32_t>(s));
        }
        const auto once = estimateSlatePolicy({SlatePolicy::rips, SlatePolicy::snrips}, log, {.draws = 100}, RunControl());
        const auto both = estimateSlatePolicy({SlatePolicy::rips, SlatePolicy::snrips}, twice, {.draws = 100}, RunControl());
        for (std::size_t i = 0; i < 2; ++i) {
            QVERIFY(near((*once)[i].standardError, (*both)[i].standardError, 1e-9));
            QVERIFY(near((*once)[i].bootstrap.low, (*both)[i].bootstrap.low, 1e-9));
        }
    }
};

QTEST_APPLESS_MAIN(TestOffPolicySlates)
#include "test_off_policy_slates.moc"
