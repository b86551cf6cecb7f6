// SPDX-License-Identifier: GPL-3.0-or-later
// An encoder-decoder trained from nothing on pairs of texts, and used afterwards as a language model.
#include "base/file.h"
#include "base/random.h"
#include "llm/model_host.h"
#include "llm/t5_folder.h"
#include "llm/t5_tokenizer.h"
#include "scoring/t5_model_torch.h"
#include "scoring/training/text_to_text_torch.h"
#include "unit/llm/model_file_builder.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {

constexpr int itemCount = 12;
std::string item(int i) {
    return fmt::format("<I{}>", i % itemCount);
}
// Items in a circle: what follows the last one of a history, and in which half of the circle one lies.
std::vector<TextPair> circle(std::uint64_t seed, int epoch, int count) {
    RandomStream random(seed, "circle", static_cast<std::uint64_t>(epoch));
    std::vector<TextPair> pairs;
    for (int i = 0; i < count; ++i) {
        const int length = 1 + static_cast<int>(random.below(3)), last = static_cast<int>(random.below(itemCount));
        std::string history;
        for (int k = length - 1; k >= 0; --k)
            history += item(last + itemCount - k) + (k ? " , " : "");
        if (i % 3) {
            pairs.push_back({fmt::format("history : {} next ?", history), item(last + 1), 1, 0});
        } else {
            pairs.push_back({fmt::format("half : {} ?", item(last)), last < itemCount / 2 ? "yes" : "no", 1.5, 1});
        }
    }
    return pairs;
}

OpenOptions optionsOf(int threads) {
    OpenOptions options;
    options.threads = threads;
    return options;
}

} // namespace

class TestTextToText : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    std::string m_learnt; // folder of a trained model

    TextToTextRequest request(const char* folder) {
        TextToTextRequest out;
        out.pairs = [](int epoch) { return Result<std::vector<TextPair>>(circle(1, epoch, 120)); };
        out.digest = "circle 1, 120";
        out.groups = {"next", "half", "none of these"};
        for (int i = 0; i < itemCount; ++i)
            out.symbols.push_back(item(i));
        out.validation = circle(2, 0, 40);
        out.name = "tiny";
        out.folder = m_folder.path(folder);
        out.settings.shape = {32, 1, 2, 16, 64, true, 80, 0.1};
        out.settings.epochs = 3;
        out.settings.batchTokens = 1200;
        return out;
    }
    TextToTextReport done(const TextToTextRequest& wanted, int threads = 2, const RunControl& control = {}) {
        auto report = trainTextToText(optionsOf(threads), wanted, control);
        if (!report)
            qWarning("%s", describe(report.error()).c_str());
        return report ? std::move(*report) : TextToTextReport();
    }
    static std::string bytes(const TextToTextReport& report) { return readFile(report.modelFolder + "/model.safetensors").value_or(""); }
    static std::string codeOf(const TextToTextRequest& wanted) {
        const auto report = trainTextToText(optionsOf(1), wanted, {});
        return report ? "" : report.error().code;
    }
    static std::unique_ptr<LanguageModel> opened(const std::string& folder) {
        const auto location = ModelShelf(folder + "/none").resolve(folder);
        auto model = location ? T5Model::open(*location, optionsOf(2)) : Result<std::unique_ptr<LanguageModel>>(fail(location.error()));
        if (!model)
            qWarning("%s", describe(model.error()).c_str());
        return model ? std::move(*model) : nullptr;
    }
    // The parts of an opened model: its tokenizer and its network.
    struct Parts {
        std::shared_ptr<const SentencePiece> tokenizer;
        std::unique_ptr<T5EncoderDecoder> network;
        double logProbability(const std::string& source, const std::string& target) const {
            auto from = tokenizer->encode(source), to = tokenizer->encode(target);
            from.push_back(1);
            const Matrix logits = *network->targetLogits(from, to, {});
            to.push_back(1);
            double sum = 0;
            for (std::size_t t = 0; t < to.size(); ++t) {
                double total = 0;
                for (const float value : logits.row(t))
                    total += std::exp(static_cast<double>(value));
                sum += logits.row(t)[static_cast<std::size_t>(to[t])] - std::log(total);
            }
            return sum;
        }
        std::size_t tokens(const std::string& target) const { return tokenizer->encode(target).size() + 1; }
    };
    static Parts parts(const std::string& folder) {
        const auto file = TensorStore::openSafetensors(folder + "/model.safetensors");
        const auto shape = t5Shape(*file, folder + "/config.json");
        Parts out{*t5Tokenizer(folder, *shape), nullptr};
        out.network = std::move(*T5EncoderDecoder::open(*file, folder + "/config.json", *openComputeDevice("cpu", "fp32", 1), {},
                                                        wordBeginnings(*out.tokenizer, shape->vocabulary)));
        return out;
    }

