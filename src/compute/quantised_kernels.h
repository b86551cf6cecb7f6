// SPDX-License-Identifier: GPL-3.0-or-later
// Loops for products with weights of 4 or 8 bits as model files store them: w = d * q + m for each run of 32 inputs. Activations become
// 16-bit whole numbers with a scale per run of 32, sums of products are exact whole numbers, and what the runs give is added in fp32.
// quantised_kernels.cpp is compiled once per instruction set. Plain pointers only, no threads: callers split rows and panels.
// A row's result depends on that row alone, whatever rows are computed with it.
#pragma once
#include <cstdint>

namespace carousel {

constexpr std::int64_t quantisedBlock = 32; // inputs that share a scale
constexpr std::int64_t panelOutputs = 32;   // outputs whose weights lie together

// Bytes of one block of inputs for one panel: 16-bit words, then the factors d and (4-bit only) m of the 32 outputs as halves.
// Word vector v, output o, half-pair p: at (v * 32 + o) * 4 + 2 * p bytes, p = 0 for the even input of a pair, 1 for the odd one.
// 4 bits: 4 word vectors; bits [4n, 4n + 4) of word vector v belong to inputs 2 * (4v + n) + p, from 0 to 15.
// 8 bits: 8 word vectors; bits [8n, 8n + 8) of word vector v belong to inputs 2 * (2v + n) + p, from -128 to 127.
constexpr std::int64_t panelBlockBytes(int bits) {
    return quantisedBlock * panelOutputs * bits / 8 + panelOutputs * (bits == 4 ? 4 : 2);
}

// Activations as whole numbers: x = s * q + t * rest. Only blocks whose largest value stands above the row's other blocks have a rest (the
// rounding of the others is small beside the row's size anyway): elsewhere t is 0.
// Rows lie in tiles of tileRows, the last of which holds what is left; of a tile with n rows, pair p of inputs and row r at (p * n + r)
// * 2.
struct QuantisedActivations {
    const std::int16_t* q = nullptr;       // [rows][inputs] in all
    const std::int16_t* rest = nullptr;    // the same
    const float* scales = nullptr;         // of tile, block and row: s, s * (sum of q), t, t * (sum of rest)
    const std::uint8_t* hasRest = nullptr; // by tile: whether any t is not 0
};

struct QuantisedKernels {
    const char* name; // "vnni", "avx512", "avx2"
    std::int64_t tileRows;
    // A tile of `rows` rows; true when one has a rest. A value that is not finite makes its block's scales not finite.
    bool (*quantiseTile)(const float* x, std::int64_t rows, std::int64_t inputs, std::int16_t* q, std::int16_t* rest, float* scales);
    // One panel straight from its packed blocks: for few rows. y: [rows][stride], 32 outputs each. `x` starts with a tile.
    void (*multiplyFew)(int bits, const std::uint8_t* panel, std::int64_t blocks, const QuantisedActivations& x, std::int64_t rows,
                        float* y, std::int64_t stride);
    // The same in two steps, for many rows: `words` takes blocks * 1024 values, `factors` blocks * 64.
    void (*unpack)(int bits, const std::uint8_t* panel, std::int64_t blocks, std::int16_t* words, float* factors);
    void (*multiplyMany)(int bits, const std::int16_t* words, const float* factors, std::int64_t blocks, const QuantisedActivations& x,
                         std::int64_t rows, float* y, std::int64_t stride);
};

// The best set for this machine, or null where none pays (see cpu_kernels_choice.cpp).
const QuantisedKernels* quantisedKernels();

} // namespace carousel
