// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters on disk, the settings of a training, and its examples.
#include "base/file.h"
#include "base/hash.h"
#include "llm/fine_tune.h"
#include "llm/lora_adapter.h"
#include "llm/model_shelf.h"
#include "llm/safetensors.h"
#include "model_file_builder.h"
#include <QDir>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {

LoraAdapter someAdapter() {
    LoraAdapter adapter;
    adapter.name = "mine";
    adapter.baseModel = "base";
    adapter.rank = 2;
    adapter.alpha = 3;
    for (const std::int64_t layer : {0, 11})
        for (const LoraModule module : {LoraModule::query, LoraModule::down}) {
            LoraMatrix matrix{layer, module, 4, 6, 2, {}, {}};
            if (module == LoraModule::down)
                std::swap(matrix.inputs, matrix.outputs);
            for (int i = 0; i < 2 * matrix.inputs; ++i)
                matrix.a.push_back(static_cast<float>(i) + static_cast<float>(layer));
            for (int i = 0; i < 2 * matrix.outputs; ++i)
                matrix.b.push_back(static_cast<float>(-i) / 3);
            adapter.matrices.push_back(std::move(matrix));
        }
    return adapter;
}
std::string codeOf(const auto& result) {
    return result ? "" : result.error().code;
}

} // namespace

class TestLoraAdapter : public QObject {
    Q_OBJECT
    builder::Folder m_folder;

