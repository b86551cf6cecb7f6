// SPDX-License-Identifier: GPL-3.0-or-later
// Semantic ids on vectors whose clusters are known, and properties that hold for any vectors.
#include "base/random.h"
#include "data/semantic_identifiers.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

using namespace carousel;

namespace {

using Id = std::vector<std::int32_t>;
Id idOf(const SemanticIdentifiers& ids, std::size_t item) {
    const auto code = ids.of(item);
    return {code.begin(), code.end()};
}
SemanticIdentifiers made(const Matrix& vectors, int levels, int codes, std::uint64_t seed = 1) {
    auto ids = SemanticIdentifiers::make(vectors, {levels, codes, 25, seed}, {});
    if (!ids)
        qFatal("%s", describe(ids.error()).c_str());
    return std::move(*ids);
}
Matrix drawn(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    Matrix out(rows, columns);
    RandomStream random(seed, "test vectors");
    for (float& value : out.values)
        value = static_cast<float>(random.normal());
    return out;
}
// Groups of groups: item i belongs to group (i / inner) % outer of the first kind, and to i % inner within it.
Matrix planted(std::size_t outer, std::size_t inner, std::size_t each, double noise) {
    Matrix out(outer * inner * each, 16);
    RandomStream random(5, "planted");
    const Matrix far = drawn(outer, 16, 11), near = drawn(inner, 16, 12);
    for (std::size_t i = 0; i < out.rows; ++i)
        for (std::size_t k = 0; k < 16; ++k)
            out.row(i)[k] = 20 * far.row((i / inner) % outer)[k] + 3 * near.row(i % inner)[k] + static_cast<float>(noise * random.normal());
    return out;
}

} // namespace

