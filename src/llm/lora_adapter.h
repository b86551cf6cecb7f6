// SPDX-License-Identifier: GPL-3.0-or-later
// An adapter on disk, as Hugging Face PEFT lays it out: adapter_model.safetensors with
// base_model.model.model.layers.N.self_attn.q_proj.lora_A.weight [rank, inputs] and ...lora_B.weight [outputs, rank], and
// adapter_config.json. Rows of B are in the order of the model's own q_proj: the two halves of a head apart, where a GGUF file of the
// Llama family stores them as neighbours. The metadata of the safetensors file name the adapter and the SHA-256 of its base model.
#pragma once
#include "llm/decoder_shape.h"
#include "llm/lora_settings.h"
#include <span>

namespace carousel {

struct LoraMatrix {
    std::int64_t layer = 0;
    LoraModule module = LoraModule::query;
    std::int64_t inputs = 0, outputs = 0, rank = 0;
    std::vector<float> a, b; // [rank, inputs], [outputs, rank], row-major
};

struct LoraAdapter {
    std::string name, baseModel, baseSha256; // baseSha256 empty: made by another program that does not say
    int rank = 0;
    double alpha = 0, dropout = 0, scale = 0;
    std::vector<LoraMatrix> matrices; // by layer, then module
    std::string folder, sha256;       // of what changes a score: values and scale
    const LoraMatrix* find(std::int64_t layer, LoraModule module) const;
};

// CL-2143: not there, or asks for what this program does not have (DoRA, biases, patterns, other tensors).
Result<LoraAdapter> readAdapter(const std::string& folder);
// Makes the folder; each file is the old one or whole.
Result<void> writeAdapter(const LoraAdapter& adapter, const std::string& folder);
// CL-2144: made for another base. An adapter that names none passes.
Result<void> checkBase(const LoraAdapter& adapter, const std::string& baseFile, const std::string& baseSha256);
// CL-2144: of sizes that are not the model's.
Result<void> checkSizes(const LoraAdapter& adapter, const DecoderShape& shape, const std::string& baseFile);
struct LoraSizes {
    std::int64_t inputs = 0, outputs = 0;
};
LoraSizes sizesOf(const DecoderShape& shape, LoraModule module);

// weights [outputs, inputs] += scale B A. `pairedHeadSize` above 0: rows of each head of so many stand in a GGUF file's order.
void mergeInto(std::span<float> weights, const LoraMatrix& matrix, double scale, std::int64_t pairedHeadSize);
// Row of the model's own order that stands at `row` of a GGUF file's: ... 2 i + j there is j * size / 2 + i here.
std::int64_t unpairedRow(std::int64_t row, std::int64_t headSize);

} // namespace carousel
