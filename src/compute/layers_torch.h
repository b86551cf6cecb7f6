// SPDX-License-Identifier: GPL-3.0-or-later
// The row-wise parts of a transformer: on the CPU our own loops over all threads, elsewhere (`portable`) LibTorch operations.
#pragma once
#include "compute/device_torch.h"
#include <ATen/core/Tensor.h>
#include <vector>

namespace carousel {

// What a result is for: fp32 for further sums, or the number format that the products of the device take (bf16 or fp32).
enum class Use { sums, product };
at::Tensor rmsNorm(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& weight, double epsilon, Use use = Use::sums);
// [rows, 2 * width] (gates, then ups) -> [rows, width]
at::Tensor swiGlu(const ComputeDevice& device, const at::Tensor& gateUp, Use use = Use::sums);
// A result in fp32 and, where products with weights take bf16, rounded to that: what is handed to them is input().
struct Normed {
    at::Tensor full, half;
    const at::Tensor& input() const { return half.defined() ? half : full; }
};
// Normalises x, or x + plus where `plus` is given; [rows, width].
Normed layerNorm(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& plus, const at::Tensor& weight, const at::Tensor& bias,
                 double epsilon);
// Per row log(sum(exp(x))); the result is on the CPU.
std::vector<double> logSumExp(const ComputeDevice& device, const at::Tensor& x);

// Which values of a head a rotary position turns together: neighbours (2i, 2i+1), the order in which Llama-type GGUF files store queries
// and keys, or the two halves (i, i + headSize / 2), as Qwen2 files and safetensors of every family do.
enum class RotaryPairs { neighbours, halves };
struct RotaryShape {
    double base = 10000;
    std::int64_t headSize = 0;
    RotaryPairs pairs = RotaryPairs::neighbours;
    double scale = 1;            // positions are divided by it ("linear" scaling)
    std::vector<double> factors; // per pair, or none: its angle is divided by it (Llama 3's rope_freqs)
};

// Angle of pair i at position p: p / scale * base^(-2i / headSize) / factors[i] (Su et al. 2021, RoFormer, section 3.4.2).
class RotaryTable {
public:
    RotaryTable() = default;
    explicit RotaryTable(RotaryShape shape) : m_shape(std::move(shape)) {}
    RotaryTable(double base, std::int64_t headSize) : RotaryTable(RotaryShape{base, headSize}) {}
    // The angles of rows that stand at these positions, once for all layers; off the CPU they lie on the device.
    struct Rows {
        std::vector<std::int64_t> positions;
        // Off the CPU: [rows, 1, headSize / 2] complex where neighbours turn together, else [rows, 1, headSize].
        at::Tensor turns, cosine, signedSine;
    };
    Rows rows(const ComputeDevice& device, const std::vector<std::int64_t>& positions);
    // Turns the first `heads` heads of every row of x [rows, columns] in place.
    void apply(const ComputeDevice& device, at::Tensor& x, std::int64_t heads, const Rows& rows) const;
    void apply(const ComputeDevice& device, at::Tensor& x, std::int64_t heads, const std::vector<std::int64_t>& positions) {
        apply(device, x, heads, rows(device, positions));
    }

private:
    void extendTo(std::int64_t positions);
    RotaryShape m_shape;
    std::int64_t m_length = 0;
    std::vector<float> m_cosine, m_signedSine; // [position][headSize], every angle twice, in the order of the values
};

} // namespace carousel
