// SPDX-License-Identifier: GPL-3.0-or-later
// What the shelf knows of a model without opening it: who made it, its files, its sizes, and what was measured with it on a machine.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct ModelFile {
    std::string name; // relative to the model's folder
    std::string sha256;
    std::int64_t bytes = 0; // 0: not pinned
};

// The sizes that memory depends on. Counts of numbers, not bytes; 0 where a kind of model has no such thing.
struct ModelDimensions {
    std::int64_t parameters = 0, contextLength = 0, blocks = 0, width = 0, feedForward = 0;
    std::int64_t heads = 0, keyValueHeads = 0, headSize = 0, vocabulary = 0;
    bool tiedHead = true; // one matrix is both the embedding of tokens and the head
};

// One measurement of `models measure`. A figure that was not taken is 0.
struct SpeedRecord {
    std::string processor, device, computeType, libraries; // of the machine it was taken on
    std::string date;                                      // UTC, "2026-01-31 12:00:05"
    std::string sha256;                                    // of the weights that were measured
    int threads = 0, runs = 0;
    // Decoders: one user's prompt of `promptTokens`, then `candidates` branches of about `candidateTokens`; median over `runs`, with the extremes.
    double candidatesPerSecond = 0, slowest = 0, fastest = 0;
    std::int64_t promptTokens = 0, candidateTokens = 0, candidates = 0;
    double textsPerSecond = 0; // encoders: texts of about `candidateTokens`, median, with the extremes in slowest and fastest
    // What opening and using the model added to this process, and what memoryNeeded() had said. 0: not taken.
    std::int64_t residentBytes = 0, expectedBytes = 0;
};

struct ModelCard {
    std::string id, title, licence, purpose;
    std::string format;           // "gguf", "safetensors"
    std::vector<ModelFile> files; // the first one holds the weights
    bool canChat = false, canEmbed = false;
    std::string architecture; // "llama", "bert", "t5"
    std::string quantisation; // the type most of the weights are stored in: "Q4_1", "F32"
    ModelDimensions dimensions;
    bool known = true;       // pinned by this program; false: added by the user
    std::string added = {}, from = {}; // when (UTC) and from which path; empty for known models
    std::string link = {};   // the weights lie there and are not copied; empty: they lie in the model's folder
    std::string chat = {};   // how a decoder's messages are written: "ChatML", "plain text"; empty: it has no chat form
};

} // namespace carousel
