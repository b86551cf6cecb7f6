// SPDX-License-Identifier: GPL-3.0-or-later
// Like prediction as TALLRec poses it (Bao et al., RecSys 2023, section 4.1): every rating is one question, "does this user like this
// item?", asked after the ratings that the same user gave just before, and the questions are split by time.
#pragma once
#include "data/dataset.h"

namespace carousel {

struct LikeSettings {
    int window = 10;       // ratings before the one in question that are shown; a user's first ones are no questions
    double likedAbove = 3; // a rating above this is a like
    double validationShare = 0.1, testShare = 0.1; // of the questions, the newest; validation comes before test
};

struct LikeInstance {
    Code user = noCode, item = noCode;
    bool liked = false;
    std::int64_t time = noTime;
    std::vector<Code> likedBefore, dislikedBefore; // of the window, newest first
    double rating = 0;
    // Of all the user's ratings before this one: how many, their sum, and the sum of their distances from itemMean().
    double ratingsBefore = 0, sumBefore = 0, residualBefore = 0;
};

struct LikeInstances {
    std::vector<LikeInstance> train, validation, test; // each by time
    // Ratings before the first question of the validation part, by item: what a control without a language model may count.
    std::vector<float> ratingSum, ratingCount;
    double meanRating = 0;
    double lowest = 0, highest = 0; // rating of the data set: its scale
    // An item's mean of those, drawn to the mean of all as if by `prior` ratings more.
    double itemMean(Code item, double prior = 5) const {
        const auto i = static_cast<std::size_t>(item);
        return (ratingSum[i] + prior * meanRating) / (ratingCount[i] + prior);
    }
    std::size_t ratings = 0, withoutWindow = 0;
    std::size_t tiedTimes = 0; // ratings of a user in the same second as the one before: their order is the file's
};

// CL-3091: no events of kind "rating" with times; CL-3092: too few for all three parts.
Result<LikeInstances> likeInstances(const Dataset& dataset, const LikeSettings& settings);

} // namespace carousel
