// SPDX-License-Identifier: GPL-3.0-or-later
// Rating prediction with a model whose answers are known: errors by hand, invalid answers in the denominator, calibration, the document.
#include "evaluation/statistics/reliability.h"
#include "unit/llm/model_double.h"
#include "workbench/analyses/ratings.h"
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;
using namespace carousel::analyses;

namespace {
bool near(double a, double b, double tolerance = 1e-9) {
    return std::fabs(a - b) <= tolerance;
}

// 40 users rate 30 items in turn; the rating follows from the item alone: 1 + item % 5.
Dataset ratings() {
    Dataset out;
    out.name = "ratings";
    out.interactions.kinds = {"rating"};
    for (int u = 0; u < 40; ++u)
        out.users.ids.add("u" + std::to_string(u));
    for (int i = 0; i < 30; ++i)
        out.items.ids.add("i" + std::to_string(i));
    for (int step = 0; step < 30; ++step)
        for (int u = 0; u < 40; ++u) {
            const int item = (step * 7 + u) % 30;
            out.interactions.user.push_back(u);
            out.interactions.item.push_back(item);
            out.interactions.kind.push_back(0);
            out.interactions.value.push_back(static_cast<float>(1 + item % 5));
            out.interactions.time.push_back(1000 + step * 40 + u);
        }
    return out;
}

// Knows an item's rating r and says it on a scale of its own, 2 + r / 5 (expected); writes r, or nonsense for every item that 3 divides.
class KnowingModel : public ModelDouble {
public:
    static int itemOf(const std::string& text) { return std::stoi(text.substr(text.rfind(" i") + 2)); }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl&) override {
        BranchScores out;
        out.logits = Matrix(1, 5);
        const double wanted = 2 + (1 + itemOf(request.branches[0]) % 5) / 5.0;
        const auto low = static_cast<int>(wanted);
        const double share = wanted - low;
        for (int r = 1; r <= 5; ++r)
            out.logits.row(0)[static_cast<std::size_t>(r - 1)] = static_cast<float>(std::log(std::max(1e-12, r == low       ? 1 - share
                                                                                                             : r == low + 1 ? share
                                                                                                                            : 0.0)));
        out.answerMass = {itemOf(request.branches[0]) % 7 == 0 ? 0.001f : 0.9f};
        out.truncated = {0};
        return out;
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions&, const RunControl&) override {
        const int item = itemOf(messages.back().content);
        const std::string said = item % 3 == 0 ? "I cannot say" : std::to_string(1 + item % 5) + ".";
        return Generated{said, 5, 2, false, {{said, -0.5, -0.5, 2, false}}};
    }
};

AnalysisSpec spec() {
    AnalysisSpec out = defaultAnalysis(AnalysisKind::ratings);
    out.options.set("test", std::int64_t(0));
    out.options.set("validation", std::int64_t(0));
    out.options.set("draws", std::int64_t(200));
    out.options.set("window", std::int64_t(4));
    return out;
}
} // namespace

