// SPDX-License-Identifier: GPL-3.0-or-later
// Tiny decoders of several types, read from safetensors folders, against logits from transformers
// (tests/reference/models/make_tiny_decoder_logits.py, whose rule for the weights is repeated here).
#include "base/file.h"
#include "base/text.h"
#include "scoring/llama_decoder_torch.h"
#include "stages/compute_choice.h"
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {

struct Case {
    std::string name, config;
    std::vector<TokenId> tokens;
    std::vector<double> last, early; // after the last token, after token 30
};
std::vector<double> numbers(std::string_view text) {
    std::vector<double> out;
    for (const auto word : split(text, ' '))
        out.push_back(*parseNumber(word));
    return out;
}
std::vector<Case> cases() {
    std::vector<Case> out;
    const auto table = readFile(std::string(CAROUSEL_SOURCE_DIR) + "/tests/reference/models/tiny_decoders.tsv");
    for (const auto line : table ? split(*table, '\n') : std::vector<std::string_view>()) {
        const auto fields = split(line, '\t');
        if (fields.size() != 5 || startsWith(line, "#"))
            continue;
        Case one{std::string(fields[0]), std::string(fields[1]), {}, numbers(fields[3]), numbers(fields[4])};
        for (const double token : numbers(fields[2]))
            one.tokens.push_back(static_cast<TokenId>(token));
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<float> weight(const std::string& name, std::size_t count) {
    std::uint32_t salt = 2166136261u;
    for (const char byte : name)
        salt = (salt ^ static_cast<unsigned char>(byte)) * 16777619u;
    const bool norm = name.size() >= 11 && name.substr(name.size() - 11) == "norm.weight";
    const bool full = name.find("embed") != std::string::npos || name.find("bias") != std::string::npos;
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t mixed = static_cast<std::uint32_t>(i) * 2654435761u + salt;
        mixed = (mixed ^ (mixed >> 15)) * 2246822519u;
        const double centred = (static_cast<double>(mixed >> 16) - 32768) / 65536;
        out[i] = static_cast<float>(norm ? 1 + centred / 2 : full ? centred : centred * 0.5);
    }
    return out;
}

// config.json and model.safetensors with the weights that the configuration asks for.
void writeModel(const std::string& folder, const std::string& config) {
    const auto j = nlohmann::json::parse(config);
    const std::size_t width = j["hidden_size"], inner = j["intermediate_size"], heads = j["num_attention_heads"],
                      pairs = j["num_key_value_heads"];
    const std::size_t size = j.value("head_dim", width / heads), vocabulary = j["vocab_size"], blocks = j["num_hidden_layers"];
    nlohmann::json header;
    std::string data;
    auto add = [&](const std::string& name, std::vector<std::size_t> dims) {
        std::size_t count = 1;
        for (const std::size_t dim : dims)
            count *= dim;
        const auto values = weight(name, count);
        const std::size_t from = data.size();
        data.append(reinterpret_cast<const char*>(values.data()), count * sizeof(float));
        header[name] = {{"dtype", "F32"}, {"shape", dims}, {"data_offsets", {from, data.size()}}};
    };
    add("model.embed_tokens.weight", {vocabulary, width});
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::string at = fmt::format("model.layers.{}.", block);
        add(at + "input_layernorm.weight", {width});
        add(at + "post_attention_layernorm.weight", {width});
        add(at + "self_attn.q_proj.weight", {heads * size, width});
        add(at + "self_attn.k_proj.weight", {pairs * size, width});
        add(at + "self_attn.v_proj.weight", {pairs * size, width});
        add(at + "self_attn.o_proj.weight", {width, heads * size});
        if (j["model_type"] == "qwen2") {
            add(at + "self_attn.q_proj.bias", {heads * size});
            add(at + "self_attn.k_proj.bias", {pairs * size});
            add(at + "self_attn.v_proj.bias", {pairs * size});
        }
        add(at + "mlp.gate_proj.weight", {inner, width});
        add(at + "mlp.up_proj.weight", {inner, width});
        add(at + "mlp.down_proj.weight", {width, inner});
    }
    add("model.norm.weight", {width});
    if (!j["tie_word_embeddings"])
        add("lm_head.weight", {vocabulary, width});
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    std::ofstream file(folder + "/model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text << data;
    std::ofstream(folder + "/config.json") << config;
}

} // namespace

class TestDecoderVariants : public QObject {
    Q_OBJECT

    static void eachCase() {
        QTest::addColumn<int>("index");
        QTest::addColumn<bool>("portable");
        const auto all = cases();
        for (std::size_t i = 0; i < all.size(); ++i)
            for (const bool portable : {false, true})
                QTest::addRow("%s%s", all[i].name.c_str(), portable ? ", plain tensor operations" : "") << static_cast<int>(i) << portable;
    }
    std::unique_ptr<LlamaDecoder> open(const std::string& folder, bool portable, const char* type) {
        auto source = ModelSource::open(folder);
        auto device = openComputeDevice(defaultDevice(), type, 2);
        if (!source || !device) {
            qWarning("%s", describe(source ? device.error() : source.error()).c_str());
            return nullptr;
        }
        device->portable |= portable;
        auto decoder = LlamaDecoder::open(*source, *device);
        if (!decoder)
            qWarning("%s", describe(decoder.error()).c_str());
        return decoder ? std::move(*decoder) : nullptr;
    }

private slots:
    void logitsEqualTransformers_data() { eachCase(); }
    void logitsEqualTransformers() {
        QFETCH(int, index);
        QFETCH(bool, portable);
        const Case one = cases()[static_cast<std::size_t>(index)];
        QTemporaryDir folder;
        writeModel(folder.path().toStdString(), one.config);
        const auto decoder = open(folder.path().toStdString(), portable, "fp32");
        QVERIFY(decoder);
        // As a kept prompt, and as prompts of a tree that share their beginning.
        DecoderCache kept;
        const auto whole = decoder->extend(kept, one.tokens, 1, {});
        QVERIFY(whole.has_value());
        DecoderCache beginning;
        QVERIFY(decoder->prepare(beginning, std::span(one.tokens).first(12), {}).has_value());
        const std::span<const TokenId> rest = std::span(one.tokens).subspan(12);
        const std::vector<std::span<const TokenId>> prompts{rest, rest.first(18)};
        const auto states = decoder->follow(beginning, prompts, 1, {});
        QVERIFY(states.has_value());
        QCOMPARE(states->tokens, static_cast<std::int64_t>(rest.size()));
        const auto logits = decoder->allLogits(*whole), tree = decoder->allLogits(states->rows);
        double largest = 0;
        for (std::size_t i = 0; i < one.last.size(); ++i) {
            largest = std::max(largest, std::fabs(logits->row(0)[i] - one.last[i]));
            largest = std::max(largest, std::fabs(tree->row(states->ofPrompt[0][0])[i] - one.last[i]));
            largest = std::max(largest, std::fabs(tree->row(states->ofPrompt[1][0])[i] - one.early[i]));
        }
        QVERIFY2(largest < 2e-4, qPrintable(QString("largest difference of a logit %1").arg(largest)));
        const auto single = decoder->logits(*whole, std::vector<TokenId>{0, 95});
        QVERIFY(std::fabs(single->row(0)[0] - one.last[0]) < 2e-4 && std::fabs(single->row(0)[1] - one.last[95]) < 2e-4);
    }
    void bf16IsClose() {
        for (const Case& one : cases()) {
            QTemporaryDir folder;
            writeModel(folder.path().toStdString(), one.config);
            const auto decoder = open(folder.path().toStdString(), false, "bf16");
            QVERIFY(decoder);
            DecoderCache kept;
            const auto logits = decoder->allLogits(*decoder->extend(kept, one.tokens, 1, {}));
            double squares = 0, scale = 0;
            for (std::size_t i = 0; i < one.last.size(); ++i) {
                squares += std::pow(logits->row(0)[i] - one.last[i], 2);
                scale += one.last[i] * one.last[i];
            }
            QVERIFY2(squares < 4e-3 * scale, qPrintable(QString("%1: %2").arg(one.name.c_str()).arg(std::sqrt(squares / scale))));
        }
    }
    void headsThatAreTooWideAreRefusedInWords() {
        auto config = nlohmann::json::parse(cases()[0].config);
        config["head_dim"] = 288;
        QTemporaryDir folder;
        writeModel(folder.path().toStdString(), config.dump());
        auto source = ModelSource::open(folder.path().toStdString());
        QVERIFY(source.has_value());
        const auto refused = LlamaDecoder::open(*source, *openComputeDevice("cpu", "fp32", 1));
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2036"));
        QVERIFY(refused.error().message.find("288") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestDecoderVariants)
#include "test_decoder_variants.moc"
