// SPDX-License-Identifier: GPL-3.0-or-later
// Each compiled set of loops against plain sums in double.
#include "base/random.h"
#include "compute/cpu_kernels.h"
#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
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
float fromHalf(std::uint16_t half) {
    const std::uint32_t bits = std::uint32_t(half) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
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
            QVERIFY2(std::fabs(y[i] - wanted) < 1e-5 * (1 + std::fabs(wanted)),
                     qPrintable(QString("%1: %2 %3").arg(x[i]).arg(y[i]).arg(wanted)));
        }
        const auto logits = randomValues(49153, 4, 8);
        double total = 0;
        for (const float value : logits)
            total += std::exp(double(value));
        QVERIFY(std::fabs(set().logSumExp(logits.data(), 49153) - std::log(total)) < 1e-6);
        const std::vector<float> large(20, 1000.0f);
        QVERIFY(std::fabs(set().logSumExp(large.data(), 20) - (1000 + std::log(20.0))) < 1e-5);
    }
    void normalisesLayers() {
        constexpr std::int64_t rows = 3, width = 70;
        const auto x = randomValues(rows * width, 1, 3), plus = randomValues(rows * width, 2), weight = randomValues(width, 3),
                   bias = randomValues(width, 4);
        for (const bool sum : {false, true}) {
            std::vector<float> y(x.size());
            std::vector<std::uint16_t> half(x.size());
            set().layerNorm(x.data(), sum ? plus.data() : nullptr, weight.data(), bias.data(), 1e-5f, rows, width, y.data(), half.data());
            for (int row = 0; row < rows; ++row) {
                double mean = 0, squares = 0;
                const auto value = [&](int i) { return double(x[row * width + i]) + (sum ? plus[row * width + i] : 0); };
                for (int i = 0; i < width; ++i)
                    mean += value(i) / width;
                for (int i = 0; i < width; ++i)
                    squares += (value(i) - mean) * (value(i) - mean) / width;
                for (int i = 0; i < width; ++i) {
                    const double wanted = (value(i) - mean) / std::sqrt(squares + 1e-5) * weight[i] + bias[i];
                    QVERIFY(std::fabs(y[row * width + i] - wanted) < 1e-5);
                    QVERIFY(std::fabs(fromHalf(half[row * width + i]) - y[row * width + i]) <= std::fabs(y[row * width + i]) / 256);
                }
            }
        }
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
    void turnsHalves() {
        constexpr int size = 96, half = size / 2;
        std::vector<float> x = randomValues(2 * size, 5), cosine(size), sine(size);
        const auto before = x;
        for (int pair = 0; pair < half; ++pair) {
            cosine[pair] = cosine[half + pair] = std::cos(0.1f * pair);
            sine[pair] = -std::sin(0.1f * pair);
            sine[half + pair] = std::sin(0.1f * pair);
        }
        set().rotateHalves(x.data(), 2, size, cosine.data(), sine.data());
        for (int head = 0; head < 2; ++head)
            for (int pair = 0; pair < half; ++pair) {
                const int a = head * size + pair, b = a + half;
                const double angle = 0.1 * pair;
                QVERIFY(std::fabs(x[a] - (before[a] * std::cos(angle) - before[b] * std::sin(angle))) < 1e-5);
                QVERIFY(std::fabs(x[b] - (before[a] * std::sin(angle) + before[b] * std::cos(angle))) < 1e-5);
            }
    }
    // Rows of three segments in one tile: all see the first store, the second segment's rows and the third's see another each, and every
    // segment its own keys up to the row.
    void attendsOverItsParts_data() {
        QTest::addColumn<std::vector<int>>("segments");
        QTest::addColumn<int>("shared");
        QTest::newRow("one row") << std::vector<int>{1} << 45;
        QTest::newRow("five rows") << std::vector<int>{5} << 33;
        QTest::newRow("seven rows") << std::vector<int>{7} << 64;
        QTest::newRow("twelve rows") << std::vector<int>{12} << 45;
        QTest::newRow("three segments") << std::vector<int>{3, 8, 1} << 70;
        QTest::newRow("no shared keys") << std::vector<int>{4, 4} << 0;
    }
    void attendsOverItsParts() {
        QFETCH(const std::vector<int>, segments);
        QFETCH(const int, shared);
        constexpr int size = 64, between = 37, ownBefore = 30; // a segment's first row sees ownBefore + 1 of its own keys
        const int rows = std::accumulate(segments.begin(), segments.end(), 0);
        const auto queries = randomValues(rows * size, 6);
        struct Store {
            std::vector<float> keys, values, blocks;
            std::vector<std::pair<int, int>> rowsAndVisible; // first row and count of visible keys, row by row
        };
        std::uint64_t seed = 7;
        const auto store = [&](int length) {
            Store out{randomValues(length * size, ++seed), randomValues(length * size, ++seed), {}, {}};
            out.blocks.assign((length + keyBlock - 1) / keyBlock * keyBlock * size, 0);
            for (int t = 0; t < length; ++t)
                for (int i = 0; i < size; ++i)
                    out.blocks[t / keyBlock * keyBlock * size + i * keyBlock + t % keyBlock] = out.keys[t * size + i];
            return out;
        };
        std::vector<Store> stores;
        if (shared > 0) {
            stores.push_back(store(shared));
            for (int row = 0; row < rows; ++row)
                stores.back().rowsAndVisible.push_back({row, shared});
        }
        std::vector<std::int64_t> columns(stores.size(), 0);
        const int sharedColumns = (shared + keyBlock - 1) / keyBlock * keyBlock;
        for (int segment = 0, row = 0; segment < int(segments.size()); row += segments[segment++]) {
            std::int64_t column = sharedColumns;
            if (segment > 0) {
                stores.push_back(store(between));
                columns.push_back(column);
                column += 64;
                for (int r = 0; r < segments[segment]; ++r)
                    stores.back().rowsAndVisible.push_back({row + r, between});
            }
            stores.push_back(store(ownBefore + segments[segment]));
            columns.push_back(column);
            for (int r = 0; r < segments[segment]; ++r)
                stores.back().rowsAndVisible.push_back({row + r, ownBefore + r + 1});
        }
        std::vector<AttentionPart> parts;
        for (std::size_t i = 0; i < stores.size(); ++i) {
            const Store& from = stores[i];
            AttentionPart part{from.blocks.data(),
                               from.values.data(),
                               size,
                               columns[i],
                               from.rowsAndVisible.front().first,
                               int(from.rowsAndVisible.size()),
                               {}};
            for (const auto& [row, visible] : from.rowsAndVisible)
                part.visible[row] = visible;
            parts.push_back(part);
        }
        const std::int64_t stride = sharedColumns + 64 + 64;
        std::vector<float> out(rows * size), scratch(attentionRows * stride, 1e30f);
        AttentionTile tile;
        tile.rows = rows;
        tile.headSize = size;
        tile.scale = 0.125f;
        for (int r = 0; r < rows; ++r) {
            tile.queries[r] = queries.data() + r * size;
            tile.out[r] = out.data() + r * size;
        }
        tile.parts = parts.data();
        tile.partCount = static_cast<std::int64_t>(parts.size());
        tile.scratch = scratch.data();
        tile.scratchStride = stride;
        set().attend(tile);
        for (int r = 0; r < rows; ++r) {
            std::vector<double> sums(size, 0.0);
            double total = 0;
            for (const Store& from : stores)
                for (const auto& [row, visible] : from.rowsAndVisible)
                    for (int t = 0; row == r && t < visible; ++t) {
                        double score = 0;
                        for (int i = 0; i < size; ++i)
                            score += double(queries[r * size + i]) * from.keys[t * size + i];
                        const double weight = std::exp(score * 0.125);
                        total += weight;
                        for (int i = 0; i < size; ++i)
                            sums[i] += weight * from.values[t * size + i];
                    }
            for (int i = 0; i < size; ++i)
                QVERIFY2(std::fabs(out[r * size + i] - sums[i] / total) < 2e-5,
                         qPrintable(QString("row %1: %2, wanted %3").arg(r).arg(out[r * size + i]).arg(sums[i] / total)));
        }
    }
};

QTEST_APPLESS_MAIN(TestCpuKernels)
#include "test_cpu_kernels.moc"
