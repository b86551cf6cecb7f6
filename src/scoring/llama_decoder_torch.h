// SPDX-License-Identifier: GPL-3.0-or-later
// A Llama-type decoder: token ids in, hidden states and logits out. Several segments (candidates) can follow one prefix whose keys and
// values are computed once. No tensor type in this header, so that tests may include it beside Qt.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "compute/device_torch.h"
#include "llm/model_source.h"
#include "llm/tokenizer.h"
#include <limits>
#include <memory>
#include <span>
#include <vector>

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

private:
    friend class LlamaDecoder;
    struct Layers;
    std::vector<TokenId> m_tokens;
    std::unique_ptr<Layers> m_layers;
};

// Hidden states after the last normalisation: those of segment i are rows first[i] .. first[i + 1).
struct HiddenStates {
    Matrix rows;
    std::vector<std::size_t> first;
};
constexpr std::int64_t allRows = std::numeric_limits<std::int64_t>::max();

// Not for several threads at once. Every function looks at `control` between layers and leaves with CL-7001 when asked to stop.
class LlamaDecoder {
public:
    static Result<std::unique_ptr<LlamaDecoder>> open(const ModelSource& source, const ComputeDevice& device, const RunControl& control = {});
    ~LlamaDecoder();

    const DecoderShape& shape() const { return m_shape; }
    const ComputeDevice& device() const { return m_device; }
    std::int64_t memoryBytes() const;

    // Makes `cache` hold exactly `tokens`, computing as little as possible. Prompts are computed in pieces that start at multiples of
    // promptPiece, and only whole pieces are reused, so that a reused prefix equals a computed one bit for bit. Returns the number reused.
    Result<std::int64_t> prepare(DecoderCache& cache, std::span<const TokenId> tokens, const RunControl& control);
    // Appends tokens; returns the hidden states of the last `lastRows` of them.
    Result<Matrix> extend(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control);
    // Each segment follows the cache's tokens and sees no other segment; returns the hidden states of the last `lastRows` of each.
    // The cache is as before afterwards.
    Result<HiddenStates> branches(DecoderCache& cache, std::span<const std::vector<TokenId>> segments, std::int64_t lastRows,
                                  const RunControl& control);

    // Logits of single tokens are exact sums over the fp32 head, whatever the compute type.
    Result<Matrix> logits(const Matrix& hidden, std::span<const TokenId> tokens) const;                // rows x tokens
    Result<std::vector<float>> rowLogits(const Matrix& hidden, std::span<const TokenId> tokens) const; // one token per row
    Result<Matrix> allLogits(const Matrix& hidden);                                                    // rows x vocabulary
    Result<std::vector<double>> logSumExpOfLogits(const Matrix& hidden, const RunControl& control = {}); // over the whole vocabulary

    static constexpr std::int64_t promptPiece = 128;
    static constexpr std::int64_t groupTokens = 352; // segments are computed together up to about so many tokens: fits the caches

private:
    struct Weights;
    struct Batch;
    LlamaDecoder(DecoderShape shape, ComputeDevice device);
    Matrix forward(const Batch& batch, DecoderCache& cache, const RunControl& control);
    Matrix extendPiece(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control);
    void load(const ModelSource& source, const RunControl& control);
    float logit(std::span<const float> hidden, TokenId token) const;

    DecoderShape m_shape;
    ComputeDevice m_device;
    std::unique_ptr<Weights> m_weights;
};

} // namespace carousel
