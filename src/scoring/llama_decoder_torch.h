// SPDX-License-Identifier: GPL-3.0-or-later
// A Llama-type decoder: token ids in, hidden states and logits out. Many prompts can follow one that is kept; what they begin with in
// common is computed once. No tensor type in this header, except declared ones, so that tests may include it beside Qt.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "compute/device_torch.h"
#include "llm/model_source.h"
#include "llm/tokenizer.h"
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace at {
class Tensor;
}

namespace carousel {

// The tokens of a prompt so far, with the keys and values of every layer.
class DecoderCache {
public:
    DecoderCache();
    ~DecoderCache();
    DecoderCache(DecoderCache&&) noexcept;
    DecoderCache& operator=(DecoderCache&&) noexcept;
    const std::vector<TokenId>& tokens() const { return m_tokens; }
    std::int64_t length() const { return static_cast<std::int64_t>(m_tokens.size()); }
    void truncate(std::int64_t length);
    std::int64_t bytes() const; // of the keys and values, room to grow included
    struct Layers;

private:
    friend class LlamaDecoder;
    std::vector<TokenId> m_tokens;
    std::unique_ptr<Layers> m_layers;
};

// Hidden states after the last normalisation: those of segment i are rows first[i] .. first[i + 1).
struct HiddenStates {
    Matrix rows;
    std::vector<std::size_t> first;
};
// The same where prompts share rows: each row was computed once. Those of prompt i are rows ofPrompt[i], in the order of its tokens.
struct TreeStates {
    Matrix rows;
    std::vector<std::vector<std::size_t>> ofPrompt;
    std::int64_t tokens = 0;         // computed
    std::vector<std::int64_t> added; // by prompt: how many of its last tokens no prompt before it had
    std::int64_t reused = 0;         // of the prompt that was prepared for it
    std::int64_t peakBytes = 0;      // most held at once by stored keys and values, besides the cache
};
constexpr std::int64_t allRows = std::numeric_limits<std::int64_t>::max();

// Not for several threads at once. Every function looks at `control` between layers and leaves with CL-7001 when asked to stop.
class LlamaDecoder {
public:
    // CL-2036: a size or a variant that is not computed here; CL-2033, CL-2034: weights that cannot be read.
    static Result<std::unique_ptr<LlamaDecoder>> open(std::shared_ptr<const ModelSource> source, const ComputeDevice& device,
                                                      const RunControl& control = {});
    ~LlamaDecoder();

    const DecoderShape& shape() const { return m_shape; }
    const ComputeDevice& device() const { return m_device; }
    std::int64_t memoryBytes() const; // of the weights
    // Most that a call holds beyond the weights while a prompt of so many tokens is kept: activations of one batch, keys and values.
    std::int64_t workingBytes(std::int64_t promptTokens) const;
    std::int64_t keyValueBytes() const; // of one token

    // Makes `cache` hold exactly `tokens`, computing as little as possible; returns the number reused. A reused prefix equals a computed
    // one bit for bit: where a product's rows do not depend on how many are computed together (found out when the model is opened; so with
    // the packed products), any beginning is reused, elsewhere whole pieces of promptPiece or promptPieceOffCpu tokens.
    Result<std::int64_t> prepare(DecoderCache& cache, std::span<const TokenId> tokens, const RunControl& control);
    // Appends tokens; returns the hidden states of the last `lastRows` of them.
    Result<Matrix> extend(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control);
    // Each segment follows the cache's tokens and sees no other segment; returns the hidden states of the last `lastRows` of each.
    // The cache is as before afterwards.
    Result<HiddenStates> branches(DecoderCache& cache, std::span<const std::vector<TokenId>> segments, std::int64_t lastRows,
                                  const RunControl& control);

    // Prompts that each follow the cache's tokens and see no other, computed as a prefix tree in batches of at most tokensAtOnce() tokens.
    // Returns the hidden states of the last `lastRows` tokens of each. Keys and values of what prompts share are stored once, and dropped
    // as soon as nothing that follows is left: besides the cache, those of one path and one batch are held at most.
    Result<TreeStates> follow(const DecoderCache& cache, std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows,
                              const RunControl& control);

    // prepare, then follow: off the CPU in one pass where they fit, since there the number of launches is what takes time.
    // TreeStates::reused says what prepare would.
    Result<TreeStates> followPrompt(DecoderCache& cache, std::span<const TokenId> prompt, std::span<const std::span<const TokenId>> prompts,
                                    std::int64_t lastRows, const RunControl& control);

    // Logits of single tokens are exact sums over the fp32 head, whatever the compute type.
    Result<Matrix> logits(const Matrix& hidden, std::span<const TokenId> tokens) const;                  // rows x tokens
    Result<std::vector<float>> rowLogits(const Matrix& hidden, std::span<const TokenId> tokens) const;   // one token per row
    Result<Matrix> allLogits(const Matrix& hidden);                                                      // rows x vocabulary
    Result<std::vector<double>> logSumExpOfLogits(const Matrix& hidden, const RunControl& control = {}); // over the whole vocabulary

    // A vector as a token of a prompt: the id, behind the vocabulary, by which this row stands where a token's embedding would. Equal rows have
    // one id until they are forgotten; caches that hold such ids must be cut before. CL-2096: another width, or a value that is not finite.
    Result<TokenId> inject(std::span<const float> row);
    std::size_t injectedRows() const { return m_injectedIds.size(); }
    void forgetInjected();
    Result<Matrix> inputEmbeddings(std::span<const TokenId> tokens) const; // tokens x width

    static constexpr std::int64_t promptPiece = 128, promptPieceOffCpu = 512, longestPiece = 256;
    // Computed together: what fits the caches of a CPU, and what keeps a GPU busy.
    static constexpr std::int64_t groupTokens = 352, groupTokensOffCpu = 4096;
    std::int64_t tokensAtOnce() const;

private:
    struct Weights;
    struct Pass;
    static constexpr std::int64_t logitRows = 64; // rows whose logits over the whole vocabulary are made at once: 13 MB for 49,152 tokens
    LlamaDecoder(std::shared_ptr<const ModelSource> source, ComputeDevice device);
    at::Tensor embedded(std::span<const TokenId> tokens) const;
    Matrix forward(const Pass& pass, const RunControl& control);
    std::int64_t keepReusable(DecoderCache& cache, std::span<const TokenId> tokens) const;
    TreeStates computeTree(const DecoderCache& cache, DecoderCache::Layers* appended, std::span<const TokenId> pending,
                           std::span<const std::span<const TokenId>> prompts, std::int64_t lastRows, const RunControl& control);
    Matrix extendPiece(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control);
    void load(const RunControl& control);
    bool rowsStandAlone() const;
    WeightRole headRole() const { return m_shape.tiedHead ? WeightRole::tokenEmbedding : WeightRole::head; }
    void checkToken(TokenId token) const; // throws where it is none of the vocabulary
    void readRow(WeightRole role, TokenId token, std::span<float> row) const;

    std::shared_ptr<const ModelSource> m_source; // rows of the embedding are read when they are needed
    DecoderShape m_shape;
    ComputeDevice m_device;
    std::unique_ptr<Weights> m_weights;
    std::int64_t m_reuseGrain = promptPiece;
    std::unordered_map<std::string, TokenId> m_injectedIds; // by the row's bytes
    std::vector<float> m_injected;                          // rows, by id
};

} // namespace carousel
