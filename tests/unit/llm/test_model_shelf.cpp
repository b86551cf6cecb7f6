// SPDX-License-Identifier: GPL-3.0-or-later
// Adding, listing, checking and removing models of a user's own; memory worked out beforehand; speeds that are kept, never guessed.
#include "base/file.h"
#include "base/hash.h"
#include "llm/measure_model.h"
#include "llm/model_intake.h"
#include "llm/model_manifest.h"
#include "llm/model_memory.h"
#include "llm/model_source.h"
#include "model_double.h"
#include "model_folders.h"
#include "tiny_decoder.h"
#include <QDir>
#include <QTest>
#include <cmath>
#include <thread>

using namespace carousel;
using namespace builder;

namespace {
std::string why(const Error& error) { return describe(error); }
QStringList entries(const std::string& folder) { return QDir(QString::fromStdString(folder)).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot, QDir::Name); }
} // namespace

class TestModelShelf : public QObject {
    Q_OBJECT
    Folder m_folder;
    std::string m_shelf;
    ModelShelf shelf() const { return ModelShelf(m_shelf); }

private slots:
    void init() {
        static int number = 0;
        m_shelf = m_folder.path("shelf" + std::to_string(++number));
    }
    void factsComeFromTheFile() {
        TinyDecoder tiny;
        tiny.licence = "MIT";
        const auto facts = inspectModel(m_folder.write("tiny.gguf", tiny.bytes()), true, {});
        QVERIFY2(facts, facts ? "" : why(facts.error()).c_str());
        const auto& card = facts->card;
        QCOMPARE(card.title, std::string("Tiny"));
        QCOMPARE(card.licence, std::string("MIT"));
        QCOMPARE(card.quantisation, std::string("F32"));
        QCOMPARE(card.architecture, std::string("llama"));
        QCOMPARE(card.dimensions.parameters, std::int64_t(35136));
        QCOMPARE(card.dimensions.contextLength, std::int64_t(512));
        QVERIFY(card.canChat && card.dimensions.tiedHead);
        tiny.licence.clear();
        QCOMPARE(inspectModel(m_folder.write("silent.gguf", tiny.bytes()), false, {})->card.licence, std::string("not stated"));
    }
    void addedModelsAreListedResolvedAndRemoved() {
        const auto file = m_folder.write("My Model (v2).gguf", TinyDecoder().bytes());
        const auto added = addModel(shelf(), {file, {}, false}, {});
        QVERIFY2(added, added ? "" : why(added.error()).c_str());
        QCOMPARE(added->status.model.id, std::string("my-model-v2"));
        QCOMPARE(entries(m_shelf), QStringList{"my-model-v2"});
        const auto all = shelf().status();
        QCOMPARE(all.size(), ModelShelf::known().size() + 1);
        QVERIFY(all.back().state == ModelState::ready && !all.back().model.known);
        QCOMPARE(all.back().model.files.front().sha256, sha256(TinyDecoder().bytes()));
        const auto location = shelf().resolve("my-model-v2");
        QVERIFY2(location, location ? "" : why(location.error()).c_str());
        QVERIFY(ModelSource::open(location->weights).has_value());
        QVERIFY(shelf().status("my-model-v2", true)->state == ModelState::ready);
        QVERIFY(shelf().resolve("gone").error().hint.find("my-model-v2") != std::string::npos);
        QVERIFY(removeModel(shelf(), "my-model-v2").has_value());
        QVERIFY(entries(m_shelf).isEmpty());
        QVERIFY(fileExists(file));
        QCOMPARE(removeModel(shelf(), "my-model-v2").error().code, std::string("CL-2070"));
        QCOMPARE(removeModel(shelf(), "all-minilm-l6-v2").error().code, std::string("CL-2077"));
    }
    void encoderDecodersAreListedForWhatTheyAre() {
        TinyT5Folder tiny;
        const auto facts = inspectModel(tiny.write(m_folder.path("My T5")), true, {});
        QVERIFY2(facts, facts ? "" : why(facts.error()).c_str());
        const auto& card = facts->card;
        QCOMPARE(card.architecture, std::string("t5"));
        QCOMPARE(card.format, std::string("safetensors"));
        QVERIFY(card.purpose.find("Encoder-decoder") == 0 && card.purpose.find("hidden states") != std::string::npos);
        QVERIFY(card.canChat && card.canEmbed && card.chat.empty());
        QVERIFY(facts->chatTemplate.find("none") == 0);
        QCOMPARE(card.dimensions.vocabulary, std::int64_t(304));
        QCOMPARE(card.dimensions.blocks, std::int64_t(2)); // one of the encoder, one of the decoder
        QCOMPARE(facts->tokenizer, std::string("SentencePiece, 300 tokens"));
        for (const char* type : {"auto", "fp32", "bf16", "int16"}) { // always fp32
            QCOMPARE(computesIn(card, type), std::string("fp32"));
            QCOMPARE(memoryNeeded(card, type, 100).weights, card.dimensions.parameters * 4);
        }
        const auto added = addModel(shelf(), {m_folder.path("My T5"), {}, false}, {});
        QVERIFY2(added, added ? "" : why(added.error()).c_str());
        QCOMPARE(added->status.model.id, std::string("my-t5"));
        QVERIFY(fileExists(m_shelf + "/my-t5/spiece.model"));
        const auto location = shelf().resolve("my-t5");
        QVERIFY2(location, location ? "" : why(location.error()).c_str());
        QCOMPARE(location->architecture, std::string("t5"));
        const auto byPath = shelf().resolve(m_folder.path("My T5"));
        QVERIFY2(byPath, byPath ? "" : why(byPath.error()).c_str());
        QCOMPARE(byPath->architecture, std::string("t5"));
        QCOMPARE(byPath->sha256, location->sha256);
    }
    void whatT5FoldersLackIsNamed() {
        TinyT5Folder tiny;
        tiny.pieces = false;
        auto refused = inspectModel(tiny.write(m_folder.path("no-pieces")), false, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2066"));
        QVERIFY(refused.error().message.find("spiece.model") != std::string::npos);
        tiny = {};
        tiny.decoder = false;
        refused = inspectModel(tiny.write(m_folder.path("encoder")), false, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2170"));
        QVERIFY(refused.error().message.find("encoder of a T5 alone") != std::string::npos);
        tiny = {};
        tiny.type = "bart";
        refused = inspectModel(tiny.write(m_folder.path("bart")), false, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2035"));
        QVERIFY(refused.error().message.find("bart") != std::string::npos && refused.error().hint.find("type t5") != std::string::npos);
        TinyDecoder gguf;
        gguf.architecture = "t5";
        refused = inspectModel(m_folder.write("t5.gguf", gguf.bytes()), false, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2035"));
        QVERIFY(refused.error().message.find("not read from GGUF") != std::string::npos);
    }
    void decoderFoldersAreListed_data() {
        QTest::addColumn<bool>("inParts");
        QTest::newRow("one file") << false;
        QTest::newRow("in parts") << true;
    }
    void decoderFoldersAreListed() {
        QFETCH(bool, inParts);
        TinyDecoderFolder tiny;
        tiny.inParts = inParts;
        const auto folder = tiny.write(m_folder.path(std::string("decoder ") + QTest::currentDataTag()));
        const auto added = addModel(shelf(), {folder, "mine", false}, {});
        QVERIFY2(added, added ? "" : why(added.error()).c_str());
        const auto& card = added->status.model;
        QCOMPARE(card.architecture, std::string("llama"));
        QCOMPARE(card.chat, std::string("ChatML"));
        QCOMPARE(card.purpose, std::string("Decoder with chat"));
        QVERIFY(card.canChat && card.dimensions.contextLength == 256);
        const auto location = shelf().resolve("mine"), byPath = shelf().resolve(folder + "/");
        QVERIFY2(location, location ? "" : why(location.error()).c_str());
        QVERIFY2(byPath, byPath ? "" : why(byPath.error()).c_str());
        QCOMPARE(byPath->sha256, location->sha256);
        QCOMPARE(byPath->architecture, std::string("llama"));
        QVERIFY(ModelSource::open(location->weights).has_value());
        // Another model of the same sizes has the same index, and is another model all the same.
        tiny.seed = 2;
        const auto second = tiny.write(m_folder.path(std::string("second ") + QTest::currentDataTag()));
        const auto other = addModel(shelf(), {second, "other", false}, {});
        QVERIFY2(other, other ? "" : why(other.error()).c_str());
        QVERIFY(shelf().resolve("other")->sha256 != location->sha256);
        QCOMPARE(addModel(shelf(), {second, "twin", false}, {}).error().code, std::string("CL-2075"));
        if (!inParts)
            return;
        copyTo(second + "/part-2.safetensors", m_shelf + "/mine/part-2.safetensors");
        QVERIFY(shelf().status("mine", false)->state == ModelState::ready);
        QCOMPARE(shelf().resolve("mine").error().code, std::string("CL-2072"));
    }
    void baseDecodersContinuePlainText() {
        TinyDecoderFolder tiny;
        tiny.chat = false;
        TinyDecoder gguf;
        gguf.chatTemplate.clear();
        for (const auto& path : {tiny.write(m_folder.path("base")), m_folder.write("base.gguf", gguf.bytes())}) {
            const auto facts = inspectModel(path, true, {});
            QVERIFY2(facts, facts ? "" : why(facts.error()).c_str());
            QVERIFY(facts->card.purpose.find("Base decoder: continues plain text") == 0);
            QCOMPARE(facts->card.chat, std::string("plain text"));
            QVERIFY(facts->card.canChat && facts->chatTemplate.find("none") == 0);
            QVERIFY(std::any_of(facts->warnings.begin(), facts->warnings.end(), [](const auto& w) { return w.find("no chat template") != std::string::npos; }));
        }
        QVERIFY(addModel(shelf(), {m_folder.path("base"), "base", false}, {}).has_value());
        const auto read = readManifest(m_shelf + "/base", "base");
        QVERIFY(read);
        QCOMPARE(read->chat, std::string("plain text"));
    }
    void refusedFilesLeaveNothing_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("mentions");
        const auto row = [](const char* name, const TinyDecoder& tiny, const char* code, const char* mentions) {
            const auto bytes = tiny.bytes();
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())) << QString(code) << QString(mentions);
        };
        TinyDecoder tiny;
        tiny.architecture = "mamba";
        row("another architecture", tiny, "CL-2035", "mamba");
        tiny = {};
        tiny.chatTemplate = "{{ run(everything) }}";
        row("a template that is a program", tiny, "CL-2063", "run(everything)");
        tiny = {};
        tiny.pre = "klingon";
        row("another pre-tokeniser", tiny, "CL-2060", "klingon");
        tiny = {};
        tiny.spoilt = "blk.0.ffn_up";
        row("a weight that is no number", tiny, "CL-2034", "blk.0.ffn_up");
        const auto cut = TinyDecoder().bytes().substr(0, 9000);
        QTest::newRow("cut short") << QByteArray(cut.data(), static_cast<qsizetype>(cut.size())) << QString() << QString("bad.gguf");
        QTest::newRow("no model at all") << QByteArray("hello") << QString() << QString("bad.gguf");
    }
    void refusedFilesLeaveNothing() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, code);
        QFETCH(QString, mentions);
        const auto file = m_folder.write("bad.gguf", bytes.toStdString());
        const auto added = addModel(shelf(), {file, {}, false}, {});
        QVERIFY(!added);
        if (!code.isEmpty())
            QCOMPARE(QString::fromStdString(added.error().code), code);
        QVERIFY2(QString::fromStdString(added.error().message).contains(mentions), added.error().message.c_str());
        QVERIFY(!added.error().hint.empty());
        QVERIFY(entries(m_shelf).isEmpty());
    }
    void namesAndTwinsAreRefused() {
        const auto file = m_folder.write("one.gguf", TinyDecoder().bytes());
        TinyDecoder second;
        second.seed = 2;
        const auto other = m_folder.write("two.gguf", second.bytes());
        QVERIFY(addModel(shelf(), {file, "mine", false}, {}).has_value());
        QCOMPARE(addModel(shelf(), {file, "again", false}, {}).error().code, std::string("CL-2075"));
        QCOMPARE(addModel(shelf(), {other, "mine", false}, {}).error().code, std::string("CL-2075"));
        QCOMPARE(addModel(shelf(), {other, "smollm2-135m-instruct", false}, {}).error().code, std::string("CL-2075"));
        for (const char* id : {"../up", "a/b", ".hidden", "-dash", "name with space", "x.gguf"})
            QCOMPARE(addModel(shelf(), {other, id, false}, {}).error().code, std::string("CL-2070"));
        QCOMPARE(addModel(shelf(), {other, std::string(65, 'a'), false}, {}).error().code, std::string("CL-2070"));
        QCOMPARE(entries(m_shelf), QStringList{"mine"});
        QCOMPARE(idFrom("Qwen2.5 (0.5B)_Q8"), std::string("qwen2.5-0.5b-_q8"));
        QCOMPARE(idFrom("..."), std::string());
    }
    void stoppingAndBrokenCopiesLeaveNothing() {
        const auto file = m_folder.write("stop.gguf", TinyDecoder().bytes());
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = addModel(shelf(), {file, {}, false}, RunControl(stop.get_token()));
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::cancelled);
        QVERIFY(entries(m_shelf).isEmpty());
        // What a process that was killed left behind goes away with the next one; that of a living one stays.
        QDir().mkpath(QString::fromStdString(m_shelf + "/.adding-old-999999999"));
        QDir().mkpath(QString::fromStdString(m_shelf + "/.adding-now-" + std::to_string(::getppid())));
        QVERIFY(addModel(shelf(), {file, {}, false}, {}).has_value());
        QCOMPARE(entries(m_shelf), (QStringList{QString::fromStdString(".adding-now-" + std::to_string(::getppid())), "stop"}));
        QCOMPARE(shelf().status().size(), ModelShelf::known().size() + 1); // hidden folders are no models
    }
    void linkedFilesStayAndAreMissedWhenTheyGo() {
        const auto file = m_folder.write("far.gguf", TinyDecoder().bytes());
        const auto added = addModel(shelf(), {file, "far", true}, {});
        QVERIFY2(added, added ? "" : why(added.error()).c_str());
        QVERIFY(!added->status.model.link.empty());
        QVERIFY(shelf().resolve("far").has_value());
        QVERIFY(QFile::rename(QString::fromStdString(file), QString::fromStdString(file + ".away")));
        const auto status = shelf().status("far", false);
        QVERIFY(status->state == ModelState::missing && status->detail.find("far.gguf") != std::string::npos);
        QCOMPARE(shelf().resolve("far").error().code, std::string("CL-2071"));
        QVERIFY(QFile::rename(QString::fromStdString(file + ".away"), QString::fromStdString(file)));
        QVERIFY(removeModel(shelf(), "far").has_value());
        QVERIFY(fileExists(file));
    }
    void changedFilesAreFound() {
        const auto file = m_folder.write("change.gguf", TinyDecoder().bytes());
        QVERIFY(addModel(shelf(), {file, {}, false}, {}).has_value());
        TinyDecoder other;
        other.seed = 5; // same size
        QFile kept(QString::fromStdString(m_shelf + "/change/change.gguf"));
        QVERIFY(kept.open(QIODevice::WriteOnly | QIODevice::Truncate));
        kept.write(QByteArray::fromStdString(other.bytes()));
        kept.close();
        QVERIFY(shelf().status("change", false)->state == ModelState::ready);
        QVERIFY(shelf().status("change", true)->state == ModelState::wrongHash);
        QCOMPARE(shelf().resolve("change").error().code, std::string("CL-2072"));
        QVERIFY(shelf().statusWithHashes({})->back().state == ModelState::wrongHash);
    }
    void notesAreReadWithCare_data() {
        QTest::addColumn<QString>("note");
        const auto row = [](const char* name, const char* note) {
            QTest::newRow(name) << QString(note).replace(QLatin1Char('`'), QLatin1Char('"')).replace(QLatin1String("HASH"), QString(64, QLatin1Char('a')));
        };
        row("empty", "");
        row("no object", "[1]");
        row("another schema", "{`schema`:`carousel-lab/model/9`}");
        row("no files", "{`schema`:`carousel-lab/model/1`,`format`:`gguf`,`files`:[]}");
        row("files of another kind", "{`schema`:`carousel-lab/model/1`,`format`:`gguf`,`files`:{`name`:3}}");
        row("out of the folder", "{`schema`:`carousel-lab/model/1`,`format`:`gguf`,`files`:[{`name`:`../x`,`bytes`:1,`sha256`:`HASH`}]}");
        row("no hash", "{`schema`:`carousel-lab/model/1`,`format`:`gguf`,`files`:[{`name`:`x`,`bytes`:1,`sha256`:`abc`}]}");
        row("a negative size", "{`schema`:`carousel-lab/model/1`,`format`:`gguf`,`files`:[{`name`:`x`,`bytes`:-4,`sha256`:`HASH`}]}");
        row("another format", "{`schema`:`carousel-lab/model/1`,`format`:`exe`,`files`:[{`name`:`x`,`bytes`:1,`sha256`:`HASH`}]}");
    }
    void notesAreReadWithCare() {
        QFETCH(QString, note);
        QDir().mkpath(QString::fromStdString(m_shelf + "/odd"));
        QVERIFY(atomicWrite(m_shelf + "/odd/" + manifestFile, note.toStdString()).has_value());
        const auto status = shelf().status("odd", true);
        QVERIFY(status && status->state == ModelState::refused && !status->detail.empty());
        QCOMPARE(shelf().resolve("odd").error().code, std::string("CL-2074"));
        QVERIFY(removeModel(shelf(), "odd").has_value());
    }
    void filesPutThereByHandAreToldApart() {
        QDir().mkpath(QString::fromStdString(m_shelf));
        QVERIFY(atomicWrite(m_shelf + "/loose.gguf", TinyDecoder().bytes()).has_value());
        const auto all = shelf().status();
        QVERIFY(all.back().state == ModelState::notAdded);
        QVERIFY(all.back().detail.find("models add") != std::string::npos);
        QVERIFY(addModel(shelf(), {m_shelf + "/loose.gguf", {}, false}, {}).has_value());
    }
    void speedsAreKeptAndReplaced() {
        QDir().mkpath(QString::fromStdString(m_shelf));
        QVERIFY(readSpeeds(m_shelf).empty());
        SpeedRecord record;
        record.processor = "A";
        record.computeType = "fp32";
        record.candidatesPerSecond = 10;
        record.residentBytes = 100;
        record.expectedBytes = 110;
        QVERIFY(addSpeed(m_shelf, record).has_value());
        record.computeType = "bf16";
        record.candidatesPerSecond = 20;
        QVERIFY(addSpeed(m_shelf, record).has_value());
        record.candidatesPerSecond = 30;
        QVERIFY(addSpeed(m_shelf, record).has_value());
        const auto all = readSpeeds(m_shelf);
        QCOMPARE(all.size(), std::size_t(2));
        QCOMPARE(all[0].candidatesPerSecond, 30.0);
        QCOMPARE(all[1].candidatesPerSecond, 10.0);
        // The wanted numbers first, whatever was measured later; others where there is nothing else, and never another machine's.
        QCOMPARE(speedOn(all, "A", "fp32"), &all[1]);
        QCOMPARE(speedOn(all, "A", "bf16"), &all[0]);
        QCOMPARE(speedOn(all, "A", "int16"), &all[0]);
        QVERIFY(!speedOn(all, "B", "fp32"));
        QVERIFY(std::fabs(memoryError(all[0]) - 0.1) < 1e-12);
        QVERIFY(std::isnan(memoryError({})));
        QVERIFY(atomicWrite(m_shelf + "/" + measuredFile, "{\"schema\":\"carousel-lab/measured/1\",\"records\":[{\"candidatesPerSecond\":-5},7]}").has_value());
        QVERIFY(readSpeeds(m_shelf).empty());
    }
    void probesMeasureRealWork() {
        ModelDouble model;
        QCOMPARE(measureSpeed(model, {}, {}).error().code, std::string("CL-2078"));
        model.description.canChat = true;
        const auto record = measureSpeed(model, {}, {});
        QVERIFY2(record, record ? "" : why(record.error()).c_str());
        QVERIFY(record->candidatesPerSecond > 0 && record->runs == 3 && record->slowest <= record->candidatesPerSecond && record->candidatesPerSecond <= record->fastest);
        QVERIFY(model.branchesComputed >= 3 * 50);
        QCOMPARE(record->textsPerSecond, 0.0);
        model.broken = true;
        QVERIFY(!measureSpeed(model, {}, {}));
    }
    void memoryFollowsTheSizes() {
        const ModelCard& card = ModelShelf::known().front();
        const auto exact = memoryNeeded(card, "fp32", 1000), fast = memoryNeeded(card, "bf16", 1000);
        QCOMPARE(exact.weights, std::int64_t(134515008) * 4); // the tied head stands for the embedding, which stays in the file
        QCOMPARE(fast.weights, std::int64_t(134515008) * 2);
        QCOMPARE(memoryNeeded(card, "int16", 1000).weights, std::int64_t(134515008) * 20 / 32); // Q4_1 as stored
        ModelCard untied = card;
        untied.dimensions.tiedHead = false;
        QCOMPARE(memoryNeeded(untied, "bf16", 1000).weights, (std::int64_t(134515008) - 49152 * 576) * 2);
        QCOMPARE(exact.keysAndValues, std::int64_t(1000) * 30 * 2 * 3 * 64 * 4);
        QCOMPARE(memoryNeeded(card, "bf16", 1 << 30).contextTokens, std::int64_t(8192)); // no more than it takes
        QCOMPARE(memoryNeeded(card, "auto", 1000).total(), fast.total());
        const ModelCard& encoder = ModelShelf::known().back();
        QCOMPARE(memoryNeeded(encoder, "auto", 100).total(), memoryNeeded(encoder, "fp32", 100).total());
        QCOMPARE(memoryNeeded(encoder, "fp32", 100).keysAndValues, std::int64_t(0));
    }
    // What the program says of its own models without looking is what is in their files.
    void cardsOfKnownModelsAreTrue() {
        const ModelShelf here;
        int seen = 0;
        for (const auto& card : ModelShelf::known()) {
            const auto status = here.status(card.id, false);
            if (status->state != ModelState::ready)
                continue;
            const auto facts = inspectModel(status->folder + "/" + card.files.front().name, false, {});
            QVERIFY2(facts, facts ? "" : why(facts.error()).c_str());
            const auto &said = card.dimensions, &found = facts->card.dimensions;
            QCOMPARE(said.parameters, found.parameters);
            QCOMPARE(said.contextLength, found.contextLength);
            QCOMPARE(said.blocks, found.blocks);
            QCOMPARE(said.width, found.width);
            QCOMPARE(said.feedForward, found.feedForward);
            QCOMPARE(said.heads, found.heads);
            QCOMPARE(said.keyValueHeads, found.keyValueHeads);
            QCOMPARE(said.headSize, found.headSize);
            QCOMPARE(said.vocabulary, found.vocabulary);
            QCOMPARE(said.tiedHead, found.tiedHead);
            QCOMPARE(card.architecture, facts->card.architecture);
            QCOMPARE(card.quantisation, facts->card.quantisation);
            QCOMPARE(card.chat, facts->card.chat);
            ++seen;
        }
        if (seen == 0)
            QSKIP("no known model is on this machine");
    }
};

QTEST_GUILESS_MAIN(TestModelShelf)
#include "test_model_shelf.moc"
