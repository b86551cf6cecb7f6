// SPDX-License-Identifier: GPL-3.0-or-later
// Poisson weights and the sums drawn with them.
#include "base/random.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <QProcess>
#include <QTest>
#include <cmath>
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
    return text;
}
} // namespace

class TestClickBootstrap : public QObject {
    Q_OBJECT
private slots:
    void blocksEqualSingleWeights() {
        std::vector<std::uint8_t> block(1000);
        for (const std::uint64_t first : {0ull, 1ull, 127ull, 128ull, 5000000000ull}) {
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
        auto with = [](const char* count) {
            QProcess process;
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert("CAROUSEL_LAB_THREADS", count);
            process.setProcessEnvironment(environment);
            process.start(QCoreApplication::applicationFilePath(), {"--digits"});
            process.waitForFinished();
            return process.readAllStandardOutput();
        };
        const QByteArray one = with("1");
        QVERIFY(one.size() > 1000);
        QCOMPARE(one, with("2"));
    }
};

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc > 1 && std::string(argv[1]) == "--digits") {
        std::printf("%s", digits().c_str());
        return 0;
    }
    TestClickBootstrap test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_click_bootstrap.moc"
