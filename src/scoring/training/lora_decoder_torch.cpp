// SPDX-License-Identifier: GPL-3.0-or-later
// Each block is a graph of its own: its input is a leaf, and the gradient of its output comes from the block above. So a stop is seen
// between blocks, a block's graph can be dropped and computed again, and the engine never runs inside itself.
//
// Heads are kept with their halves apart, whatever the file does: rows of q and k are put into that order when they are read. A score
// is a sum over both, so it does not notice; and the adapter is in PEFT's order from the start.
#include "scoring/training/lora_decoder_torch.h"
#include "base/random.h"
#include "compute/guard_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include "scoring/training/frozen_linear_torch.h"
#include "scoring/training/training_scope_torch.h"
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <algorithm>
#include <array>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <cmath>
#include <map>
#include <torch/csrc/autograd/autograd.h>

namespace carousel {

namespace {

// Modules that read the same input.
constexpr std::size_t groupCount = 4;
const std::array<std::vector<LoraModule>, groupCount> groupModules{{{LoraModule::query, LoraModule::key, LoraModule::value},
                                                                    {LoraModule::attentionOut},
                                                                    {LoraModule::gate, LoraModule::up},
                                                                    {LoraModule::down}}};

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
    return x * at::rsqrt((x * x).mean(-1, true) + epsilon) * weight;
}

// Rows of a matrix (or values of a bias) of heads in a GGUF file's order -> halves apart.
at::Tensor unpaired(const at::Tensor& stored, std::int64_t headSize) {
    const std::int64_t heads = stored.size(0) / headSize;
    auto dims = stored.sizes().vec();
    std::vector<std::int64_t> split{heads, headSize / 2, 2};
    split.insert(split.end(), dims.begin() + 1, dims.end());
    return stored.reshape(split).transpose(1, 2).reshape(dims);
}

} // namespace

struct LoraDecoder::Weights {
    struct Adapted { // one module of a group
        LoraModule module;
        std::int64_t outputs = 0;
        std::size_t firstA = 0, firstB = 0; // in the values
        at::Tensor b;
    };
    struct Group { // A of all its modules is one matrix
        std::vector<Adapted> modules;
        std::int64_t inputs = 0;
        at::Tensor a;
    };
    struct Block {
        at::Tensor attentionNorm, feedForwardNorm;
        FrozenLinear queryKeyValue, attentionOut, gateUp, down;
        std::array<Group, groupCount> groups;
    };
    at::Tensor embedding, outputNorm; // [vocabulary, width], on the CPU; [width]
    FrozenLinear head;
    std::vector<Block> blocks;
    at::Tensor values, gradient; // on the device, fp32

    // Output of a block for its input; of the last one only the wanted rows.
    at::Tensor block(const LoraDecoder& owner, std::size_t index, at::Tensor x, const Piece& piece) const;
    // The change that a group's modules make to their parts of `rows` (side by side, in order).
    static std::vector<at::Tensor> changed(const LoraDecoder& owner, const Group& group, const at::Tensor& input, const at::Tensor& kept,
                                           std::vector<at::Tensor> parts, const std::vector<LoraModule>& modules);
    at::Tensor logits(const LoraDecoder& owner, const at::Tensor& rows) const {
        return head(rmsNorm(rows, outputNorm, owner.m_shape.rmsEpsilon));
    }
    at::Tensor embedded(const Piece& piece, const c10::Device& device) const;
    std::vector<at::Tensor> leaves(const Block& block) const;
    void addTo(const Block& block, const std::vector<at::Tensor>& gradients) const; // in the order of leaves()
    // Of the weighted cross-entropy with respect to the last block's output; the sum is added to `loss`.
    at::Tensor lossGradient(const LoraDecoder& owner, const at::Tensor& rows, std::span<const TrainingSequence> sequences, double& loss,
                            const RunControl& control) const;
};

