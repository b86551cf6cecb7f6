// SPDX-License-Identifier: GPL-3.0-or-later
// nDCG as other toolkits compute it: they differ in gain (binary, linear, exponential) and in the discount of the first ranks.
#include "evaluation/metrics/ranking.h"
#include <algorithm>
#include <cmath>
#include <functional>

namespace carousel {

namespace {
double gainOf(double rating, NdcgPreset preset) {
    if (!(rating > 0))
        return 0;
    switch (preset) {
    case NdcgPreset::binaryLog2:
    case NdcgPreset::lensKit:
        return 1;
    case NdcgPreset::lensKitRating:
    case NdcgPreset::linear:
        return rating;
    case NdcgPreset::burges:
        return std::exp2(rating) - 1;
    case NdcgPreset::elliotThreshold4:
        return rating >= 4 ? std::exp2(rating - 3) - 1 : 0;
    }
    return 0;
}
double discountOf(int rank, NdcgPreset preset) {
    const bool flatStart = preset == NdcgPreset::lensKit || preset == NdcgPreset::lensKitRating;
    return 1 / std::log2(flatStart ? std::max(rank, 2) : rank + 1);
}
double dcg(std::span<const double> gains, int k, NdcgPreset preset) {
    double sum = 0;
    for (int r = 1; r <= k && static_cast<std::size_t>(r) <= gains.size(); ++r)
        sum += gains[static_cast<std::size_t>(r) - 1] * discountOf(r, preset);
    return sum;
}
} // namespace

double ndcgAt(std::span<const float> gainsInOrder, std::span<const float> allGains, int k, NdcgPreset preset) {
    std::vector<double> shown, ideal;
    for (const float gain : gainsInOrder)
        shown.push_back(gainOf(static_cast<double>(gain), preset));
    for (const float gain : allGains)
        ideal.push_back(gainOf(static_cast<double>(gain), preset));
    std::sort(ideal.begin(), ideal.end(), std::greater<>());
    const double best = dcg(ideal, k, preset);
    return best > 0 ? dcg(shown, k, preset) / best : 0;
}

} // namespace carousel
