// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/area_under_roc.h"
#include <algorithm>
#include <numeric>

namespace carousel {

std::vector<std::size_t> ascendingOrder(std::span<const double> scores) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    return order;
}

double areaUnderRoc(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::uint8_t> weights) {
    const auto order = ascendingOrder(scores);
    return areaUnderRoc(scores, positive, order,
                        [&](std::size_t row) { return weights.empty() ? 1.0 : static_cast<double>(weights[row]); });
}

} // namespace carousel
