// SPDX-License-Identifier: GPL-3.0-or-later
// y = x Wᵀ + b with weights that are never trained: the product that scoring uses, and for the backward pass dx = dy W with the same
// packed arithmetic (fp32, or bf16 with fp32 sums). Twice the memory of the weights; nothing is kept between the passes.
#pragma once
#include "compute/packed_linear_torch.h"

namespace carousel {

class FrozenLinear {
public:
    FrozenLinear() = default;
    // `weight`: [outputs, inputs] in fp32 on the CPU; `bias`: [outputs] or undefined.
    FrozenLinear(const std::shared_ptr<MatmulPlans>& plans, const at::Tensor& weight, const at::Tensor& bias = {});
    // Differentiable in x. This object must outlive the backward pass.
    at::Tensor operator()(const at::Tensor& x) const;
    at::Tensor forward(const at::Tensor& x) const { return m_forward(x); }
    at::Tensor backward(const at::Tensor& gradient) const { return m_backward(gradient); }

private:
    PackedLinear m_forward, m_backward;
};

} // namespace carousel
