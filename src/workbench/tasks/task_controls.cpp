// SPDX-License-Identifier: GPL-3.0-or-later
// The naive controls of the task families: a model that is not above them has learned nothing that matters.
#include "workbench/tasks/task_measures.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

std::vector<double> timesChosen(const TaskExamples& world) {
    std::vector<double> out(world.dataset().items.size(), 0);
    for (const auto& history : world.split().history)
        for (const Code item : history)
            out[static_cast<std::size_t>(item)] += 1;
    return out;
}

// Mean place of the true item among `items` by `score`, ties shared.
double placeOf(const TaskQuestion& question, std::span<const Code> items, std::span<const double> score) {
    double above = 0, equal = 0;
    const double own = score[static_cast<std::size_t>(question.item)];
    for (const Code item : items)
        if (item != question.item) {
            above += score[static_cast<std::size_t>(item)] > own;
            equal += score[static_cast<std::size_t>(item)] == own;
        }
    return 1 + above + equal / 2;
}

TaskAnswers column(const std::string& name, TaskFamily family) {
    TaskAnswers out;
    out.model = name, out.family = family;
    return out;
}

} // namespace

Result<std::vector<TaskAnswers>> taskControls(const TaskExamples& world, std::span<const TaskQuestion> questions) {
    std::vector<TaskAnswers> out;
    if (questions.empty())
        return out;
    const TaskFamily family = questions.front().family;
    const ReviewTable& reviews = world.dataset().reviews;
    const auto trained = [&](auto visit) {
        for (std::size_t row = 0; row < reviews.size(); ++row)
            if (world.split().reviewPart[row] == Part::train)
                visit(row);
    };
    switch (family) {
    case TaskFamily::sequential: {
        const auto chosen = timesChosen(world);
        TaskAnswers popular = column("most chosen", family);
        for (const TaskQuestion& question : questions)
            addRank(placeOf(question, world.unseen(question), chosen), popular);
        out.push_back(std::move(popular));
        break;
    }
    case TaskFamily::direct: {
        TaskAnswers random = column("random of 100", family), popular = column("most chosen", family);
        const auto chosen = timesChosen(world);
        for (const TaskQuestion& question : questions) {
            addRandomRank(question.candidates.size(), random);
            addRank(placeOf(question, question.candidates, chosen), popular);
        }
        out.push_back(std::move(random));
        out.push_back(std::move(popular));
        break;
    }
    case TaskFamily::rating: {
        std::vector<double> userSum(world.dataset().users.size(), 0), userCount(userSum), itemSum(world.dataset().items.size(), 0), itemCount(itemSum);
        double sum = 0, count = 0;
        trained([&](std::size_t row) {
            if (!std::isfinite(reviews.stars[row]))
                return;
            userSum[static_cast<std::size_t>(reviews.user[row])] += reviews.stars[row], userCount[static_cast<std::size_t>(reviews.user[row])] += 1;
            itemSum[static_cast<std::size_t>(reviews.item[row])] += reviews.stars[row], itemCount[static_cast<std::size_t>(reviews.item[row])] += 1;
            sum += reviews.stars[row], count += 1;
        });
        const double all = count > 0 ? sum / count : 3;
        // An unshrunk mean of one or two reviews is a poor control; five imagined ones of the mean of all make it a fair one.
        constexpr double imagined = 5;
        TaskAnswers user = column("customer's mean", family), drawn = column("customer's mean, drawn to the mean of all", family),
                    item = column("item's mean, drawn to the mean of all", family);
        for (const TaskQuestion& question : questions) {
            const auto u = static_cast<std::size_t>(question.user), i = static_cast<std::size_t>(question.item);
            const double truth = reviews.stars[static_cast<std::size_t>(question.review)];
            const double plain = userCount[u] > 0 ? userSum[u] / userCount[u] : all;
            const double shrunk = (userSum[u] + imagined * all) / (userCount[u] + imagined);
            const double ofItem = (itemSum[i] + imagined * all) / (itemCount[i] + imagined);
            addStars(plain, std::round(plain), truth, user);
            addStars(shrunk, std::round(shrunk), truth, drawn);
            addStars(ofItem, std::round(ofItem), truth, item);
        }
        out.push_back(std::move(user));
        out.push_back(std::move(drawn));
        out.push_back(std::move(item));
        break;
    }
    case TaskFamily::explanation: {
        std::map<std::string, int> count;
        trained([&](std::size_t row) {
            if (world.hasExplanation(static_cast<std::int64_t>(row)))
                ++count[world.explanationOf(static_cast<std::int64_t>(row))];
        });
        const auto most = std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        TaskAnswers frequent = column("most frequent explanation", family);
        frequent.texts.assign(questions.size(), most == count.end() ? "" : most->first);
        addTexts(world, questions, frequent);
        out.push_back(std::move(frequent));
        break;
    }
    case TaskFamily::summary: {
        TaskAnswers first = column("first sentence", family);
        for (const TaskQuestion& question : questions)
            first.texts.push_back(world.firstSentenceOf(question.review));
        addTexts(world, questions, first);
        out.push_back(std::move(first));
        break;
    }
    }
    return out;
}

} // namespace carousel
