// SPDX-License-Identifier: GPL-3.0-or-later
// Searches against the list of all answers, draws against their probabilities, texts to choose from, stops and streaming.
#include "base/random.h"
#include "base/text.h"
#include "llm/generation/answer_writer.h"
#include "llm/generation/text_choice.h"
#include "llm/generation/text_out.h"
#include "llm/generation/token_choice.h"
#include "token_double.h"
#include <QTest>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <map>
#include <set>

using namespace carousel;

namespace {

struct Listed {
    std::vector<TokenId> tokens;
    double logProbability = 0, score = 0;
    bool ended = false;
};
// Every answer of at most `limit` tokens; token `end` ends one.
void list(std::uint64_t seed, std::size_t vocabulary, TokenId end, std::size_t limit, double penalty, Listed at, std::vector<Listed>& out) {
    if (at.tokens.size() == limit) {
        at.score = at.logProbability / std::pow(double(limit), penalty);
        out.push_back(at);
        return;
    }
    for (TokenId token = 0; token < static_cast<TokenId>(vocabulary); ++token) {
        Listed next = at;
        next.logProbability += hashedLogProbability(seed, vocabulary, at.tokens, token);
        if (token == end) {
            next.ended = true;
            next.score = next.logProbability / std::pow(double(at.tokens.size() + 1), penalty);
            out.push_back(next);
            continue;
        }
        next.tokens.push_back(token);
        list(seed, vocabulary, end, limit, penalty, next, out);
    }
}
SearchTask taskFor(const TokenDouble& tokens, std::int64_t limit) {
    SearchTask task;
    task.ends = {tokens.end()};
    task.limit = limit;
    task.bytesOf = [&tokens](TokenId id) { return tokens.tokens[static_cast<std::size_t>(id)]; };
    return task;
}
// Logits that are the logarithms of given probabilities after each beginning.
NextLogits modelOf(std::map<std::vector<TokenId>, std::vector<double>> probabilities) {
    return [=](std::span<const std::vector<TokenId>> answers, const RunControl&) -> Result<Matrix> {
        Matrix logits(answers.size(), probabilities.begin()->second.size());
        for (std::size_t i = 0; i < answers.size(); ++i)
            for (std::size_t token = 0; token < logits.columns; ++token)
                logits.row(i)[token] = static_cast<float>(std::log(probabilities.at(answers[i])[token]));
        return logits;
    };
}
double chiSquareProbability(const std::vector<double>& expected, const std::vector<int>& counts) {
    double sum = 0;
    int cells = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (expected[i] > 0)
            sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i], ++cells;
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared(cells - 1), sum));
}

} // namespace

