// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/bert_encoder_torch.h"
#include "compute/attention_torch.h"
#include "compute/cpu_kernels.h"
#include "compute/guard_torch.h"
#include "compute/layers_torch.h"
#include "compute/packed_linear_torch.h"
#include "scoring/pooling.h"
#include "scoring/tensor_bridge_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <algorithm>
#include <numeric>

namespace carousel {

namespace {
constexpr std::int64_t tokensAtOnce = 512;

struct Norm {
    at::Tensor weight, bias;
    double epsilon = 1e-12;
    Normed operator()(const ComputeDevice& device, const at::Tensor& x, const at::Tensor& plus = {}) const {
        return layerNorm(device, x, plus, weight, bias, epsilon);
    }
};
} // namespace

struct BertEncoder::Weights {
    struct Layer {
        PackedLinear queryKeyValue, attentionOut, intermediate, output;
        Norm attentionNorm, outputNorm;
    };
    at::Tensor words, positions, tokenType; // on the CPU; tokenType is the row of type 0
    Norm embeddingNorm;
    std::vector<Layer> layers;
    AttentionShape attention;
    std::int64_t bytes = 0;
};

BertEncoder::BertEncoder(BertShape shape, ComputeDevice device)
    : m_shape(shape), m_device(std::move(device)), m_weights(std::make_unique<Weights>()) {}
BertEncoder::~BertEncoder() = default;
std::int64_t BertEncoder::memoryBytes() const {
    return m_weights->bytes;
}

Result<std::unique_ptr<BertEncoder>> BertEncoder::open(const SafetensorsFile& file, const std::string& configFile,
                                                       const ComputeDevice& device, const RunControl& control) {
    CAROUSEL_ASSIGN(const BertShape shape, bertShape(file, configFile));
    if (shape.headSize % keyBlock != 0 || shape.headSize > largestHeadSize)
        return fail(ErrorKind::input, "CL-2036",
                    fmt::format("{}: heads of {} values; this program computes sizes that are multiples of {} up to {}", file.path(),
                                shape.headSize, keyBlock, largestHeadSize),
                    "use another model");
    std::unique_ptr<BertEncoder> encoder(new BertEncoder(shape, device));
    return guarded(device, "opening the sentence encoder", [&]() -> Result<std::unique_ptr<BertEncoder>> {
        try {
            encoder->load(file, control);
        } catch (const ReadFailed& failed) {
            return fail(failed.error);
        }
        return std::move(encoder);
    });
}

void BertEncoder::load(const SafetensorsFile& file, const RunControl& control) {
    Weights& w = *m_weights;
    const c10::Device device(m_device.name);
    const auto plans = makeMatmulPlans(m_device);
    const auto norm = [&](const std::string& at) {
        return Norm{readTensor(file, at + ".weight").to(device), readTensor(file, at + ".bias").to(device), m_shape.normEpsilon};
    };
    const auto linear = [&](const std::string& at, AfterProduct after = AfterProduct::nothing) {
        return PackedLinear(plans, readTensor(file, at + ".weight"), readTensor(file, at + ".bias"), after);
    };
    w.attention = {m_shape.heads, m_shape.heads, m_shape.headSize, false};
    w.words = readTensor(file, "embeddings.word_embeddings.weight");
    w.positions = readTensor(file, "embeddings.position_embeddings.weight");
    w.tokenType = readTensor(file, "embeddings.token_type_embeddings.weight").select(0, 0).contiguous();
    w.embeddingNorm = norm("embeddings.LayerNorm");
    w.bytes = static_cast<std::int64_t>(w.words.nbytes() + w.positions.nbytes());
    for (std::int64_t index = 0; index < m_shape.blocks; ++index) {
        checkStop(control);
        const std::string at = fmt::format("encoder.layer.{}.", index);
        Weights::Layer layer;
        std::vector<at::Tensor> weights, biases;
        for (const char* part : {"query", "key", "value"}) {
            weights.push_back(readTensor(file, at + "attention.self." + part + ".weight"));
            biases.push_back(readTensor(file, at + "attention.self." + part + ".bias"));
        }
        layer.queryKeyValue = PackedLinear(plans, at::cat(weights), at::cat(biases));
        layer.attentionOut = linear(at + "attention.output.dense");
        layer.attentionNorm = norm(at + "attention.output.LayerNorm");
        layer.intermediate = linear(at + "intermediate.dense", AfterProduct::gelu);
        layer.output = linear(at + "output.dense");
        layer.outputNorm = norm(at + "output.LayerNorm");
        w.bytes += layer.queryKeyValue.bytes() + layer.attentionOut.bytes() + layer.intermediate.bytes() + layer.output.bytes();
        w.layers.push_back(std::move(layer));
    }
}

void BertEncoder::encodeGroup(std::span<const std::vector<TokenId>> texts, std::span<const std::size_t> group, Pooling pooling,
                              const RunControl& control, Matrix& out) {
    const Weights& w = *m_weights;
    std::vector<std::int64_t> starts{0};
    for (const std::size_t text : group)
        starts.push_back(starts.back() + static_cast<std::int64_t>(texts[text].size()));
    at::Tensor x = at::empty({starts.back(), m_shape.width}, at::kFloat);
    float* row = x.data_ptr<float>();
    for (const std::size_t text : group) {
        TORCH_CHECK(!texts[text].empty() && static_cast<std::int64_t>(texts[text].size()) <= m_shape.positions, "a text of ",
                    texts[text].size(), " tokens; this model takes 1 to ", m_shape.positions);
        for (std::size_t place = 0; place < texts[text].size(); ++place, row += m_shape.width) {
            const TokenId token = texts[text][place];
            TORCH_CHECK(token >= 0 && token < m_shape.vocabulary, "token id ", token, " is outside the vocabulary of ", m_shape.vocabulary);
            const float* word = w.words.data_ptr<float>() + token * m_shape.width;
            const float* position = w.positions.data_ptr<float>() + static_cast<std::int64_t>(place) * m_shape.width;
            const float* type = w.tokenType.data_ptr<float>();
            for (std::int64_t i = 0; i < m_shape.width; ++i)
                row[i] = word[i] + position[i] + type[i];
        }
    }
    Normed state = w.embeddingNorm(m_device, x.to(c10::Device(m_device.name)));
    const SegmentLayout layout(m_device, w.attention, starts);
    for (const Weights::Layer& layer : w.layers) {
        checkStop(control);
        const at::Tensor attended = layout.attend(layer.queryKeyValue(state.input()));
        state = layer.attentionNorm(m_device, layer.attentionOut(attended), state.full);
        state = layer.outputNorm(m_device, layer.output(layer.intermediate(state.input())), state.full);
    }
    const Matrix hidden = toMatrix(state.full);
    for (std::size_t i = 0; i < group.size(); ++i)
        poolAndNormalise(hidden, static_cast<std::size_t>(starts[i]), static_cast<std::size_t>(starts[i + 1]), pooling, out.row(group[i]));
}

Result<Matrix> BertEncoder::encode(std::span<const std::vector<TokenId>> texts, Pooling pooling, const RunControl& control) {
    return guarded(m_device, "encoding texts", [&]() -> Result<Matrix> {
        Matrix out(texts.size(), static_cast<std::size_t>(m_shape.width));
        std::vector<std::size_t> order(texts.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return texts[a].size() < texts[b].size(); });
        double tokensDone = 0, tokensAll = 0;
        for (const auto& text : texts)
            tokensAll += static_cast<double>(text.size());
        for (std::size_t begin = 0; begin < order.size();) {
            checkStop(control);
            std::int64_t tokens = 0;
            std::size_t end = begin;
            while (end < order.size() && (end == begin || tokens + static_cast<std::int64_t>(texts[order[end]].size()) <= tokensAtOnce))
                tokens += static_cast<std::int64_t>(texts[order[end++]].size());
            encodeGroup(texts, std::span(order).subspan(begin, end - begin), pooling, control, out);
            tokensDone += static_cast<double>(tokens);
            control.report("Embedding texts", tokensDone, tokensAll, "tokens");
            begin = end;
        }
        return out;
    });
}

} // namespace carousel
