// SPDX-License-Identifier: GPL-3.0-or-later
// The arithmetic of a T5-type encoder-decoder (Raffel et al. 2020, and the v1.1 variant with a gated feed-forward) in plain LibTorch
// operations, so that gradients flow where they are recorded. RMS norms, no biases, attention without scaling, relative positions added to
// the attention scores of every block from one table per stack, encoder states kept as keys and values for the decoder.
#pragma once
#include "llm/t5_shape.h"
#include <ATen/core/Tensor.h>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace carousel {

using NamedTensors = std::map<std::string, at::Tensor>; // names of t5Tensors()

// What the decoder knows of a batch: the encoder's states as keys and values of every block, and those of the answers so far.
struct T5Memory {
    struct Block {
        at::Tensor crossKeys, crossValues; // [batch, heads, source, headSize]
        at::Tensor keys, values;           // [batch, heads, length, headSize]; undefined before the first step
    };
    std::vector<Block> blocks;
    at::Tensor mask; // [batch, 1, 1, source]: 0 for tokens, -inf for padding
    std::int64_t length = 0;
    // The same for other rows of the batch: rows may be left out or repeated.
    T5Memory select(const at::Tensor& rows) const;
};

// What training leaves out: factors of that size, 0 or 1 / (1 - share). Asked for in the order of the arithmetic, which is where T5 has its
// dropout: embeddings, inside and behind every layer, final states (attention weights are left whole). Empty: nothing is left out.
using T5Dropout = std::function<at::Tensor(at::IntArrayRef sizes)>;

// Const members may be called from any thread. Sizes: batch x length; ids are int64 and inside the vocabulary (the caller checks).
class T5Network {
public:
    // All tensors of t5Tensors(shape), fp32, on one device. `wordBeginnings`: see there; of the vocabulary's size where the shape has
    // wordPlaces, else not used.
    T5Network(T5Shape shape, NamedTensors weights, const std::vector<std::uint8_t>& wordBeginnings = {});
    // For training from scratch: normal values as T5 draws them (Mesh-TensorFlow: width^-0.5 for inputs of that width), norms 1. The
    // whole-word embedding begins at a tenth of the tokens', so that places that are seldom met add little.
    static NamedTensors randomWeights(const T5Shape& shape, std::uint64_t seed);

    const T5Shape& shape() const { return m_shape; }
    NamedTensors& weights() { return m_weights; } // to be trained, or saved

    // `mask`: bool, true for tokens, false for padding; every row has a token. [batch, source, width], after the final norm.
    at::Tensor encode(const at::Tensor& ids, const at::Tensor& mask, const T5Dropout& dropout = {}) const;
    T5Memory remember(const at::Tensor& states, const at::Tensor& mask) const;
    // The next tokens of every answer (the first one is shape().start); returns their states after the final norm [batch, new, width].
    at::Tensor decode(const at::Tensor& ids, T5Memory& memory, const T5Dropout& dropout = {}) const;
    at::Tensor logits(const at::Tensor& states) const; // [..., width] -> [..., vocabulary]

private:
    const at::Tensor& weight(const std::string& name) const { return m_weights.at(name); }
    at::Tensor norm(const at::Tensor& x, const std::string& name) const;
    at::Tensor feedForward(const at::Tensor& x, const std::string& at, const T5Dropout& dropout) const;
    // Projections of x side by side, split into heads: one [batch, heads, length, headSize] for each of `parts`.
    std::vector<at::Tensor> heads(const at::Tensor& x, const std::string& at, const std::vector<const char*>& parts) const;
    // `bias` is added to the scores; it can be expanded to [batch, heads, queries, keys].
    at::Tensor attention(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& bias,
                         const std::string& at) const;
    at::Tensor wordPlaces(const at::Tensor& ids, const at::Tensor& mask) const; // rows of the whole-word embedding
    // [1, heads, queries, keys]; the queries are the last of the keys.
    at::Tensor positionBias(const std::string& stack, std::int64_t queries, std::int64_t keys, bool bothWays) const;

    T5Shape m_shape;
    NamedTensors m_weights;
    at::Tensor m_wordBeginnings; // [vocabulary], int64; undefined where words are not counted
};

// The bucket of each distance key - query (Raffel et al. 2020, section 2.1, as published with their code): half of the buckets hold single
// distances, the others grow by powers up to `farthest`. `bothWays`: half of all buckets are for keys behind the query.
at::Tensor relativeBuckets(const at::Tensor& distances, bool bothWays, std::int64_t buckets, std::int64_t farthest);

} // namespace carousel
