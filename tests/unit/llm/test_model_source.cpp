// SPDX-License-Identifier: GPL-3.0-or-later
// Decoders through one source, whatever the file: sizes, weights by role, shards, and refusals that name what is not computed.
#include "base/file.h"
#include "base/paths.h"
#include "llm/model_source.h"
#include "model_file_builder.h"
#include <QDir>
#include <QElapsedTimer>
#include <QTest>
#include <cmath>
#include <fmt/ranges.h>
#include <map>

using namespace carousel;
using namespace builder;

namespace {

constexpr std::uint64_t width = 8, inner = 12, vocabulary = 20, heads = 2, keyValueHeads = 1, headSize = 6, blocks = 2;

// The shape of each weight of a small decoder, whose heads together are wider than the model.
std::vector<std::uint64_t> dimsOf(WeightRole role) {
    switch (role) {
    case WeightRole::tokenEmbedding:
    case WeightRole::head:
        return {vocabulary, width};
    case WeightRole::query:
        return {heads * headSize, width};
    case WeightRole::key:
    case WeightRole::value:
        return {keyValueHeads * headSize, width};
    case WeightRole::attentionOut:
        return {width, heads * headSize};
    case WeightRole::gate:
    case WeightRole::up:
        return {inner, width};
    case WeightRole::down:
        return {width, inner};
    case WeightRole::queryBias:
        return {heads * headSize};
    case WeightRole::keyBias:
    case WeightRole::valueBias:
        return {keyValueHeads * headSize};
    default:
        return {width};
    }
}

float valueOf(WeightRole role, std::uint64_t block, std::uint64_t i) {
    return static_cast<float>(static_cast<int>(role) * 1000 + static_cast<int>(block) * 100) + static_cast<float>(i) / 64;
}

struct Weight {
    WeightRole role;
    std::uint64_t block;
};
std::vector<Weight> weights(bool ownHead, bool biases) {
    using enum WeightRole;
    std::vector<Weight> all{{tokenEmbedding, 0}, {outputNorm, 0}};
    if (ownHead)
        all.push_back({head, 0});
    for (std::uint64_t block = 0; block < blocks; ++block) {
        for (const auto role : {attentionNorm, query, key, value, attentionOut, feedForwardNorm, gate, up, down})
            all.push_back({role, block});
        if (biases)
            for (const auto role : {queryBias, keyBias, valueBias})
                all.push_back({role, block});
    }
    return all;
}
std::uint64_t elements(const std::vector<std::uint64_t>& dims) {
    std::uint64_t product = 1;
    for (const auto extent : dims)
        product *= extent;
    return product;
}

std::string arrayKey(const std::string& name, std::uint32_t type, std::uint64_t count, const std::string& data) {
    return keyHead(name, 9) + Bytes().u32(type).u64(count).text + data;
}

Gguf gguf(const std::string& architecture, bool ownHead, bool biases) {
    Gguf file;
    Bytes tokens;
    for (std::uint64_t i = 0; i < vocabulary; ++i)
        tokens.string("t" + std::to_string(i));
    const std::map<std::string, std::uint64_t> sizes = {{"block_count", blocks},
                                                        {"embedding_length", width},
                                                        {"feed_forward_length", inner},
                                                        {"attention.head_count", heads},
                                                        {"attention.head_count_kv", keyValueHeads},
                                                        {"attention.key_length", headSize},
                                                        {"attention.value_length", headSize},
                                                        {"context_length", 128}};
    file.keys = {keyText("general.architecture", architecture), arrayKey("tokenizer.ggml.tokens", 8, vocabulary, tokens.text),
                 keyHead(architecture + ".attention.layer_norm_rms_epsilon", 6) + Bytes().put(1e-6f).text,
                 keyHead(architecture + ".rope.freq_base", 6) + Bytes().put(10000.0f).text};
    for (const auto& [name, size] : sizes)
        file.keys.push_back(keyU32(architecture + "." + name, static_cast<std::uint32_t>(size)));
    Bytes data;
    for (const auto& [role, block] : weights(ownHead, biases)) {
        auto dims = dimsOf(role);
        const auto count = elements(dims);
        std::reverse(dims.begin(), dims.end());
        file.tensors.push_back({ggufName(role, static_cast<std::int64_t>(block)), dims, 0, data.text.size()});
        for (std::uint64_t i = 0; i < count; ++i)
            data.put(valueOf(role, block, i));
        while (data.text.size() % 32 != 0)
            data.text += '\0';
    }
    file.data = data.text;
    return file;
}

std::string safetensorsOf(const std::vector<Weight>& list) {
    std::string header = "{";
    Bytes data;
    for (const auto& [role, block] : list) {
        const auto dims = dimsOf(role);
        const auto begin = data.text.size();
        for (std::uint64_t i = 0; i < elements(dims); ++i)
            data.put(valueOf(role, block, i));
        header += fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.size() > 1 ? "," : "",
                              safetensorsName(role, static_cast<std::int64_t>(block)), fmt::join(dims, ","), begin, data.text.size());
    }
    return safetensors(header + "}", data.text);
}

