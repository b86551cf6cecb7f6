// SPDX-License-Identifier: GPL-3.0-or-later
// A decoder's sizes, weights by role, tokenizer and chat template, whatever the file: GGUF, or safetensors (one file, or shards with an
// index) with config.json and tokenizer files beside it. What the shape names is there with the right dims: opening checked it.
// Const members may be called from any thread.
#pragma once
#include "llm/chat_template.h"
#include "llm/decoder_shape.h"
#include "llm/lora_adapter.h"
#include "llm/tokenizer.h"
#include <map>

namespace carousel {

class ModelSource {
public:
    // A .gguf file, a .safetensors file, an index, or a folder. Errors: those of the readers, of decoderShape(), CL-2038.
    static Result<std::shared_ptr<const ModelSource>> open(const std::string& path);
    // The same model with the adapter merged: a changed weight is stored as fp32 and read as the sum W + scale B A. CL-2144.
    static Result<std::shared_ptr<const ModelSource>> adapted(const ModelSource& base, std::shared_ptr<const LoraAdapter> adapter);

    const std::string& path() const { return m_store.path(); }
    const std::string& folder() const { return m_folder; }
    const std::string& format() const { return m_format; } // "gguf", "safetensors"
    const DecoderShape& shape() const { return m_shape; }
    std::uint64_t fileBytes() const { return m_store.fileBytes(); }

    bool has(WeightRole role) const; // biases only where the shape says so; all else always
    // Type, dims and bytes as stored. `role` must be one that has(), `block` below shape().blocks (ignored where there is but one).
    const TensorInfo& stored(WeightRole role, std::int64_t block = 0) const;
    // All values, row-major. CL-2034: a value that is not finite.
    Result<std::vector<float>> floats(WeightRole role, std::int64_t block = 0) const;
    // Rows [firstRow, firstRow + rows) into `out`, which has exactly rows * columns values: for loading without large intermediate copies.
    Result<void> readRows(WeightRole role, std::int64_t block, std::uint64_t firstRow, std::uint64_t rows, std::span<float> out) const;
    // The file's own blocks (see blockSize): rows follow one another, a row is columns / block.elements blocks. Layouts of the 4-bit and
    // 8-bit blocks are given at toFloats().
    Result<std::vector<std::byte>> blocks(WeightRole role, std::int64_t block = 0) const;

    // CL-2060, CL-2061, CL-2064..2066; CL-2037: more tokens than the embedding has rows. In a folder: tokenizer.json, tokenizer.model.
    Result<std::shared_ptr<const Tokenizer>> tokenizer() const;
    // CL-2063: a template that is not known, or none and not `plainWhenNone`. In a folder: chat_template.jinja, tokenizer_config.json.
    Result<ChatTemplate> chatTemplate(std::shared_ptr<const Tokenizer> tokenizer, bool plainWhenNone = false) const;

private:
    struct Changed {
        const LoraMatrix* by = nullptr;
        TensorInfo stored;
    };
    ModelSource() = default;
    const TensorInfo& inFile(WeightRole role, std::int64_t block) const;
    const Changed* changed(WeightRole role, std::int64_t block) const; // null: as in the file
    std::string m_folder, m_format;
    TensorStore m_store;
    std::shared_ptr<const GgufFile> m_gguf; // null for safetensors
    DecoderShape m_shape;
    std::shared_ptr<const LoraAdapter> m_adapter; // may be null
    std::map<std::pair<WeightRole, std::int64_t>, Changed> m_changed;
};

} // namespace carousel
