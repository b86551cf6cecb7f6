// SPDX-License-Identifier: GPL-3.0-or-later
// A language model whose answers are sums over the text: cheap, deterministic, and it counts what it was asked.
#pragma once
#include "base/hash.h"
#include "stages/language_model.h"
#include <algorithm>
#include <limits>

namespace carousel {

class ModelDouble : public LanguageModel {
public:
    ModelInfo description;
    std::int64_t calls = 0, branchesComputed = 0, callsPerRequest = 1;
    bool broken = false;
    int failAfter = -1; // hands on so many answers of a call, then fails, like a server that goes away

    ModelDouble() {
        description.id = "double";
        description.sha256 = "0123";
        description.computeType = "fp32";
        description.width = 4;
    }
    static float numberOf(const std::string& text) {
        // 1/3 and its like: values whose last bits a decimal form would lose.
        return static_cast<float>(std::stoul(sha256(text).substr(0, 6), nullptr, 16)) / 3.0f;
    }
    const ModelInfo& info() const override { return description; }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl&) override {
        ++calls;
        Matrix result(texts.size(), 4);
        for (std::size_t i = 0; i < texts.size(); ++i)
            for (std::size_t j = 0; j < 4; ++j)
                result.row(i)[j] = numberOf(texts[i] + std::to_string(j) + std::to_string(static_cast<int>(pooling)));
        return result;
    }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl&) override {
        ++calls;
        if (broken)
            return fail(ErrorKind::internal, "CL-2098", "broken", "");
        BranchScores result;
        std::string shared;
        for (const auto& message : request.shared)
            shared += message.role + ":" + message.content + ";";
        result.logits = Matrix(request.branches.size(), request.answers.size());
        for (std::size_t i = 0; i < request.branches.size(); ++i) {
            for (std::size_t j = 0; j < request.answers.size(); ++j)
                result.logits.row(i)[j] = request.branches[i] == "bad"
                                              ? std::numeric_limits<float>::quiet_NaN()
                                              : numberOf(shared + request.branches[i] + request.tail + request.answers[j]);
            ++branchesComputed;
            const bool gone = request.branches[i] == "gone";
            if (gone)
                std::fill(result.logits.row(i).begin(), result.logits.row(i).end(), std::numeric_limits<float>::quiet_NaN());
            result.answerMass.push_back(gone ? std::numeric_limits<float>::quiet_NaN() : numberOf(request.branches[i]));
            result.truncated.push_back(request.branches[i].size() > 5);
            result.status.push_back(gone ? ScoreStatus::missing : ScoreStatus::ok);
            result.reasons.push_back(gone ? "server said 500" : "");
            result.censored.push_back(request.branches[i] == "b");
            if (failAfter >= 0) {
                if (static_cast<int>(i) == failAfter)
                    return fail(ErrorKind::partial, "CL-2098", "gone away", "");
                BranchAnswer answer{{result.logits.row(i).begin(), result.logits.row(i).end()}, result.answerMass[i], ScoreStatus::ok, false, ""};
                if (request.whenAnswered)
                    CAROUSEL_TRY(request.whenAnswered(i, answer));
            }
        }
        result.calls = callsPerRequest;
        result.prefixTokens = 10;
        result.branchTokens = static_cast<std::int64_t>(3 * request.branches.size());
        result.cachedTokens = static_cast<std::int64_t>(10 * (request.branches.size() - 1));
        return result;
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl&) override {
        ++calls;
        ContinuationScores result;
        for (const auto& text : request.continuations) {
            result.logProbability.push_back(-static_cast<double>(numberOf(request.messages.front().content + text)) / 7);
            result.tokens.push_back(static_cast<int>(text.size()));
        }
        result.promptTokens = 8;
        return result;
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl&) override {
        ++calls;
        const std::string said = "said " + messages.back().content + std::to_string(options.seed);
        return Generated{said, 5, 6, options.maximumTokens == 6, {{said, -0.5, -0.5, 2, false}, {"second", -1.0 / 3, -0.1, 4, true}}};
    }
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl&) override {
        ++calls;
        branchesComputed += static_cast<std::int64_t>(request.branches.size());
        HiddenVectors result;
        result.rows = Matrix(request.branches.size(), 4);
        for (std::size_t i = 0; i < request.branches.size(); ++i) {
            for (std::size_t j = 0; j < 4; ++j)
                result.rows.row(i)[j] = numberOf(request.shared.back().content + request.branches[i] + request.tail + std::to_string(j));
            result.truncated.push_back(request.branches[i] != "b");
        }
        return result;
    }
    std::int64_t countTokens(const std::string& text) const override { return static_cast<std::int64_t>(text.size()); }
};

} // namespace carousel
