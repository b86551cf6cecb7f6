// SPDX-License-Identifier: GPL-3.0-or-later
// Training as the program does it: through ModelHost and the module, on a model of a few thousand weights.
#include "base/file.h"
#include "llm/lora_adapter.h"
#include "llm/model_host.h"
#include "tiny_decoder.h"
#include "unit/llm/piece_tables.h"
#include <QElapsedTimer>
#include <QProcess>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {

const std::string moduleIn = std::string(CAROUSEL_BINARY_DIR) + "/lib";

std::vector<FineTuneExample> someExamples(int count, int from = 0) {
    std::vector<FineTuneExample> out;
    for (int i = from; i < from + count; ++i)
        out.push_back({{{"system", "judge"}, {"user", fmt::format("item {} of {}?", i * 7 % 10, i)}}, i % 2 ? "Yes" : "No", 1.0 + i % 3});
    return out;
}

} // namespace

class TestFineTune : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    std::unique_ptr<ModelHost> m_host;
    std::string m_model;

    FineTuneRequest request(const char* folder) {
        FineTuneRequest out;
        out.name = "tiny";
        out.folder = m_folder.path(folder);
        out.examples = someExamples(10);
        out.settings.lora = {4, 8, 0.1, *parseLoraModules("all")};
        out.settings.schedule = {RateShape::cosine, 0.01, 0.1, 0.1};
        out.settings.batch = 4;
        out.settings.epochs = 2;
        return out;
    }
    FineTuneReport done(const FineTuneRequest& wanted, const RunControl& control = {}) {
        auto report = m_host->fineTune(m_model, wanted, control);
        if (!report)
            qWarning("%s", describe(report.error()).c_str());
        return report ? std::move(*report) : FineTuneReport();
    }
    std::string bytes(const FineTuneReport& report) { return readFile(report.adapterFolder + "/adapter_model.safetensors").value_or(""); }

