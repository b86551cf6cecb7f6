// SPDX-License-Identifier: GPL-3.0-or-later
// Shelf, host and answer cache, with a module of arithmetic in the place of LibTorch.
#include "base/hash.h"
#include "llm/caching_model.h"
#include "llm/model_host.h"
#include "model_double.h"
#include "model_file_builder.h"
#include <QDir>
#include <QFile>
#include <QTest>
#include <cmath>

using namespace carousel;
using namespace builder;

namespace {

class MapCache : public CompletionCache {
public:
    std::map<std::string, std::string> answers;
    bool full = false;
    std::map<std::string, std::string> find(const std::vector<std::string>& keys) override {
        std::map<std::string, std::string> found;
        for (const auto& key : keys)
            if (const auto at = answers.find(key); at != answers.end())
                found.insert(*at);
        return found;
    }
    Result<void> store(const std::map<std::string, std::string>& fresh) override {
        if (full)
            return fail(ErrorKind::io, "CL-5002", "disk full", "");
        answers.insert(fresh.begin(), fresh.end());
        return {};
    }
};

BranchRequest request(std::vector<std::string> branches) {
    return {{{"system", "s"}, {"user", "likes tea"}}, std::move(branches), " ok?", {"Yes", "No"}, {}};
}
const std::string moduleHere = CAROUSEL_TEST_MODULE_FOLDER;

} // namespace

