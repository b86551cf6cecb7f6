// SPDX-License-Identifier: GPL-3.0-or-later
// The methods of a rating prediction: means, and a language model's answers.
#include "evaluation/statistics/isotonic.h"
#include "llm/rating_answer.h"
#include "workbench/analyses/question_words.h"
#include "workbench/analyses/ratings.h"
#include <algorithm>
#include <chrono>
#include <cmath>

namespace carousel::analyses {

namespace {

constexpr double priorRatings = 5;
constexpr std::size_t leastToCalibrate = 10;
constexpr double leastMass = 0.01; // of the five digits together; below it the model would rather say something else

// Points of one part, or nothing where the answer was none.
using Points = std::vector<std::optional<double>>;

Result<Points> askExpected(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> questions,
                           const RunControl& control) {
    Points out;
    const auto take = [&](const BranchScores& answer) -> Result<void> {
        const auto logits = answer.logits.row(0);
        const bool usable = !answer.missing(0) && answer.answerMass[0] >= leastMass &&
                            std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
        out.push_back(usable ? std::optional(expectedRating(logits).value) : std::nullopt);
        return {};
    };
    CAROUSEL_TRY(askAboutTitles(model, words, questions, [&](const LikeInstance& each) { return words.ratingQuestion(each); }, ratingDigits(),
                                "Asking for expected ratings", take, control));
    return out;
}

Result<Points> askWritten(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> questions,
                          const RunControl& control) {
    Points out;
    GenerateOptions options;
    options.maximumTokens = writtenRatingTokens;
    for (const LikeInstance& question : questions) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("asking for written ratings"));
        CAROUSEL_ASSIGN(const auto answer, model.generate({{"user", words.ratingQuestion(question) + " " + words.title(question.item)}},
                                                          options, control.quiet()));
        const auto points = writtenRating(answer);
        out.push_back(points ? std::optional<double>(*points) : std::nullopt);
        control.report("Asking for written ratings", static_cast<double>(out.size()), static_cast<double>(questions.size()), "questions");
    }
    return out;
}

// 1..5 onto the data set's scale; what is missing takes the user's mean.
void place(const Points& points, const LikeInstances& all, std::span<const LikeInstance> questions, std::vector<double>& values,
           std::vector<std::uint8_t>& valid) {
    for (std::size_t i = 0; i < points.size(); ++i) {
        valid.push_back(points[i].has_value());
        values.push_back(points[i] ? all.lowest + (*points[i] - 1) / (ratingPoints - 1) * (all.highest - all.lowest)
                                   : userMean(all, questions[i]));
    }
}

} // namespace

std::size_t RatingColumn::invalid() const {
    return static_cast<std::size_t>(std::count(testValid.begin(), testValid.end(), std::uint8_t{0}));
}

double userMean(const LikeInstances& all, const LikeInstance& question) {
    return (question.sumBefore + priorRatings * all.meanRating) / (question.ratingsBefore + priorRatings);
}

std::vector<RatingColumn> ratingControls(const LikeInstances& all, const LikeQuestions& questions) {
    const auto column = [&](const std::string& method, auto predict) {
        RatingColumn out;
        out.method = method;
        for (const LikeInstance& each : questions.validation)
            out.validation.push_back(predict(each));
        for (const LikeInstance& each : questions.test)
            out.test.push_back(predict(each));
        out.validationValid.assign(out.validation.size(), 1);
        out.testValid.assign(out.test.size(), 1);
        return out;
    };
    return {column("mean of all", [&](const LikeInstance&) { return all.meanRating; }),
            column("user mean", [&](const LikeInstance& each) { return userMean(all, each); }),
            column("item mean", [&](const LikeInstance& each) { return all.itemMean(each.item, priorRatings); }),
            column("user and item", [&](const LikeInstance& each) {
                return all.itemMean(each.item, priorRatings) + each.residualBefore / (each.ratingsBefore + priorRatings);
            })};
}

Result<std::vector<RatingColumn>> ratingModels(const Dataset& dataset, const LikeInstances& all, const LikeQuestions& questions,
                                               const AnalysisSpec& spec, const LikesHost& host, const RunControl& control) {
    const QuestionWords words(dataset, static_cast<std::size_t>(spec.options.integer("textLength")));
    const auto& wanted = spec.options.list("methods");
    std::vector<RatingColumn> out;
    if (wanted.empty())
        return out;
    CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(spec.options.text("model")));
    for (std::size_t m = 0; m < wanted.size(); ++m) {
        const auto n = static_cast<double>(wanted.size());
        const RunControl part = control.slice(static_cast<double>(m) / n, static_cast<double>(m + 1) / n);
        const auto ask = wanted[m] == "written" ? askWritten : askExpected;
        const auto start = std::chrono::steady_clock::now();
        CAROUSEL_ASSIGN(const Points validation, ask(*model, words, questions.validation, part.slice(0, 0.4)));
        CAROUSEL_ASSIGN(const Points test, ask(*model, words, questions.test, part.slice(0.4, 1)));
        RatingColumn column;
        column.method = wanted[m] + " rating";
        column.usesLanguageModel = true;
        column.answerSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        place(validation, all, questions.validation, column.validation, column.validationValid);
        place(test, all, questions.test, column.test, column.testValid);
        out.push_back(std::move(column));
    }
    return out;
}

std::optional<RatingColumn> calibratedColumn(const RatingColumn& column, const LikeQuestions& questions) {
    std::vector<double> said, rated;
    for (std::size_t i = 0; i < column.validation.size(); ++i)
        if (column.validationValid[i])
            said.push_back(column.validation[i]), rated.push_back(questions.validation[i].rating);
    if (said.size() < leastToCalibrate)
        return {};
    const auto curve = IsotonicCurve::fit(said, rated);
    RatingColumn out = column;
    out.calibrated = true;
    for (std::size_t i = 0; i < out.validation.size(); ++i)
        if (out.validationValid[i])
            out.validation[i] = curve.at(out.validation[i]);
    for (std::size_t i = 0; i < out.test.size(); ++i)
        if (out.testValid[i]) // what stands in for no answer is on the users' scale already
            out.test[i] = curve.at(out.test[i]);
    return out;
}

} // namespace carousel::analyses
