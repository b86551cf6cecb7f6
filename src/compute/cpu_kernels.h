// SPDX-License-Identifier: GPL-3.0-or-later
// The few loops of a transformer that are not matrix products with weights: normalisation, rotary positions, gated activation, attention,
// log-sum-exp. cpu_kernels.cpp is compiled once per instruction set; cpuKernels() picks the best one for this machine.
// Plain pointers only, no threads: callers split the rows.
#pragma once
#include <cstdint>

namespace carousel {

constexpr int attentionRows = 12;     // query rows of one tile
constexpr int keyBlock = 32;          // keys are stored in blocks of 32, transposed: [block][headSize][32]
constexpr int largestHeadSize = 256;  // and a multiple of 32

// Keys that `rows` neighbouring rows of a tile look at: tokens all these rows follow, or those of their own segment.
struct AttentionPart {
    const float* keys = nullptr;   // blocks
    const float* values = nullptr; // of key t at t * valueStride
    std::int64_t valueStride = 0;
    std::int64_t column = 0; // where the scores of these keys begin in a row of scratch: after those of the parts before, in whole blocks
    int firstRow = 0, rows = 0;
    std::int64_t visible[attentionRows] = {}; // by row of the tile: it sees the first so many keys; must not fall along the part's rows
};
// One head, up to twelve query rows. The parts of a row, in their order, are its keys: one softmax goes over all of them.
struct AttentionTile {
    int rows = 0, headSize = 0;
    float scale = 1;
    const float* queries[attentionRows];
    float* out[attentionRows]; // headSize values each
    const AttentionPart* parts = nullptr;
    std::int64_t partCount = 0;
    float* scratch = nullptr; // attentionRows * scratchStride floats
    std::int64_t scratchStride = 0;
};

struct CpuKernels {
    const char* name; // "avx512", "avx2", "baseline"
    // y = x / sqrt(mean(x^2) + epsilon) * weight, for each of `rows` rows of `width` values
    void (*rmsNorm)(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, float* y);
    // Turns neighbouring pairs (2i, 2i+1) of `heads` heads in place. cosine and sine: headSize values, each angle twice, sine as -s, +s.
    void (*rotate)(float* x, std::int64_t heads, int headSize, const float* cosine, const float* signedSine);
    // The same with pairs (i, i + headSize / 2); headSize is a multiple of 32.
    void (*rotateHalves)(float* x, std::int64_t heads, int headSize, const float* cosine, const float* signedSine);
    // y[i] = silu(gate[i]) * up[i]; a row of gateUp holds `width` gates, then `width` ups
    void (*swiGlu)(const float* gateUp, std::int64_t rows, std::int64_t width, float* y);
    // The same with y rounded to bf16 (to the nearest, ties to even): what a product with bf16 weights takes.
    void (*rmsNormHalf)(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, std::uint16_t* y);
    void (*swiGluHalf)(const float* gateUp, std::int64_t rows, std::int64_t width, std::uint16_t* y);
    // y = (x + plus - mean) / sqrt(variance + epsilon) * weight + bias, row by row; `plus` may be null. Results go to `y`, and rounded to bf16 to
    // `half` where that is not null.
    void (*layerNorm)(const float* x, const float* plus, const float* weight, const float* bias, float epsilon, std::int64_t rows,
                      std::int64_t width, float* y, std::uint16_t* half);
    void (*attend)(const AttentionTile& tile);
    // log(sum(exp(x))), stable
    double (*logSumExp)(const float* x, std::int64_t count);
};

const CpuKernels& cpuKernels();

} // namespace carousel
