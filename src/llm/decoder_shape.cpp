// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/decoder_shape.h"
#include "base/text.h"
#include "llm/weight_reader.h"
#include <array>
#include <cmath>
#include <numbers>

namespace carousel {

namespace {

// Upper bounds that no model of today comes near; with them every product of sizes below fits 63 bits.
constexpr std::int64_t maximumBlocks = 1024, maximumWidth = 1 << 16, maximumFeedForward = 1 << 20, maximumVocabulary = 1 << 24,
                       maximumContext = 1 << 24, maximumHeads = 4096, maximumHeadSize = 1 << 12;
constexpr const char* architectures = "llama (also SmolLM2, TinyLlama, Mistral) and qwen2";

using Dims = std::vector<std::uint64_t>;
std::uint64_t u(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

tl::unexpected<Error> unfit(const std::string& path, const std::string& what) {
    return fail(ErrorKind::input, "CL-2035", fmt::format("'{}': {}.", path, what),
                fmt::format("This program runs decoders of the architectures {}; from folders with safetensors also sentence encoders of the type "
                            "bert and encoder-decoders of the type t5. Choose another model file.",
                            architectures));
}

std::vector<double> plainFrequencies(double base, std::int64_t headSize) {
    std::vector<double> all;
    for (std::int64_t i = 0; i < headSize / 2; ++i)
        all.push_back(std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(headSize)));
    return all;
}

// Llama 3.1: long waves are slowed by `factor`, short ones stay, those between are mixed (the formula that its config.json names "llama3").
struct Llama3Scaling {
    double factor = 8, low = 1, high = 4, originalContext = 8192;
};
void scaleLlama3(std::vector<double>& frequencies, const Llama3Scaling& scaling) {
    for (double& frequency : frequencies) {
        const double turns = scaling.originalContext * frequency / (2 * std::numbers::pi); // over the original context
        if (turns < scaling.low)
            frequency /= scaling.factor;
        else if (turns <= scaling.high) {
            const double share = (turns - scaling.low) / (scaling.high - scaling.low);
            frequency = (1 - share) * frequency / scaling.factor + share * frequency;
        }
    }
}

// Within a window that is as long as the context, windowed and full attention are the same; longer prompts are refused by the limit.
void capAtWindow(DecoderShape& shape, std::int64_t window) {
    shape.slidingWindow = window;
    if (window >= shape.contextLength)
        return;
    shape.warnings.push_back(
        fmt::format("The model attends to the last {} tokens only; this program computes full attention, so its context is "
                    "limited to {} of {} tokens.",
                    window, window, shape.contextLength));
    shape.contextLength = window;
}

Result<void> checkHeads(const std::string& path, const DecoderShape& shape) {
    if (shape.keyValueHeads > shape.heads || shape.heads % shape.keyValueHeads != 0)
        return unfit(path, fmt::format("{} heads do not divide evenly among {} key-value heads", shape.heads, shape.keyValueHeads));
    if (shape.headSize % 2 != 0)
        return unfit(path, fmt::format("the head size {} is odd", shape.headSize));
    if (shape.heads * shape.headSize > maximumWidth)
        return unfit(path, fmt::format("{} heads of {} values", shape.heads, shape.headSize));
    return {};
}

// The head size where the file does not state it.
Result<std::int64_t> dividedHeadSize(const std::string& path, const DecoderShape& shape) {
    if (shape.width % shape.heads != 0)
        return unfit(path, fmt::format("a width of {} does not divide by {} heads", shape.width, shape.heads));
    return shape.width / shape.heads;
}

Dims dimsOf(const DecoderShape& shape, WeightRole role) {
    const auto width = u(shape.width), inner = u(shape.feedForward), query = u(shape.heads * shape.headSize),
               keyValue = u(shape.keyValueHeads * shape.headSize);
    switch (role) {
    case WeightRole::tokenEmbedding:
    case WeightRole::head:
        return {u(shape.vocabulary), width};
    case WeightRole::query:
        return {query, width};
    case WeightRole::key:
    case WeightRole::value:
        return {keyValue, width};
    case WeightRole::attentionOut:
        return {width, query};
    case WeightRole::gate:
    case WeightRole::up:
        return {inner, width};
    case WeightRole::down:
        return {width, inner};
    case WeightRole::queryBias:
        return {query};
    case WeightRole::keyBias:
    case WeightRole::valueBias:
        return {keyValue};
    default:
        return {width};
    }
}

using Namer = std::string (*)(WeightRole, std::int64_t);

Result<void> require(const TensorStore& tensors, DecoderShape& shape, Namer nameOf, WeightRole role, std::int64_t block = 0) {
    CAROUSEL_ASSIGN(const TensorInfo* tensor, tensors.tensor(nameOf(role, block), dimsOf(shape, role)));
    if (!readableAsFloats(tensor->type))
        return fail(ErrorKind::input, "CL-2033",
                    fmt::format("'{}', offset {}: the tensor '{}' is stored as {}.", tensors.path(), tensor->offset,
                                quotedForMessage(tensor->name), tensor->typeName),
                    fmt::format("This program reads {}; convert the model to one of them.", readableTypes));
    shape.parameters += static_cast<std::int64_t>(tensor->elements);
    return {};
}

// Finds every tensor of the shape, learns which biases there are, and refuses tensors of a block that the arithmetic would pass over.
Result<void> checkTensors(const TensorStore& tensors, DecoderShape& shape, Namer nameOf) {
    using enum WeightRole;
    const auto present = [&](WeightRole role, std::int64_t block) { return tensors.find(nameOf(role, block)) != nullptr; };
    shape.queryKeyValueBias = present(queryBias, 0);
    shape.attentionOutBias = present(attentionOutBias, 0);
    CAROUSEL_TRY(require(tensors, shape, nameOf, tokenEmbedding));
    CAROUSEL_TRY(require(tensors, shape, nameOf, outputNorm));
    if (!shape.tiedHead)
        CAROUSEL_TRY(require(tensors, shape, nameOf, head));
    std::size_t used = 0;
    for (std::int64_t block = 0; block < shape.blocks; ++block) {
        for (const auto role : {attentionNorm, query, key, value, attentionOut, feedForwardNorm, gate, up, down})
            CAROUSEL_TRY(require(tensors, shape, nameOf, role, block));
        used += 9;
        if (shape.queryKeyValueBias) {
            for (const auto role : {queryBias, keyBias, valueBias})
                CAROUSEL_TRY(require(tensors, shape, nameOf, role, block));
            used += 3;
        }
        if (shape.attentionOutBias) {
            CAROUSEL_TRY(require(tensors, shape, nameOf, attentionOutBias, block));
            ++used;
        }
    }
    // Anything more inside a block is arithmetic that would silently be left out: other norms, biases, experts, adapters.
    const std::string first = nameOf(attentionNorm, 0);
    const std::string blockPrefix = first.substr(0, first.find('0'));
    std::size_t inBlocks = 0;
    std::string extra;
    const std::array block{attentionNorm, query,     key,     value,     attentionOut,    feedForwardNorm, gate, up,
                           down,          queryBias, keyBias, valueBias, attentionOutBias};
    for (const std::string& name : tensors.names()) {
        if (!name.starts_with(blockPrefix) || name.ends_with(".rotary_emb.inv_freq")) // the latter only repeats what the config says
            continue;
        ++inBlocks;
        const std::string index = name.substr(blockPrefix.size(), name.find('.', blockPrefix.size()) - blockPrefix.size());
        std::int64_t number = -1;
        if (!index.empty() && index.size() < 6 && index.find_first_not_of("0123456789") == std::string::npos)
            number = std::stoll(index);
        bool known = number >= 0 && number < shape.blocks;
        if (known)
            known = std::any_of(block.begin(), block.end(), [&](WeightRole role) { return nameOf(role, number) == name; });
        if (!known && extra.empty())
            extra = name;
    }
    if (!extra.empty())
        return unfit(tensors.path(),
                     fmt::format("the tensor '{}' asks for arithmetic that this program does not have", quotedForMessage(extra)));
    if (inBlocks != used)
        return unfit(tensors.path(),
                     fmt::format("{} tensors lie in the blocks, the model's sizes account for {}; biases must be in all blocks "
                                 "or in none",
                                 inBlocks, used));
    return {};
}

} // namespace

std::string ggufName(WeightRole role, std::int64_t block) {
    static constexpr const char* parts[weightRoles] = {"token_embd.weight", "output_norm.weight", "output.weight", "attn_norm.weight",
                                                       "attn_q.weight",     "attn_k.weight",      "attn_v.weight", "attn_output.weight",
                                                       "ffn_norm.weight",   "ffn_gate.weight",    "ffn_up.weight", "ffn_down.weight",
                                                       "attn_q.bias",       "attn_k.bias",        "attn_v.bias",   "attn_output.bias"};
    const char* part = parts[static_cast<int>(role)];
    return role < WeightRole::attentionNorm ? part : fmt::format("blk.{}.{}", block, part);
}

std::string safetensorsName(WeightRole role, std::int64_t block) {
    static constexpr const char* parts[weightRoles] = {
        "model.embed_tokens.weight",       "model.norm.weight",       "lm_head.weight",          "input_layernorm.weight",
        "self_attn.q_proj.weight",         "self_attn.k_proj.weight", "self_attn.v_proj.weight", "self_attn.o_proj.weight",
        "post_attention_layernorm.weight", "mlp.gate_proj.weight",    "mlp.up_proj.weight",      "mlp.down_proj.weight",
        "self_attn.q_proj.bias",           "self_attn.k_proj.bias",   "self_attn.v_proj.bias",   "self_attn.o_proj.bias"};
    const char* part = parts[static_cast<int>(role)];
    return role < WeightRole::attentionNorm ? part : fmt::format("model.layers.{}.{}", block, part);
}

Result<DecoderShape> decoderShape(const GgufFile& file) {
    DecoderShape shape;
    CAROUSEL_ASSIGN(shape.architecture, file.text("general.architecture"));
    const std::string& name = shape.architecture;
    if (name == "t5" || name == "t5encoder")
        return fail(ErrorKind::input, "CL-2035",
                    fmt::format("'{}': the architecture is '{}'; encoder-decoders are not read from GGUF files.", file.path(), name),
                    "Give the model's folder with safetensors, config.json and spiece.model instead.");
    if (name != "llama" && name != "qwen2")
        return unfit(file.path(), fmt::format("the architecture is '{}'", quotedForMessage(name)));
    const auto at = [&](const char* part) { return name + "." + part; };
    shape.ropeLayout = name == "llama" ? RopeLayout::pairs : RopeLayout::halves;
    CAROUSEL_ASSIGN(shape.blocks, file.integer(at("block_count"), 1, maximumBlocks));
    CAROUSEL_ASSIGN(shape.width, file.integer(at("embedding_length"), 1, maximumWidth));
    CAROUSEL_ASSIGN(shape.feedForward, file.integer(at("feed_forward_length"), 1, maximumFeedForward));
    CAROUSEL_ASSIGN(shape.heads, file.integer(at("attention.head_count"), 1, maximumHeads));
    shape.keyValueHeads = shape.heads;
    if (file.has(at("attention.head_count_kv"))) {
        CAROUSEL_ASSIGN(shape.keyValueHeads, file.integer(at("attention.head_count_kv"), 1, shape.heads));
    }
    if (file.has(at("attention.key_length"))) {
        CAROUSEL_ASSIGN(shape.headSize, file.integer(at("attention.key_length"), 2, maximumHeadSize));
    } else {
        CAROUSEL_ASSIGN(shape.headSize, dividedHeadSize(file.path(), shape));
    }
    CAROUSEL_TRY(checkHeads(file.path(), shape));
    for (const char* same : {"attention.value_length", "rope.dimension_count"})
        if (file.has(at(same))) {
            CAROUSEL_ASSIGN(const auto stated, file.integer(at(same), 1, maximumWidth));
            if (stated != shape.headSize)
                return unfit(file.path(),
                             fmt::format("{} is {}, and heads have {} values; both must be equal", at(same), stated, shape.headSize));
        }
    CAROUSEL_ASSIGN(shape.contextLength, file.integer(at("context_length"), 1, maximumContext));
    if (file.has(at("rope.freq_base"))) {
        CAROUSEL_ASSIGN(shape.ropeBase, file.number(at("rope.freq_base"), 1, 1e12));
    }
    CAROUSEL_ASSIGN(shape.rmsEpsilon, file.number(at("attention.layer_norm_rms_epsilon"), 0, 1));
    for (const char* key : {"expert_count", "logit_scale", "embedding_scale", "residual_scale", "attention.scale", "attention.clamp_kqv"})
        if (file.has(at(key)))
            return unfit(file.path(), fmt::format("the key '{}' asks for arithmetic that this program does not have", at(key)));

    shape.ropeFrequencies = plainFrequencies(shape.ropeBase, shape.headSize);
    std::string scaling = "none";
    if (file.has(at("rope.scaling.type"))) {
        CAROUSEL_ASSIGN(scaling, file.text(at("rope.scaling.type")));
        if (scaling != "none" && scaling != "linear")
            return unfit(file.path(),
                         fmt::format("the positions are scaled by '{}'; 'linear' and 'none' are known", quotedForMessage(scaling)));
    }
    const std::string factorKey = file.has(at("rope.scaling.factor")) ? at("rope.scaling.factor") : at("rope.scale_linear");
    if (file.has(factorKey) && (scaling == "linear" || !file.has(at("rope.scaling.type")))) {
        CAROUSEL_ASSIGN(const double factor, file.number(factorKey, 1e-3, 1e6));
        for (double& frequency : shape.ropeFrequencies)
            frequency /= factor;
        shape.ropeScaling = factor == 1 ? "" : "linear";
    }
    const TensorStore tensors(file);
    if (const TensorInfo* factors = file.find("rope_freqs.weight")) { // one divisor a frequency: how GGUF writes the scaling of Llama 3.1
        CAROUSEL_TRY(file.tensor("rope_freqs.weight", {u(shape.headSize / 2)}));
        CAROUSEL_ASSIGN(const auto values, file.dequantised(*factors));
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!(values[i] >= 1e-3f && values[i] <= 1e6f))
                return unfit(file.path(), fmt::format("factor {} of rope_freqs.weight is {}; 0.001 to 1000000 is allowed", i, values[i]));
            shape.ropeFrequencies[i] /= static_cast<double>(values[i]);
        }
        shape.ropeScaling = "factors";
    }
    if (file.has(at("attention.sliding_window"))) {
        CAROUSEL_ASSIGN(const auto window, file.integer(at("attention.sliding_window"), 0, maximumContext));
        if (window > 0)
            capAtWindow(shape, window);
    }

    CAROUSEL_ASSIGN(const TensorInfo* embedding, file.tensor("token_embd.weight"));
    if (embedding->dims.size() != 2 || embedding->dims[0] < 1 || embedding->dims[0] > u(maximumVocabulary))
        return unfit(file.path(), "token_embd.weight is not a matrix of tokens by width");
    shape.vocabulary = static_cast<std::int64_t>(embedding->dims[0]);
    if (file.has(at("vocab_size")))
        CAROUSEL_TRY(file.integer(at("vocab_size"), shape.vocabulary, shape.vocabulary));
    CAROUSEL_ASSIGN(const auto* tokens, file.texts("tokenizer.ggml.tokens"));
    if (static_cast<std::int64_t>(tokens->size()) != shape.vocabulary)
        return unfit(file.path(), fmt::format("the tokenizer has {} tokens, the embedding {}", tokens->size(), shape.vocabulary));
    shape.tiedHead = !file.find("output.weight");
    CAROUSEL_TRY(checkTensors(tensors, shape, ggufName));
    return shape;
}