    std::string written(const char* name, const LoraAdapter& adapter) {
        const auto folder = m_folder.path(name);
        if (!writeAdapter(adapter, folder))
            qFatal("the adapter cannot be written");
        return folder;
    }
    void changeConfig(const std::string& folder, const std::function<void(nlohmann::json&)>& change) {
        const auto path = folder + "/adapter_config.json";
        auto config = nlohmann::json::parse(*readFile(path));
        change(config);
        QVERIFY(atomicWrite(path, config.dump()));
    }

private slots:
    void anAdapterComesBack() {
        auto adapter = someAdapter();
        adapter.baseSha256 = "abc";
        const auto read = readAdapter(written("whole", adapter));
        QVERIFY2(read, read ? "" : describe(read.error()).c_str());
        QCOMPARE(read->name, adapter.name);
        QCOMPARE(read->baseSha256, std::string("abc"));
        QCOMPARE(read->scale, 1.5);
        QCOMPARE(read->matrices.size(), std::size_t(4));
        for (const auto& matrix : adapter.matrices) {
            const auto* found = read->find(matrix.layer, matrix.module);
            QVERIFY(found && found->a == matrix.a && found->b == matrix.b);
            QVERIFY(found->inputs == matrix.inputs && found->outputs == matrix.outputs && found->rank == 2);
        }
        QVERIFY(!read->find(1, LoraModule::query));
    }
    void itsNamesArePeftsOwn() {
        const auto folder = written("names", someAdapter());
        const auto file = SafetensorsFile::open(folder + "/adapter_model.safetensors");
        QVERIFY(file.has_value());
        QVERIFY(file->tensor("base_model.model.model.layers.11.self_attn.q_proj.lora_A.weight", {2, 4}));
        QVERIFY(file->tensor("base_model.model.model.layers.11.self_attn.q_proj.lora_B.weight", {6, 2}));
        QVERIFY(file->tensor("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight", {2, 6}));
        QVERIFY(file->tensor("base_model.model.model.layers.0.mlp.down_proj.lora_B.weight", {4, 2}));
        QCOMPARE(file->metadata().at("format"), std::string("pt"));
        const auto config = nlohmann::json::parse(*readFile(folder + "/adapter_config.json"));
        QCOMPARE(config["peft_type"].get<std::string>(), std::string("LORA"));
        QVERIFY(config["target_modules"] == nlohmann::json({"q_proj", "down_proj"}));
        QVERIFY(config["r"] == 2 && config["lora_alpha"] == 3.0 && config["bias"] == "none");
    }
    void valuesAndScaleMakeAnotherIdentity() {
        const auto first = readAdapter(written("a", someAdapter()));
        auto other = someAdapter();
        other.matrices[1].b[3] += 1e-6f;
        const auto second = readAdapter(written("b", other));
        other = someAdapter();
        other.alpha = 4;
        const auto third = readAdapter(written("c", other));
        other = someAdapter();
        other.name = "another name";
        const auto fourth = readAdapter(written("d", other));
        QVERIFY(first->sha256 != second->sha256 && first->sha256 != third->sha256 && second->sha256 != third->sha256);
        QCOMPARE(first->sha256, fourth->sha256);
    }
    void whatIsNotUnderstoodIsRefused() {
        const std::function<void(nlohmann::json&)> changes[] = {[](auto& c) { c["peft_type"] = "IA3"; },
                                                                [](auto& c) { c["use_dora"] = true; },
                                                                [](auto& c) { c["fan_in_fan_out"] = true; },
                                                                [](auto& c) {
                                                                    c["rank_pattern"] = {{"q_proj", 4}};
                                                                },
                                                                [](auto& c) { c["modules_to_save"] = {"lm_head"}; },
                                                                [](auto& c) { c["bias"] = "all"; },
                                                                [](auto& c) { c["r"] = 3; },
                                                                [](auto& c) { c["r"] = "2"; },
                                                                [](auto& c) { c.erase("lora_alpha"); },
                                                                [](auto& c) { c["lora_alpha"] = -1; },
                                                                [](auto& c) { c = nlohmann::json::array(); }};
        for (const auto& change : changes) {
            const auto folder = written("changed", someAdapter());
            changeConfig(folder, change);
            QCOMPARE(codeOf(readAdapter(folder)), std::string("CL-2143"));
        }
        const auto folder = written("root", someAdapter());
        changeConfig(folder, [](auto& c) { c["use_rslora"] = true; });
        QVERIFY(std::fabs(readAdapter(folder)->scale - 3 / std::sqrt(2.0)) < 1e-12);
        QCOMPARE(codeOf(readAdapter(m_folder.path("nowhere"))), std::string("CL-2143"));
    }
    void tensorsOfAnotherKindAreRefused() {
        const auto folder = written("tensors", someAdapter());
        const auto path = folder + "/adapter_model.safetensors";
        const std::string whole = *readFile(path);
        const auto replaced = [&](const std::string& from, const std::string& to) {
            std::string bytes = whole;
            for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size()))
                bytes.replace(at, from.size(), to);
            QVERIFY(atomicWrite(path, bytes));
        };
        replaced("layers.0.mlp.down_proj.lora_A", "layers.0.mlp.down_proj.lora_X");
        QCOMPARE(codeOf(readAdapter(folder)), std::string("CL-2143"));
        replaced("layers.0.mlp.down_proj.lora_A", "layers.1.mlp.down_proj.lora_A"); // now A of layer 0 is missing
        QCOMPARE(codeOf(readAdapter(folder)), std::string("CL-2143"));
        QVERIFY(atomicWrite(path, whole.substr(0, whole.size() - 1)));
        QCOMPARE(codeOf(readAdapter(folder)), std::string("CL-2054"));
    }
    void anotherBaseIsRefused() {
        auto adapter = someAdapter();
        adapter.baseSha256 = "abc";
        QVERIFY(checkBase(adapter, "file", "abc"));
        const auto refused = checkBase(adapter, "file", "abd");
        QCOMPARE(codeOf(refused), std::string("CL-2144"));
        QVERIFY(refused.error().message.find("abc") != std::string::npos && refused.error().message.find("abd") != std::string::npos);
        DecoderShape shape;
        shape.blocks = 12;
        shape.width = shape.headSize = 4;
        shape.heads = shape.keyValueHeads = 1;
        shape.feedForward = 6;
        QCOMPARE(codeOf(checkSizes(adapter, shape, "file")), std::string("CL-2144")); // q has 6 outputs
        for (auto& matrix : adapter.matrices)
            if (matrix.module == LoraModule::query)
                matrix.outputs = 4;
        QVERIFY(checkSizes(adapter, shape, "file"));
        shape.blocks = 11;
        QCOMPARE(codeOf(checkSizes(adapter, shape, "file")), std::string("CL-2144"));
    }
    void aModelWithAnAdapterHasAnotherIdentity() {
        const auto model = m_folder.write("model.gguf", "weights");
        auto adapter = someAdapter();
        adapter.baseSha256 = sha256("weights");
        const auto folder = written("one", adapter);
        adapter.matrices[0].a[0] += 1;
        adapter.name = "second";
        const auto other = written("two", adapter);
        const ModelShelf shelf(m_folder.path("none"));
        const auto plain = shelf.resolve(model), first = shelf.resolve(model + "@" + folder), second = shelf.resolve(model + "@" + other);
        QVERIFY2(first, first ? "" : describe(first.error()).c_str());
        QVERIFY(plain && second);
        QVERIFY(plain->sha256 != first->sha256 && first->sha256 != second->sha256);
        QCOMPARE(first->baseSha256, plain->sha256);
        QCOMPARE(first->adapter, folder);
        QCOMPARE(first->id, std::string("model@mine"));
        QCOMPARE(second->id, std::string("model@second"));
        QVERIFY(plain->adapter.empty());
        const auto changed = m_folder.write("changed.gguf", "other weights");
        QCOMPARE(codeOf(shelf.resolve(changed + "@" + folder)), std::string("CL-2144"));
        QCOMPARE(codeOf(shelf.resolve(model + "@" + m_folder.path("absent"))), std::string("CL-2143"));
    }
    void mergingAddsTheProduct() {
        LoraMatrix matrix{0, LoraModule::query, 2, 4, 1, {2, 3}, {1, 10, 100, 1000}};
        std::vector<float> weights(8, 0.5f);
        mergeInto(weights, matrix, 2, 0);
        QVERIFY((weights == std::vector<float>{4.5f, 6.5f, 40.5f, 60.5f, 400.5f, 600.5f, 4000.5f, 6000.5f}));
        std::vector<float> paired(8, 0); // one head of four: rows 0 2 1 3
        mergeInto(paired, matrix, 1, 4);
        QVERIFY((paired == std::vector<float>{2, 3, 200, 300, 20, 30, 2000, 3000}));
        QCOMPARE(unpairedRow(64 + 5, 64), std::int64_t(64 + 34)); // pair 2, second half
    }
    void modulesAndSettingsAreChecked() {
        QCOMPARE(parseLoraModules("all")->size(), std::size_t(7));
        QVERIFY((*parseLoraModules("v, q") == std::vector{LoraModule::query, LoraModule::value}));
        QCOMPARE(codeOf(parseLoraModules("q,x")), std::string("CL-2140"));
        QCOMPARE(codeOf(parseLoraModules("q,q")), std::string("CL-2140"));
        QCOMPARE(codeOf(parseLoraModules("")), std::string("CL-2140"));
        const std::function<void(FineTuneSettings&)> wrong[] = {
            [](auto& s) { s.lora.rank = 0; },       [](auto& s) { s.lora.alpha = 0; },
            [](auto& s) { s.lora.dropout = 1; },    [](auto& s) { s.lora.modules.clear(); },
            [](auto& s) { s.schedule.rate = -1; },  [](auto& s) { s.schedule.rate = std::nan(""); },
            [](auto& s) { s.epochs = 0; },          [](auto& s) { s.batch = 0; },
            [](auto& s) { s.beta2 = 1; },           [](auto& s) { s.clipNorm = -1; },
            [](auto& s) { s.checkpointEvery = 0; }, [](auto& s) { s.schedule.warmUpShare = 1; }};
        const FineTuneSettings usual;
        QVERIFY(checkSettings(usual));
        for (const auto& change : wrong) {
            FineTuneSettings settings;
            change(settings);
            QVERIFY(!checkSettings(settings));
        }
    }
    void requestsAreCheckedAndHaveADigest() {
        FineTuneRequest good;
        good.name = "a-name";
        good.folder = "folder";
        good.examples = {{{{"user", "tea?"}}, "Yes", 1}};
        QVERIFY(checkRequest(good));
        const std::function<void(FineTuneRequest&)> wrong[] = {
            [](auto& r) { r.examples.clear(); },       [](auto& r) { r.examples[0].answer.clear(); },
            [](auto& r) { r.examples[0].weight = 0; }, [](auto& r) { r.examples[0].messages[0].role = "tool"; },
            [](auto& r) { r.name = "../x"; },          [](auto& r) { r.folder.clear(); },
            [](auto& r) { r.settings.patience = 2; },  [](auto& r) { r.settings.metric = ValidationMetric::auc; }};
        for (const auto& change : wrong) {
            auto request = good;
            change(request);
            QVERIFY(!checkRequest(request));
        }
        const std::function<void(FineTuneRequest&)> changes[] = {[](auto& r) { r.examples[0].weight = 2; },
                                                                 [](auto& r) { r.examples[0].messages[0].content = "coffee?"; },
                                                                 [](auto& r) { r.validation = r.examples; },
                                                                 [](auto& r) { r.settings.seed = 2; },
                                                                 [](auto& r) { r.settings.lora.modules.push_back(LoraModule::up); },
                                                                 [](auto& r) { r.settings.schedule.shape = RateShape::linear; },
                                                                 [](auto& r) { r.settings.clipNorm = 2; }};
        for (const auto& change : changes) {
            auto request = good;
            change(request);
            QVERIFY(digestOf(request) != digestOf(good));
        }
        auto elsewhere = good;
        elsewhere.folder = "other";
        elsewhere.settings.checkpointEvery = 3;
        QCOMPARE(digestOf(elsewhere), digestOf(good)); // what does not change a number may change
    }
    void examplesAreJsonLines() {
        const auto path =
            m_folder.write("good.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"tea?\"}],\"answer\":\"Yes\"}\n\n"
                                         "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"x\"}],"
                                         "\"answer\":\"No\",\"weight\":2.5}\n");
        const auto examples = readExamples(path);
        QVERIFY2(examples, examples ? "" : describe(examples.error()).c_str());
        QCOMPARE(examples->size(), std::size_t(2));
        QCOMPARE((*examples)[1].weight, 2.5);
        QCOMPARE((*examples)[1].messages[1].content, std::string("x"));
        const char* const bad[] = {"",
                                   "{}",
                                   "[1]",
                                   "{\"messages\":[],\"answer\":\"Yes\"}",
                                   "{\"messages\":[{\"role\":\"user\"}],\"answer\":\"Yes\"}",
                                   "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"answer\":\"\"}",
                                   "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"answer\":\"a\",\"weight\":-1}",
                                   "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"answer\":\"a\",\"wieght\":1}",
                                   "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"answer\":\"a\"} x"};
        for (const char* line : bad) {
            const auto refused = readExamples(m_folder.write("bad.jsonl", line));
            QVERIFY2(codeOf(refused) == "CL-2142", line);
        }
        QVERIFY(readExamples(m_folder.write("bad.jsonl", "\n\n{")).error().message.find("line 3") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestLoraAdapter)
#include "test_lora_adapter.moc"
