// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/t5_encoder_decoder_torch.h"
#include "base/parallel.h"
#include "compute/blas_threads_torch.h"
#include "compute/guard_torch.h"
#include "scoring/t5_network_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>

namespace carousel {

struct T5EncoderDecoder::Model {
    T5Network network;
    ComputeDevice device;
    c10::Device place{c10::kCPU};

    // Products of a small model only wait for each other when threads share them (measured on two busy cores: an answer with 10 beams in 184
    // ms so, in 26 with one thread). Its groups of texts are shared out instead.
    bool small() const { return place.is_cpu() && network.shape().width <= 256; }
    template <class Body> auto run(const std::string& what, Body&& body) const -> decltype(body()) {
        const OneBlasThread one(small());
        ComputeDevice here = device;
        if (small())
            here.threads = 1;
        return guarded(here, what, body);
    }

    struct Padded {
        at::Tensor ids, mask;
    };
    Padded padded(std::span<const std::vector<TokenId>> texts, std::span<const std::size_t> which) const {
        std::size_t longest = 0;
        for (const std::size_t i : which)
            longest = std::max(longest, texts[i].size());
        at::Tensor ids = at::zeros({static_cast<std::int64_t>(which.size()), static_cast<std::int64_t>(longest)}, at::kLong);
        at::Tensor mask = at::zeros(ids.sizes(), at::kBool);
        for (std::size_t row = 0; row < which.size(); ++row) {
            const auto& text = texts[which[row]];
            TORCH_CHECK(!text.empty(), "a text without tokens");
            for (std::size_t i = 0; i < text.size(); ++i) {
                ids.data_ptr<std::int64_t>()[row * longest + i] = checked(text[i]);
                mask.data_ptr<bool>()[row * longest + i] = true;
            }
        }
        return {ids.to(place), mask.to(place)};
    }
    std::int64_t checked(TokenId token) const {
        TORCH_CHECK(token >= 0 && token < network.shape().vocabulary, "token id ", token, " is outside the vocabulary of ",
                    network.shape().vocabulary);
        return token;
    }
    at::Tensor row(std::span<const TokenId> before, std::span<const TokenId> tokens) const {
        std::vector<std::int64_t> ids{network.shape().start};
        for (const TokenId token : before)
            ids.push_back(checked(token));
        for (const TokenId token : tokens)
            ids.push_back(checked(token));
        return at::tensor(ids, at::kLong).unsqueeze(0).to(place);
    }
    T5Memory remember(const std::vector<TokenId>& source) const {
        const std::size_t only = 0;
        const Padded batch = padded(std::span(&source, 1), std::span(&only, 1));
        return network.remember(network.encode(batch.ids, batch.mask), batch.mask);
    }
    // Groups of texts of similar length; calls visit(which, batch), of a small model from several threads.
    template <class Visit> void inGroups(std::span<const std::vector<TokenId>> texts, const RunControl& control, Visit&& visit) const {
        constexpr std::size_t tokensAtOnce = 1024;
        std::vector<std::size_t> order(texts.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return texts[a].size() < texts[b].size(); });
        std::vector<std::span<const std::size_t>> groups;
        for (std::size_t begin = 0; begin < order.size();) {
            std::size_t end = begin + 1;
            while (end < order.size() && texts[order[end]].size() * (end + 1 - begin) <= tokensAtOnce)
                ++end;
            groups.push_back(std::span(order).subspan(begin, end - begin));
            begin = end;
        }
        std::atomic<std::size_t> next = 0, done = 0;
        std::vector<std::optional<Error>> errors(groups.size());
        const auto work = [&](std::size_t, std::size_t) {
            for (std::size_t group; (group = next++) < groups.size();) {
                const auto visited = run("reading texts", [&]() -> Result<void> {
                    checkStop(control);
                    visit(groups[group], padded(texts, groups[group]));
                    return {};
                });
                if (!visited)
                    errors[group] = visited.error();
                control.report("Reading texts", static_cast<double>(done += groups[group].size()), static_cast<double>(order.size()), "texts");
            }
        };
        parallelFor(small() ? static_cast<std::size_t>(std::max(1, device.threads)) : 1, 1, work);
        for (auto& error : errors)
            if (error)
                throw Refused{std::move(*error)};
    }
};

T5EncoderDecoder::T5EncoderDecoder(std::unique_ptr<Model> model) : m_model(std::move(model)) {}
T5EncoderDecoder::~T5EncoderDecoder() = default;
const T5Shape& T5EncoderDecoder::shape() const {
    return m_model->network.shape();
}
std::int64_t T5EncoderDecoder::memoryBytes() const {
    return shape().parameters * static_cast<std::int64_t>(sizeof(float));
}

