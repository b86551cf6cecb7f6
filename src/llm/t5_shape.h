// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes of a T5-type encoder-decoder in a safetensors file with its config.json, checked against the tensors.
#pragma once
#include "llm/tensor_store.h"
#include "llm/tokenizer.h"

namespace carousel {

struct T5Shape {
    std::int64_t blocks = 0, decoderBlocks = 0, width = 0, feedForward = 0, heads = 0, headSize = 0, vocabulary = 0;
    std::int64_t buckets = 32, farthest = 128; // of relative positions; distances from `farthest` on share the last bucket
    bool gated = false;                        // v1.1: gelu(wi_0 x) * (wi_1 x); v1.0: relu(wi x)
    bool ownHead = false;                      // lm_head.weight; otherwise the embedding is the head
    bool scaledHead = true;                    // states are scaled by width^-0.5 in front of the head ("tie_word_embeddings" is not false)
    double normEpsilon = 1e-6;
    // Rows of the whole-word embedding of P5 (Geng et al. 2022, section 3.2), added to the encoder's token embeddings: a token has the row of
    // the number of word beginnings up to and with it, 0 for the end token, at most the last row. 0: the model has none.
    std::int64_t wordPlaces = 0;
    std::int64_t context = 512; // tokens of a source that it was trained on ("n_positions"); positions are relative, so that longer ones would do
    TokenId start = 0, end = 1; // of the answer: decoder_start_token_id, eos_token_id
    std::int64_t parameters = 0;
};
constexpr const char* wordPlacesKey = "whole_word_embeddings"; // in config.json; the tensor must be there too
constexpr const char* wordPlacesTensor = "encoder.whole_word_embeddings.weight";
// Whether config.json says "model_type": "t5" (or mt5, whose arithmetic is the same); false where it cannot be read.
bool isT5(const std::string& configFile);
constexpr std::int64_t t5Context = 512; // where the configuration does not say
// CL-2170 another or a contradictory configuration; CL-2031, 2032 a tensor that is missing or of another shape.
Result<T5Shape> t5Shape(const TensorStore& file, const std::string& configFile);

// A weight's name and dims, in the order in which the arithmetic meets them. Linear weights are [outputs, inputs].
struct T5Tensor {
    std::string name;
    std::vector<std::int64_t> dims;
};
std::vector<T5Tensor> t5Tensors(const T5Shape& shape);

} // namespace carousel