class TestRatings : public QObject {
    Q_OBJECT
    KnowingModel model;
    LikesHost host{[this](const std::string&) -> Result<LanguageModel*> { return &model; }, {}, ""};

private slots:
    void reliabilityByHand() {
        // Two groups of two: means 1.5 and 2 against 4 and 3.5; |1.5 - 2| / 2 + |4 - 3.5| / 2.
        const std::vector<double> predicted{2, 4, 1, 4}, actual{3, 3, 1, 4};
        const auto got = reliability(predicted, actual, 2);
        QCOMPARE(got.bins.size(), std::size_t(2));
        QVERIFY(near(got.bins[0].predicted, 1.5) && near(got.bins[0].actual, 2) && near(got.bins[1].actual, 3.5));
        QVERIFY(near(got.error, 0.5));
        QCOMPARE(got.bin, (std::vector<std::size_t>{0, 1, 0, 1}));
        // Equal predictions are never torn apart, however many groups are asked for.
        const std::vector<double> constant(7, 3.0), rising{1, 2, 3, 4, 5, 3, 3};
        QCOMPARE(reliability(constant, rising, 4).bins.size(), std::size_t(1));
        QVERIFY(near(reliability(constant, rising, 4).error, 0));
        QVERIFY(std::isnan(reliability({}, {}, 4).error));
        const std::vector<double> ten{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        for (const auto& bin : reliability(ten, ten, 3).bins)
            QVERIFY(bin.count >= 3 && bin.count <= 4);
    }
    void meansByHand() {
        const Dataset data = ratings();
        const auto all = *likeInstances(data, {.window = 4});
        const auto questions = drawQuestions(all, 0, 0, 0, 0, 1);
        const auto columns = ratingControls(all, questions);
        QCOMPARE(columns.size(), std::size_t(4));
        const LikeInstance& question = questions.test.front();
        // What the user rated before it, from the table itself.
        double count = 0, sum = 0, residual = 0;
        for (std::size_t row = 0; row < data.interactions.size(); ++row)
            if (data.interactions.user[row] == question.user && data.interactions.time[row] < question.time) {
                count += 1, sum += data.interactions.value[row];
                residual += data.interactions.value[row] - all.itemMean(data.interactions.item[row]);
            }
        QVERIFY(count > 20);
        QCOMPARE(question.ratingsBefore, count);
        QVERIFY(near(columns[1].test[0], (sum + 5 * all.meanRating) / (count + 5)));
        QVERIFY(near(columns[3].test[0], all.itemMean(question.item) + residual / (count + 5), 1e-6));
        QCOMPARE(question.rating, 1.0 + question.item % 5);
    }
    void invalidAnswersStayInTheDenominator() {
        const Dataset data = ratings();
        const auto all = *likeInstances(data, {.window = 4});
        const auto questions = drawQuestions(all, 0, 0, 0, 0, 1);
        const auto made = ratingModels(data, all, questions, spec(), host, {});
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        QCOMPARE(made->size(), std::size_t(2));
        const RatingColumn& written = (*made)[1];
        std::size_t invalid = 0;
        for (std::size_t i = 0; i < questions.test.size(); ++i) {
            const LikeInstance& each = questions.test[i];
            const bool nonsense = each.item % 3 == 0;
            invalid += nonsense;
            QCOMPARE(written.testValid[i] == 0, nonsense);
            QVERIFY(near(written.test[i], nonsense ? userMean(all, each) : each.rating));
        }
        QVERIFY(invalid > 0);
        QCOMPARE(written.invalid(), invalid);
        // Calibration moves what was said, and leaves alone what stands in for no answer.
        const auto calibrated = calibratedColumn((*made)[0], questions);
        QVERIFY(calibrated && calibrated->calibrated);
        for (std::size_t i = 0; i < questions.test.size(); ++i) {
            const LikeInstance& each = questions.test[i];
            const bool doubtful = each.item % 7 == 0;
            QCOMPARE((*made)[0].testValid[i] == 0, doubtful);
            QVERIFY(near((*made)[0].test[i], doubtful ? userMean(all, each) : 2 + each.rating / 5, 1e-5));
            QVERIFY(near(calibrated->test[i], doubtful ? userMean(all, each) : each.rating, 1e-5));
        }
        RatingColumn few = (*made)[0];
        std::fill(few.validationValid.begin(), few.validationValid.end(), std::uint8_t(0));
        QVERIFY(!calibratedColumn(few, questions));
    }
    void theDocumentSaysWhatCameOut() {
        const auto made = ratingsDocument(ratings(), spec(), host, {});
        QVERIFY2(made, made ? "" : describe(made.error()).c_str());
        const auto figures = nlohmann::json::parse(made->figuresJson);
        const auto n = figures["testQuestions"].get<std::size_t>();
        double raw = 0, calibrated = 0, rawError = 0, calibratedError = 0;
        for (const auto& method : figures["methods"]) {
            QCOMPARE(method["questions"].get<std::size_t>(), n); // the full denominator, everywhere
            std::size_t inBins = 0;
            for (const auto& bin : method["bins"])
                inBins += bin["questions"].get<std::size_t>();
            QCOMPARE(inBins, n);
            QVERIFY(method["rmse"].get<double>() >= method["mae"].get<double>() - 1e-12);
            QVERIFY(method["rmseInterval"][0].get<double>() <= method["rmse"].get<double>() + 1e-12);
            if (method["method"] == "expected rating")
                (method["calibrated"] ? calibrated : raw) = method["rmse"],
                                                     (method["calibrated"] ? calibratedError : rawError) = method["calibrationError"];
        }
        QVERIFY(calibrated > 0 && calibrated < raw);
        QVERIFY(calibratedError < rawError);
        QVERIFY(made->report.lead.size() >= 2);
        QCOMPARE(made->report.warnings.size(), std::size_t(2)); // doubtful and written nonsense, both counted
        QVERIFY(made->report.warnings[1].find("were no rating") != std::string::npos);
        QCOMPARE(made->report.sections.front().plots.front().id, std::string("reliability"));
    }
    void refusesWhatHasNoScale() {
        Dataset data = ratings();
        std::fill(data.interactions.value.begin(), data.interactions.value.end(), 4.0f);
        QCOMPARE(ratingsDocument(data, spec(), host, {}).error().code, std::string("CL-3092"));
    }
};

QTEST_APPLESS_MAIN(TestRatings)
#include "test_ratings.moc"
