// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/tasks/task_answers.h"
#include "workbench/tasks/task_measures.h"
#include <algorithm>
#include <chrono>
#include <cmath>

namespace carousel {

namespace {

const std::vector<std::string> starAnswers{"1", "2", "3", "4", "5"};

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<std::string> namesOf(const TaskExamples& world, std::span<const Code> items) {
    std::vector<std::string> out;
    for (const Code item : items)
        out.push_back(world.identifiers().names[static_cast<std::size_t>(item)]);
    return out;
}

Result<void> askNext(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                     const TaskAskSettings& settings, TaskAnswers& out, const RunControl& control) {
    for (std::size_t q = 0; q < questions.size(); ++q) {
        GenerateOptions options;
        options.maximumTokens = 64;
        options.beams = options.sequences = settings.beams;
        options.lengthPenalty = 0; // the sum of what is said: names of equal worth need no bonus for their length
        options.oneOf = namesOf(world, world.unseen(questions[q]));
        CAROUSEL_ASSIGN(const Generated made, model.generate({{"user", world.words(questions[q], form).source}}, options, control.quiet()));
        out.promptTokens += made.promptTokens, out.generatedTokens += made.generatedTokens;
        double rank = 0;
        for (std::size_t place = 0; place < made.sequences.size() && rank == 0; ++place)
            if (world.identifiers().find(made.sequences[place].text) == questions[q].item)
                rank = static_cast<double>(place + 1);
        const Code first = made.sequences.empty() ? noCode : world.identifiers().find(made.sequences.front().text);
        out.invalid += first == noCode;
        out.texts.push_back(made.sequences.empty() ? "" : made.sequences.front().text);
        addRank(rank, out);
        control.report("Asking what comes next", static_cast<double>(q + 1), static_cast<double>(questions.size()), "questions");
    }
    return {};
}

Result<void> askDirect(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                       const TaskAskSettings& settings, TaskAnswers& out, const RunControl& control) {
    for (std::size_t q = 0; q < questions.size(); ++q) {
        const TaskQuestion& question = questions[q];
        ContinuationRequest request;
        request.messages = {{"user", world.words(question, form).source}};
        request.continuations = namesOf(world, question.candidates);
        CAROUSEL_ASSIGN(const ContinuationScores scores, model.scoreContinuations(request, control.quiet()));
        out.promptTokens += scores.promptTokens;
        const auto value = [&](std::size_t c) {
            return settings.perToken ? scores.logProbability[c] / std::max(scores.tokens[c], 1) : scores.logProbability[c];
        };
        std::size_t best = 0, target = 0;
        for (std::size_t c = 0; c < question.candidates.size(); ++c) {
            out.generatedTokens += scores.tokens[c];
            if (question.candidates[c] == question.item)
                target = c;
            if (value(c) > value(best))
                best = c;
        }
        double above = 0, equal = 0;
        for (std::size_t c = 0; c < question.candidates.size(); ++c)
            if (c != target)
                above += value(c) > value(target), equal += value(c) == value(target);
        addRank(1 + above + equal / 2, out);
        out.texts.push_back(request.continuations[best]);
        control.report("Asking what to show", static_cast<double>(q + 1), static_cast<double>(questions.size()), "questions");
    }
    return {};
}

Result<void> askStars(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                      TaskAnswers& out, const RunControl& control) {
    constexpr std::size_t atOnce = 64;
    for (std::size_t from = 0; from < questions.size(); from += atOnce) {
        const auto part = questions.subspan(from, std::min(atOnce, questions.size() - from));
        BranchRequest request;
        request.shared = {{"user", ""}};
        request.answers = starAnswers;
        for (const TaskQuestion& question : part)
            request.branches.push_back(world.words(question, form).source);
        CAROUSEL_ASSIGN(const BranchScores scores, model.scoreBranches(request, control.quiet()));
        out.promptTokens += scores.prefixTokens + scores.branchTokens;
        for (std::size_t q = 0; q < part.size(); ++q) {
            const auto logits = scores.logits.row(q);
            const double truth = world.dataset().reviews.stars[static_cast<std::size_t>(part[q].review)];
            const float top = *std::max_element(logits.begin(), logits.end());
            double mass = 0, sum = 0;
            for (std::size_t star = 0; star < logits.size(); ++star) {
                const double p = std::exp(static_cast<double>(logits[star] - top));
                mass += p, sum += p * static_cast<double>(star + 1);
            }
            const double expected = sum / mass;
            const auto said = static_cast<double>(std::max_element(logits.begin(), logits.end()) - logits.begin() + 1);
            addStars(expected, said, truth, out);
            out.texts.push_back(fmt::format("{:.0f} ({:.1f} expected)", said, expected));
        }
        control.report("Asking for stars", static_cast<double>(from + part.size()), static_cast<double>(questions.size()), "questions");
    }
    return {};
}

Result<void> askText(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                     const TaskAskSettings& settings, TaskAnswers& out, const RunControl& control) {
    for (std::size_t q = 0; q < questions.size(); ++q) {
        GenerateOptions options;
        options.maximumTokens = settings.longestText;
        options.stop = {"\n"};
        CAROUSEL_ASSIGN(const Generated made, model.generate({{"user", world.words(questions[q], form).source}}, options, control.quiet()));
        out.promptTokens += made.promptTokens, out.generatedTokens += made.generatedTokens;
        out.invalid += made.text.empty();
        out.texts.push_back(made.text);
        control.report("Asking for words", static_cast<double>(q + 1), static_cast<double>(questions.size()), "questions");
    }
    addTexts(world, questions, out);
    return {};
}

} // namespace

const char* mainMetric(TaskFamily family) {
    switch (family) {
    case TaskFamily::sequential:
    case TaskFamily::direct: return "ndcg@10";
    case TaskFamily::rating: return "squared";
    case TaskFamily::explanation:
    case TaskFamily::summary: return "rouge-l";
    }
    return "";
}
bool lessIsBetter(TaskFamily family) { return family == TaskFamily::rating; }

Result<TaskAnswers> askTasks(LanguageModel& model, const TaskExamples& world, std::span<const TaskQuestion> questions, std::size_t form,
                             const TaskAskSettings& settings, const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    const TaskTemplate& words = world.templates()[form];
    TaskAnswers out;
    out.family = words.family(), out.heldOutWording = words.heldOut();
    switch (words.family()) {
    case TaskFamily::sequential: CAROUSEL_TRY(askNext(model, world, questions, form, settings, out, control)); break;
    case TaskFamily::direct: CAROUSEL_TRY(askDirect(model, world, questions, form, settings, out, control)); break;
    case TaskFamily::rating: CAROUSEL_TRY(askStars(model, world, questions, form, out, control)); break;
    case TaskFamily::explanation:
    case TaskFamily::summary: CAROUSEL_TRY(askText(model, world, questions, form, settings, out, control)); break;
    }
    out.seconds = secondsSince(start);
    return out;
}

} // namespace carousel
