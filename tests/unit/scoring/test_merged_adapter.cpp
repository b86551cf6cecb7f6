// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters by name, and models with an adapter written into their weights: the file of its own answers as the pair does.
#include "base/random.h"
#include "llm/adapter_shelf.h"
#include "llm/lora_adapter.h"
#include "llm/merge_adapter.h"
#include "llm/model_host.h"
#include "llm/model_source.h"
#include "unit/llm/model_folders.h"
#include "unit/llm/tiny_decoder.h"
#include <QTest>
#include <cmath>

using namespace carousel;
using namespace builder;

class TestMergedAdapter : public QObject {
    Q_OBJECT
    Folder m_folder;
    std::unique_ptr<ModelHost> m_host;

    // Large enough that it changes every answer; of all matrices that it may change.
    std::string adapterFor(const ModelSource& base, const std::string& folder) {
        LoraAdapter adapter;
        adapter.name = "mine";
        adapter.rank = 3;
        adapter.alpha = 6;
        RandomStream random(8, "adapter of a test");
        for (const LoraModule module : {LoraModule::query, LoraModule::key, LoraModule::value, LoraModule::attentionOut, LoraModule::gate,
                                        LoraModule::up, LoraModule::down}) {
            const auto sizes = sizesOf(base.shape(), module);
            LoraMatrix matrix{0, module, sizes.inputs, sizes.outputs, 3, {}, {}};
            for (std::int64_t i = 0; i < 3 * sizes.inputs; ++i)
                matrix.a.push_back(static_cast<float>(0.2 * random.normal()));
            for (std::int64_t i = 0; i < 3 * sizes.outputs; ++i)
                matrix.b.push_back(static_cast<float>(0.2 * random.normal()));
            adapter.matrices.push_back(std::move(matrix));
        }
        if (const auto written = writeAdapter(adapter, folder); !written)
            qFatal("%s", describe(written.error()).c_str());
        return folder;
    }
    std::vector<float> logits(const std::string& model) {
        const auto opened = m_host->languageModel(model);
        if (!opened)
            qFatal("%s", describe(opened.error()).c_str());
        const auto scores =
            (*opened)->scoreBranches({{{"user", "Liked: Heat. The film: "}}, {"Ronin", "Up in the Air"}, "?", {"Yes", "No", "Maybe"}}, {});
        if (!scores)
            qFatal("%s", describe(scores.error()).c_str());
        return scores->logits.values;
    }
    static double furthest(const std::vector<float>& a, const std::vector<float>& b) {
        double most = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            most = std::max(most, std::fabs(static_cast<double>(a[i]) - b[i]));
        return most;
    }
    void answersAsThePair(const std::string& base, const std::string& output) {
        const auto source = ModelSource::open(base);
        QVERIFY2(source, source ? "" : describe(source.error()).c_str());
        const auto adapter =
            adapterFor(**source, m_folder.path(QFileInfo(QString::fromStdString(output)).fileName().toStdString() + " adapter"));
        const auto location = m_host->shelf().resolve(base + "@" + adapter);
        QVERIFY2(location, location ? "" : describe(location.error()).c_str());
        const auto made = writeMerged(*location, output, {});
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        QCOMPARE(made->changedMatrices, std::int64_t(7));
        const auto pair = logits(base + "@" + adapter), merged = logits(made->path), plain = logits(base);
        QVERIFY2(furthest(pair, merged) <= 1e-4, qPrintable(QString::number(furthest(pair, merged))));
        QVERIFY2(furthest(plain, merged) > 0.01, "the adapter changes nothing");
        // What was not changed is there byte for byte.
        const auto again = ModelSource::open(made->path);
        QVERIFY2(again, again ? "" : describe(again.error()).c_str());
        QCOMPARE((*again)->blocks(WeightRole::tokenEmbedding).value(), (*source)->blocks(WeightRole::tokenEmbedding).value());
        QCOMPARE((*again)->stored(WeightRole::query).type, TensorType::f32);
    }

private slots:
    void initTestCase() {
        OpenOptions options;
        options.threads = 1;
        options.computeType = "fp32";
        m_host = std::make_unique<ModelHost>(options, ModelShelf(m_folder.path("shelf")), std::string(CAROUSEL_BINARY_DIR) + "/lib");
    }
    void gguf() { answersAsThePair(m_folder.write("base.gguf", TinyDecoder().bytes()), m_folder.path("merged.gguf")); }
    void safetensors_data() {
        QTest::addColumn<bool>("inParts");
        QTest::newRow("one file") << false;
        QTest::newRow("in parts") << true;
    }
    void safetensors() {
        QFETCH(bool, inParts);
        TinyDecoderFolder tiny;
        tiny.inParts = inParts;
        const std::string name = inParts ? "parts" : "whole";
        answersAsThePair(tiny.write(m_folder.path(name)), m_folder.path(name + " merged"));
    }
    void namesAreFound() {
        const auto base = m_folder.write("named.gguf", TinyDecoder{.seed = 4}.bytes());
        const auto folder = namedAdapterFolder(m_host->shelf(), "films");
        QVERIFY(folder.has_value());
        adapterFor(**ModelSource::open(base), *folder);
        QDir().mkpath(QString::fromStdString(m_folder.path("shelf/adapters/stopped")));
        const auto list = namedAdapters(m_host->shelf());
        QCOMPARE(list.size(), std::size_t(2));
        QCOMPARE(list[0].name, std::string("films"));
        QCOMPARE(list[0].rank, 3);
        QCOMPARE(list[0].modules.size(), std::size_t(7));
        QVERIFY(list[0].problem.empty() && !list[1].problem.empty());
        const auto byName = m_host->shelf().resolve(base + "@films"), byFolder = m_host->shelf().resolve(base + "@" + *folder);
        QVERIFY2(byName, byName ? "" : describe(byName.error()).c_str());
        QCOMPARE(byName->sha256, byFolder->sha256);
        QCOMPARE(logits(base + "@films"), logits(base + "@" + *folder));
        QCOMPARE(m_host->shelf().resolve(base + "@nobody").error().code, std::string("CL-2143"));
        QCOMPARE(namedAdapterFolder(m_host->shelf(), "../films").error().code, std::string("CL-2143"));
    }
    void refusesWhatDoesNotFit() {
        const auto base = m_folder.write("refused.gguf", TinyDecoder{.seed = 5}.bytes());
        const auto plain = m_host->shelf().resolve(base);
        QCOMPARE(writeMerged(*plain, m_folder.path("x.gguf"), {}).error().code, std::string("CL-2148"));
        const auto pair = m_host->shelf().resolve(base + "@" + adapterFor(**ModelSource::open(base), m_folder.path("a")));
        QCOMPARE(writeMerged(*pair, m_folder.path("folder"), {}).error().code, std::string("CL-2148"));
        QCOMPARE(writeMerged(*pair, base, {}).error().code, std::string("CL-2148"));
        QVERIFY(logits(base).size() == 6); // still whole
        QVERIFY(!QFile::exists(QString::fromStdString(m_folder.path("folder"))));
    }
};

QTEST_APPLESS_MAIN(TestMergedAdapter)
#include "test_merged_adapter.moc"
