// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/frozen_linear_torch.h"
#include <torch/csrc/autograd/custom_function.h>

namespace carousel {

namespace {

struct FrozenProduct : torch::autograd::Function<FrozenProduct> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const FrozenLinear* linear) {
        context->saved_data["linear"] = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(linear));
        return linear->forward(x);
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients) {
        const auto* linear = reinterpret_cast<const FrozenLinear*>(static_cast<std::intptr_t>(context->saved_data["linear"].toInt()));
        return {linear->backward(gradients[0]), at::Tensor()};
    }
};

} // namespace

FrozenLinear::FrozenLinear(const std::shared_ptr<MatmulPlans>& plans, const at::Tensor& weight, const at::Tensor& bias)
    : m_forward(plans, weight, bias), m_backward(plans, weight.t().contiguous()) {}

at::Tensor FrozenLinear::operator()(const at::Tensor& x) const {
    return FrozenProduct::apply(x, this);
}

} // namespace carousel
