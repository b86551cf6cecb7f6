// SPDX-License-Identifier: GPL-3.0-or-later
// nDCG2D: the toy grid, ideals with fewer relevant items than cells, duplicates; the choice of rows against every ordered choice.
#include "base/random.h"
#include "evaluation/carousel/grid.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {
using Row = std::vector<std::int32_t>;
bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance;
}
double grid(const std::vector<Row>& rows, std::size_t columns, const Row& relevant, const std::vector<double>& relevance = {},
            GridDiscount discount = {}) {
    return ndcg2d(rows, columns, relevant, relevance, discount).value();
}
const std::vector<Row> toy{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
} // namespace

class TestGrid : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void toyGrid() {
        QVERIFY(near(grid(toy, 4, {2, 5, 12}), .715370, 5e-7));  // cells (1,2), (2,1), (3,4)
        QVERIFY(near(grid({toy[0]}, 4, {2}), 1 / std::log2(3))); // one row and beta 1: the discount of a list
        // The same three items read row by row, as one list: what a grid metric is there to correct.
        QVERIFY(near(grid({{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, 12, {2, 5, 12}), .604441, 5e-7));
    }
    void idealOfFewRelevant() {
        QVERIFY(near(grid(toy, 4, {1}), 1));
        QVERIFY(near(grid(toy, 4, {1, 2, 5}), 1));
        QVERIFY(near(grid(toy, 4, {12}), 1 / std::log2(7)));
        QVERIFY(std::isnan(grid(toy, 4, {})));
        QCOMPARE(grid(toy, 4, {99}), 0.0);
        // More relevant items than cells: a full grid is ideal.
        QVERIFY(near(grid({{1, 2}}, 2, {1, 2, 3, 4, 5}), 1));
    }
    void duplicatesCountOnce() {
        // The cell (2,1) comes before (1,3) in diagonal order whatever the reading order of rows.
        QVERIFY(near(grid({{7, 8, 1}, {1, 9, 10}}, 3, {1}), 1 / std::log2(3)));
        QVERIFY(near(grid({{1, 1, 1}, {1, 1, 1}}, 3, {1}), 1));
        QVERIFY(near(grid({{1, 1, 1}, {1, 1, 1}}, 3, {1, 2}), 1 / (1 + 1 / std::log2(3))));
    }
    void emptyCellsAndShortRows() {
        QVERIFY(near(grid({{-1, 1}, {2}}, 3, {1, 2}), (2 / std::log2(3)) / (1 + 1 / std::log2(3))));
        QVERIFY(near(grid({{5, 6, 1}}, 2, {1}), 0)); // past the last column
    }
    void gradesAndDiscounts() {
        const double ideal = 7 + 1 / std::log2(3); // rel 3 first, rel 1 next
        QVERIFY(near(grid({{1, 2}}, 2, {1, 2}, {1, 3}), (1 + 7 / std::log2(3)) / ideal));
        // Rows cost nothing: both cells of a column are alike.
        QVERIFY(near(grid({{5, 6}, {1, 7}}, 2, {1}, {}, {.alpha = 0, .beta = 2}), 1));
        QCOMPARE(ndcg2d(toy, 4, Row{1}, {}, {.alpha = .5, .beta = 1}).error().code, std::string("CL-8041"));
        QCOMPARE(ndcg2d(toy, 4, Row{1}, {}, {.alpha = -1, .beta = 4}).error().code, std::string("CL-8041"));
        QCOMPARE(ndcg2d(toy, 4, Row{1}, std::vector<double>{1, 2}, {}).error().code, std::string("CL-8042"));
        QCOMPARE(ndcg2d(toy, 4, Row{1, 1}, {}, {}).error().code, std::string("CL-8042"));
    }

    void greedyAgainstEveryChoice() {
        RandomStream random(3, "rows");
        int equal = 0;
        for (int repeat = 0; repeat < 30; ++repeat) {
            const std::size_t users = 12, items = 25, columns = 4, rows = 3;
            std::vector<RowCandidate> candidates(5);
            std::vector<Row> relevant(users);
            for (auto& codes : relevant)
                for (std::int32_t item = 0; item < static_cast<std::int32_t>(items); ++item)
                    if (random.uniform() < .15)
                        codes.push_back(item);
            for (auto& candidate : candidates)
                for (std::size_t user = 0; user < users; ++user) {
                    candidate.lists.emplace_back();
                    for (std::size_t i = 0; i < columns; ++i)
                        candidate.lists.back().push_back(static_cast<std::int32_t>(random.below(items)));
                }
            const auto choice = chooseRows(candidates, relevant, rows, columns, {});
            QVERIFY(choice);
            auto mean = [&](const std::vector<std::size_t>& picked) {
                double sum = 0;
                int counted = 0;
                for (std::size_t user = 0; user < users; ++user) {
                    std::vector<Row> shown(rows);
                    for (std::size_t row = 0; row < picked.size(); ++row)
                        shown[row] = candidates[picked[row]].lists[user];
                    const double x = grid(shown, columns, relevant[user]);
                    if (!std::isnan(x)) {
                        sum += x;
                        ++counted;
                    }
                }
                return sum / counted;
            };
            double best = 0;
            for (std::size_t a = 0; a < 5; ++a)
                for (std::size_t b = 0; b < 5; ++b)
                    for (std::size_t c = 0; c < 5; ++c)
                        if (a != b && a != c && b != c)
                            best = std::max(best, mean({a, b, c}));
            QVERIFY(near(choice->bestValue, best));
            QVERIFY(near(mean(choice->best), best));
            QVERIFY(near(mean(choice->greedy), choice->greedyValue));
            QVERIFY(choice->greedyValue <= best + 1e-12);
            QVERIFY(choice->greedyValue >= .5 * best);
            QCOMPARE(choice->choicesTried, std::size_t(5 + 4 + 3 + 60));
            QCOMPARE(choice->greedyPath.size(), rows);
            for (std::size_t row = 1; row < rows; ++row)
                QVERIFY(choice->greedyPath[row] >= choice->greedyPath[row - 1]);
            QVERIFY(near(choice->greedyPath.back(), choice->greedyValue));
            equal += near(choice->greedyValue, best);
        }
        QVERIFY(equal > 0 && equal < 30); // greedy is near the best choice and not always it
    }

    // The two best rows show the same items: the second one adds nothing, and a weaker but different row is chosen in its place.
    void rowsThatRepeatEachOther() {
        const std::vector<Row> relevant{{1, 2, 3}};
        const std::vector<RowCandidate> candidates{{"a", {{1, 2}}}, {"a again", {{1, 2}}}, {"other", {{9, 3}}}};
        const auto choice = chooseRows(candidates, relevant, 2, 2, {});
        QVERIFY(choice);
        QCOMPARE(choice->greedy, (std::vector<std::size_t>{0, 2}));
        QVERIFY(choice->bestValue >= choice->greedyValue);
        QVERIFY(near(choice->perUser[0], choice->greedyValue));
        const auto limited = chooseRows(candidates, relevant, 2, 2, {}, 5);
        QVERIFY(limited->best.empty());
        QCOMPARE(limited->choicesTried, std::size_t(5));
    }

    void usersWithoutRelevantItems() {
        const std::vector<Row> relevant{{}, {1}};
        const std::vector<RowCandidate> candidates{{"a", {{1}, {1}}}};
        const auto choice = chooseRows(candidates, relevant, 1, 1, {});
        QVERIFY(choice);
        QVERIFY(near(choice->greedyValue, 1));
        QVERIFY(std::isnan(choice->perUser[0]));
        QCOMPARE(chooseRows(candidates, relevant, 2, 1, {}).error().code, std::string("CL-8042"));
        QCOMPARE(chooseRows(candidates, std::vector<Row>{{1}}, 1, 1, {}).error().code, std::string("CL-8042"));
    }
};

QTEST_GUILESS_MAIN(TestGrid)
#include "test_grid.moc"
