// SPDX-License-Identifier: GPL-3.0-or-later
// The few loops of a transformer that are not matrix products with weights: normalisation, rotary positions, gated activation, attention,
// log-sum-exp. cpu_kernels.cpp is compiled once per instruction set; cpuKernels() picks the best one for this machine.
// Plain pointers only, no threads: callers split the rows.
#pragma once
#include <cstdint>

namespace carousel {

constexpr int attentionRows = 6;      // query rows of one tile
constexpr int keyBlock = 32;          // keys are stored in blocks of 32, transposed: [block][headSize][32]
constexpr int largestHeadSize = 256;  // and a multiple of 32

// One head, up to six query rows, two groups of keys: those all rows may share (a prefix) and those of the rows' own segment.
struct AttentionTile {
    int rows = 0, headSize = 0;
    float scale = 1;
    const float* queries[attentionRows];
    float* out[attentionRows];                             // headSize values each
    const float* sharedKeys = nullptr;                     // blocks
    const float* sharedValues = nullptr;                   // row t at t * sharedValueStride
    std::int64_t sharedValueStride = 0;
    std::int64_t sharedVisible[attentionRows] = {};        // a row sees the first so many shared keys; must not fall along the rows
    const float* ownKeys = nullptr;
    const float* ownValues = nullptr;
    std::int64_t ownValueStride = 0;
    std::int64_t ownVisible[attentionRows] = {};
    float* scratch = nullptr;                              // attentionRows * scratchStride floats
    std::int64_t scratchStride = 0;                        // >= both groups, each rounded up to whole blocks
};

struct CpuKernels {
    const char* name; // "avx512", "avx2", "baseline"
    // y = x / sqrt(mean(x^2) + epsilon) * weight, for each of `rows` rows of `width` values
    void (*rmsNorm)(const float* x, const float* weight, float epsilon, std::int64_t rows, std::int64_t width, float* y);
    // Turns neighbouring pairs (2i, 2i+1) of `heads` heads in place. cosine and sine: headSize values, each angle twice, sine as -s, +s.
    void (*rotate)(float* x, std::int64_t heads, int headSize, const float* cosine, const float* signedSine);
    // y[i] = silu(gate[i]) * up[i]; a row of gateUp holds `width` gates, then `width` ups
    void (*swiGlu)(const float* gateUp, std::int64_t rows, std::int64_t width, float* y);
    void (*attend)(const AttentionTile& tile);
    // log(sum(exp(x))), stable
    double (*logSumExp)(const float* x, std::int64_t count);
};

const CpuKernels& cpuKernels();

} // namespace carousel
