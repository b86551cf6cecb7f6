// SPDX-License-Identifier: GPL-3.0-or-later
// Low-rank adaptation (Hu et al., 2021, arXiv 2106.09685): a frozen matrix W [outputs, inputs] of a decoder becomes
// W + scale B A with A [rank, inputs] and B [outputs, rank]. Which matrices, and what each is called where.
#pragma once
#include "base/result.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

enum class LoraModule { query, key, value, attentionOut, gate, up, down };
struct LoraModuleName {
    LoraModule module;
    const char* shortName; // what a person writes: "q"
    const char* peft;      // in a layer of a PEFT file: "self_attn.q_proj"
    const char* gguf;      // in a block of a GGUF file: "attn_q"
};
inline constexpr std::array<LoraModuleName, 7> loraModules{{{LoraModule::query, "q", "self_attn.q_proj", "attn_q"},
                                                            {LoraModule::key, "k", "self_attn.k_proj", "attn_k"},
                                                            {LoraModule::value, "v", "self_attn.v_proj", "attn_v"},
                                                            {LoraModule::attentionOut, "o", "self_attn.o_proj", "attn_output"},
                                                            {LoraModule::gate, "gate", "mlp.gate_proj", "ffn_gate"},
                                                            {LoraModule::up, "up", "mlp.up_proj", "ffn_up"},
                                                            {LoraModule::down, "down", "mlp.down_proj", "ffn_down"}}};
inline const LoraModuleName& nameOf(LoraModule module) {
    return loraModules[static_cast<std::size_t>(module)];
}

struct LoraSettings {
    int rank = 8;          // 1 .. 256
    double alpha = 16;     // scale = alpha / rank; above 0
    double dropout = 0.05; // share of A's inputs that a training step leaves out; 0 .. below 1
    std::vector<LoraModule> modules{LoraModule::query, LoraModule::value}; // each at most once
    double scale() const { return alpha / rank; }
    bool has(LoraModule module) const;
};

// "q,v", "all". CL-2140 for a name that is none of them, or one that comes twice.
Result<std::vector<LoraModule>> parseLoraModules(const std::string& text);
Result<void> checkLora(const LoraSettings& settings); // CL-2140

} // namespace carousel
