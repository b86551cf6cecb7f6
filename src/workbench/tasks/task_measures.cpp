// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/tasks/task_measures.h"
#include "evaluation/metrics/text/text_overlap.h"
#include <cmath>

namespace carousel {

namespace {

std::vector<int> cutsOf(TaskFamily family) { return family == TaskFamily::direct ? std::vector<int>{1, 5, 10} : std::vector<int>{5, 10}; }

} // namespace

void addRank(double rank, TaskAnswers& out) {
    for (const int k : cutsOf(out.family)) {
        const bool found = rank > 0 && rank <= k;
        out.values[fmt::format("hr@{}", k)].push_back(found ? 1 : 0);
        if (k > 1)
            out.values[fmt::format("ndcg@{}", k)].push_back(found ? 1 / std::log2(1 + rank) : 0);
    }
}

void addRandomRank(std::size_t choices, TaskAnswers& out) {
    const auto n = static_cast<double>(choices);
    for (const int k : cutsOf(out.family)) {
        double gain = 0;
        for (int rank = 1; rank <= k && rank <= static_cast<int>(choices); ++rank)
            gain += 1 / std::log2(1.0 + rank) / n;
        out.values[fmt::format("hr@{}", k)].push_back(std::min(1.0, k / n));
        if (k > 1)
            out.values[fmt::format("ndcg@{}", k)].push_back(gain);
    }
}

void addStars(double expected, double said, double truth, TaskAnswers& out) {
    out.values["squared"].push_back((expected - truth) * (expected - truth));
    out.values["absolute"].push_back(std::abs(expected - truth));
    out.values["right"].push_back(std::lround(said) == std::lround(truth) ? 1 : 0);
}

void addTexts(const TaskExamples& world, std::span<const TaskQuestion> questions, TaskAnswers& out) {
    const ReviewTable& reviews = world.dataset().reviews;
    for (std::size_t q = 0; q < questions.size(); ++q) {
        const auto row = static_cast<std::size_t>(questions[q].review);
        const TextTokens answer = textTokens(out.texts[q]);
        const TextTokens reference = textTokens(out.family == TaskFamily::explanation ? world.explanationOf(questions[q].review) : reviews.headline[row]);
        out.values["rouge-1"].push_back(rougeN(answer, reference, 1).f1);
        out.values["rouge-2"].push_back(rougeN(answer, reference, 2).f1);
        out.values["rouge-l"].push_back(rougeL(answer, reference).f1);
        out.values["bleu-4"].push_back(bleu(bleuCounts(answer, reference), 4, BleuSmoothing::addOne));
        if (out.family == TaskFamily::explanation)
            out.values["feature"].push_back(!reviews.feature[row].empty() && containsTokens(answer, textTokens(reviews.feature[row])) ? 1 : 0);
    }
}

} // namespace carousel
