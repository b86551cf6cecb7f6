// SPDX-License-Identifier: GPL-3.0-or-later
// Every pair of runs: signs, p values in their order, what a correction changes in the verdict, and how many users or seeds would halve an error.
#include "base/random.h"
#include "workbench/run_pairs.h"
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {
// `shift[s]` is added to what strategies share per user; noise is a strategy's own.
StudyComparison comparison(const std::vector<double>& shift, std::size_t users, double noise, std::uint64_t seed = 5) {
    StudyComparison c;
    c.study.seed = 3;
    c.study.evaluation.bootstrap = 999;
    c.definitions = metricDefinitions(10);
    c.users = static_cast<std::int64_t>(users);
    for (std::size_t s = 0; s < shift.size(); ++s) {
        StrategyResult result;
        result.strategy.name = "S" + std::to_string(s);
        result.colour = static_cast<int>(s);
        for (std::size_t m = 0; m < c.definitions.size(); ++m) {
            MetricValue value;
            value.metric = c.definitions[m].metric;
            for (std::size_t u = 0; u < users; ++u) {
                RandomStream common(seed, "user", u), own(seed, "own", u * 100 + s);
                value.perUser.push_back(static_cast<float>(common.uniform() + shift[s] + noise * (own.uniform() - 0.5)));
            }
            result.metrics.push_back(std::move(value));
        }
        c.strategies.push_back(std::move(result));
    }
    return c;
}
std::size_t ndcg(const StudyComparison& c) { return *pairMetric(c, ""); }
} // namespace

