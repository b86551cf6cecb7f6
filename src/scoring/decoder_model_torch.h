// SPDX-License-Identifier: GPL-3.0-or-later
// A chat model (GGUF, or a safetensors folder) as a LanguageModel. Calls are served one at a time; the last prompt's keys and values are kept, so that a next
// call with the same beginning does not compute it again.
#pragma once
#include "llm/generation/answer_writer.h"
#include "llm/model_source.h"
#include "llm/torch_module.h"
#include "scoring/llama_decoder_torch.h"
#include "scoring/prompt_fit.h"
#include "stages/language_model.h"
#include <mutex>

namespace carousel {

class DecoderModel final : public LanguageModel {
public:
    static Result<std::unique_ptr<LanguageModel>> open(const ModelLocation& location, const OpenOptions& options);

    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    // All prompts of all requests as one prefix tree.
    Result<std::vector<BranchScores>> scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) override;
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) override;
    Result<HiddenVectors> hiddenStates(const HiddenRequest& request, const RunControl& control) override;
    Result<Matrix> tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) override;
    std::int64_t countTokens(const std::string& text) const override;

private:
    DecoderModel(std::shared_ptr<const Tokenizer> tokenizer, ChatTemplate chat, std::unique_ptr<LlamaDecoder> decoder);
    // Waits its turn, and gives up when asked to stop.
    Result<std::unique_lock<std::timed_mutex>> turn(const RunControl& control);

    std::shared_ptr<const Tokenizer> m_tokenizer;
    ChatTemplate m_chat;
    ModelInfo m_info;
    std::int64_t m_contextLimit = 0;
    std::timed_mutex m_turn; // guards what follows
    std::unique_ptr<LlamaDecoder> m_decoder;
    DecoderCache m_prompt;
    AnswerWriter m_writer;
};

} // namespace carousel
