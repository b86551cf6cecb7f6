// SPDX-License-Identifier: GPL-3.0-or-later
// Strategies as policies on a log: orders with ties, probabilities of slates against enumeration, cross-fitted rewards by hand.
#define QT_NO_KEYWORDS // a log has slots
#include "experiment/logged_policy_weights.h"
#include "small_plugins.h"
#include <QTest>
#include <cmath>
#include <map>
#include <numeric>

using namespace carousel;

namespace {

constexpr int catalogue = 5;

// One user's slates of three of five items.
struct Slates {
    Dataset data;
    SelectedLog log;
};
Slates slates(const std::vector<std::vector<Code>>& shown, const std::vector<int>& clickedSlot = {}, int users = 1) {
    Slates out;
    for (int i = 0; i < catalogue; ++i)
        out.data.items.ids.add("i" + std::to_string(i));
    for (int u = 0; u < users; ++u)
        out.data.users.ids.add("u" + std::to_string(u));
    auto& log = out.log.log;
    log.items = catalogue;
    log.slots = 3;
    for (std::size_t s = 0; s < shown.size(); ++s) {
        out.log.firstRow.push_back(out.data.impressions.user.size());
        for (std::size_t l = 0; l < shown[s].size(); ++l) {
            out.data.impressions.user.push_back(static_cast<Code>(s % static_cast<std::size_t>(users)));
            log.item.push_back(shown[s][l]);
            log.slot.push_back(static_cast<std::int16_t>(l));
            log.click.push_back(!clickedSlot.empty() && clickedSlot[s] == static_cast<int>(l));
        }
        log.offsets.push_back(log.item.size());
        log.cluster.push_back(static_cast<std::int32_t>(s % static_cast<std::size_t>(users)));
    }
    return out;
}

StrategyOrders orderOf(std::vector<Code> items, std::vector<float> rank, int users = 1) {
    StrategyOrders orders;
    for (Code u = 0; u < users; ++u)
        orders.users[u] = {items, rank};
    return orders;
}

// P(item in slot) by enumeration of all slates of three.
std::vector<double> enumerated(const std::vector<double>& weight) {
    std::vector<double> out(3 * catalogue, 0);
    const double all = std::accumulate(weight.begin(), weight.end(), 0.0);
    for (std::size_t a = 0; a < catalogue; ++a)
        for (std::size_t b = 0; b < catalogue; ++b)
            for (std::size_t c = 0; c < catalogue; ++c) {
                if (a == b || a == c || b == c)
                    continue;
                const double p = weight[a] / all * weight[b] / (all - weight[a]) * weight[c] / (all - weight[a] - weight[b]);
                out[a] += p;
                out[catalogue + b] += p;
                out[2 * catalogue + c] += p;
            }
    return out;
}

const std::vector<std::vector<Code>> everyItemSomewhere{{0, 1, 2}, {3, 4, 0}, {1, 2, 3}, {2, 0, 4}, {4, 3, 1}};

} // namespace

class TestLoggedPolicy : public QObject {
    Q_OBJECT

