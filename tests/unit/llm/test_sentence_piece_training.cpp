// SPDX-License-Identifier: GPL-3.0-or-later
// Tokenizers made from texts.
#include "llm/sentence_piece.h"
#include "llm/sentence_piece_training.h"
#include "llm/t5_tokenizer.h"
#include <QTest>

using namespace carousel;

namespace {

std::vector<std::string> someTexts(int count) {
    const char* const words[] = {"user", "history", "movie", "rating", "likes", "seventh", "galaxy", "stories", "purple", "winter"};
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i)
        texts.push_back(fmt::format("{} {} of <A{}><B{}> , {} {}?", words[i % 10], words[i * 7 % 9], i % 3, i % 2, words[i * 3 % 8], i));
    return texts;
}
const std::vector<std::string> symbols{"<A0>", "<A1>", "<A2>", "<B0>", "<B1>"};

std::string codeOf(const SentencePieceTraining& training) {
    const auto model = trainSentencePiece(training, {});
    return model ? "" : model.error().code;
}

} // namespace

class TestSentencePieceTraining : public QObject {
    Q_OBJECT
private slots:
    void theModelHasTheTokensOfT5AndTheSymbols() {
        const auto model = trainSentencePiece({someTexts(300), 90, symbols}, {});
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        const auto tokenizer = SentencePiece::fromModel(*model, {}, "made here");
        QVERIFY2(tokenizer, tokenizer ? "" : describe(tokenizer.error()).c_str());
        const SentencePiece& t = **tokenizer;
        QCOMPARE(t.vocabularySize(), std::size_t(90));
        QCOMPARE(t.control("<pad>"), std::optional<TokenId>(0));
        QCOMPARE(t.control("</s>"), std::optional<TokenId>(1));
        QCOMPARE(t.control("<unk>"), std::optional<TokenId>(2));
        QVERIFY(!t.beginOfText());
        for (const auto& symbol : symbols) {
            const auto ids = t.encodeMiddle("x" + symbol + symbol + "x");
            QCOMPARE(ids.size(), std::size_t(4));
            QCOMPARE(ids[1], ids[2]);
            QCOMPARE(t.decode(std::span(ids).subspan(1, 1)), symbol);
        }
        const std::string text = "history of <A2><B1> , winter 17?";
        QCOMPARE(t.decode(t.encode(text)), " " + text);
        for (const TokenId id : t.encode(text))
            QVERIFY(id > 2); // nothing unknown
        const auto begins = wordBeginnings(t, 90);
        int words = 0;
        for (const TokenId id : t.encode(text))
            words += begins[static_cast<std::size_t>(id)];
        QCOMPARE(words, 6); // history, of, <A2><B1>, the comma, winter, 17?
        QCOMPARE(begins[1] + begins[2] + begins[static_cast<std::size_t>(t.encodeMiddle("<A0>").front())], 0);
    }
    void theSameTextsGiveTheSameBytes() {
        const SentencePieceTraining training{someTexts(400), 80, symbols};
        QVERIFY(*trainSentencePiece(training, {}) == *trainSentencePiece(training, {}));
        auto fewer = training;
        fewer.texts.resize(200);
        QVERIFY(*trainSentencePiece(training, {}) != *trainSentencePiece(fewer, {}));
    }
    void fewTextsGiveFewerPieces() {
        const auto model = trainSentencePiece({{"abc abd", "abe abf"}, 2000, symbols}, {});
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        const auto size = (*SentencePiece::fromModel(*model, {}, "small"))->vocabularySize();
        QVERIFY2(size >= 14 && size < 60, std::to_string(size).c_str()); // a to f, the blank, five symbols, three of T5 at least
    }
    void whatCannotBeIsRefused() {
        const auto texts = someTexts(100);
        QCOMPARE(codeOf({{}, 100, {}}), std::string("CL-2172"));
        QCOMPARE(codeOf({{" ", "\xff"}, 100, {}}), std::string("CL-2172"));
        QCOMPARE(codeOf({texts, 15, {}}), std::string("CL-2172"));
        QCOMPARE(codeOf({texts, 20, {}}), std::string("CL-2172")); // has more characters
        for (const std::vector<std::string>& bad : {std::vector<std::string>{"<A 1>"}, {"a,b"}, {""}, {"<X>", "<X>"}, {"<unk>"}, {"\"q\""}})
            QCOMPARE(codeOf({texts, 100, bad}), std::string("CL-2172"));
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(trainSentencePiece({texts, 100, {}}, RunControl(stop.get_token())).error().code, std::string("CL-7001"));
    }
};

QTEST_GUILESS_MAIN(TestSentencePieceTraining)
#include "test_sentence_piece_training.moc"
