// SPDX-License-Identifier: GPL-3.0-or-later
// A decoder whose frozen weights carry a LoRA adapter that can be trained: logits, losses, and the gradient of the adapter through
// LibTorch's autograd. The arithmetic is LlamaDecoder's; matrix products with frozen weights run in the device's type, all else in fp32.
// No tensor type in this header.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "compute/device_torch.h"
#include "llm/lora_adapter.h"
#include "llm/model_source.h"
#include "scoring/training/training_text.h"
#include <memory>
#include <span>

namespace carousel {

struct Evaluated {
    std::vector<double> losses; // per sequence: sum of weight * cross-entropy over its targets
    Matrix logits;              // per sequence: those of the asked tokens at its first target
};

// Not for several threads at once. Looks at `control` between blocks; then CL-7001.
class LoraDecoder {
public:
    // `memoryBytes`: about what the backward pass may keep of the forward pass. Blocks beyond it are computed a second time instead, which
    // takes a third more time and gives the same numbers.
    static Result<std::unique_ptr<LoraDecoder>> open(const ModelSource& source, const ComputeDevice& device, const LoraSettings& settings,
                                                     std::int64_t memoryBytes, const RunControl& control = {});
    ~LoraDecoder();

    const DecoderShape& shape() const { return m_shape; }
    // The trained values are one vector: for every block, group of modules with one input (q k v | o | gate up | down), each A, then each
    // B.
    std::size_t valueCount() const { return m_values; }
    // A uniform in +-1/sqrt(inputs), as PEFT has it; B zero, so that training begins with the base model.
    std::vector<float> firstValues(std::uint64_t seed) const;
    Result<void> setValues(std::span<const float> values);
    std::vector<LoraMatrix> matrices(std::span<const float> values) const; // PEFT's order of rows

    // Adds the gradient of the sequences' weighted cross-entropies to `gradient`; returns their sum. With dropout when the settings have
    // it.
    Result<double> addGradient(std::span<const TrainingSequence> sequences, std::uint64_t seed, std::span<float> gradient,
                               const RunControl& control);
    // Without dropout.
    Result<Evaluated> evaluate(std::span<const TrainingSequence> sequences, std::span<const TokenId> asked, const RunControl& control);
    Result<Matrix> allLogits(std::span<const TokenId> tokens, const RunControl& control); // tokens x vocabulary
    std::int64_t blocksComputedTwice() const { return m_computedTwice; }                  // of the largest piece so far

private:
    struct Weights;
    struct Piece;
    LoraDecoder(DecoderShape shape, ComputeDevice device, LoraSettings settings, std::int64_t memoryBytes);
    void load(const ModelSource& source, const RunControl& control);
    void place();

    DecoderShape m_shape;
    ComputeDevice m_device;
    LoraSettings m_settings;
    std::int64_t m_memoryBytes = 0, m_computedTwice = 0;
    std::size_t m_values = 0;
    std::unique_ptr<Weights> m_weights;
};

} // namespace carousel
