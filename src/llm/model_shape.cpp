// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_shape.h"
#include "base/file.h"
#include "base/text.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

// Upper bounds that no model of today comes near; with them every product of sizes below fits 63 bits.
constexpr std::int64_t maximumBlocks = 1024, maximumWidth = 1 << 16, maximumFeedForward = 1 << 20, maximumVocabulary = 1 << 24,
                       maximumContext = 1 << 24;

using Dims = std::vector<std::uint64_t>;
std::uint64_t u(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

tl::unexpected<Error> unfit(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2035", fmt::format("'{}': {}.", path, what),
                "This program runs Llama-type decoders (GGUF) and BERT-type encoders (safetensors); choose another model file.");
}

template <class File> Result<void> require(const File& file, const std::string& name, const Dims& dims, std::int64_t& parameters) {
    CAROUSEL_ASSIGN(const TensorInfo* tensor, file.tensor(name, dims));
    if (!readableAsFloats(tensor->type))
        return fail(ErrorKind::input, "CL-2033",
                    fmt::format("'{}', offset {}: the tensor '{}' is stored as {}.", file.path(), tensor->offset, quotedForMessage(name),
                                tensor->typeName),
                    "This program reads F32, F16, BF16, F64, Q8_0, Q4_0 and Q4_1; convert the model to one of them.");
    parameters += static_cast<std::int64_t>(tensor->elements);
    return {};
}

} // namespace

