// SPDX-License-Identifier: GPL-3.0-or-later
// Asks a language model the questions of a task family and measures each answer. A value per question, so that models and controls can be
// compared question by question.
#pragma once
#include "base/run_control.h"
#include "stages/language_model.h"
#include "tasks/task_examples.h"
#include <map>

namespace carousel {

// By family. sequential: hr@5, ndcg@5, hr@10, ndcg@10. direct: hr@1 as well. rating: squared, absolute (of the expected rating; every
// question counts, whatever the answer), and "right" (the most probable star is the true one). explanation, summary: rouge-1, rouge-2,
// rouge-l, bleu (sentence, smoothed), and for explanations "feature" (the true feature word is said).
struct TaskAnswers {
    std::string model;
    TaskFamily family = TaskFamily::sequential;
    bool heldOutWording = false;
    std::map<std::string, std::vector<double>> values;
    std::vector<std::string> texts;  // what was answered: the first item's name, the stars, the sentence
    std::size_t invalid = 0;         // answers that are no item or nothing at all: they count as misses
    double seconds = 0;
    std::int64_t promptTokens = 0, generatedTokens = 0;
};

struct TaskAskSettings {
    int beams = 20;
    int longestText = 48;        // tokens of a sentence or headline
    bool perToken = false;       // direct: candidates by mean log-probability of a token instead of the sum, where names differ in length
};

// Every question of `questions` (of one family) in the words of template `form`. Stops with the error of the model, or CL-7001.
Result<TaskAnswers> askTasks(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                             const TaskAskSettings& settings, const RunControl& control);

// What needs no model. sequential: the most chosen items that the customer has not seen. rating: the customer's mean of known reviews, else
// the mean of all. explanation: the most frequent one. summary: the review's first sentence. direct: any order of the hundred (its
// expectation), and, as second one, the most chosen first.
Result<std::vector<TaskAnswers>> taskControls(const TaskExamples& world, std::span<const TaskQuestion> questions);

// The metric that a family is judged by: "ndcg@10", "squared" (its root is shown), "rouge-l".
const char* mainMetric(TaskFamily family);
bool lessIsBetter(TaskFamily family);

} // namespace carousel
