// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the decoder share and its users do not see: weights, keys and values, and what one pass computes.
#pragma once
#include "compute/attention_torch.h"
#include "compute/layers_torch.h"
#include "compute/packed_linear_torch.h"
#include "scoring/llama_decoder_torch.h"
#include <ATen/core/Tensor.h>

namespace carousel {

// Keys and values of every layer for one stretch of tokens.
struct DecoderCache::Layers {
    std::vector<LayerCache> each;
    void truncate(std::int64_t length) {
        for (LayerCache& layer : each)
            layer.truncate(length);
    }
    std::int64_t bytes() const {
        std::int64_t sum = 0;
        for (const LayerCache& layer : each)
            sum += layer.bytes();
        return sum;
    }
};

struct LlamaDecoder::Weights {
    struct Layer {
        at::Tensor attentionNorm, feedForwardNorm;
        PackedLinear queryKeyValue, attentionOut, gateUp, down;
    };
    at::Tensor outputNorm;
    at::Tensor embedding; // off the CPU, in fp32: rows are gathered there. On the CPU they are read from the file as they are needed
    PackedLinear head;
    std::vector<Layer> layers;
    RotaryTable rotary;
    AttentionShape attention;
    std::int64_t bytes = 0;
};

// Segments laid end to end: stretches of tokens that follow stores of keys and values and see those and themselves.
struct LlamaDecoder::Pass {
    using Layers = DecoderCache::Layers;
    std::vector<TokenId> tokens;
    std::vector<std::int64_t> starts{0}; // first token of each segment, then their number
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> wanted; // rows whose hidden states are asked for
    struct Followed {
        const Layers* store = nullptr;
        std::int64_t length = all; // of its tokens
    };
    static constexpr std::int64_t all = -1;
    std::vector<std::vector<Followed>> follows;   // by segment
    std::vector<std::vector<std::size_t>> within; // by segment: those of this pass that it follows without a store (off the CPU)
    std::vector<Layers*> keep;                    // by segment: where its keys and values go, or null
    bool continues = false;                       // the one segment is appended to the store it follows

    // The last `wantedRows` rows of the segment are wanted.
    void add(std::span<const TokenId> segment, std::int64_t firstPosition, std::int64_t wantedRows, std::vector<Followed> after,
             Layers* store, std::vector<std::size_t> ofThisPass = {});
};

} // namespace carousel
