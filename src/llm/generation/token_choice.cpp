// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/token_choice.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

namespace {

struct Weighted {
    double weight;
    TokenId id;
};
// For heaps: the heavier first, the lower id among equals.
bool comesLater(const Weighted& a, const Weighted& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.id > b.id;
}

} // namespace

TokenId chooseToken(std::span<const float> logits, const GenerateOptions& options, RandomStream& random, std::span<const TokenId> among) {
    const std::size_t count = among.empty() ? logits.size() : among.size();
    const auto idAt = [&](std::size_t i) { return among.empty() ? static_cast<TokenId>(i) : among[i]; };
    const auto logitAt = [&](std::size_t i) { return logits[static_cast<std::size_t>(idAt(i))]; };
    std::size_t best = 0;
    for (std::size_t i = 1; i < count; ++i)
        if (logitAt(i) > logitAt(best))
            best = i;
    if (!(options.temperature > 0))
        return idAt(best);

    std::vector<Weighted> left;
    left.reserve(count);
    for (std::size_t i = 0; i < count; ++i) // a token more than e^-700 behind has no weight
        if (const double weight = std::exp((static_cast<double>(logitAt(i)) - logitAt(best)) / options.temperature); weight > 0)
            left.push_back({weight, idAt(i)});
    std::make_heap(left.begin(), left.end(), comesLater);
    std::vector<Weighted> kept;
    const std::size_t most = options.topK > 0 ? std::min(left.size(), static_cast<std::size_t>(options.topK)) : left.size();
    const auto take = [&] {
        std::pop_heap(left.begin(), left.end(), comesLater);
        kept.push_back(left.back());
        left.pop_back();
        return kept.back().weight;
    };
    double all = 0, sum = 0;
    if (most < left.size()) { // topP counts within the topK
        while (kept.size() < most)
            all += take();
        std::size_t inside = 0;
        while (inside < kept.size() && (inside == 0 || sum < options.topP * all))
            sum += kept[inside++].weight;
        kept.resize(inside);
    } else {
        for (const Weighted& one : left)
            all += one.weight;
        while (!left.empty() && (kept.empty() || sum < options.topP * all))
            sum += take();
    }
    double rest = random.uniform() * sum;
    for (const Weighted& one : kept)
        if ((rest -= one.weight) < 0)
            return one.id;
    return kept.back().id;
}

void penaliseRepetition(std::span<float> logits, std::span<const TokenId> earlier, double penalty) {
    if (penalty == 1)
        return;
    for (const TokenId id : std::set<TokenId>(earlier.begin(), earlier.end())) {
        float& logit = logits[static_cast<std::size_t>(id)];
        logit = static_cast<float>(logit > 0 ? logit / penalty : logit * penalty);
    }
}

double logSumExp(std::span<const float> x) {
    const float largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float value : x)
        sum += std::exp(value - largest);
    return largest + std::log(sum);
}

} // namespace carousel
