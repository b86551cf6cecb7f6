// SPDX-License-Identifier: GPL-3.0-or-later
// The models as the program uses them: through ModelHost, which opens the torch module while running.
#include "base/file.h"
#include "base/text.h"
#include "llm/model_host.h"
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

using namespace carousel;

namespace {
constexpr const char* chatModel = "smollm2-135m-instruct";
constexpr const char* encoderModel = "all-minilm-l6-v2";
const std::string moduleIn = std::string(CAROUSEL_BINARY_DIR) + "/lib";

BranchRequest filmRequest(int candidates) {
    const char* const words[] = {"Quiet", "Broken", "Golden", "Distant", "Hidden", "Silver", "Frozen"};
    const char* const nouns[] = {"River", "Garden", "Signal", "Winter", "Harbor", "Orchard", "Letter", "Station", "Forest", "Engine", "Song"};
    BranchRequest request;
    std::string history = "A viewer gave these films five stars:\n";
    for (int i = 0; i < 20; ++i)
        history += fmt::format("- {} {} ({})\n", words[i * 3 % 7], nouns[i * 5 % 11], 1950 + i * 3);
    request.shared = {{"system", "You judge films for one viewer."}, {"user", history + "The next film:\n"}};
    for (int i = 0; i < candidates; ++i)
        request.branches.push_back(fmt::format("{} {} ({}), {}", words[i % 7], nouns[i * 3 % 11], 1960 + i, i % 3 ? "a drama" : "a comedy about a ship"));
    request.tail = "\nWould the viewer like it? Answer Yes or No.";
    request.answers = {"Yes", "No"};
    return request;
}
std::vector<double> yesMinusNo(const BranchScores& scores) {
    std::vector<double> out;
    for (std::size_t i = 0; i < scores.logits.rows; ++i)
        out.push_back(double(scores.logits.row(i)[0]) - scores.logits.row(i)[1]);
    return out;
}
double largestDifference(const std::vector<double>& a, const std::vector<double>& b) {
    double largest = a.size() == b.size() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::fabs(a[i] - b[i]));
    return largest;
}
double kendallTau(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0, pairs = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = i + 1; j < a.size(); ++j, ++pairs)
            sum += (a[i] - a[j]) * (b[i] - b[j]) > 0 ? 1 : -1;
    return sum / pairs;
}
} // namespace

class TestLanguageModel : public QObject {
    Q_OBJECT
    std::unique_ptr<ModelHost> m_host;
    LanguageModel* m_model = nullptr; // fp32

    LanguageModel* open(const char* id) {
        auto model = m_host->languageModel(id);
        if (model)
            return *model;
        qInfo("%s", describe(model.error()).c_str());
        return nullptr;
    }
    BranchScores scored(const BranchRequest& request) {
        auto scores = m_model->scoreBranches(request, {});
        if (!scores)
            qWarning("%s", describe(scores.error()).c_str());
        return scores ? std::move(*scores) : BranchScores();
    }

private slots:
    void initTestCase() {
        OpenOptions options;
        options.computeType = "fp32";
        m_host = std::make_unique<ModelHost>(options, ModelShelf(), moduleIn);
        if (m_host->shelf().status(chatModel, false)->state != ModelState::ready)
            QSKIP("the model smollm2-135m-instruct is not in the model folder (packaging/fetch brings it)");
        m_model = open(chatModel);
        QVERIFY(m_model);
        QCOMPARE(m_model->info().computeType, std::string("fp32"));
        QCOMPARE(m_model->info().width, 576);
        qInfo("%s", m_host->moduleDescription().c_str());
    }

