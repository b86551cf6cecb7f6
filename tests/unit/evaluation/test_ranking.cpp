// SPDX-License-Identifier: GPL-3.0-or-later
// Golden values, invariances, refusals and chance levels.
#include "base/random.h"
#include "evaluation/metrics/columnar_run.h"
#include "evaluation/metrics/ranking.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {
bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance;
}
const MetricValue& of(const std::vector<MetricValue>& values, Metric metric) {
    return *std::find_if(values.begin(), values.end(), [&](const MetricValue& v) { return v.metric == metric; });
}
std::vector<RankedUser> randomUsers(std::uint64_t seed, int users, int items, bool ties, const std::vector<std::int32_t>& codes) {
    std::vector<RankedUser> list;
    for (int u = 0; u < users; ++u) {
        RandomStream random(seed, "users", static_cast<std::uint64_t>(u));
        std::vector<double> scores;
        std::vector<std::int32_t> targets;
        for (int i = 0; i < items; ++i) {
            scores.push_back(ties ? static_cast<double>(random.below(6)) : random.uniform());
            if (random.below(10) == 0)
                targets.push_back(codes[static_cast<std::size_t>(i)]);
        }
        list.push_back(*rankUser(codes, scores, targets, {}, static_cast<std::size_t>(items)));
    }
    return list;
}
} // namespace

