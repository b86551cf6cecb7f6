// SPDX-License-Identifier: GPL-3.0-or-later
// Products with a model's weights, in the number format of the device.
#pragma once
#include "compute/packed_linear_torch.h"
#include "llm/model_source.h"
#include <initializer_list>
#include <vector>

namespace carousel {

// One product for the weights of several roles, whose outputs follow one another. Throws ReadFailed (tensor_bridge_torch.h).
// With int16 they stay as stored, where all are of the same kind of 4- or 8-bit blocks; otherwise they are read as fp32 and packed.
PackedLinear readLinear(const std::shared_ptr<MatmulPlans>& plans, const ComputeDevice& device, const ModelSource& source,
                        std::initializer_list<WeightRole> roles, std::int64_t block = 0, const at::Tensor& bias = {});

// 4 or 8 where most of the weights of a decoder's blocks are stored in blocks of so many bits that int16 multiplies as they are; else 0.
int storedBits(const ModelSource& source);

} // namespace carousel
