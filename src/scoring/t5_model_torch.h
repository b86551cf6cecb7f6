// SPDX-License-Identifier: GPL-3.0-or-later
// A T5-type encoder-decoder as a LanguageModel. It has no chat form: the encoder reads the contents of the messages, one below the other,
// and the decoder writes the answer; a last message of the assistant is the answer's beginning. Calls are served one at a time.
#pragma once
#include "llm/generation/answer_writer.h"
#include "llm/torch_module.h"
#include "scoring/t5_encoder_decoder_torch.h"
#include <mutex>

namespace carousel {

class T5Model final : public LanguageModel {
public:
    // A folder with config.json, spiece.model and the weights, in one file or in shards. fp32 whatever is asked for.
    static Result<std::unique_ptr<LanguageModel>> open(const ModelLocation& location, const OpenOptions& options);
    // For a model whose parts are there already, such as one trained here; `info` as far as the caller knows it.
    T5Model(std::shared_ptr<const Tokenizer> tokenizer, std::unique_ptr<T5EncoderDecoder> network, ModelInfo info,
            std::int64_t contextLimit);

    const ModelInfo& info() const override { return m_info; }
    // Of the encoder's states: their mean, or the last one (the end token's).
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    // Logits of the first token of the answer. Every prompt is read anew: an encoder sees both ways, so that nothing can be shared.
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    // All prompts of all requests in one go.
    Result<std::vector<BranchScores>> scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) override;
    // The prompt is read once for all continuations. The end token is not counted.
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override;
    // last: the decoder's state in front of the answer's first token; mean: of the encoder's states.
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override;
    std::int64_t countTokens(const std::string& text) const override;

private:
    struct Sources {
        std::vector<std::vector<TokenId>> tokens;
        std::vector<std::uint8_t> cut;
        std::int64_t count = 0; // tokens of all
    };
    Result<std::unique_lock<std::timed_mutex>> turn(const RunControl& control);
    std::vector<TokenId> sourceOf(const std::string& text, bool* cut = nullptr) const; // with the end token
    Sources sourcesOf(const std::vector<ChatMessage>& shared, const std::vector<std::string>& branches, const std::string& tail) const;

    std::shared_ptr<const Tokenizer> m_tokenizer;
    ModelInfo m_info;
    std::int64_t m_contextLimit;
    std::timed_mutex m_turn; // guards what follows
    std::unique_ptr<T5EncoderDecoder> m_network;
    AnswerWriter m_writer;
};

} // namespace carousel