namespace {

// rope_scaling of transformers 4, rope_parameters of transformers 5.
Result<void> readRopeScaling(const StrictJson& config, DecoderShape& shape) {
    const std::string group = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    const auto field = [&](const char* name) { return group + "." + name; };
    CAROUSEL_ASSIGN(shape.ropeBase, config.numberOr(config.has(field("rope_theta")) ? field("rope_theta") : "rope_theta", 1, 1e12, 10000));
    shape.ropeFrequencies = plainFrequencies(shape.ropeBase, shape.headSize);
    if (!config.has(group))
        return {};
    CAROUSEL_ASSIGN(const std::string kind, config.textOr(config.has(field("rope_type")) ? field("rope_type") : field("type"), "default"));
    if (kind == "default")
        return {};
    CAROUSEL_ASSIGN(const double factor, config.number(field("factor"), 1e-3, 1e6));
    if (kind == "linear") {
        for (double& frequency : shape.ropeFrequencies)
            frequency /= factor;
    } else if (kind == "llama3") {
        Llama3Scaling scaling{factor, 1, 4, 8192};
        CAROUSEL_ASSIGN(scaling.low, config.number(field("low_freq_factor"), 1e-3, 1e6));
        CAROUSEL_ASSIGN(scaling.high, config.number(field("high_freq_factor"), 1e-3, 1e6));
        CAROUSEL_ASSIGN(scaling.originalContext,
                        config.number(field("original_max_position_embeddings"), 1, static_cast<double>(maximumContext)));
        if (!(scaling.high > scaling.low))
            return config.refuse(fmt::format("high_freq_factor {} is not above low_freq_factor {}", scaling.high, scaling.low));
        scaleLlama3(shape.ropeFrequencies, scaling);
    } else {
        return unfit(config.path(),
                     fmt::format("the positions are scaled by '{}'; 'linear', 'llama3' and 'default' are known", quotedForMessage(kind)));
    }
    shape.ropeScaling = kind;
    return {};
}

} // namespace

