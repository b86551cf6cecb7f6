// SPDX-License-Identifier: GPL-3.0-or-later
// The encoder-decoder against transformers (tests/reference/t5), and against itself: alone, in batches, step by step.
#include "base/file.h"
#include "scoring/t5_model_torch.h"
#include "unit/scoring/t5_case_torch.h"
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;
using nlohmann::json;

namespace {
const std::string folder = std::string(CAROUSEL_SOURCE_DIR) + "/tests/reference/t5/";

double largestDifference(std::span<const float> a, const std::vector<double>& b) {
    double largest = a.size() == b.size() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::fabs(a[i] - b[i]));
    return largest;
}
std::unique_ptr<T5EncoderDecoder> open(const std::string& name) {
    const auto file = TensorStore::openSafetensors(folder + name);
    auto device = openComputeDevice(defaultDevice(), "fp32", 0);
    if (!file || !device)
        return nullptr;
    auto model = T5EncoderDecoder::open(*file, folder + name + "/config.json", *device);
    if (!model)
        qWarning("%s", describe(model.error()).c_str());
    return model ? std::move(*model) : nullptr;
}
SearchTask taskOf(std::int64_t limit) {
    SearchTask task;
    task.ends = {1};
    task.limit = limit;
    task.bytesOf = [](TokenId id) { return std::to_string(id) + " "; }; // other ids, other text
    return task;
}
std::vector<TokenId> withEnd(const FoundAnswer& answer) {
    std::vector<TokenId> tokens = answer.tokens;
    if (answer.ended)
        tokens.push_back(1);
    return tokens;
}
// Ids 2 to 23 are the letters a to v; 0 pads and 1 ends.
class Letters final : public Tokenizer {
public:
    std::vector<TokenId> encode(std::string_view text) const override {
        std::vector<TokenId> ids;
        for (const char c : text)
            if (c >= 'a' && c <= 'v')
                ids.push_back(static_cast<TokenId>(2 + c - 'a'));
        return ids;
    }
    std::optional<TokenId> control(std::string_view name) const override {
        return name == "<pad>" ? std::optional<TokenId>(0) : name == "</s>" ? std::optional<TokenId>(1) : std::nullopt;
    }
    std::string decodeBytes(std::span<const TokenId> ids) const override {
        std::string text;
        for (const TokenId id : ids)
            text += id == 0 ? "<pad>" : id == 1 ? "</s>" : std::string(1, static_cast<char>('a' + id - 2));
        return text;
    }
    std::size_t vocabularySize() const override { return 24; }
};
std::unique_ptr<T5Model> model(const std::string& name, std::int64_t context = 0) {
    auto network = open(name);
    ModelInfo info;
    info.id = name;
    return network ? std::make_unique<T5Model>(std::make_shared<Letters>(), std::move(network), info, context) : nullptr;
}
} // namespace