class TestSemanticIdentifiers : public QObject {
    Q_OBJECT
private slots:
    void idsAreUniqueAndInRange() {
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            RandomStream random(seed, "shape");
            const auto rows = 1 + static_cast<std::size_t>(random.below(120)), columns = 1 + static_cast<std::size_t>(random.below(20));
            const int levels = 1 + static_cast<int>(random.below(4)), codes = 1 + static_cast<int>(random.below(12));
            Matrix vectors = drawn(rows, columns, seed);
            for (std::size_t i = 0; i < rows; ++i) // some cold, some equal to each other
                if (const auto kind = random.below(6); kind == 0)
                    std::fill(vectors.row(i).begin(), vectors.row(i).end(), 0.0f);
                else if (kind == 1)
                    std::copy(vectors.row(0).begin(), vectors.row(0).end(), vectors.row(i).begin());
            const auto ids = made(vectors, levels, codes, seed);
            QCOMPARE(ids.items(), rows);
            QCOMPARE(ids.length(), static_cast<std::size_t>(levels) + 1);
            std::set<Id> different;
            for (std::size_t i = 0; i < rows; ++i) {
                const auto id = idOf(ids, i);
                QVERIFY(different.insert(id).second);
                const auto row = vectors.row(i);
                const bool cold = std::all_of(row.begin(), row.end(), [](float v) { return v == 0; });
                QCOMPARE(ids.isCold(i), cold);
                QVERIFY(cold ? id[0] == codes : id[0] >= 0 && id[0] < codes);
                for (std::size_t level = 1; level < id.size(); ++level)
                    QVERIFY(id[level] >= 0 && id[level] < (level + 1 < id.size() ? codes : ids.lastCodes()));
            }
            QCOMPARE(idOf(made(vectors, levels, codes, seed), rows - 1), idOf(ids, rows - 1)); // same seed, same ids
            double before = 1;
            for (const auto& level : ids.levels()) {
                QVERIFY(level.used <= static_cast<std::size_t>(codes));
                QVERIFY(level.perplexity <= static_cast<double>(level.used) + 1e-9);
                QVERIFY(level.reconstructionError >= 0 && level.reconstructionError <= before + 1e-6);
                before = level.reconstructionError;
            }
        }
    }
    void plantedGroupsAreFound() {
        const std::size_t outer = 6, inner = 6, each = 8;
        const auto vectors = planted(outer, inner, each, 0.05);
        const auto ids = made(vectors, 2, 6);
        std::map<std::size_t, std::set<std::int32_t>> firstOfGroup;
        std::map<std::pair<std::size_t, std::size_t>, std::set<Id>> bothOfGroup;
        std::set<std::int32_t> firsts;
        for (std::size_t i = 0; i < vectors.rows; ++i) {
            const auto id = idOf(ids, i);
            firstOfGroup[(i / inner) % outer].insert(id[0]);
            bothOfGroup[{(i / inner) % outer, i % inner}].insert({id[0], id[1]});
            firsts.insert(id[0]);
        }
        QCOMPARE(firsts.size(), outer);
        for (const auto& [group, codes] : firstOfGroup)
            QCOMPARE(codes.size(), std::size_t(1));
        for (const auto& [group, codes] : bothOfGroup)
            QCOMPARE(codes.size(), std::size_t(1));
        QCOMPARE(ids.levels()[0].used, outer);
        QVERIFY(std::fabs(ids.levels()[0].perplexity - 6) < 1e-9); // groups of one size
        QVERIFY(ids.levels()[0].reconstructionError > 10 * ids.levels()[1].reconstructionError);
        QVERIFY(ids.levels()[1].reconstructionError < 0.01);
    }
    void numbersByHand() {
        // 1 1 | 11 | 21 on a line: three codes hold them without error, and the two equal ones collide.
        Matrix vectors(4, 1);
        vectors.values = {1, 1, 11, 21};
        const auto ids = made(vectors, 1, 3);
        QCOMPARE(ids.levels()[0].used, std::size_t(3));
        QVERIFY(std::fabs(ids.levels()[0].perplexity - std::exp(0.5 * std::log(2.0) + 0.5 * std::log(4.0))) < 1e-9);
        QVERIFY(ids.levels()[0].reconstructionError < 1e-10);
        QVERIFY(std::fabs(ids.collisionRate() - 0.25) < 1e-12);
        QCOMPARE(ids.lastCodes(), 2);
        QCOMPARE(ids.of(0)[0], ids.of(1)[0]);
        QCOMPARE(ids.of(0)[1] + ids.of(1)[1], 1);
    }
    void orderOfItemsChangesNothing() {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto vectors = drawn(90, 7, seed);
            std::vector<std::size_t> order(vectors.rows);
            std::iota(order.begin(), order.end(), std::size_t(0));
            RandomStream random(seed, "order");
            for (std::size_t i = order.size(); i > 1; --i)
                std::swap(order[i - 1], order[random.below(i)]);
            Matrix other(vectors.rows, vectors.columns);
            for (std::size_t i = 0; i < order.size(); ++i)
                std::copy(vectors.row(order[i]).begin(), vectors.row(order[i]).end(), other.row(i).begin());
            const auto ids = made(vectors, 2, 5, seed), again = made(other, 2, 5, seed);
            for (std::size_t i = 0; i < order.size(); ++i)
                QCOMPARE(idOf(again, i), idOf(ids, order[i]));
        }
        const auto vectors = drawn(90, 7, 1);
        const auto a = made(vectors, 2, 5, 1), b = made(vectors, 2, 5, 2);
        bool differs = false;
        for (std::size_t i = 0; i < 90; ++i)
            differs = differs || idOf(a, i) != idOf(b, i);
        QVERIFY(differs); // the seed does something
    }
    void scaleAndPlaceOfAColumnChangeNothing() {
        // A column in other units must not decide alone: powers of two keep the numbers exact.
        const auto vectors = planted(4, 3, 6, 0.5);
        Matrix other = vectors;
        for (std::size_t i = 0; i < other.rows; ++i)
            other.row(i)[0] *= 1024;
        const auto a = made(vectors, 2, 4), b = made(other, 2, 4);
        for (std::size_t i = 0; i < other.rows; ++i)
            QCOMPARE(idOf(a, i), idOf(b, i));
    }
    void coldItemsStandApart() {
        Matrix vectors = drawn(40, 3, 3);
        for (std::size_t i = 5; i < 30; ++i)
            std::fill(vectors.row(i).begin(), vectors.row(i).end(), 0.0f);
        vectors.row(30)[1] = std::nanf("");
        const auto ids = made(vectors, 2, 4);
        QCOMPARE(ids.coldItems(), std::size_t(26));
        std::set<Id> cold;
        for (std::size_t i = 5; i <= 30; ++i) {
            QCOMPARE(ids.of(i)[0], 4);
            cold.insert(idOf(ids, i));
        }
        QCOMPARE(cold.size(), std::size_t(26));
        QVERIFY(ids.lastCodes() >= 7); // 26 items over 4 codes of the second level
        // Who is cold does not move the others.
        Matrix without(0, 3);
        for (std::size_t i = 0; i < 40; ++i)
            if (i < 5 || i > 30)
                without.values.insert(without.values.end(), vectors.row(i).begin(), vectors.row(i).end()), ++without.rows;
        const auto alone = made(without, 2, 4);
        for (std::size_t i = 0; i < 5; ++i)
            QCOMPARE(idOf(alone, i), idOf(ids, i));
        const auto allCold = made(Matrix(3, 2), 1, 4), nobody = made(Matrix(0, 2), 3, 4);
        QCOMPARE(allCold.coldItems(), std::size_t(3));
        QCOMPARE(nobody.items(), std::size_t(0));
        QVERIFY(!allCold.describe().empty());
    }
    void badSettingsAndStopsAreErrors() {
        const auto vectors = drawn(10, 2, 1);
        for (const auto& settings : {SemanticIdentifierSettings{0, 4}, SemanticIdentifierSettings{9, 4}, SemanticIdentifierSettings{2, 0},
                                     SemanticIdentifierSettings{2, 70000}, SemanticIdentifierSettings{2, 4, 0}})
            QCOMPARE(SemanticIdentifiers::make(vectors, settings, {}).error().code, std::string("CL-1040"));
        std::stop_source source;
        source.request_stop();
        const RunControl control(source.get_token());
        QCOMPARE(SemanticIdentifiers::make(vectors, {}, control).error().code, std::string("CL-7001"));
    }
    void everyCodeIsUsedWhereThereAreItemsEnough() {
        const auto ids = made(drawn(1500, 24, 9), 3, 64);
        qInfo("%s", ids.describe().c_str());
        for (const auto& level : ids.levels())
            QVERIFY(level.used >= 58); // 90 % of 64
        QVERIFY(ids.collisionRate() < 0.05);
    }
};

QTEST_APPLESS_MAIN(TestSemanticIdentifiers)
#include "test_semantic_identifiers.moc"
