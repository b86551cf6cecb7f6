// SPDX-License-Identifier: GPL-3.0-or-later
// Weights of a Llama-type decoder from a model file into packed products. Heads whose size the loops do not take are widened with zeros,
// which changes no product; rows of queries and keys are then put in the order of neighbouring pairs, so that the halves stay together.
#include "compute/cpu_kernels.h"
#include "compute/guard_torch.h"
#include "scoring/llama_weights_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include "scoring/weight_layer_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <cmath>

namespace carousel {

namespace {

// Where the values of a head stand in memory and in the file.
class HeadLayout {
public:
    explicit HeadLayout(const DecoderShape& shape)
        : m_size(shape.headSize), m_padded((shape.headSize + keyBlock - 1) / keyBlock * keyBlock),
          m_halves(shape.ropeLayout == RopeLayout::halves) {}
    std::int64_t padded() const { return m_padded; }
    bool asStored() const { return m_padded == m_size; }

    RotaryShape rotary(const DecoderShape& shape) const {
        RotaryShape out;
        out.base = 1; // the angles come from the file's own frequencies
        out.headSize = m_padded;
        out.pairs = m_halves && asStored() ? RotaryPairs::halves : RotaryPairs::neighbours;
        out.factors.assign(static_cast<std::size_t>(m_padded / 2), 1);
        for (std::size_t i = 0; i < shape.ropeFrequencies.size(); ++i)
            out.factors[i] = 1 / shape.ropeFrequencies[i];
        return out;
    }
    // [heads * size, columns] -> [heads * padded, columns]
    at::Tensor rows(const at::Tensor& stored, bool rotated) const {
        if (asStored())
            return stored;
        const std::int64_t heads = stored.size(0) / m_size, columns = stored.numel() / stored.size(0);
        const at::Tensor out = at::zeros({heads, m_padded, columns}, at::kFloat), from = stored.view({heads, m_size, columns});
        for (std::int64_t i = 0; i < m_size; ++i)
            out.select(1, rotated && m_halves ? 2 * (i % (m_size / 2)) + i / (m_size / 2) : i).copy_(from.select(1, i));
        return stored.dim() == 1 ? out.view({heads * m_padded}) : out.view({heads * m_padded, columns});
    }
    // [rows, heads * size] -> [rows, heads * padded]
    at::Tensor columns(const at::Tensor& stored) const {
        if (asStored())
            return stored;
        const std::int64_t heads = stored.size(1) / m_size;
        const at::Tensor out = at::zeros({stored.size(0), heads, m_padded}, at::kFloat);
        out.narrow(2, 0, m_size).copy_(stored.view({stored.size(0), heads, m_size}));
        return out.view({stored.size(0), heads * m_padded});
    }

private:
    std::int64_t m_size, m_padded;
    bool m_halves;
};

} // namespace

LlamaDecoder::LlamaDecoder(std::shared_ptr<const ModelSource> source, ComputeDevice device)
    : m_source(std::move(source)), m_shape(m_source->shape()), m_device(std::move(device)), m_weights(std::make_unique<Weights>()) {}
LlamaDecoder::~LlamaDecoder() = default;
std::int64_t LlamaDecoder::memoryBytes() const {
    return m_weights->bytes;
}

Result<std::unique_ptr<LlamaDecoder>> LlamaDecoder::open(std::shared_ptr<const ModelSource> source, const ComputeDevice& device,
                                                         const RunControl& control) {
    const std::int64_t headSize = source->shape().headSize;
    if (headSize % 2 != 0 || headSize > largestHeadSize)
        return fail(
            ErrorKind::input, "CL-2036",
            fmt::format("{}: heads of {} values; this program computes even sizes up to {}", source->path(), headSize, largestHeadSize),
            "use another model");
    std::unique_ptr<LlamaDecoder> decoder(new LlamaDecoder(std::move(source), device));
    return guarded(device, "opening the language model", [&]() -> Result<std::unique_ptr<LlamaDecoder>> {
        try {
            decoder->load(control);
        } catch (const ReadFailed& failed) {
            return fail(failed.error);
        }
        return std::move(decoder);
    });
}

void LlamaDecoder::load(const RunControl& control) {
    Weights& w = *m_weights;
    const ModelSource& source = *m_source;
    const c10::Device device(m_device.name);
    const auto plans = makeMatmulPlans(m_device);
    const HeadLayout heads(m_shape);
    w.attention = {m_shape.heads, m_shape.keyValueHeads, heads.padded(), true, 1 / std::sqrt(static_cast<double>(m_shape.headSize))};
    w.rotary = RotaryTable(heads.rotary(m_shape));
    w.outputNorm = readWeight(source, WeightRole::outputNorm).to(device);
    w.head = readLinear(plans, m_device, source, {headRole()});
    w.bytes = w.head.bytes();
    if (m_device.name != "cpu") {
        w.embedding = readWeight(source, WeightRole::tokenEmbedding).to(device);
        w.bytes += static_cast<std::int64_t>(w.embedding.nbytes());
    }
    for (std::int64_t block = 0; block < m_shape.blocks; ++block) {
        checkStop(control);
        const auto read = [&](WeightRole role) { return readWeight(source, role, block); };
        Weights::Layer layer;
        layer.attentionNorm = read(WeightRole::attentionNorm).to(device);
        layer.feedForwardNorm = read(WeightRole::feedForwardNorm).to(device);
        at::Tensor bias;
        if (m_shape.queryKeyValueBias)
            bias = at::cat({heads.rows(read(WeightRole::queryBias), true), heads.rows(read(WeightRole::keyBias), true),
                            heads.rows(read(WeightRole::valueBias), false)});
        const at::Tensor outBias = m_shape.attentionOutBias ? read(WeightRole::attentionOutBias) : at::Tensor();
        const auto linear = [&](std::initializer_list<WeightRole> roles, const at::Tensor& added = {}) {
            return readLinear(plans, m_device, source, roles, block, added);
        };
        if (heads.asStored()) {
            layer.queryKeyValue = linear({WeightRole::query, WeightRole::key, WeightRole::value}, bias);
            layer.attentionOut = linear({WeightRole::attentionOut}, outBias);
        } else {
            layer.queryKeyValue = PackedLinear(plans,
                                               at::cat({heads.rows(read(WeightRole::query), true), heads.rows(read(WeightRole::key), true),
                                                        heads.rows(read(WeightRole::value), false)}),
                                               bias);
            layer.attentionOut = PackedLinear(plans, heads.columns(read(WeightRole::attentionOut)), outBias);
        }
        layer.gateUp = linear({WeightRole::gate, WeightRole::up});
        layer.down = linear({WeightRole::down});
        w.bytes += layer.queryKeyValue.bytes() + layer.attentionOut.bytes() + layer.gateUp.bytes() + layer.down.bytes();
        w.layers.push_back(std::move(layer));
    }
    m_reuseGrain = m_device.name != "cpu" ? promptPieceOffCpu : !m_device.portable && rowsStandAlone() ? 1 : promptPiece;
}

// Whether a row's products are the same bits however many rows are computed together: a library may cut sums elsewhere for few rows.
bool LlamaDecoder::rowsStandAlone() const {
    const Weights::Layer& layer = m_weights->layers.front();
    const auto same = [](const PackedLinear& product, std::int64_t inputs) {
        const at::Tensor x = (at::arange(67 * inputs, at::kFloat) * 0.7f).sin().view({67, inputs}), all = product(x);
        for (const std::int64_t rows : {1, 6, 33})
            if (!at::equal(product(x.narrow(0, 67 - rows, rows)), all.narrow(0, 67 - rows, rows)))
                return false;
        return true;
    };
    return same(layer.queryKeyValue, m_shape.width) && same(layer.down, m_shape.feedForward);
}

} // namespace carousel
