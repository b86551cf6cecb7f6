// SPDX-License-Identifier: GPL-3.0-or-later
// The trainable decoder: its logits are those of the scoring decoder, its gradient is that of its loss, and cutting the work into other
// pieces changes neither.
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "scoring/llama_decoder_torch.h"
#include "scoring/training/adamw.h"
#include "scoring/training/lora_decoder_torch.h"
#include "tiny_decoder.h"
#include <QTest>

using namespace carousel;

namespace {

double largestDifference(std::span<const float> a, std::span<const float> b) {
    double largest = a.size() == b.size() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::fabs(double(a[i]) - b[i]));
    return largest;
}
double norm(std::span<const float> a) {
    double sum = 0;
    for (const float value : a)
        sum += double(value) * value;
    return std::sqrt(sum);
}
std::vector<TokenId> someTokens(std::size_t count, std::uint64_t key) {
    RandomStream random(5, "tokens", key);
    std::vector<TokenId> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back(static_cast<TokenId>(random.below(102)));
    return out;
}
std::vector<TrainingSequence> someSequences() {
    std::vector<TrainingSequence> out;
    for (std::uint64_t i = 0; i < 4; ++i) {
        TrainingSequence sequence{someTokens(7 + 6 * i, i), {}, i + 1};
        const auto last = static_cast<std::int64_t>(sequence.tokens.size()) - 1;
        sequence.targets = {{last - 2, static_cast<TokenId>(20 + i), 0.3 + 0.1 * double(i)}, {last, static_cast<TokenId>(50 + i), 0.4}};
        out.push_back(std::move(sequence));
    }
    return out;
}

// Rows of tests/reference/training/tiny_training.tsv: what transformers and PEFT say of the same model, adapter and sequences.
std::map<std::string, std::vector<double>> golden(const std::string& architecture) {
    std::map<std::string, std::vector<double>> out;
    const auto table = readFile(std::string(CAROUSEL_SOURCE_DIR) + "/tests/reference/training/tiny_training.tsv");
    for (const auto line : table ? split(*table, '\n') : std::vector<std::string_view>()) {
        const auto fields = split(line, '\t');
        if (fields.size() == 3 && fields[0] == architecture)
            for (const auto value : split(fields[2], ' '))
                out[std::string(fields[1])].push_back(*parseNumber(value));
    }
    return out;
}
std::vector<TrainingSequence> goldenSequences() {
    std::vector<TrainingSequence> out;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const std::int64_t length = std::array{9, 17, 30}[i];
        TrainingSequence sequence{
            {}, {{length - 3, static_cast<TokenId>(20 + i), 0.25}, {length - 1, static_cast<TokenId>(50 + i), 0.5}}, 0};
        for (std::int64_t at = 0; at < length; ++at)
            sequence.tokens.push_back(static_cast<TokenId>((tiny::noise(900 + i, static_cast<std::uint32_t>(at)) + 1) / 2 * 102));
        out.push_back(std::move(sequence));
    }
    return out;
}
double largestDifference(std::span<const float> a, const std::vector<double>& b) {
    double largest = a.size() == b.size() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::fabs(double(a[i]) - b[i]));
    return largest;
}

} // namespace

class TestLoraDecoder : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    ComputeDevice m_device;

    std::shared_ptr<const ModelSource> source(const std::string& architecture) {
        return *ModelSource::open(m_folder.write(architecture + ".gguf", tiny::gguf(architecture)));
    }
    LoraSettings all(double dropout = 0) {
        LoraSettings settings;
        settings.rank = 3;
        settings.alpha = 6;
        settings.dropout = dropout;
        settings.modules = *parseLoraModules("all");
        return settings;
    }
    std::unique_ptr<LoraDecoder> open(const ModelSource& from, const LoraSettings& settings, std::int64_t memory = 1 << 30) {
        auto decoder = LoraDecoder::open(from, m_device, settings, memory);
        if (!decoder)
            qFatal("%s", describe(decoder.error()).c_str());
        return std::move(*decoder);
    }
    // Values at which neither A nor B is small, so that both have a gradient.
    std::vector<float> someValues(const LoraDecoder& decoder) {
        std::vector<float> values(decoder.valueCount());
        RandomStream random(9, "values");
        for (float& value : values)
            value = static_cast<float>(0.2 * random.normal());
        return values;
    }
    double loss(LoraDecoder& decoder, const std::vector<float>& values, const std::vector<TrainingSequence>& sequences) {
        double sum = 0;
        if (!decoder.setValues(values))
            return NAN;
        const auto evaluated = decoder.evaluate(sequences, {}, {});
        for (std::size_t i = 0; evaluated && i < evaluated->losses.size(); ++i)
            sum += evaluated->losses[i];
        return sum;
    }