// Sequences end to end, and what their blocks share.
struct LoraDecoder::Piece {
    std::vector<TokenId> tokens;
    std::vector<std::int64_t> starts{0};
    std::vector<std::int64_t> wanted; // rows with targets, all sequences
    std::vector<std::uint64_t> dropoutKeys;
    std::uint64_t seed = 0;
    bool dropout = false;
    at::Tensor cosine, sine; // [tokens, 1, headSize / 2]
    at::Tensor wantedRows;
    std::vector<at::Tensor> masks; // per sequence: [group * tokens, tokens], minus infinity where a token must not look

    static Piece of(std::span<const TrainingSequence> sequences, const DecoderShape& shape, const c10::Device& device);
    // [tokens, inputs]: 0 where an input is left out, else 1 / (1 - share).
    at::Tensor kept(std::size_t block, std::size_t group, std::int64_t inputs, double share, const c10::Device& device) const;
};

LoraDecoder::Piece LoraDecoder::Piece::of(std::span<const TrainingSequence> sequences, const DecoderShape& shape,
                                          const c10::Device& device) {
    Piece piece;
    const std::int64_t half = shape.headSize / 2, group = shape.heads / shape.keyValueHeads;
    std::int64_t total = 0;
    for (const auto& sequence : sequences)
        total += static_cast<std::int64_t>(sequence.tokens.size());
    at::Tensor cosine = at::empty({total, 1, half}, at::kFloat), sine = at::empty({total, 1, half}, at::kFloat);
    std::map<std::int64_t, at::Tensor> maskOf;
    for (const auto& sequence : sequences) {
        const auto count = static_cast<std::int64_t>(sequence.tokens.size()), start = piece.starts.back();
        for (std::int64_t position = 0; position < count; ++position)
            for (std::int64_t i = 0; i < half; ++i) {
                const double angle = static_cast<double>(position) * shape.ropeFrequencies[static_cast<std::size_t>(i)];
                cosine.data_ptr<float>()[(start + position) * half + i] = static_cast<float>(std::cos(angle));
                sine.data_ptr<float>()[(start + position) * half + i] = static_cast<float>(std::sin(angle));
            }
        for (const TokenId token : sequence.tokens) {
            TORCH_CHECK(token >= 0 && token < shape.vocabulary, "token id ", token, " is outside the vocabulary of ", shape.vocabulary);
            piece.tokens.push_back(token);
        }
        for (const auto& target : sequence.targets) {
            TORCH_CHECK(target.row >= 0 && target.row < count, "a target at token ", target.row, " of ", count);
            TORCH_CHECK(target.token >= 0 && target.token < shape.vocabulary, "token id ", target.token, " is outside the vocabulary");
            piece.wanted.push_back(start + target.row);
        }
        piece.dropoutKeys.push_back(sequence.dropoutKey);
        piece.starts.push_back(start + count);
        at::Tensor& mask = maskOf[count];
        if (!mask.defined())
            mask = at::full({count, count}, -std::numeric_limits<float>::infinity(), at::kFloat).triu(1).repeat({group, 1}).to(device);
        piece.masks.push_back(mask);
    }
    piece.cosine = cosine.to(device);
    piece.sine = sine.to(device);
    piece.wantedRows = at::tensor(piece.wanted, at::kLong).to(device);
    return piece;
}

at::Tensor LoraDecoder::Piece::kept(std::size_t block, std::size_t group, std::int64_t inputs, double share,
                                    const c10::Device& device) const {
    at::Tensor mask = at::empty({starts.back(), inputs}, at::kFloat);
    const auto threshold = static_cast<std::uint32_t>(std::lround(share * 65536));
    const auto scale = static_cast<float>(1 / (1 - share));
    float* to = mask.data_ptr<float>();
    for (std::size_t sequence = 0; sequence + 1 < starts.size(); ++sequence)
        at::parallel_for(starts[sequence], starts[sequence + 1], 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                RandomStream random(seed, "lora dropout", dropoutKeys[sequence],
                                    (static_cast<std::uint64_t>(block * groupCount + group) << 32) |
                                        static_cast<std::uint64_t>(row - starts[sequence]));
                float* values = to + row * inputs;
                for (std::int64_t i = 0; i < inputs; i += 2) {
                    const std::uint32_t bits = random.next32();
                    values[i] = (bits & 0xffff) < threshold ? 0 : scale;
                    if (i + 1 < inputs)
                        values[i + 1] = (bits >> 16) < threshold ? 0 : scale;
                }
            }
        });
    return mask.to(device);
}