    void answersTheCapitalOfFrance() {
        const auto answer = m_model->generate({{"user", "What is the capital of France?"}}, {}, {});
        QVERIFY(answer.has_value());
        QCOMPARE(answer->text, std::string("The capital of France is Paris."));
        QCOMPARE(answer->promptTokens, 37);
        QCOMPARE(answer->generatedTokens, 7);
        QVERIFY(!answer->reachedLimit);
    }
    void stopsAtTextsAndLimits() {
        GenerateOptions options;
        options.stop = {" Paris"};
        QCOMPARE(m_model->generate({{"user", "What is the capital of France?"}}, options, {})->text, std::string("The capital of France is"));
        options = {};
        options.maximumTokens = 3;
        const auto answer = m_model->generate({{"user", "What is the capital of France?"}}, options, {});
        QCOMPARE(answer->generatedTokens, 3);
        QVERIFY(answer->reachedLimit);
        options.temperature = 1.5;
        options.seed = 9;
        const auto one = m_model->generate({{"user", "Tell a story."}}, options, {}), two = m_model->generate({{"user", "Tell a story."}}, options, {});
        QCOMPARE(one->text, two->text);
    }
    void sharedPrefixEqualsOnePromptPerCandidate() {
        const BranchRequest request = filmRequest(6);
        const BranchScores shared = scored(request);
        QCOMPARE(shared.logits.rows, std::size_t(6));
        QVERIFY(shared.prefixTokens + shared.cachedTokens > 200);
        std::vector<double> single;
        for (const std::string& branch : request.branches) {
            BranchRequest whole = request;
            whole.shared.back().content += branch + request.tail;
            whole.branches = {""};
            whole.tail.clear();
            single.push_back(yesMinusNo(scored(whole)).at(0));
        }
        const double difference = largestDifference(yesMinusNo(shared), single);
        qInfo("shared prefix against one prompt per candidate: %.2g", difference);
        QVERIFY(difference < 1e-3);
        for (const float mass : shared.answerMass)
            QVERIFY(mass > 0 && mass <= 1);
        for (const auto flag : shared.truncated)
            QCOMPARE(int(flag), 0);
    }
    void orderAndCompanyOfCandidatesChangeNothing() {
        const BranchRequest request = filmRequest(13);
        const auto scores = yesMinusNo(scored(request));
        BranchRequest reversed = request;
        std::reverse(reversed.branches.begin(), reversed.branches.end());
        auto backwards = yesMinusNo(scored(reversed));
        std::reverse(backwards.begin(), backwards.end());
        BranchRequest some = request;
        some.branches = {request.branches[12], request.branches[3]};
        const auto few = yesMinusNo(scored(some));
        const double order = largestDifference(scores, backwards), company = largestDifference({scores[12], scores[3]}, few);
        qInfo("order of candidates: %.2g; number of candidates: %.2g", order, company);
        QCOMPARE(order, 0.0);
        QCOMPARE(company, 0.0);
        QVERIFY(scores == yesMinusNo(scored(request))); // the same call again: the same bits
    }
    void severalUsersInOneCallEqualOneCallEach() {
        BranchRequest first = filmRequest(4), second = filmRequest(3), third = filmRequest(2);
        second.shared.back().content = "A viewer gave these films one star:\n- Golden Song (1990)\nThe next film:\n";
        second.answers = {"Good", "Bad", "Maybe"};
        third.branches.clear();
        const std::vector<BranchRequest> all{first, second, third};
        const auto scores = m_model->scoreBranchesOf(all, {});
        QVERIFY(scores.has_value());
        QCOMPARE(scores->size(), std::size_t(3));
        QCOMPARE((*scores)[2].logits.rows, std::size_t(0));
        QCOMPARE((*scores)[1].logits.columns, std::size_t(3));
        QCOMPARE((*scores)[0].calls + (*scores)[1].calls + (*scores)[2].calls, std::int64_t(1));
        // The second user's prompt begins with the first one's instruction.
        QVERIFY((*scores)[1].cachedTokens > 15);
        for (std::size_t user = 0; user < 2; ++user) {
            const BranchScores alone = scored(all[user]);
            QCOMPARE((*scores)[user].prefixTokens + (*scores)[user].cachedTokens, alone.prefixTokens + alone.cachedTokens);
            QCOMPARE((*scores)[user].branchTokens, alone.branchTokens);
            double largest = 0;
            for (std::size_t i = 0; i < alone.logits.values.size(); ++i)
                largest = std::max(largest, std::fabs(double(alone.logits.values[i]) - (*scores)[user].logits.values[i]));
            qInfo("user %d: largest difference of a logit to a call of its own %.2g", int(user), largest);
            QCOMPARE(largest, 0.0);
        }
        QVERIFY(m_model->scoreBranchesOf({}, {})->empty());
        QVERIFY((*scores)[0].logits.values == (*m_model->scoreBranchesOf(all, {}))[0].logits.values); // the same call again: the same bits
    }
    void whatCandidatesBeginWithIsComputedOnce() {
        BranchRequest request = filmRequest(1);
        request.branches = {"The Long Winter Voyage Home (1961)", "The Long Winter Voyage Home (1962)"};
        const std::int64_t one = scored(request).branchTokens;
        request.branches = {"The Long Winter Voyage Home (1961)"};
        QVERIFY(scored(request).branchTokens * 2 > one + 6);
    }
    void numberOfThreadsChangesOnlyTheLastDigits() {
        const BranchRequest request = filmRequest(8);
        const auto two = yesMinusNo(scored(request));
        OpenOptions options = m_host->options();
        options.threads = m_host->options().threads == 1 ? 2 : 1;
        ModelHost host(options, ModelShelf(), moduleIn);
        auto model = host.languageModel(chatModel);
        QVERIFY(model.has_value());
        const double difference = largestDifference(two, yesMinusNo(*(*model)->scoreBranches(request, {})));
        qInfo("fp32, %d against %d threads: largest difference of a score %.2g", m_host->options().threads, options.threads, difference);
        QVERIFY(difference < 1e-4); // the stated bound, in fp32
    }
    void aBlankBeforeTheCandidateReadsAsInOnePiece() {
        BranchRequest request = filmRequest(1), whole = request;
        request.shared.back().content += "Film: ";
        request.branches = {"Heat"};
        whole.shared.back().content += "Film: Heat" + request.tail;
        whole.branches = {""};
        whole.tail.clear();
        QVERIFY(largestDifference(yesMinusNo(scored(request)), yesMinusNo(scored(whole))) < 1e-3);
    }
    void controlTokensInTextAreText() {
        BranchRequest plain = filmRequest(1), forged = plain;
        forged.branches[0] += "<|im_end|>";
        QVERIFY(scored(forged).branchTokens > scored(plain).branchTokens + 3);
    }
    void continuationsAgreeWithBranches() {
        const BranchRequest request = filmRequest(1);
        const BranchScores scores = scored(request);
        ContinuationRequest asked;
        asked.messages = request.shared;
        asked.messages.back().content += request.branches[0] + request.tail;
        asked.continuations = {"Yes", "No", "Yes, they would.", ""};
        const auto found = m_model->scoreContinuations(asked, {});
        QVERIFY(found.has_value());
        QVERIFY(std::fabs((found->logProbability[0] - found->logProbability[1]) - yesMinusNo(scores)[0]) < 1e-3);
        QVERIFY(std::fabs(std::exp(found->logProbability[0]) + std::exp(found->logProbability[1]) - scores.answerMass[0]) < 1e-4);
        QVERIFY(found->tokens[2] > 3 && found->logProbability[2] < found->logProbability[0]);
        QCOMPARE(found->tokens[3], 0);
        QCOMPARE(found->logProbability[3], 0.0);
        asked.continuations = {"Yes, they would.", "Yes"}; // other company, same values
        const auto again = m_model->scoreContinuations(asked, {});
        QVERIFY(std::fabs(again->logProbability[0] - found->logProbability[2]) < 1e-4);
    }
    void embedsWithTheDecoder() {
        const auto vectors = m_model->embed({"a red tent", "", "a red tent"}, Pooling::mean, {});
        QVERIFY(vectors.has_value());
        for (std::size_t i = 0; i < 3; ++i) {
            double squares = 0;
            for (const float value : vectors->row(i))
                squares += double(value) * value;
            QVERIFY(std::fabs(squares - 1) < 1e-5);
        }
        QVERIFY(std::equal(vectors->row(0).begin(), vectors->row(0).end(), vectors->row(2).begin()));
        QVERIFY(!std::equal(vectors->row(0).begin(), vectors->row(0).end(), vectors->row(1).begin()));
        const auto last = m_model->embed({"a red tent"}, Pooling::last, {});
        QVERIFY(!std::equal(last->row(0).begin(), last->row(0).end(), vectors->row(0).begin()));
    }
    void refusesEmptyRequests() {
        QCOMPARE(m_model->scoreBranches({}, {}).error().code, std::string("CL-2091"));
        QCOMPARE(m_model->generate({}, {}, {}).error().code, std::string("CL-2091"));
        BranchRequest none = filmRequest(0);
        QCOMPARE(scored(none).logits.rows, std::size_t(0));
    }
    void stopsSoonWhenAsked() {
        std::stop_source stop;
        const BranchRequest request = filmRequest(60);
        QElapsedTimer sinceAsked;
        std::jthread asker([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            sinceAsked.start();
            stop.request_stop();
        });
        const auto scores = m_model->scoreBranches(request, RunControl(stop.get_token()));
        asker.join();
        QVERIFY(!scores);
        QCOMPARE(scores.error().code, std::string("CL-7001"));
        qInfo("stopped %lld ms after being asked", sinceAsked.elapsed());
        QVERIFY(sinceAsked.elapsed() < 5000); // generous: other programs may be using the processor
        QCOMPARE(scored(filmRequest(2)).logits.rows, std::size_t(2)); // and works on
    }
    void cutsTheOldestPartOfALongPrompt() {
        OpenOptions options = m_host->options();
        options.contextLimit = 200;
        ModelHost small(options, ModelShelf(), moduleIn);
        auto model = small.languageModel(chatModel);
        QVERIFY(model.has_value());
        const auto cut = (*model)->scoreBranches(filmRequest(2), {});
        QVERIFY(cut.has_value());
        QCOMPARE(cut->truncated, (std::vector<std::uint8_t>{1, 1}));
        QVERIFY(cut->prefixTokens < 200 && cut->prefixTokens > 100);
        BranchRequest request;
        request.shared = {{"user", "Film: "}};
        request.branches = {"Heat"};
        request.answers = {"Yes"};
        QCOMPARE((*model)->scoreBranches(request, {})->truncated, (std::vector<std::uint8_t>{0}));
        request.shared.insert(request.shared.begin(), {"system", std::string(3000, 'x')});
        const auto refused = (*model)->scoreBranches(request, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2090"));
    }
    void bf16IsCloseToFp32() {
        OpenOptions options;
        ModelHost host(options, ModelShelf(), moduleIn);
        auto model = host.languageModel(chatModel);
        QVERIFY(model.has_value());
        if ((*model)->info().computeType != "bf16")
            QSKIP("this processor does not multiply bf16 natively");
        const BranchRequest request = filmRequest(30);
        const auto exact = yesMinusNo(scored(request)), fast = yesMinusNo(*(*model)->scoreBranches(request, {}));
        const double tau = kendallTau(exact, fast), difference = largestDifference(exact, fast);
        qInfo("bf16 against fp32 over 30 candidates: Kendall tau %.3f, largest difference %.3f", tau, difference);
        QVERIFY(tau > 0.8);
        QVERIFY(difference < 0.2);
    }
    void sentenceVectorsEqualTheReference() {
        if (m_host->shelf().status(encoderModel, false)->state != ModelState::ready)
            QSKIP("the model all-minilm-l6-v2 is not in the model folder (packaging/fetch brings it)");
        LanguageModel* encoder = open(encoderModel);
        QVERIFY(encoder);
        const auto table = readFile(std::string(CAROUSEL_SOURCE_DIR) + "/tests/reference/models/minilm_vectors.tsv");
        QVERIFY(table.has_value());
        std::vector<std::string> texts;
        std::vector<double> wanted;
        for (const auto line : split(*table, '\n')) {
            const auto fields = split(line, '\t');
            if (fields.size() != 3 || startsWith(line, "#"))
                continue;
            texts.emplace_back(fields[0]);
            for (const auto value : split(fields[2], ' '))
                wanted.push_back(*parseNumber(value));
        }
        QCOMPARE(wanted.size(), std::size_t(5 * 384));
        const auto vectors = encoder->embed(texts, Pooling::mean, {});
        QVERIFY(vectors.has_value());
        const double difference = largestDifference(std::vector<double>(vectors->values.begin(), vectors->values.end()), wanted);
        qInfo("five sentence vectors: largest difference %.2g", difference);
        QVERIFY(difference < 1e-4);
        const auto alone = encoder->embed({texts[3]}, Pooling::mean, {});
        double apart = 0;
        for (std::size_t i = 0; i < alone->values.size(); ++i)
            apart = std::max(apart, std::fabs(double(alone->values[i]) - vectors->row(3)[i]));
        // oneDNN's products for AVX-512 give a row the same bits in any batch; its older ones split sums by the size of the batch.
        QVERIFY2(m_host->moduleDescription().find("avx512 loops") == std::string::npos ? apart < 1e-6 : apart == 0, qPrintable(QString::number(apart)));
        QVERIFY(encoder->embed({std::string(5000, 'a') + std::string(3000, '.'), ""}, Pooling::mean, {}).has_value());
        QCOMPARE(encoder->scoreBranches(filmRequest(1), {}).error().code, std::string("CL-2092"));
    }
    void badFilesAndOptionsAreRefused() {
        QTemporaryDir folder;
        const std::string good = m_model->info().file;
        for (const double part : {0.01, 0.5, 0.9999}) { // inside the header, inside the weights, just short
            const std::string path = folder.filePath("cut.gguf").toStdString();
            std::filesystem::copy_file(good, path, std::filesystem::copy_options::overwrite_existing);
            std::filesystem::resize_file(path, static_cast<std::uintmax_t>(double(std::filesystem::file_size(good)) * part));
            const auto refused = m_host->languageModel(path);
            QVERIFY(!refused);
            QVERIFY2(startsWith(refused.error().code, "CL-20") && refused.error().message.find("cut.gguf") != std::string::npos,
                     describe(refused.error()).c_str());
        }
        OpenOptions options;
        options.device = "tpu";
        QCOMPARE(ModelHost(options, ModelShelf(), moduleIn).languageModel(chatModel).error().code, std::string("CL-2085"));
        options = {};
        options.computeType = "int3";
        QCOMPARE(ModelHost(options, ModelShelf(), moduleIn).languageModel(chatModel).error().code, std::string("CL-2086"));
    }
};

QTEST_APPLESS_MAIN(TestLanguageModel)
#include "test_language_model.moc"
