// SPDX-License-Identifier: GPL-3.0-or-later
// Each compiled set of loops against plain sums in double.
#include "base/random.h"
#include "compute/cpu_kernels.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <vector>

namespace carousel {
extern const CpuKernels cpuKernels_baseline;
}
using namespace carousel;

namespace {
std::vector<float> randomValues(std::size_t count, std::uint64_t key, double scale = 1) {
    RandomStream random(5, "kernels", key);
    std::vector<float> values(count);
    for (float& value : values)
        value = static_cast<float>(random.normal() * scale);
    return values;
}
} // namespace

class TestCpuKernels : public QObject {
    Q_OBJECT
    static void eachSet() {
        QTest::addColumn<const void*>("set");
        QTest::newRow("baseline") << static_cast<const void*>(&cpuKernels_baseline);
        QTest::newRow(cpuKernels().name == std::string("baseline") ? "chosen: baseline" : cpuKernels().name)
            << static_cast<const void*>(&cpuKernels());
    }
    static const CpuKernels& set() {
        QFETCH_GLOBAL(const void*, set);
        return *static_cast<const CpuKernels*>(set);
    }

private slots:
    void initTestCase_data() { eachSet(); }

    void normalisesRows() {
        constexpr std::int64_t rows = 3, width = 70; // not a multiple of any vector length
        const auto x = randomValues(rows * width, 1, 3), weight = randomValues(width, 2);
        std::vector<float> y(x.size());
        set().rmsNorm(x.data(), weight.data(), 1e-5f, rows, width, y.data());
        for (int row = 0; row < rows; ++row) {
            double squares = 0;
            for (int i = 0; i < width; ++i)
                squares += double(x[row * width + i]) * x[row * width + i];
            for (int i = 0; i < width; ++i) {
                const double wanted = x[row * width + i] / std::sqrt(squares / width + 1e-5) * weight[i];
                QVERIFY(std::fabs(y[row * width + i] - wanted) < 1e-5);
            }
        }
    }
    void gatesAndSums() {
        constexpr std::int64_t width = 37;
        auto x = randomValues(2 * width, 3, 20); // large enough that the exponential saturates
        x[0] = -200, x[1] = 200, x[2] = 0;
        std::vector<float> y(width);
        set().swiGlu(x.data(), 1, width, y.data());
        for (int i = 0; i < width; ++i) {
            const double wanted = x[i] / (1 + std::exp(-double(x[i]))) * x[width + i];
            QVERIFY2(std::fabs(y[i] - wanted) < 1e-5 * (1 + std::fabs(wanted)), qPrintable(QString("%1: %2 %3").arg(x[i]).arg(y[i]).arg(wanted)));
        }
        const auto logits = randomValues(49153, 4, 8);
        double total = 0;
        for (const float value : logits)
            total += std::exp(double(value));
        QVERIFY(std::fabs(set().logSumExp(logits.data(), 49153) - std::log(total)) < 1e-6);
        const std::vector<float> large(20, 1000.0f);
        QVERIFY(std::fabs(set().logSumExp(large.data(), 20) - (1000 + std::log(20.0))) < 1e-5);
    }
    void turnsNeighbouringPairs() {
        std::vector<float> x = randomValues(64, 5), cosine(32), sine(32);
        const auto before = x;
        for (int pair = 0; pair < 16; ++pair) {
            cosine[2 * pair] = cosine[2 * pair + 1] = std::cos(0.1f * pair);
            sine[2 * pair] = -std::sin(0.1f * pair);
            sine[2 * pair + 1] = std::sin(0.1f * pair);
        }
        set().rotate(x.data(), 2, 32, cosine.data(), sine.data());
        for (int at = 0; at < 64; at += 2) {
            const double angle = 0.1 * (at % 32 / 2);
            QVERIFY(std::fabs(x[at] - (before[at] * std::cos(angle) - before[at + 1] * std::sin(angle))) < 1e-5);
            QVERIFY(std::fabs(x[at + 1] - (before[at] * std::sin(angle) + before[at + 1] * std::cos(angle))) < 1e-5);
        }
    }
    void attendsOverBothGroups_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("shared");
        QTest::addColumn<int>("own");
        for (int rows = 1; rows <= attentionRows; ++rows)
            QTest::addRow("%d rows, 45 shared, 33 own", rows) << rows << 45 << 33;
        QTest::newRow("no shared keys") << 3 << 0 << 7;
        QTest::newRow("no own keys") << 6 << 64 << 0;
    }
    void attendsOverBothGroups() {
        QFETCH(int, rows);
        QFETCH(int, shared);
        QFETCH(int, own);
        constexpr int size = 64;
        const auto queries = randomValues(rows * size, 6), sharedKeys = randomValues(shared * size, 7), sharedValues = randomValues(shared * size, 8),
                   ownKeys = randomValues(own * size, 9), ownValues = randomValues(own * size, 10);
        const auto blocks = [](const std::vector<float>& keys) {
            const std::size_t count = keys.size() / size;
            std::vector<float> out((count + keyBlock - 1) / keyBlock * keyBlock * size, 0);
            for (std::size_t t = 0; t < count; ++t)
                for (int i = 0; i < size; ++i)
                    out[t / keyBlock * keyBlock * size + i * keyBlock + t % keyBlock] = keys[t * size + i];
            return out;
        };
        const auto sharedBlocks = blocks(sharedKeys), ownBlocks = blocks(ownKeys);
        std::vector<float> out(rows * size), scratch(attentionRows * 128);
        AttentionTile tile;
        tile.rows = rows;
        tile.headSize = size;
        tile.scale = 0.125f;
        for (int r = 0; r < rows; ++r) {
            tile.queries[r] = queries.data() + r * size;
            tile.out[r] = out.data() + r * size;
            tile.sharedVisible[r] = own == 0 ? shared - rows + 1 + r : shared;
            tile.ownVisible[r] = own == 0 ? 0 : own - rows + 1 + r;
        }
        tile.sharedKeys = sharedBlocks.data();
        tile.sharedValues = sharedValues.data();
        tile.ownKeys = ownBlocks.data();
        tile.ownValues = ownValues.data();
        tile.sharedValueStride = tile.ownValueStride = size;
        tile.scratch = scratch.data();
        tile.scratchStride = 128;
        set().attend(tile);
        for (int r = 0; r < rows; ++r) {
            std::vector<double> sums(size, 0.0);
            double total = 0;
            const auto add = [&](const std::vector<float>& keys, const std::vector<float>& values, std::int64_t visible) {
                for (std::int64_t t = 0; t < visible; ++t) {
                    double score = 0;
                    for (int i = 0; i < size; ++i)
                        score += double(queries[r * size + i]) * keys[t * size + i];
                    const double weight = std::exp(score * 0.125);
                    total += weight;
                    for (int i = 0; i < size; ++i)
                        sums[i] += weight * values[t * size + i];
                }
            };
            add(sharedKeys, sharedValues, tile.sharedVisible[r]);
            add(ownKeys, ownValues, tile.ownVisible[r]);
            for (int i = 0; i < size; ++i)
                QVERIFY2(std::fabs(out[r * size + i] - sums[i] / total) < 2e-5,
                         qPrintable(QString("row %1: %2, wanted %3").arg(r).arg(out[r * size + i]).arg(sums[i] / total)));
        }
    }
};

QTEST_APPLESS_MAIN(TestCpuKernels)
#include "test_cpu_kernels.moc"
