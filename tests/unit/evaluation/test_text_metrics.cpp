// SPDX-License-Identifier: GPL-3.0-or-later
// Metrics of written answers: values worked by hand, the papers' own examples, edges, and intervals.
#include "evaluation/metrics/text/text_features.h"
#include "evaluation/metrics/text/text_metrics.h"
#include <QTest>
#include <cmath>
#include <set>

using namespace carousel;

namespace {

bool near(double a, double b) { return std::abs(a - b) < 1e-12; }

std::vector<TextMetricValue> evaluated(const std::vector<WrittenAnswer>& answers, const std::vector<std::string>& features = {}, int bootstrap = 0) {
    auto values = evaluateTexts(answers, features, {.bootstrap = bootstrap}, {});
    if (!values)
        qFatal("%s", describe(values.error()).c_str());
    return *values;
}
const TextMetricValue& of(const std::vector<TextMetricValue>& values, TextMetric metric) { return values[static_cast<std::size_t>(metric)]; }

} // namespace

class TestTextMetrics : public QObject {
    Q_OBJECT
private slots:
    void tokens_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("tokens");
        QTest::newRow("signs") << "Chef's knife, 20 cm" << QStringList{"chef", "'", "s", "knife", ",", "20", "cm"};
        QTest::newRow("empty") << "" << QStringList{};
        QTest::newRow("blank") << " \t\n " << QStringList{};
        QTest::newRow("dots") << "..." << QStringList{".", ".", "."};
        QTest::newRow("umlauts") << "ÄRMEL Größe" << QStringList{"ärmel", "größe"};
        QTest::newRow("composed") << QString::fromUtf8("cafe\u0301") << QStringList{QString::fromUtf8("caf\u00e9")};
        QTest::newRow("number") << "3.5x" << QStringList{"3", ".", "5x"};
        QTest::newRow("money") << "€20" << QStringList{"€", "20"};
        QTest::newRow("no-break blank") << QString::fromUtf8("a\u00a0b") << QStringList{"a", "b"};
    }
    void tokens() {
        QFETCH(QString, text);
        QFETCH(QStringList, tokens);
        QStringList got;
        for (const auto& token : textTokens(text.toStdString()))
            got << QString::fromStdString(token);
        QCOMPARE(got, tokens);
    }
    void badBytesAreBlanks() {
        QCOMPARE(textTokens("zip\xff\xfeseams"), (TextTokens{"zip", "seams"}));
        QCOMPARE(textTokens("\xc3"), TextTokens{});
    }
    void everyDefinitionStandsAtItsPlace() {
        const auto& list = textMetricDefinitions();
        std::set<std::string> ids;
        for (std::size_t i = 0; i < list.size(); ++i) {
            QCOMPARE(static_cast<std::size_t>(list[i].metric), i);
            QVERIFY(!list[i].label.empty() && !list[i].formula.empty() && !list[i].source.empty());
            ids.insert(list[i].id);
        }
        QCOMPARE(ids.size(), list.size());
    }
    // Papineni et al., section 2.1.1, example 2: "the" seven times, clipped at the reference's two.
    void bleuClips() {
        const auto counts = bleuCounts(textTokens("the the the the the the the"), textTokens("the cat is on the mat"));
        QCOMPARE(counts.matches[0], std::int64_t(2));
        QCOMPARE(counts.possible[0], std::int64_t(7));
        QCOMPARE(counts.matches[1], std::int64_t(0));
        QCOMPARE(counts.possible[1], std::int64_t(6));
        QVERIFY(near(bleu(counts, 1, BleuSmoothing::none), 2.0 / 7));
        QCOMPARE(bleu(counts, 2, BleuSmoothing::none), 0.0);
        QVERIFY(near(bleu(counts, 2, BleuSmoothing::addOne), std::sqrt(2.0 / 7 * 1.0 / 7)));
    }
    void bleuByHand() {
        // answer 4 words, reference 6: matches 4, 3, 2, 1 of 4, 3, 2, 1; brevity exp(1 - 6/4)
        const auto shorter = bleuCounts(textTokens("the zip runs well"), textTokens("the zip runs well in winter"));
        for (int n = 1; n <= 4; ++n)
            QVERIFY(near(bleu(shorter, n, BleuSmoothing::none), std::exp(-0.5)));
        // answer "a b c x", reference "a b c d": 3/4, 2/3, 1/2, 0/1; equal length
        const auto counts = bleuCounts(textTokens("a b c x"), textTokens("a b c d"));
        QVERIFY(near(bleu(counts, 1, BleuSmoothing::none), 0.75));
        QVERIFY(near(bleu(counts, 2, BleuSmoothing::none), std::sqrt(0.75 * 2 / 3)));
        QVERIFY(near(bleu(counts, 3, BleuSmoothing::none), std::cbrt(0.75 * 2 / 3 * 0.5)));
        QCOMPARE(bleu(counts, 4, BleuSmoothing::none), 0.0);
        QVERIFY(near(bleu(counts, 4, BleuSmoothing::addOne), std::pow(0.75 * (3.0 / 4) * (2.0 / 3) * (1.0 / 2), 0.25)));
        QCOMPARE(bleu(bleuCounts({}, textTokens("a")), 1, BleuSmoothing::addOne), 0.0);
        QCOMPARE(bleu(bleuCounts(textTokens("b"), textTokens("a")), 4, BleuSmoothing::addOne), 0.0);
        // One word that is right: no 2-gram at all, so 0 without smoothing; (0+1)/(0+1) with.
        QCOMPARE(bleu(bleuCounts(textTokens("a"), textTokens("a")), 2, BleuSmoothing::none), 0.0);
        QVERIFY(near(bleu(bleuCounts(textTokens("a"), textTokens("a")), 4, BleuSmoothing::addOne), 1));
    }
    void corpusBleuAddsCountsFirst() {
        // "a b" / "a b" (2 of 2, 1 of 1) and "x y" / "x z" (1 of 2, 0 of 1): p1 = 3/4, p2 = 1/2. The mean of the single ones would differ.
        const auto values = evaluated({{"a b", "a b", ""}, {"x y", "x z", ""}});
        QVERIFY(near(of(values, TextMetric::bleu1).value, 0.75));
        QVERIFY(near(of(values, TextMetric::bleu2).value, std::sqrt(0.75 * 0.5)));
        QCOMPARE(of(values, TextMetric::bleu3).value, 0.0);
        QCOMPARE(of(values, TextMetric::bleu2).perAnswer[0], 1.0f);
        QVERIFY(std::abs(of(values, TextMetric::bleu2).perAnswer[1] - std::sqrt(0.25)) < 1e-6); // sqrt(1/2 * (0+1)/(1+1))
    }
    // Lin 2004, section 3: reference "police killed the gunman"; "police kill the gunman" and "the gunman kill police" share the same
    // 2-gram with it, and ROUGE-L tells them apart: 3/4 and 2/4.
    void rougeOfThePaper() {
        const auto reference = textTokens("police killed the gunman");
        const auto second = textTokens("police kill the gunman"), third = textTokens("the gunman kill police");
        QVERIFY(near(rougeN(second, reference, 2).f1, 1.0 / 3) && near(rougeN(third, reference, 2).f1, 1.0 / 3));
        QVERIFY(near(rougeL(second, reference).f1, 0.75));
        QVERIFY(near(rougeL(third, reference).f1, 0.5));
        QVERIFY(near(rougeL(textTokens("the gunman police killed"), reference).f1, 0.5));
    }
    void rougeByHand() {
        const auto score = rougeN(textTokens("zip zip zip good"), textTokens("zip zip bad"), 1); // 2 of 4, 2 of 3
        QVERIFY(near(score.precision, 0.5) && near(score.recall, 2.0 / 3) && near(score.f1, 4.0 / 7));
        QCOMPARE(rougeN({}, textTokens("a"), 1).f1, 0.0);
        QCOMPARE(rougeN(textTokens("a"), textTokens("a"), 2).f1, 0.0); // one word has no 2-gram
        QCOMPARE(rougeL(textTokens("a"), {}).f1, 0.0);
        QCOMPARE(rougeL({}, {}).f1, 0.0);
    }
    void distinctCountsTokens() {
        // 5 tokens, 3 distinct; 2-grams "a b", "b a", "a c", of which all three are distinct, by 5 tokens
        const std::vector<TextTokens> texts{textTokens("a b a"), textTokens("a c")};
        QVERIFY(near(distinctShare(texts, 1), 3.0 / 5));
        QVERIFY(near(distinctShare(texts, 2), 3.0 / 5));
        const std::vector<TextTokens> repeats{textTokens("a b"), textTokens("a b"), {}};
        QVERIFY(near(distinctShare(repeats, 1), 0.5));
        QVERIFY(near(distinctShare(repeats, 2), 0.25));
        QVERIFY(std::isnan(distinctShare({}, 1)));
    }
    void featuresByHand() {
        const std::vector<std::string> features{"zip", "toe box", "price", "Zip", "", "seams"}; // 4 distinct
        QCOMPARE(FeatureList(features).size(), std::size_t(4));
        const auto values = evaluated({{"The zip, the toe box!", "r", "toe box"},
                                       {"A zipper and the price", "r", "zip"},   // a part of a word is not the word
                                       {"Zip and price: zip", "r", ""},          // no true feature: not counted
                                       {"box toe", "r", "toe box"}},
                                      features);
        const auto& match = of(values, TextMetric::featureMatch);
        QVERIFY(near(match.value, 1.0 / 3));
        QCOMPARE(match.answers, std::int64_t(3));
        QCOMPARE(match.excluded, std::int64_t(1));
        QVERIFY(std::isnan(match.perAnswer[2]));
        QVERIFY(near(of(values, TextMetric::featureCoverage).value, 3.0 / 4));
        // zip in two answers and price in two: 2 shared features over 6 pairs
        QVERIFY(near(of(values, TextMetric::featureOverlap).value, 2.0 / 6));
        QVERIFY(std::isnan(of(evaluated({{"zip", "zip", "zip"}}), TextMetric::featureCoverage).value));
    }
    void whatHasNoReferenceIsLeftOut() {
        const auto values = evaluated({{"a b", "a b", ""}, {"c d", " ", ""}, {"", "a b", ""}});
        const auto& rouge = of(values, TextMetric::rouge1);
        QCOMPARE(rouge.answers, std::int64_t(2));
        QCOMPARE(rouge.excluded, std::int64_t(1));
        QVERIFY(near(rouge.value, 0.5));
        QVERIFY(near(of(values, TextMetric::exactMatch).value, 0.5));
        QVERIFY(near(of(values, TextMetric::bleu1).value, std::exp(-1.0))); // 2 of 2 words; 2 words against 4
        QVERIFY(near(of(values, TextMetric::length).value, 4.0 / 3));
        for (const auto& value : evaluated({}))
            QVERIFY(std::isnan(value.value) && std::isnan(value.interval.low));
    }
    void intervals() {
        std::vector<WrittenAnswer> answers;
        for (int i = 0; i < 300; ++i)
            answers.push_back({i % 3 == 0 ? "the zip was fine and strong" : "the price was a bad joke", "the zip was fine and cheap", i % 2 ? "zip" : "price", i / 3});
        const auto values = evaluated(answers, {"zip", "price"}, 400);
        for (const auto metric : {TextMetric::bleu2, TextMetric::bleu4, TextMetric::rougeL, TextMetric::featureMatch}) {
            const auto& value = of(values, metric);
            QVERIFY2(value.interval.low <= value.value + 1e-9 && value.value - 1e-9 <= value.interval.high, textMetricDefinitions()[static_cast<std::size_t>(metric)].id.c_str());
        }
        QVERIFY(std::isnan(of(values, TextMetric::distinct1).interval.low));
        // Each cluster holds the same three answers: their mean does not move between draws, which it does when answers are drawn alone.
        const auto& rouge = of(values, TextMetric::rougeL);
        QVERIFY(rouge.interval.high - rouge.interval.low < 1e-9);
        for (auto& answer : answers)
            answer.cluster = -1;
        const auto alone = evaluated(answers, {}, 400);
        const auto& spread = of(alone, TextMetric::rougeL).interval;
        QVERIFY(spread.high - spread.low > 0.02);
        QCOMPARE(of(evaluated(answers, {}, 400), TextMetric::bleu4).interval.low, of(alone, TextMetric::bleu4).interval.low); // same seed, same result
    }
    void stopsWhenAsked() {
        std::stop_source stop;
        stop.request_stop();
        const std::vector<WrittenAnswer> answers{{"a", "a", ""}};
        const auto result = evaluateTexts(answers, {}, {}, RunControl(stop.get_token()));
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::cancelled);
    }
};
QTEST_GUILESS_MAIN(TestTextMetrics)
#include "test_text_metrics.moc"
