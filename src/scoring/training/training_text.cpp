// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/training_text.h"
#include "base/text.h"
#include "scoring/prompt_fit.h"
#include <algorithm>

namespace carousel {

namespace {

tl::unexpected<Error> noTokens(const std::string& answer) {
    return fail(ErrorKind::usage, "CL-2141", fmt::format("The answer '{}' has no token in this model.", quotedForMessage(answer)),
                "Use answers of letters or digits.");
}

} // namespace

Result<TrainingText> trainingText(const ChatTemplate& chat, const std::vector<FineTuneExample>& examples, const FineTuneSettings& settings,
                                  std::int64_t contextLimit) {
    if (settings.learnEnd && chat.endOfTurn() < 0)
        return fail(ErrorKind::usage, "CL-2141", "The model knows no token that ends an answer, so that none can be learnt.",
                    "Train without learning the end of the answer.");
    TrainingText out;
    for (const auto& example : examples) {
        AnswerPrompt prompt = answerPrompt(chat, example.messages);
        std::vector<TokenId> answer = prompt.answer(chat, example.answer);
        if (answer.empty())
            return noTokens(example.answer);
        if (settings.learnEnd)
            answer.push_back(chat.endOfTurn());
        const auto following = static_cast<std::int64_t>(prompt.close.size() + answer.size());
        CAROUSEL_ASSIGN(const bool cut, fitPrompt(prompt.text, following, contextLimit));
        out.truncated += cut ? 1 : 0;
        TrainingSequence sequence{prompt.tokens(), {}, 0};
        const auto first = static_cast<std::int64_t>(sequence.tokens.size()) - 1;
        for (std::size_t i = 0; i < answer.size(); ++i)
            sequence.targets.push_back(
                {first + static_cast<std::int64_t>(i), answer[i], example.weight / static_cast<double>(answer.size())});
        sequence.tokens.insert(sequence.tokens.end(), answer.begin(), answer.end() - 1); // what follows the last token is not asked
        out.lengths.push_back(static_cast<std::int64_t>(sequence.tokens.size()));
        out.weights.push_back(example.weight);
        out.sequences.push_back(std::move(sequence));
    }
    return out;
}

Result<std::vector<TokenId>> comparedTokens(const ChatTemplate& chat, const std::vector<FineTuneExample>& validation,
                                            const std::string& positive) {
    const auto other = std::find_if(validation.begin(), validation.end(), [&](const auto& example) { return example.answer != positive; });
    std::vector<TokenId> compared;
    for (const auto& example : validation) {
        const AnswerPrompt prompt = answerPrompt(chat, example.messages);
        std::vector<TokenId> here;
        for (const std::string& answer : {positive, other->answer}) {
            const auto ids = prompt.answer(chat, answer);
            if (ids.empty())
                return noTokens(answer);
            here.push_back(ids.front());
        }
        if (here[0] == here[1])
            return fail(ErrorKind::usage, "CL-2141",
                        fmt::format("The answers '{}' and '{}' begin with the same token, so the metric auc cannot tell them apart.",
                                    quotedForMessage(positive), quotedForMessage(other->answer)),
                        "Use answers with different first words, or the metric loss.");
        if (!compared.empty() && here != compared)
            return fail(ErrorKind::usage, "CL-2141",
                        fmt::format("The answer '{}' begins with the token {} behind some validation prompts and with {} behind others, so the "
                                    "metric auc has nothing to compare.",
                                    quotedForMessage(positive), compared[0], here[0]),
                        "Let all validation prompts end alike (a user's message, or an open one of the assistant), or use the metric loss.");
        compared = std::move(here);
    }
    return compared;
}

} // namespace carousel