namespace {

at::Tensor rotated(const at::Tensor& rows, std::int64_t heads, std::int64_t headSize, const at::Tensor& cosine, const at::Tensor& sine) {
    const at::Tensor x = rows.reshape({rows.size(0), heads, headSize});
    const at::Tensor low = x.narrow(2, 0, headSize / 2), high = x.narrow(2, headSize / 2, headSize / 2);
    return at::cat({low * cosine - high * sine, high * cosine + low * sine}, 2);
}

// q, k: [tokens, heads, headSize], v: [tokens, keyValueHeads * headSize], of one sequence -> [tokens, heads * headSize]
at::Tensor attention(const DecoderShape& shape, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask) {
    const std::int64_t tokens = q.size(0), kv = shape.keyValueHeads, group = shape.heads / kv, size = shape.headSize;
    const at::Tensor queries = (q * (1 / std::sqrt(static_cast<double>(size))))
                                   .view({tokens, kv, group, size})
                                   .permute({1, 2, 0, 3})
                                   .reshape({kv, group * tokens, size});
    const at::Tensor keys = k.permute({1, 2, 0}), values = v.reshape({tokens, kv, size}).permute({1, 0, 2});
    const at::Tensor weights = at::softmax(at::bmm(queries, keys).add_(mask), 2);
    return at::bmm(weights, values).view({kv, group, tokens, size}).permute({2, 0, 1, 3}).reshape({tokens, shape.heads * size});
}

// How many blocks' graphs fit the memory: about what LibTorch saves of a block, in floats per token, and the attention weights.
template <class Piece> std::size_t keptGraphs(const Piece& piece, const DecoderShape& s, std::int64_t memoryBytes) {
    const double tokens = static_cast<double>(piece.starts.back());
    double floats = tokens * static_cast<double>(9 * s.width + 5 * s.feedForward + 5 * (s.heads + 2 * s.keyValueHeads) * s.headSize);
    for (std::size_t i = 0; i + 1 < piece.starts.size(); ++i) {
        const auto count = static_cast<double>(piece.starts[i + 1] - piece.starts[i]);
        floats += count * count * static_cast<double>(s.heads);
    }
    return static_cast<std::size_t>(static_cast<double>(memoryBytes) / (floats * sizeof(float)));
}

} // namespace

LoraDecoder::LoraDecoder(DecoderShape shape, ComputeDevice device, LoraSettings settings, std::int64_t memoryBytes)
    : m_shape(std::move(shape)), m_device(std::move(device)), m_settings(std::move(settings)), m_memoryBytes(memoryBytes),
      m_weights(std::make_unique<Weights>()) {}
LoraDecoder::~LoraDecoder() = default;

at::Tensor LoraDecoder::Weights::embedded(const Piece& piece, const c10::Device& device) const {
    return embedding.index_select(0, at::tensor(std::vector<std::int64_t>(piece.tokens.begin(), piece.tokens.end()), at::kLong)).to(device);
}

std::vector<at::Tensor> LoraDecoder::Weights::changed(const LoraDecoder& owner, const Group& group, const at::Tensor& input,
                                                      const at::Tensor& kept, std::vector<at::Tensor> parts,
                                                      const std::vector<LoraModule>& modules) {
    if (group.modules.empty())
        return parts;
    const at::Tensor inner = at::linear(kept.defined() ? input * kept : input, group.a) * owner.m_settings.scale();
    for (std::size_t i = 0; i < group.modules.size(); ++i) {
        const auto place = std::find(modules.begin(), modules.end(), group.modules[i].module) - modules.begin();
        at::Tensor& part = parts[static_cast<std::size_t>(place)];
        part = part +
               at::linear(inner.narrow(1, static_cast<std::int64_t>(i) * owner.m_settings.rank, owner.m_settings.rank), group.modules[i].b);
    }
    return parts;
}

