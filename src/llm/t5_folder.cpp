// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/t5_folder.h"
#include "base/file.h"
#include "llm/safetensors_writer.h"
#include <nlohmann/json.hpp>

namespace carousel {

Result<void> writeT5(const std::string& folder, const std::string& name, const T5Shape& shape, const std::string& spieceModel,
                     std::span<const float> values) {
    std::vector<TensorToWrite> tensors;
    for (const T5Tensor& tensor : t5Tensors(shape)) {
        std::size_t size = 1;
        TensorToWrite one{tensor.name, {}, {}};
        for (const std::int64_t dim : tensor.dims) {
            one.dims.push_back(static_cast<std::uint64_t>(dim));
            size *= static_cast<std::size_t>(dim);
        }
        one.values = values.first(size);
        values = values.subspan(size);
        tensors.push_back(std::move(one));
    }
    nlohmann::ordered_json config{{"model_type", "t5"},
                                  {"architectures", {"T5ForConditionalGeneration"}},
                                  {"_name_or_path", name},
                                  {"vocab_size", shape.vocabulary},
                                  {"d_model", shape.width},
                                  {"d_kv", shape.headSize},
                                  {"d_ff", shape.feedForward},
                                  {"num_heads", shape.heads},
                                  {"num_layers", shape.blocks},
                                  {"num_decoder_layers", shape.decoderBlocks},
                                  {"relative_attention_num_buckets", shape.buckets},
                                  {"relative_attention_max_distance", shape.farthest},
                                  {"n_positions", shape.context},
                                  {"layer_norm_epsilon", shape.normEpsilon},
                                  {"feed_forward_proj", shape.gated ? "gated-gelu" : "relu"},
                                  {"tie_word_embeddings", shape.scaledHead},
                                  {"is_encoder_decoder", true},
                                  {"pad_token_id", 0},
                                  {"decoder_start_token_id", shape.start},
                                  {"eos_token_id", shape.end}};
    if (shape.wordPlaces > 0)
        config[wordPlacesKey] = shape.wordPlaces;
    CAROUSEL_TRY(makeFolders(folder));
    CAROUSEL_TRY(atomicWrite(folder + "/spiece.model", spieceModel));
    CAROUSEL_TRY(atomicWrite(folder + "/config.json", config.dump(2) + "\n"));
    return atomicWrite(folder + "/model.safetensors", safetensorsBytes(tensors, {{"format", "pt"}}));
}

} // namespace carousel
