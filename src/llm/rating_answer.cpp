// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/rating_answer.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>

namespace carousel {

std::vector<std::string> ratingDigits() {
    std::vector<std::string> out;
    for (int r = 1; r <= ratingPoints; ++r)
        out.push_back(std::to_string(r));
    return out;
}

ExpectedRating expectedRating(std::span<const float> logits) {
    ExpectedRating out;
    const double top = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits)
        sum += out.shares.emplace_back(std::exp(static_cast<double>(logit) - top));
    for (std::size_t r = 0; r < out.shares.size(); ++r)
        out.value += static_cast<double>(r + 1) * (out.shares[r] /= sum);
    return out;
}

std::optional<int> writtenRating(const Generated& answer) {
    auto text = trimmed(answer.text);
    if (text.size() == 2 && text.back() == '.')
        text.remove_suffix(1);
    if (answer.reachedLimit || text.size() != 1 || text[0] < '1' || text[0] > '0' + ratingPoints)
        return {};
    return text[0] - '0';
}

} // namespace carousel
