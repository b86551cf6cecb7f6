// SPDX-License-Identifier: GPL-3.0-or-later
// A language model for tests: every answer is a pure function of the text it is given (a hash), so plugins can be checked for
// determinism and order without a model file. It sometimes gives an answer that counts as invalid.
#pragma once
#include "stages/stage.h"

namespace carousel::conformance {

class FakeModel final : public LanguageModel {
public:
    FakeModel();
    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override;
    // One vector in nine has a value that is not a number.
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override;
    Result<Matrix> tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) override;
    std::int64_t countTokens(const std::string& text) const override;
    std::int64_t calls() const { return m_calls; }

    // In place of the hash, for known answers: the logits of the answers to a prompt (all of the mass is theirs), and what is written.
    std::function<std::vector<float>(const std::string& prompt, const std::vector<std::string>& answers)> answer;
    std::function<std::string(const std::string& prompt)> write;
    // For answers from a list, found by beams over bytes: the logit of the next byte after a beginning; '\0' is the end.
    std::function<float(const std::string& begun, char next)> begins;
    // Before `answer`: told the whole request and the branch.
    std::function<std::vector<float>(const BranchRequest& request, std::size_t branch)> answerTo;

private:
    Result<void> search(const GenerateOptions& options, Generated& out, const RunControl& control);
    ModelInfo m_info;
    std::atomic<std::int64_t> m_calls{0};
};

// The environment of one stage under test.
struct Bench {
    FakeModel model;
    CostMeter cost;
    std::atomic<int> opened{0};
    bool modelMissing = false;
    StageEnvironment environment(std::uint64_t seed = 1);
};

} // namespace carousel::conformance
