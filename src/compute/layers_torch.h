// SPDX-License-Identifier: GPL-3.0-or-later
// The row-wise parts of a transformer: on the CPU our own loops over all threads, elsewhere (`portable`) LibTorch operations.
#pragma once
#include "compute/device_torch.h"
#include <ATen/core/Tensor.h>
#include <vector>

namespace carousel {

at::Tensor rmsNorm(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& weight, double epsilon);
// [rows, 2 * width] (gates, then ups) -> [rows, width]
at::Tensor swiGlu(const ComputeDevice& device, const at::Tensor& gateUp);
// Per row log(sum(exp(x))); the result is on the CPU.
std::vector<double> logSumExp(const ComputeDevice& device, const at::Tensor& x);

// Rotary positions over neighbouring pairs, the order in which Llama-type GGUF files store queries and keys.
class RotaryTable {
public:
    RotaryTable() = default;
    RotaryTable(double base, std::int64_t headSize) : m_base(base), m_headSize(headSize) {}
    // Turns the first `heads` heads of every row of x [rows, columns] in place; row i stands at positions[i].
    void apply(const ComputeDevice& device, at::Tensor& x, std::int64_t heads, const std::vector<std::int64_t>& positions);

private:
    void extendTo(std::int64_t positions);
    double m_base = 10000;
    std::int64_t m_headSize = 0, m_length = 0;
    std::vector<float> m_cosine, m_signedSine; // [position][headSize], every angle twice
};

} // namespace carousel
