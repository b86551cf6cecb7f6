// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/t5_shape.h"
#include "base/file.h"
#include "base/text.h"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

constexpr std::size_t longestConfig = std::size_t(1) << 20;

tl::unexpected<Error> unfit(const std::string& where, const std::string& what) {
    return fail(ErrorKind::input, "CL-2170", fmt::format("{}: {}", where, what), "use a T5 model (v1.0 or v1.1), or fetch the files again");
}

} // namespace

bool isT5(const std::string& configFile) {
    const auto text = readFile(configFile, longestConfig);
    const auto config = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    const auto type = config.is_object() ? config.find("model_type") : config.end();
    return config.is_object() && type != config.end() && (*type == "t5" || *type == "mt5");
}

std::vector<T5Tensor> t5Tensors(const T5Shape& shape) {
    std::vector<T5Tensor> all;
    const std::int64_t inner = shape.heads * shape.headSize;
    const auto attention = [&](const std::string& at) {
        for (const char* part : {"q", "k", "v"})
            all.push_back({at + part + ".weight", {inner, shape.width}});
        all.push_back({at + "o.weight", {shape.width, inner}});
    };
    const auto stack = [&](const std::string& name, std::int64_t blocks, bool crosses) {
        for (std::int64_t block = 0; block < blocks; ++block) {
            const std::string at = fmt::format("{}.block.{}.layer.", name, block);
            int layer = 0;
            const auto norm = [&] { all.push_back({fmt::format("{}{}.layer_norm.weight", at, layer), {shape.width}}); };
            attention(at + "0.SelfAttention.");
            if (block == 0)
                all.push_back({at + "0.SelfAttention.relative_attention_bias.weight", {shape.buckets, shape.heads}});
            norm();
            ++layer;
            if (crosses) {
                attention(at + "1.EncDecAttention.");
                norm();
                ++layer;
            }
            const std::string dense = fmt::format("{}{}.DenseReluDense.", at, layer);
            for (const char* part : shape.gated ? std::vector{"wi_0", "wi_1"} : std::vector{"wi"})
                all.push_back({dense + part + ".weight", {shape.feedForward, shape.width}});
            all.push_back({dense + "wo.weight", {shape.width, shape.feedForward}});
            norm();
        }
        all.push_back({name + ".final_layer_norm.weight", {shape.width}});
    };
    all.push_back({"shared.weight", {shape.vocabulary, shape.width}});
    if (shape.wordPlaces > 0)
        all.push_back({wordPlacesTensor, {shape.wordPlaces, shape.width}});
    stack("encoder", shape.blocks, false);
    stack("decoder", shape.decoderBlocks, true);
    if (shape.ownHead)
        all.push_back({"lm_head.weight", {shape.vocabulary, shape.width}});
    return all;
}

Result<T5Shape> t5Shape(const TensorStore& file, const std::string& configFile) {
    CAROUSEL_ASSIGN(const std::string text, readFile(configFile, longestConfig));
    const auto config = nlohmann::json::parse(text, nullptr, false);
    if (!config.is_object())
        return unfit(configFile, "it is not a JSON object");
    // A key that is absent or null has the value `otherwise`; -1: it must be there.
    const auto integer = [&](const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise = -1) -> Result<std::int64_t> {
        const auto found = config.find(key);
        if ((found == config.end() || found->is_null()) && otherwise >= 0)
            return otherwise;
        if (found == config.end() || !found->is_number_integer())
            return unfit(configFile, fmt::format("'{}' is not an integer", key));
        const bool tooLarge = found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
        if (tooLarge || found->get<std::int64_t>() < least)
            return unfit(configFile, fmt::format("'{}' is {}; {} to {} is allowed", key, found->dump(), least, most));
        return found->get<std::int64_t>();
    };
    T5Shape shape;
    CAROUSEL_ASSIGN(shape.vocabulary, integer("vocab_size", 1, 1 << 22));
    CAROUSEL_ASSIGN(shape.width, integer("d_model", 1, 1 << 16));
    CAROUSEL_ASSIGN(shape.headSize, integer("d_kv", 1, 1 << 12));
    CAROUSEL_ASSIGN(shape.feedForward, integer("d_ff", 1, 1 << 18));
    CAROUSEL_ASSIGN(shape.heads, integer("num_heads", 1, 1 << 10));
    CAROUSEL_ASSIGN(shape.blocks, integer("num_layers", 1, 512));
    CAROUSEL_ASSIGN(shape.decoderBlocks, integer("num_decoder_layers", 1, 512, shape.blocks));
    CAROUSEL_ASSIGN(shape.buckets, integer("relative_attention_num_buckets", 4, 1 << 12, 32));
    CAROUSEL_ASSIGN(shape.farthest, integer("relative_attention_max_distance", 1, 1 << 20, 128));
    CAROUSEL_ASSIGN(const std::int64_t start, integer("decoder_start_token_id", 0, shape.vocabulary - 1, 0));
    CAROUSEL_ASSIGN(const std::int64_t end, integer("eos_token_id", 0, shape.vocabulary - 1, 1));
    shape.start = static_cast<TokenId>(start);
    shape.end = static_cast<TokenId>(end);
    if (shape.buckets % 4 != 0 || shape.farthest <= shape.buckets / 2)
        return unfit(
            configFile,
            fmt::format(
                "{} buckets of relative positions up to a distance of {}; a multiple of 4 and a distance above half of it are needed",
                shape.buckets, shape.farthest));
    if (const auto found = config.find("layer_norm_epsilon"); found != config.end()) {
        if (!found->is_number() || !(found->get<double>() >= 0) || !(found->get<double>() < 1))
            return unfit(configFile, "'layer_norm_epsilon' is not a number from 0 to 1");
        shape.normEpsilon = found->get<double>();
    }
    if (const auto found = config.find("feed_forward_proj"); found != config.end() && !found->is_null()) {
        if (*found != "relu" && *found != "gated-gelu")
            return unfit(configFile, fmt::format("'feed_forward_proj' is {}; \"relu\" and \"gated-gelu\" are known",
                                                 quotedForMessage(found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))));
        shape.gated = *found == "gated-gelu";
    }
    if (const auto found = config.find("tie_word_embeddings"); found != config.end() && found->is_boolean())
        shape.scaledHead = found->get<bool>();
    shape.ownHead = !shape.scaledHead && file.find("lm_head.weight");
    CAROUSEL_ASSIGN(shape.context, integer("n_positions", 2, 1 << 20, t5Context));
    CAROUSEL_ASSIGN(shape.wordPlaces, integer(wordPlacesKey, 0, 1 << 16, 0));
    if (shape.wordPlaces == 0 && file.find(wordPlacesTensor)) // used in training; without it the model would answer something else
        return unfit(configFile, fmt::format("the weights have the table '{}', which '{}' does not tell of", wordPlacesTensor, wordPlacesKey));
    const std::vector<std::string> names = file.names();
    if (std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("decoder."); }))
        return fail(ErrorKind::input, "CL-2170", fmt::format("{}: it is the encoder of a T5 alone, without a decoder", file.path()),
                    "use a whole T5; for vectors of texts alone, a sentence encoder of the BERT type");
    for (const T5Tensor& tensor : t5Tensors(shape)) {
        const std::vector<std::uint64_t> dims(tensor.dims.begin(), tensor.dims.end());
        CAROUSEL_ASSIGN(const TensorInfo* const found, file.tensor(tensor.name, dims));
        shape.parameters += static_cast<std::int64_t>(found->elements);
    }
    return shape;
}

} // namespace carousel