std::string config(const std::string& type, const std::string& more = "") {
    return fmt::format(R"({{"model_type":"{}","num_hidden_layers":{},"hidden_size":{},"intermediate_size":{},"num_attention_heads":{},)"
                       R"("num_key_value_heads":{},"head_dim":{},"vocab_size":{},"max_position_embeddings":128,"rms_norm_eps":1e-6{}}})",
                       type, blocks, width, inner, heads, keyValueHeads, headSize, vocabulary, more);
}

} // namespace

class TestModelSource : public QObject {
    Q_OBJECT
    QTemporaryDir m_root;
    int m_folders = 0;

    std::string folder(const std::map<std::string, std::string>& files) {
        const QString path = m_root.filePath(QString::number(++m_folders));
        QDir().mkpath(path);
        for (const auto& [name, bytes] : files) {
            QFile file(path + "/" + QString::fromStdString(name));
            if (!file.open(QIODevice::WriteOnly) || file.write(bytes.data(), static_cast<qint64>(bytes.size())) < 0)
                qFatal("the test cannot write its file");
        }
        return path.toStdString();
    }
    void checkWeights(const ModelSource& source, bool ownHead, bool biases) {
        for (const auto& [role, block] : weights(true, biases)) {
            const auto values = source.floats(role, static_cast<std::int64_t>(block));
            QVERIFY2(values, values ? "" : describe(values.error()).c_str());
            QCOMPARE(values->size(), static_cast<std::size_t>(elements(dimsOf(role))));
            const WeightRole from = role == WeightRole::head && !ownHead ? WeightRole::tokenEmbedding : role;
            for (std::uint64_t i = 0; i < values->size(); ++i)
                QCOMPARE((*values)[i], valueOf(from, block, i));
        }
        std::vector<float> two(2 * width);
        QVERIFY(source.readRows(WeightRole::gate, 1, 3, 2, two));
        QCOMPARE(two[0], valueOf(WeightRole::gate, 1, 3 * width));
        QCOMPARE(two.back(), valueOf(WeightRole::gate, 1, 5 * width - 1));
        QVERIFY(!source.readRows(WeightRole::gate, 1, inner - 1, 2, two));
        QVERIFY(!source.readRows(WeightRole::gate, 1, 0, 1, two));
        QCOMPARE(source.blocks(WeightRole::down, 0)->size(), static_cast<std::size_t>(4 * width * inner));
        QCOMPARE(source.has(WeightRole::queryBias), biases);
    }
    std::string codeOf(const std::string& path) {
        const auto source = ModelSource::open(path);
        return source ? "accepted" : source.error().code;
    }

private slots:
    void ggufDecodersAreRead() {
        for (const std::string architecture : {"llama", "qwen2"})
            for (const bool ownHead : {false, true}) {
                const bool biases = architecture == "qwen2";
                const auto path = folder({{"m.gguf", gguf(architecture, ownHead, biases).bytes()}}) + "/m.gguf";
                const auto source = ModelSource::open(path);
                QVERIFY2(source, source ? "" : describe(source.error()).c_str());
                const DecoderShape& shape = (*source)->shape();
                QCOMPARE(shape.architecture, architecture);
                QCOMPARE(shape.ropeLayout, architecture == "llama" ? RopeLayout::pairs : RopeLayout::halves);
                QCOMPARE(shape.headSize, std::int64_t(headSize));
                QCOMPARE(shape.tiedHead, !ownHead);
                QCOMPARE(shape.queryKeyValueBias, biases);
                QCOMPARE(shape.ropeFrequencies.size(), std::size_t(headSize / 2));
                QCOMPARE(shape.ropeFrequencies[1], std::pow(10000.0, -2.0 / headSize));
                checkWeights(**source, ownHead, biases);
            }
    }
    void foldersAreRead() {
        for (const std::string type : {"llama", "mistral", "qwen2"}) {
            const bool biases = type == "qwen2";
            const auto path = folder({{"config.json", config(type)}, {"model.safetensors", safetensorsOf(weights(true, biases))}});
            for (const auto& given : {path, path + "/model.safetensors"}) {
                const auto source = ModelSource::open(given);
                QVERIFY2(source, source ? "" : describe(source.error()).c_str());
                QCOMPARE((*source)->shape().ropeLayout, RopeLayout::halves);
                QCOMPARE((*source)->folder(), path);
                checkWeights(**source, true, biases);
            }
        }
        const auto tied = ModelSource::open(folder({{"config.json", config("llama", ",\"tie_word_embeddings\":true")},
                                                    {"model.safetensors", safetensorsOf(weights(false, false))}}));
        QVERIFY(tied);
        checkWeights(**tied, false, false);
        // Without the flag the head must be there.
        QCOMPARE(codeOf(folder({{"config.json", config("llama")}, {"model.safetensors", safetensorsOf(weights(false, false))}})),
                 std::string("CL-2031"));
        QCOMPARE(codeOf(folder({})), std::string("CL-2038"));
        QCOMPARE(codeOf(folder({{"model.safetensors", safetensorsOf(weights(true, false))}})), std::string("CL-2040"));
    }
    void shardsAreReadAndMustAgreeWithTheirIndex() {
        const auto all = weights(true, false);
        const std::vector<Weight> first(all.begin(), all.begin() + 8), second(all.begin() + 8, all.end());
        auto index = [&](const std::string& a, const std::string& b, std::size_t cut) {
            std::string text = "{\"metadata\":{\"total_size\":1},\"weight_map\":{";
            for (std::size_t i = 0; i < all.size(); ++i)
                text += fmt::format("{}\"{}\":\"{}\"", i ? "," : "", safetensorsName(all[i].role, static_cast<std::int64_t>(all[i].block)),
                                    i < cut ? a : b);
            return text + "}}";
        };
        const std::string a = "model-00001-of-00002.safetensors", b = "model-00002-of-00002.safetensors";
        std::map<std::string, std::string> files = {
            {"config.json", config("llama")}, {a, safetensorsOf(first)}, {b, safetensorsOf(second)}};
        auto with = [&](const std::string& text) {
            auto changed = files;
            changed["model.safetensors.index.json"] = text;
            return folder(changed);
        };
        const auto source = ModelSource::open(with(index(a, b, 8)));
        QVERIFY2(source, source ? "" : describe(source.error()).c_str());
        checkWeights(**source, true, false);
        QCOMPARE(codeOf(with(index(a, b, 7))), std::string("CL-2039"));
        QCOMPARE(codeOf(with(index(a, b, 9))), std::string("CL-2039"));
        QCOMPARE(codeOf(with(index("../" + a, b, 8))), std::string("CL-2039"));
        QCOMPARE(codeOf(with(index("/etc/passwd", b, 8))), std::string("CL-2039"));
        QCOMPARE(codeOf(with(index("absent.safetensors", b, 8))), std::string("CL-2001"));
        QCOMPARE(codeOf(with("{\"weight_map\":{}}")), std::string("CL-2039"));
        QCOMPARE(codeOf(with("{\"weight_map\":[]}")), std::string("CL-2040"));
        QCOMPARE(codeOf(with("{\"weight_map\":{\"x\":1}}")), std::string("CL-2040"));
    }
    void scalingOfPositionsFollowsItsFormula() {
        auto frequencies = [&](const std::string& more) {
            const auto source = ModelSource::open(
                folder({{"config.json", config("llama", more)}, {"model.safetensors", safetensorsOf(weights(true, false))}}));
            return source ? (*source)->shape().ropeFrequencies : std::vector<double>();
        };
        const auto plain = frequencies(",\"rope_theta\":500000.0");
        QCOMPARE(plain.size(), std::size_t(3));
        const auto linear = frequencies(R"(,"rope_theta":500000.0,"rope_scaling":{"type":"linear","factor":4.0})");
        for (std::size_t i = 0; i < 3; ++i)
            QCOMPARE(linear[i], plain[i] / 4);
        // base 500000, head size 6, worked out with the formula of transformers 4.44 in Python: one kept, one mixed, one slowed.
        const std::string llama3 =
            R"({"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":1000})";
        const double wanted[] = {1.0, 0.005268877702800609, 1.9842513149602494e-05};
        for (const auto& scaled : {frequencies(",\"rope_theta\":500000.0,\"rope_scaling\":" + llama3),
                                   frequencies(",\"rope_parameters\":{\"rope_theta\":500000.0," + llama3.substr(1))}) {
            QCOMPARE(scaled.size(), std::size_t(3));
            for (std::size_t i = 0; i < 3; ++i)
                QVERIFY2(std::fabs(scaled[i] - wanted[i]) < 1e-12, qPrintable(QString::number(scaled[i], 'g', 17)));
        }
        Gguf file = gguf("llama", false, false);
        file.tensors.push_back({"rope_freqs.weight", {headSize / 2}, 0, file.data.size()});
        file.data += Bytes().put(1.0f).put(2.0f).put(8.0f).text;
        const auto source = ModelSource::open(folder({{"m.gguf", file.bytes()}}) + "/m.gguf");
        QVERIFY(source);
        QCOMPARE((*source)->shape().ropeFrequencies[2], std::pow(10000.0, -4.0 / headSize) / 8);
        QCOMPARE((*source)->shape().ropeScaling, std::string("factors"));
    }
    void aWindowLimitsTheContext() {
        auto shape = [&](const std::string& type, const std::string& more) {
            const auto source = ModelSource::open(
                folder({{"config.json", config(type, more)}, {"model.safetensors", safetensorsOf(weights(true, type == "qwen2"))}}));
            return source ? (*source)->shape() : DecoderShape();
        };
        const auto cut = shape("mistral", ",\"sliding_window\":32");
        QCOMPARE(cut.contextLength, std::int64_t(32));
        QCOMPARE(cut.warnings.size(), std::size_t(1));
        QCOMPARE(shape("mistral", ",\"sliding_window\":null").contextLength, std::int64_t(128));
        QCOMPARE(shape("mistral", ",\"sliding_window\":4096").contextLength, std::int64_t(128));
        QCOMPARE(shape("qwen2", ",\"sliding_window\":32,\"use_sliding_window\":false").contextLength, std::int64_t(128));
        QCOMPARE(shape("qwen2", ",\"sliding_window\":32,\"use_sliding_window\":true").contextLength, std::int64_t(32));
    }
    void whatIsNotComputedIsRefusedByName() {
        auto refusal = [&](const std::string& type, const std::string& more) {
            const auto source = ModelSource::open(
                folder({{"config.json", config(type, more)}, {"model.safetensors", safetensorsOf(weights(true, false))}}));
            return source ? std::string("accepted") : source.error().code + " " + source.error().message + source.error().hint;
        };
        const std::pair<std::string, std::string> wrong[] = {
            {",\"hidden_act\":\"gelu\"", "gelu"},
            {",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":2}", "yarn"},
            {",\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}", "dynamic"},
            {",\"partial_rotary_factor\":0.5", "0.5"},
            {",\"quantization_config\":{\"bits\":4}", "quantization_config"},
        };
        for (const auto& [more, said] : wrong) {
            const auto got = refusal("llama", more);
            QVERIFY2(got.starts_with("CL-2035") && got.find(said) != std::string::npos, got.c_str());
        }
        const auto gemma = refusal("gemma", "");
        QVERIFY2(gemma.starts_with("CL-2035") && gemma.find("qwen2") != std::string::npos, gemma.c_str());
        for (const char* more : {",\"rms_norm_eps\":\"x\"", ",\"rope_theta\":1e300", ",\"rope_theta\":0", ",\"tie_word_embeddings\":1",
                                 ",\"rope_scaling\":{\"type\":\"linear\"}"})
            QVERIFY2(refusal("llama", more).starts_with("CL-2040"), more);

        auto code = [&](const std::function<void(Gguf&)>& change, bool biases = false, const char* architecture = "llama") {
            Gguf file = gguf(architecture, false, biases);
            change(file);
            return codeOf(folder({{"m.gguf", file.bytes()}}) + "/m.gguf");
        };
        QCOMPARE(code([](Gguf&) {}), std::string("accepted"));
        QCOMPARE(code([](Gguf&) {}, true), std::string("accepted")); // biases are read wherever they are
        auto addTensor = [](const char* name, std::uint64_t extent) {
            return [=](Gguf& file) {
                file.tensors.push_back({name, {extent}, 0, file.data.size()});
                file.data += std::string(extent * 4 + (32 - extent * 4 % 32) % 32, '\0');
            };
        };
        QCOMPARE(code(addTensor("blk.0.attn_q.bias", heads * headSize)), std::string("CL-2031")); // one bias without the others
        QCOMPARE(code(addTensor("blk.1.attn_q.bias", heads * headSize)), std::string("CL-2035")); // a bias in one block only
        QCOMPARE(code(addTensor("blk.0.attn_q_norm.weight", headSize)), std::string("CL-2035"));
        QCOMPARE(code(addTensor("blk.0.ffn_up.bias", inner)), std::string("CL-2035"));
        QCOMPARE(code(addTensor("blk.2.attn_norm.weight", width)), std::string("CL-2035")); // a block more than announced
        auto key = [](const std::string& data) { return [=](Gguf& file) { file.keys.push_back(data); }; };
        QCOMPARE(code(key(keyU32("llama.expert_count", 8))), std::string("CL-2035"));
        QCOMPARE(code(key(keyText("llama.rope.scaling.type", "yarn"))), std::string("CL-2035"));
        QCOMPARE(code(key(keyU32("llama.rope.dimension_count", 4))), std::string("CL-2035"));
        QCOMPARE(code(key(keyU32("llama.vocab_size", vocabulary + 1))), std::string("CL-2030"));
        auto size = [&](const char* name, std::uint32_t value) {
            return code([&](Gguf& file) {
                for (auto& data : file.keys)
                    if (data.size() == std::string("llama.").size() + std::strlen(name) + 16 &&
                        data.find(std::string("llama.") + name) == 8)
                        data = keyU32(std::string("llama.") + name, value);
            });
        };
        for (const char* name : {"block_count", "embedding_length", "feed_forward_length", "attention.head_count",
                                 "attention.head_count_kv", "attention.key_length", "context_length"})
            for (const std::uint32_t value : {0u, 0x7FFFFFFFu, 0xFFFFFFFFu})
                QCOMPARE(size(name, value), std::string("CL-2030"));
        QCOMPARE(size("block_count", 3), std::string("CL-2031"));
        QCOMPARE(size("block_count", 1), std::string("CL-2035"));
        QCOMPARE(size("embedding_length", 16), std::string("CL-2032"));
        QCOMPARE(size("attention.head_count", 4), std::string("CL-2032"));
        QCOMPARE(size("attention.key_length", 5), std::string("CL-2035"));
    }
    void smollmLoadsFast() {
        const std::string path = modelFolder() + "/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
        if (!fileExists(path))
            QSKIP("SmolLM2-135M-Instruct is not in the model folder (packaging/run.sh fetches it)");
        QElapsedTimer timer;
        timer.start();
        const auto source = ModelSource::open(path);
        QVERIFY(source);
        const auto opened = timer.restart();
        QVERIFY((*source)->tokenizer());
        const auto tokenizer = timer.restart();
        const auto blocks4 = (*source)->blocks(WeightRole::query, 3);
        QCOMPARE(blocks4->size(), std::size_t(576 * 576 / 32 * 20));
        std::vector<float> buffer(1536 * 576);
        timer.restart();
        std::int64_t values = 0;
        for (std::int64_t block = 0; block < (*source)->shape().blocks; ++block)
            for (const auto role : {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attentionOut, WeightRole::gate,
                                    WeightRole::up, WeightRole::down}) {
                const TensorInfo& info = (*source)->stored(role, block);
                QVERIFY((*source)->readRows(role, block, 0, info.rows(), std::span(buffer).first(info.elements)));
                values += static_cast<std::int64_t>(info.elements);
            }
        qInfo() << "opened in" << opened << "ms, tokenizer in" << tokenizer << "ms," << values << "weights as floats in" << timer.elapsed()
                << "ms";
        QCOMPARE(values, std::int64_t(106168320));
    }
};

QTEST_GUILESS_MAIN(TestModelSource)
#include "test_model_source.moc"