at::Tensor LoraDecoder::Weights::block(const LoraDecoder& owner, std::size_t index, at::Tensor x, const Piece& piece) const {
    const DecoderShape& s = owner.m_shape;
    const Block& block = blocks[index];
    const std::int64_t queries = s.heads * s.headSize, keys = s.keyValueHeads * s.headSize;
    const c10::Device device(owner.m_device.name);
    const bool last = index + 1 == blocks.size();
    const auto change = [&](std::size_t group, const at::Tensor& input, std::vector<at::Tensor> parts) {
        at::Tensor kept;
        if (piece.dropout && owner.m_settings.dropout > 0 && !block.groups[group].modules.empty())
            kept = piece.kept(index, group, block.groups[group].inputs, owner.m_settings.dropout, device);
        if (kept.defined() && last && group > 0)
            kept = kept.index_select(0, piece.wantedRows); // dropout is keyed by the token's place
        return changed(owner, block.groups[group], input, kept, std::move(parts), groupModules[group]);
    };
    const at::Tensor normed = rmsNorm(x, block.attentionNorm, s.rmsEpsilon), rows = block.queryKeyValue(normed);
    const auto parts = change(0, normed, {rows.narrow(1, 0, queries), rows.narrow(1, queries, keys), rows.narrow(1, queries + keys, keys)});
    const at::Tensor q = rotated(parts[0], s.heads, s.headSize, piece.cosine, piece.sine);
    const at::Tensor k = rotated(parts[1], s.keyValueHeads, s.headSize, piece.cosine, piece.sine);
    std::vector<at::Tensor> each;
    for (std::size_t i = 0; i + 1 < piece.starts.size(); ++i) {
        const std::int64_t start = piece.starts[i], count = piece.starts[i + 1] - start;
        each.push_back(
            attention(s, q.narrow(0, start, count), k.narrow(0, start, count), parts[2].narrow(0, start, count), piece.masks[i]));
    }
    at::Tensor attended = at::cat(each);
    if (last) { // what follows works on single rows
        attended = attended.index_select(0, piece.wantedRows);
        x = x.index_select(0, piece.wantedRows);
    }
    x = x + change(1, attended, {block.attentionOut(attended)})[0];
    const at::Tensor fed = rmsNorm(x, block.feedForwardNorm, s.rmsEpsilon), gatesAndUps = block.gateUp(fed);
    const auto gated = change(2, fed, {gatesAndUps.narrow(1, 0, s.feedForward), gatesAndUps.narrow(1, s.feedForward, s.feedForward)});
    const at::Tensor product = at::silu(gated[0]) * gated[1];
    return x + change(3, product, {block.down(product)})[0];
}

std::vector<at::Tensor> LoraDecoder::Weights::leaves(const Block& block) const {
    std::vector<at::Tensor> out;
    for (const Group& group : block.groups)
        if (!group.modules.empty()) {
            out.push_back(group.a);
            for (const Adapted& module : group.modules)
                out.push_back(module.b);
        }
    return out;
}

void LoraDecoder::Weights::addTo(const Block& block, const std::vector<at::Tensor>& gradients) const {
    std::size_t next = 0;
    const auto add = [&](std::size_t first) {
        const at::Tensor& from = gradients[next++];
        if (from.defined())
            gradient.narrow(0, static_cast<std::int64_t>(first), from.numel()).add_(from.reshape({-1}));
    };
    for (const Group& group : block.groups)
        if (!group.modules.empty()) {
            add(group.modules.front().firstA);
            for (const Adapted& module : group.modules)
                add(module.firstB);
        }
}