class TestTokenSearch : public QObject {
    Q_OBJECT
private slots:
    void greedyTakesTheBestTokenEachTime() {
        const TokenDouble tokens({"a", "b", "c", "d"});
        for (std::uint64_t seed = 1; seed <= 50; ++seed) {
            const auto found = searchAnswers(hashedModel(seed, 5), taskFor(tokens, 6), {});
            QVERIFY(found.has_value());
            std::vector<TokenId> expected;
            bool ended = false;
            double logProbability = 0;
            while (!ended && expected.size() < 6) {
                TokenId best = 0;
                for (TokenId token = 1; token < 5; ++token)
                    if (hashedLogit(seed, expected, token) > hashedLogit(seed, expected, best))
                        best = token;
                logProbability += hashedLogProbability(seed, 5, expected, best);
                ended = best == 4;
                if (!ended)
                    expected.push_back(best);
            }
            QCOMPARE(found->front().tokens, expected);
            QCOMPARE(found->front().ended, ended);
            QVERIFY(std::fabs(found->front().logProbability - logProbability) < 1e-6);
            QCOMPARE(found->front().text, tokens.decodeBytes(expected));
        }
    }
    void beamsThatHoldEverythingFindTheBestOfAll() {
        const TokenDouble tokens({"a", "b", "c"});
        for (const double penalty : {1.0, 0.0, 2.0, -0.5})
            for (std::uint64_t seed = 1; seed <= 20; ++seed) {
                std::vector<Listed> all;
                list(seed, 4, 3, 4, penalty, {}, all);
                std::stable_sort(all.begin(), all.end(), [](const Listed& a, const Listed& b) { return a.score > b.score; });
                SearchTask task = taskFor(tokens, 4);
                task.options.beams = 200; // 3^4 answers are the most at one time
                task.options.sequences = 10;
                task.options.lengthPenalty = penalty;
                const auto found = searchAnswers(hashedModel(seed, 4), task, {});
                QVERIFY(found.has_value());
                QCOMPARE(found->size(), std::size_t(10));
                for (std::size_t i = 0; i < 10; ++i) {
                    QVERIFY(std::fabs((*found)[i].score - all[i].score) < 1e-6);
                    QVERIFY(std::fabs((*found)[i].logProbability - all[i].logProbability) < 1e-6);
                    QCOMPARE((*found)[i].tokens, all[i].tokens);
                    QCOMPARE((*found)[i].ended, all[i].ended);
                }
            }
    }
    void whatMustFollowIsReadAtOnce() {
        for (std::uint64_t seed = 1; seed <= 30; ++seed) {
            RandomStream random(seed, "texts");
            std::vector<std::vector<TokenId>> texts;
            while (texts.size() < 12) { // some begin each other, some share a beginning; all have a single way on at their end
                std::vector<TokenId> text;
                for (auto left = 1 + random.below(20); left-- > 0;)
                    text.push_back(static_cast<TokenId>(random.below(text.size() < 2 ? 3 : 6)));
                if (std::find(texts.begin(), texts.end(), text) == texts.end())
                    texts.push_back(text);
            }
            std::vector<std::string> names;
            for (std::size_t i = 0; i < texts.size(); ++i)
                names.push_back(std::to_string(i));
            auto choice = *TextChoice::make(names, [&](const std::string& name) { return texts[std::stoul(name)]; }, {});
            const TokenDouble tokens({"a", "b", "c", "d", "e", "f"});
            SearchTask task = taskFor(tokens, 20);
            task.constraint = &choice;
            task.options.beams = task.options.sequences = 12;
            task.options.lengthPenalty = 0;
            std::size_t calls = 0, longest = 0;
            std::set<std::vector<TokenId>> computed;
            const auto model = hashedModel(seed, 7);
            const auto found = searchAnswers(
                [&](std::span<const std::vector<TokenId>> answers, const RunControl& control) {
                    ++calls;
                    for (const auto& answer : answers) // nothing is computed twice
                        if (!computed.insert(answer).second)
                            qFatal("an answer was asked for twice");
                    return model(answers, control);
                },
                task, {});
            QVERIFY(found.has_value());
            QCOMPARE(found->size(), texts.size());
            std::set<std::int64_t> different;
            for (const FoundAnswer& answer : *found) {
                const auto text = choice.textOf(*answer.state);
                QVERIFY(different.insert(text).second);
                QCOMPARE(answer.tokens, texts[static_cast<std::size_t>(text)]);
                double logProbability = hashedLogProbability(seed, 7, answer.tokens, tokens.end());
                for (std::size_t i = 0; i < answer.tokens.size(); ++i)
                    logProbability += hashedLogProbability(seed, 7, std::span(answer.tokens).first(i), answer.tokens[i]);
                QVERIFY(std::fabs(answer.logProbability - logProbability) < 1e-6);
                longest = std::max(longest, answer.tokens.size());
            }
            QVERIFY2(calls < longest / 2 + 2, qPrintable(QString("%1 calls for %2 tokens").arg(calls).arg(longest)));
        }
    }
    void twoBeamsSeeWhatGreedyMisses() {
        // By hand: a b has 0.5 x 0.4 = 0.2, b a has 0.4 x 0.9 = 0.36; greedy begins with a. Token 2 ends.
        const auto model = modelOf({{{}, {0.5, 0.4, 0.1}},
                                    {{0}, {0.3, 0.4, 0.3}},
                                    {{1}, {0.9, 0.05, 0.05}},
                                    {{0, 1}, {0.01, 0.01, 0.98}},
                                    {{1, 0}, {0.01, 0.01, 0.98}},
                                    {{0, 0}, {0.1, 0.1, 0.8}},
                                    {{1, 1}, {0.1, 0.1, 0.8}}});
        const TokenDouble tokens({"a", "b"});
        SearchTask task = taskFor(tokens, 3);
        QCOMPARE(searchAnswers(model, task, {})->front().text, std::string("ab"));
        task.options.beams = task.options.sequences = 2;
        task.options.lengthPenalty = 0;
        const auto found = *searchAnswers(model, task, {});
        QCOMPARE(found.size(), std::size_t(2));
        QCOMPARE(found[0].text, std::string("ba"));
        QVERIFY(std::fabs(found[0].logProbability - std::log(0.4 * 0.9 * 0.98)) < 1e-6);
        QCOMPARE(found[1].text, std::string("ab"));
        task.options.lengthPenalty = 1;
        QVERIFY(std::fabs(searchAnswers(model, task, {})->front().score - std::log(0.4 * 0.9 * 0.98) / 3) <
                1e-6); // three tokens, the end is one
    }
    void drawsHaveTheirProbabilities() {
        const TokenDouble tokens({"a", "b"});
        std::vector<Listed> all;
        list(7, 3, 2, 3, 0, {}, all);
        std::map<std::pair<std::vector<TokenId>, bool>, std::size_t> place;
        std::vector<double> expected;
        const int draws = 20000;
        for (const Listed& one : all) {
            place[{one.tokens, one.ended}] = expected.size();
            expected.push_back(draws * std::exp(one.logProbability));
        }
        std::vector<int> counts(expected.size());
        SearchTask task = taskFor(tokens, 3);
        task.options.temperature = 1;
        task.options.sequences = 1000;
        for (int round = 0; round < draws / 1000; ++round) {
            task.options.seed = static_cast<std::uint64_t>(round + 1);
            const auto found = searchAnswers(hashedModel(7, 3), task, {});
            for (const FoundAnswer& answer : *found)
                ++counts[place.at({answer.tokens, answer.ended})];
        }
        const double probability = chiSquareProbability(expected, counts);
        qInfo("%zu answers, %d draws: probability of so large a chi-square %.3f", expected.size(), draws, probability);
        QVERIFY(probability > 0.001);
    }
    void topKAndTopPCutAndRescale() {
        // Weights 8 4 2 1 1 of 16: topK 3 leaves 8 4 2; topP 0.8 of these 14 (11.2) leaves 8 4.
        std::vector<float> logits;
        for (const double weight : {1.0, 8.0, 2.0, 4.0, 1.0})
            logits.push_back(static_cast<float>(std::log(weight)));
        GenerateOptions options;
        options.temperature = 1;
        const auto counts = [&](std::span<const TokenId> among) {
            RandomStream random(5, "generate");
            std::vector<int> out(5);
            for (int i = 0; i < 14000; ++i)
                ++out[static_cast<std::size_t>(chooseToken(logits, options, random, among))];
            return out;
        };
        options.topK = 3;
        QVERIFY(chiSquareProbability({0, 8000, 2000, 4000, 0}, counts({})) > 0.001);
        QCOMPARE(counts({})[0] + counts({})[4], 0);
        options.topP = 0.8;
        auto cut = counts({});
        QVERIFY(chiSquareProbability({0, 14000 * 8 / 12.0, 0, 14000 * 4 / 12.0, 0}, cut) > 0.001);
        QCOMPARE(cut[0] + cut[2] + cut[4], 0);
        options = {};
        options.temperature = 1;
        const std::vector<TokenId> among{0, 2};
        cut = counts(among);
        QVERIFY(chiSquareProbability({14000 / 3.0, 0, 14000 * 2 / 3.0, 0, 0}, cut) > 0.001);
        QCOMPARE(cut[1] + cut[3] + cut[4], 0);
        options.temperature = 0;
        RandomStream random(1, "generate");
        QCOMPARE(chooseToken(logits, options, random, among), 2);
    }
    void repetitionIsPenalised() {
        std::vector<float> logits{2, -1, 3};
        penaliseRepetition(logits, std::vector<TokenId>{0, 1, 0}, 2);
        QCOMPARE(logits, (std::vector<float>{1, -2, 3}));
        const auto always = [](std::span<const std::vector<TokenId>>, const RunControl&) -> Result<Matrix> {
            Matrix row(1, 3);
            row.values = {2, 1.5f, 0};
            return row;
        };
        const TokenDouble tokens({"a", "b"});
        SearchTask task = taskFor(tokens, 4);
        QCOMPARE(searchAnswers(always, task, {})->front().text, std::string("aaaa"));
        task.options.repetitionPenalty = 2;
        QCOMPARE(searchAnswers(always, task, {})->front().text, std::string("abaa"));
    }
    void stopsAreFoundAcrossTokensAndNeverGivenOut() {
        // The model writes "one two three" byte by byte or in larger pieces; the stop lies across them.
        for (const std::vector<std::string>& longer :
             std::vector<std::vector<std::string>>{{}, {"e t", "wo t", "hre"}, {"one", " two", " three"}}) {
            const auto tokens = std::make_shared<TokenDouble>(TokenDouble::ofBytesAnd(longer));
            const auto ids = tokens->encode("one two three");
            const NextLogits model = [&](std::span<const std::vector<TokenId>> answers, const RunControl&) -> Result<Matrix> {
                Matrix logits(answers.size(), tokens->vocabularySize());
                for (std::size_t i = 0; i < answers.size(); ++i) // 10 for the text's own next token
                    logits.row(i)[static_cast<std::size_t>(answers[i].size() < ids.size() ? ids[answers[i].size()] : tokens->end())] = 10;
                return logits;
            };
            for (const int beams : {1, 3}) {
                AnswerWriter writer(tokens);
                GenerateOptions options;
                std::string heard;
                options.onText = [&](std::string_view piece) { heard += piece; };
                options.beams = beams;
                auto written = writer.write(options, {{tokens->end()}, 64}, model, {});
                QCOMPARE(written->text, std::string("one two three"));
                QCOMPARE(heard, written->text);
                QVERIFY(!written->reachedLimit);
                heard.clear();
                options.stop = {"zz", "two th"};
                written = writer.write(options, {{tokens->end()}, 64}, model, {});
                QCOMPARE(written->text, std::string("one "));
                QCOMPARE(heard, written->text);
                QVERIFY(!written->reachedLimit);
                heard.clear();
                options.stop.clear();
                written = writer.write(options, {{tokens->end()}, 2}, model, {});
                QVERIFY(written->reachedLimit);
                QCOMPARE(heard, written->text);
                QCOMPARE(written->sequences.front().tokens, 2);
            }
        }
    }
    void textIsGivenOutInWholeCharacters() {
        const std::string alphabet[] = {"a", "b", "ü", "€", "𝄞", "\xE2", "\x82", "\xF0\x9D", "\xFF", "\xC3"};
        for (std::uint64_t round = 0; round < 3000; ++round) {
            RandomStream random(round, "pieces");
            std::string all;
            for (auto left = random.below(12); left-- > 0;)
                all += alphabet[random.below(10)];
            std::vector<std::string> stops;
            for (auto left = random.below(3); left-- > 0;)
                stops.push_back(alphabet[random.below(5)] + alphabet[random.below(5)]);
            std::vector<std::string> pieces;
            TextOut out(stops, [&](std::string_view piece) { pieces.emplace_back(piece); });
            bool stopped = false;
            for (std::size_t at = 0; at < all.size() && !stopped;) {
                const std::size_t bytes = 1 + random.below(3);
                stopped = out.add(std::string_view(all).substr(at, bytes));
                at += bytes;
            }
            out.finish();
            const std::string expected = replaceInvalidUtf8(all.substr(0, firstStop(all, stops)));
            std::string joined;
            for (const auto& piece : pieces) {
                QCOMPARE(firstInvalidUtf8(piece), std::string::npos);
                joined += piece;
            }
            QCOMPARE(joined, expected);
            QCOMPARE(out.text(), expected);
            QCOMPARE(stopped, firstStop(all, stops) != std::string::npos);
        }
    }
    void stopsBetweenStepsWhenAsked() {
        const TokenDouble tokens({"a", "b", "c"});
        std::stop_source stop;
        int steps = 0;
        const NextLogits model = [&](std::span<const std::vector<TokenId>> answers, const RunControl&) -> Result<Matrix> {
            if (++steps == 3)
                stop.request_stop();
            Matrix logits(answers.size(), 4);
            logits.row(0)[0] = 1;
            return logits;
        };
        for (const int beams : {1, 2}) {
            steps = 0;
            stop = {};
            SearchTask task = taskFor(tokens, 50);
            task.options.beams = beams;
            const auto found = searchAnswers(model, task, RunControl(stop.get_token()));
            QVERIFY(!found);
            QCOMPARE(found.error().code, std::string("CL-7001"));
            QCOMPARE(steps, 3);
        }
    }
    void optionsThatContradictAreRefused() {
        const auto code = [](auto change) {
            GenerateOptions options;
            change(options);
            const auto checked = checkOptions(options);
            return checked ? std::string() : checked.error().code;
        };
        QCOMPARE(code([](auto&) {}), std::string());
        QCOMPARE(code([](auto& o) { o.temperature = -1; }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.temperature = std::nan(""); }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.topP = 0; }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.topK = -1; }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.beams = 2, o.temperature = 1; }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.sequences = 2; }), std::string("CL-2166"));
        QCOMPARE(code([](auto& o) { o.sequences = 2, o.temperature = 1; }), std::string());
        QCOMPARE(code([](auto& o) { o.oneOf = {"a"}, o.grammar = "root ::= \"a\""; }), std::string("CL-2166"));
    }
    void badLogitsAreRefused() {
        const TokenDouble tokens({"a"});
        const NextLogits model = [](std::span<const std::vector<TokenId>> answers, const RunControl&) -> Result<Matrix> {
            Matrix logits(answers.size(), 2);
            logits.row(0)[1] = std::nanf("");
            return logits;
        };
        SearchTask task = taskFor(tokens, 5);
        QCOMPARE(searchAnswers(model, task, {}).error().code, std::string("CL-2168"));
        task.options.beams = 2;
        QCOMPARE(searchAnswers(model, task, {}).error().code, std::string("CL-2168"));
    }

    void everyAnswerIsOneOfTheTexts() {
        const auto tokens =
            std::make_shared<TokenDouble>(TokenDouble::ofBytesAnd({"He", "Heat", " the", "The", "ea", " (19", "95)", "er"}));
        AnswerWriter writer(tokens);
        int invalid = 0;
        for (std::uint64_t round = 0; round < 1000; ++round) {
            RandomStream random(round, "titles");
            std::vector<std::string> texts;
            for (auto left = 1 + random.below(20); left-- > 0;) {
                const char* const parts[] = {"Heat", "He", "The", " the", " (1995)", "er", "é", " ", "x"};
                std::string text = parts[random.below(3)];
                for (auto more = random.below(4); more-- > 0;)
                    text += parts[random.below(9)];
                texts.push_back(random.below(5) == 0 && !texts.empty() ? texts[random.below(texts.size())] : text); // some twice
            }
            GenerateOptions options;
            options.oneOf = texts;
            options.temperature = round % 3 == 0 ? 1.5 : 0;
            options.beams = round % 3 == 1 ? 4 : 1;
            options.sequences = options.beams;
            options.seed = round;
            const std::string before = round % 2 ? " " : ""; // as a prompt that ends with a blank asks for
            AnswerWriter::Setting setting{{tokens->end()}, 64};
            setting.spell = [&](const std::string& text) { return tokens->encode(before + text); };
            setting.spelling = before;
            const auto written = writer.write(options, setting, hashedModel(round, tokens->vocabularySize()), {});
            QVERIFY2(written.has_value(), written ? "" : describe(written.error()).c_str());
            std::set<std::string> different;
            for (const auto& sequence : written->sequences) {
                invalid += std::count(texts.begin(), texts.end(), sequence.text) == 0;
                QVERIFY(different.insert(sequence.text).second);
                QVERIFY(!sequence.reachedLimit);
            }
            QCOMPARE(different.size(), std::min<std::size_t>(static_cast<std::size_t>(options.sequences),
                                                             std::set<std::string>(texts.begin(), texts.end()).size()));
        }
        QCOMPARE(invalid, 0);
    }
    void beamsOverTextsRankThemByProbability() {
        const auto tokens = std::make_shared<TokenDouble>(TokenDouble::ofBytesAnd({"He", "Heat", " 2", "at"}));
        const std::vector<std::string> texts{"Heat 2", "Heat", "He", "Hat", "Heat", ""};
        for (std::uint64_t seed = 1; seed <= 30; ++seed) {
            std::vector<std::pair<double, std::string>> expected;
            for (const std::string& text : {texts[0], texts[1], texts[2], texts[3], texts[5]}) {
                std::vector<TokenId> ids = tokens->encode(text), before;
                ids.push_back(tokens->end());
                double sum = 0;
                for (const TokenId id : ids) {
                    sum += hashedLogProbability(seed, tokens->vocabularySize(), before, id);
                    before.push_back(id);
                }
                expected.emplace_back(sum, text);
            }
            std::sort(expected.rbegin(), expected.rend());
            AnswerWriter writer(tokens);
            GenerateOptions options;
            options.oneOf = texts;
            options.beams = options.sequences = 8;
            options.lengthPenalty = 0;
            const auto written = writer.write(options, {{tokens->end()}, 10}, hashedModel(seed, tokens->vocabularySize()), {});
            QCOMPARE(written->sequences.size(), expected.size());
            for (std::size_t i = 0; i < expected.size(); ++i) {
                QCOMPARE(written->sequences[i].text, expected[i].second);
                QVERIFY(std::fabs(written->sequences[i].logProbability - expected[i].first) < 1e-6);
            }
        }
    }
    void aLimitLeavesOutTextsThatDoNotFit() {
        const auto tokens = std::make_shared<TokenDouble>(TokenDouble::ofBytesAnd({}));
        AnswerWriter writer(tokens);
        GenerateOptions options;
        options.oneOf = {"abcdef", "abc", "abcd"};
        for (std::uint64_t seed = 1; seed < 20; ++seed) {
            const auto written = writer.write(options, {{tokens->end()}, 3}, hashedModel(seed, 257), {});
            QCOMPARE(written->text, std::string("abc"));
        }
        const auto refused = writer.write(options, {{tokens->end()}, 2}, hashedModel(1, 257), {});
        QCOMPARE(refused.error().code, std::string("CL-2161"));
        QVERIFY(refused.error().message.find("3 tokens") != std::string::npos);
        const auto few = std::make_shared<TokenDouble>(std::vector<std::string>{"a", "b"});
        options.oneOf = {"ab", "xyz"};
        QCOMPARE(AnswerWriter(few).write(options, {{few->end()}, 9}, hashedModel(1, 3), {}).error().code, std::string("CL-2160"));
    }
};

QTEST_APPLESS_MAIN(TestTokenSearch)
#include "test_token_search.moc"
