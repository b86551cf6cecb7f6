// SPDX-License-Identifier: GPL-3.0-or-later
// Norm, attention, norm, gated feed-forward, thirty times over; then a norm and the head, which is the embedding table itself when the file
// has no other. Residuals, attention and norms are fp32 in every mode; only the products with weights may be bf16
// or int16.
#include "scoring/llama_decoder_torch.h"
#include "compute/attention_torch.h"
#include "compute/cpu_kernels.h"
#include "compute/guard_torch.h"
#include "compute/layers_torch.h"
#include "compute/packed_linear_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include "scoring/weight_layer_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <algorithm>
#include <cstring>

namespace carousel {

struct DecoderCache::Layers {
    std::vector<LayerCache> each;
};
DecoderCache::DecoderCache() = default;
DecoderCache::~DecoderCache() = default;
DecoderCache::DecoderCache(DecoderCache&&) noexcept = default;
DecoderCache& DecoderCache::operator=(DecoderCache&&) noexcept = default;
void DecoderCache::truncate(std::int64_t length) {
    if (length >= this->length())
        return;
    m_tokens.resize(static_cast<std::size_t>(length));
    if (m_layers)
        for (LayerCache& layer : m_layers->each)
            layer.truncate(length);
}

struct LlamaDecoder::Weights {
    struct Layer {
        at::Tensor attentionNorm, feedForwardNorm;
        PackedLinear queryKeyValue, attentionOut, gateUp, down;
    };
    at::Tensor embedding; // [vocabulary, width], fp32, on the CPU
    at::Tensor headRows;  // the same tensor, or the file's own head
    at::Tensor outputNorm;
    PackedLinear head;
    std::vector<Layer> layers;
    RotaryTable rotary;
    AttentionShape attention;
    std::int64_t bytes = 0;
};

// What one pass computes: segments laid end to end.
struct LlamaDecoder::Batch {
    std::vector<TokenId> tokens;
    std::vector<std::int64_t> starts{0};  // first token of each segment, then their number
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> wanted;     // rows whose hidden states are asked for
    bool append = false;                  // one segment, to be appended to the cache