at::Tensor LoraDecoder::Weights::lossGradient(const LoraDecoder& owner, const at::Tensor& rows, std::span<const TrainingSequence> sequences,
                                              double& loss, const RunControl& control) const {
    std::vector<std::int64_t> tokens;
    std::vector<float> weights;
    for (const auto& sequence : sequences)
        for (const auto& target : sequence.targets) {
            tokens.push_back(target.token);
            weights.push_back(static_cast<float>(target.weight));
        }
    constexpr std::int64_t rowsAtOnce = 64; // logits of the whole vocabulary are large
    std::vector<at::Tensor> gradients;
    for (std::int64_t begin = 0; begin < rows.size(0); begin += rowsAtOnce) {
        checkStop(control);
        const c10::AutoGradMode keep(true);
        const std::int64_t count = std::min(rowsAtOnce, rows.size(0) - begin);
        const at::Tensor leaf = rows.narrow(0, begin, count).detach().set_requires_grad(true);
        const at::Tensor wanted =
            at::tensor(std::vector<std::int64_t>(tokens.begin() + begin, tokens.begin() + begin + count)).to(rows.device());
        const at::Tensor weight =
            at::tensor(std::vector<float>(weights.begin() + begin, weights.begin() + begin + count)).to(rows.device());
        const at::Tensor chosen = at::log_softmax(logits(owner, leaf), 1).gather(1, wanted.unsqueeze(1)).squeeze(1);
        const at::Tensor sum = -(chosen * weight).sum();
        loss -= (chosen.detach().to(at::kCPU, at::kDouble) * weight.to(at::kCPU, at::kDouble)).sum().item<double>();
        gradients.push_back(torch::autograd::grad({sum}, {leaf})[0]);
    }
    return at::cat(gradients);
}

// Gives every matrix its place among the values.
void LoraDecoder::place() {
    const auto rank = static_cast<std::size_t>(m_settings.rank);
    for (auto& block : m_weights->blocks)
        for (std::size_t g = 0; g < groupCount; ++g) {
            Weights::Group& group = block.groups[g];
            for (const LoraModule module : groupModules[g])
                if (m_settings.has(module)) {
                    const LoraSizes sizes = sizesOf(m_shape, module);
                    group.inputs = sizes.inputs;
                    group.modules.push_back({module, sizes.outputs, m_values, 0, {}});
                    m_values += rank * static_cast<std::size_t>(sizes.inputs);
                }
            for (auto& module : group.modules) {
                module.firstB = m_values;
                m_values += rank * static_cast<std::size_t>(module.outputs);
            }
        }
    const auto options = at::TensorOptions(at::kFloat).device(c10::Device(m_device.name));
    m_weights->values = at::zeros({static_cast<std::int64_t>(m_values)}, options);
    m_weights->gradient = at::zeros_like(m_weights->values);
    const auto leaf = [&](std::size_t first, std::int64_t rows, std::int64_t columns) {
        return m_weights->values.narrow(0, static_cast<std::int64_t>(first), rows * columns)
            .view({rows, columns})
            .detach()
            .set_requires_grad(true);
    };
    for (auto& block : m_weights->blocks)
        for (auto& group : block.groups) {
            if (group.modules.empty())
                continue;
            group.a = leaf(group.modules.front().firstA, m_settings.rank * static_cast<std::int64_t>(group.modules.size()), group.inputs);
            for (auto& module : group.modules)
                module.b = leaf(module.firstB, module.outputs, m_settings.rank);
        }
}

void LoraDecoder::load(const ModelSource& source, const RunControl& control) {
    Weights& w = *m_weights;
    const c10::Device device(m_device.name);
    const auto plans = makeMatmulPlans(m_device);
    w.embedding = readWeight(source, WeightRole::tokenEmbedding);
    w.outputNorm = readWeight(source, WeightRole::outputNorm).to(device);
    w.head = FrozenLinear(plans, m_shape.tiedHead ? w.embedding : readWeight(source, WeightRole::head));
    for (std::int64_t index = 0; index < m_shape.blocks; ++index) {
        checkStop(control);
        control.report("Loading the model", static_cast<double>(index), static_cast<double>(m_shape.blocks), "blocks");
        const auto read = [&](WeightRole role) { return readWeight(source, role, index); };
        const auto ofHeads = [&](WeightRole role) {
            return m_shape.ropeLayout == RopeLayout::pairs ? unpaired(read(role), m_shape.headSize) : read(role);
        };
        Weights::Block block;
        block.attentionNorm = read(WeightRole::attentionNorm).to(device);
        block.feedForwardNorm = read(WeightRole::feedForwardNorm).to(device);
        at::Tensor bias, outBias;
        if (m_shape.queryKeyValueBias)
            bias = at::cat({ofHeads(WeightRole::queryBias), ofHeads(WeightRole::keyBias), read(WeightRole::valueBias)});
        if (m_shape.attentionOutBias)
            outBias = read(WeightRole::attentionOutBias);
        block.queryKeyValue =
            FrozenLinear(plans, at::cat({ofHeads(WeightRole::query), ofHeads(WeightRole::key), read(WeightRole::value)}), bias);
        block.attentionOut = FrozenLinear(plans, read(WeightRole::attentionOut), outBias);
        block.gateUp = FrozenLinear(plans, at::cat({read(WeightRole::gate), read(WeightRole::up)}));
        block.down = FrozenLinear(plans, read(WeightRole::down));
        w.blocks.push_back(std::move(block));
    }
    place();
}

