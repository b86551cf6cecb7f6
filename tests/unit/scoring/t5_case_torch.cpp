// SPDX-License-Identifier: GPL-3.0-or-later
#include "unit/scoring/t5_case_torch.h"
#include "base/random.h"
#include "scoring/training/t5_training_torch.h"
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace carousel {

namespace {

T5Shape tinyShape(bool gated) {
    T5Shape shape;
    shape.blocks = shape.decoderBlocks = 1;
    shape.width = 24;
    shape.feedForward = 32;
    shape.heads = 2;
    shape.headSize = 12;
    shape.vocabulary = 10;
    shape.buckets = 8;
    shape.farthest = 16;
    shape.gated = gated;
    shape.ownHead = gated;
    shape.scaledHead = !gated;
    return shape;
}
struct Lesson {
    at::Tensor source, mask, input, target;
};
Lesson lesson(std::uint64_t seed, std::uint64_t step) {
    constexpr std::int64_t texts = 24, length = 4;
    RandomStream random(seed, "lesson", step);
    std::vector<std::int64_t> source, input, target;
    for (std::int64_t i = 0; i < texts; ++i) {
        std::vector<std::int64_t> text;
        for (std::int64_t t = 0; t < length; ++t)
            text.push_back(2 + static_cast<std::int64_t>(random.below(8)));
        source.insert(source.end(), text.begin(), text.end());
        source.push_back(1);
        std::reverse(text.begin(), text.end());
        input.push_back(0);
        input.insert(input.end(), text.begin(), text.end());
        target.insert(target.end(), text.begin(), text.end());
        target.push_back(1);
    }
    const auto shaped = [&](const std::vector<std::int64_t>& ids) { return at::tensor(ids, at::kLong).view({texts, length + 1}); };
    const at::Tensor ids = shaped(source);
    return {ids, at::ones_like(ids, at::TensorOptions(at::kBool)), shaped(input), shaped(target)};
}
at::Tensor lossOf(const T5Network& network, const Lesson& data) {
    T5Memory memory = network.remember(network.encode(data.source, data.mask), data.mask);
    const at::Tensor logs = at::log_softmax(network.logits(network.decode(data.input, memory)), -1);
    return -logs.gather(2, data.target.unsqueeze(2)).mean();
}

} // namespace

std::vector<double> t5LossesWhileLearning(int steps, bool gated, std::uint64_t seed) {
    at::set_num_threads(1); // products this small only wait for each other
    const T5Shape shape = tinyShape(gated);
    T5Network network(shape, T5Network::randomWeights(shape, seed));
    std::map<std::string, std::pair<at::Tensor, at::Tensor>> moments;
    for (auto& [name, weight] : network.weights()) {
        weight.set_requires_grad(true);
        moments.emplace(name, std::pair(at::zeros_like(weight), at::zeros_like(weight)));
    }
    std::vector<double> losses;
    for (int step = 1; step <= steps; ++step) {
        const at::Tensor loss = lossOf(network, lesson(seed, static_cast<std::uint64_t>(step)));
        losses.push_back(loss.item<double>());
        loss.backward();
        for (auto& [name, weight] : network.weights()) {
            at::Tensor value = weight.detach(); // shares the values
            const at::Tensor gradient = weight.grad();
            auto& [first, second] = moments.at(name);
            first.mul_(0.9).add_(gradient, 0.1);
            second.mul_(0.98).addcmul_(gradient, gradient, 0.02);
            value.sub_(first / (1 - std::pow(0.9, step)) / ((second / (1 - std::pow(0.98, step))).sqrt() + 1e-8) * 0.01);
            weight.mutable_grad().zero_();
        }
    }
    return losses;
}

double t5GradientError(bool gated) {
    at::set_num_threads(1);
    T5Shape shape = tinyShape(gated);
    shape.wordPlaces = 5; // fewer than words of the longest source
    NamedTensors weights = T5Network::randomWeights(shape, 5);
    for (auto& [name, weight] : weights)
        weight = weight.to(at::kDouble).set_requires_grad(true);
    T5Network network(shape, std::move(weights), {0, 0, 0, 1, 0, 1, 1, 0, 1, 1});
    TokenPairs pairs;
    pairs.sources = {{3, 4, 5, 2, 1}, {7, 1}, {3, 5, 6, 8, 9, 9, 2, 4, 3, 1}, {2, 9, 1}};
    pairs.targets = {{6, 1}, {3, 4, 7, 1}, {8, 2, 1}, {5}};
    const std::vector<std::size_t> which{2, 0, 3, 1};
    const T5Batch batch = T5Batch::of(pairs, which, 0, c10::Device(c10::kCPU));
    const at::Tensor tokenWeights = at::arange(1, batch.targets.numel() + 1, at::kDouble);
    const auto loss = [&] {
        DropoutSource source(0.2, 9, 4, 1, c10::Device(c10::kCPU)); // the same factors each time
        const T5Dropout dropout = [&](at::IntArrayRef sizes) { return source(sizes).to(at::kDouble); };
        return (t5TokenLosses(network, batch, dropout) * tokenWeights).sum();
    };
    loss().backward();
    double worst = 0;
    RandomStream random(5, "places");
    for (auto& [name, weight] : network.weights()) {
        at::Tensor value = weight.detach();
        for (int i = 0; i < 6; ++i) {
            double& at = value.data_ptr<double>()[random.below(static_cast<std::uint64_t>(value.numel()))];
            const std::int64_t place = &at - value.data_ptr<double>();
            const double before = at, step = 1e-5;
            at = before + step;
            const double above = loss().item<double>();
            at = before - step;
            const double below = loss().item<double>();
            at = before;
            const double expected = (above - below) / (2 * step), found = weight.grad().data_ptr<double>()[place];
            worst = std::max(worst, std::fabs(found - expected) / std::max(1e-3, std::fabs(expected)));
        }
    }
    // Rows of places in the text have a gradient, the last one from all words beyond it.
    const at::Tensor rows = network.weights().at(wordPlacesTensor).grad().abs().sum(1);
    return rows.min().item<double>() > 0 ? worst : std::numeric_limits<double>::infinity();
}

} // namespace carousel
