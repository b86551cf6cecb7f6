// SPDX-License-Identifier: GPL-3.0-or-later
// Poisson weights and the sums drawn with them.
#include "base/random.h"
#include "evaluation/statistics/grouped_bootstrap.h"
#include "evaluation/statistics/vector_path.h"
#include <QProcess>
#include <QTest>
#include <array>
#include <cmath>
#include <map>
#include <cstdio>
#include <fmt/format.h>

using namespace carousel;

namespace {
std::vector<double> normals(std::size_t n, double mean) {
    RandomStream random(3, "normals");
    std::vector<double> values(n);
    for (double& value : values)
        value = mean + random.normal();
    return values;
}
BootstrapSums sums(const std::vector<std::vector<double>>& columns, const std::vector<std::int32_t>& cluster, int draws,
                   std::uint64_t seed) {
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    auto result = bootstrapSums(spans, cluster, draws, seed, RunControl());
    if (!result)
        qFatal("%s", result.error().message.c_str());
    return std::move(*result);
}
std::uint64_t fnv(std::span<const std::uint8_t> bytes, std::uint64_t hash = 0xCBF29CE484222325ull) {
    for (const std::uint8_t byte : bytes)
        hash = (hash ^ byte) * 0x100000001B3ull;
    return hash;
}
std::string digits() {
    std::vector<std::int32_t> cluster(5000);
    for (std::size_t r = 0; r < cluster.size(); ++r)
        cluster[r] = static_cast<std::int32_t>(r * 7919 % 600);
    std::string text;
    for (const bool clustered : {false, true}) {
        const BootstrapSums drawn = sums({normals(5000, 1), normals(5000, 2)}, clustered ? cluster : std::vector<std::int32_t>(), 70, 4);
        for (const double value : drawn.sums)
            text += fmt::format("{:a}\n", value);
        for (const double value : drawn.weight)
            text += fmt::format("{:a}\n", value);
    }
    for (std::size_t width = 1; width <= 6; ++width) { // as many draws as go together, and some left over
        std::vector<std::vector<double>> columns;
        for (std::size_t c = 0; c < width; ++c)
            columns.push_back(normals(4099, static_cast<double>(c)));
        const BootstrapSums drawn = sums(columns, {}, 19, 5);
        for (const double value : drawn.sums)
            text += fmt::format("{:a}\n", value);
    }
    std::vector<std::uint8_t> weight(200003);
    for (const std::uint64_t first : {0ull, 77ull, (1ull << 35) - 100000, (1ull << 42) + 5}) { // the counter's upper word changes at 2^35
        poissonWeights(8, 1, first, weight);
        text += fmt::format("{:x}\n", fnv(weight));
    }
    return text;
}
QByteArray printed(const char* variable, const char* value, const char* what) { // by this program in another process
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(variable, value);
    process.setProcessEnvironment(environment);
    process.start(QCoreApplication::applicationFilePath(), {what});
    process.waitForFinished();
    return process.readAllStandardOutput();
}
} // namespace