Result<std::unique_ptr<LoraDecoder>> LoraDecoder::open(const ModelSource& source, const ComputeDevice& device, const LoraSettings& settings,
                                                       std::int64_t memoryBytes, const RunControl& control) {
    CAROUSEL_TRY(checkLora(settings));
    LoraSettings sorted = settings;
    std::sort(sorted.modules.begin(), sorted.modules.end());
    std::unique_ptr<LoraDecoder> decoder(new LoraDecoder(source.shape(), device, sorted, memoryBytes));
    return trained(device, "opening the language model for training", [&]() -> Result<std::unique_ptr<LoraDecoder>> {
        try {
            decoder->load(source, control);
        } catch (const ReadFailed& failed) {
            return fail(failed.error);
        }
        return std::move(decoder);
    });
}

std::vector<float> LoraDecoder::firstValues(std::uint64_t seed) const {
    std::vector<float> values(m_values, 0);
    for (std::size_t index = 0; index < m_weights->blocks.size(); ++index)
        for (const auto& group : m_weights->blocks[index].groups)
            for (const auto& module : group.modules) {
                RandomStream random(seed, "lora first values", index, static_cast<std::uint64_t>(module.module));
                const double bound = 1 / std::sqrt(static_cast<double>(group.inputs));
                for (std::size_t i = 0; i < static_cast<std::size_t>(m_settings.rank * group.inputs); ++i)
                    values[module.firstA + i] = static_cast<float>((2 * random.uniform() - 1) * bound);
            }
    return values;
}

std::vector<LoraMatrix> LoraDecoder::matrices(std::span<const float> values) const {
    std::vector<LoraMatrix> out;
    for (std::size_t index = 0; index < m_weights->blocks.size(); ++index)
        for (const auto& group : m_weights->blocks[index].groups)
            for (const auto& module : group.modules) {
                LoraMatrix matrix{static_cast<std::int64_t>(index), module.module, group.inputs, module.outputs, m_settings.rank, {}, {}};
                const auto a = values.subspan(module.firstA, static_cast<std::size_t>(matrix.rank * matrix.inputs));
                const auto b = values.subspan(module.firstB, static_cast<std::size_t>(matrix.rank * matrix.outputs));
                matrix.a.assign(a.begin(), a.end());
                matrix.b.assign(b.begin(), b.end());
                out.push_back(std::move(matrix));
            }
    return out;
}

Result<void> LoraDecoder::setValues(std::span<const float> values) {
    return trained(m_device, "setting the adapter's values", [&]() -> Result<void> {
        TORCH_CHECK(values.size() == m_values, values.size(), " values for an adapter of ", m_values);
        m_weights->values.copy_(at::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(m_values)}, at::kFloat));
        return {};
    });
}

