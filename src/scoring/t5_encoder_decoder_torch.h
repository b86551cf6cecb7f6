// SPDX-License-Identifier: GPL-3.0-or-later
// A T5-type encoder-decoder by token ids. Texts of a batch are padded to the longest and masked. No tensor type in this header.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "compute/device_torch.h"
#include "llm/generation/token_search.h"
#include "llm/t5_shape.h"
#include <memory>
#include <span>
#include <vector>

namespace carousel {

// Not for several threads at once. `sources` are whole encoder inputs, the end token included; none may be empty. Every function looks at
// `control` between groups of texts and between steps, and leaves with CL-7001 when asked to stop.
class T5EncoderDecoder {
public:
    // `wordBeginnings`: of the tokenizer, see there; needed by models with a whole-word embedding, which cannot be used without (CL-2170).
    static Result<std::unique_ptr<T5EncoderDecoder>> open(const TensorStore& file, const std::string& configFile,
                                                          const ComputeDevice& device, const RunControl& control = {},
                                                          const std::vector<std::uint8_t>& wordBeginnings = {});
    ~T5EncoderDecoder();
    const T5Shape& shape() const;
    std::int64_t memoryBytes() const;

    // The encoder's states: those of text i are rows first[i] .. first[i + 1).
    struct States {
        Matrix rows;
        std::vector<std::size_t> first;
    };
    Result<States> encode(std::span<const std::vector<TokenId>> sources, const RunControl& control);

    // Per source: what the decoder gives for the first token of an answer.
    struct FirstTokens {
        Matrix states;                 // after the final norm
        Matrix logits;                 // sources x tokens asked for
        std::vector<double> logSumExp; // over the whole vocabulary
    };
    Result<FirstTokens> firstTokens(std::span<const std::vector<TokenId>> sources, std::span<const TokenId> tokens,
                                    const RunControl& control);

    // log p(target | source, prefix), natural, summed over the tokens of each target; `prefix` are answer tokens already given.
    Result<std::vector<double>> logProbability(const std::vector<TokenId>& source, std::span<const TokenId> prefix,
                                               std::span<const std::vector<TokenId>> targets, const RunControl& control);
    // All logits for one target, teacher-forced: row t is what comes after t tokens of it.
    Result<Matrix> targetLogits(const std::vector<TokenId>& source, std::span<const TokenId> target, const RunControl& control);

    // For searchAnswers: the source is encoded once; each answer keeps its keys and values, so that a step computes one token per answer.
    // Answers of one call have the same length. Outlived by this object.
    Result<NextLogits> answers(const std::vector<TokenId>& source, std::vector<TokenId> prefix, const RunControl& control);

private:
    struct Model;
    explicit T5EncoderDecoder(std::unique_ptr<Model> model);
    std::unique_ptr<Model> m_model;
};

// The buckets of the distances first .. last, see relativeBuckets.
std::vector<std::int64_t> t5Buckets(std::int64_t first, std::int64_t last, bool bothWays, std::int64_t buckets, std::int64_t farthest);

} // namespace carousel
