// SPDX-License-Identifier: GPL-3.0-or-later
// A language model that answers from a CompletionCache where it can and counts what was asked. The key is the content: model file,
// arithmetic, kind of call, whole prompt and parameters. Stored floats are the raw bits, so a cached answer equals the computed one.
#pragma once
#include "stages/language_model.h"
#include "stages/stage.h"

namespace carousel {

class CachingModel final : public LanguageModel {
public:
    // `cache` and `cost` may be null. All three outlive this object.
    CachingModel(LanguageModel& model, CompletionCache* cache, CostMeter* cost) : m_model(model), m_cache(cache), m_cost(cost) {}

    const ModelInfo& info() const override { return m_model.info(); }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    // Per branch: only branches that are not known are computed. cachedTokens/prefixTokens tell of the computed ones. An answer that the
    // model hands on early (BranchRequest::whenAnswered) is kept at once; one that failed (missing, invalid, not finite) never is.
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    // As scoreBranches, for all requests in one call of the model: what several of them ask is computed once.
    Result<std::vector<BranchScores>> scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) override;
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override;
    // Per branch, as scoreBranches.
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override;
    Result<Matrix> tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) override { // a look-up: not kept, not counted
        return m_model.tokenEmbeddings(texts, control);
    }
    std::int64_t countTokens(const std::string& text) const override { return m_model.countTokens(text); }
    std::string facts() const override { return m_model.facts(); }

private:
    LanguageModel& m_model;
    CompletionCache* m_cache;
    CostMeter* m_cost;
};

} // namespace carousel
