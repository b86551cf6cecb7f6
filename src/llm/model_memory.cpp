// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_memory.h"
#include <algorithm>

namespace carousel {

namespace {

constexpr std::int64_t floatBytes = 4, half = 2;
constexpr double storedFourBits = 20.0 / 32, storedEightBits = 34.0 / 32; // 32 weights with their factors
// Measured on x86-64 with oneDNN 2.6: 49,152 tokens of byte-level BPE take 14 MB, a first pass through a model of no size 12 MB.
constexpr std::int64_t tokenBytes = 300, generatedBytes = 12'000'000;
constexpr std::int64_t buffers = 2; // the allocator keeps about as much again as one step needs at its widest
constexpr std::int64_t rowsAtOnce = 352; // LlamaDecoder::groupTokens: rows of one step
constexpr std::int64_t sourceRows = 1024; // T5EncoderDecoder: tokens of sources read together

// Bytes of one weight of a matrix product.
double bytesOf(const ModelCard& card, const std::string& computeType) {
    const std::string type = computesIn(card, computeType);
    if (type == "int16" && card.canChat) {
        if (card.quantisation == "Q4_0" || card.quantisation == "Q4_1")
            return storedFourBits;
        if (card.quantisation == "Q8_0")
            return storedEightBits;
        return floatBytes; // other weights are unpacked
    }
    return type == "bf16" ? half : floatBytes;
}

// Widest moment of a block: input, its normed copy, queries/keys/values, attention's result, gates and ups.
std::int64_t rowFloats(const ModelDimensions& d, std::int64_t gates) {
    return 3 * d.width + (d.heads + 2 * d.keyValueHeads) * d.headSize + d.heads * d.headSize + gates * d.feedForward;
}

} // namespace

std::string computesIn(const ModelCard& card, const std::string& computeType, const AutomaticTypes& automatic) {
    if (card.architecture == "t5")
        return "fp32";
    if (computeType != "auto")
        return computeType;
    if (!card.canChat)
        return "fp32";
    return card.quantisation == "Q4_0" || card.quantisation == "Q4_1" ? automatic.fourBits
           : card.quantisation == "Q8_0"                              ? automatic.eightBits
                                                                      : automatic.decoder;
}

MemoryNeed memoryNeeded(const ModelCard& card, const std::string& computeType, std::int64_t contextTokens) {
    const ModelDimensions& d = card.dimensions;
    MemoryNeed need;
    need.contextTokens = std::clamp<std::int64_t>(contextTokens, 1, std::max<std::int64_t>(1, d.contextLength));
    const double each = bytesOf(card, computeType);
    const auto packed = [&](std::int64_t weights) { return static_cast<std::int64_t>(static_cast<double>(weights) * each); };
    const std::int64_t embedding = d.vocabulary * d.width;
    need.tables = d.vocabulary * tokenBytes + generatedBytes;
    if (card.architecture == "t5") {
        // Everything is kept as it is. Each block of the decoder, about half of all, has keys and values of the source and of the answer.
        need.weights = d.parameters * floatBytes;
        need.keysAndValues = need.contextTokens * d.blocks * 2 * d.keyValueHeads * d.headSize * floatBytes;
        const std::int64_t scores = 2 * d.heads * need.contextTokens * need.contextTokens; // of attention, and the bias of positions
        need.activations = buffers * (std::max(sourceRows, need.contextTokens) * rowFloats(d, 2) + scores) * floatBytes;
    } else if (card.canChat) {
        // Rows of the embedding are read from the file when they are needed; the head and every matrix of the blocks are kept packed.
        const std::int64_t kept = d.tiedHead ? d.parameters : d.parameters - embedding;
        need.weights = packed(std::max<std::int64_t>(0, kept));
        need.keysAndValues = need.contextTokens * d.blocks * 2 * d.keyValueHeads * d.headSize * floatBytes;
        need.activations = buffers * rowsAtOnce * rowFloats(d, 3) * floatBytes;
    } else {
        const std::int64_t positions = d.contextLength * d.width;
        const std::int64_t blocks = std::max<std::int64_t>(0, d.parameters - embedding - positions);
        need.weights = (embedding + positions) * floatBytes + packed(blocks);
        need.activations = buffers * std::max(rowsAtOnce, need.contextTokens) * rowFloats(d, 2) * floatBytes;
    }
    return need;
}

} // namespace carousel
