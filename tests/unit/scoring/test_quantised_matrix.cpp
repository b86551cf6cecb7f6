// SPDX-License-Identifier: GPL-3.0-or-later
// Products with 4- and 8-bit weights, by each set of loops this processor runs, against sums in double over the same stored weights.
#include "base/random.h"
#include "compute/cpu_features.h"
#include "compute/quantised_kernels.h"
#include "compute/quantised_matrix.h"
#include <QTest>
#include <cmath>
#include <cstring>
#include <limits>
#include <omp.h>
#include <vector>

using namespace carousel;

namespace {

struct Case {
    std::vector<std::byte> blocks;
    std::vector<double> weights; // what the blocks stand for
};
// A half with few bits, so that its value is known exactly.
std::pair<std::uint16_t, double> randomHalf(RandomStream& random, bool mayBeNegative) {
    const auto exponent = static_cast<std::uint16_t>(8 + random.below(4)), mantissa = static_cast<std::uint16_t>(random.below(1024));
    const bool negative = mayBeNegative && random.uniform() < 0.5;
    const double value = std::ldexp(1 + mantissa / 1024.0, exponent - 15) * (negative ? -1 : 1);
    return {static_cast<std::uint16_t>((negative ? 0x8000 : 0) | exponent << 10 | mantissa), value};
}
Case randomCase(QuantisedType type, std::int64_t outputs, std::int64_t inputs, std::uint64_t key) {
    RandomStream random(3, "quantised", key);
    Case out;
    out.weights.resize(static_cast<std::size_t>(outputs * inputs));
    const auto put = [&](const void* data, std::size_t bytes) {
        const auto* from = static_cast<const std::byte*>(data);
        out.blocks.insert(out.blocks.end(), from, from + bytes);
    };
    for (std::int64_t block = 0; block < outputs * inputs / 32; ++block) {
        double* weights = out.weights.data() + block * 32;
        const auto [dBits, d] = randomHalf(random, true);
        put(&dBits, 2);
        if (type == QuantisedType::q8_0) {
            for (int i = 0; i < 32; ++i) {
                const auto value = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
                put(&value, 1);
                weights[i] = d * value;
            }
            continue;
        }
        double m = -8 * d;
        if (type == QuantisedType::q4_1) {
            const auto [mBits, value] = randomHalf(random, true);
            put(&mBits, 2);
            m = value;
        }
        for (int i = 0; i < 16; ++i) {
            const auto low = random.below(16), high = random.below(16);
            const auto byte = static_cast<std::uint8_t>(low | high << 4);
            put(&byte, 1);
            weights[i] = d * static_cast<double>(low) + m;
            weights[i + 16] = d * static_cast<double>(high) + m;
        }
    }
    return out;
}
std::vector<float> randomValues(std::size_t count, std::uint64_t key) {
    RandomStream random(4, "activations", key);
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i)
        out[i] = static_cast<float>(random.normal() * (i % 97 == 5 ? 40 : 1)); // a few are large, as in real activations
    return out;
}

} // namespace