class TestRunPairs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyPairOnceWithItsSign() {
        const auto c = comparison({0, 0.2, 0.1}, 60, 0.1);
        const auto pairs = comparePairs(c, ndcg(c), {});
        QVERIFY(pairs);
        QCOMPARE(pairs->pairs.size(), std::size_t(3));
        QCOMPARE(pairs->users, std::int64_t(60));
        QCOMPARE(pairs->permutations, 9999);
        const auto& p = pairs->pairs;
        QVERIFY(p[0].a == 0 && p[0].b == 1 && p[1].a == 0 && p[1].b == 2 && p[2].a == 1 && p[2].b == 2);
        QVERIFY(std::fabs(p[0].plain.difference - 0.2) < 0.03 && std::fabs(p[2].plain.difference + 0.1) < 0.03);
        QVERIFY(p[0].effect > 1 && p[2].effect < -1);
        QVERIFY(p[0].plain.interval.low < p[0].plain.difference && p[0].plain.difference < p[0].plain.interval.high);
        for (const auto& pair : p) {
            QVERIFY(pair.plain.pValue <= pair.benjaminiHochberg && pair.benjaminiHochberg <= pair.holm);
            QVERIFY(pair.tukey > 0 && pair.tukey < 0.05);
        }
        const auto table = pairTable(c, *pairs, PairCorrection::tukey);
        QCOMPARE(table.rows[0].back().text, std::string("higher"));
        QCOMPARE(table.rows[2].back().text, std::string("lower"));
        QVERIFY(table.rows[0].back().tone == ReportCell::Tone::good && table.rows[2].back().tone == ReportCell::Tone::bad);
        QCOMPARE(table.rows[0][0].text, std::string("S1")); // S1 less S0
        for (const auto& row : table.rows)
            QCOMPARE(row.size(), table.columns.size());
        for (const auto& row : pairTable(c, *pairs, PairCorrection::none).rows)
            QCOMPARE(row.size(), std::size_t(6));
    }
    void thePairAloneIsWhatTheMetricsTableHas() {
        const auto c = comparison({0, 0.02, 0.05}, 40, 0.2);
        const auto pairs = comparePairs(c, ndcg(c), {});
        const auto& e = c.study.evaluation;
        const auto same = pairedDifference(c.strategies[0].metrics[ndcg(c)].perUser, c.strategies[1].metrics[ndcg(c)].perUser, {e.k, e.bootstrap, e.confidence, c.study.seed});
        QCOMPARE(pairs->pairs[0].plain.pValue, same.pValue);
        QCOMPARE(pairs->pairs[0].plain.interval.low, same.interval.low);
    }
    void manyPairsNeedMore() {
        // Among eight that do not differ, some pair looks different by chance; no correction for all pairs may believe it.
        std::size_t alone = 0, together = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const auto c = comparison(std::vector<double>(8, 0.0), 30, 0.3, seed);
            const auto pairs = comparePairs(c, ndcg(c), {});
            QVERIFY(pairs);
            const auto any = [&](PairCorrection correction) { return std::any_of(pairs->pairs.begin(), pairs->pairs.end(), [&](const RunPair& pair) { return pair.p(correction) <= 0.05; }); };
            alone += any(PairCorrection::none);
            together += any(PairCorrection::tukey);
        }
        QVERIFY2(alone >= 8, qPrintable(QString::number(alone)));      // expected about 14 of 20
        QVERIFY2(together <= 5, qPrintable(QString::number(together))); // expected 1; six or more has probability 0.0003
    }
    void gapsAndRefusals() {
        auto c = comparison({0, 0.1}, 30, 0.1);
        c.strategies[1].metrics[ndcg(c)].perUser[4] = std::nanf("");
        QCOMPARE(comparePairs(c, ndcg(c), {})->users, std::int64_t(29));
        for (auto& value : c.strategies[1].metrics[ndcg(c)].perUser)
            value = std::nanf("");
        QCOMPARE(comparePairs(c, ndcg(c), {}).error().code, std::string("CL-7018"));
        c.strategies.pop_back();
        QCOMPARE(comparePairs(c, ndcg(c), {}).error().code, std::string("CL-7018"));
        QCOMPARE(pairMetric(c, "no such").error().code, std::string("CL-7017"));
        QCOMPARE(*pairMetric(c, c.definitions[ndcg(c)].label), ndcg(c));
        for (const auto& definition : c.definitions)
            QCOMPARE(pairMetric(c, definition.id).has_value(), definition.perUser);
        const auto flat = comparison({0, 0.25}, 10, 0); // the same difference for every user, as far as single precision goes
        const auto pairs = comparePairs(flat, ndcg(flat), {});
        QVERIFY(pairs && (!std::isfinite(pairs->pairs[0].effect) || pairs->pairs[0].effect > 1000));
    }
    void halvingIsTheLeastThatHalves() {
        SeedSpread spread;
        spread.seeds = {1, 2, 3};
        spread.users = 100;
        spread.split = {.users = 0.09, .seeds = 1e-5, .rest = 0.04};
        const auto error = [&](double users, double seeds) { return std::sqrt(0.09 / users + 1e-5 / seeds + 0.04 / (users * seeds)); };
        spread.split.standardError = error(100, 3);
        planHalving(spread);
        QVERIFY(spread.usersToHalve > 400); // the seeds' part stays
        QVERIFY(error(spread.usersToHalve, 3) <= error(100, 3) / 2);
        QVERIFY(error(spread.usersToHalve - 1, 3) > error(100, 3) / 2);
        QVERIFY(std::isnan(spread.seedsToHalve)); // users alone are too much
        spread.split = {.users = 0, .seeds = 0.01, .rest = 0.04, .standardError = std::sqrt(0.01 / 3 + 0.04 / 300)};
        planHalving(spread);
        QCOMPARE(spread.seedsToHalve, 12.0); // everything goes with one by the number of seeds
        QVERIFY(std::isnan(spread.usersToHalve));
        spread.split = {};
        planHalving(spread);
        QVERIFY(std::isnan(spread.seedsToHalve) && std::isnan(spread.usersToHalve));
    }
    void csvAndJsonHoldEveryNumber() {
        const auto c = comparison({0, 0.2, 0.1}, 20, 0.1);
        const auto pairs = comparePairs(c, ndcg(c), {});
        const auto json = pairsJson(c, *pairs, false);
        QCOMPARE(json["pairs"].size(), std::size_t(3));
        QCOMPARE(json["pairs"][0]["tukey"].get<double>(), pairs->pairs[0].tukey);
        QVERIFY(!json.contains("spread"));
        const QStringList lines = QString::fromStdString(pairsCsv(c, *pairs)).split(QStringLiteral("\r\n"), Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 4);
        QCOMPARE(lines[1].split(QLatin1Char(',')).at(3).toDouble(), pairs->pairs[0].plain.difference);
    }
};

QTEST_APPLESS_MAIN(TestRunPairs)
#include "test_run_pairs.moc"
