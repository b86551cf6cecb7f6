// SPDX-License-Identifier: GPL-3.0-or-later
// An encoder-decoder under training: its weights as one array of values, and the gradient of a batch's loss as another.
#pragma once
#include "compute/device_torch.h"
#include "scoring/t5_network_torch.h"
#include "scoring/training/text_batches.h"
#include <memory>
#include <span>

namespace carousel {

// Sources and targets of some pairs, padded. Of the decoder's states only those in front of a target's tokens bear a loss.
struct T5Batch {
    at::Tensor sources, mask; // [pairs, source]: ids; true for tokens
    at::Tensor inputs;        // [pairs, target]: what the decoder reads, the start token first
    at::Tensor rows, targets; // [tokens of all targets]: rows of [pairs * target], and the token wanted behind each
    std::vector<std::int64_t> first; // targets of pair i are first[i] .. first[i + 1]
    static T5Batch of(const TokenPairs& pairs, std::span<const std::size_t> which, TokenId start, const c10::Device& device);
};
// Cross-entropy of each of batch.targets.
at::Tensor t5TokenLosses(const T5Network& network, const T5Batch& batch, const T5Dropout& dropout = {});

// The same factors for the same seed, step and piece of the step, whatever the device and the number of threads. Shares are rounded to
// 1 / 65536.
class DropoutSource {
public:
    DropoutSource(double share, std::uint64_t seed, std::int64_t step, std::size_t piece, const c10::Device& device);
    at::Tensor operator()(at::IntArrayRef sizes);

private:
    std::uint16_t m_below;
    float m_scale;
    std::uint64_t m_seed, m_step, m_place;
    c10::Device m_device;
};

// A batch is computed in pieces, each by one thread from the first layer to the last: products this small only wait for each other when
// threads share them (measured on two busy cores: 1,800 tokens a second so, 6,400 with one thread alone). The gradients are added up in the
// order of the pieces, so that the number of threads changes nothing. Off the CPU there is one piece.
// Not for several threads at once. Errors: CL-2087, CL-2088; CL-7001 on a stop, seen between the layers of the forward pass.
class T5Training {
public:
    // `wordBeginnings`: see there. `batchTokens`: of a step; a piece has about 512.
    static Result<std::unique_ptr<T5Training>> make(const T5Shape& shape, const std::vector<std::uint8_t>& wordBeginnings,
                                                    const ComputeDevice& device, std::int64_t batchTokens);
    ~T5Training();
    std::size_t valueCount() const;
    std::size_t decayed() const; // values in front of the norms'
    std::vector<std::size_t> ends() const; // of each tensor in the values, ascending
    std::vector<float> firstValues(std::uint64_t seed) const;
    std::vector<float> inFileOrder(std::span<const float> values) const; // for writeT5()
    Result<void> setValues(std::span<const float> values);

    // Sets `gradient` to that of the loss of these pairs, see llm/text_to_text.h, and returns the loss.
    Result<double> lossGradient(const TokenPairs& pairs, std::span<const std::size_t> which, double dropout, std::uint64_t seed,
                                std::int64_t step, std::span<float> gradient, const RunControl& control);
    // Mean cross-entropy of each pair's target tokens, nothing left out.
    Result<std::vector<double>> losses(const TokenPairs& pairs, std::span<const std::size_t> which, const RunControl& control);

private:
    struct State;
    Result<void> inPieces(std::span<const std::size_t> which,
                          const std::function<Result<void>(std::size_t piece, std::span<const std::size_t> pairs)>& body);
    explicit T5Training(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace carousel