class TestQuantisedMatrix : public QObject {
    Q_OBJECT
private slots:
    void init() {
        if (!QuantisedMatrix::canMultiply())
            QSKIP("this processor has no AVX2");
    }
    void agreesWithSumsInDouble_data() {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("rows");
        for (const auto& [name, type] :
             {std::pair("Q4_0", QuantisedType::q4_0), {"Q4_1", QuantisedType::q4_1}, {"Q8_0", QuantisedType::q8_0}})
            for (const int rows : {1, 2, 3, 6, 7, 12, 13, 100})
                QTest::addRow("%s, %d rows", name, rows) << static_cast<int>(type) << rows;
    }
    void agreesWithSumsInDouble() {
        QFETCH(const int, type);
        QFETCH(const int, rows);
        constexpr std::int64_t inputs = 160, first = 40, second = 51; // two stacked parts; not whole panels
        const auto kind = static_cast<QuantisedType>(type);
        const Case a = randomCase(kind, first, inputs, 1), b = randomCase(kind, second, inputs, 2);
        const QuantisedMatrix matrix(std::vector<QuantisedRows>{{kind, first, a.blocks}, {kind, second, b.blocks}}, inputs);
        QCOMPARE(matrix.outputs(), first + second);
        const auto x = randomValues(static_cast<std::size_t>(rows * inputs), 3), bias = randomValues(first + second, 4);
        std::vector<float> y(static_cast<std::size_t>(rows * (first + second))), plain(y.size());
        matrix.multiply(x.data(), rows, bias.data(), y.data());
        matrix.multiply(x.data(), rows, nullptr, plain.data());
        double worst = 0;
        for (int row = 0; row < rows; ++row)
            for (std::int64_t output = 0; output < first + second; ++output) {
                const double* weights = output < first ? a.weights.data() + output * inputs : b.weights.data() + (output - first) * inputs;
                // Each activation is off by at most half a step, and a step is the block's largest value / 32767; fp32 adds its own
                // rounding.
                double sum = 0, bound = 0;
                for (std::int64_t i = 0; i < inputs; ++i) {
                    const float* block = x.data() + row * inputs + i / 32 * 32;
                    double largest = 0;
                    for (int k = 0; k < 32; ++k)
                        largest = std::max(largest, std::fabs(double(block[k])));
                    sum += weights[i] * block[i % 32];
                    bound += std::fabs(weights[i]) * (largest / 65534 * 1.01 + std::fabs(block[i % 32]) * 2e-6);
                }
                const auto at = static_cast<std::size_t>(row * (first + second) + output);
                worst = std::max(worst, std::fabs(plain[at] - sum) / bound);
                QVERIFY(std::fabs(y[at] - (plain[at] + bias[static_cast<std::size_t>(output)])) < 1e-5);
            }
        QVERIFY2(worst < 1, qPrintable(QString::number(worst)));
    }
    void aRowsResultDependsOnNoOtherAndOnNoThreads() {
        for (const auto kind : {QuantisedType::q4_1, QuantisedType::q8_0}) {
            constexpr std::int64_t inputs = 96, outputs = 70, rows = 230;
            const Case stored = randomCase(kind, outputs, inputs, 5);
            const QuantisedMatrix matrix(std::vector<QuantisedRows>{{kind, outputs, stored.blocks}}, inputs);
            const auto x = randomValues(rows * inputs, 6);
            std::vector<float> together(rows * outputs), alone(rows * outputs), few(rows * outputs);
            const int before = omp_get_max_threads();
            omp_set_num_threads(2);
            matrix.multiply(x.data(), rows, nullptr, together.data());
            omp_set_num_threads(1);
            for (std::int64_t row = 0; row < rows; ++row)
                matrix.multiply(x.data() + row * inputs, 1, nullptr, alone.data() + row * outputs);
            for (std::int64_t row = 0; row < rows; row += 5)
                matrix.multiply(x.data() + row * inputs, 5, nullptr, few.data() + row * outputs);
            omp_set_num_threads(before);
            QVERIFY(together == alone);
            QVERIFY(together == few);
        }
    }
    void whatIsNotFiniteStaysSo() {
        const Case stored = randomCase(QuantisedType::q4_1, 32, 64, 7);
        const QuantisedMatrix matrix(std::vector<QuantisedRows>{{QuantisedType::q4_1, 32, stored.blocks}}, 64);
        for (const float bad :
             {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
            for (const std::size_t place : {0u, 17u, 63u}) {
                auto x = randomValues(64, 8);
                x[place] = bad;
                std::vector<float> y(32);
                matrix.multiply(x.data(), 1, nullptr, y.data());
                for (const float value : y)
                    QVERIFY(!std::isfinite(value));
            }
        const std::vector<float> zeros(64, 0.0f);
        std::vector<float> y(32, 1.0f);
        matrix.multiply(zeros.data(), 1, nullptr, y.data());
        QVERIFY(y == std::vector<float>(32, 0.0f));
    }
    void smallFactorsOfQ4_0AreExact() { // w = d * (q - 8) is stored as d * q + m with m = -8 d, also for d without a full exponent
        for (const unsigned bits : {0x0001u, 0x0003u, 0x0080u, 0x03FFu, 0x0400u, 0x8001u, 0x83FFu, 0x3C00u}) {
            std::vector<std::byte> blocks(18 * 32, std::byte(0xFF)); // every q is 15
            for (std::size_t row = 0; row < 32; ++row) {
                blocks[row * 18] = std::byte(bits & 0xFF);
                blocks[row * 18 + 1] = std::byte(bits >> 8);
            }
            const QuantisedMatrix matrix(std::vector<QuantisedRows>{{QuantisedType::q4_0, 32, blocks}}, 32);
            std::vector<float> x(32, 0.0f), y(32);
            x[3] = 1;
            matrix.multiply(x.data(), 1, nullptr, y.data());
            const unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
            const double d =
                (exponent ? std::ldexp(1 + mantissa / 1024.0, int(exponent) - 15) : std::ldexp(mantissa, -24)) * (bits & 0x8000 ? -1 : 1);
            QVERIFY2(std::fabs(y[0] - 7 * d) <= 1e-6 * std::fabs(d),
                     qPrintable(QString("%1: %2, wanted %3").arg(bits).arg(y[0]).arg(7 * d)));
        }
    }
};

QTEST_APPLESS_MAIN(TestQuantisedMatrix)
#include "test_quantised_matrix.moc"
