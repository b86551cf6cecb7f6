// SPDX-License-Identifier: GPL-3.0-or-later
// The decoder by token ids: against logits from outside, and against itself in other groupings.
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "scoring/llama_decoder_torch.h"
#include "stages/compute_choice.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {
struct Golden {
    std::string name;
    std::vector<TokenId> tokens, ids;
    std::vector<double> logits;
};
std::vector<Golden> goldens() {
    std::vector<Golden> out;
    const auto table = readFile(std::string(CAROUSEL_SOURCE_DIR) + "/tests/reference/models/smollm2_logits.tsv");
    for (const auto line : table ? split(*table, '\n') : std::vector<std::string_view>()) {
        const auto fields = split(line, '\t');
        if (fields.size() != 3 || startsWith(line, "#"))
            continue;
        Golden golden{std::string(fields[0]), {}, {}, {}};
        for (const auto id : split(fields[1], ' '))
            golden.tokens.push_back(static_cast<TokenId>(*parseInteger(id)));
        for (const auto pair : split(fields[2], ' ')) {
            const auto parts = split(pair, ':');
            golden.ids.push_back(static_cast<TokenId>(*parseInteger(parts[0])));
            golden.logits.push_back(*parseNumber(parts[1]));
        }
        out.push_back(std::move(golden));
    }
    return out;
}
double largestDifference(const Matrix& a, const Matrix& b) {
    double largest = a.values.size() == b.values.size() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.values.size(), b.values.size()); ++i)
        largest = std::max(largest, std::fabs(double(a.values[i]) - b.values[i]));
    return largest;
}
} // namespace

class TestLlamaDecoder : public QObject {
    Q_OBJECT
    std::unique_ptr<LlamaDecoder> m_decoder;
    const std::string m_file = modelFolder() + "/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

