// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_memory.h"
#include <algorithm>

namespace carousel {

namespace {

constexpr std::int64_t floatBytes = 4, half = 2;
constexpr double storedFourBits = 20.0 / 32, storedEightBits = 34.0 / 32; // 32 weights with their factors
constexpr std::int64_t rowsAtOnce = 352; // LlamaDecoder::groupTokens: rows of one step

// Bytes of one weight of a matrix product.
double bytesOf(const ModelCard& card, const std::string& type) {
    if (type == "int16" && card.canChat) {
        if (card.quantisation == "Q4_0" || card.quantisation == "Q4_1")
            return storedFourBits;
        if (card.quantisation == "Q8_0")
            return storedEightBits;
        return floatBytes; // other weights are unpacked
    }
    return type == "bf16" || (type == "auto" && card.canChat) ? half : floatBytes;
}

// Widest moment of a block: input, its normed copy, queries/keys/values, attention's result, gates and ups.
std::int64_t rowFloats(const ModelDimensions& d, std::int64_t gates) {
    return 3 * d.width + (d.heads + 2 * d.keyValueHeads) * d.headSize + d.heads * d.headSize + gates * d.feedForward;
}

} // namespace

MemoryNeed memoryNeeded(const ModelCard& card, const std::string& computeType, std::int64_t contextTokens) {
    const ModelDimensions& d = card.dimensions;
    MemoryNeed need;
    need.contextTokens = std::clamp<std::int64_t>(contextTokens, 1, std::max<std::int64_t>(1, d.contextLength));
    const double each = bytesOf(card, computeType);
    const auto packed = [&](std::int64_t weights) { return static_cast<std::int64_t>(static_cast<double>(weights) * each); };
    const std::int64_t embedding = d.vocabulary * d.width;
    if (card.canChat) {
        // Embedding (and an untied head) in fp32, for exact logits of single tokens; the head once more and every matrix of the blocks packed.
        const std::int64_t tables = d.tiedHead ? embedding : 2 * embedding;
        const std::int64_t blocks = std::max<std::int64_t>(0, d.parameters - tables);
        need.weights = tables * floatBytes + packed(embedding) + packed(blocks);
        need.keysAndValues = need.contextTokens * d.blocks * 2 * d.keyValueHeads * d.headSize * floatBytes;
        need.activations = rowsAtOnce * rowFloats(d, 3) * floatBytes;
        need.loading = std::max(embedding, 2 * d.feedForward * d.width * 2) * floatBytes;
    } else {
        const std::int64_t positions = d.contextLength * d.width;
        const std::int64_t blocks = std::max<std::int64_t>(0, d.parameters - embedding - positions);
        need.weights = (embedding + positions) * floatBytes + packed(blocks);
        need.activations = std::max(rowsAtOnce, need.contextTokens) * rowFloats(d, 2) * floatBytes;
        need.loading = embedding * floatBytes;
    }
    return need;
}

} // namespace carousel
