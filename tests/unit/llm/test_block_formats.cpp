// SPDX-License-Identifier: GPL-3.0-or-later
// Stored blocks give the values that another program finds (tests/reference/blocks), bit for bit.
#include "base/file.h"
#include "base/text.h"
#include "llm/tensor_info.h"
#include <QTest>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

using namespace carousel;

class TestBlockFormats : public QObject {
    Q_OBJECT

private slots:
    void valuesEqualThoseOfTheReference() {
        const std::map<std::string_view, TensorType> types = {
            {"F16", TensorType::f16},   {"BF16", TensorType::bf16}, {"Q8_0", TensorType::q8_0},
            {"Q4_0", TensorType::q4_0}, {"Q4_1", TensorType::q4_1}, {"Q5_0", TensorType::q5_0},
            {"Q5_1", TensorType::q5_1}, {"Q4_K", TensorType::q4_k}, {"Q6_K", TensorType::q6_k}};
        const auto text = readFile(CAROUSEL_SOURCE_DIR "/tests/reference/blocks/blocks.tsv");
        QVERIFY(text);
        std::map<TensorType, int> seen;
        for (const auto line : split(*text, '\n')) {
            if (line.empty())
                continue;
            const auto fields = split(line, '\t');
            QCOMPARE(fields.size(), std::size_t(3));
            const TensorType type = types.at(fields[0]);
            const QByteArray stored = QByteArray::fromHex(QByteArray(fields[1].data(), static_cast<qsizetype>(fields[1].size())));
            const auto wanted = split(fields[2], ' ');
            QCOMPARE(static_cast<std::uint32_t>(stored.size()), blockSize(type).bytes);
            QCOMPARE(wanted.size(), std::size_t(blockSize(type).elements));
            QVERIFY(readableAsFloats(type));
            // Several blocks in a row, so that vectorised loops and their ends are both used.
            for (const std::size_t copies : {std::size_t(1), std::size_t(37)}) {
                std::string bytes;
                for (std::size_t copy = 0; copy < copies; ++copy)
                    bytes.append(stored.data(), static_cast<std::size_t>(stored.size()));
                std::vector<float> values(copies * wanted.size());
                toFloats(type, std::as_bytes(std::span(bytes)), values);
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const auto bits = static_cast<std::uint32_t>(std::stoul(std::string(wanted[i % wanted.size()]), nullptr, 16));
                    QVERIFY2(std::bit_cast<std::uint32_t>(values[i]) == bits,
                             qPrintable(QString("%1, value %2: %3 instead of %4")
                                            .arg(QString::fromUtf8(fields[0].data(), static_cast<qsizetype>(fields[0].size())))
                                            .arg(i)
                                            .arg(double(values[i]))
                                            .arg(double(std::bit_cast<float>(bits)))));
                }
            }
            ++seen[type];
        }
        QCOMPARE(seen.size(), types.size());
    }
    void everyHalfFloatIsItsDefinition() {
        for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
            const int exponent = static_cast<int>((bits >> 10) & 31), fraction = static_cast<int>(bits & 1023);
            const float value = halfToFloat(static_cast<std::uint16_t>(bits));
            if (exponent == 31 && fraction != 0) {
                QVERIFY(std::isnan(value));
                continue;
            }
            double wanted = exponent == 31  ? std::numeric_limits<double>::infinity()
                            : exponent == 0 ? std::ldexp(fraction, -24)
                                            : std::ldexp(1024 + fraction, exponent - 25);
            if (bits & 0x8000)
                wanted = -wanted;
            QCOMPARE(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(static_cast<float>(wanted)));
        }
    }
    void valuesThatAreNotFiniteAreFound() {
        for (const float bad :
             {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
            for (const std::size_t place : {std::size_t(0), std::size_t(17), std::size_t(98)}) {
                std::vector<float> values(99, std::numeric_limits<float>::max());
                QVERIFY(allFinite(values));
                values[place] = bad;
                QVERIFY(!allFinite(values));
            }
        QVERIFY(allFinite({}));
    }
};

QTEST_GUILESS_MAIN(TestBlockFormats)
#include "test_block_formats.moc"