    std::unique_ptr<LlamaDecoder> open(bool portable, const std::string& type = "fp32") {
        auto source = ModelSource::open(m_file);
        auto device = openComputeDevice(defaultDevice(), type, 0);
        if (!source || !device)
            return nullptr;
        device->portable |= portable;
        auto decoder = LlamaDecoder::open(*source, *device);
        return decoder ? std::move(*decoder) : nullptr;
    }
    // Logits of all golden ids after the last token of a prompt.
    Matrix logitsAfter(LlamaDecoder& decoder, const Golden& golden) {
        DecoderCache cache;
        const auto hidden = decoder.extend(cache, golden.tokens, 1, {});
        return hidden ? *decoder.logits(*hidden, golden.ids) : Matrix();
    }

private slots:
    void initTestCase() {
        if (!fileExists(m_file))
            QSKIP("the model smollm2-135m-instruct is not in the model folder (packaging/fetch brings it)");
        m_decoder = open(false);
        QVERIFY(m_decoder);
        QCOMPARE(m_decoder->shape().blocks, 30);
    }
    void logitsEqualTheReference() {
        const auto all = goldens();
        QCOMPARE(all.size(), std::size_t(5));
        double largest = 0;
        for (const Golden& golden : all) {
            const Matrix logits = logitsAfter(*m_decoder, golden);
            QCOMPARE(logits.values.size(), golden.logits.size());
            for (std::size_t i = 0; i < golden.logits.size(); ++i)
                largest = std::max(largest, std::fabs(logits.values[i] - golden.logits[i]));
        }
        qInfo("five prompts: largest difference of a logit %.2g", largest);
        QVERIFY(largest < 1e-2);
    }
    void storedWeightsTimes16BitsStayClose() {
        const auto decoder = open(false, "int16");
        QVERIFY(decoder);
        if (decoder->device().type != ComputeType::int16)
            QSKIP("this processor does not multiply 16-bit whole numbers fast enough");
        QVERIFY(decoder->memoryBytes() < m_decoder->memoryBytes() * 2 / 3);
        double largest = 0;
        for (const Golden& golden : goldens()) {
            const Matrix logits = logitsAfter(*decoder, golden);
            for (std::size_t i = 0; i < golden.logits.size(); ++i)
                largest = std::max(largest, std::fabs(logits.values[i] - golden.logits[i]));
        }
        qInfo("five prompts: largest difference of a logit %.2g", largest);
        QVERIFY(largest < 2e-3);
    }
    void headOverTheWholeVocabularyAgreesWithSingleLogits() {
        const Golden golden = goldens().front();
        DecoderCache cache;
        const auto hidden = m_decoder->extend(cache, golden.tokens, 1, {});
        QVERIFY(hidden.has_value());
        const auto all = m_decoder->allLogits(*hidden);
        QCOMPARE(all->columns, std::size_t(49152));
        const auto some = m_decoder->logits(*hidden, golden.ids);
        double total = 0;
        for (const float value : all->values)
            total += std::exp(double(value));
        for (std::size_t i = 0; i < golden.ids.size(); ++i)
            QVERIFY(std::fabs(all->values[static_cast<std::size_t>(golden.ids[i])] - some->values[i]) < 1e-4);
        QVERIFY(std::fabs((*m_decoder->logSumExpOfLogits(*hidden))[0] - std::log(total)) < 1e-5);
    }
    void branchesEqualWholePromptsInAnyGrouping() {
        const Golden golden = goldens().back(); // the longest
        constexpr std::size_t prefixLength = 140;
        QVERIFY(golden.tokens.size() > prefixLength + 100);
        const std::span<const TokenId> prefix(golden.tokens.data(), prefixLength);
        std::vector<std::vector<TokenId>> branches;
        for (std::size_t length : {1u, 31u, 32u, 33u, 64u, 95u, 99u})
            branches.emplace_back(golden.tokens.begin() + prefixLength,
                                  golden.tokens.begin() + static_cast<std::ptrdiff_t>(prefixLength + length));
        DecoderCache cache;
        QCOMPARE(*m_decoder->prepare(cache, prefix, {}), 0);
        const auto together = m_decoder->branches(cache, branches, 1, {});
        QVERIFY(together.has_value());
        QCOMPARE(together->rows.rows, branches.size());
        QCOMPARE(cache.length(), std::int64_t(prefixLength));
        double whole = 0, alone = 0;
        for (std::size_t i = 0; i < branches.size(); ++i) {
            const auto single = m_decoder->branches(cache, std::span(&branches[i], 1), 1, {});
            std::vector<TokenId> prompt(prefix.begin(), prefix.end());
            prompt.insert(prompt.end(), branches[i].begin(), branches[i].end());
            DecoderCache other;
            const auto full = m_decoder->extend(other, prompt, 1, {});
            for (std::size_t k = 0; k < together->rows.columns; ++k) {
                whole = std::max(whole, std::fabs(double(together->rows.row(i)[k]) - full->values[k]));
                alone = std::max(alone, std::fabs(double(together->rows.row(i)[k]) - single->rows.values[k]));
            }
        }
        qInfo("hidden states: against whole prompts %.2g, against one by one %.2g", whole, alone);
        QVERIFY(whole < 1e-3);
        QVERIFY(alone < 1e-4);
    }
    void noBitDependsOnWhatElseIsComputed() {
        if (m_decoder->device().name != "cpu")
            QSKIP("a graphics card's products may depend on how many rows are multiplied");
        const Golden golden = goldens().back();
        const std::span<const TokenId> prompt = std::span(golden.tokens).first(300);
        for (const char* type : {"fp32", "bf16"}) {
            const auto other = std::string(type) == "fp32" ? nullptr : open(false, type);
            LlamaDecoder& decoder = other ? *other : *m_decoder;
            DecoderCache none, kept;
            const std::vector<std::span<const TokenId>> alone{prompt};
            const auto single = decoder.follow(none, alone, allRows, {});
            QVERIFY(single.has_value());
            QCOMPARE(single->rows.rows, prompt.size());
            // Others leave it at many places, so that it becomes a chain of nodes of all lengths, in other batches.
            std::vector<std::vector<TokenId>> company;
            for (const std::size_t length : {1u, 2u, 3u, 17u, 33u, 64u, 65u, 160u, 255u, 299u}) {
                company.emplace_back(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(length));
                company.back().insert(company.back().end(), {17, 18, 19});
            }
            company.emplace_back(prompt.begin(), prompt.end());
            const auto together = decoder.follow(none, std::vector<std::span<const TokenId>>(company.begin(), company.end()), allRows, {});
            QVERIFY(together.has_value());
            QCOMPARE(together->tokens, std::int64_t(300 + 10 * 3));
            QVERIFY(together->peakBytes > 0 && together->peakBytes <= decoder.workingBytes(300));
            for (std::size_t i = 0; i < prompt.size(); ++i) {
                const auto a = single->rows.row(single->ofPrompt[0][i]), b = together->rows.row(together->ofPrompt.back()[i]);
                QVERIFY2(std::equal(a.begin(), a.end(), b.begin()), qPrintable(QString("%1, token %2").arg(type).arg(i)));
            }
            // Kept token by token at first, then in one piece.
            for (std::size_t i = 0; i < 5; ++i)
                QVERIFY(decoder.extend(kept, prompt.subspan(i, 1), 0, {}).has_value());
            const auto last = decoder.extend(kept, prompt.subspan(5), 1, {});
            const auto a = single->rows.row(single->ofPrompt[0].back());
            QVERIFY2(std::equal(a.begin(), a.end(), last->values.begin()), type);
        }
    }
    void aLongBranchGoesPieceByPiece() {
        const Golden golden = goldens().back();
        QVERIFY(golden.tokens.size() > LlamaDecoder::groupTokens + 1);
        const std::vector<std::vector<TokenId>> segments{golden.tokens, {504, 3575}};
        DecoderCache cache, other;
        const auto hidden = m_decoder->branches(cache, segments, allRows, {});
        QVERIFY(hidden.has_value());
        QCOMPARE(cache.length(), 0);
        QCOMPARE(hidden->first, (std::vector<std::size_t>{0, golden.tokens.size(), golden.tokens.size() + 2}));
        const auto plain = m_decoder->extend(other, golden.tokens, allRows, {});
        Matrix part(golden.tokens.size(), hidden->rows.columns);
        std::copy_n(hidden->rows.values.begin(), part.values.size(), part.values.begin());
        QVERIFY(largestDifference(part, *plain) < 1e-4);
    }
    void aReusedPrefixEqualsAComputedOneBitForBit() {
        const Golden golden = goldens().back();
        DecoderCache fresh, used;
        QCOMPARE(*m_decoder->prepare(used, golden.tokens, {}), 0);
        std::vector<TokenId> changed(golden.tokens.begin(), golden.tokens.begin() + 290);
        changed.back() = 17;
        const auto reused = *m_decoder->prepare(used, changed, {});
        // All of it, or whole pieces where rows of a product depend on their number.
        QVERIFY(m_decoder->device().name == "cpu" ? reused == 289 || reused == 256 : reused == 0);
        QCOMPARE(*m_decoder->prepare(used, changed, {}), 290);
        QCOMPARE(*m_decoder->prepare(fresh, changed, {}), 0);
        const std::vector<std::vector<TokenId>> segment{{504, 3575}};
        const auto a = m_decoder->branches(used, segment, 1, {}), b = m_decoder->branches(fresh, segment, 1, {});
        QVERIFY(a->rows.values == b->rows.values);
    }
    void plainTensorOperationsAgree() {
        const auto portable = open(true);
        QVERIFY(portable);
        const auto all = goldens();
        for (std::size_t i : {0u, 2u}) {
            const double difference = largestDifference(logitsAfter(*m_decoder, all[i]), logitsAfter(*portable, all[i]));
            QVERIFY2(difference < 1e-3, qPrintable(QString::number(difference)));
        }
        DecoderCache a, b;
        const std::vector<std::vector<TokenId>> branches{{504, 3575}, {282, 4649, 314}};
        QVERIFY(m_decoder->prepare(a, all[2].tokens, {}) && portable->prepare(b, all[2].tokens, {}));
        QVERIFY(largestDifference(m_decoder->branches(a, branches, 1, {})->rows, portable->branches(b, branches, 1, {})->rows) < 1e-3);
    }
    void aPromptAndWhatFollowsItGoInOnePass() {
        const auto portable = open(true);
        QVERIFY(portable);
        const std::vector<TokenId> tokens = goldens().back().tokens;
        const std::span<const TokenId> prompt = std::span(tokens).first(300), changed = std::span(tokens).subspan(20, 280);
        const std::vector<std::vector<TokenId>> branches{{504, 3575}, {504, 3575, 17, 18}, {504, 282}, {17}, {504, 3575, 17, 19, 20}};
        const std::vector<std::span<const TokenId>> views(branches.begin(), branches.end());
        DecoderCache cache, plain;
        const auto check = [&](std::span<const TokenId> first, std::int64_t reused) {
            const auto together = portable->followPrompt(cache, first, views, allRows, {});
            QVERIFY(together.has_value());
            QCOMPARE(together->reused, reused);
            QCOMPARE(cache.length(), static_cast<std::int64_t>(first.size()));
            QVERIFY(m_decoder->prepare(plain, first, {}).has_value());
            const auto apart = m_decoder->follow(plain, views, allRows, {});
            QCOMPARE(together->ofPrompt, apart->ofPrompt);
            QVERIFY(largestDifference(together->rows, apart->rows) < 1e-3);
        };
        check(prompt, 0);
        check(prompt, 300);
        check(changed, 0);
        const std::int64_t grain = portable->device().name == "cpu" ? LlamaDecoder::promptPiece : LlamaDecoder::promptPieceOffCpu;
        check(std::span(tokens).subspan(20, 330), 280 / grain * grain); // whole pieces are kept
        // What is refused leaves nothing half kept.
        const auto refused = portable->followPrompt(cache, std::vector<TokenId>{5, 49152}, views, 1, {});
        QVERIFY(!refused);
        QCOMPARE(cache.length(), 0);
        check(prompt, 0);
    }
    void aTokenOutsideTheVocabularyIsRefused() {
        DecoderCache cache;
        const auto refused = m_decoder->extend(cache, std::vector<TokenId>{5, 49152}, 1, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2088"));
        QCOMPARE(cache.length(), 0);
    }
};

QTEST_APPLESS_MAIN(TestLlamaDecoder)
#include "test_llama_decoder.moc"