class TestRanking : public QObject {
    Q_OBJECT
private slots:
    void ndcgPresetsEqualTheToolkits() {
        // list a b c d e f; relevant b = 5, d = 3, g = 4 (g not in the list); k = 5
        const std::vector<float> shown{0, 5, 0, 3, 0, 0}, all{5, 3, 4};
        const std::pair<NdcgPreset, double> golden[] = {{NdcgPreset::binaryLog2, .498189},    {NdcgPreset::lensKit, .570141},
                                                        {NdcgPreset::lensKitRating, .596725}, {NdcgPreset::linear, .492777},
                                                        {NdcgPreset::burges, .513456},        {NdcgPreset::elliotThreshold4, .521296}};
        for (const auto& [preset, value] : golden)
            QVERIFY2(near(ndcgAt(shown, all, 5, preset), value, 5e-7), QByteArray::number(value));
        QCOMPARE(ndcgAt(shown, {}, 5, NdcgPreset::linear), 0.0);
    }
    void oneListByHand() {
        const std::vector<std::int32_t> items{0, 1, 2, 3, 4, 5}, targets{1, 3, 6};
        const std::vector<double> scores{6, 5, 4, 3, 2, 1};
        const auto user = rankUser(items, scores, targets, {}, 100);
        QVERIFY(user);
        QCOMPARE(user->targetRank, (std::vector<std::int32_t>{2, 4, 0}));
        const std::vector<RankedUser> one{*user};
        const auto at5 = evaluateRanking(one, {}, {.k = 5});
        QVERIFY(near(of(at5, Metric::ndcg).value, .498189, 5e-7));
        QVERIFY(near(of(at5, Metric::map).value, 1.0 / 3));
        QVERIFY(near(of(at5, Metric::mrr).value, 0.5));
        QVERIFY(near(of(at5, Metric::precision).value, 0.4));
        QVERIFY(near(of(at5, Metric::auc).value, 5.0 / 8)); // two ranked targets, four others; pairs won 3 + 2
        const auto at2 = evaluateRanking(one, {}, {.k = 2});
        QVERIFY(near(of(at2, Metric::recall).value, 1.0 / 3)); // all relevant, not min(|R|, k)
        QVERIFY(near(of(at2, Metric::map).value, 0.25));       // min(|R|, k)
        QVERIFY(near(of(at2, Metric::hitRate).value, 1));
        const std::vector<float> gains{5, 3, 4};
        const std::vector<RankedUser> graded{*rankUser(items, scores, targets, gains, 100)};
        QVERIFY(near(of(evaluateRanking(graded, {}, {.k = 5}), Metric::ndcg).value, .492777, 5e-7));
    }
    void definitionsStandBesideEveryValue() {
        const auto definitions = metricDefinitions(10);
        const auto users = randomUsers(1, 5, 20, false, codes(20));
        const auto values = evaluateRanking(users, {}, {});
        QCOMPARE(values.size(), definitions.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            QVERIFY(values[i].metric == definitions[i].metric);
            QVERIFY(!definitions[i].formula.empty() && !definitions[i].source.empty());
        }
        QCOMPARE(definitions[1].label, std::string("nDCG@10"));
    }
    void constantScorerKnowsNothing() {
        std::vector<RankedUser> users;
        for (int u = 0; u < 20; ++u)
            users.push_back(*rankUser(codes(50), std::vector<double>(50, 3.0), std::vector<std::int32_t>{u, u + 7}, {}, 20));
        const auto values = evaluateRanking(users, {}, {});
        QCOMPARE(of(values, Metric::auc).value, 0.5);
        QCOMPARE(of(values, Metric::auc).worst, 0.0);
        QCOMPARE(of(values, Metric::auc).best, 1.0);
        for (const Metric metric : {Metric::hitRate, Metric::ndcg, Metric::mrr, Metric::map, Metric::recall, Metric::precision})
            QVERIFY(near(of(values, metric).value, chanceLevel(metric, 10, 2, 50), 1e-9));
    }
    void renamingAndShufflingIdsChangesNothing() {
        for (const bool ties : {false, true}) {
            auto renamed = codes(40);
            for (auto& code : renamed)
                code = (code * 17 + 5) % 40;
            const auto a = evaluateRanking(randomUsers(3, 60, 40, ties, codes(40)), {.items = 40}, {});
            const auto b = evaluateRanking(randomUsers(3, 60, 40, ties, renamed), {.items = 40}, {});
            for (std::size_t m = 0; m < a.size(); ++m) {
                if (a[m].metric == Metric::coverage) { // summed over items in the order of codes
                    QVERIFY(near(a[m].value, b[m].value));
                    continue;
                }
                if (!a[m].perUser.empty())
                    for (std::size_t u = 0; u < a[m].perUser.size(); ++u)
                        QVERIFY(a[m].perUser[u] == b[m].perUser[u] || (std::isnan(a[m].perUser[u]) && std::isnan(b[m].perUser[u])));
                QVERIFY(a[m].value == b[m].value || std::isnan(a[m].value));
            }
        }
    }
    void notANumberIsRefused() {
        const std::vector<std::int32_t> items{4, 7};
        const std::vector<double> scores{1, std::nan("")};
        const auto refused = rankUser(items, scores, std::vector<std::int32_t>{7}, {}, 10);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-8002"));
        QVERIFY(refused.error().message.find("item 7") != std::string::npos);
        std::vector<RankedUser> users = randomUsers(5, 4, 20, false, codes(20));
        users[2].rankScore[3] = std::nanf("");
        const auto checked = checkRanking(users);
        QVERIFY(!checked);
        QVERIFY(checked.error().message.find("user row 2") != std::string::npos);
        const auto values = evaluateRanking(users, {}, {});
        QVERIFY(std::isnan(of(values, Metric::ndcg).perUser[2]));
        QVERIFY(std::isfinite(of(values, Metric::ndcg).value));
        const auto columns = evaluateColumns({.users = {9}, .offsets = {0, 2}, .items = {1, 2}, .scores = {1, std::nanf("")}},
                                             {.users = {9}, .offsets = {0, 1}, .items = {1}}, 10);
        QVERIFY(!columns);
        QVERIFY(columns.error().message.find("user 9, item 2") != std::string::npos);
    }
    void usersWithoutTargetsAreExcludedAndCounted() {
        std::vector<RankedUser> users = randomUsers(6, 3, 30, false, codes(30));
        for (auto& user : users)
            user = *rankUser(codes(30), std::vector<double>(30, 1.0), std::vector<std::int32_t>{}, {}, 10);
        users[1] = *rankUser(codes(30), std::vector<double>(30, 1.0), std::vector<std::int32_t>{3}, {}, 10);
        const auto values = evaluateRanking(users, {.items = 30}, {});
        QCOMPARE(of(values, Metric::recall).users, std::int64_t(1));
        QCOMPARE(of(values, Metric::recall).excluded, std::int64_t(2));
        QCOMPARE(of(values, Metric::coverage).users, std::int64_t(3));
        const auto none = evaluateRanking({}, {}, {});
        QVERIFY(std::isnan(of(none, Metric::ndcg).value));
        QCOMPARE(of(none, Metric::ndcg).users, std::int64_t(0));
    }
    void chanceEqualsTheMeanOfRandomOrders() {
        RandomStream random(2, "chance");
        const int trials = 40000, k = 5, ranked = 12, targets = 3;
        double hit = 0, ndcg = 0, map = 0, mrr = 0;
        for (int t = 0; t < trials; ++t) {
            std::vector<double> scores;
            for (int i = 0; i < ranked; ++i)
                scores.push_back(random.uniform());
            const std::vector<RankedUser> one{*rankUser(codes(ranked), scores, std::vector<std::int32_t>{0, 1, 2}, {}, 12)};
            const auto values = evaluateRanking(one, {}, {.k = k, .bootstrap = 1});
            hit += of(values, Metric::hitRate).value;
            ndcg += of(values, Metric::ndcg).value;
            map += of(values, Metric::map).value;
            mrr += of(values, Metric::mrr).value;
        }
        QVERIFY(near(chanceLevel(Metric::hitRate, k, targets, ranked), hit / trials, 0.01));
        QVERIFY(near(chanceLevel(Metric::ndcg, k, targets, ranked), ndcg / trials, 0.01));
        QVERIFY(near(chanceLevel(Metric::map, k, targets, ranked), map / trials, 0.01));
        QVERIFY(near(chanceLevel(Metric::mrr, k, targets, ranked), mrr / trials, 0.01));
        QCOMPARE(chanceLevel(Metric::hitRate, 10, 1, 100), 0.1);
        QCOMPARE(chanceLevel(Metric::auc, 10, 1, 100), 0.5);
        QVERIFY(std::isnan(chanceLevel(Metric::coverage, 10, 1, 100)));
        QVERIFY(std::isnan(chanceLevel(Metric::ndcg, 10, 0, 100)));
        QVERIFY(chanceLevel(Metric::recall, 10, 200, 100) <= 0.05 + 1e-12); // half the relevant items were never ranked
    }
    void columnsEqualTheListPath() {
        for (const bool ties : {false, true}) {
            ColumnarRun run;
            ColumnarTruth truth;
            std::vector<RankedUser> users;
            for (int u = 0; u < 80; ++u) {
                RandomStream random(8, "columns", static_cast<std::uint64_t>(u));
                const std::size_t n = 5 + random.below(120);
                std::vector<double> scores;
                std::vector<std::int32_t> items, targets{static_cast<std::int32_t>(random.below(200))};
                for (std::size_t i = 0; i < n; ++i) {
                    items.push_back(static_cast<std::int32_t>((i * 37 + static_cast<std::size_t>(u)) % 200));
                    scores.push_back(ties ? static_cast<double>(random.below(5))
                                          : static_cast<double>(static_cast<float>(random.uniform())));
                    if (random.below(12) == 0 && items.back() != targets.front())
                        targets.push_back(items.back());
                }
                users.push_back(*rankUser(items, scores, targets, {}, 1000));
                truth.users.push_back(1000 - u);
                truth.items.insert(truth.items.end(), targets.begin(), targets.end());
                truth.offsets.push_back(truth.items.size());
                if (u % 9 == 0) { // a user that the run lacks
                    users.back() = *rankUser({}, {}, targets, {}, 1000);
                    continue;
                }
                run.users.push_back(1000 - u);
                run.items.insert(run.items.end(), items.begin(), items.end());
                run.scores.insert(run.scores.end(), scores.begin(), scores.end());
                run.offsets.push_back(run.items.size());
            }
            const auto columns = evaluateColumns(run, truth, 10);
            QVERIFY(columns);
            QCOMPARE(columns->notInRun, std::int64_t(9));
            const auto lists = evaluateRanking(users, {}, {.k = 10, .bootstrap = 1});
            QVERIFY(near(columns->mean.ndcg, of(lists, Metric::ndcg).value));
            QVERIFY(near(columns->mean.map, of(lists, Metric::map).value));
            QVERIFY(near(columns->mean.mrr, of(lists, Metric::mrr).value));
            QVERIFY(near(columns->mean.hitRate, of(lists, Metric::hitRate).value));
        }
        const auto twice = evaluateColumns({.users = {1, 1}, .offsets = {0, 0, 0}}, {}, 10);
        QVERIFY(!twice);
        QCOMPARE(twice.error().code, std::string("CL-8003"));
    }

private:
    static std::vector<std::int32_t> codes(int n) {
        std::vector<std::int32_t> list(static_cast<std::size_t>(n));
        std::iota(list.begin(), list.end(), 0);
        return list;
    }
};
QTEST_APPLESS_MAIN(TestRanking)
#include "test_ranking.moc"