class TestT5 : public QObject {
    Q_OBJECT
private slots:
    void equalsTheReference_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("v1.0: ReLU, tied head") << "v1_0";
        QTest::newRow("v1.1: gated GELU, own head") << "v1_1";
    }
    void equalsTheReference() {
        QFETCH(QString, name);
        const auto model = open(name.toStdString());
        QVERIFY(model);
        const json expected = json::parse(*readFile(folder + name.toStdString() + "/expected.json"));
        const auto sources = expected["sources"].get<std::vector<std::vector<TokenId>>>();
        const auto target = expected["target"].get<std::vector<TokenId>>();
        const auto limit = expected["newTokens"].get<std::int64_t>();
        const auto states = model->encode(sources, {});
        QVERIFY(states.has_value());
        const auto width = static_cast<std::size_t>(model->shape().width);
        double ofStates = 0, ofLogits = 0, ofSums = 0, ofScores = 0;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const json& one = expected["cases"][i];
            const std::span<const float> rows(states->rows.values.data() + states->first[i] * width, sources[i].size() * width);
            ofStates = std::max(ofStates, largestDifference(rows, one["states"].get<std::vector<double>>()));
            const auto wanted = one["logits"].get<std::vector<double>>();
            const auto logits = model->targetLogits(sources[i], std::span(target).first(target.size() - 1), {});
            QVERIFY(logits.has_value());
            ofLogits = std::max(ofLogits, largestDifference(logits->values, wanted));

            double sum = 0; // log-probability of the target, from the reference's logits
            for (std::size_t t = 0; t < target.size(); ++t) {
                double total = 0;
                for (std::size_t v = 0; v < 24; ++v)
                    total += std::exp(wanted[t * 24 + v]);
                sum += wanted[t * 24 + static_cast<std::size_t>(target[t])] - std::log(total);
            }
            const std::vector<std::vector<TokenId>> targets{{6}, target, {}, {6, 14}};
            const auto scored = model->logProbability(sources[i], {}, targets, {});
            QVERIFY(scored.has_value());
            ofSums = std::max(ofSums, std::fabs((*scored)[1] - sum));
            QCOMPARE((*scored)[2], 0.0);
            const auto rest = model->logProbability(sources[i], std::span(target).first(1), std::vector<std::vector<TokenId>>{{14}}, {});
            QVERIFY(std::fabs((*scored)[0] + (*rest)[0] - (*scored)[3]) < 1e-5);

            auto next = model->answers(sources[i], {}, {});
            QVERIFY(next.has_value());
            const auto greedy = searchAnswers(*next, taskOf(limit), {});
            QCOMPARE(withEnd(greedy->front()), one["greedy"].get<std::vector<TokenId>>());
            for (const json& beams : one["beams"]) {
                SearchTask task = taskOf(limit);
                task.options.beams = task.options.sequences = 4;
                task.options.lengthPenalty = beams["lengthPenalty"].get<double>();
                const auto found = searchAnswers(*model->answers(sources[i], {}, {}), task, {});
                QVERIFY(found.has_value());
                QCOMPARE(found->size(), std::size_t(4));
                for (std::size_t b = 0; b < 4; ++b) {
                    QCOMPARE(withEnd((*found)[b]), beams["answers"][b].get<std::vector<TokenId>>());
                    ofScores = std::max(ofScores, std::fabs((*found)[b].score - beams["scores"][b].get<double>()));
                }
            }
        }
        qInfo("largest difference of states %.2g, logits %.2g, target likelihoods %.2g, beam scores %.2g", ofStates, ofLogits, ofSums,
              ofScores);
        QVERIFY(ofStates < 1e-4 && ofLogits < 1e-3 && ofSums < 1e-3 && ofScores < 1e-3);
    }
    void bucketsEqualTheReference() {
        const json expected = json::parse(*readFile(folder + "buckets.json"));
        const auto first = expected["first"].get<std::int64_t>();
        QCOMPARE(t5Buckets(first, -first, true, 32, 128), expected["bothWays32to128"].get<std::vector<std::int64_t>>());
        QCOMPARE(t5Buckets(first, -first, false, 32, 128), expected["back32to128"].get<std::vector<std::int64_t>>());
        QCOMPARE(t5Buckets(first, -first, true, 8, 20), expected["bothWays8to20"].get<std::vector<std::int64_t>>());
        QCOMPARE(t5Buckets(first, -first, false, 8, 20), expected["back8to20"].get<std::vector<std::int64_t>>());
    }
    void stepsEqualOnePass() {
        const auto model = open("v1_1");
        QVERIFY(model);
        const std::vector<TokenId> source{5, 9, 3, 1}, target{6, 14, 3, 20, 9};
        const auto whole = *model->targetLogits(source, target, {});
        auto next = *model->answers(source, {}, {});
        std::vector<std::vector<TokenId>> begun{{}};
        for (std::size_t t = 0; t <= target.size(); ++t) {
            const auto row = next(begun, {});
            QVERIFY(row.has_value());
            for (std::size_t v = 0; v < 24; ++v)
                QVERIFY(std::fabs(row->row(0)[v] - whole.row(t)[v]) < 1e-4);
            if (t < target.size())
                begun.front().push_back(target[t]);
        }
        // Beams that change places, and one that has to be computed afresh.
        begun = {{6, 14}, {6, 3}, {7, 7}};
        const auto fresh = *next(begun, {});
        begun = {{7, 7, 1}, {6, 14, 3}, {6, 14, 4}};
        const auto grown = *next(begun, {});
        for (std::size_t v = 0; v < 24; ++v) {
            QVERIFY(std::fabs(fresh.row(0)[v] - whole.row(2)[v]) < 1e-4);
            QVERIFY(std::fabs(grown.row(1)[v] - whole.row(3)[v]) < 1e-4);
        }
        auto prefixed = *model->answers(source, {6, 14}, {});
        const auto after = *prefixed(std::vector<std::vector<TokenId>>{{3}}, {});
        for (std::size_t v = 0; v < 24; ++v)
            QVERIFY(std::fabs(after.row(0)[v] - whole.row(3)[v]) < 1e-4);
    }
    void batchesEqualSingleTexts() {
        const auto model = open("v1_0");
        QVERIFY(model);
        std::vector<std::vector<TokenId>> sources;
        for (int i = 0; i < 60; ++i) {
            sources.emplace_back();
            for (int t = 0; t < 1 + i * 7 % 40; ++t)
                sources.back().push_back(2 + (i * 5 + t * t) % 22);
            sources.back().push_back(1);
        }
        const std::vector<TokenId> answers{4, 17};
        const auto together = model->firstTokens(sources, answers, {});
        QVERIFY(together.has_value());
        double largest = 0;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const auto alone = model->firstTokens(std::span(&sources[i], 1), answers, {});
            for (std::size_t a = 0; a < 2; ++a)
                largest = std::max(largest, std::fabs(double(alone->logits.row(0)[a]) - together->logits.row(i)[a]));
            largest = std::max(largest, std::fabs(alone->logSumExp[0] - together->logSumExp[i]));
            const auto logits = model->targetLogits(sources[i], {}, {});
            largest = std::max(largest, std::fabs(double(logits->values[17]) - together->logits.row(i)[1]));
        }
        qInfo("60 texts in one call and one by one: %.2g", largest);
        QVERIFY(largest < 1e-4);
    }
    void answersAsALanguageModel() {
        const auto asked = model("v1_1");
        const auto network = open("v1_1");
        QVERIFY(asked && network);
        QCOMPARE(asked->info().width, 10);
        const std::vector<ChatMessage> question{{"system", "dh"}, {"user", "bf"}}; // line ends have no token here
        const std::vector<TokenId> source{5, 9, 3, 7, 1};
        GenerateOptions options;
        options.maximumTokens = 8;
        options.beams = options.sequences = 3;
        const auto written = asked->generate(question, options, {});
        QVERIFY(written.has_value());
        QCOMPARE(written->promptTokens, 5);
        SearchTask task = taskOf(8);
        task.options = options;
        const auto found = *searchAnswers(*network->answers(source, {}, {}), task, {});
        QCOMPARE(written->sequences.size(), std::size_t(3));
        for (std::size_t i = 0; i < 3; ++i)
            QVERIFY(std::fabs(written->sequences[i].score - found[i].score) < 1e-6);
        options = {};
        options.oneOf = {"abc", "ab", "hello", "q"};
        options.beams = options.sequences = 4;
        const auto chosen = asked->generate(question, options, {});
        QCOMPARE(chosen->sequences.size(), std::size_t(4));
        const auto scores = asked->scoreContinuations({question, options.oneOf}, {});
        QVERIFY(scores.has_value());
        QCOMPARE(scores->tokens, (std::vector<int>{3, 2, 5, 1}));
        const auto direct = *network->logProbability(source, {}, std::vector<std::vector<TokenId>>{{2, 3, 4}, {2, 3, 4, 1}}, {});
        QVERIFY(std::fabs(scores->logProbability[0] - direct[0]) < 1e-5);
        for (const auto& one : chosen->sequences)
            if (one.text == "abc")
                QVERIFY(std::fabs(one.logProbability - direct[1]) < 1e-5); // the end counts
        // An open message of the assistant is the answer's beginning.
        auto begun = question;
        begun.push_back({"assistant", "ab"});
        const auto rest = asked->scoreContinuations({begun, {"c"}}, {});
        QVERIFY(std::fabs(scores->logProbability[1] + rest->logProbability[0] - scores->logProbability[0]) < 1e-5);

        BranchRequest branches;
        branches.shared = {question[0], {"user", "b"}};
        branches.branches = {"f", "gg", ""};
        branches.tail = "k";
        branches.answers = {"a", "quick"};
        const auto judged = asked->scoreBranches(branches, {});
        QVERIFY(judged.has_value());
        const auto logits = *network->targetLogits({5, 9, 3, 7, 12, 1}, {}, {});
        QVERIFY(std::fabs(judged->logits.row(0)[0] - logits.values[2]) < 1e-5 &&
                std::fabs(judged->logits.row(0)[1] - logits.values[18]) < 1e-5);
        double total = 0;
        for (const float value : logits.values)
            total += std::exp(double(value));
        QVERIFY(std::fabs(judged->answerMass[0] - (std::exp(logits.values[2]) + std::exp(logits.values[18])) / total) < 1e-5);

        const auto vectors = asked->embed({"dhb", "a"}, Pooling::mean, {});
        HiddenRequest hidden{{{"user", "d"}}, {"hb"}, "", Pooling::mean};
        const auto mean = asked->hiddenStates(hidden, {});
        double length = 0, product = 0;
        for (std::size_t k = 0; k < 10; ++k) {
            length += double(mean->rows.row(0)[k]) * mean->rows.row(0)[k];
            product += double(mean->rows.row(0)[k]) * vectors->row(0)[k];
        }
        QVERIFY(std::fabs(product - std::sqrt(length)) < 1e-4);         // the same direction, at its own length
        const auto cut = model("v1_1", 4)->scoreBranches(branches, {}); // room for three tokens and the end
        QCOMPARE(cut->truncated, (std::vector<std::uint8_t>{1, 1, 1}));
        QCOMPARE(cut->branchTokens, 12);
        QCOMPARE(asked->generate({}, {}, {}).error().code, std::string("CL-2091"));
    }
    void gradientsFlowThroughAllOfIt() {
        const double error = std::max(t5GradientError(false), t5GradientError(true));
        qInfo("gradients against differences: largest relative error %.2g", error);
        QVERIFY(error < 1e-4);
        for (const bool gated : {false, true}) {
            const auto losses = t5LossesWhileLearning(150, gated, 3);
            const double first = losses.front(), last = *std::min_element(losses.end() - 20, losses.end());
            qInfo("%s: loss %.2f at first, %.2f after 150 steps; chance is %.2f", gated ? "v1.1" : "v1.0", first, last, std::log(8) * 0.8);
            QVERIFY(last < std::log(8) * 0.8 * 0.6);
        }
    }
    void badFilesAndTokensAreRefused() {
        const auto model = open("v1_0");
        QVERIFY(model);
        QCOMPARE(model->encode(std::vector<std::vector<TokenId>>{{3, 24}}, {}).error().code, std::string("CL-2088"));
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(model->encode(std::vector<std::vector<TokenId>>{{3, 1}}, RunControl(stop.get_token())).error().code,
                 std::string("CL-7001"));
        const auto file = TensorStore::openSafetensors(folder + "v1_0");
        QVERIFY(file.has_value());
        const auto other = t5Shape(*file, folder + "v1_1/config.json"); // another feed-forward
        QVERIFY(!other);
        QCOMPARE(other.error().code, std::string("CL-2031"));
        QCOMPARE(t5Shape(*file, folder + "buckets.json").error().code, std::string("CL-2170"));
        QVERIFY(isT5(folder + "v1_0/config.json") && !isT5(folder + "buckets.json") && !isT5(folder + "absent.json"));
    }
};

QTEST_APPLESS_MAIN(TestT5)
#include "test_t5.moc"