Result<std::unique_ptr<T5EncoderDecoder>> T5EncoderDecoder::open(const TensorStore& file, const std::string& configFile,
                                                                 const ComputeDevice& device, const RunControl& control,
                                                                 const std::vector<std::uint8_t>& wordBeginnings) {
    CAROUSEL_ASSIGN(const T5Shape shape, t5Shape(file, configFile));
    if (shape.wordPlaces > 0 && wordBeginnings.size() != static_cast<std::size_t>(shape.vocabulary))
        return fail(ErrorKind::input, "CL-2170",
                    fmt::format("{}: the model counts words, and its tokenizer tells of {} of {} tokens whether they begin one", configFile,
                                wordBeginnings.size(), shape.vocabulary),
                    "open the model with the tokenizer of its folder");
    return guarded(device, "opening the encoder-decoder", [&]() -> Result<std::unique_ptr<T5EncoderDecoder>> {
        try {
            NamedTensors weights;
            const c10::Device place(device.name);
            for (const T5Tensor& tensor : t5Tensors(shape)) {
                checkStop(control);
                weights.emplace(tensor.name, readTensor(file, tensor.name).to(place));
            }
            auto model = std::make_unique<Model>(Model{T5Network(shape, std::move(weights), wordBeginnings), device, place});
            return std::unique_ptr<T5EncoderDecoder>(new T5EncoderDecoder(std::move(model)));
        } catch (const ReadFailed& failed) {
            return fail(failed.error);
        }
    });
}

Result<T5EncoderDecoder::States> T5EncoderDecoder::encode(std::span<const std::vector<TokenId>> sources, const RunControl& control) {
    return m_model->run("encoding texts", [&]() -> Result<States> {
        const auto width = static_cast<std::size_t>(shape().width);
        States out;
        out.first.push_back(0);
        for (const auto& source : sources)
            out.first.push_back(out.first.back() + source.size());
        out.rows = Matrix(out.first.back(), width);
        m_model->inGroups(sources, control, [&](std::span<const std::size_t> which, const Model::Padded& batch) {
            const at::Tensor states = m_model->network.encode(batch.ids, batch.mask).to(at::kCPU, at::kFloat).contiguous();
            for (std::size_t row = 0; row < which.size(); ++row)
                std::memcpy(out.rows.row(out.first[which[row]]).data(),
                            states.data_ptr<float>() + static_cast<std::int64_t>(row) * states.stride(0),
                            sources[which[row]].size() * width * sizeof(float));
        });
        return out;
    });
}

Result<T5EncoderDecoder::FirstTokens> T5EncoderDecoder::firstTokens(std::span<const std::vector<TokenId>> sources,
                                                                    std::span<const TokenId> tokens, const RunControl& control) {
    return m_model->run("scoring candidates", [&]() -> Result<FirstTokens> {
        FirstTokens out{Matrix(sources.size(), static_cast<std::size_t>(shape().width)), Matrix(sources.size(), tokens.size()),
                        std::vector<double>(sources.size())};
        for (const TokenId token : tokens)
            m_model->checked(token);
        m_model->inGroups(sources, control, [&](std::span<const std::size_t> which, const Model::Padded& batch) {
            const T5Network& network = m_model->network;
            T5Memory memory = network.remember(network.encode(batch.ids, batch.mask), batch.mask);
            const at::Tensor start = at::full({batch.ids.size(0), 1}, static_cast<std::int64_t>(shape().start),
                                              at::TensorOptions(at::kLong).device(m_model->place));
            const at::Tensor states = network.decode(start, memory).select(1, 0), logits = network.logits(states);
            const Matrix rows = toMatrix(states), all = toMatrix(logits);
            const Matrix sums = toMatrix(at::logsumexp(logits, {1}).unsqueeze(1));
            for (std::size_t row = 0; row < which.size(); ++row) {
                std::copy(rows.row(row).begin(), rows.row(row).end(), out.states.row(which[row]).begin());
                for (std::size_t i = 0; i < tokens.size(); ++i)
                    out.logits.row(which[row])[i] = all.row(row)[static_cast<std::size_t>(tokens[i])];
                out.logSumExp[which[row]] = sums.row(row)[0];
            }
        });
        return out;
    });
}

