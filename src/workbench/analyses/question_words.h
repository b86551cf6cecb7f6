// SPDX-License-Identifier: GPL-3.0-or-later
// The questions of like and rating prediction as text: a window of likes and dislikes, then what is asked about the next item.
#pragma once
#include "data/dataset.h"
#include "experiment/like_instances.h"
#include "stages/language_model.h"
#include <functional>
#include <span>
#include <string>

namespace carousel::analyses {

class QuestionWords { // refers to the data set
public:
    QuestionWords(const Dataset& dataset, std::size_t longestTitle) : m_dataset(dataset), m_longest(longestTitle) {}
    std::string title(Code item) const; // cut at so many bytes, at a character's edge
    // All before the item in question; a blank and its title follow.
    std::string likeQuestion(const LikeInstance& instance) const;
    std::string ratingQuestion(const LikeInstance& instance) const;

private:
    std::string window(const LikeInstance& instance) const;
    const Dataset& m_dataset;
    std::size_t m_longest;
};

// Asks about the title of each question's item, several questions at a time: `prompt` is what stands before it, `take` gets the answers in
// the order of the questions. Errors of the model and of `take`.
Result<void> askAboutTitles(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> questions,
                            const std::function<std::string(const LikeInstance&)>& prompt, const std::vector<std::string>& answers,
                            const std::string& stage, const std::function<Result<void>(const BranchScores&)>& take, const RunControl& control);

} // namespace carousel::analyses
