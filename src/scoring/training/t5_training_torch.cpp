// SPDX-License-Identifier: GPL-3.0-or-later
// Weights are views of one array, and so are their gradients, which the backward pass adds up in place: nothing is gathered afterwards.
#include "scoring/training/t5_training_torch.h"
#include "base/parallel.h"
#include "base/random.h"
#include "compute/blas_threads_torch.h"
#include "compute/guard_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include "scoring/training/training_scope_torch.h"
#include <algorithm>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/nll_loss.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>
#include <optional>
#include <torch/csrc/autograd/autograd.h>

namespace carousel {

T5Batch T5Batch::of(const TokenPairs& pairs, std::span<const std::size_t> which, TokenId start, const c10::Device& device) {
    std::size_t sourceLength = 0, targetLength = 0;
    for (const std::size_t pair : which) {
        sourceLength = std::max(sourceLength, pairs.sources[pair].size());
        targetLength = std::max(targetLength, pairs.targets[pair].size());
    }
    const auto count = static_cast<std::int64_t>(which.size());
    T5Batch batch;
    batch.sources = at::zeros({count, static_cast<std::int64_t>(sourceLength)}, at::kLong);
    batch.mask = at::zeros(batch.sources.sizes(), at::kBool);
    batch.inputs = at::zeros({count, static_cast<std::int64_t>(targetLength)}, at::kLong);
    std::vector<std::int64_t> rows, targets;
    batch.first.push_back(0);
    for (std::size_t i = 0; i < which.size(); ++i) {
        const auto& source = pairs.sources[which[i]];
        const auto& target = pairs.targets[which[i]];
        std::copy(source.begin(), source.end(), batch.sources.data_ptr<std::int64_t>() + i * sourceLength);
        std::fill_n(batch.mask.data_ptr<bool>() + i * sourceLength, source.size(), true);
        std::int64_t* const input = batch.inputs.data_ptr<std::int64_t>() + i * targetLength;
        input[0] = start;
        std::copy(target.begin(), target.end() - 1, input + 1);
        for (std::size_t t = 0; t < target.size(); ++t) {
            rows.push_back(static_cast<std::int64_t>(i * targetLength + t));
            targets.push_back(target[t]);
        }
        batch.first.push_back(static_cast<std::int64_t>(targets.size()));
    }
    batch.rows = at::tensor(rows, at::kLong).to(device);
    batch.targets = at::tensor(targets, at::kLong).to(device);
    batch.sources = batch.sources.to(device);
    batch.mask = batch.mask.to(device);
    batch.inputs = batch.inputs.to(device);
    return batch;
}

at::Tensor t5TokenLosses(const T5Network& network, const T5Batch& batch, const T5Dropout& dropout) {
    T5Memory memory = network.remember(network.encode(batch.sources, batch.mask, dropout), batch.mask);
    const at::Tensor states = network.decode(batch.inputs, memory, dropout);
    const at::Tensor wanted = states.reshape({-1, states.size(2)}).index_select(0, batch.rows);
    return at::nll_loss(at::log_softmax(network.logits(wanted), 1), batch.targets, {}, at::Reduction::None);
}

DropoutSource::DropoutSource(double share, std::uint64_t seed, std::int64_t step, std::size_t piece, const c10::Device& device)
    : m_below(static_cast<std::uint16_t>(std::lround(share * 65536))), m_scale(static_cast<float>(65536 / (65536.0 - m_below))),
      m_seed(seed), m_step(static_cast<std::uint64_t>(step)), m_place(static_cast<std::uint64_t>(piece) << 16), m_device(device) {}

at::Tensor DropoutSource::operator()(at::IntArrayRef sizes) {
    const std::uint64_t place = m_place++;
    at::Tensor out = at::empty(sizes, at::kFloat);
    float* const values = out.data_ptr<float>();
    constexpr std::int64_t block = 1 << 12;
    std::array<std::uint64_t, block / 4> drawn;
    std::array<std::uint16_t, block> lanes;
    RandomStream random(m_seed, "t5 dropout", m_step, place);
    for (std::int64_t begin = 0; begin < out.numel(); begin += block) {
        const std::int64_t here = std::min(block, out.numel() - begin);
        for (std::int64_t i = 0; i < (here + 3) / 4; ++i)
            drawn[static_cast<std::size_t>(i)] = random.next64();
        std::memcpy(lanes.data(), drawn.data(), sizeof lanes);
        float* const to = values + begin;
        for (std::int64_t i = 0; i < here; ++i)
            to[i] = lanes[static_cast<std::size_t>(i)] < m_below ? 0 : m_scale;
    }
    return out.to(m_device);
}

struct T5Training::State {
    ComputeDevice device;
    c10::Device place{c10::kCPU};
    std::vector<T5Tensor> tensors;     // as in the file
    std::vector<std::size_t> firsts;   // of each tensor in the values
    std::size_t count = 0, decayed = 0;
    at::Tensor values;
    struct Replica { // the same values, a gradient of its own
        at::Tensor gradient;
        std::unique_ptr<T5Network> network;
    };
    std::vector<Replica> replicas; // one for each piece
    const T5Network& network() const { return *replicas.front().network; }