    void add(std::span<const TokenId> segment, std::int64_t firstPosition, std::int64_t lastRows) {
        const auto count = static_cast<std::int64_t>(segment.size()), start = starts.back();
        tokens.insert(tokens.end(), segment.begin(), segment.end());
        for (std::int64_t i = 0; i < count; ++i)
            positions.push_back(firstPosition + i);
        for (std::int64_t i = std::max<std::int64_t>(0, count - lastRows); i < count; ++i)
            wanted.push_back(start + i);
        starts.push_back(start + count);
    }
};

namespace {

void appendRows(Matrix& to, const Matrix& from) {
    to.columns = from.columns;
    to.rows += from.rows;
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
}

} // namespace

LlamaDecoder::LlamaDecoder(DecoderShape shape, ComputeDevice device)
    : m_shape(std::move(shape)), m_device(std::move(device)), m_weights(std::make_unique<Weights>()) {}
LlamaDecoder::~LlamaDecoder() = default;
std::int64_t LlamaDecoder::memoryBytes() const { return m_weights->bytes; }

Result<std::unique_ptr<LlamaDecoder>> LlamaDecoder::open(const ModelSource& source, const ComputeDevice& device,
                                                         const RunControl& control) {
    const DecoderShape& shape = source.shape();
    if (shape.headSize % keyBlock != 0 || shape.headSize > largestHeadSize)
        return fail(ErrorKind::input, "CL-2036",
                    fmt::format("{}: heads of {} values; this program computes sizes that are multiples of {} up to {}", source.path(),
                                shape.headSize, keyBlock, largestHeadSize),
                    "use another model");
    if (shape.ropeLayout != RopeLayout::pairs || !shape.ropeScaling.empty() || shape.queryKeyValueBias || shape.attentionOutBias ||
        shape.width != shape.heads * shape.headSize)
        return fail(ErrorKind::input, "CL-2036",
                    fmt::format("{}: this build computes neither positions in halves, nor scaled ones, nor biases, nor heads that are wider than the model",
                                source.path()),
                    "use another model");
    std::unique_ptr<LlamaDecoder> decoder(new LlamaDecoder(shape, device));
    return guarded(device, "opening the language model", [&]() -> Result<std::unique_ptr<LlamaDecoder>> {
        try {
            decoder->load(source, control);
        } catch (const ReadFailed& failed) {
            return fail(failed.error);
        }
        return std::move(decoder);
    });
}

void LlamaDecoder::load(const ModelSource& source, const RunControl& control) {
    Weights& w = *m_weights;
    const c10::Device device(m_device.name);
    const auto plans = makeMatmulPlans(m_device);
    w.attention = {m_shape.heads, m_shape.keyValueHeads, m_shape.headSize, true};
    w.rotary = RotaryTable(m_shape.ropeBase, m_shape.headSize);
    w.embedding = readWeight(source, WeightRole::tokenEmbedding);
    w.headRows = m_shape.tiedHead ? w.embedding : readWeight(source, WeightRole::head);
    w.outputNorm = readWeight(source, WeightRole::outputNorm).to(device);
    w.head = readLinear(plans, m_device, source, {m_shape.tiedHead ? WeightRole::tokenEmbedding : WeightRole::head});
    w.bytes = static_cast<std::int64_t>(w.embedding.nbytes()) + w.head.bytes() + (m_shape.tiedHead ? 0 : static_cast<std::int64_t>(w.headRows.nbytes()));
    for (std::int64_t block = 0; block < m_shape.blocks; ++block) {
        checkStop(control);
        const auto read = [&](WeightRole role) { return readWeight(source, role, block); };
        Weights::Layer layer;
        layer.attentionNorm = read(WeightRole::attentionNorm).to(device);
        layer.feedForwardNorm = read(WeightRole::feedForwardNorm).to(device);
        const auto linear = [&](std::initializer_list<WeightRole> roles) { return readLinear(plans, m_device, source, roles, block); };
        layer.queryKeyValue = linear({WeightRole::query, WeightRole::key, WeightRole::value});
        layer.attentionOut = linear({WeightRole::attentionOut});
        layer.gateUp = linear({WeightRole::gate, WeightRole::up});
        layer.down = linear({WeightRole::down});
        w.bytes += layer.queryKeyValue.bytes() + layer.attentionOut.bytes() + layer.gateUp.bytes() + layer.down.bytes();
        w.layers.push_back(std::move(layer));
    }
}

Matrix LlamaDecoder::forward(const Batch& batch, DecoderCache& cache, const RunControl& control) {
    Weights& w = *m_weights;
    if (!cache.m_layers)
        cache.m_layers = std::make_unique<DecoderCache::Layers>();
    cache.m_layers->each.resize(w.layers.size());
    const auto tokens = static_cast<std::int64_t>(batch.tokens.size());
    for (const TokenId token : batch.tokens)
        TORCH_CHECK(token >= 0 && token < m_shape.vocabulary, "token id ", token, " is outside the vocabulary of ", m_shape.vocabulary);
    const c10::Device device(m_device.name);
    at::Tensor x = at::empty({tokens, m_shape.width}, at::kFloat);
    for (std::int64_t i = 0; i < tokens; ++i)
        std::memcpy(x.data_ptr<float>() + i * m_shape.width,
                    w.embedding.data_ptr<float>() + batch.tokens[static_cast<std::size_t>(i)] * m_shape.width,
                    static_cast<std::size_t>(m_shape.width) * sizeof(float));
    x = x.to(device);

    const std::int64_t rotatedHeads = m_shape.heads + m_shape.keyValueHeads;
    const bool everyRow = static_cast<std::int64_t>(batch.wanted.size()) == tokens;
    for (std::size_t index = 0; index < w.layers.size(); ++index) {
        checkStop(control);
        const Weights::Layer& layer = w.layers[index];
        LayerCache& past = cache.m_layers->each[index];
        at::Tensor rows = layer.queryKeyValue(rmsNorm(m_device, x, layer.attentionNorm, m_shape.rmsEpsilon));
        w.rotary.apply(m_device, rows, rotatedHeads, batch.positions);
        if (batch.append)
            past.append(m_device, w.attention, rows);
        const bool lastLayer = index + 1 == w.layers.size();
        if (lastLayer && batch.wanted.empty())
            break; // only the keys and values were needed
        at::Tensor attended =
            batch.append ? attendLast(m_device, w.attention, rows, past)
                         : attendSegments(m_device, w.attention, rows, batch.starts, std::vector<KeyChain>{{past}});
        if (lastLayer && !everyRow) { // what follows works on single rows
            const at::Tensor wanted = at::tensor(batch.wanted, at::kLong).to(device);
            attended = attended.index_select(0, wanted);
            x = x.index_select(0, wanted);
        }
        x = x + layer.attentionOut(attended);
        x = x + layer.down(swiGlu(m_device, layer.gateUp(rmsNorm(m_device, x, layer.feedForwardNorm, m_shape.rmsEpsilon))));
    }
    if (batch.append)
        cache.m_tokens.insert(cache.m_tokens.end(), batch.tokens.begin(), batch.tokens.end());
    if (batch.wanted.empty())
        return Matrix(0, static_cast<std::size_t>(m_shape.width));
    return toMatrix(rmsNorm(m_device, x, w.outputNorm, m_shape.rmsEpsilon));
}

Matrix LlamaDecoder::extendPiece(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control) {
    Batch batch;
    batch.append = true;
    batch.add(tokens, cache.length(), lastRows);
    const std::int64_t before = cache.length();
    try {
        return forward(batch, cache, control);
    } catch (...) { // some layers may have taken the new tokens already
        if (cache.m_layers)
            for (LayerCache& layer : cache.m_layers->each)
                layer.truncate(before);
        cache.m_tokens.resize(static_cast<std::size_t>(before));
        throw;
    }
}

Result<Matrix> LlamaDecoder::extend(DecoderCache& cache, std::span<const TokenId> tokens, std::int64_t lastRows, const RunControl& control) {
    return guarded(m_device, "computing a prompt", [&]() -> Result<Matrix> {
        Matrix out(0, static_cast<std::size_t>(m_shape.width));
        const auto count = static_cast<std::int64_t>(tokens.size());
        const std::int64_t firstWanted = std::max<std::int64_t>(0, count - lastRows);
        for (std::int64_t done = 0; done < count;) {
            // Pieces end where a multiple of promptPiece is reached, wherever the cache started.
            const std::int64_t end = std::min(count, done + promptPiece - cache.length() % promptPiece);
            appendRows(out, extendPiece(cache, tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(end - done)),
                                        std::max<std::int64_t>(0, end - std::max(done, firstWanted)), control));
            done = end;
        }
        return out;
    });
}

