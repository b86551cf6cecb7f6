// SPDX-License-Identifier: GPL-3.0-or-later
// The closed forms for ties against every permutation of small lists.
#include "base/random.h"
#include "evaluation/metrics/beyond_accuracy.h"
#include "evaluation/metrics/tie_expectation.h"
#include <QTest>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

using namespace carousel;

namespace {
using Six = std::array<double, 6>;
Six asArray(const RankingFigures& f) {
    return {f.hitRate, f.ndcg, f.mrr, f.map, f.recall, f.precision};
}

// Straight from the definitions, on one strict order of gains; `allGains` holds unranked relevant items too.
Six byDefinition(const std::vector<float>& order, std::vector<float> allGains, int k) {
    double hits = 0, dcg = 0, ideal = 0, ap = 0, rr = 0;
    for (int r = 1; r <= k && static_cast<std::size_t>(r) <= order.size(); ++r)
        if (const double gain = static_cast<double>(order[static_cast<std::size_t>(r) - 1]); gain > 0) {
            hits += 1;
            dcg += gain / std::log2(r + 1);
            ap += hits / r;
            if (rr == 0)
                rr = 1.0 / r;
        }
    std::sort(allGains.rbegin(), allGains.rend());
    for (std::size_t i = 0; i < allGains.size() && i < static_cast<std::size_t>(k); ++i)
        ideal += static_cast<double>(allGains[i]) / std::log2(static_cast<double>(i) + 2);
    const double n = static_cast<double>(allGains.size());
    return {hits > 0 ? 1.0 : 0.0, dcg / ideal, rr, ap / std::min<double>(n, k), hits / n, hits / k};
}
} // namespace

