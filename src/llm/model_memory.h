// SPDX-License-Identifier: GPL-3.0-or-later
// The memory a model takes, worked out from its sizes before anything is loaded. The formulas follow how this program keeps weights and
// caches (src/scoring); tests compare them with what the decoder counts, `models measure` with the resident memory of the process.
#pragma once
#include "llm/model_card.h"

namespace carousel {

struct MemoryNeed {
    std::int64_t weights = 0;       // bytes kept as long as the model is open
    std::int64_t keysAndValues = 0; // of one prompt of `contextTokens`, fp32
    std::int64_t activations = 0;   // of one step, the largest moment
    std::int64_t tables = 0;        // the tokenizer's, and what oneDNN plans and generates
    std::int64_t total() const { return weights + keysAndValues + activations + tables; }
    std::int64_t contextTokens = 0;
};

// LibTorch and oneDNN take this much of a process before any model is open (measured with Debian's LibTorch 1.13.1 on x86-64; other builds differ).
constexpr std::int64_t libraryBytes = std::int64_t(150) << 20;

// What "auto" comes to for decoders: in general, and where most weights are stored in 4 or 8 bits. On a processor of today bf16.
struct AutomaticTypes {
    std::string decoder = "bf16", fourBits = "bf16", eightBits = "bf16";
};

// What a compute type comes to for a model: "auto" is one of `automatic` for decoders and fp32 for encoders; a T5 is always fp32.
std::string computesIn(const ModelCard& card, const std::string& computeType, const AutomaticTypes& automatic = {});

// `computeType`: "auto", or as opened: "fp32", "bf16" or "int16".
// `contextTokens`: longest prompt, at least 1; cut to what the model takes.
MemoryNeed memoryNeeded(const ModelCard& card, const std::string& computeType, std::int64_t contextTokens);
constexpr std::int64_t usualContextTokens = 1024; // history and candidates of one scoring call fit

} // namespace carousel