Result<std::int64_t> LlamaDecoder::prepare(DecoderCache& cache, std::span<const TokenId> tokens, const RunControl& control) {
    const auto count = static_cast<std::int64_t>(tokens.size());
    const auto differ = std::mismatch(tokens.begin(), tokens.end(), cache.m_tokens.begin(), cache.m_tokens.end());
    std::int64_t reused = differ.first - tokens.begin();
    if (reused < count || cache.length() > count)
        reused = reused / promptPiece * promptPiece;
    cache.truncate(reused);
    CAROUSEL_TRY(extend(cache, tokens.subspan(static_cast<std::size_t>(reused)), 0, control));
    return reused;
}

Result<HiddenStates> LlamaDecoder::branches(DecoderCache& cache, std::span<const std::vector<TokenId>> segments, std::int64_t lastRows,
                                            const RunControl& control) {
    return guarded(m_device, "scoring candidates", [&]() -> Result<HiddenStates> {
        HiddenStates out;
        out.rows = Matrix(0, static_cast<std::size_t>(m_shape.width));
        out.first.push_back(0);
        const std::int64_t prefix = cache.length();
        for (std::size_t next = 0; next < segments.size();) {
            const auto length = static_cast<std::int64_t>(segments[next].size());
            if (length > groupTokens) { // a long one goes piece by piece, as a prompt does, so that a stop is noticed in time
                auto rows = extend(cache, segments[next], lastRows, control);
                cache.truncate(prefix);
                if (!rows)
                    return fail(rows.error());
                appendRows(out.rows, *rows);
                out.first.push_back(out.rows.rows);
                ++next;
                continue;
            }
            Batch batch;
            for (; next < segments.size() && batch.starts.back() + static_cast<std::int64_t>(segments[next].size()) <= groupTokens; ++next) {
                batch.add(segments[next], prefix, lastRows);
                out.first.push_back(out.rows.rows + batch.wanted.size());
            }
            appendRows(out.rows, forward(batch, cache, control));
        }
        return out;
    });
}

