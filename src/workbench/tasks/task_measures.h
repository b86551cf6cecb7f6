// SPDX-License-Identifier: GPL-3.0-or-later
// What an answer is worth, added to the values of its column.
#pragma once
#include "workbench/tasks/task_answers.h"

namespace carousel {

// Place of the true item, 1 for the first, 0 for nowhere; a half where it shares its score with others (their mean place).
void addRank(double rank, TaskAnswers& out);
// What a random order of `choices` reaches on average.
void addRandomRank(std::size_t choices, TaskAnswers& out);
void addStars(double expected, double said, double truth, TaskAnswers& out);
// `out.texts` against what was written: one value a question.
void addTexts(const TaskExamples& world, std::span<const TaskQuestion> questions, TaskAnswers& out);

} // namespace carousel