    static std::int64_t sizeOf(const T5Tensor& tensor) {
        std::int64_t size = 1;
        for (const std::int64_t dim : tensor.dims)
            size *= dim;
        return size;
    }
};

T5Training::T5Training(std::unique_ptr<State> state) : m_state(std::move(state)) {}
T5Training::~T5Training() = default;
std::size_t T5Training::valueCount() const {
    return m_state->count;
}
std::size_t T5Training::decayed() const {
    return m_state->decayed;
}

Result<std::unique_ptr<T5Training>> T5Training::make(const T5Shape& shape, const std::vector<std::uint8_t>& wordBeginnings,
                                                     const ComputeDevice& device, std::int64_t batchTokens) {
    return trained(device, "preparing the encoder-decoder", [&]() -> Result<std::unique_ptr<T5Training>> {
        auto state = std::make_unique<State>();
        state->device = device;
        state->place = c10::Device(device.name);
        state->tensors = t5Tensors(shape);
        state->firsts.resize(state->tensors.size());
        for (const bool norms : {false, true}) {
            for (std::size_t i = 0; i < state->tensors.size(); ++i)
                if (state->tensors[i].name.ends_with("norm.weight") == norms) {
                    state->firsts[i] = state->count;
                    state->count += static_cast<std::size_t>(State::sizeOf(state->tensors[i]));
                }
            if (!norms)
                state->decayed = state->count;
        }
        state->values = at::zeros({static_cast<std::int64_t>(state->count)}, at::TensorOptions(at::kFloat).device(state->place));
        const std::int64_t pieces = state->place.is_cpu() ? std::clamp<std::int64_t>(batchTokens / 512, 1, 64) : 1;
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
            State::Replica replica;
            replica.gradient = at::zeros_like(state->values);
            NamedTensors weights;
            for (std::size_t i = 0; i < state->tensors.size(); ++i) {
                const T5Tensor& tensor = state->tensors[i];
                const auto part = [&](const at::Tensor& all) {
                    return all.narrow(0, static_cast<std::int64_t>(state->firsts[i]), State::sizeOf(tensor)).view(tensor.dims).detach();
                };
                at::Tensor leaf = part(state->values).set_requires_grad(true);
                leaf.mutable_grad() = part(replica.gradient);
                weights.emplace(tensor.name, std::move(leaf));
            }
            replica.network = std::make_unique<T5Network>(shape, std::move(weights), wordBeginnings);
            state->replicas.push_back(std::move(replica));
        }
        return std::unique_ptr<T5Training>(new T5Training(std::move(state)));
    });
}

std::vector<std::size_t> T5Training::ends() const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < m_state->tensors.size(); ++i)
        out.push_back(m_state->firsts[i] + static_cast<std::size_t>(State::sizeOf(m_state->tensors[i])));
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<float> T5Training::firstValues(std::uint64_t seed) const {
    std::vector<float> values(m_state->count);
    const NamedTensors random = T5Network::randomWeights(m_state->network().shape(), seed);
    for (std::size_t i = 0; i < m_state->tensors.size(); ++i) {
        const at::Tensor& tensor = random.at(m_state->tensors[i].name);
        std::copy_n(tensor.data_ptr<float>(), tensor.numel(), values.data() + m_state->firsts[i]);
    }
    return values;
}