private slots:
    void initTestCase() {
        m_model = m_folder.write("tiny.gguf", tiny::gguf());
        OpenOptions options;
        options.computeType = "fp32";
        options.threads = 2;
        m_host = std::make_unique<ModelHost>(options, ModelShelf(m_folder.path("none")), moduleIn);
    }
    void aHandfulOfExamplesIsLearnt() {
        auto wanted = request("learnt");
        wanted.validation = wanted.examples;
        wanted.settings.lora.dropout = 0;
        wanted.settings.epochs = 60;
        wanted.settings.metric = ValidationMetric::auc;
        const auto report = done(wanted);
        QCOMPARE(report.steps, std::int64_t(180));
        QVERIFY(report.end == FineTuneEnd::finished);
        qInfo("loss %.3f to %.4f, area %.2f to %.2f, %.2f ms a step", report.validation.front().loss, report.validation.back().loss,
              report.validation.front().auc, report.validation.back().auc, report.secondsPerStep * 1000);
        QVERIFY(report.validation.back().loss < 0.02);
        QCOMPARE(report.validation.back().auc, 1.0);
        QVERIFY(report.peakBytes > 0 && report.trainedParameters == 7424);

        // The scoring path with the adapter merged says what training says.
        wanted.folder = m_folder.path("learnt-by-loss");
        wanted.settings.metric = ValidationMetric::loss;
        const auto again = done(wanted);
        const auto model = m_host->languageModel(m_model + "@" + again.adapterFolder), base = m_host->languageModel(m_model);
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        QVERIFY((*model)->info().sha256 != (*base)->info().sha256);
        QCOMPARE((*model)->info().id, std::string("tiny@tiny"));
        double loss = 0, weights = 0, baseLoss = 0;
        for (const auto& example : wanted.validation) {
            const ContinuationRequest asked{example.messages, {example.answer}};
            const auto tokens = (*model)->countTokens(example.answer);
            loss -= example.weight * (*model)->scoreContinuations(asked, {})->logProbability[0] / double(tokens);
            baseLoss -= example.weight * (*base)->scoreContinuations(asked, {})->logProbability[0] / double(tokens);
            weights += example.weight;
        }
        const auto best =
            std::find_if(again.validation.begin(), again.validation.end(), [&](const auto& point) { return point.step == again.bestStep; });
        QVERIFY(best != again.validation.end());
        qInfo("scored with the adapter: %.6f, validated: %.6f", loss / weights, best->loss);
        QVERIFY(std::fabs(loss / weights - best->loss) < 1e-4);
        QVERIFY(std::fabs(baseLoss / weights - again.validation.front().loss) < 1e-4);
    }
    void trainingSaysWhatScoringSays_data() {
        QTest::addColumn<QByteArray>("chat");
        QTest::newRow("SentencePiece, Llama 2")
            << QByteArray("<<SYS>>\\n {{ bos_token + '[INST] ' + content + ' [/INST]' }}{{ ' ' + content + ' ' + eos_token }}");
        QTest::newRow("SentencePiece, Zephyr")
            << QByteArray("{{ '<|user|>\n' + message['content'] + eos_token }}{{ '<|assistant|>' }}");
    }
    void trainingSaysWhatScoringSays() {
        QFETCH(QByteArray, chat);
        tiny::TokenizerKeys pieces{builder::pieceTables("llama2", "llama").keys, 620};
        pieces.keys.push_back(builder::keyText("tokenizer.chat_template", chat.toStdString()));
        const auto model = m_folder.write(QTest::currentDataTag() + std::string(".gguf"), tiny::gguf("llama", 3, pieces));
        auto wanted = request("pieces");
        wanted.settings.epochs = 1;
        wanted.settings.metric = ValidationMetric::auc;
        wanted.validation = someExamples(4);
        const auto opened = m_host->languageModel(model);
        QVERIFY2(opened, opened ? "" : describe(opened.error()).c_str());
        const auto scoredLoss = [&] {
            double loss = 0, weights = 0;
            for (const auto& example : wanted.validation) {
                const auto scores = (*opened)->scoreContinuations({example.messages, {example.answer}}, {});
                loss -= example.weight * scores->logProbability[0] / scores->tokens[0];
                weights += example.weight;
            }
            return loss / weights;
        };
        const auto report = m_host->fineTune(model, wanted, {});
        QVERIFY2(report, report ? "" : describe(report.error()).c_str());
        qInfo("scored %.6f, validated %.6f", scoredLoss(), report->validation.front().loss);
        QVERIFY(std::fabs(scoredLoss() - report->validation.front().loss) < 1e-4);
        // The area orders the validation examples as the scores of branches do.
        std::vector<double> scores;
        std::vector<std::uint8_t> positive;
        for (const auto& example : wanted.validation) {
            auto shared = example.messages;
            const std::string text = std::exchange(shared.back().content, "");
            const auto branch = (*opened)->scoreBranches({shared, {text}, "", {"Yes", "No"}}, {});
            QVERIFY2(branch, branch ? "" : describe(branch.error()).c_str());
            scores.push_back(double(branch->logits.row(0)[0]) - branch->logits.row(0)[1]);
            positive.push_back(example.answer == "Yes");
        }
        double pairs = 0, right = 0;
        for (std::size_t i = 0; i < scores.size(); ++i)
            for (std::size_t j = 0; j < scores.size(); ++j)
                if (positive[i] && !positive[j]) {
                    pairs += 1;
                    right += scores[i] > scores[j] ? 1 : scores[i] < scores[j] ? 0 : 0.5;
                }
        QCOMPARE(report->validation.front().auc, right / pairs);
        // And behind an open message that ends with a blank.
        for (auto& example : wanted.validation)
            example.messages.push_back({"assistant", "so: "});
        wanted.folder = m_folder.path("open pieces");
        const auto again = m_host->fineTune(model, wanted, {});
        QVERIFY2(again, again ? "" : describe(again.error()).c_str());
        QVERIFY(std::fabs(scoredLoss() - again->validation.front().loss) < 1e-4);
    }
    void anotherBaseRefusesTheAdapter() {
        const auto report = done(request("refused"));
        const auto other = m_folder.write("other.gguf", tiny::gguf("llama", 1));
        const auto refused = m_host->languageModel(other + "@" + report.adapterFolder);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2144"));
        const auto twice = m_host->fineTune(m_model + "@" + report.adapterFolder, request("twice"), {});
        QVERIFY(!twice);
        QCOMPARE(twice.error().code, std::string("CL-2141"));
    }
    void theSameSeedGivesTheSameBytes() {
        const auto first = done(request("first")), second = done(request("second"));
        QVERIFY(!bytes(first).empty());
        QVERIFY(bytes(first) == bytes(second));
        QVERIFY(first.training == second.training);
        auto other = request("other");
        other.settings.seed = 2;
        QVERIFY(bytes(done(other)) != bytes(first));
    }
    void accumulatingEqualsALargerBatch() {
        auto small = request("small"), large = request("large");
        small.settings.pieceTokens = 1; // example by example
        large.settings.pieceTokens = 100000;
        const auto first = done(small), second = done(large);
        QCOMPARE(first.training.size(), second.training.size());
        double largest = 0;
        for (std::size_t i = 0; i < first.training.size(); ++i)
            largest = std::max(largest, std::fabs(first.training[i].loss - second.training[i].loss));
        qInfo("largest difference of a step's loss %.2g", largest);
        QVERIFY(largest < 2e-5);
    }
    void aStoppedTrainingGoesOnAsIfItHadNotStopped() {
        auto wanted = request("undisturbed");
        wanted.validation = someExamples(6, 10);
        wanted.settings.evaluateEvery = 2;
        wanted.settings.epochs = 3;
        const auto undisturbed = done(wanted);
        QCOMPARE(undisturbed.steps, std::int64_t(9));
        for (const double stopAt : {0.5, 3.5, 6.5}) {
            wanted.folder = m_folder.path("stopped");
            wanted.resume = false;
            std::stop_source stop;
            const RunControl control(stop.get_token(), [&](const Progress& progress) {
                if (progress.stage == "Training" && progress.done >= stopAt)
                    stop.request_stop();
            });
            const auto stopped = done(wanted, control);
            QVERIFY(stopped.end == FineTuneEnd::cancelled);
            QVERIFY(stopped.adapterFolder.empty() && stopped.steps < 9);
            wanted.resume = true;
            const auto resumed = done(wanted);
            QCOMPARE(resumed.resumedAt, stopped.steps);
            QVERIFY(resumed.end == FineTuneEnd::finished);
            QVERIFY(bytes(resumed) == bytes(undisturbed));
            QVERIFY(resumed.training == undisturbed.training);
            QCOMPARE(resumed.validation.size(), undisturbed.validation.size());
            for (std::size_t i = 0; i < resumed.validation.size(); ++i)
                QCOMPARE(resumed.validation[i].loss, undisturbed.validation[i].loss);
            QCOMPARE(resumed.bestStep, undisturbed.bestStep);
        }
        wanted.settings.schedule.rate = 0.02;
        QCOMPARE(m_host->fineTune(m_model, wanted, {}).error().code, std::string("CL-2146"));
    }
    void aKilledTrainingGoesOnAsIfItHadNotStopped() {
        const QString program = QStringLiteral(CAROUSEL_BINARY_DIR "/bin/carousel-lab-cli");
        if (!QFile::exists(program))
            QSKIP("carousel-lab-cli is not built");
        std::string lines;
        for (const auto& example : someExamples(24))
            lines +=
                nlohmann::json{{"messages", {{{"role", "user"}, {"content", example.messages[1].content}}}}, {"answer", example.answer}}
                    .dump() +
                "\n";
        const auto examples = m_folder.write("examples.jsonl", lines);
        const auto run = [&](const char* folder, bool resume, int killAfter) {
            QStringList arguments{"--json",
                                  "models",
                                  "tune",
                                  QString::fromStdString(m_model),
                                  QString::fromStdString(examples),
                                  "-o",
                                  QString::fromStdString(m_folder.path(folder)),
                                  "--name",
                                  "k",
                                  "--epochs",
                                  "12",
                                  "--batch",
                                  "2",
                                  "--checkpoint-every",
                                  "1",
                                  "--modules",
                                  "all",
                                  "--compute",
                                  "fp32",
                                  "--rate",
                                  "0.01"};
            if (resume)
                arguments << "--resume";
            QProcess process;
            process.start(program, arguments);
            const QString checkpoint = QString::fromStdString(m_folder.path(folder)) + "/checkpoint.safetensors";
            if (killAfter >= 0) {
                while (process.state() != QProcess::NotRunning && !QFile::exists(checkpoint))
                    process.waitForFinished(5);
                process.waitForFinished(killAfter);
                process.kill();
            }
            process.waitForFinished(60000);
            return nlohmann::json::parse(process.readAllStandardOutput().toStdString(), nullptr, false);
        };
        const auto whole = run("whole", false, -1);
        QVERIFY2(whole.value("ok", false), whole.dump().c_str());
        static_cast<void>(run("killed", false, 20));
        const auto resumed = run("killed", true, -1);
        QVERIFY2(resumed.value("ok", false), resumed.dump().c_str());
        qInfo("killed after %d of %d steps", resumed["data"]["resumedAt"].get<int>(), resumed["data"]["steps"].get<int>());
        QVERIFY(resumed["data"]["resumedAt"].get<int>() > 0);
        QVERIFY(resumed["data"]["training"] == whole["data"]["training"]);
        const auto file = [&](const char* folder) { return *readFile(m_folder.path(folder) + "/adapter_model.safetensors"); };
        QVERIFY(file("whole") == file("killed"));
    }
    void trainingEndsEarlyWithoutGain() {
        auto wanted = request("early");
        wanted.validation = wanted.examples;
        for (auto& example : wanted.validation)
            example.answer = example.answer == "Yes" ? "No" : "Yes"; // the more is learnt, the worse
        wanted.settings.epochs = 50;
        wanted.settings.patience = 2;
        const auto report = done(wanted);
        QVERIFY(report.end == FineTuneEnd::stoppedEarly);
        QVERIFY(report.steps < 100);
        QVERIFY(report.bestStep < report.steps);
    }
    void longPromptsLoseTheirOldestText() {
        auto wanted = request("long");
        wanted.examples[0].messages[1].content = std::string(600, 'x');
        wanted.settings.contextLimit = 128;
        wanted.settings.epochs = 1;
        QCOMPARE(done(wanted).truncatedExamples, std::int64_t(1));
    }
    void aStopIsSeenSoon() {
        auto wanted = request("soon");
        wanted.settings.epochs = 10000;
        std::stop_source stop;
        QElapsedTimer since;
        const RunControl control(stop.get_token(), [&](const Progress& progress) {
            if (progress.stage == "Training" && progress.done >= 5 && !stop.stop_requested()) {
                stop.request_stop();
                since.start();
            }
        });
        QVERIFY(done(wanted, control).end == FineTuneEnd::cancelled);
        QVERIFY2(since.elapsed() < 250, qPrintable(QString::number(since.elapsed())));
    }
};

QTEST_GUILESS_MAIN(TestFineTune)
#include "test_fine_tune.moc"