class TestTies : public QObject {
    Q_OBJECT
private slots:
    void expectedWorstAndBestEqualAllPermutations() {
        RandomStream random(11, "test-ties");
        int tiedCases = 0;
        for (int trial = 0; trial < 250; ++trial) {
            const std::size_t n = 2 + random.below(6); // up to 7! orders
            const int k = 1 + static_cast<int>(random.below(8));
            std::vector<int> score(n);
            std::vector<float> gain(n);
            for (std::size_t i = 0; i < n; ++i) {
                score[i] = static_cast<int>(random.below(3));
                gain[i] = random.below(2) ? (trial % 2 ? 1.0f : static_cast<float>(1 + random.below(4))) : 0.0f;
            }
            std::vector<TargetPlace> places;
            std::vector<float> all;
            for (std::size_t i = 0; i < n; ++i)
                if (gain[i] > 0) {
                    const auto above = std::count_if(score.begin(), score.end(), [&](int s) { return s > score[i]; });
                    const auto equal = std::count(score.begin(), score.end(), score[i]);
                    places.push_back({static_cast<std::int32_t>(above) + 1, static_cast<std::int32_t>(equal), gain[i]});
                    all.push_back(gain[i]);
                    tiedCases += equal > 1;
                }
            if (trial % 5 == 0) { // a relevant item that was never ranked
                places.push_back({.rank = 0, .gain = 2});
                all.push_back(2);
            }
            if (places.empty())
                continue;
            std::vector<std::size_t> order(n);
            std::iota(order.begin(), order.end(), std::size_t(0));
            Six sum{}, low, high;
            low.fill(1e9);
            high.fill(-1e9);
            double count = 0;
            do {
                if (!std::is_sorted(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; }))
                    continue;
                std::vector<float> gains;
                for (const auto i : order)
                    gains.push_back(gain[i]);
                const Six one = byDefinition(gains, all, k);
                for (std::size_t m = 0; m < 6; ++m) {
                    sum[m] += one[m];
                    low[m] = std::min(low[m], one[m]);
                    high[m] = std::max(high[m], one[m]);
                }
                count += 1;
            } while (std::next_permutation(order.begin(), order.end()));
            const RankKernel kernel(k);
            const auto figures = kernel.figures(places);
            const Six expected = asArray(figures.expected), worst = asArray(figures.worst), best = asArray(figures.best),
                      fast = asArray(kernel.expected(places));
            for (std::size_t m = 0; m < 6; ++m) {
                const auto where = QByteArray::number(trial) + " metric " + QByteArray::number(static_cast<int>(m));
                QVERIFY2(std::fabs(expected[m] - sum[m] / count) < 1e-12, where);
                QVERIFY2(std::fabs(worst[m] - low[m]) < 1e-12, where);
                QVERIFY2(std::fabs(best[m] - high[m]) < 1e-12, where);
                QCOMPARE(fast[m], expected[m]);
            }
        }
        QVERIFY(tiedCases > 300);
    }
    void oneRelevantAmongThreeTied() { // DCG best 1, worst .5, expected .710310
        std::vector<TargetPlace> places{{.rank = 1, .ties = 3}};
        const auto f = RankKernel(10).figures(places);
        QCOMPARE(f.best.ndcg, 1.0);
        QCOMPARE(f.worst.ndcg, 0.5);
        QVERIFY(std::fabs(f.expected.ndcg - 0.710310) < 5e-7);
    }
    void hugeTieGroupsCostNothingSpecial() {
        std::vector<TargetPlace> places(3, {.rank = 1, .ties = 1000000});
        const auto f = RankKernel(10).figures(places);
        QVERIFY(std::fabs(f.expected.recall - 1e-5) < 1e-15);
        QVERIFY(std::fabs(f.expected.hitRate - 3e-5) < 1e-9);
        QCOMPARE(f.worst.hitRate, 0.0);
        QCOMPARE(f.best.hitRate, 1.0);
    }
    void shownItemsAreExpectedOverTies() {
        // Items 0, 1 certain; 2, 3, 4 tied for the third place.
        RankedUser user{.items = {0, 1, 2, 3, 4, 5}, .rankScore = {9, 8, 5, 5, 5, 1}};
        CatalogueFacts facts{.items = 8,
                             .popularity = {0.9f, 0.5f, 0.4f, 0.2f, 0.0f, 0.1f, 0, 0},
                             .trainingUsers = 10,
                             .itemTokens = {{1, 2}, {2, 3}, {1}, {3}, {1, 2, 3}, {}, {}, {}}};
        const auto shown = shownItems(user, 3);
        QCOMPARE(shown.certain, std::size_t(2));
        QCOMPARE(shown.items.size(), std::size_t(5));
        double novelty = 0, diversity = 0;
        const auto bits = noveltyBits(facts, 1);
        QVERIFY(std::fabs(bits[4] - std::log2(11.0)) < 1e-6);
        auto similarity = [&](int a, int b) {
            std::map<std::pair<int, int>, double> known{{{0, 1}, 1.0 / 3}, {{0, 2}, 0.5}, {{0, 3}, 0},      {{0, 4}, 2.0 / 3},
                                                        {{1, 2}, 0},       {{1, 3}, 0.5}, {{1, 4}, 2.0 / 3}};
            return known.at({a, b});
        };
        for (int third = 2; third <= 4; ++third) {
            novelty +=
                (static_cast<double>(bits[0]) + static_cast<double>(bits[1]) + static_cast<double>(bits[static_cast<std::size_t>(third)])) /
                3;
            diversity += 1 - (similarity(0, 1) + similarity(0, third) + similarity(1, third)) / 3;
        }
        QVERIFY(std::fabs(noveltyOf(shown, bits).value - novelty / 3) < 1e-9);
        const auto d = diversityOf(shown, facts);
        QVERIFY(std::fabs(d.value - diversity / 3) < 1e-9);
        QVERIFY(d.worst <= d.value && d.value <= d.best);
        const std::vector<ShownList> lists{shown, shown};
        const auto coverage = coverageOf(lists, facts.items);
        QVERIFY(std::fabs(coverage.value - (2 + 3 * (1 - 4.0 / 9)) / 8) < 1e-12);
        QCOMPARE(coverage.worst, 0.25);
        QCOMPARE(coverage.best, 0.625);
    }
};
QTEST_APPLESS_MAIN(TestTies)
#include "test_ties.moc"