float LlamaDecoder::logit(std::span<const float> hidden, TokenId token) const {
    TORCH_CHECK(token >= 0 && token < m_shape.vocabulary, "token id ", token, " is outside the vocabulary of ", m_shape.vocabulary);
    const float* weights = m_weights->headRows.data_ptr<float>() + token * m_shape.width;
    double sum = 0;
    for (std::size_t i = 0; i < hidden.size(); ++i)
        sum += static_cast<double>(hidden[i]) * weights[i];
    return static_cast<float>(sum);
}

Result<Matrix> LlamaDecoder::logits(const Matrix& hidden, std::span<const TokenId> tokens) const {
    return guarded(m_device, "computing logits", [&]() -> Result<Matrix> {
        Matrix out(hidden.rows, tokens.size());
        for (std::size_t row = 0; row < hidden.rows; ++row)
            for (std::size_t column = 0; column < tokens.size(); ++column)
                out.row(row)[column] = logit(hidden.row(row), tokens[column]);
        return out;
    });
}

Result<std::vector<float>> LlamaDecoder::rowLogits(const Matrix& hidden, std::span<const TokenId> tokens) const {
    return guarded(m_device, "computing logits", [&]() -> Result<std::vector<float>> {
        TORCH_CHECK(hidden.rows == tokens.size(), "one token per row");
        std::vector<float> out;
        for (std::size_t row = 0; row < hidden.rows; ++row)
            out.push_back(logit(hidden.row(row), tokens[row]));
        return out;
    });
}

Result<Matrix> LlamaDecoder::allLogits(const Matrix& hidden) {
    return guarded(m_device, "computing logits", [&]() -> Result<Matrix> {
        if (hidden.rows == 0)
            return Matrix(0, static_cast<std::size_t>(m_shape.vocabulary));
        return toMatrix(m_weights->head(viewRows(hidden, 0, hidden.rows).to(c10::Device(m_device.name))));
    });
}

Result<std::vector<double>> LlamaDecoder::logSumExpOfLogits(const Matrix& hidden, const RunControl& control) {
    return guarded(m_device, "computing answer probabilities", [&]() -> Result<std::vector<double>> {
        std::vector<double> out;
        constexpr std::size_t rowsAtOnce = 64; // bounds the logits to 13 MB
        for (std::size_t row = 0; row < hidden.rows; row += rowsAtOnce) {
            checkStop(control);
            const auto input = viewRows(hidden, row, std::min(rowsAtOnce, hidden.rows - row)).to(c10::Device(m_device.name));
            const auto sums = logSumExp(m_device, m_weights->head(input));
            out.insert(out.end(), sums.begin(), sums.end());
        }
        return out;
    });
}

} // namespace carousel
