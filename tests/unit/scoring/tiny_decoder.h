// SPDX-License-Identifier: GPL-3.0-or-later
// A decoder of a few thousand weights in a GGUF file, for tests of arithmetic and training. Every weight is a function of its tensor's
// number and its place, so that the program in tests/reference/training makes the same model.
#pragma once
#include "unit/llm/model_file_builder.h"
#include <cmath>

namespace tiny {

constexpr int blocks = 2, width = 64, heads = 2, keyValueHeads = 1, headSize = 32, feedForward = 96;

// -1 .. 1 from an integer hash (32 bits, multiplied and shifted).
inline double noise(std::uint32_t tensor, std::uint32_t index) {
    std::uint32_t x = tensor * 0x9E3779B9u + index + 1;
    x = (x ^ (x >> 16)) * 0x45D9F3Bu;
    x = (x ^ (x >> 16)) * 0x45D9F3Bu;
    x ^= x >> 16;
    return static_cast<double>(x) / 2147483648.0 - 1;
}

inline std::vector<std::string> tokens() {
    std::vector<std::string> out{"<|im_start|>", "<|im_end|>"};
    for (char c = 33; c < 127; ++c)
        out.emplace_back(1, c);
    for (const char* more : {"Ġ", "Ċ", "Ye", "Yes", "No", "Ġt"})
        out.emplace_back(more);
    return out;
}

inline const char* const chatMl =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

inline std::string keyTexts(const std::string& name, const std::vector<std::string>& values) {
    builder::Bytes out;
    out.raw(builder::keyHead(name, 9)).u32(8).u64(values.size());
    for (const auto& value : values)
        out.string(value);
    return out.text;
}

// The keys of another tokenizer than the one above, and how many tokens it has.
struct TokenizerKeys {
    std::vector<std::string> keys;
    std::size_t tokens = 0;
};

// "llama": neighbours turned, no biases, tied head; "qwen2": halves turned, biases of q, k, v, a head of its own.
inline std::string gguf(const std::string& architecture = "llama", std::uint32_t seed = 0, const TokenizerKeys& other = {}) {
    using namespace builder;
    const bool qwen = architecture == "qwen2";
    Gguf file;
    const auto at = [&](const char* part) { return architecture + "." + part; };
    const auto vocabulary = tokens();
    std::string types = keyHead("tokenizer.ggml.token_type", 9) + Bytes().u32(5).u64(vocabulary.size()).text;
    for (std::size_t i = 0; i < vocabulary.size(); ++i)
        types += Bytes().put(std::int32_t(i < 2 ? 3 : 1)).text;
    file.keys = {keyText("general.architecture", architecture),
                 keyU32(at("block_count"), blocks),
                 keyU32(at("embedding_length"), width),
                 keyU32(at("feed_forward_length"), feedForward),
                 keyU32(at("attention.head_count"), heads),
                 keyU32(at("attention.head_count_kv"), keyValueHeads),
                 keyU32(at("context_length"), 512),
                 keyHead(at("attention.layer_norm_rms_epsilon"), 6) + Bytes().put(1e-5f).text,
                 keyHead(at("rope.freq_base"), 6) + Bytes().put(10000.0f).text};
    const std::vector<std::string> own{keyText("tokenizer.ggml.model", "gpt2"),
                                       keyText("tokenizer.ggml.pre", "smollm"),
                                       keyTexts("tokenizer.ggml.tokens", vocabulary),
                                       types,
                                       keyTexts("tokenizer.ggml.merges", {"Y e", "Ye s", "N o", "Ġ t"}),
                                       keyText("tokenizer.chat_template", chatMl)};
    const auto& tokenizer = other.keys.empty() ? own : other.keys;
    file.keys.insert(file.keys.end(), tokenizer.begin(), tokenizer.end());
    const std::size_t tokenRows = other.keys.empty() ? vocabulary.size() : other.tokens;
    std::uint32_t number = seed * 1000;
    const auto add = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns, double scale, double middle) {
        const std::uint64_t count = rows * columns;
        file.tensors.push_back(
            {name, rows > 1 ? std::vector<std::uint64_t>{columns, rows} : std::vector<std::uint64_t>{columns}, 0, file.data.size()});
        Bytes values;
        for (std::uint64_t i = 0; i < count; ++i)
            values.put(static_cast<float>(middle + scale * noise(number, static_cast<std::uint32_t>(i))));
        file.data += values.text;
        file.data.resize((file.data.size() + 31) / 32 * 32, '\0');
        ++number;
    };
    const auto matrix = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
        add(name, rows, columns, 1.7 / std::sqrt(static_cast<double>(columns)), 0);
    };
    add("token_embd.weight", tokenRows, width, 0.4, 0);
    add("output_norm.weight", 1, width, 0.2, 1);
    if (qwen)
        matrix("output.weight", tokenRows, width);
    for (int block = 0; block < blocks; ++block) {
        const auto in = [&](const char* part) { return fmt::format("blk.{}.{}", block, part); };
        add(in("attn_norm.weight"), 1, width, 0.2, 1);
        matrix(in("attn_q.weight"), heads * headSize, width);
        matrix(in("attn_k.weight"), keyValueHeads * headSize, width);
        matrix(in("attn_v.weight"), keyValueHeads * headSize, width);
        matrix(in("attn_output.weight"), width, heads * headSize);
        add(in("ffn_norm.weight"), 1, width, 0.2, 1);
        matrix(in("ffn_gate.weight"), feedForward, width);
        matrix(in("ffn_up.weight"), feedForward, width);
        matrix(in("ffn_down.weight"), width, feedForward);
        if (qwen) {
            add(in("attn_q.bias"), 1, heads * headSize, 0.3, 0);
            add(in("attn_k.bias"), 1, keyValueHeads * headSize, 0.3, 0);
            add(in("attn_v.bias"), 1, keyValueHeads * headSize, 0.3, 0);
        }
    }
    return file.bytes();
}

} // namespace tiny