Result<LlamaShape> llamaShape(const GgufFile& file) {
    CAROUSEL_ASSIGN(const auto architecture, file.text("general.architecture"));
    if (architecture != "llama")
        return unfit(file.path(), fmt::format("the architecture is '{}'", quotedForMessage(architecture)));
    LlamaShape shape;
    CAROUSEL_ASSIGN(shape.blocks, file.integer("llama.block_count", 1, maximumBlocks));
    CAROUSEL_ASSIGN(shape.width, file.integer("llama.embedding_length", 1, maximumWidth));
    CAROUSEL_ASSIGN(shape.feedForward, file.integer("llama.feed_forward_length", 1, maximumFeedForward));
    CAROUSEL_ASSIGN(shape.heads, file.integer("llama.attention.head_count", 1, shape.width));
    shape.keyValueHeads = shape.heads;
    if (file.has("llama.attention.head_count_kv")) {
        CAROUSEL_ASSIGN(shape.keyValueHeads, file.integer("llama.attention.head_count_kv", 1, shape.heads));
    }
    CAROUSEL_ASSIGN(shape.contextLength, file.integer("llama.context_length", 1, maximumContext));
    if (file.has("llama.rope.freq_base")) {
        CAROUSEL_ASSIGN(shape.ropeBase, file.number("llama.rope.freq_base", 1, 1e12));
    }
    CAROUSEL_ASSIGN(shape.rmsEpsilon, file.number("llama.attention.layer_norm_rms_epsilon", 0, 1));
    if (shape.width % shape.heads != 0 || shape.heads % shape.keyValueHeads != 0)
        return unfit(file.path(), fmt::format("a width of {} with {} heads and {} key-value heads does not divide evenly", shape.width,
                                              shape.heads, shape.keyValueHeads));
    shape.headSize = shape.width / shape.heads;
    if (shape.headSize % 2 != 0)
        return unfit(file.path(), fmt::format("the head size {} is odd", shape.headSize));
    if (file.has("llama.rope.dimension_count")) {
        CAROUSEL_ASSIGN(const auto turned, file.integer("llama.rope.dimension_count", 1, maximumWidth));
        if (turned != shape.headSize)
            return unfit(file.path(), fmt::format("{} of {} head dimensions are rotated; all are expected", turned, shape.headSize));
    }
    for (const char* key : {"llama.rope.scaling.type", "llama.rope.scaling.factor", "llama.expert_count"})
        if (file.has(key))
            return unfit(file.path(), fmt::format("the key '{}' asks for arithmetic that this program does not have", key));

    CAROUSEL_ASSIGN(const TensorInfo* embedding, file.tensor("token_embd.weight"));
    if (embedding->dims.size() != 2 || embedding->dims[0] < 1 || embedding->dims[0] > u(maximumVocabulary))
        return unfit(file.path(), "token_embd.weight is not a matrix of tokens by width");
    shape.vocabulary = static_cast<std::int64_t>(embedding->dims[0]);
    if (file.has("llama.vocab_size"))
        CAROUSEL_TRY(file.integer("llama.vocab_size", shape.vocabulary, shape.vocabulary));
    CAROUSEL_ASSIGN(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    if (static_cast<std::int64_t>(tokens->size()) != shape.vocabulary)
        return unfit(file.path(), fmt::format("the tokenizer has {} tokens, the embedding {}", tokens->size(), shape.vocabulary));

    const auto width = u(shape.width), inner = u(shape.feedForward), keyValue = u(shape.keyValueHeads * shape.headSize);
    CAROUSEL_TRY(require(file, "token_embd.weight", {u(shape.vocabulary), width}, shape.parameters));
    CAROUSEL_TRY(require(file, "output_norm.weight", {width}, shape.parameters));
    shape.tiedHead = !file.find("output.weight");
    if (!shape.tiedHead)
        CAROUSEL_TRY(require(file, "output.weight", {u(shape.vocabulary), width}, shape.parameters));
    const std::pair<const char*, Dims> parts[] = {
        {"attn_norm", {width}},        {"attn_q", {width, width}},      {"attn_k", {keyValue, width}},
        {"attn_v", {keyValue, width}}, {"attn_output", {width, width}}, {"ffn_norm", {width}},
        {"ffn_gate", {inner, width}},  {"ffn_up", {inner, width}},      {"ffn_down", {width, inner}}};
    for (std::int64_t block = 0; block < shape.blocks; ++block)
        for (const auto& [part, dims] : parts) {
            CAROUSEL_TRY(require(file, fmt::format("blk.{}.{}.weight", block, part), dims, shape.parameters));
            if (file.find(fmt::format("blk.{}.{}.bias", block, part)))
                return unfit(file.path(), fmt::format("block {} has a bias for {}, which this program does not add", block, part));
        }
    return shape;
}

Result<BertShape> bertShape(const SafetensorsFile& file, const std::string& configFile) {
    CAROUSEL_ASSIGN(const auto text, readFile(configFile, std::size_t(1) << 20));
    const auto config = nlohmann::json::parse(text, nullptr, false);
    if (!config.is_object())
        return unfit(configFile, "it is not a JSON object");
    auto integer = [&](const char* key, std::int64_t maximum) -> Result<std::int64_t> {
        const auto found = config.find(key);
        if (found == config.end() || !found->is_number_integer())
            return unfit(configFile, fmt::format("'{}' is not an integer", key));
        const auto value = found->is_number_unsigned() && found->get<std::uint64_t>() > u(maximum) ? -1 : found->get<std::int64_t>();
        if (value < 1 || value > maximum)
            return unfit(configFile, fmt::format("'{}' is {}; 1 to {} is allowed", key, found->dump(), maximum));
        return value;
    };
    BertShape shape;
    CAROUSEL_ASSIGN(shape.blocks, integer("num_hidden_layers", maximumBlocks));
    CAROUSEL_ASSIGN(shape.width, integer("hidden_size", maximumWidth));
    CAROUSEL_ASSIGN(shape.feedForward, integer("intermediate_size", maximumFeedForward));
    CAROUSEL_ASSIGN(shape.heads, integer("num_attention_heads", shape.width));
    CAROUSEL_ASSIGN(shape.vocabulary, integer("vocab_size", maximumVocabulary));
    CAROUSEL_ASSIGN(shape.positions, integer("max_position_embeddings", maximumContext));
    CAROUSEL_ASSIGN(const auto types, integer("type_vocab_size", 1024));
    if (shape.width % shape.heads != 0)
        return unfit(configFile, fmt::format("a width of {} does not divide by {} heads", shape.width, shape.heads));
    shape.headSize = shape.width / shape.heads;
    if (const auto found = config.find("layer_norm_eps"); found != config.end()) {
        if (!found->is_number() || !(found->get<double>() >= 0) || !(found->get<double>() < 1))
            return unfit(configFile, "'layer_norm_eps' is not a number from 0 to 1");
        shape.normEpsilon = found->get<double>();
    }
    if (const auto found = config.find("hidden_act"); found != config.end() && *found != "gelu")
        return unfit(configFile, fmt::format("the activation is {}; 'gelu' is known",
                                             quotedForMessage(found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))));

    const auto width = u(shape.width), inner = u(shape.feedForward);
    auto linear = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) -> Result<void> {
        CAROUSEL_TRY(require(file, name + ".weight", {rows, columns}, shape.parameters));
        return require(file, name + ".bias", {rows}, shape.parameters);
    };
    auto norm = [&](const std::string& name) -> Result<void> {
        CAROUSEL_TRY(require(file, name + ".weight", {width}, shape.parameters));
        return require(file, name + ".bias", {width}, shape.parameters);
    };
    CAROUSEL_TRY(require(file, "embeddings.word_embeddings.weight", {u(shape.vocabulary), width}, shape.parameters));
    CAROUSEL_TRY(require(file, "embeddings.position_embeddings.weight", {u(shape.positions), width}, shape.parameters));
    CAROUSEL_TRY(require(file, "embeddings.token_type_embeddings.weight", {u(types), width}, shape.parameters));
    CAROUSEL_TRY(norm("embeddings.LayerNorm"));
    for (std::int64_t block = 0; block < shape.blocks; ++block) {
        const std::string at = fmt::format("encoder.layer.{}.", block);
        for (const char* part : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
            CAROUSEL_TRY(linear(at + part, width, width));
        CAROUSEL_TRY(norm(at + "attention.output.LayerNorm"));
        CAROUSEL_TRY(linear(at + "intermediate.dense", inner, width));
        CAROUSEL_TRY(linear(at + "output.dense", width, inner));
        CAROUSEL_TRY(norm(at + "output.LayerNorm"));
    }
    return shape;
}

} // namespace carousel