Result<double> LoraDecoder::addGradient(std::span<const TrainingSequence> sequences, std::uint64_t seed, std::span<float> gradient,
                                        const RunControl& control) {
    return trained(m_device, "training", [&]() -> Result<double> {
        Weights& w = *m_weights;
        const c10::Device device(m_device.name);
        Piece piece = Piece::of(sequences, m_shape, device);
        if (piece.wanted.empty())
            return 0.0;
        piece.seed = seed;
        piece.dropout = true;
        const std::size_t blocks = w.blocks.size();
        const std::size_t keptBlocks = keptGraphs(piece, m_shape, m_memoryBytes), firstKept = blocks - std::min(blocks, keptBlocks);
        m_computedTwice = std::max(m_computedTwice, static_cast<std::int64_t>(firstKept));
        std::vector<at::Tensor> inputs, outputs(blocks);
        at::Tensor x = w.embedded(piece, device);
        for (std::size_t index = 0; index < blocks; ++index) {
            checkStop(control);
            inputs.push_back(x.detach().set_requires_grad(index > 0));
            const c10::AutoGradMode keep(index >= firstKept);
            outputs[index] = w.block(*this, index, inputs.back(), piece);
            x = outputs[index].detach();
            if (index < firstKept)
                outputs[index].reset();
        }
        double loss = 0;
        at::Tensor flow = w.lossGradient(*this, x, sequences, loss, control);
        w.gradient.zero_();
        for (std::size_t index = blocks; index-- > 0;) {
            checkStop(control);
            if (index < firstKept) {
                const c10::AutoGradMode keep(true);
                outputs[index] = w.block(*this, index, inputs[index], piece);
            }
            auto wanted = w.leaves(w.blocks[index]);
            if (index > 0)
                wanted.push_back(inputs[index]);
            auto gradients = torch::autograd::grad({outputs[index]}, wanted, {flow}, {}, false, true);
            if (index > 0) {
                flow = gradients.back();
                gradients.pop_back();
            }
            w.addTo(w.blocks[index], gradients);
            outputs[index].reset();
            inputs[index].reset();
        }
        const at::Tensor local = w.gradient.to(at::kCPU);
        const float* from = local.data_ptr<float>();
        for (std::size_t i = 0; i < m_values; ++i)
            gradient[i] += from[i];
        return loss;
    });
}

Result<Evaluated> LoraDecoder::evaluate(std::span<const TrainingSequence> sequences, std::span<const TokenId> asked,
                                        const RunControl& control) {
    return trained(m_device, "validating", [&]() -> Result<Evaluated> {
        Weights& w = *m_weights;
        const c10::Device device(m_device.name);
        const Piece piece = Piece::of(sequences, m_shape, device);
        Evaluated out{std::vector<double>(sequences.size(), 0), Matrix(sequences.size(), asked.size())};
        if (piece.wanted.empty())
            return out;
        at::Tensor x = w.embedded(piece, device);
        for (std::size_t index = 0; index < w.blocks.size(); ++index) {
            checkStop(control);
            x = w.block(*this, index, x, piece);
        }
        std::int64_t row = 0;
        for (std::size_t i = 0; i < sequences.size(); ++i)
            for (std::size_t t = 0; t < sequences[i].targets.size(); ++t, ++row) {
                const TrainingTarget& target = sequences[i].targets[t];
                const at::Tensor logits = w.logits(*this, x.narrow(0, row, 1)).to(at::kCPU);
                const float* values = logits.data_ptr<float>();
                out.losses[i] += target.weight * (at::logsumexp(logits.to(at::kDouble), {1}).item<double>() - values[target.token]);
                for (std::size_t a = 0; a < asked.size() && t == 0; ++a)
                    out.logits.row(i)[a] = values[asked[a]];
            }
        return out;
    });
}

Result<Matrix> LoraDecoder::allLogits(std::span<const TokenId> tokens, const RunControl& control) {
    return trained(m_device, "computing logits", [&]() -> Result<Matrix> {
        Weights& w = *m_weights;
        const c10::Device device(m_device.name);
        TrainingSequence sequence{{tokens.begin(), tokens.end()}, {}, 0};
        for (std::size_t row = 0; row < tokens.size(); ++row)
            sequence.targets.push_back({static_cast<std::int64_t>(row), 0, 1});
        const Piece piece = Piece::of(std::span(&sequence, 1), m_shape, device);
        at::Tensor x = w.embedded(piece, device);
        for (std::size_t index = 0; index < w.blocks.size(); ++index) {
            checkStop(control);
            x = w.block(*this, index, x, piece);
        }
        return toMatrix(w.logits(*this, x));
    });
}

} // namespace carousel
