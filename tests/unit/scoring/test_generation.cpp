// SPDX-License-Identifier: GPL-3.0-or-later
// Answers and hidden states of the real chat model, through ModelHost as the program uses it; skipped where the model is not there.
#include "base/text.h"
#include "llm/model_host.h"
#include "scoring/llama_decoder_torch.h"
#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

using namespace carousel;

namespace {
constexpr const char* chatModel = "smollm2-135m-instruct";
const std::vector<ChatMessage> france{{"user", "What is the capital of France?"}};
const char* const titles[] = {"Heat",
                              "Heat 2",
                              "The Third Man",
                              "Casablanca",
                              "Alien",
                              "Aliens",
                              "Amélie",
                              "8½",
                              "The Godfather",
                              "The Godfather Part II",
                              "Spirited Away",
                              "Ran",
                              "M",
                              "Metropolis",
                              "Blade Runner",
                              "Blade Runner 2049",
                              "Jaws",
                              "Jaws 2",
                              "Up",
                              "Stalker"};
} // namespace

class TestGeneration : public QObject {
    Q_OBJECT
    std::unique_ptr<ModelHost> m_host;
    LanguageModel* m_model = nullptr; // fp32

    Generated answer(const std::vector<ChatMessage>& messages, const GenerateOptions& options) {
        auto written = m_model->generate(messages, options, {});
        if (!written)
            qWarning("%s", describe(written.error()).c_str());
        return written ? std::move(*written) : Generated();
    }
    double likelihood(const std::vector<ChatMessage>& messages, const std::string& text) {
        return m_model->scoreContinuations({messages, {text}}, {})->logProbability.at(0);
    }

private slots:
    void initTestCase() {
        OpenOptions options;
        options.computeType = "fp32";
        m_host = std::make_unique<ModelHost>(options, ModelShelf(), std::string(CAROUSEL_BINARY_DIR) + "/lib");
        if (m_host->shelf().status(chatModel, false)->state != ModelState::ready)
            QSKIP("the model smollm2-135m-instruct is not in the model folder (packaging/fetch brings it)");
        auto model = m_host->languageModel(chatModel);
        QVERIFY(model.has_value());
        m_model = *model;
    }
    void logProbabilitiesAreThoseOfScoring() {
        GenerateOptions options;
        options.maximumTokens = 5;
        const auto greedy = answer(france, options);
        QCOMPARE(greedy.text, std::string("The capital of France is"));
        QVERIFY(greedy.reachedLimit && greedy.sequences.size() == 1);
        QVERIFY(std::fabs(greedy.sequences[0].logProbability - likelihood(france, greedy.text)) < 1e-3);
        options.beams = options.sequences = 4;
        const auto beams = answer(france, options);
        QCOMPARE(beams.sequences.size(), std::size_t(4));
        std::set<std::string> texts;
        for (std::size_t i = 0; i < 4; ++i) {
            const GeneratedSequence& one = beams.sequences[i];
            QVERIFY(i == 0 || one.score <= beams.sequences[i - 1].score);
            QVERIFY(texts.insert(one.text).second);
            if (one.reachedLimit)
                QVERIFY(std::fabs(one.score - one.logProbability / 5) < 1e-9);
            // The words of a beam need not be cut as the tokenizer would cut them; where they are, the likelihood is the same.
            if (one.reachedLimit && m_model->countTokens(one.text) == one.tokens)
                QVERIFY2(std::fabs(one.logProbability - likelihood(france, one.text)) < 1e-3, one.text.c_str());
        }
        QVERIFY(beams.sequences[0].score >= greedy.sequences[0].score / 5 - 1e-6);
        QCOMPARE(beams.text, beams.sequences[0].text);
    }
    void answersAreTextsOfTheListAndRankedAsScored() {
        GenerateOptions options;
        options.oneOf.assign(std::begin(titles), std::end(titles));
        options.beams = options.sequences = 20;
        options.lengthPenalty = 0;
        const std::vector<ChatMessage> asked{{"user", "Name a science fiction film."}};
        QElapsedTimer timer;
        timer.start();
        const auto ranked = answer(asked, options);
        qInfo("20 beams over 20 titles: %lld ms", timer.elapsed());
        QCOMPARE(ranked.sequences.size(), std::size_t(20)); // as many beams as titles: all are found
        const auto scores = *m_model->scoreContinuations({asked, options.oneOf}, {});
        std::set<std::string> found;
        for (const auto& one : ranked.sequences) {
            found.insert(one.text);
            const auto place = std::find(options.oneOf.begin(), options.oneOf.end(), one.text);
            QVERIFY(place != options.oneOf.end());
            // The rest is the end of the turn.
            QVERIFY(one.logProbability < scores.logProbability[static_cast<std::size_t>(place - options.oneOf.begin())]);
            QVERIFY(!one.reachedLimit);
        }
        QCOMPARE(found.size(), std::size_t(20));
        options.beams = options.sequences = 1;
        options.temperature = 2;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            options.seed = seed;
            options.maximumTokens = seed % 2 ? 3 : 64; // titles that are too long are left out
            const auto drawn = answer(asked, options);
            QVERIFY(std::count(options.oneOf.begin(), options.oneOf.end(), drawn.text) == 1);
            QVERIFY(drawn.sequences[0].tokens <= options.maximumTokens);
        }
        // A blank before the answer belongs to its first token.
        options.temperature = 0;
        options.maximumTokens = 64;
        options.oneOf = {"Paris", "Berlin", "Madrid"};
        QCOMPARE(answer({france[0], {"assistant", "The capital of France is "}}, options).text, std::string("Paris"));
        QCOMPARE(answer({france[0], {"assistant", "The capital of Spain is"}}, {}).text.substr(0, 7), std::string(" Madrid"));
    }
    void answersMatchTheirGrammar() {
        GenerateOptions options;
        options.grammar = "root ::= \"{\\\"film\\\": \\\"\" [^\"\\\\\\x00-\\x1F]{1,30} \"\\\", \\\"year\\\": \" (\"19\" | \"20\") [0-9]{2} "
                          "\", \\\"tags\\\": [\" tag (\",\" \" \"? tag){0,2} \"]}\"\n"
                          "tag ::= \"\\\"\" [a-z]{2,12} \"\\\"\"";
        options.temperature = 1;
        qint64 slowest = 0;
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
            options.seed = seed;
            QElapsedTimer timer;
            timer.start();
            const auto written = answer({{"user", "Describe a film as JSON."}}, options);
            slowest = std::max(slowest, timer.elapsed() / std::max<qint64>(1, written.generatedTokens));
            QVERIFY(!written.reachedLimit);
            const auto json = nlohmann::json::parse(written.text, nullptr, false);
            QVERIFY2(json.is_object(), written.text.c_str());
            QVERIFY(json.at("year").is_number() && json.at("tags").size() >= 1 && json.at("tags").size() <= 3);
        }
        qInfo("slowest answer in a given form: %lld ms a token", slowest);
        QCOMPARE(m_model
                     ->generate(france,
                                [] {
                                    GenerateOptions o;
                                    o.grammar = "root ::= x";
                                    return o;
                                }(),
                                {})
                     .error()
                     .code,
                 std::string("CL-2163"));
    }
    void textComesWhileItIsWritten() {
        GenerateOptions options;
        std::vector<std::string> pieces;
        options.onText = [&](std::string_view piece) { pieces.emplace_back(piece); };
        const auto written = answer(france, options);
        QVERIFY(pieces.size() >= 5);
        std::string joined;
        for (const auto& piece : pieces)
            joined += piece;
        QCOMPARE(joined, written.text);
        pieces.clear();
        options.stop = {"nce is Pa"}; // begins and ends inside tokens
        const auto stopped = answer(france, options);
        QCOMPARE(stopped.text, std::string("The capital of Fra"));
        joined.clear();
        for (const auto& piece : pieces)
            joined += piece;
        QCOMPARE(joined, stopped.text);
    }
    void drawsFollowTheSeed() {
        GenerateOptions options;
        options.temperature = 1.2;
        options.topK = 40;
        options.topP = 0.95;
        options.sequences = 3;
        options.maximumTokens = 12;
        const std::vector<ChatMessage> asked{{"user", "Tell a story."}};
        const auto one = answer(asked, options), two = answer(asked, options);
        QCOMPARE(one.sequences.size(), std::size_t(3));
        for (std::size_t i = 0; i < 3; ++i) {
            QCOMPARE(one.sequences[i].text, two.sequences[i].text);
            QCOMPARE(one.sequences[i].logProbability, two.sequences[i].logProbability);
        }
        QVERIFY(one.sequences[0].text != one.sequences[1].text || one.sequences[0].text != one.sequences[2].text);
        options.sequences = 1; // the first of several is the one alone
        QCOMPARE(answer(asked, options).text, one.sequences[0].text);
        options.seed = 2;
        QVERIFY(answer(asked, options).text != one.sequences[0].text);
    }
    void writingLeavesNothingBehind() {
        BranchRequest request;
        request.shared = {{"user", "Is this a film?\n"}};
        request.branches = {"Heat", "Bread"};
        request.answers = {"Yes", "No"};
        const auto before = m_model->scoreBranches(request, {})->logits.values;
        GenerateOptions options;
        options.beams = 3;
        options.maximumTokens = 6;
        const auto first = answer(france, options);
        QVERIFY(m_model->scoreBranches(request, {})->logits.values == before);
        const auto again = answer(france, options);
        QCOMPARE(again.text, first.text);
        QCOMPARE(again.sequences[0].logProbability, first.sequences[0].logProbability);
    }
    void stopsSoonWhenAsked() {
        std::stop_source stop;
        QElapsedTimer sinceAsked;
        GenerateOptions options;
        options.maximumTokens = 2000;
        options.grammar = "root ::= [a-z ]{1,1000}{1,3} \"#\""; // never over by itself soon
        int pieces = 0;
        options.onText = [&](std::string_view) {
            if (++pieces == 10) {
                sinceAsked.start();
                stop.request_stop();
            }
        };
        const auto written = m_model->generate(france, options, RunControl(stop.get_token()));
        QVERIFY(!written);
        QCOMPARE(written.error().code, std::string("CL-7001"));
        qInfo("stopped %lld ms after being asked", sinceAsked.elapsed());
        QVERIFY(sinceAsked.elapsed() < 2000); // generous: other programs may be using the processor
        QCOMPARE(answer(france, {}).text, std::string("The capital of France is Paris."));
    }
    void hiddenStatesAreThoseOfTheWholePrompt() {
        HiddenRequest request;
        request.shared = {{"system", "You judge films."}, {"user", "The viewer liked Alien and Blade Runner.\nFilm: "}};
        request.branches = {"Heat", "Casablanca", "Metropolis", ""};
        request.tail = "\nWould they like it?";
        const auto last = m_model->hiddenStates(request, {});
        QVERIFY(last.has_value());
        QCOMPARE(last->rows.rows, std::size_t(4));
        QCOMPARE(last->rows.columns, std::size_t(576));
        request.pooling = Pooling::mean;
        const auto mean = m_model->hiddenStates(request, {});

        // The same from the decoder itself: one whole prompt per branch.
        const auto source = ModelSource::open(m_model->info().file);
        QVERIFY(source.has_value());
        const auto tokenizer = *(*source)->tokenizer();
        const auto chat = *(*source)->chatTemplate(tokenizer);
        const auto device = openComputeDevice(defaultDevice(), "fp32", 0);
        const auto decoder = *LlamaDecoder::open(*source, *device);
        double ofLast = 0, ofMean = 0;
        for (std::size_t i = 0; i < request.branches.size(); ++i) {
            auto messages = request.shared;
            const std::string head = "The viewer liked Alien and Blade Runner.\nFilm:";
            messages.back().content = head + " " + request.branches[i] + request.tail;
            const std::vector<TokenId> prompt = chat.prompt(messages);
            DecoderCache cache;
            const Matrix all = *decoder->extend(cache, prompt, allRows, {});
            messages.back().content = head;
            const std::size_t begin = chat.openLast(messages).size(), end = prompt.size() - chat.closeAndOpenAssistant().size();
            for (std::size_t k = 0; k < 576; ++k) {
                double sum = 0;
                for (std::size_t row = begin; row < end; ++row)
                    sum += all.row(row)[k];
                ofLast = std::max(ofLast, std::fabs(double(all.row(all.rows - 1)[k]) - last->rows.row(i)[k]));
                ofMean = std::max(ofMean, std::fabs(sum / double(end - begin) - mean->rows.row(i)[k]));
            }
        }
        qInfo("hidden states against whole prompts: last %.2g, mean %.2g", ofLast, ofMean);
        QVERIFY(ofLast < 2e-3 && ofMean < 2e-3);
        QCOMPARE(m_model->hiddenStates({}, {}).error().code, std::string("CL-2091"));
    }
};

QTEST_APPLESS_MAIN(TestGeneration)
#include "test_generation.moc"
