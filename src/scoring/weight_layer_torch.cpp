// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/weight_layer_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include <ATen/ops/cat.h>
#include <cmath>
#include <cstring>
#include <optional>

namespace carousel {

namespace {

std::optional<QuantisedType> quantisedType(TensorType type) {
    switch (type) {
    case TensorType::q4_0:
        return QuantisedType::q4_0;
    case TensorType::q4_1:
        return QuantisedType::q4_1;
    case TensorType::q8_0:
        return QuantisedType::q8_0;
    default:
        return std::nullopt;
    }
}

// Factors that are not finite are refused where weights are read as floats; this only notices them. The limit leaves room for -8 d as a
// half.
bool factorsInRange(QuantisedType type, std::span<const std::byte> blocks) {
    const std::size_t step = type == QuantisedType::q4_0   ? 18
                             : type == QuantisedType::q4_1 ? 20
                                                           : 34,
                      factors = type == QuantisedType::q4_1 ? 2 : 1;
    for (std::size_t at = 0; at + step <= blocks.size(); at += step)
        for (std::size_t i = 0; i < factors; ++i) {
            std::uint16_t bits;
            std::memcpy(&bits, blocks.data() + at + 2 * i, 2);
            if ((bits & 0x7FFF) >= 0x7000) // 8192
                return false;
        }
    return true;
}

} // namespace

PackedLinear readLinear(const std::shared_ptr<MatmulPlans>& plans, const ComputeDevice& device, const ModelSource& source,
                        std::initializer_list<WeightRole> roles, std::int64_t block, const at::Tensor& bias) {
    const TensorInfo& first = source.stored(*roles.begin(), block);
    bool asStored = PackedLinear::multipliesStored(device) && first.columns() % 32 == 0 && quantisedType(first.type);
    for (const WeightRole role : roles) {
        const TensorInfo& info = source.stored(role, block);
        const auto type = quantisedType(info.type);
        asStored = asStored && type && (type == QuantisedType::q8_0) == (first.type == TensorType::q8_0);
    }
    if (asStored) {
        std::vector<std::vector<std::byte>> kept;
        std::vector<QuantisedRows> parts;
        for (const WeightRole role : roles) {
            const TensorInfo& info = source.stored(role, block);
            auto blocks = source.blocks(role, block);
            if (!blocks)
                throw ReadFailed{blocks.error()};
            kept.push_back(std::move(*blocks));
            parts.push_back({*quantisedType(info.type), static_cast<std::int64_t>(info.rows()), kept.back()});
            asStored = asStored && factorsInRange(parts.back().type, kept.back());
        }
        if (asStored)
            return PackedLinear(plans, parts, static_cast<std::int64_t>(first.columns()), bias);
    }
    std::vector<at::Tensor> weights;
    for (const WeightRole role : roles)
        weights.push_back(readWeight(source, role, block));
    return PackedLinear(plans, weights.size() == 1 ? weights[0] : at::cat(weights), bias);
}

int storedBits(const ModelSource& source) {
    std::uint64_t all = 0, four = 0, eight = 0;
    for (std::int64_t block = 0; block < source.shape().blocks; ++block)
        for (const WeightRole role : {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attentionOut, WeightRole::gate,
                                      WeightRole::up, WeightRole::down}) {
            const TensorInfo& info = source.stored(role, block);
            all += info.elements;
            if (const auto type = quantisedType(info.type))
                (*type == QuantisedType::q8_0 ? eight : four) += info.elements;
        }
    return 2 * four > all ? 4 : 2 * eight > all ? 8 : 0;
}

} // namespace carousel
