// SPDX-License-Identifier: GPL-3.0-or-later
// Training computes the very tokens that scoring computes for the same prompt and answer, whatever the tokenizer and the chat's style.
#include "base/file.h"
#include "llm/byte_level_bpe.h"
#include "llm/sentence_piece.h"
#include "scoring/prompt_fit.h"
#include "scoring/training/training_text.h"
#include "unit/llm/piece_tables.h"
#include <QTest>

using namespace carousel;

namespace {

const char* const chatMl = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
                           "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const char* const llama2 = "<<SYS>>\\n {{ bos_token + '[INST] ' + message['content'] + ' [/INST]' }}{{ ' ' + content + ' ' + eos_token }}";
const char* const mistral = "{{ bos_token }}{{ '[INST] ' + message['content'] + ' [/INST]' }}{{ message['content'] + eos_token }}";
const char* const zephyr = "{{ '<|user|>\n' + message['content'] + eos_token }}{{ '<|assistant|>' }}";

Result<ChatTemplate> chatOf(const QString& tokenizer, const char* text) {
    std::shared_ptr<const Tokenizer> read;
    if (tokenizer == "smollm") {
        CAROUSEL_ASSIGN(const auto json, StrictJson::read(builder::tinyTokenizers + "smollm.json"));
        CAROUSEL_ASSIGN(read, ByteLevelBpe::fromTokenizerJson(json));
    } else {
        CAROUSEL_ASSIGN(read, SentencePiece::fromFile(builder::tinyTokenizers + tokenizer.toStdString() + ".model"));
    }
    return *text ? ChatTemplate::fromText(text, read, "t") : ChatTemplate::plain(read);
}

// What training computes, with the last answer token that it asks for but does not read.
std::vector<TokenId> allTokens(const TrainingSequence& sequence) {
    auto ids = sequence.tokens;
    ids.push_back(sequence.targets.back().token);
    return ids;
}

} // namespace

class TestTrainingText : public QObject {
    Q_OBJECT
    const FineTuneSettings m_settings;

private slots:
    void trainingReadsWhatScoringReads_data() {
        QTest::addColumn<QString>("tokenizer");
        QTest::addColumn<QByteArray>("chat");
        QTest::addColumn<bool>("asAText"); // whether the answer as a text of its own is read as it is behind the prompt
        QTest::newRow("byte-level BPE, ChatML") << "smollm" << QByteArray(chatMl) << true;
        QTest::newRow("SentencePiece, Llama 2") << "llama2" << QByteArray(llama2) << true; // the style's own blank stands before it
        QTest::newRow("SentencePiece, Mistral") << "llama2" << QByteArray(mistral) << true;
        QTest::newRow("SentencePiece, Zephyr") << "llama2" << QByteArray(zephyr) << false;
        QTest::newRow("byte-level BPE, no template") << "smollm" << QByteArray() << false;
        QTest::newRow("SentencePiece, no template") << "llama2" << QByteArray() << true;
    }
    void trainingReadsWhatScoringReads() {
        QFETCH(QString, tokenizer);
        QFETCH(QByteArray, chat);
        QFETCH(bool, asAText);
        const auto made = chatOf(tokenizer, chat.constData());
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        const std::vector<ChatMessage> closed{{"system", "Judge."}, {"user", "The film: Heat 1995?"}};
        auto open = closed, blank = closed;
        open.push_back({"assistant", "I say:"});
        blank.push_back({"assistant", "I say: "});
        for (const char* answer : {"Yes", "the movie", "No, never"}) {
            QCOMPARE(made->encodeAnswer(answer) == made->tokenizer().encode(answer), asAText);
            const auto text = trainingText(*made, {{closed, answer, 3}, {open, answer, 1}, {blank, answer, 1}}, m_settings, 1024);
            QVERIFY2(text, text ? "" : describe(text.error()).c_str());
            for (std::size_t i = 0; i < 3; ++i) {
                const auto& sequence = text->sequences[i];
                const auto& messages = i == 0 ? closed : i == 1 ? open : blank;
                // As scoring of continuations puts it together.
                const AnswerPrompt prompt = answerPrompt(*made, messages);
                auto scored = prompt.tokens();
                const auto wanted = prompt.answer(*made, answer);
                QCOMPARE(sequence.targets.size(), wanted.size());
                for (std::size_t t = 0; t < wanted.size(); ++t) {
                    QCOMPARE(sequence.targets[t].token, wanted[t]);
                    QCOMPARE(sequence.targets[t].row, static_cast<std::int64_t>(scored.size() - 1 + t));
                }
                scored.insert(scored.end(), wanted.begin(), wanted.end());
                QCOMPARE(allTokens(sequence), scored);
            }
            // As a conversation in which the assistant has said so, and as the answer that branches are scored by.
            auto begun = closed;
            begun.push_back({"assistant", answer});
            QCOMPARE(allTokens(text->sequences[0]), made->prompt(begun));
            QCOMPARE(text->sequences[0].targets[0].token, made->encodeAnswer(answer).front());
            // A blank at the end belongs to the word that follows, as it would in one piece.
            begun = closed;
            begun.push_back({"assistant", std::string("I say: ") + answer});
            QCOMPARE(allTokens(text->sequences[2]), made->prompt(begun));
        }
        FineTuneSettings ending;
        ending.learnEnd = true;
        const auto ended = trainingText(*made, {{closed, "Yes", 1}}, ending, 1024);
        if (made->endOfTurn() < 0) {
            QVERIFY(!ended);
            QCOMPARE(ended.error().code, std::string("CL-2141"));
        } else {
            QVERIFY(ended);
            QCOMPARE(ended->sequences[0].targets.back().token, made->endOfTurn());
        }
    }
    void theMetricComparesTheTokensThatAreScored() {
        for (const char* text : {llama2, zephyr}) {
            const auto chat = chatOf("llama2", text);
            QVERIFY(chat);
            const std::vector<ChatMessage> closed{{"user", "Heat?"}};
            std::vector<FineTuneExample> examples{{closed, "Yes", 1}, {closed, "No", 1}};
            const auto compared = comparedTokens(*chat, examples, "Yes");
            QVERIFY2(compared, compared ? "" : describe(compared.error()).c_str());
            QCOMPARE(*compared, (std::vector<TokenId>{chat->encodeAnswer("Yes").front(), chat->encodeAnswer("No").front()}));
            // Behind an open message without a blank the answer is another word.
            examples.push_back({{{"user", "Heat?"}, {"assistant", "(so:"}}, "No", 1});
            const auto mixed = comparedTokens(*chat, examples, "Yes");
            if (text == zephyr) { // puts no blank before an answer either
                QVERIFY(mixed);
            } else {
                QVERIFY(!mixed);
                QCOMPARE(mixed.error().code, std::string("CL-2141"));
            }
        }
        const auto chat = chatOf("llama2", zephyr);
        const auto same = comparedTokens(*chat, {{{{"user", "?"}}, "Yes", 1}, {{{"user", "?"}}, "Yes, it is", 1}}, "Yes");
        QVERIFY(!same);
        QCOMPARE(same.error().code, std::string("CL-2141"));
    }
    void answersWithoutTokensAreRefused() {
        const auto chat = chatOf("t5", ""); // unigram drops blanks around a text
        QVERIFY(chat);
        const auto none = trainingText(*chat, {{{{"user", "x"}, {"assistant", "so"}}, "  ", 1}}, m_settings, 100);
        QVERIFY(!none);
        QCOMPARE(none.error().code, std::string("CL-2141"));
    }
};

QTEST_APPLESS_MAIN(TestTrainingText)
#include "test_training_text.moc"
