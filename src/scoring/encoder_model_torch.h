// SPDX-License-Identifier: GPL-3.0-or-later
// A sentence encoder in a safetensors file as a LanguageModel that can embed and nothing else.
#pragma once
#include "llm/torch_module.h"
#include "llm/word_piece.h"
#include "scoring/bert_encoder_torch.h"
#include <mutex>

namespace carousel {

class EncoderModel final : public LanguageModel {
public:
    static Result<std::unique_ptr<LanguageModel>> open(const ModelLocation& location, const OpenOptions& options);

    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override;
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override;
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override;
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) override;
    std::int64_t countTokens(const std::string& text) const override;

private:
    EncoderModel(std::shared_ptr<const WordPiece> tokenizer, std::unique_ptr<BertEncoder> encoder);
    Error cannotChat() const;

    std::shared_ptr<const WordPiece> m_tokenizer;
    ModelInfo m_info;
    std::size_t m_textLimit = 256; // tokens of a text, [CLS] and [SEP] included; longer texts are cut
    std::timed_mutex m_turn;       // guards the encoder
    std::unique_ptr<BertEncoder> m_encoder;
};

} // namespace carousel
