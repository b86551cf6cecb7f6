// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/text_out.h"
#include "llm/generation/token_choice.h"
#include "scoring/pooling.h"
#include "scoring/prompt_fit.h"
#include <QTest>
#include <cmath>

using namespace carousel;

class TestPromptAndChoice : public QObject {
    Q_OBJECT
private slots:
    void cutsOnlyTheOldestContent() {
        OpenPrompt prompt{{1, 2, 3}, {10, 11, 12, 13, 14}, ""};
        QCOMPARE(*fitPrompt(prompt, 4, 12), false);
        QCOMPARE(prompt.tokens(), (std::vector<TokenId>{1, 2, 3, 10, 11, 12, 13, 14}));
        QCOMPARE(*fitPrompt(prompt, 4, 10), true);
        QCOMPARE(prompt.tokens(), (std::vector<TokenId>{1, 2, 3, 12, 13, 14}));
        const auto refused = fitPrompt(prompt, 4, 6);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("CL-2090"));
        QVERIFY(refused.error().message.find("7 tokens") != std::string::npos);
    }
    void greedyTakesTheFirstOfEqualLogits() {
        RandomStream random(1, "generate");
        QCOMPARE(chooseToken(std::vector<float>{0.f, 3.f, -1.f, 3.f}, {}, random), 1);
    }
    void drawsFollowTemperatureAndTopP() {
        GenerateOptions options;
        options.temperature = 0.5;
        const std::vector<float> logits{std::log(2.f), std::log(1.f), -50.f}; // at temperature 0.5: weights 4 and 1
        RandomStream random(3, "generate");
        int counts[3] = {};
        for (int i = 0; i < 10000; ++i)
            ++counts[chooseToken(logits, options, random)];
        QVERIFY(std::abs(counts[0] - 8000) < 200);
        QCOMPARE(counts[2], 0);
        options.topP = 0.7; // the first token alone holds 0.8
        for (int i = 0; i < 100; ++i)
            QCOMPARE(chooseToken(logits, options, random), 0);
    }
    void findsTheEarliestStop() {
        QCOMPARE(firstStop("one two three", {"three", "two", ""}), std::size_t(4));
        QCOMPARE(firstStop("one", {"two"}), std::string::npos);
    }
    void poolsToLengthOne() {
        Matrix hidden(3, 2);
        hidden.values = {1, 0, 3, 4, 100, 100};
        std::vector<float> out(2);
        poolAndNormalise(hidden, 0, 2, Pooling::mean, out);
        QVERIFY(std::fabs(out[0] - std::sqrt(0.5f)) < 1e-6f && std::fabs(out[1] - std::sqrt(0.5f)) < 1e-6f);
        poolAndNormalise(hidden, 0, 2, Pooling::last, out);
        QVERIFY(std::fabs(out[0] - 0.6f) < 1e-6f && std::fabs(out[1] - 0.8f) < 1e-6f);
    }
};

QTEST_APPLESS_MAIN(TestPromptAndChoice)
#include "test_prompt_and_choice.moc"
