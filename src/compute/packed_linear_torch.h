// SPDX-License-Identifier: GPL-3.0-or-later
// y = x Wᵀ + b with weights packed once: for oneDNN in fp32 or in bf16 with fp32 sums and results, or in the 4 or 8 bits of the model file
// (quantised_matrix.h). Every row of y is bit for bit the same whatever other rows are in the batch (tested), as long as the number of
// threads stays, with int16 on any processor and with fp32 and bf16 where oneDNN has its AVX-512 products; its older ones split sums by the
// size of the batch, and rows then agree to the last digits of a float.
#pragma once
#include "compute/device_torch.h"
#include "compute/quantised_matrix.h"
#include <ATen/core/Tensor.h>
#include <memory>

namespace carousel {

// Shared by the layers of one model: oneDNN's engine and the products already planned (a plan depends on the number of rows).
class MatmulPlans;
std::shared_ptr<MatmulPlans> makeMatmulPlans(const ComputeDevice& device);

// What is done to every result. gelu: x * (1 + erf(x / sqrt 2)) / 2, and the result is in the format that a next product takes (bf16 or
// fp32).
enum class AfterProduct { nothing, gelu };

class PackedLinear {
public:
    PackedLinear() = default;
    // `weight`: [outputs, inputs] in fp32 on the CPU; `bias`: [outputs] or undefined. Neither is kept.
    PackedLinear(std::shared_ptr<MatmulPlans> plans, const at::Tensor& weight, const at::Tensor& bias = {},
                 AfterProduct after = AfterProduct::nothing);
    // Weights as the file stores them, for int16 (see multipliesStored()): parts follow one another, rows of `inputs` values.
    PackedLinear(std::shared_ptr<MatmulPlans> plans, std::span<const QuantisedRows> parts, std::int64_t inputs,
                 const at::Tensor& bias = {});
    // Whether this device multiplies stored blocks of 4 or 8 bits: it is the CPU, its type is int16, and the processor can.
    static bool multipliesStored(const ComputeDevice& device);
    // [rows, inputs] in fp32 or, where the device computes in bf16, in bf16 already -> [rows, outputs] fp32, but for gelu
    at::Tensor operator()(const at::Tensor& x) const;
    // The same for what is computed row by row and multiplied again: where LibTorch multiplies, as it comes out, without a copy in fp32.
    at::Tensor forNextProduct(const at::Tensor& x) const;
    void addTo(at::Tensor& y, const at::Tensor& x) const; // y += x Wᵀ + b; y is fp32 and contiguous; not after gelu
    std::int64_t bytes() const;

private:
    struct Weights;
    void multiply(at::Tensor& y, const at::Tensor& x, bool add) const;
    std::shared_ptr<MatmulPlans> m_plans;
    std::shared_ptr<Weights> m_weights;
};

} // namespace carousel