std::vector<float> T5Training::inFileOrder(std::span<const float> values) const {
    std::vector<float> out;
    out.reserve(values.size());
    for (std::size_t i = 0; i < m_state->tensors.size(); ++i) {
        const auto part = values.subspan(m_state->firsts[i], static_cast<std::size_t>(State::sizeOf(m_state->tensors[i])));
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

Result<void> T5Training::setValues(std::span<const float> values) {
    return trained(m_state->device, "setting the weights", [&]() -> Result<void> {
        TORCH_CHECK(values.size() == m_state->count, values.size(), " values for a model of ", m_state->count);
        m_state->values.copy_(at::from_blob(const_cast<float*>(values.data()), m_state->values.sizes(), at::kFloat));
        return {};
    });
}

// Calls body for each piece of the pairs, a piece on one thread; the first error by the order of the pieces is returned.
Result<void> T5Training::inPieces(std::span<const std::size_t> which,
                                  const std::function<Result<void>(std::size_t, std::span<const std::size_t>)>& body) {
    const std::size_t count = which.size(), pieces = std::min(m_state->replicas.size(), count);
    ComputeDevice alone = m_state->device;
    if (m_state->place.is_cpu())
        alone.threads = 1;
    std::vector<std::optional<Error>> errors(pieces);
    std::atomic<std::size_t> next = 0;
    const auto work = [&](std::size_t, std::size_t) {
        for (std::size_t piece; (piece = next++) < pieces;) {
            const std::size_t begin = count * piece / pieces, end = count * (piece + 1) / pieces;
            const auto done = trained(alone, "training", [&] { return body(piece, which.subspan(begin, end - begin)); });
            if (!done)
                errors[piece] = done.error();
        }
    };
    const OneBlasThread one(m_state->place.is_cpu());
    parallelFor(std::min(static_cast<std::size_t>(std::max(1, m_state->device.threads)), pieces), 1, work);
    for (auto& error : errors)
        if (error)
            return fail(std::move(*error));
    return {};
}

Result<double> T5Training::lossGradient(const TokenPairs& pairs, std::span<const std::size_t> which, double dropout, std::uint64_t seed,
                                        std::int64_t step, std::span<float> gradient, const RunControl& control) {
    State& s = *m_state;
    double weight = 0;
    for (const std::size_t pair : which)
        weight += pairs.weights[pair];
    std::vector<double> losses(s.replicas.size(), 0);
    CAROUSEL_TRY(inPieces(which, [&](std::size_t piece, std::span<const std::size_t> part) -> Result<void> {
        checkStop(control);
        State::Replica& replica = s.replicas[piece];
        const T5Batch batch = T5Batch::of(pairs, part, s.network().shape().start, s.place);
        std::vector<float> weights;
        for (const std::size_t pair : part)
            weights.insert(weights.end(), pairs.targets[pair].size(),
                           static_cast<float>(pairs.weights[pair] / weight / static_cast<double>(pairs.targets[pair].size())));
        const at::Tensor tokenWeights = at::tensor(weights).to(s.place);
        DropoutSource source(dropout, seed, step, piece, s.place);
        T5Dropout left;
        if (dropout > 0)
            left = [&](at::IntArrayRef sizes) {
                checkStop(control);
                return source(sizes);
            };
        replica.gradient.zero_();
        at::Tensor loss;
        {
            const c10::AutoGradMode keep(true);
            loss = (t5TokenLosses(*replica.network, batch, left) * tokenWeights).sum();
        }
        checkStop(control);
        torch::autograd::backward({loss}, {});
        losses[piece] = loss.item<double>();
        return {};
    }));
    return trained(s.device, "training", [&]() -> Result<double> {
        for (std::size_t piece = 1; piece < std::min(s.replicas.size(), which.size()); ++piece)
            s.replicas.front().gradient.add_(s.replicas[piece].gradient);
        const at::Tensor local = s.replicas.front().gradient.to(at::kCPU);
        std::copy_n(local.data_ptr<float>(), s.count, gradient.data());
        return std::accumulate(losses.begin(), losses.end(), 0.0);
    });
}

Result<std::vector<double>> T5Training::losses(const TokenPairs& pairs, std::span<const std::size_t> which, const RunControl& control) {
    std::vector<double> out(which.size());
    CAROUSEL_TRY(inPieces(which, [&](std::size_t piece, std::span<const std::size_t> part) -> Result<void> {
        checkStop(control);
        const T5Batch batch = T5Batch::of(pairs, part, m_state->network().shape().start, m_state->place);
        const at::Tensor all = t5TokenLosses(*m_state->replicas[piece].network, batch).to(at::kCPU, at::kDouble);
        const auto begin = static_cast<std::size_t>(part.data() - which.data());
        for (std::size_t i = 0; i < part.size(); ++i)
            out[begin + i] = all.narrow(0, batch.first[i], batch.first[i + 1] - batch.first[i]).mean().item<double>();
        return {};
    }));
    return out;
}

} // namespace carousel
