// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_shape.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/weight_reader.h"
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
                "This program runs BERT-type encoders; choose another model file.");
}

template <class File> Result<void> require(const File& file, const std::string& name, const Dims& dims, std::int64_t& parameters) {
    CAROUSEL_ASSIGN(const TensorInfo* tensor, file.tensor(name, dims));
    if (!readableAsFloats(tensor->type))
        return fail(ErrorKind::input, "CL-2033",
                    fmt::format("'{}', offset {}: the tensor '{}' is stored as {}.", file.path(), tensor->offset, quotedForMessage(name),
                                tensor->typeName),
                    fmt::format("This program reads {}; convert the model to one of them.", readableTypes));
    parameters += static_cast<std::int64_t>(tensor->elements);
    return {};
}

} // namespace

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