class TestModelHost : public QObject {
    Q_OBJECT
    Folder m_folder;

private slots:
    void anEncoderDecoderIsTrainedThroughTheDoor() {
        ModelHost host({}, ModelShelf(m_folder.path("none")), moduleHere);
        TextToTextRequest wanted;
        QCOMPARE(host.trainTextToText(wanted, {}).error().code, std::string("CL-2174")); // looked at before the module is opened
        wanted.pairs = [](int) { return Result<std::vector<TextPair>>(std::vector<TextPair>{{"a", "b"}}); };
        wanted.digest = "one";
        wanted.groups = {"all"};
        wanted.name = "tiny";
        wanted.folder = "here";
        const auto report = host.trainTextToText(wanted, {});
        QVERIFY2(report, report ? "" : describe(report.error()).c_str());
        QCOMPARE(report->modelFolder, std::string("here"));
        wanted.settings.sourceLimit = 1;
        QCOMPARE(host.trainTextToText(wanted, {}).error().code, std::string("CL-2173"));
        const auto digest = digestOf(wanted);
        wanted.settings.checkpointEvery = 7; // changes no number
        QVERIFY(digestOf(wanted) == digest);
        wanted.symbols = {"<A>"};
        QVERIFY(digestOf(wanted) != digest);
    }
    void branchesAreAnsweredFromTheCacheBitForBit() {
        ModelDouble model;
        MapCache cache;
        CostMeter cost;
        CachingModel cached(model, &cache, &cost);
        const auto plain = model.scoreBranches(request({"a", "b", "longer", "a"}), {});
        model.calls = model.branchesComputed = 0;
        const auto first = cached.scoreBranches(request({"a", "b"}), {});
        const auto second = cached.scoreBranches(request({"a", "b", "longer", "a"}), {});
        QVERIFY(plain && first && second);
        QCOMPARE(model.calls, std::int64_t(2));
        QCOMPARE(model.branchesComputed, std::int64_t(3)); // "longer" alone the second time
        QVERIFY(second->logits.values == plain->logits.values);
        QVERIFY(second->answerMass == plain->answerMass);
        QVERIFY(second->truncated == plain->truncated);
        const auto third = cached.scoreBranches(request({"longer", "b"}), {});
        QCOMPARE(model.calls, std::int64_t(2));
        QCOMPARE(third->logits.row(0)[0], plain->logits.row(2)[0]);
        QCOMPARE(third->prefixTokens, std::int64_t(0));
        const Cost total = cost.total();
        QCOMPARE(total.modelCalls, std::int64_t(2));
        QCOMPARE(total.cacheMisses, std::int64_t(3));
        QCOMPARE(total.cacheHits, std::int64_t(5));
        QCOMPARE(total.scoredCandidates, std::int64_t(8));
        QCOMPARE(total.promptTokens, std::int64_t(10 + 6 + 10 + 3));
        QVERIFY(total.modelSeconds > 0);
    }
    void severalUsersInOneCall() {
        ModelDouble model;
        MapCache cache;
        CostMeter cost;
        CachingModel cached(model, &cache, &cost);
        BranchRequest other = request({"b", "longer", "c"});
        other.shared[1].content = "likes boats";
        other.answers = {"Good", "Bad", "So so"};
        const std::vector<BranchRequest> both{request({"a", "b", "a"}), other};
        const auto first = model.scoreBranches(both[0], {}), second = model.scoreBranches(both[1], {});
        QVERIFY(cached.scoreBranches(request({"b"}), {}).has_value());
        model.branchesComputed = 0;
        const Cost before = cost.total();
        const auto scores = cached.scoreBranchesOf(both, {});
        QVERIFY(scores.has_value());
        QCOMPARE(scores->size(), std::size_t(2));
        QVERIFY((*scores)[0].logits.values == first->logits.values && (*scores)[1].logits.values == second->logits.values);
        QVERIFY((*scores)[0].answerMass == first->answerMass && (*scores)[1].truncated == second->truncated);
        QCOMPARE(model.branchesComputed, std::int64_t(1 + 3)); // "a" once, "b" is known for the first user
        const Cost spent = cost.total() - before;
        QCOMPARE(spent.modelCalls, std::int64_t(2)); // this model takes one request a call
        QCOMPARE(spent.cacheHits, std::int64_t(2));
        QCOMPARE(spent.cacheMisses, std::int64_t(4));
        QCOMPARE(spent.scoredCandidates, std::int64_t(6));
        QCOMPARE(spent.promptTokens, std::int64_t(10 + 3 + 10 + 9));
        const Cost known{.cacheHits = 6, .scoredCandidates = 6};
        QVERIFY(cached.scoreBranchesOf(both, {}).has_value() && cost.total() - before - spent == known);
        QVERIFY(cached.scoreBranchesOf({}, {})->empty());
    }
    void anyChangeOfContentIsAnotherKey() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        const std::function<void(BranchRequest&)> changes[] = {[](auto&) {}, [](auto& r) { r.shared[1].content += "."; },
                                                               [](auto& r) { r.shared[0].role = "user"; }, [](auto& r) { r.tail = ""; },
                                                               [](auto& r) {
                                                                   r.answers = {"No", "Yes"};
                                                               },
                                                               [](auto& r) { r.answerForms = {"x"}; }, [](auto& r) { r.branches = {"c"}; },
                                                               // vectors in the prompt: there, another, and in the branch
                                                               [](auto& r) { r.injected = Matrix(1, 2); },
                                                               [](auto& r) {
                                                                   r.injected = Matrix(1, 2);
                                                                   r.injected.values[1] = 1;
                                                               },
                                                               [](auto& r) { r.injectedOfBranch = {Matrix(1, 2)}; },
                                                               [](auto& r) {
                                                                   r.injectedOfBranch = {Matrix(1, 2)};
                                                                   r.injectedOfBranch[0].values[0] = 1;
                                                               },
                                                               // the same characters, cut elsewhere
                                                               [](auto& r) {
                                                                   r.shared[1].content = "likes te";
                                                                   r.branches = {"aa"};
                                                               }};
        std::int64_t expected = 0;
        for (const auto& change : changes) {
            auto asked = request({"a"});
            change(asked);
            QVERIFY(cached.scoreBranches(asked, {}));
            QCOMPARE(model.calls, ++expected);
        }
        model.description.computeType = "bf16";
        QVERIFY(cached.scoreBranches(request({"a"}), {}));
        model.description.sha256 = "other";
        QVERIFY(cached.scoreBranches(request({"a"}), {}));
        QCOMPARE(model.calls, expected + 2);
    }
    void vectorsGoWithTheBranchesThatAreAsked() {
        struct Seen final : ModelDouble {
            std::vector<float> firsts; // of the vectors that came, branch by branch
            Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override {
                for (const auto& rows : request.injectedOfBranch)
                    firsts.push_back(rows.values.at(0));
                return ModelDouble::scoreBranches(request, control);
            }
        } model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        auto asked = request({"a", "b", "c"});
        for (const float first : {1.0f, 2.0f, 3.0f}) {
            asked.injectedOfBranch.emplace_back(1, 1);
            asked.injectedOfBranch.back().values[0] = first;
        }
        QVERIFY(cached.scoreBranches(asked, {}));
        asked.injectedOfBranch[1].values[0] = 7; // the others are known
        QVERIFY(cached.scoreBranches(asked, {}));
        QCOMPARE(model.firsts, (std::vector<float>{1, 2, 3, 7}));
    }
    void failuresAreNotKept() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        model.broken = true;
        QCOMPARE(cached.scoreBranches(request({"a"}), {}).error().code, std::string("CL-2098"));
        model.broken = false;
        const auto scores = cached.scoreBranches(request({"a", "bad"}), {});
        QVERIFY(scores && std::isnan(scores->logits.row(1)[0]) && !std::isnan(scores->logits.row(0)[0]));
        QCOMPARE(cache.answers.size(), std::size_t(1));
        for (auto& [key, bytes] : cache.answers)
            bytes.resize(bytes.size() - 1); // damage is computed again, never read
        const auto calls = model.calls;
        QVERIFY(cached.scoreBranches(request({"a"}), {}));
        QCOMPARE(model.calls, calls + 1);
        cache.full = true;
        QCOMPARE(cached.scoreBranches(request({"new"}), {}).error().code, std::string("CL-5002"));
    }
    void branchesThatFailedAreToldAndAskedAgain() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        model.callsPerRequest = 3;
        const auto first = cached.scoreBranches(request({"a", "gone", "b", "gone"}), {});
        QVERIFY(first && !first->missing(0) && first->missing(1) && !first->missing(2) && first->missing(3));
        QVERIFY(first->status[1] == ScoreStatus::missing && first->reasons[1] == "server said 500" && first->reasons[0].empty());
        QVERIFY(std::isnan(first->logits.row(1)[0]) && std::isnan(first->answerMass[1]));
        QCOMPARE(cache.answers.size(), std::size_t(2));
        QCOMPARE(first->calls, std::int64_t(3));
        QVERIFY(first->censored[2] == 1 && first->censored[0] == 0);
        const auto again = cached.scoreBranches(request({"b", "gone", "a"}), {});
        QVERIFY(again && again->missing(1) && again->censored[0] == 1 && again->censored[2] == 0);
        QVERIFY(again->logits.row(2)[0] == first->logits.row(0)[0]);
        QCOMPARE(model.branchesComputed, std::int64_t(4)); // a, gone, b; then gone alone
    }
    void answersHandedOnEarlyOutliveTheCallThatFails() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        model.failAfter = 2;
        QVERIFY(!cached.scoreBranches(request({"a", "b", "c"}), {}));
        QCOMPARE(cache.answers.size(), std::size_t(2)); // paid, therefore kept
        model.failAfter = -1;
        model.branchesComputed = 0;
        QVERIFY(cached.scoreBranches(request({"a", "b", "c"}), {}));
        QCOMPARE(model.branchesComputed, std::int64_t(1));
        cache.full = true; // what cannot be kept must not be paid for any longer
        model.failAfter = 9;
        QCOMPARE(cached.scoreBranches(request({"d", "e"}), {}).error().code, std::string("CL-5002"));
        QCOMPARE(model.branchesComputed, std::int64_t(2));
    }
    void otherCallsAreCachedToo() {
        ModelDouble model;
        MapCache cache;
        CostMeter cost;
        CachingModel cached(model, &cache, &cost);
        const auto plain = *model.embed({"x", "y"}, Pooling::mean, {});
        QVERIFY(cached.embed({"x"}, Pooling::mean, {}));
        QVERIFY(cached.embed({"x", "y", "x"}, Pooling::mean, {})->row(1)[3] == plain.row(1)[3]);
        QVERIFY(cached.embed({"x"}, Pooling::last, {})->row(0)[0] != plain.row(0)[0]);
        const auto calls = model.calls;
        const auto again = cached.embed({"y", "x"}, Pooling::mean, {});
        QVERIFY(again->row(0)[0] == plain.row(1)[0] && again->row(1)[2] == plain.row(0)[2]);
        QCOMPARE(model.calls, calls);

        const ContinuationRequest continuations{{{"user", "u"}}, {"one", "three", "one"}};
        const auto fresh = *model.scoreContinuations(continuations, {});
        QVERIFY(cached.scoreContinuations(continuations, {})->logProbability == fresh.logProbability);
        const auto kept = *cached.scoreContinuations(continuations, {});
        QVERIFY(kept.logProbability == fresh.logProbability && kept.tokens == fresh.tokens);

        GenerateOptions options;
        options.maximumTokens = 6;
        const auto said = *cached.generate({{"user", std::string("nul\0inside", 10)}}, options, {});
        const auto before = model.calls;
        const auto saidAgain = *cached.generate({{"user", std::string("nul\0inside", 10)}}, options, {});
        QCOMPARE(model.calls, before);
        QCOMPARE(saidAgain.text, said.text);
        QVERIFY(saidAgain.reachedLimit && saidAgain.generatedTokens == 6 && saidAgain.promptTokens == 5);
        options.seed = 2;
        QVERIFY(cached.generate({{"user", "x"}}, options, {}));
        QCOMPARE(model.calls, before + 1);
        QCOMPARE(cost.total().generatedTokens, std::int64_t(12));
        for (auto& [key, bytes] : cache.answers)
            bytes.resize(bytes.size() - 1); // damage is computed again, never read
        QVERIFY(cached.generate({{"user", "x"}}, options, {}));
        QCOMPARE(model.calls, before + 2);
        CachingModel without(model, nullptr, nullptr);
        QVERIFY(without.scoreBranches(request({"a"}), {}));
        QVERIFY(without.scoreBranches(request({}), {}));
    }
    void everyOptionOfAnAnswerIsPartOfItsKey() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        const std::function<void(GenerateOptions&)> changes[] = {
            [](auto&) {},                        [](auto& o) { o.maximumTokens = 65; }, [](auto& o) { o.temperature = 0.5; },
            [](auto& o) { o.topP = 0.5; },       [](auto& o) { o.seed = 2; },           [](auto& o) { o.stop = {"a"}; },
            [](auto& o) { o.topK = 3; },         [](auto& o) { o.beams = 2; },          [](auto& o) { o.repetitionPenalty = 1.1; },
            [](auto& o) { o.sequences = 2; },    [](auto& o) { o.lengthPenalty = 0; },  [](auto& o) { o.oneOf = {"a"}; },
            [](auto& o) { o.grammar = "a"; },    [](auto& o) { o.stop = {"a", ""}; },   [](auto& o) { o.oneOf = {"a", "a"}; }};
        std::int64_t calls = 0;
        for (const auto& change : changes) {
            GenerateOptions options;
            change(options);
            QVERIFY(cached.generate({{"user", "x"}}, options, {}));
            QCOMPARE(model.calls, ++calls);
            std::string heard; // a known answer is told all the same
            options.onText = [&](std::string_view piece) { heard += piece; };
            const auto again = *cached.generate({{"user", "x"}}, options, {});
            QCOMPARE(model.calls, calls);
            QCOMPARE(heard, again.text);
            QCOMPARE(again.sequences.size(), std::size_t(2));
            QCOMPARE(again.sequences[1].text, std::string("second"));
            QVERIFY(again.sequences[1].logProbability == -1.0 / 3 && again.sequences[1].score == -0.1 && again.sequences[1].tokens == 4 && again.sequences[1].reachedLimit);
        }
    }
    void hiddenStatesAreCachedByBranch() {
        ModelDouble model;
        MapCache cache;
        CachingModel cached(model, &cache, nullptr);
        HiddenRequest asked{{{"user", "u"}}, {"a", "b"}, "t", Pooling::last};
        const auto fresh = *cached.hiddenStates(asked, {});
        QCOMPARE(model.branchesComputed, 2);
        asked.branches = {"b", "c", "b", "a"};
        const auto mixed = *cached.hiddenStates(asked, {});
        QCOMPARE(model.branchesComputed, 3);
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY(mixed.rows.row(0)[i] == fresh.rows.row(1)[i] && mixed.rows.row(2)[i] == fresh.rows.row(1)[i] && mixed.rows.row(3)[i] == fresh.rows.row(0)[i]);
        QCOMPARE(mixed.truncated, (std::vector<std::uint8_t>{0, 1, 0, 1}));
        asked.pooling = Pooling::mean;
        QVERIFY(cached.hiddenStates(asked, {}));
        asked.tail = "other";
        QVERIFY(cached.hiddenStates(asked, {}));
        asked.shared[0].content = "other";
        QVERIFY(cached.hiddenStates(asked, {}));
        QCOMPARE(model.branchesComputed, 12);
        class Plain final : public ModelDouble {
            Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override { return LanguageModel::hiddenStates(request, control); }
        } plain;
        QCOMPARE(CachingModel(plain, nullptr, nullptr).hiddenStates(asked, {}).error().code, std::string("CL-2094"));
    }
    void shelfTellsMissingCutAndWrongFiles() {
        const std::string shelf = m_folder.path("shelf");
        QDir().mkpath(QString::fromStdString(shelf + "/all-minilm-l6-v2"));
        const ModelShelf models(shelf);
        QCOMPARE(models.status().size(), ModelShelf::known().size());
        QVERIFY(models.status("all-minilm-l6-v2", false)->state == ModelState::missing);
        QCOMPARE(models.resolve("all-minilm-l6-v2").error().code, std::string("CL-2071"));
        QVERIFY(models.resolve("all-minilm-l6-v2").error().hint.find("packaging/run.sh") != std::string::npos);
        QCOMPARE(models.resolve("gpt-9").error().code, std::string("CL-2070"));
        QVERIFY(models.resolve("gpt-9").error().hint.find("smollm2-135m-instruct") != std::string::npos);
        QCOMPARE(models.resolve("/nowhere/x.gguf").error().code, std::string("CL-2071"));
        QCOMPARE(models.resolve("./x.bin").error().code, std::string("CL-2070"));
        m_folder.write("shelf/all-minilm-l6-v2/model.safetensors", "short");
        QVERIFY(models.status("all-minilm-l6-v2", false)->state == ModelState::wrongSize);
        QCOMPARE(models.resolve("all-minilm-l6-v2").error().code, std::string("CL-2072"));
        // The right sizes with other bytes: found when hashing.
        for (const auto& file : ModelShelf::known()[1].files) {
            QFile sparse(QString::fromStdString(shelf + "/all-minilm-l6-v2/" + file.name));
            QVERIFY(sparse.open(QIODevice::WriteOnly) && sparse.resize(file.bytes));
        }
        QVERIFY(models.status("all-minilm-l6-v2", false)->state == ModelState::ready);
        QVERIFY(models.status("all-minilm-l6-v2", true)->state == ModelState::wrongHash);
        QCOMPARE(models.resolve("all-minilm-l6-v2").error().code, std::string("CL-2072"));
    }
    void hashesAreRememberedUntilTheFileChanges() {
        const auto path = m_folder.write("hash.gguf", "abc");
        QCOMPARE(*rememberedSha256(path), sha256("abc"));
        QVERIFY(QFile::exists(QString::fromStdString(path + ".checked")));
        QCOMPARE(*rememberedSha256(path), sha256("abc"));
        m_folder.write("hash.gguf", "abcd");
        QCOMPARE(*rememberedSha256(path), sha256("abcd"));
        m_folder.write("hash.gguf.checked", "rubbish");
        QCOMPARE(*rememberedSha256(path), sha256("abcd"));
    }
    void hostOpensTheModuleOnce() {
        qunsetenv("OMP_WAIT_POLICY");
        const auto path = m_folder.write("some.gguf", "weights");
        ModelHost host({}, ModelShelf(m_folder.path("none")), moduleHere);
        QCOMPARE(host.moduleDescription(), std::string());
        QCOMPARE(host.languageModel("smollm2-135m-instruct").error().code, std::string("CL-2071"));
        QCOMPARE(host.moduleDescription(), std::string()); // a missing model loads no module
        const auto model = host.languageModel(path);
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        QCOMPARE((*model)->info().id, std::string("some"));
        QCOMPARE((*model)->info().sha256, sha256("weights"));
        QCOMPARE((*model)->info().computeType, std::string("passive"));
        QVERIFY(qEnvironmentVariableIsSet("GOMP_SPINCOUNT") && qEnvironmentVariableIsSet("OPENBLAS_NUM_THREADS"));
        QCOMPARE(*host.languageModel(path), *model);
        QCOMPARE(host.moduleDescription(), std::string("a model of arithmetic"));
    }
    void hostReportsWhatTheModuleSays() {
        const auto path = m_folder.write("other.gguf", "weights");
        OpenOptions options;
        options.device = "cuda:7";
        ModelHost host(options, ModelShelf(m_folder.path("none")), moduleHere);
        QCOMPARE(host.languageModel(path).error().code, std::string("CL-2099"));
        ModelHost nowhere({}, ModelShelf(m_folder.path("none")), m_folder.path("absent"));
        QCOMPARE(nowhere.languageModel(path).error().code, std::string("CL-2080"));
        QCOMPARE(nowhere.place().error().code, std::string("CL-2080"));
        QCOMPARE(host.place().error().code, std::string("CL-2085"));
        QCOMPARE(ModelHost({}, ModelShelf(m_folder.path("none")), moduleHere).place()->computeType, std::string("fp32"));
        QVERIFY(nowhere.languageModel(path).error().hint.find("packaging/run.sh") != std::string::npos);
        QDir().mkpath(QString::fromStdString(m_folder.path("bad")));
        m_folder.write(std::string("bad/") + torchModuleFile, "not a library");
        ModelHost broken({}, ModelShelf(m_folder.path("none")), m_folder.path("bad"));
        QCOMPARE(broken.languageModel(path).error().code, std::string("CL-2080"));
        qputenv("CAROUSEL_TEST_MODULE_API", "7");
        QCOMPARE(broken.languageModel("server:x").error().code, std::string("CL-2100"));
        ModelDouble remote;
        broken.setServerOpener([&](const std::string& name) -> Result<LanguageModel*> { return name == "x" ? &remote : nullptr; });
        QCOMPARE(*broken.languageModel("server:x"), static_cast<LanguageModel*>(&remote));
        ModelHost later({}, ModelShelf(m_folder.path("none")), moduleHere);
        const auto refused = later.languageModel(path);
        qunsetenv("CAROUSEL_TEST_MODULE_API");
        QCOMPARE(refused.error().code, std::string("CL-2081"));
        QVERIFY(refused.error().message.find("interface 7") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestModelHost)
#include "test_model_host.moc"
