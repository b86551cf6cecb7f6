// SPDX-License-Identifier: GPL-3.0-or-later
// What chance reaches, and the sentence that says when a strategy does not reach more.
#include "base/random.h"
#include "workbench/chance_levels.h"
#include <QTest>
#include <cmath>
#include <numeric>

using namespace carousel;

namespace {
bool near(double a, double b, double tolerance) {
    return std::fabs(a - b) <= tolerance;
}
bool says(const std::vector<std::string>& list, const std::string& text) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& one) { return one.find(text) != std::string::npos; });
}

// One relevant item among `candidates`, `users` lists; it stands at random, or at the front for every `frontEvery`-th user.
std::vector<RankedUser> lists(int users, int candidates, int frontEvery) {
    std::vector<RankedUser> out;
    for (int u = 0; u < users; ++u) {
        std::vector<std::int32_t> items(static_cast<std::size_t>(candidates));
        std::iota(items.begin(), items.end(), 0);
        std::vector<double> scores;
        RandomStream random(3, "chance levels", static_cast<std::uint64_t>(u));
        for (int i = 0; i < candidates; ++i)
            scores.push_back(random.uniform());
        if (frontEvery > 0 && u % frontEvery == 0)
            scores[0] = 2;
        const std::int32_t target[] = {0};
        out.push_back(*rankUser(items, scores, target, {}, static_cast<std::size_t>(candidates)));
    }
    return out;
}

StrategyResult strategy(const std::string& name, const std::vector<RankedUser>& users, int shortlist, const MetricOptions& options) {
    StrategyResult out;
    out.strategy.name = name;
    out.metrics = evaluateRanking(users, {}, options);
    for (const auto& value : out.metrics)
        if (value.metric == Metric::ndcg && shortlist > 0)
            out.shortlist = shortlistLevel(users, shortlist, value, options);
    return out;
}
} // namespace

class TestChanceLevels : public QObject {
    Q_OBJECT
    MetricOptions options{10, 500, 0.95, 1};

private slots:
    void oneRelevantItemAmongCandidates() {
        double sum = 0;
        for (int rank = 1; rank <= 10; ++rank)
            sum += 1 / std::log2(rank + 1);
        QVERIFY(near(chanceLevel(Metric::ndcg, 10, 1, 20), sum / 20, 1e-12));
        QVERIFY(near(chanceLevel(Metric::ndcg, 10, 1, 20), 0.2272, 5e-5));
        QVERIFY(near(chanceLevel(Metric::ndcg, 10, 1, 100), 0.0454, 5e-5));
    }
    void aShortlistInRandomOrder() {
        // Everybody's item is among the 20: the level of 20 candidates. It is the mean over users who have it there and those who do not.
        const auto users = lists(50, 20, 1);
        QVERIFY(near(strategy("front", users, 20, options).shortlist.ndcg, 0.2272, 5e-5));
        const auto wide = lists(400, 100, 2);
        const auto result = strategy("half", wide, 20, options);
        double inside = 0;
        for (const auto& user : wide)
            inside += user.targetRank[0] <= 20;
        QVERIFY(near(result.shortlist.ndcg, 0.22718 * inside / 400, 1e-4));
        QVERIFY(inside > 200 && inside < 280);
    }
    void whatIsNotAboveChanceIsSaid() {
        StudyComparison c;
        c.definitions = metricDefinitions(10);
        for (const auto& definition : c.definitions)
            c.chance.push_back(chanceLevel(definition.metric, 10, 1, 20));
        c.strategies = {strategy("Drawn", lists(300, 20, 0), 20, options), strategy("Knows", lists(300, 20, 2), 20, options)};
        auto warnings = chanceWarnings(c);
        QVERIFY(says(warnings, "Drawn is not above chance"));
        QVERIFY(says(warnings, "against 0.227 of a random order"));
        QVERIFY(says(warnings, "Drawn: its order of the best 20 candidates is not above chance"));
        QVERIFY(!says(warnings, "Knows"));
        // A retriever that finds the item lifts the whole above chance; the order of its shortlist may still say nothing.
        auto found = lists(300, 20, 0);
        for (auto& user : found)
            user.ranked = 1000;
        for (double& level : c.chance)
            level = 0.0045;
        c.strategies = {strategy("Retrieved", found, 20, options)};
        warnings = chanceWarnings(c);
        QVERIFY(!says(warnings, "of a random order."));
        QVERIFY(says(warnings, "Retrieved: its order of the best 20 candidates is not above chance"));
        c.strategies = {strategy("No shortlist", found, 0, options)};
        QVERIFY(chanceWarnings(c).empty());
    }
    void aShortlistIsTheScorersOwn() {
        StrategySpec spec;
        spec.stage(StageKind::controller).plugin = "fixed_cascade";
        QCOMPARE(shortlistOf(spec), 0);
        spec.stage(StageKind::scorer).parameters.set("retriever", std::string("popularity"));
        spec.stage(StageKind::scorer).parameters.set("count", std::int64_t(20));
        QCOMPARE(shortlistOf(spec), 20);
        spec.stage(StageKind::controller).plugin = "llm_planner"; // takes from other retrievers too
        QCOMPARE(shortlistOf(spec), 0);
    }
};

QTEST_APPLESS_MAIN(TestChanceLevels)
#include "test_chance_levels.moc"