private slots:
    void initTestCase() { m_device = *openComputeDevice("cpu", "fp32", 2); }

    void untrainedLogitsAreTheScoringDecoders() {
        const auto from = source("llama");
        const auto scoring = LlamaDecoder::open(from, m_device);
        QVERIFY2(scoring, scoring ? "" : describe(scoring.error()).c_str());
        const auto decoder = open(*from, all());
        QVERIFY(decoder->setValues(decoder->firstValues(1)));
        const auto tokens = someTokens(40, 1);
        DecoderCache cache;
        const auto hidden = (*scoring)->extend(cache, tokens, allRows, {});
        const auto expected = (*scoring)->allLogits(*hidden), found = decoder->allLogits(tokens, {});
        QVERIFY(expected && found);
        const double difference = largestDifference(expected->values, found->values);
        qInfo("largest difference of a logit %.2g of up to %.2g", difference,
              double(*std::max_element(found->values.begin(), found->values.end())));
        QVERIFY(difference < 1e-4);
    }
    void everyMatrixHasTheGradientOfFiniteDifferences_data() {
        QTest::addColumn<QString>("architecture");
        QTest::newRow("llama") << "llama";
        QTest::newRow("qwen2") << "qwen2"; // biases, halves, a head of its own
    }
    void everyMatrixHasTheGradientOfFiniteDifferences() {
        QFETCH(QString, architecture);
        const auto from = source(architecture.toStdString());
        const auto decoder = open(*from, all());
        const auto sequences = someSequences();
        const auto values = someValues(*decoder);
        QVERIFY(decoder->setValues(values));
        std::vector<float> gradient(values.size(), 0);
        const auto sum = decoder->addGradient(sequences, 1, gradient, {});
        QVERIFY(sum.has_value());
        QVERIFY(std::fabs(*sum - loss(*decoder, values, sequences)) < 1e-5);
        // Where each matrix lies: values that count their own places.
        std::vector<float> places(values.size());
        for (std::size_t i = 0; i < places.size(); ++i)
            places[i] = static_cast<float>(i);
        const auto matrices = decoder->matrices(places);
        QCOMPARE(matrices.size(), std::size_t(14));
        RandomStream random(3, "directions");
        double worst = 0;
        for (const auto& matrix : matrices)
            for (const auto* part : {&matrix.a, &matrix.b}) {
                const auto first = static_cast<std::size_t>(part->front());
                const std::span<const float> own(gradient.data() + first, part->size());
                QVERIFY2(norm(own) > 1e-3, nameOf(matrix.module).peft);
                for (const bool along : {true, false}) { // along the gradient, and in any direction
                    std::vector<double> direction;
                    double length = 0, expected = 0;
                    for (const float g : own) {
                        direction.push_back(along ? double(g) : random.normal());
                        length += direction.back() * direction.back();
                    }
                    for (std::size_t i = 0; i < direction.size(); ++i) {
                        direction[i] /= std::sqrt(length);
                        expected += direction[i] * double(own[i]);
                    }
                    const auto central = [&](double step) {
                        auto forward = values, back = values;
                        for (std::size_t i = 0; i < direction.size(); ++i) {
                            forward[first + i] += static_cast<float>(step * direction[i]);
                            back[first + i] -= static_cast<float>(step * direction[i]);
                        }
                        return (loss(*decoder, forward, sequences) - loss(*decoder, back, sequences)) / (2 * step);
                    };
                    // The loss is a sum in fp32: where the gradient is small a short step drowns in rounding, where it is large a long one
                    // bends. Some step serves (Richardson over two lengths); a wrong gradient fits none.
                    double best = std::numeric_limits<double>::infinity();
                    for (const double step : {0.002, 0.006, 0.02, 0.06, 0.2})
                        if (best >= 2e-3) {
                            const double found = (4 * central(step / 2) - central(step)) / 3;
                            best = std::min(best, std::fabs(found - expected) / norm(own));
                        }
                    worst = std::max(worst, best);
                }
            }
        qInfo("28 matrices, two directions each: largest error %.2g of the matrix's gradient", worst);
        QVERIFY(worst < 5e-3);
    }
    void trainingEqualsTransformersAndPeft_data() {
        QTest::addColumn<QString>("architecture");
        QTest::newRow("llama") << "llama";
        QTest::newRow("qwen2") << "qwen2";
    }
    void trainingEqualsTransformersAndPeft() {
        QFETCH(QString, architecture);
        auto expected = golden(architecture.toStdString());
        QCOMPARE(expected.size(), std::size_t(6));
        const auto sequences = goldenSequences();
        const std::vector<double> tokens(sequences[1].tokens.begin(), sequences[1].tokens.end());
        QVERIFY(tokens == expected["tokens"]);
        const auto decoder = open(*source(architecture.toStdString()), all());
        const auto lastLogits = [&](const std::vector<float>& values) {
            if (!decoder->setValues(values))
                return std::vector<float>();
            const auto logits = decoder->allLogits(sequences[1].tokens, {});
            const auto row = logits->row(logits->rows - 1);
            return std::vector<float>(row.begin(), row.end());
        };
        std::vector<float> values(decoder->valueCount(), 0), places(values.size());
        QVERIFY(largestDifference(lastLogits(values), expected["base logits"]) < 1e-4);
        for (std::size_t i = 0; i < places.size(); ++i)
            places[i] = static_cast<float>(i);
        for (const auto& matrix : decoder->matrices(places)) // the adapter's first values are functions of their places, too
            for (const bool isB : {false, true}) {
                const auto& part = isB ? matrix.b : matrix.a;
                const auto tensor = static_cast<std::uint32_t>(600 + matrix.layer * 14 + static_cast<int>(matrix.module) * 2 + isB);
                for (std::size_t i = 0; i < part.size(); ++i)
                    values[static_cast<std::size_t>(part[i])] =
                        static_cast<float>(tiny::noise(tensor, static_cast<std::uint32_t>(i)) * (isB ? 0.2 : 0.3));
            }
        QVERIFY(largestDifference(lastLogits(values), expected["first logits"]) < 1e-4);
        AdamW adam({0.9, 0.99, 1e-8, 0.05}, values.size());
        double worstLoss = 0, worstNorm = 0;
        const double rates[] = {0.01, 0.02, 0.02, 0.015, 0.01, 0.005};
        for (std::size_t step = 0; step < std::size(rates); ++step) {
            QVERIFY(decoder->setValues(values));
            std::vector<float> gradient(values.size(), 0);
            const double sum = *decoder->addGradient(sequences, 1, gradient, {});
            const double length = clipGradient(gradient, 1);
            worstLoss = std::max(worstLoss, std::fabs(sum - expected["losses"][step]) / expected["losses"][step]);
            worstNorm = std::max(worstNorm, std::fabs(length - expected["gradient norms"][step]) / expected["gradient norms"][step]);
            adam.step(values, gradient, rates[step]);
        }
        const double last = loss(*decoder, values, sequences);
        const double logits = largestDifference(lastLogits(values), expected["last logits"]);
        qInfo("over six steps: losses within %.2g, gradient norms within %.2g, last loss within %.2g, last logits within %.2g", worstLoss,
              worstNorm, std::fabs(last - expected["losses"].back()), logits);
        QVERIFY(worstLoss < 1e-4 && worstNorm < 1e-4);
        QVERIFY(std::fabs(last - expected["losses"].back()) < 1e-3);
        QVERIFY(logits < 5e-3);
    }
    void piecesAndMemoryChangeNothing() {
        const auto from = source("llama");
        const auto sequences = someSequences();
        const auto gradientOf = [&](std::int64_t memory, bool oneByOne, double dropout) {
            const auto decoder = open(*from, all(dropout), memory);
            const auto values = someValues(*decoder);
            std::vector<float> gradient(values.size(), 0);
            double sum = 0;
            if (decoder->setValues(values)) {
                for (std::size_t i = 0; i < sequences.size(); i += oneByOne ? 1 : sequences.size())
                    sum += *decoder->addGradient(std::span(sequences).subspan(i, oneByOne ? 1 : sequences.size()), 4, gradient, {});
                gradient.push_back(static_cast<float>(sum));
                gradient.push_back(static_cast<float>(decoder->blocksComputedTwice()));
            }
            return gradient;
        };
        for (const double dropout : {0.0, 0.3}) {
            const auto kept = gradientOf(1 << 30, false, dropout), twice = gradientOf(0, false, dropout),
                       single = gradientOf(0, true, dropout);
            QCOMPARE(kept.back(), 0.0f);
            QCOMPARE(twice.back(), 2.0f);
            QVERIFY(std::equal(kept.begin(), kept.end() - 1, twice.begin())); // to the last bit
            QVERIFY(largestDifference(twice, single) < 2e-6 * std::max(1.0, norm(std::span(kept).first(kept.size() - 2))));
        }
        QVERIFY(largestDifference(gradientOf(0, false, 0.3), gradientOf(0, false, 0)) > 1e-3); // dropout does something
    }
    void dropoutDependsOnSeedAndKeyAlone() {
        const auto from = source("llama");
        const auto decoder = open(*from, all(0.25));
        const auto values = someValues(*decoder);
        QVERIFY(decoder->setValues(values));
        auto sequences = someSequences();
        const auto gradient = [&](std::uint64_t seed) {
            std::vector<float> out(values.size(), 0);
            if (!decoder->addGradient(sequences, seed, out, {}))
                out.clear();
            return out;
        };
        const auto first = gradient(1);
        QVERIFY(gradient(1) == first);
        QVERIFY(gradient(2) != first);
        sequences[0].dropoutKey = 99;
        QVERIFY(gradient(1) != first);
    }
    void mergedIntoTheWeightsTheLogitsAgree() {
        for (const double scale : {1.0, 0.25}) {
            const auto from = source("llama");
            const auto decoder = open(*from, all());
            auto values = someValues(*decoder);
            for (float& value : values)
                value = static_cast<float>(value * scale);
            QVERIFY(decoder->setValues(values));
            auto adapter = std::make_shared<LoraAdapter>();
            adapter->scale = 2; // alpha 6 of rank 3
            adapter->matrices = decoder->matrices(values);
            const auto merged = ModelSource::adapted(*from, adapter);
            QVERIFY2(merged, merged ? "" : describe(merged.error()).c_str());
            const auto plain = LlamaDecoder::open(from, m_device), scoring = LlamaDecoder::open(*merged, m_device);
            const auto tokens = someTokens(33, 2);
            DecoderCache cache, other;
            const auto expected = (*scoring)->allLogits(*(*scoring)->extend(cache, tokens, allRows, {}));
            const auto base = (*plain)->allLogits(*(*plain)->extend(other, tokens, allRows, {}));
            const auto found = decoder->allLogits(tokens, {});
            const double difference = largestDifference(expected->values, found->values);
            qInfo("merged against unmerged %.2g; the adapter changes logits by up to %.2g", difference,
                  largestDifference(base->values, found->values));
            QVERIFY(difference < 1e-4);
            QVERIFY(largestDifference(base->values, found->values) > 0.1);
        }
    }
    void bf16FollowsFp32() {
        const auto from = source("llama");
        const auto sequences = someSequences();
        const auto gradientOf = [&](const char* type) {
            auto device = *openComputeDevice("cpu", type, 2);
            auto decoder = *LoraDecoder::open(*from, device, all(), 1 << 30);
            const auto values = someValues(*decoder);
            std::vector<float> gradient(values.size(), 0);
            if (!decoder->setValues(values) || !decoder->addGradient(sequences, 1, gradient, {}))
                gradient.clear();
            return gradient;
        };
        const auto exact = gradientOf("fp32"), fast = gradientOf("bf16");
        QCOMPARE(exact.size(), fast.size());
        double product = 0;
        for (std::size_t i = 0; i < exact.size(); ++i)
            product += double(exact[i]) * fast[i];
        const double cosine = product / (norm(exact) * norm(fast));
        qInfo("cosine of the gradients in bf16 and fp32: %.6f", cosine);
        QVERIFY(cosine > 0.999);
    }
    void aStopEndsTheWork() {
        const auto decoder = open(*source("llama"), all());
        std::stop_source stop;
        stop.request_stop();
        std::vector<float> gradient(decoder->valueCount(), 0);
        const auto refused = decoder->addGradient(someSequences(), 1, gradient, RunControl(stop.get_token()));
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-7001"));
        QVERIFY(norm(gradient) == 0);
    }
    void tokensOutsideTheVocabularyAreRefused() {
        const auto decoder = open(*source("llama"), all());
        std::vector<float> gradient(decoder->valueCount(), 0);
        std::vector<TrainingSequence> wrong{{{5, 102}, {{1, 3, 1}}, 0}};
        QCOMPARE(decoder->addGradient(wrong, 1, gradient, {}).error().code, std::string("CL-2088"));
        wrong = {{{5, 6}, {{2, 3, 1}}, 0}};
        QCOMPARE(decoder->addGradient(wrong, 1, gradient, {}).error().code, std::string("CL-2088"));
    }
};

QTEST_APPLESS_MAIN(TestLoraDecoder)
#include "test_lora_decoder.moc"