private slots:
    void aCircleIsLearnt() {
        auto wanted = request("learnt");
        wanted.pairs = [](int epoch) { return Result<std::vector<TextPair>>(circle(1, epoch, 400)); };
        wanted.settings.shape.layers = 2;
        wanted.settings.shape.dropout = 0;
        wanted.settings.schedule.rate = 0.007;
        wanted.settings.batchTokens = 500;
        wanted.settings.epochs = 24;
        wanted.settings.evaluateEvery = 100;
        const auto report = done(wanted);
        QVERIFY(report.end == TextToTextEnd::finished);
        qInfo("%ld steps, %.0f tokens a second at %.0f %% of the processors; loss %.3f to %.4f (next %.4f, half %.4f)",
              long(report.steps), report.tokensPerSecond, 100 * report.processorShare, report.validation.front().loss,
              report.validation.back().loss, report.validation.back().groups[0].loss, report.validation.back().groups[1].loss);
        QCOMPARE(report.validation.back().groups[0].pairs + report.validation.back().groups[1].pairs, std::int64_t(40));
        QVERIFY(std::isnan(report.validation.back().groups[2].loss) && report.validation.back().groups[2].pairs == 0);
        QCOMPARE(report.pairs, std::int64_t(24 * 400));
        QVERIFY(report.tokens > report.pairs * 6 && report.peakBytes > 0 && report.parameters > 0);
        m_learnt = report.modelFolder;

        ModelHost host(optionsOf(2), ModelShelf(m_folder.path("none")), std::string(CAROUSEL_BINARY_DIR) + "/lib");
        const auto model = host.languageModel(m_learnt);
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        QCOMPARE((*model)->info().architecture, std::string("t5"));
        QCOMPARE((*model)->info().contextLength, std::int64_t(256));
        GenerateOptions options;
        for (int i = 0; i < itemCount; ++i)
            options.oneOf.push_back(item(i));
        options.beams = options.sequences = 4;
        int right = 0, asked = 0, judged = 0;
        std::vector<BranchRequest> branches;
        std::vector<std::string> wantedAnswers;
        for (const TextPair& pair : circle(3, 0, 120)) {
            if (pair.group == 1) {
                branches.push_back({{{"user", ""}}, {pair.source}, "", {"yes", "no"}, {}, {}});
                wantedAnswers.push_back(pair.target);
                continue;
            }
            const auto answer = (*model)->generate({{"user", pair.source}}, options, {});
            QVERIFY2(answer, answer ? "" : describe(answer.error()).c_str());
            QCOMPARE(answer->sequences.size(), std::size_t(4));
            right += answer->text == pair.target;
            ++asked;
        }
        QCOMPARE(right, asked);
        const auto together = (*model)->scoreBranchesOf(branches, {});
        QVERIFY(together.has_value() && together->size() == branches.size());
        for (std::size_t i = 0; i < branches.size(); ++i) {
            const auto alone = (*model)->scoreBranches(branches[i], {});
            for (std::size_t a = 0; a < 2; ++a)
                QVERIFY(std::fabs(alone->logits.row(0)[a] - (*together)[i].logits.row(0)[a]) < 1e-4);
            QVERIFY(std::fabs(alone->answerMass[0] - (*together)[i].answerMass[0]) < 1e-4 && alone->branchTokens == (*together)[i].branchTokens);
            judged += ((*together)[i].logits.row(0)[0] > (*together)[i].logits.row(0)[1]) == (wantedAnswers[i] == "yes");
        }
        qInfo("%d of %d next items, %d of %zu judgements", right, asked, judged, branches.size());
        QCOMPARE(judged, int(branches.size()));
    }
    void validationSaysWhatTheModelSays() {
        auto wanted = request("validated");
        wanted.settings.epochs = 1;
        wanted.settings.evaluateEvery = 1000;
        const auto report = done(wanted);
        QCOMPARE(report.bestStep, report.steps); // the last is the best
        const Parts model = parts(report.modelFolder);
        double loss = 0, weights = 0;
        for (const TextPair& pair : wanted.validation) {
            loss -= pair.weight * model.logProbability(pair.source, pair.target) / double(model.tokens(pair.target));
            weights += pair.weight;
        }
        qInfo("validated %.7f, by the model that was written %.7f", report.validation.back().loss, loss / weights);
        QVERIFY(std::fabs(report.validation.back().loss - loss / weights) < 1e-5);
        // And the loss of a training step, with nothing left out: one step of all pairs at a rate that changes nothing.
        wanted = request("a step");
        wanted.settings.shape.dropout = 0;
        wanted.settings.epochs = 1;
        wanted.settings.batchTokens = 100000;
        wanted.settings.schedule = {RateShape::constant, 1e-9, 0, 0};
        wanted.settings.weightDecay = 0;
        const auto step = done(wanted);
        QCOMPARE(step.steps, std::int64_t(1));
        const Parts first = parts(step.modelFolder);
        loss = weights = 0;
        for (const TextPair& pair : circle(1, 0, 120)) {
            loss -= pair.weight * first.logProbability(pair.source, pair.target) / double(first.tokens(pair.target));
            weights += pair.weight;
        }
        qInfo("loss of a step %.7f, by the model %.7f", step.training.front().loss, loss / weights);
        QVERIFY(std::fabs(step.training.front().loss - loss / weights) < 1e-5 * loss / weights);
    }
    void wordsAreCountedInTrainingAndInEveryUse() {
        QVERIFY(!m_learnt.empty());
        const std::string zeroed = m_folder.path("zeroed"), config = m_learnt + "/config.json";
        const auto file = TensorStore::openSafetensors(m_learnt + "/model.safetensors");
        T5Shape shape = *t5Shape(*file, config);
        QCOMPARE(shape.wordPlaces, std::int64_t(512));
        std::vector<float> values;
        bool learnt = false;
        for (const T5Tensor& tensor : t5Tensors(shape)) {
            auto part = *file->dequantised(**file->tensor(tensor.name));
            if (tensor.name == wordPlacesTensor) {
                std::fill(part.begin(), part.end(), 0.0f);
                learnt = true;
            }
            values.insert(values.end(), part.begin(), part.end());
        }
        QVERIFY(learnt);
        QVERIFY(writeT5(zeroed, "zeroed", shape, *readFile(m_learnt + "/spiece.model"), values).has_value());
        const auto with = opened(m_learnt), without = opened(zeroed);
        QVERIFY(with && without);
        const std::string source = circle(3, 1, 2)[1].source, answer = item(5);
        GenerateOptions options;
        options.oneOf = {answer};
        std::vector<double> written, scored;
        for (const auto& [model, folder] : {std::pair(with.get(), m_learnt), {without.get(), zeroed}}) {
            written.push_back((*model).generate({{"user", source}}, options, {})->sequences.front().logProbability);
            scored.push_back((*model).scoreContinuations({{{"user", source}}, {answer}}, {})->logProbability[0]);
            QVERIFY(std::fabs(written.back() - parts(folder).logProbability(source, answer)) < 1e-4);
            QVERIFY(scored.back() >= written.back() - 1e-6); // without the end token
        }
        const auto branch = [&](LanguageModel& model) {
            return (*model.scoreBranches({{{"user", ""}}, {source}, "", {answer}, {}, {}}, {})).logits.row(0)[0];
        };
        const auto hidden = [&](LanguageModel& model) { return model.hiddenStates({{{"user", ""}}, {source}, "", Pooling::mean}, {})->rows.row(0)[0]; };
        qInfo("log-probability %.4f, without the table %.4f", written[0], written[1]);
        QVERIFY(std::fabs(written[0] - written[1]) > 1e-3 && std::fabs(scored[0] - scored[1]) > 1e-3);
        QVERIFY(std::fabs(branch(*with) - branch(*without)) > 1e-3);
        QVERIFY(std::fabs(hidden(*with) - hidden(*without)) > 1e-5);
        // Training had it too: rows of places that sources have are no longer what they began as, those behind them only decayed.
        const auto table = *file->dequantised(**file->tensor(wordPlacesTensor));
        auto untrained = request("untrained");
        untrained.settings.epochs = 1;
        untrained.settings.schedule = {RateShape::constant, 1e-9, 0, 0};
        const auto first = TensorStore::openSafetensors(done(untrained).modelFolder + "/model.safetensors");
        const auto before = *first->dequantised(**first->tensor(wordPlacesTensor));
        double changed = 0, decayed = 0;
        for (std::size_t i = 0; i < 32; ++i) {
            changed = std::max(changed, double(std::fabs(table[3 * 32 + i] - before[3 * 32 + i])));
            decayed = std::max(decayed, double(std::fabs(table[500 * 32 + i] - before[500 * 32 + i]) / std::fabs(before[500 * 32 + i])));
        }
        QVERIFY(changed > 0.01 && decayed < 0.1);

        // A model that counts words is not opened as one that does not, nor without its tokenizer.
        auto text = *readFile(config);
        const auto at = text.find(wordPlacesKey);
        text.replace(at, 5, "other");
        QCOMPARE(t5Shape(*file, m_folder.write("other.json", text)).error().code, std::string("CL-2170"));
        QCOMPARE(T5EncoderDecoder::open(*file, config, *openComputeDevice("cpu", "fp32", 1)).error().code, std::string("CL-2170"));
    }
    void theSameSeedGivesTheSameBytesForAnyNumberOfThreads() {
        const auto one = done(request("one"), 1), two = done(request("two"), 2), three = done(request("three"), 3);
        QVERIFY(!bytes(one).empty());
        QVERIFY(bytes(one) == bytes(two) && bytes(one) == bytes(three));
        QVERIFY(one.training == two.training);
        auto other = request("other");
        other.settings.seed = 2;
        QVERIFY(bytes(done(other)) != bytes(one));
        other = request("whole");
        other.settings.shape.dropout = 0;
        QVERIFY(bytes(done(other)) != bytes(one));
        QVERIFY(!fileExists(m_folder.path("one") + "/checkpoint.safetensors")); // a model's folder has one file of weights
    }
    void aStoppedTrainingGoesOnAsIfItHadNotStopped() {
        auto wanted = request("undisturbed");
        wanted.settings.evaluateEvery = 2;
        const auto undisturbed = done(wanted);
        QVERIFY(undisturbed.steps >= 6);
        const auto middle = static_cast<double>(undisturbed.steps) / 2;
        for (const double stopAt : {0.0, middle, static_cast<double>(undisturbed.steps - 1)}) {
            wanted.folder = m_folder.path("stopped");
            wanted.resume = false;
            std::stop_source stop;
            const RunControl control(stop.get_token(), [&](const Progress& progress) {
                if (progress.stage == "Training" && progress.done >= stopAt)
                    stop.request_stop();
            });
            const auto stopped = done(wanted, 2, control);
            QVERIFY(stopped.end == TextToTextEnd::cancelled);
            QVERIFY(stopped.modelFolder.empty() && stopped.steps <= undisturbed.steps);
            wanted.resume = true;
            const auto resumed = done(wanted, 1);
            QCOMPARE(resumed.resumedAt, stopped.steps);
            QVERIFY(resumed.end == TextToTextEnd::finished);
            QVERIFY(bytes(resumed) == bytes(undisturbed));
            QVERIFY(resumed.training == undisturbed.training);
            QCOMPARE(resumed.tokens, undisturbed.tokens);
            QCOMPARE(resumed.bestStep, undisturbed.bestStep);
            QCOMPARE(resumed.validation.size(), undisturbed.validation.size());
            for (std::size_t i = 0; i < resumed.validation.size(); ++i) {
                QCOMPARE(resumed.validation[i].loss, undisturbed.validation[i].loss);
                QCOMPARE(resumed.validation[i].groups[1].loss, undisturbed.validation[i].groups[1].loss);
            }
        }
        wanted.digest = "other pairs";
        QCOMPARE(codeOf(wanted), std::string("CL-2146"));
    }
    void trainingEndsWithItsTimeOrWithoutGain() {
        auto wanted = request("time");
        wanted.settings.epochs = 100000;
        wanted.settings.seconds = 0.3;
        const auto report = done(wanted);
        QVERIFY(report.end == TextToTextEnd::outOfTime);
        QVERIFY(report.steps < report.stepsPlanned && !report.modelFolder.empty());
        QVERIFY(report.training.back().rate < wanted.settings.schedule.rate); // it has fallen in time
        wanted = request("early");
        wanted.settings.epochs = 200;
        wanted.settings.patience = 2;
        for (auto& pair : wanted.validation)
            if (pair.group == 1)
                pair.target = pair.target == "yes" ? "no" : "yes"; // the more is learnt, the worse
        std::erase_if(wanted.validation, [](const TextPair& pair) { return pair.group != 1; });
        const auto early = done(wanted);
        QVERIFY(early.end == TextToTextEnd::stoppedEarly);
        QVERIFY(early.bestStep < early.steps);
    }
    void longTextsAreCutAndCounted() {
        auto wanted = request("cut");
        wanted.validation.clear();
        wanted.settings.epochs = 1;
        wanted.settings.sourceLimit = 8;
        wanted.settings.targetLimit = 2; // an item's blank and its symbol; the end does not fit
        const auto report = done(wanted);
        QVERIFY(report.cutSources > 0 && report.cutTargets > 0);
        QVERIFY(report.tokens <= 120 * 10);
        QCOMPARE(report.bestStep, report.steps);
    }
    void whatCannotBeIsRefused() {
        auto wanted = request("refused");
        wanted.pairs = [](int) { return Result<std::vector<TextPair>>(std::vector<TextPair>()); };
        QCOMPARE(codeOf(wanted), std::string("CL-2174"));
        for (const TextPair& bad : {TextPair{"a", " "}, {"", "a"}, {"a", "b", 0}, {"a", "b", 1, 3}, {"a", "b", 1, -1}}) {
            wanted.pairs = [&](int) { return Result<std::vector<TextPair>>(std::vector<TextPair>{{"a", "b"}, bad}); };
            QCOMPARE(codeOf(wanted), std::string("CL-2174"));
            wanted.validation = {bad};
            wanted.pairs = request("x").pairs;
            QCOMPARE(codeOf(wanted), std::string("CL-2174"));
            wanted.validation.clear();
        }
        wanted.pairs = [](int) -> Result<std::vector<TextPair>> { return fail(ErrorKind::input, "CL-0000", "no pairs today", ""); };
        QCOMPARE(codeOf(wanted), std::string("CL-0000"));
        for (const auto& spoil : std::vector<std::function<void(TextToTextRequest&)>>{
                 [](auto& r) { r.pairs = nullptr; }, [](auto& r) { r.digest.clear(); }, [](auto& r) { r.groups.clear(); },
                 [](auto& r) { r.name = "a b"; }, [](auto& r) { r.folder.clear(); },
                 [](auto& r) { r.validation.clear(), r.settings.patience = 1; }}) {
            wanted = request("refused");
            spoil(wanted);
            QCOMPARE(codeOf(wanted), std::string("CL-2174"));
        }
        wanted = request("refused");
        wanted.settings.shape.dropout = 1;
        QCOMPARE(codeOf(wanted), std::string("CL-2173"));
        wanted = request("refused");
        wanted.settings.shape.vocabulary = 20; // less than characters and symbols
        QCOMPARE(codeOf(wanted), std::string("CL-2172"));
        wanted = request("refused");
        wanted.settings.schedule = {RateShape::constant, 10, 0, 0};
        wanted.settings.clipNorm = 0;
        wanted.settings.epochs = 300;
        const auto wild = trainTextToText(optionsOf(1), wanted, {});
        QVERIFY(wild.has_value() || wild.error().code == "CL-2175"); // whatever comes of it, it is said
    }
};

QTEST_GUILESS_MAIN(TestTextToText)
#include "test_text_to_text.moc"