Result<DecoderShape> decoderShape(const TensorStore& tensors, const StrictJson& config) {
    DecoderShape shape;
    CAROUSEL_ASSIGN(shape.architecture, config.text("model_type"));
    const std::string& name = shape.architecture;
    if (name != "llama" && name != "mistral" && name != "qwen2")
        return unfit(config.path(), fmt::format("the model_type is '{}'", quotedForMessage(name)));
    shape.ropeLayout = RopeLayout::halves;
    CAROUSEL_ASSIGN(shape.blocks, config.integer("num_hidden_layers", 1, maximumBlocks));
    CAROUSEL_ASSIGN(shape.width, config.integer("hidden_size", 1, maximumWidth));
    CAROUSEL_ASSIGN(shape.feedForward, config.integer("intermediate_size", 1, maximumFeedForward));
    CAROUSEL_ASSIGN(shape.heads, config.integer("num_attention_heads", 1, maximumHeads));
    CAROUSEL_ASSIGN(shape.keyValueHeads, config.integerOr("num_key_value_heads", 1, shape.heads, shape.heads));
    CAROUSEL_ASSIGN(shape.vocabulary, config.integer("vocab_size", 1, maximumVocabulary));
    if (config.has("head_dim")) {
        CAROUSEL_ASSIGN(shape.headSize, config.integer("head_dim", 2, maximumHeadSize));
    } else {
        CAROUSEL_ASSIGN(shape.headSize, dividedHeadSize(config.path(), shape));
    }
    CAROUSEL_TRY(checkHeads(config.path(), shape));
    CAROUSEL_ASSIGN(shape.contextLength, config.integer("max_position_embeddings", 1, maximumContext));
    CAROUSEL_ASSIGN(shape.rmsEpsilon, config.numberOr("rms_norm_eps", 0, 1, 1e-6));
    CAROUSEL_ASSIGN(const std::string activation, config.textOr("hidden_act", "silu"));
    if (activation != "silu" && activation != "swish")
        return unfit(config.path(), fmt::format("the activation is '{}'; 'silu' is known", quotedForMessage(activation)));
    CAROUSEL_ASSIGN(const double turned, config.numberOr("partial_rotary_factor", 0, 1, 1));
    if (turned != 1)
        return unfit(config.path(), fmt::format("{} of each head is rotated; all is expected", turned));
    if (config.has("quantization_config"))
        return unfit(config.path(), "the weights are quantised in a way of their own ('quantization_config')");
    CAROUSEL_TRY(readRopeScaling(config, shape));
    CAROUSEL_ASSIGN(const bool windowed, config.booleanOr("use_sliding_window", name == "mistral"));
    if (windowed && config.has("sliding_window")) {
        CAROUSEL_ASSIGN(const auto window, config.integer("sliding_window", 1, maximumContext));
        capAtWindow(shape, window);
    }
    CAROUSEL_ASSIGN(shape.tiedHead, config.booleanOr("tie_word_embeddings", false));
    CAROUSEL_TRY(checkTensors(tensors, shape, safetensorsName));
    return shape;
}

} // namespace carousel
