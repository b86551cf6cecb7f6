// SPDX-License-Identifier: GPL-3.0-or-later
// Whole model folders of a few thousand weights, as they are published: safetensors (in one file or in parts), config.json and the tokenizer's
// files. Every weight is a function of the seed and its place.
#pragma once
#include "base/file.h"
#include "llm/decoder_shape.h"
#include "llm/t5_shape.h"
#include "model_file_builder.h"
#include "piece_tables.h"
#include <QDir>
#include <cmath>
#include <fmt/ranges.h>

namespace builder {

struct NamedShape {
    std::string name;
    std::vector<std::int64_t> dims;
};

// One file of weights for `tensors`: norms near 1, matrices small.
inline std::string weightsOf(const std::vector<NamedShape>& tensors, std::uint64_t seed) {
    std::string header;
    Bytes data;
    carousel::RandomStream random(seed, "weights of a tiny model");
    for (const auto& [name, dims] : tensors) {
        const auto begin = data.text.size();
        std::int64_t count = 1;
        for (const auto extent : dims)
            count *= extent;
        const double scale = dims.size() == 1 ? 0.1 : 1 / std::sqrt(double(dims.back()));
        for (std::int64_t i = 0; i < count; ++i)
            data.put(static_cast<float>((dims.size() == 1 ? 1 : 0) + scale * (2 * random.uniform() - 1)));
        header += fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.empty() ? "{" : ",", name,
                              fmt::join(dims, ","), begin, data.text.size());
    }
    return safetensors(header + "}", data.text);
}

inline void writeWeights(const std::string& folder, const std::vector<NamedShape>& tensors, bool inParts, std::uint64_t seed) {
    const auto write = [&](const std::string& name, const std::string& bytes) {
        if (!carousel::atomicWrite(folder + "/" + name, bytes))
            qFatal("the test cannot write its file");
    };
    if (!inParts)
        return write("model.safetensors", weightsOf(tensors, seed));
    std::string map;
    const std::size_t half = tensors.size() / 2;
    for (std::size_t i = 0; i < tensors.size(); ++i)
        map += fmt::format("{}\"{}\":\"part-{}.safetensors\"", i > 0 ? "," : "", tensors[i].name, i < half ? 1 : 2);
    write("part-1.safetensors", weightsOf({tensors.begin(), tensors.begin() + static_cast<std::ptrdiff_t>(half)}, seed));
    write("part-2.safetensors", weightsOf({tensors.begin() + static_cast<std::ptrdiff_t>(half), tensors.end()}, seed + 1000));
    write("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
}

inline void copyTo(const std::string& from, const std::string& to) {
    QFile::remove(QString::fromStdString(to));
    if (!QFile::copy(QString::fromStdString(from), QString::fromStdString(to)))
        qFatal("the test cannot copy its file");
}

struct TinyT5Folder {
    bool inParts = false, decoder = true, pieces = true;
    std::uint64_t seed = 1;
    std::string type = "t5";

    std::string write(const std::string& folder) const {
        QDir().mkpath(QString::fromStdString(folder));
        carousel::T5Shape shape;
        shape.blocks = shape.decoderBlocks = 1;
        shape.width = 16;
        shape.feedForward = 24;
        shape.heads = 2;
        shape.headSize = 8;
        shape.vocabulary = 304; // a little room behind the 300 pieces, as published ones have
        std::vector<NamedShape> tensors;
        for (const auto& tensor : carousel::t5Tensors(shape))
            if (decoder || !tensor.name.starts_with("decoder."))
                tensors.push_back({tensor.name, tensor.dims});
        writeWeights(folder, tensors, inParts, seed);
        const std::string config = fmt::format(
            R"({{"model_type":"{}","vocab_size":304,"d_model":16,"d_kv":8,"d_ff":24,"num_heads":2,"num_layers":1,"eos_token_id":1}})", type);
        if (!carousel::atomicWrite(folder + "/config.json", config))
            qFatal("the test cannot write its file");
        if (pieces)
            copyTo(tinyTokenizers + "t5.model", folder + "/spiece.model");
        return folder;
    }
};

struct TinyDecoderFolder {
    bool inParts = false, chat = true;
    std::uint64_t seed = 1;
    std::string type = "llama";

    std::string write(const std::string& folder) const {
        using enum carousel::WeightRole;
        QDir().mkpath(QString::fromStdString(folder));
        constexpr std::int64_t width = 32, inner = 48, vocabulary = 448, keyValue = 16; // the two heads are as wide as the model
        std::vector<NamedShape> tensors{{carousel::safetensorsName(tokenEmbedding, 0), {vocabulary, width}},
                                        {carousel::safetensorsName(outputNorm, 0), {width}}};
        const std::pair<carousel::WeightRole, std::vector<std::int64_t>> parts[] = {
            {attentionNorm, {width}},       {query, {width, width}}, {key, {keyValue, width}},
            {value, {keyValue, width}},     {attentionOut, {width, width}},                {feedForwardNorm, {width}},
            {gate, {inner, width}},         {up, {inner, width}},                          {down, {width, inner}}};
        for (const auto& [role, dims] : parts)
            tensors.push_back({carousel::safetensorsName(role, 0), dims});
        writeWeights(folder, tensors, inParts, seed);
        const std::string config = fmt::format(
            R"({{"model_type":"{}","num_hidden_layers":1,"hidden_size":{},"intermediate_size":{},"num_attention_heads":2,)"
            R"("num_key_value_heads":1,"head_dim":16,"vocab_size":{},"max_position_embeddings":256,"rms_norm_eps":1e-6,)"
            R"("tie_word_embeddings":true,"eos_token_id":1}})",
            type, width, inner, vocabulary);
        const std::string chatMl = R"({"chat_template":"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + )"
                                   R"(message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{{ '<|im_start|>assistant\\n' }}"})";
        if (!carousel::atomicWrite(folder + "/config.json", config) ||
            !carousel::atomicWrite(folder + "/tokenizer_config.json", chat ? chatMl : "{}"))
            qFatal("the test cannot write its file");
        copyTo(tinyTokenizers + "smollm.json", folder + "/tokenizer.json");
        return folder;
    }
};

} // namespace builder
