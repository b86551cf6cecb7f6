// SPDX-License-Identifier: GPL-3.0-or-later
// The questions of like and rating prediction as text: a window of likes and dislikes, then what is asked about the next item.
#pragma once
#include "data/dataset.h"
#include "experiment/like_instances.h"
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

} // namespace carousel::analyses
