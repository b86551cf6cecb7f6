// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/t5_network_torch.h"
#include "base/random.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <cmath>
#include <limits>

namespace carousel {

namespace {
constexpr double minusInfinity = -std::numeric_limits<double>::infinity();
}

at::Tensor relativeBuckets(const at::Tensor& distances, bool bothWays, std::int64_t buckets, std::int64_t farthest) {
    at::Tensor side = at::zeros_like(distances), away = distances;
    if (bothWays) {
        buckets /= 2;
        side = (distances > 0).to(at::kLong) * buckets;
        away = distances.abs();
    } else {
        away = (-distances).clamp_min(0); // keys behind the query are not seen
    }
    const std::int64_t single = buckets / 2;
    const double growth = std::log(static_cast<double>(farthest) / static_cast<double>(single));
    // Distances below `single` do not use this; the maximum keeps the logarithm finite.
    const at::Tensor ratio = away.clamp_min(single).to(at::kFloat) / static_cast<double>(single);
    const at::Tensor grown = ((ratio.log() / growth) * static_cast<double>(buckets - single)).to(at::kLong) + single;
    return side + at::where(away < single, away, grown.clamp_max(buckets - 1));
}

T5Memory T5Memory::select(const at::Tensor& rows) const {
    T5Memory out;
    out.length = length;
    out.mask = mask.index_select(0, rows);
    for (const Block& block : blocks) {
        Block chosen;
        chosen.crossKeys = block.crossKeys.index_select(0, rows);
        chosen.crossValues = block.crossValues.index_select(0, rows);
        if (block.keys.defined()) {
            chosen.keys = block.keys.index_select(0, rows);
            chosen.values = block.values.index_select(0, rows);
        }
        out.blocks.push_back(std::move(chosen));
    }
    return out;
}

NamedTensors T5Network::randomWeights(const T5Shape& shape, std::uint64_t seed) {
    NamedTensors all;
    std::uint64_t number = 0;
    const auto width = static_cast<double>(shape.width), inner = static_cast<double>(shape.heads * shape.headSize);
    for (const T5Tensor& tensor : t5Tensors(shape)) {
        const auto ends = [&](const char* part) {
            return tensor.name.size() > std::char_traits<char>::length(part) && tensor.name.ends_with(part);
        };
        at::Tensor values = at::ones(tensor.dims, at::kFloat);
        if (!ends("norm.weight")) {
            double deviation = std::pow(width, -0.5);
            if (tensor.name == "shared.weight" || tensor.name == "lm_head.weight")
                deviation = 1;
            else if (ends(".q.weight"))
                deviation = std::pow(width * static_cast<double>(shape.headSize), -0.5); // makes up for attention without scaling
            else if (ends(".o.weight"))
                deviation = std::pow(inner, -0.5);
            else if (ends("wo.weight"))
                deviation = std::pow(static_cast<double>(shape.feedForward), -0.5);
            RandomStream random(seed, "t5 weights", number);
            float* value = values.data_ptr<float>();
            for (std::int64_t i = 0; i < values.numel(); ++i)
                value[i] = static_cast<float>(random.normal() * deviation);
        }
        ++number;
        all.emplace(tensor.name, std::move(values));
    }
    return all;
}

at::Tensor T5Network::norm(const at::Tensor& x, const std::string& name) const {
    return x * at::rsqrt((x * x).mean(-1, true) + m_shape.normEpsilon) * weight(name + ".weight");
}

at::Tensor T5Network::feedForward(const at::Tensor& x, const std::string& at) const {
    const auto linear = [&](const char* part, const at::Tensor& input) { return at::linear(input, weight(at + part + ".weight")); };
    if (m_shape.gated)
        return linear("wo", at::gelu(linear("wi_0", x), "tanh") * linear("wi_1", x));
    return linear("wo", at::relu(linear("wi", x)));
}

at::Tensor T5Network::heads(const at::Tensor& x, const std::string& name) const {
    return at::linear(x, weight(name + ".weight")).view({x.size(0), x.size(1), m_shape.heads, m_shape.headSize}).transpose(1, 2);
}

at::Tensor T5Network::joined(const at::Tensor& scores, const at::Tensor& values, const std::string& at) const {
    const at::Tensor mixed = at::matmul(at::softmax(scores, -1), values).transpose(1, 2);
    return at::linear(mixed.reshape({mixed.size(0), mixed.size(1), m_shape.heads * m_shape.headSize}), weight(at + "o.weight"));
}

at::Tensor T5Network::positionBias(const std::string& stack, std::int64_t queries, std::int64_t keys, bool bothWays) const {
    const at::Tensor& table = weight(stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight");
    const auto options = at::TensorOptions(at::kLong).device(table.device());
    const at::Tensor distances = at::arange(keys, options).unsqueeze(0) - at::arange(keys - queries, keys, options).unsqueeze(1);
    return at::embedding(table, relativeBuckets(distances, bothWays, m_shape.buckets, m_shape.farthest)).permute({2, 0, 1}).unsqueeze(0);
}

namespace {
// 0 where `keep`, minus infinity elsewhere.
at::Tensor additive(const at::Tensor& keep) {
    const at::Tensor zeros = at::zeros_like(keep, at::TensorOptions(at::kFloat));
    return zeros.masked_fill(keep.logical_not(), minusInfinity);
}
} // namespace

at::Tensor T5Network::encode(const at::Tensor& ids, const at::Tensor& mask) const {
    at::Tensor x = at::embedding(weight("shared.weight"), ids);
    const at::Tensor bias = positionBias("encoder", ids.size(1), ids.size(1), true) + additive(mask).unsqueeze(1).unsqueeze(1);
    for (std::int64_t block = 0; block < m_shape.blocks; ++block) {
        const std::string at = fmt::format("encoder.block.{}.layer.", block), self = at + "0.SelfAttention.";
        const at::Tensor input = norm(x, at + "0.layer_norm");
        const at::Tensor scores = at::matmul(heads(input, self + "q"), heads(input, self + "k").transpose(2, 3)) + bias;
        x = x + joined(scores, heads(input, self + "v"), self);
        x = x + feedForward(norm(x, at + "1.layer_norm"), at + "1.DenseReluDense.");
    }
    return norm(x, "encoder.final_layer_norm");
}

T5Memory T5Network::remember(const at::Tensor& states, const at::Tensor& mask) const {
    T5Memory memory;
    memory.mask = additive(mask).unsqueeze(1).unsqueeze(1);
    for (std::int64_t block = 0; block < m_shape.decoderBlocks; ++block) {
        const std::string cross = fmt::format("decoder.block.{}.layer.1.EncDecAttention.", block);
        T5Memory::Block kept;
        kept.crossKeys = heads(states, cross + "k");
        kept.crossValues = heads(states, cross + "v");
        memory.blocks.push_back(std::move(kept));
    }
    return memory;
}

at::Tensor T5Network::decode(const at::Tensor& ids, T5Memory& memory) const {
    at::Tensor x = at::embedding(weight("shared.weight"), ids);
    const std::int64_t fresh = ids.size(1), all = memory.length + fresh;
    const auto options = at::TensorOptions(at::kLong).device(ids.device());
    const at::Tensor seen = at::arange(all, options).unsqueeze(0) <= at::arange(memory.length, all, options).unsqueeze(1);
    const at::Tensor bias = positionBias("decoder", fresh, all, false) + additive(seen);
    for (std::int64_t block = 0; block < m_shape.decoderBlocks; ++block) {
        T5Memory::Block& kept = memory.blocks[static_cast<std::size_t>(block)];
        const std::string at = fmt::format("decoder.block.{}.layer.", block), self = at + "0.SelfAttention.",
                          cross = at + "1.EncDecAttention.";
        at::Tensor input = norm(x, at + "0.layer_norm");
        const at::Tensor keys = heads(input, self + "k"), values = heads(input, self + "v");
        kept.keys = kept.keys.defined() ? at::cat({kept.keys, keys}, 2) : keys;
        kept.values = kept.values.defined() ? at::cat({kept.values, values}, 2) : values;
        x = x + joined(at::matmul(heads(input, self + "q"), kept.keys.transpose(2, 3)) + bias, kept.values, self);
        input = norm(x, at + "1.layer_norm");
        x = x + joined(at::matmul(heads(input, cross + "q"), kept.crossKeys.transpose(2, 3)) + memory.mask, kept.crossValues, cross);
        x = x + feedForward(norm(x, at + "2.layer_norm"), at + "2.DenseReluDense.");
    }
    memory.length = all;
    return norm(x, "decoder.final_layer_norm");
}

at::Tensor T5Network::logits(const at::Tensor& states) const {
    const at::Tensor scaled = m_shape.scaledHead ? states * std::pow(static_cast<double>(m_shape.width), -0.5) : states;
    return at::linear(scaled, weight(m_shape.ownHead ? "lm_head.weight" : "shared.weight"));
}

} // namespace carousel