    Result<StrategyOrders> orders(DatasetPtr data, std::vector<float> scores, std::int64_t before, const RunControl& control = {}) {
        const auto plugins = test::smallPlugins(std::move(scores));
        StrategySpec strategy;
        strategy.name = "A";
        strategy.stage(StageKind::feature).plugin = "text_template";
        strategy.stage(StageKind::encoder).plugin = "one_hot_embedding";
        strategy.stage(StageKind::scorer).plugin = "table";
        strategy.stage(StageKind::controller).plugin = "fixed_cascade";
        CostMeter cost;
        const ExperimentHost host{&plugins, {}, nullptr, &cost};
        const std::vector<Code> users{0, 1};
        return orderForUsers(data, strategy, users, before, 1, "cpu", host, control);
    }

private Q_SLOTS:
    void tiedItemsShareTheirMeanRank() {
        const auto data = test::smallData(6, {{5, 4}, {0}});
        const auto made = orders(data, {3, 2, 2, 2, 1, 0}, 100);
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        QCOMPARE(made->users.at(0).items, (std::vector<Code>{0, 1, 2, 3})); // 4 and 5 are known
        QCOMPARE(made->users.at(0).rank, (std::vector<float>{1, 3, 3, 3}));
        QCOMPARE(made->users.at(1).items, (std::vector<Code>{1, 2, 3, 4, 5}));
        QCOMPARE(made->users.at(1).rank, (std::vector<float>{2, 2, 2, 4, 5}));
    }
    void onlyWhatWasBeforeTheLogIsLearned() {
        const auto data = test::smallData(6, {{5, 4}, {0}}); // times 1, 2
        const auto made = orders(data, {3, 2, 2, 2, 1, 0}, 2);
        QVERIFY(made);
        QCOMPARE(made->users.at(0).items, (std::vector<Code>{0, 1, 2, 3, 4})); // item 4 was met at time 2
        QCOMPARE(orders(data, {3, 2, 2, 2, 1, 0}, 1).error().code, std::string("CL-8029"));
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(orders(data, {3, 2, 2, 2, 1, 0}, 100, RunControl(stop.get_token())).error().kind == ErrorKind::cancelled);
    }
    void conditionalsByHand() {
        const auto s = slates({{0, 1, 4}});
        const double t = 2, w1 = std::exp(-1 / t), w2 = std::exp(-2 / t), w3 = std::exp(-3 / t);
        // item 4 is not ranked; 2 and 3 stand at ranks 3 and 4
        const auto target = targetPropensities(s.log, s.data, orderOf({0, 1, 2, 3}, {1, 2, 3, 4}), t, 100, 1, {});
        QVERIFY(target);
        const double all = 1 + w1 + w2 + w3;
        QVERIFY(std::abs(target->conditional[0] - 1 / all) < 1e-12);
        QVERIFY(std::abs(target->conditional[1] - w1 / (all - 1)) < 1e-12);
        QCOMPARE(target->conditional[2], 0.0);
        QCOMPARE(target->marginal[2], 0.0);
        // the log shows 0, 1 and 4: the policy's first choices 2 and 3 are never shown
        QVERIFY(std::abs(target->unsupported - (w2 + w3) / all) < 1e-12);
    }
    void marginalsAgreeWithEnumeration() {
        const auto s = slates(everyItemSomewhere);
        const double t = 1.5;
        const std::vector<float> rank{1, 2.5f, 2.5f, 4, 5};
        std::vector<double> weight;
        for (const float r : rank)
            weight.push_back(std::exp(-(r - 1) / t));
        const auto truth = enumerated(weight);
        const auto target = targetPropensities(s.log, s.data, orderOf({0, 1, 2, 3, 4}, rank), t, 20000, 1, {});
        const auto again = targetPropensities(s.log, s.data, orderOf({0, 1, 2, 3, 4}, rank), t, 20000, 1, {});
        QVERIFY(target && again);
        QCOMPARE(target->marginal, again->marginal);
        std::vector<double> logWeights;
        for (const double w : weight)
            logWeights.push_back(std::log(w));
        const auto table = commonMarginals(EvaluatedPolicy::common(logWeights), 3, 20000, 1, {});
        QVERIFY(table);
        for (std::size_t k = 0; k < truth.size(); ++k)
            QVERIFY2(std::abs((*table)[k] - truth[k]) < 0.004,
                     qPrintable(QString("%1: %2 instead of %3").arg(k).arg((*table)[k]).arg(truth[k])));
        for (std::size_t r = 0; r < s.log.log.rows(); ++r) {
            const double wanted =
                truth[static_cast<std::size_t>(s.log.log.slot[r]) * catalogue + static_cast<std::size_t>(s.log.log.item[r])];
            QVERIFY(std::abs(target->marginal[r] - wanted) < (s.log.log.slot[r] == 0 ? 1e-6 : 0.004));
        }
    }
    void anOrderShowsItselfWithTiesShared() {
        const auto s = slates({{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {0, 1, 3}});
        const auto target = targetPropensities(s.log, s.data, orderOf({0, 1, 2, 3}, {1, 2.5f, 2.5f, 4}), 0, 100, 1, {});
        QVERIFY(target);
        QCOMPARE(target->conditional, (std::vector<double>{1, 0.5, 1, 1, 0.5, 1, 0, 1, 1, 1, 0.5, 0}));
        QCOMPARE(target->marginal, (std::vector<double>{1, 0.5, 0.5, 1, 0.5, 0.5, 0, 0, 0.5, 1, 0.5, 0}));
    }
    void steepWeightsStayExact() {
        // At temperature 0.02 neighbours differ by exp(-50): what is left after the first item is lost in a difference of sums.
        const auto s = slates({{0, 1, 2}, {1, 0, 2}});
        const auto target = targetPropensities(s.log, s.data, orderOf({0, 1, 2, 3, 4}, {1, 2, 3, 4, 5}), 0.02, 50, 1, {});
        QVERIFY(target);
        for (const std::size_t r : {0, 1, 2, 4, 5})
            QVERIFY(std::abs(target->conditional[r] - 1) < 1e-12);
        QVERIFY(target->conditional[3] > 0 && target->conditional[3] < 1e-21);
        std::vector<double> value{1, 2, 3, 4, 5};
        std::vector<double> logWeights{0, -50, -100, -150, -200};
        SlateWalk walk(logWeights, {value});
        for (Code item = 0; item < catalogue; ++item) {
            QVERIFY(std::abs(walk.expectation(0) - (item + 1)) < 1e-9);
            walk.place(item);
        }
        QCOMPARE(walk.expectation(0), 0.0);
    }
    void unknownUsersAreRefused() {
        const auto s = slates({{0, 1, 2}, {0, 1, 2}}, {}, 2);
        QCOMPARE(targetPropensities(s.log, s.data, orderOf({0, 1, 2}, {1, 2, 3}, 1), 1, 10, 1, {}).error().code, std::string("CL-8035"));
    }
    // Item 0 is clicked whenever it comes first, nothing else ever: the model says so, and the expectation under the target follows.
    void rewardsArePredictedFromOtherUsers() {
        std::vector<std::vector<Code>> shown;
        std::vector<int> clicked;
        for (int i = 0; i < 400; ++i) {
            shown.push_back(i % 2 ? std::vector<Code>{0, 1, 2} : std::vector<Code>{1, 2, 3});
            clicked.push_back(i % 2 ? 0 : -1);
        }
        const auto s = slates(shown, clicked, 400);
        std::vector<double> reward(s.log.log.click.begin(), s.log.log.click.end());
        const auto policy = orderOf({0, 1, 2, 3, 4}, {1, 2, 3, 4, 5}, 400);
        const auto made = crossFittedRewards(s.log, s.data, policy, 0, reward, 5, 1, {});
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        for (std::size_t session = 0; session < 4; ++session) {
            const std::size_t r = 3 * session;
            QVERIFY(shown[session][0] != 0 || made->predicted[r] > 0.7);
            QVERIFY(shown[session][0] != 1 || made->predicted[r] < 0.1);
            QVERIFY(made->predictedUnderTarget[r] > 0.7); // the order shows item 0 first
            QVERIFY(made->tail[r] >= made->predicted[r]);
            for (std::size_t k = r; k < r + 3; ++k)
                QVERIFY(made->predicted[k] >= 0 && made->predicted[k] <= 1);
        }
        QCOMPARE(crossFittedRewards(s.log, s.data, policy, 0, std::vector<double>(3, 0), 5, 1, {}).error().code, std::string("CL-8034"));
    }
    // What a slot is predicted to earn under the target is the sum over items of P(item in slot) times predicted reward, for every policy.
    void rewardsOfASlotWhateverStandsBefore() {
        std::vector<std::vector<Code>> shown;
        std::vector<int> clicked;
        for (int i = 0; i < 600; ++i) {
            const auto& slate = everyItemSomewhere[static_cast<std::size_t>(i) % everyItemSomewhere.size()];
            shown.push_back(slate);
            clicked.push_back(slate[0] < 2 ? 0 : i % 3 == 0 ? 2 : -1);
        }
        const auto s = slates(shown, clicked, 600);
        const std::vector<double> reward(s.log.log.click.begin(), s.log.log.click.end());
        const auto orders = orderOf({3, 0, 1, 4, 2}, {1, 2.5f, 2.5f, 4, 5}, 600);
        const double T = 1.5;
        std::vector<double> weight(catalogue), position{2.5, 2.5, 5, 1, 4};
        for (std::size_t i = 0; i < catalogue; ++i)
            weight[i] = std::exp(-(position[i] - 1) / T);
        const auto drawn = enumerated(weight);
        std::vector<double> logWeights;
        for (const double w : weight)
            logWeights.push_back(std::log(w));
        std::vector<double> ordered(3 * catalogue, 0);
        ordered[3] = 1;
        for (const std::size_t l : {1u, 2u})
            ordered[l * catalogue] = ordered[l * catalogue + 1] = 0.5;
        const std::pair<EvaluatedPolicy, std::vector<double>> cases[] = {{EvaluatedPolicy::ofOrders(orders, T, catalogue), drawn},
                                                                         {EvaluatedPolicy::common(logWeights), drawn},
                                                                         {EvaluatedPolicy::ofOrders(orders, 0, catalogue), ordered}};
        for (const auto& [policy, marginal] : cases) {
            const auto made = crossFittedRewards(s.log, s.data, policy, reward, 2, 1, {}, 2000);
            QVERIFY2(made, made ? "" : describe(made.error()).c_str());
            // Predictions of one fold, read off its rows: item and slot determine them.
            std::map<std::pair<int, Code>, double> q;
            std::map<int, double> under;
            for (std::size_t session = 0; session < shown.size(); ++session)
                for (std::size_t r = 3 * session; r < 3 * session + 3; ++r) {
                    const int slot = s.log.log.slot[r];
                    q[{slot, s.log.log.item[r]}] += made->predicted[r];
                    under[slot] += made->slotUnderTarget[r] / static_cast<double>(shown.size());
                }
            std::map<std::pair<int, Code>, double> shownTimes;
            for (std::size_t r = 0; r < s.log.log.rows(); ++r)
                shownTimes[{s.log.log.slot[r], s.log.log.item[r]}] += 1;
            for (int slot = 0; slot < 3; ++slot) {
                double expected = 0;
                for (Code i = 0; i < catalogue; ++i)
                    expected += marginal[static_cast<std::size_t>(slot) * catalogue + static_cast<std::size_t>(i)] * q[{slot, i}] /
                                shownTimes[{slot, i}];
                QVERIFY2(std::abs(under[slot] / expected - 1) < 0.05, fmt::format("slot {}: {} {}", slot, under[slot], expected).c_str());
            }
        }
        QVERIFY(crossFittedRewards(s.log, s.data, orders, 0, reward, 2, 1, {})->slotUnderTarget.empty());
    }
};

QTEST_APPLESS_MAIN(TestLoggedPolicy)
#include "test_logged_policy.moc"
