// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/token_choice.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel {

TokenId chooseToken(std::span<const float> logits, const GenerateOptions& options, RandomStream& random) {
    const auto best = std::max_element(logits.begin(), logits.end());
    if (!(options.temperature > 0))
        return static_cast<TokenId>(best - logits.begin());
    std::vector<double> weights(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i)
        weights[i] = std::exp((static_cast<double>(logits[i]) - *best) / options.temperature);
    std::vector<std::size_t> order(logits.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
    const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
    double kept = 0;
    std::size_t count = 0;
    while (count < order.size() && (count == 0 || kept < options.topP * all))
        kept += weights[order[count++]];
    double left = random.uniform() * kept;
    for (std::size_t i = 0; i < count; ++i)
        if ((left -= weights[order[i]]) < 0)
            return static_cast<TokenId>(order[i]);
    return static_cast<TokenId>(order[count - 1]);
}

std::size_t firstStop(const std::string& text, const std::vector<std::string>& stops) {
    std::size_t first = std::string::npos;
    for (const std::string& stop : stops)
        if (!stop.empty())
            first = std::min(first, text.find(stop));
    return first;
}

} // namespace carousel
