// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes of a decoder and the variants of its arithmetic, read from a model file and checked against its tensors, so that the arithmetic can
// trust every number it indexes with. Architectures: llama (also TinyLlama, SmolLM, SmolLM2, Llama 2 and 3), mistral, qwen2.
#pragma once
#include "llm/gguf.h"
#include "llm/strict_json.h"
#include "llm/tensor_store.h"
#include <string>
#include <vector>

namespace carousel {

// Which two values of a head are turned together at frequency i: neighbours (2i, 2i+1), or (i, i + headSize/2). Llama-type GGUF files store
// query and key rows permuted for neighbours; safetensors files and qwen2 GGUF files are for halves.
enum class RopeLayout { pairs, halves };

struct DecoderShape {
    std::string architecture; // "llama", "mistral", "qwen2"
    std::int64_t blocks = 0, width = 0, feedForward = 0, heads = 0, keyValueHeads = 0;
    std::int64_t headSize = 0;      // even; heads * headSize need not be the width
    std::int64_t vocabulary = 0;    // rows of the embedding; the tokenizer may know fewer
    std::int64_t contextLength = 0; // already capped at the sliding window, where all attention is inside it
    std::int64_t slidingWindow = 0; // of the file; 0: none
    double ropeBase = 10000, rmsEpsilon = 1e-5;
    RopeLayout ropeLayout = RopeLayout::halves;
    // Radians per position of each of the headSize/2 turns, scaling (linear, llama3, factors of the file) already applied.
    std::vector<double> ropeFrequencies;
    std::string ropeScaling; // "", "linear", "llama3", "factors": for people
    bool tiedHead = true;    // no head of its own: the head is the token embedding
    bool queryKeyValueBias = false, attentionOutBias = false;
    std::int64_t parameters = 0;
    std::vector<std::string> warnings; // what a user should know, such as a context cut at the window
};

enum class WeightRole {
    tokenEmbedding, // [vocabulary, width]
    outputNorm,     // [width]
    head,           // [vocabulary, width]; the token embedding itself when tiedHead
    attentionNorm,  // [width]; this and what follows: one for each block
    query,          // [heads * headSize, width]
    key,            // [keyValueHeads * headSize, width]
    value,          // as key
    attentionOut,   // [width, heads * headSize]
    feedForwardNorm,
    gate, // [feedForward, width]
    up,   // as gate
    down, // [width, feedForward]
    queryBias,
    keyBias,
    valueBias,
    attentionOutBias
};
constexpr int weightRoles = 16;
// "blk.3.attn_q.weight" in GGUF, "model.layers.3.self_attn.q_proj.weight" in safetensors.
std::string ggufName(WeightRole role, std::int64_t block);
std::string safetensorsName(WeightRole role, std::int64_t block);

// CL-2035: another architecture, or a variant that this program does not compute, named. CL-2030..2033, CL-2040: a key, tensor, type or
// shape that does not fit.
Result<DecoderShape> decoderShape(const GgufFile& file);
Result<DecoderShape> decoderShape(const TensorStore& tensors, const StrictJson& config);

} // namespace carousel
