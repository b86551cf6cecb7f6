// SPDX-License-Identifier: GPL-3.0-or-later
// Every kind of model folder from the shelf to its answers, through ModelHost and the module: encoder-decoders, decoders in safetensors, and
// decoders without a chat template.
#include "llm/lora_adapter.h"
#include "llm/model_host.h"
#include "llm/model_intake.h"
#include "llm/speed_probe.h"
#include "unit/llm/model_folders.h"
#include "unit/llm/tiny_decoder.h"
#include <QTest>

using namespace carousel;
using namespace builder;

class TestModelDoors : public QObject {
    Q_OBJECT
    Folder m_folder;
    std::unique_ptr<ModelHost> m_host;

    LanguageModel* open(const std::string& idOrPath) {
        const auto model = m_host->languageModel(idOrPath);
        if (!model)
            qWarning("%s", describe(model.error()).c_str());
        return model ? *model : nullptr;
    }
    bool add(const std::string& path, const std::string& id) {
        const auto added = addModel(m_host->shelf(), {path, id, false}, {});
        if (!added)
            qWarning("%s", describe(added.error()).c_str());
        return added.has_value();
    }
    BranchRequest branches() const {
        return {{{"system", "Judge."}, {"user", "Liked: Heat. The film: "}}, {"Ronin", "Up in the Air"}, "?", {"Yes", "No"}};
    }
    void scoresAndWrites(LanguageModel& model) {
        const auto scores = model.scoreBranches(branches(), {});
        QVERIFY2(scores, scores ? "" : describe(scores.error()).c_str());
        QCOMPARE(scores->logits.rows, std::size_t(2));
        QVERIFY(scores->logits.row(0)[0] != scores->logits.row(1)[0]);
        GenerateOptions options;
        options.maximumTokens = 6;
        const auto said = model.generate({{"user", "The film"}}, options, {});
        QVERIFY2(said, said ? "" : describe(said.error()).c_str());
        QVERIFY(said->generatedTokens > 0);
        options.oneOf = {"Yes", "No"};
        const auto chosen = model.generate({{"user", "The film"}}, options, {});
        QVERIFY2(chosen, chosen ? "" : describe(chosen.error()).c_str());
        QVERIFY(chosen->text == "Yes" || chosen->text == "No");
        const auto hidden = model.hiddenStates({{{"user", "The film: "}}, {"Ronin"}, "", Pooling::last}, {});
        QVERIFY2(hidden, hidden ? "" : describe(hidden.error()).c_str());
        QCOMPARE(hidden->rows.columns, static_cast<std::size_t>(model.info().width));
        const auto vectors = model.embed({"Ronin", ""}, Pooling::mean, {});
        QVERIFY2(vectors, vectors ? "" : describe(vectors.error()).c_str());
        QCOMPARE(vectors->rows, std::size_t(2));
        const auto speed = measureSpeed(model, {}, {});
        QVERIFY2(speed, speed ? "" : describe(speed.error()).c_str());
        QVERIFY(speed->candidatesPerSecond > 0);
    }

private slots:
    void initTestCase() {
        OpenOptions options;
        options.threads = 1;
        m_host = std::make_unique<ModelHost>(options, ModelShelf(m_folder.path("shelf")), std::string(CAROUSEL_BINARY_DIR) + "/lib");
    }
    void encoderDecoders_data() {
        QTest::addColumn<bool>("inParts");
        QTest::newRow("one file") << false;
        QTest::newRow("in parts") << true;
    }
    void encoderDecoders() {
        QFETCH(bool, inParts);
        TinyT5Folder tiny;
        tiny.inParts = inParts;
        tiny.seed = inParts ? 2 : 1;
        const auto folder = tiny.write(m_folder.path(inParts ? "t5 in parts" : "t5"));
        const std::string id = inParts ? "parts" : "whole";
        QVERIFY(add(folder, id));
        LanguageModel* const model = open(id);
        QVERIFY(model);
        QCOMPARE(model->info().architecture, std::string("t5"));
        QCOMPARE(model->info().computeType, std::string("fp32"));
        scoresAndWrites(*model);
        if (QTest::currentTestFailed())
            return;
        LanguageModel* const byPath = open(folder);
        QVERIFY(byPath);
        QCOMPARE(byPath->info().sha256, model->info().sha256);
        QCOMPARE(byPath->scoreBranches(branches(), {})->logits.values, model->scoreBranches(branches(), {})->logits.values);
    }
    void adaptersAreForDecodersAlone() {
        QVERIFY(add(TinyT5Folder{.seed = 5}.write(m_folder.path("t5 alone")), "t5-alone"));
        FineTuneRequest request;
        request.name = "x";
        request.folder = m_folder.path("adapter");
        request.examples = {{{{"user", "?"}}, "Yes", 1}};
        request.settings.epochs = 1;
        const auto trained = m_host->fineTune("t5-alone", request, {});
        QVERIFY(!trained);
        QCOMPARE(trained.error().code, std::string("CL-2141"));
        QVERIFY(trained.error().message.find("encoder-decoder") != std::string::npos);
        const auto base = m_folder.write("base.gguf", TinyDecoder().bytes());
        const auto adapter = m_host->fineTune(base, request, {});
        QVERIFY2(adapter, adapter ? "" : describe(adapter.error()).c_str());
        // Made for another model; where it does not say for which, the kind of the model refuses it.
        QVERIFY(!m_host->languageModel("t5-alone@" + request.folder));
        auto unnamed = readAdapter(request.folder);
        QVERIFY2(unnamed, unnamed ? "" : describe(unnamed.error()).c_str());
        unnamed->baseSha256.clear();
        QVERIFY(writeAdapter(*unnamed, request.folder).has_value());
        const auto refused = m_host->languageModel("t5-alone@" + request.folder);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2144"));
        QVERIFY(refused.error().message.find("adapters belong to decoders") != std::string::npos);
    }
    void decoderFolders_data() {
        QTest::addColumn<bool>("inParts");
        QTest::addColumn<bool>("chat");
        QTest::newRow("chat") << false << true;
        QTest::newRow("chat, in parts") << true << true;
        QTest::newRow("base") << false << false;
        QTest::newRow("base, in parts") << true << false;
    }
    void decoderFolders() {
        QFETCH(bool, inParts);
        QFETCH(bool, chat);
        TinyDecoderFolder tiny;
        tiny.inParts = inParts;
        tiny.chat = chat;
        tiny.seed = 10 + (inParts ? 1 : 0) + (chat ? 2 : 0);
        const std::string id = fmt::format("decoder-{}", tiny.seed);
        const auto folder = tiny.write(m_folder.path(id));
        QVERIFY(add(folder, id));
        LanguageModel* const model = open(id);
        QVERIFY(model);
        QCOMPARE(model->info().architecture, std::string("llama"));
        scoresAndWrites(*model);
        if (QTest::currentTestFailed())
            return;
        LanguageModel* const byPath = open(folder + "/");
        QVERIFY(byPath);
        QCOMPARE(byPath->info().sha256, model->info().sha256);
    }
    void baseDecodersInGgufAndWithoutAnEnd() {
        TinyDecoder tiny;
        tiny.chatTemplate.clear();
        LanguageModel* const model = open(m_folder.write("plain.gguf", tiny.bytes())); // its tokenizer names no end of a text
        QVERIFY(model);
        QVERIFY(model->scoreBranches(branches(), {}).has_value());
        QVERIFY(model->embed({""}, Pooling::last, {}).has_value());
        GenerateOptions options;
        options.maximumTokens = 4;
        const auto said = model->generate({{"user", "The film"}}, options, {});
        QVERIFY2(said, said ? "" : describe(said.error()).c_str());
        QCOMPARE(said->generatedTokens, 4);
        options.oneOf = {"Yes", "No"};
        const auto chosen = model->generate({{"user", "The film"}}, options, {});
        QVERIFY(!chosen);
        QCOMPARE(chosen.error().code, std::string("CL-2167"));
    }
};

QTEST_GUILESS_MAIN(TestModelDoors)
#include "test_model_doors.moc"
