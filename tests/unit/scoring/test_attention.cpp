// SPDX-License-Identifier: GPL-3.0-or-later
// Attention over a prefix tree against plain sums over the concatenated tokens, on the CPU loops and in plain tensor operations.
#include "base/random.h"
#include "unit/scoring/attention_case_torch.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {
constexpr std::int64_t size = 32;

Matrix randomRows(const AttentionCase& problem, std::size_t tokens, std::uint64_t key) {
    RandomStream random(11, "attention", key);
    Matrix out(tokens, static_cast<std::size_t>((problem.heads + 2 * problem.keyValueHeads) * problem.headSize));
    for (float& value : out.values)
        value = static_cast<float>(random.normal());
    return out;
}
// What row `row` of a sequence of tokens attends to, keys [0, visible), in double.
std::vector<double> naive(const AttentionCase& problem, const std::vector<const float*>& tokens, std::size_t row, std::size_t visible) {
    std::vector<double> out(static_cast<std::size_t>(problem.heads * problem.headSize), 0.0);
    const std::int64_t n = problem.headSize, group = problem.heads / problem.keyValueHeads;
    for (std::int64_t head = 0; head < problem.heads; ++head) {
        double total = 0;
        for (std::size_t t = 0; t < visible; ++t) {
            const float* key = tokens[t] + (problem.heads + head / group) * n;
            const float* value = key + problem.keyValueHeads * n;
            double score = 0;
            for (std::int64_t i = 0; i < n; ++i)
                score += double(tokens[row][head * n + i]) * key[i];
            const double weight = std::exp(score / std::sqrt(double(n)));
            total += weight;
            for (std::int64_t i = 0; i < n; ++i)
                out[static_cast<std::size_t>(head * n + i)] += weight * value[i];
        }
        for (std::int64_t i = 0; i < n; ++i)
            out[static_cast<std::size_t>(head * n + i)] /= total;
    }
    return out;
}
void addTokens(std::vector<const float*>& to, const Matrix& rows, std::size_t count) {
    for (std::size_t t = 0; t < count; ++t)
        to.push_back(rows.row(t).data());
}
double worst(const AttentionCase& problem, const std::vector<Matrix>& results) {
    double largest = 0;
    for (std::size_t s = 0; s < problem.segments.size(); ++s) {
        const auto& segment = problem.segments[s];
        std::vector<const float*> tokens;
        for (std::size_t level = 0; level < segment.chain.size(); ++level)
            addTokens(tokens, problem.stores[segment.chain[level]],
                      segment.lengths.empty() ? problem.stores[segment.chain[level]].rows
                                              : static_cast<std::size_t>(segment.lengths[level]));
        const std::size_t before = tokens.size();
        addTokens(tokens, segment.rows, segment.rows.rows);
        for (std::size_t t = 0; t < segment.rows.rows; ++t) {
            const auto wanted = naive(problem, tokens, before + t, problem.causal ? before + t + 1 : tokens.size());
            for (std::size_t i = 0; i < wanted.size(); ++i)
                largest = std::max(largest, std::fabs(results[s].row(t)[i] - wanted[i]));
        }
    }
    return largest;
}
// Instruction (70 tokens) -> two histories (45, 3) -> heads of questions (33, 1); segments hang from every level, out of order.
AttentionCase tree(std::int64_t heads, std::int64_t keyValueHeads) {
    AttentionCase problem{heads, keyValueHeads, size, true, {}, {}};
    std::uint64_t key = 0;
    for (const std::size_t length : {70u, 45u, 3u, 33u, 1u})
        problem.stores.push_back(randomRows(problem, length, ++key));
    const auto segment = [&](std::size_t tokens, std::vector<std::size_t> chain, std::vector<std::int64_t> lengths = {}) {
        problem.segments.push_back({randomRows(problem, tokens, ++key), std::move(chain), std::move(lengths)});
    };
    segment(5, {0, 1, 3});
    segment(1, {0, 2});
    segment(34, {0, 1, 3});
    segment(2, {0, 2, 4});
    segment(1, {});
    segment(7, {0, 1});
    segment(1, {0, 2});
    segment(33, {0});
    segment(4, {0, 1, 3});
    segment(6, {0, 1}, {70, 32}); // the first part of a store only
    segment(3, {0, 1}, {64, 0});
    return problem;
}
} // namespace

