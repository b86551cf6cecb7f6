// SPDX-License-Identifier: GPL-3.0-or-later
// A whole decoder in a GGUF file of some 150 KB: one block, 256 byte tokens and two control tokens, ChatML. Every part may be spoilt.
#pragma once
#include "model_file_builder.h"

namespace builder {

struct TinyDecoder {
    std::string architecture = "llama", title = "Tiny", licence, pre = "smollm";
    std::string chatTemplate =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    std::uint64_t seed = 1;
    std::string spoilt; // a tensor that gets a value that is not a number

    std::string bytes() const {
        constexpr std::uint32_t width = 64, inner = 32, half = 32, tokens = 258;
        std::vector<std::string> words{"<|im_start|>", "<|im_end|>"};
        std::uint32_t others = 256;
        for (int pass = 0; pass < 2; ++pass)
            for (std::uint32_t byte = 0; byte < 256; ++byte) {
                const bool plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
                if (plain == (pass == 0)) {
                    const std::uint32_t c = plain ? byte : others++;
                    words.push_back(c < 128 ? std::string(1, static_cast<char>(c))
                                            : std::string{static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))});
                }
            }
        Bytes list, types;
        list.u32(8).u64(words.size());
        for (const auto& word : words)
            list.string(word);
        types.u32(5).u64(words.size());
        for (std::size_t i = 0; i < words.size(); ++i)
            types.put(std::int32_t(i < 2 ? 3 : 1));
        const std::string a = architecture + ".";
        Gguf file;
        file.keys = {keyText("general.architecture", architecture), keyText("general.name", title), keyU32(a + "block_count", 1), keyU32(a + "embedding_length", width),
                     keyU32(a + "feed_forward_length", inner), keyU32(a + "attention.head_count", 2), keyU32(a + "attention.head_count_kv", 1), keyU32(a + "context_length", 512),
                     keyHead(a + "attention.layer_norm_rms_epsilon", 6) + Bytes().put(1e-5f).text, keyText("tokenizer.ggml.model", "gpt2"), keyText("tokenizer.ggml.pre", pre),
                     keyHead("tokenizer.ggml.tokens", 9) + list.text, keyHead("tokenizer.ggml.token_type", 9) + types.text,
                     keyHead("tokenizer.ggml.merges", 9) + Bytes().u32(8).u64(0).text};
        if (!chatTemplate.empty())
            file.keys.push_back(keyText("tokenizer.chat_template", chatTemplate));
        if (!licence.empty())
            file.keys.push_back(keyText("general.license", licence));
        const std::pair<const char*, std::vector<std::uint64_t>> shapes[] = {
            {"token_embd", {width, tokens}},        {"output_norm", {width}},              {"blk.0.attn_norm", {width}},       {"blk.0.attn_q", {width, width}},
            {"blk.0.attn_k", {width, half}},        {"blk.0.attn_v", {width, half}},       {"blk.0.attn_output", {width, width}}, {"blk.0.ffn_norm", {width}},
            {"blk.0.ffn_gate", {width, inner}},     {"blk.0.ffn_up", {width, inner}},      {"blk.0.ffn_down", {inner, width}}};
        Bytes data;
        std::uint64_t state = 0x9E3779B97F4A7C15ULL * (seed + 1);
        for (const auto& [name, dims] : shapes) {
            file.tensors.push_back({std::string(name) + ".weight", dims, 0, data.text.size()});
            const std::uint64_t count = dims.size() == 1 ? dims[0] : dims[0] * dims[1];
            for (std::uint64_t i = 0; i < count; ++i) {
                state = state * 6364136223846793005ULL + 1442695040888963407ULL;
                const float value = dims.size() == 1 ? 1.0f : (static_cast<float>(state >> 40) / 8388608.0f - 1.0f) * 0.1f;
                data.put(spoilt == name && i == 3 ? std::numeric_limits<float>::quiet_NaN() : value);
            }
            while (data.text.size() % 32 != 0)
                data.text += '\0';
        }
        file.data = data.text;
        return file.bytes();
    }
};

} // namespace builder
