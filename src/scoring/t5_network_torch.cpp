// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/t5_network_torch.h"
#include "base/random.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
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

T5Network::T5Network(T5Shape shape, NamedTensors weights, const std::vector<std::uint8_t>& wordBeginnings)
    : m_shape(shape), m_weights(std::move(weights)) {
    if (m_shape.wordPlaces == 0)
        return;
    TORCH_CHECK(wordBeginnings.size() == static_cast<std::size_t>(m_shape.vocabulary), "word beginnings of ", wordBeginnings.size(),
                " tokens, the vocabulary has ", m_shape.vocabulary);
    m_wordBeginnings = at::tensor(std::vector<std::int64_t>(wordBeginnings.begin(), wordBeginnings.end()), at::kLong)
                           .to(weight("shared.weight").device());
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
            else if (tensor.name == wordPlacesTensor)
                deviation = 0.1;
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

namespace {
// x + change, parts of the change left out.
at::Tensor changed(const at::Tensor& x, const at::Tensor& change, const T5Dropout& dropout) {
    return dropout ? at::addcmul(x, change, dropout(change.sizes())) : x + change;
}
at::Tensor thinned(const at::Tensor& x, const T5Dropout& dropout) {
    return dropout ? x * dropout(x.sizes()) : x;
}
} // namespace

at::Tensor T5Network::feedForward(const at::Tensor& x, const std::string& at, const T5Dropout& dropout) const {
    const auto linear = [&](const char* part, const at::Tensor& input) { return at::linear(input, weight(at + part + ".weight")); };
    if (m_shape.gated)
        return linear("wo", thinned(at::gelu(linear("wi_0", x), "tanh") * linear("wi_1", x), dropout));
    return linear("wo", thinned(at::relu(linear("wi", x)), dropout));
}

std::vector<at::Tensor> T5Network::heads(const at::Tensor& x, const std::string& at, const std::vector<const char*>& parts) const {
    std::vector<at::Tensor> weights;
    for (const char* part : parts)
        weights.push_back(weight(at + part + ".weight"));
    const auto count = static_cast<std::int64_t>(parts.size());
    return at::linear(x, count == 1 ? weights.front() : at::cat(weights))
        .view({x.size(0), x.size(1), count, m_shape.heads, m_shape.headSize})
        .permute({2, 0, 3, 1, 4})
        .contiguous()
        .unbind(0);
}

at::Tensor T5Network::attention(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& bias,
                                const std::string& at) const {
    const std::int64_t batch = queries.size(0), length = queries.size(2), rows = batch * m_shape.heads, size = m_shape.headSize;
    const auto flat = [&](const at::Tensor& x) { return x.reshape({rows, x.size(2), size}); };
    const at::Tensor added = bias.expand({batch, m_shape.heads, length, keys.size(2)}).reshape({rows, length, keys.size(2)});
    const at::Tensor weights = at::softmax(at::baddbmm(added, flat(queries), flat(keys).transpose(1, 2)), -1);
    const at::Tensor mixed = at::bmm(weights, flat(values)).view({batch, m_shape.heads, length, size}).transpose(1, 2);
    return at::linear(mixed.reshape({batch, length, m_shape.heads * size}), weight(at + "o.weight"));
}

at::Tensor T5Network::wordPlaces(const at::Tensor& ids, const at::Tensor& mask) const {
    const at::Tensor begins = m_wordBeginnings.index_select(0, ids.reshape({-1})).view(ids.sizes());
    return begins.cumsum(1).clamp_max(m_shape.wordPlaces - 1) * (mask & (ids != static_cast<std::int64_t>(m_shape.end)));
}

at::Tensor T5Network::positionBias(const std::string& stack, std::int64_t queries, std::int64_t keys, bool bothWays) const {
    const at::Tensor& table = weight(stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight");
    const auto options = at::TensorOptions(at::kLong).device(table.device());
    const at::Tensor distances = at::arange(keys, options).unsqueeze(0) - at::arange(keys - queries, keys, options).unsqueeze(1);
    return at::embedding(table, relativeBuckets(distances, bothWays, m_shape.buckets, m_shape.farthest)).permute({2, 0, 1}).unsqueeze(0);
}

namespace {
// 0 where `keep`, minus infinity elsewhere; numbers as those of `like`.
at::Tensor additive(const at::Tensor& keep, const at::Tensor& like) {
    return at::zeros(keep.sizes(), like.options().requires_grad(false)).masked_fill_(keep.logical_not(), minusInfinity);
}
} // namespace

at::Tensor T5Network::encode(const at::Tensor& ids, const at::Tensor& mask, const T5Dropout& dropout) const {
    at::Tensor x = at::embedding(weight("shared.weight"), ids);
    if (m_shape.wordPlaces > 0) // here, so that whoever trains or uses the model has it
        x = x + at::embedding(weight(wordPlacesTensor), wordPlaces(ids, mask));
    const at::Tensor bias = positionBias("encoder", ids.size(1), ids.size(1), true) + additive(mask, x).unsqueeze(1).unsqueeze(1);
    x = thinned(x, dropout);
    for (std::int64_t block = 0; block < m_shape.blocks; ++block) {
        const std::string at = fmt::format("encoder.block.{}.layer.", block), self = at + "0.SelfAttention.";
        const auto qkv = heads(norm(x, at + "0.layer_norm"), self, {"q", "k", "v"});
        x = changed(x, attention(qkv[0], qkv[1], qkv[2], bias, self), dropout);
        x = changed(x, feedForward(norm(x, at + "1.layer_norm"), at + "1.DenseReluDense.", dropout), dropout);
    }
    return thinned(norm(x, "encoder.final_layer_norm"), dropout);
}

T5Memory T5Network::remember(const at::Tensor& states, const at::Tensor& mask) const {
    T5Memory memory;
    memory.mask = additive(mask, states).unsqueeze(1).unsqueeze(1);
    for (std::int64_t block = 0; block < m_shape.decoderBlocks; ++block) {
        auto kv = heads(states, fmt::format("decoder.block.{}.layer.1.EncDecAttention.", block), {"k", "v"});
        T5Memory::Block kept;
        kept.crossKeys = std::move(kv[0]);
        kept.crossValues = std::move(kv[1]);
        memory.blocks.push_back(std::move(kept));
    }
    return memory;
}

at::Tensor T5Network::decode(const at::Tensor& ids, T5Memory& memory, const T5Dropout& dropout) const {
    at::Tensor x = thinned(at::embedding(weight("shared.weight"), ids), dropout);
    const std::int64_t fresh = ids.size(1), all = memory.length + fresh;
    at::Tensor bias = positionBias("decoder", fresh, all, false);
    if (fresh > 1) {
        const auto options = at::TensorOptions(at::kLong).device(ids.device());
        const at::Tensor seen = at::arange(all, options).unsqueeze(0) <= at::arange(memory.length, all, options).unsqueeze(1);
        bias = bias + additive(seen, x);
    }
    for (std::int64_t block = 0; block < m_shape.decoderBlocks; ++block) {
        T5Memory::Block& kept = memory.blocks[static_cast<std::size_t>(block)];
        const std::string at = fmt::format("decoder.block.{}.layer.", block), self = at + "0.SelfAttention.",
                          cross = at + "1.EncDecAttention.";
        const auto qkv = heads(norm(x, at + "0.layer_norm"), self, {"q", "k", "v"});
        kept.keys = kept.keys.defined() ? at::cat({kept.keys, qkv[1]}, 2) : qkv[1];
        kept.values = kept.values.defined() ? at::cat({kept.values, qkv[2]}, 2) : qkv[2];
        x = changed(x, attention(qkv[0], kept.keys, kept.values, bias, self), dropout);
        const at::Tensor queries = heads(norm(x, at + "1.layer_norm"), cross, {"q"})[0];
        x = changed(x, attention(queries, kept.crossKeys, kept.crossValues, memory.mask, cross), dropout);
        x = changed(x, feedForward(norm(x, at + "2.layer_norm"), at + "2.DenseReluDense.", dropout), dropout);
    }
    memory.length = all;
    return thinned(norm(x, "decoder.final_layer_norm"), dropout);
}

at::Tensor T5Network::logits(const at::Tensor& states) const {
    const at::Tensor scaled = m_shape.scaledHead ? states * std::pow(static_cast<double>(m_shape.width), -0.5) : states;
    return at::linear(scaled, weight(m_shape.ownHead ? "lm_head.weight" : "shared.weight"));
}

} // namespace carousel