class TestAttention : public QObject {
    Q_OBJECT
private slots:
    void everySegmentSeesItsChainAndItself_data() {
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("keyValueHeads");
        QTest::addColumn<bool>("portable");
        for (const bool portable : {false, true}) {
            QTest::addRow("6 heads, 2 keys, %s", portable ? "portable" : "loops") << 6 << 2 << portable;
            QTest::addRow("4 heads, 4 keys, %s", portable ? "portable" : "loops") << 4 << 4 << portable;
            QTest::addRow("5 heads, 1 key, %s", portable ? "portable" : "loops") << 5 << 1 << portable;
        }
    }
    void everySegmentSeesItsChainAndItself() {
        QFETCH(const int, heads);
        QFETCH(const int, keyValueHeads);
        QFETCH(const bool, portable);
        const AttentionCase problem = tree(heads, keyValueHeads);
        const double difference = worst(problem, attendTogether(problem, portable, 2));
        QVERIFY2(difference < 1e-5, qPrintable(QString::number(difference)));
    }
    void aSegmentsResultDependsOnNoOther() {
        const AttentionCase problem = tree(6, 2);
        const auto together = attendTogether(problem, false, 2);
        for (std::size_t s = 0; s < problem.segments.size(); ++s) {
            AttentionCase alone = problem;
            alone.segments = {problem.segments[s]};
            QVERIFY2(attendTogether(alone, false, 1)[0].values == together[s].values, qPrintable(QString("segment %1").arg(s)));
        }
    }
    void textsWithoutOrder() {
        AttentionCase problem{3, 3, size, false, {}, {}};
        std::uint64_t key = 40;
        for (const std::size_t tokens : {3u, 40u, 1u, 22u, 13u})
            problem.segments.push_back({randomRows(problem, tokens, ++key), {}});
        for (const bool portable : {false, true})
            QVERIFY(worst(problem, attendTogether(problem, portable, 2)) < 1e-5);
    }
    void theLastTokensOfAStore_data() {
        QTest::addColumn<int>("last");
        QTest::addColumn<bool>("portable");
        for (const bool portable : {false, true})
            for (const int last : {1, 2, 20, 33})
                QTest::addRow("%d, %s", last, portable ? "portable" : "loops") << last << portable;
    }
    void theLastTokensOfAStore() {
        QFETCH(const int, last);
        QFETCH(const bool, portable);
        const AttentionCase problem = tree(6, 2);
        for (const std::vector<std::size_t>& chain : {std::vector<std::size_t>{3}, {0, 1, 3}}) {
            std::vector<const float*> tokens;
            for (const std::size_t store : chain)
                addTokens(tokens, problem.stores[store], problem.stores[store].rows);
            const Matrix result = attendAtTheEnd(problem, chain, last, portable);
            for (int t = 0; t < last; ++t) {
                const std::size_t row = tokens.size() - static_cast<std::size_t>(last - t);
                const auto wanted = naive(problem, tokens, row, row + 1);
                for (std::size_t i = 0; i < wanted.size(); ++i)
                    QVERIFY(std::fabs(result.row(static_cast<std::size_t>(t))[i] - wanted[i]) < 1e-5);
            }
        }
    }
    void rotaryPositions_data() {
        QTest::addColumn<bool>("halves");
        QTest::addColumn<bool>("portable");
        for (const bool halves : {false, true})
            for (const bool portable : {false, true})
                QTest::addRow("%s, %s", halves ? "halves" : "neighbours", portable ? "portable" : "loops") << halves << portable;
    }
    void rotaryPositions() {
        QFETCH(const bool, halves);
        QFETCH(const bool, portable);
        RotaryCase problem{halves, 100000, 2, {}, 3, size, {0, 7, 300}};
        for (int pair = 0; pair < size / 2; ++pair)
            problem.factors.push_back(pair < 8 ? 1 : 4);
        RandomStream random(11, "rotary", 1);
        Matrix x(3, 4 * size); // the fourth head is left alone
        for (float& value : x.values)
            value = static_cast<float>(random.normal());
        const Matrix y = rotated(problem, x, portable);
        for (std::size_t row = 0; row < 3; ++row)
            for (std::size_t head = 0; head < 4; ++head)
                for (std::size_t pair = 0; pair < size / 2; ++pair) {
                    const std::size_t a = head * size + (halves ? pair : 2 * pair), b = a + (halves ? size / 2 : 1);
                    const double angle = head == 3
                                             ? 0
                                             : static_cast<double>(problem.positions[row]) / problem.scale *
                                                   std::pow(problem.base, -2.0 * static_cast<double>(pair) / size) / problem.factors[pair];
                    QVERIFY(std::fabs(y.row(row)[a] - (x.row(row)[a] * std::cos(angle) - x.row(row)[b] * std::sin(angle))) < 1e-5);
                    QVERIFY(std::fabs(y.row(row)[b] - (x.row(row)[a] * std::sin(angle) + x.row(row)[b] * std::cos(angle))) < 1e-5);
                }
    }
};

QTEST_APPLESS_MAIN(TestAttention)
#include "test_attention.moc"