class TestClickBootstrap : public QObject {
    Q_OBJECT
private slots:
    void blocksEqualSingleWeights() {
        std::vector<std::uint8_t> block(1000);
        for (const std::uint64_t first : {0ull, 1ull, 127ull, 128ull, 5000000000ull, (1ull << 35) - 500, (1ull << 35) - 128}) {
            poissonWeights(9, 3, first, block);
            for (std::size_t i = 0; i < block.size(); ++i)
                QCOMPARE(static_cast<int>(block[i]), static_cast<int>(poissonWeight(9, 3, first + i)));
        }
    }
    void weightsArePoisson() {
        std::vector<std::uint8_t> weight(2000000);
        poissonWeights(1, 0, 0, weight);
        double mean = 0, square = 0, share[4] = {}, chained = 0;
        for (std::size_t i = 0; i < weight.size(); ++i) {
            mean += weight[i];
            square += (weight[i] - 1.0) * (weight[i] - 1.0);
            if (weight[i] < 4)
                share[weight[i]] += 1;
            if (i > 0)
                chained += (weight[i] - 1.0) * (weight[i - 1] - 1.0);
        }
        const double n = static_cast<double>(weight.size());
        QVERIFY(std::fabs(mean / n - 1) < 4 / std::sqrt(n));
        QVERIFY(std::fabs(square / n - 1) < 4 * std::sqrt(3 / n)); // fourth moment about 1 is 4
        QVERIFY(std::fabs(chained / n) < 4 / std::sqrt(n));
        double p = std::exp(-1.0);
        for (int k = 0; k < 4; p /= ++k)
            QVERIFY(std::fabs(share[k] / n - p) < 4 * std::sqrt(p / n) + 1e-5);
    }
    void weightsStayWhatTheyWere() { // a report is drawn again from its seed: these weights are part of what a version promises
        std::vector<std::uint8_t> weight(100000);
        poissonWeights(7, 3, 0, weight);
        QCOMPARE(fnv(weight), 0xB3BD2A81B6BBD4C1ull);
        std::size_t seen[10] = {};
        for (const std::uint8_t w : weight)
            ++seen[w];
        QCOMPARE(seen[9], std::size_t(0));
    }
    // Sixty million weights of four draws: the probabilities to 2^-16, and no relation between units that stand near each other, in one
    // register, in one block or at the same place of the next block, or between draws.
    void weightsArePoissonToTheLastPlace() {
        constexpr std::size_t draws = 4, n = 15'000'000, widest = 9;
        constexpr std::size_t lags[] = {1, 2, 3, 8, 16, 32, 64, 128, 256, 2048};
        std::vector<std::vector<std::uint8_t>> weight(draws, std::vector<std::uint8_t>(n));
        for (std::size_t d = 0; d < draws; ++d)
            poissonWeights(12, static_cast<std::uint32_t>(d), 1000, weight[d]);
        const double all = static_cast<double>(draws * n);
        double seen[widest + 1] = {}, mean = 0, variance = 0;
        for (const auto& of : weight)
            for (const std::uint8_t w : of)
                ++seen[std::min<std::size_t>(w, widest)];
        QCOMPARE(seen[widest], 0.0);
        double p = std::exp(-1.0), atLeast = 1;
        for (std::size_t k = 0; k < widest; ++k) {
            double found = 0;
            for (std::size_t more = k; more < widest; ++more)
                found += seen[more];
            const double bound = 4.5 * std::sqrt(atLeast * (1 - atLeast) / all) + 1.01 / 65536;
            QVERIFY2(std::fabs(found / all - atLeast) <= bound, qPrintable(QString("P(weight >= %1): %2 instead of %3").arg(k).arg(found / all, 0, 'g', 9).arg(atLeast, 0, 'g', 9)));
            mean += static_cast<double>(k) * seen[k] / all, variance += (static_cast<double>(k) - 1) * (static_cast<double>(k) - 1) * seen[k] / all;
            atLeast -= p, p /= static_cast<double>(k + 1);
        }
        QVERIFY2(std::fabs(mean - 1) < 4.5 / std::sqrt(all), qPrintable(QString::number(mean, 'g', 9)));
        QVERIFY2(std::fabs(variance - 1) < 4.5 * std::sqrt(3 / all) + 4e-5, qPrintable(QString::number(variance, 'g', 9)));
        // Both the product of what exceeds 1 and how often both are 0, which a relation without correlation would change.
        const auto unrelated = [&](const std::uint8_t* a, const std::uint8_t* b, std::size_t count, const QString& which) {
            std::int64_t product = 0, zeros = 0;
            for (std::size_t i = 0; i < count; ++i) {
                product += (a[i] - 1) * (b[i] - 1);
                zeros += (a[i] | b[i]) == 0;
            }
            const double pairs = static_cast<double>(count), both = (seen[0] / all) * (seen[0] / all);
            QVERIFY2(std::fabs(static_cast<double>(product)) < 4.5 * std::sqrt(pairs), qPrintable(which));
            QVERIFY2(std::fabs(static_cast<double>(zeros) - both * pairs) < 5 * std::sqrt(both * (1 - both) * pairs), qPrintable(which));
        };
        for (const std::size_t lag : lags)
            unrelated(weight[0].data(), weight[0].data() + lag, n - lag, QString("units %1 apart").arg(lag));
        for (std::size_t d = 1; d < draws; ++d) {
            unrelated(weight[d - 1].data(), weight[d].data(), n, QString("draws %1 and %2").arg(d - 1).arg(d));
            unrelated(weight[0].data(), weight[d].data() + d, n - d, QString("draws 0 and %1, neighbours").arg(d));
        }
    }
    void drawsAndSeedsDiffer() {
        std::vector<std::uint8_t> a(4096), b(4096);
        for (const auto& [seed, draw] : {std::pair{1u, 1u}, std::pair{2u, 0u}}) {
            poissonWeights(1, 0, 0, a);
            poissonWeights(seed, draw, 0, b);
            double product = 0;
            for (std::size_t i = 0; i < a.size(); ++i)
                product += (a[i] - 1.0) * (b[i] - 1.0);
            QVERIFY(std::fabs(product) < 4 * 64);
        }
    }
    void sumsEqualTheirDefinition() {
        const auto x = normals(1003, 1);
        const std::vector<double> two(1003, 2.0);
        std::vector<std::int32_t> cluster(1003);
        for (std::size_t r = 0; r < 1003; ++r)
            cluster[r] = static_cast<std::int32_t>(r % 97);
        for (const bool clustered : {false, true}) {
            const BootstrapSums drawn = sums({x, two, x, two, x}, clustered ? cluster : std::vector<std::int32_t>(), 5, 11);
            for (int d = 0; d < 5; ++d) {
                double sum = 0, all = 0;
                for (std::size_t r = 0; r < 1003; ++r) {
                    const double w =
                        poissonWeight(11, static_cast<std::uint32_t>(d), clustered ? static_cast<std::uint64_t>(cluster[r]) : r);
                    sum += w * x[r];
                    all += w;
                }
                QVERIFY(std::fabs(drawn.at(d, 0) - sum) < 1e-9);
                QVERIFY(std::fabs(drawn.at(d, 4) - sum) < 1e-9);
                QCOMPARE(drawn.at(d, 1), 2 * all);
                QCOMPARE(drawn.weight[static_cast<std::size_t>(d)], all);
            }
        }
    }
    void clustersWidenTheInterval() {
        // Ten equal rows per cluster: the mean of 10,000 rows is that of 1,000.
        std::vector<double> x(10000);
        std::vector<std::int32_t> cluster(10000);
        const auto values = normals(1000, 0);
        for (std::size_t r = 0; r < x.size(); ++r) {
            x[r] = values[r / 10];
            cluster[r] = static_cast<std::int32_t>(r / 10);
        }
        auto width = [&](const std::vector<std::int32_t>& of) {
            const BootstrapSums drawn = sums({x}, of, 1000, 2);
            std::vector<double> means;
            for (int d = 0; d < 1000; ++d)
                means.push_back(drawn.at(d, 0) / drawn.weight[static_cast<std::size_t>(d)]);
            const Interval interval = percentileInterval(means, 0.95);
            return interval.high - interval.low;
        };
        QVERIFY(std::fabs(width({}) / (2 * 1.96 / 100) - 1) < 0.1);
        QVERIFY(std::fabs(width(cluster) / (2 * 1.96 / std::sqrt(1000)) - 1) < 0.1);
    }
    void poissonVariatesAreWhatTheySay() { // chi-squared against the probabilities, cells of 5 expected and more
        for (const double mean : {0.3, 4.0, 10.0, 37.0, 2000.0}) {
            RandomStream random(5, "variates", static_cast<std::uint64_t>(mean * 10));
            constexpr int n = 40000;
            std::map<int, double> seen;
            for (int i = 0; i < n; ++i)
                ++seen[static_cast<int>(poissonVariate(mean, random))];
            double statistic = 0, expected = 0, found = 0;
            int cells = 0;
            const int last = static_cast<int>(mean + 8 * std::sqrt(mean) + 10);
            for (int k = 0; k <= last; ++k) {
                expected += n * std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0)), found += seen.count(k) ? seen.at(k) : 0;
                if (expected >= 20) {
                    statistic += (found - expected) * (found - expected) / expected;
                    expected = found = 0, ++cells;
                }
            }
            const double sd = std::sqrt(2.0 * cells);
            QVERIFY2(statistic < cells + 4.5 * sd, qPrintable(QString("%1: %2 in %3 cells").arg(mean).arg(statistic).arg(cells)));
        }
        RandomStream random(1, "none");
        QCOMPARE(poissonVariate(0, random), 0.0);
    }
    void equalValuesMayBeDrawnTogether() {
        std::vector<double> clicks, visits;
        for (int i = 0; i < 4000; ++i)
            clicks.push_back((i * 7) % 5), visits.push_back(5 + i % 3);
        auto drawnOf = [&](auto sumsOf) {
            const std::vector<std::span<const double>> columns{clicks, visits};
            const BootstrapSums drawn = *sumsOf(columns);
            std::vector<double> ratio, weight;
            for (int d = 0; d < 4000; ++d)
                ratio.push_back(drawn.at(d, 0) / drawn.at(d, 1)), weight.push_back(drawn.weight[static_cast<std::size_t>(d)]);
            return std::array{percentileInterval(ratio, 0.95), percentileInterval(weight, 0.95)};
        };
        const auto one = drawnOf([](const auto& c) { return bootstrapSums(c, {}, 4000, 3, RunControl()); });
        const auto two = drawnOf([](const auto& c) { return groupedBootstrapSums(c, 4000, 3, RunControl()); });
        for (std::size_t k = 0; k < 2; ++k) { // an end of a 95 % interval has a standard error of .042 standard deviations at 4,000 draws
            const double sd = (one[k].high - one[k].low) / 3.92;
            QVERIFY(std::fabs(one[k].low - two[k].low) < 0.25 * sd && std::fabs(one[k].high - two[k].high) < 0.25 * sd);
        }
        // Another order of rows: the same digits.
        const std::vector<std::span<const double>> columns{clicks, visits};
        const BootstrapSums before = *groupedBootstrapSums(columns, 10, 3, RunControl());
        std::vector<double> otherClicks(clicks.rbegin(), clicks.rend()), otherVisits(visits.rbegin(), visits.rend());
        const std::vector<std::span<const double>> turned{otherClicks, otherVisits};
        QCOMPARE(groupedBootstrapSums(turned, 10, 3, RunControl())->sums, before.sums);
        // Values that do not repeat: the plain way.
        const auto x = normals(500, 0);
        const std::vector<std::span<const double>> plain{x};
        QCOMPARE(groupedBootstrapSums(plain, 10, 3, RunControl())->sums, bootstrapSums(plain, {}, 10, 3, RunControl())->sums);
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(groupedBootstrapSums(columns, 10, 3, RunControl(stop.get_token())).error().kind, ErrorKind::cancelled);
    }
    void percentiles() {
        const Interval interval = percentileInterval({5, 1, 4, std::nan(""), 2, 3}, 0.5);
        QCOMPARE(interval.low, 2.0);
        QCOMPARE(interval.high, 4.0);
        QVERIFY(std::isnan(percentileInterval({std::nan("")}, 0.9).low));
        QCOMPARE(percentileInterval({0, 1}, 0.5).low, 0.25);
    }
    void stopsWhenAsked() {
        std::stop_source stop;
        stop.request_stop();
        const auto x = normals(100, 0);
        const std::vector<std::span<const double>> columns{x};
        const auto result = bootstrapSums(columns, {}, 100, 1, RunControl(stop.get_token()));
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::cancelled);
    }
    void anyThreadCountGivesTheSameBits() {
        const QByteArray one = printed("CAROUSEL_LAB_THREADS", "1", "--digits");
        QVERIFY(one.size() > 1000);
        QCOMPARE(one, printed("CAROUSEL_LAB_THREADS", "2", "--digits"));
    }
    void anyProcessorGivesTheSameBits() { // portable loops, AVX2 and AVX-512, as far as this machine has them
        const QByteArray portable = printed("CAROUSEL_CPU", "baseline", "--digits");
        QVERIFY(portable.size() > 1000);
        QCOMPARE(printed("CAROUSEL_CPU", "baseline", "--path"), QByteArray("0"));
        QVERIFY(printed("CAROUSEL_CPU", "avx2", "--path").toInt() <= 1);
        QCOMPARE(printed("CAROUSEL_CPU", "avx2", "--digits"), portable);
        QCOMPARE(printed("CAROUSEL_CPU", "avx512", "--digits"), portable);
    }
};

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc > 1 && std::string(argv[1]) == "--digits") {
        std::printf("%s", digits().c_str());
        return 0;
    }
    if (argc > 1 && std::string(argv[1]) == "--path") {
        std::printf("%d", static_cast<int>(vectorPath()));
        return 0;
    }
    TestClickBootstrap test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_click_bootstrap.moc"
