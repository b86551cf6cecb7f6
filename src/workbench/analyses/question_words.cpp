// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/question_words.h"
#include "experiment/text_words.h"
#include <algorithm>

namespace carousel::analyses {

std::string QuestionWords::title(Code item) const {
    return firstBytes(m_dataset.items.displayName(item), m_longest);
}

std::string QuestionWords::window(const LikeInstance& instance) const {
    std::string text;
    const auto list = [&](const char* heading, const std::vector<Code>& items) {
        if (!items.empty())
            text += heading;
        for (const Code item : items)
            text += "- " + title(item) + "\n";
    };
    list("Liked, latest first:\n", instance.likedBefore);
    list("Disliked, latest first:\n", instance.dislikedBefore);
    return text;
}

std::string QuestionWords::likeQuestion(const LikeInstance& instance) const {
    return "You know a person's taste and say whether an item suits it.\n" + window(instance) +
           "Does this person like the next item? Answer Yes or No.\nNext item:";
}

std::string QuestionWords::ratingQuestion(const LikeInstance& instance) const {
    return "You know a person's taste and foresee how this person rates items.\n" + window(instance) +
           "How many points does this person give to the next item, from 1 (dislikes it) to 5 (loves it)? Answer with one digit.\nNext "
           "item:";
}

Result<void> askAboutTitles(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> questions,
                            const std::function<std::string(const LikeInstance&)>& prompt, const std::vector<std::string>& answers,
                            const std::string& stage, const std::function<Result<void>(const BranchScores&)>& take, const RunControl& control) {
    constexpr std::size_t questionsAtOnce = 16;
    for (std::size_t begin = 0; begin < questions.size(); begin += questionsAtOnce) {
        const auto some = questions.subspan(begin, std::min(questionsAtOnce, questions.size() - begin));
        std::vector<BranchRequest> requests;
        for (const LikeInstance& question : some) {
            BranchRequest request;
            request.shared = {{"user", prompt(question)}};
            request.branches = {" " + words.title(question.item)};
            request.answers = answers;
            requests.push_back(std::move(request));
        }
        CAROUSEL_ASSIGN(const auto given, model.scoreBranchesOf(requests, control.quiet()));
        for (const BranchScores& answer : given)
            CAROUSEL_TRY(take(answer));
        control.report(stage, static_cast<double>(begin + some.size()), static_cast<double>(questions.size()), "questions");
    }
    return {};
}

} // namespace carousel::analyses
