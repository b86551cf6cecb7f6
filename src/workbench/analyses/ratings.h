// SPDX-License-Identifier: GPL-3.0-or-later
// Rating prediction: how far off is a language model that says how many points a user will give, before and after it is put on the users'
// scale, and is that nearer than plain means come? Every method answers the same questions, split by time as in like prediction. An answer
// that is no rating is never dropped: it takes the user's mean and stays in the denominator.
#pragma once
#include "evaluation/statistics/reliability.h"
#include "workbench/analyses/likes.h"

namespace carousel::analyses {

// Errors: CL-3091, CL-3092; those of models; cancelled. Of `host` only the models are used.
Result<AnalysisDocument> ratingsDocument(const Dataset& dataset, const AnalysisSpec& spec, const LikesHost& host,
                                         const RunControl& control);

// One method's predictions on the data set's scale, every question answered.
struct RatingColumn {
    std::string method; // "user mean", "expected rating", ...
    bool usesLanguageModel = false, calibrated = false;
    std::vector<double> validation, test;                 // invalid ones: the user's mean
    std::vector<std::uint8_t> validationValid, testValid; // 0: was no rating
    double answerSeconds = 0;
    std::size_t invalid() const; // of the test questions
};

// The user's mean before the question, drawn to the mean of all by five ratings: also what stands in for an answer that is none.
double userMean(const LikeInstances& all, const LikeInstance& question);
// Methods without a language model, on the ratings before the validation part and the user's own before the question: mean of all; user
// mean; item mean; mean of all + user's + item's distance from it, each drawn to 0 by five ratings.
std::vector<RatingColumn> ratingControls(const LikeInstances& all, const LikeQuestions& questions);
// The methods that `spec` asks for: expected rating, written rating.
Result<std::vector<RatingColumn>> ratingModels(const Dataset& dataset, const LikeInstances& all, const LikeQuestions& questions,
                                               const AnalysisSpec& spec, const LikesHost& host, const RunControl& control);
// The column on the users' scale: isotonic regression of the validation ratings on its valid answers there. Nothing where fewer than ten
// are valid.
std::optional<RatingColumn> calibratedColumn(const RatingColumn& column, const LikeQuestions& questions);

} // namespace carousel::analyses