Result<std::vector<double>> T5EncoderDecoder::logProbability(const std::vector<TokenId>& source, std::span<const TokenId> prefix,
                                                             std::span<const std::vector<TokenId>> targets, const RunControl& control) {
    return m_model->run("scoring continuations", [&]() -> Result<std::vector<double>> {
        std::vector<double> out(targets.size(), 0.0);
        const T5Network& network = m_model->network;
        const T5Memory once = m_model->remember(source);
        std::vector<std::vector<TokenId>> inputs; // the state after a token predicts the next one, so the last one is not read
        for (const auto& target : targets) {
            inputs.emplace_back(1, shape().start);
            inputs.back().insert(inputs.back().end(), prefix.begin(), prefix.end());
            if (!target.empty())
                inputs.back().insert(inputs.back().end(), target.begin(), target.end() - 1);
        }
        m_model->inGroups(inputs, control, [&](std::span<const std::size_t> which, const Model::Padded& batch) {
            T5Memory memory = once.select(at::zeros({batch.ids.size(0)}, at::TensorOptions(at::kLong).device(m_model->place)));
            // Padding stands behind every target and no token sees what follows it.
            const at::Tensor states = network.decode(batch.ids, memory);
            for (std::size_t row = 0; row < which.size(); ++row) {
                const auto& target = targets[which[row]];
                if (target.empty())
                    continue;
                const at::Tensor logits =
                    network.logits(states.select(0, static_cast<std::int64_t>(row))
                                       .narrow(0, static_cast<std::int64_t>(prefix.size()), static_cast<std::int64_t>(target.size())));
                const Matrix logs = toMatrix(at::log_softmax(logits, 1));
                for (std::size_t i = 0; i < target.size(); ++i)
                    out[which[row]] += logs.row(i)[static_cast<std::size_t>(m_model->checked(target[i]))];
            }
        });
        return out;
    });
}

Result<Matrix> T5EncoderDecoder::targetLogits(const std::vector<TokenId>& source, std::span<const TokenId> target,
                                              const RunControl& control) {
    return m_model->run("computing logits", [&]() -> Result<Matrix> {
        checkStop(control);
        T5Memory memory = m_model->remember(source);
        return toMatrix(m_model->network.logits(m_model->network.decode(m_model->row({}, target), memory).select(0, 0)));
    });
}

Result<NextLogits> T5EncoderDecoder::answers(const std::vector<TokenId>& source, std::vector<TokenId> prefix, const RunControl& control) {
    struct Running {
        T5Memory once;   // the source, nothing of an answer
        T5Memory memory; // of the answers of the last call
        std::vector<std::vector<TokenId>> answers;
    };
    auto running = std::make_shared<Running>();
    CAROUSEL_TRY(m_model->run("encoding the question", [&]() -> Result<void> {
        checkStop(control);
        running->once = m_model->remember(source);
        return {};
    }));
    return NextLogits([this, running, prefix = std::move(prefix)](std::span<const std::vector<TokenId>> asked, const RunControl& stop) {
        return m_model->run("writing an answer", [&]() -> Result<Matrix> {
            checkStop(stop);
            const T5Network& network = m_model->network;
            // Each answer goes on from one of the last call; if not all do, all are computed afresh.
            std::vector<std::int64_t> parents;
            for (const auto& answer : asked) {
                const auto parent = std::find_if(running->answers.begin(), running->answers.end(), [&](const std::vector<TokenId>& known) {
                    return known.size() + 1 == answer.size() && std::equal(known.begin(), known.end(), answer.begin());
                });
                if (parent != running->answers.end())
                    parents.push_back(parent - running->answers.begin());
            }
            std::vector<at::Tensor> rows;
            if (parents.size() == asked.size()) {
                running->memory = running->memory.select(at::tensor(parents, at::kLong).to(m_model->place));
                std::vector<std::int64_t> last;
                for (const auto& answer : asked)
                    last.push_back(m_model->checked(answer.back()));
                rows.push_back(at::tensor(last, at::kLong).unsqueeze(1).to(m_model->place));
            } else {
                running->memory = running->once.select(
                    at::zeros({static_cast<std::int64_t>(asked.size())}, at::TensorOptions(at::kLong).device(m_model->place)));
                for (const auto& answer : asked) {
                    TORCH_CHECK(answer.size() == asked.front().size(), "answers of different lengths in one step");
                    rows.push_back(m_model->row(prefix, answer));
                }
            }
            running->answers.clear(); // known again once the step has been computed
            const at::Tensor states = network.decode(at::cat(rows), running->memory);
            running->answers.assign(asked.begin(), asked.end());
            return toMatrix(network.logits(states.select(1, states.size(1) - 1)));
        });
    });
}

std::vector<std::int64_t> t5Buckets(std::int64_t first, std::int64_t last, bool bothWays, std::int64_t buckets, std::int64_t farthest) {
    const at::Tensor found =
        relativeBuckets(at::arange(first, last + 1, at::TensorOptions(at::kLong)), bothWays, buckets, farthest).contiguous();
    return {found.data_ptr<std::int64_t>(), found.data_ptr<std::int64_t>() + found.numel()};
}

} // namespace carousel
