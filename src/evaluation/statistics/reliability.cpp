// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/reliability.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace carousel {

Reliability reliability(std::span<const double> predicted, std::span<const double> actual, std::size_t bins) {
    Reliability out;
    const auto n = predicted.size();
    out.bin.resize(n);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return predicted[a] < predicted[b]; });
    // A group ends at its share of the rows, behind the last prediction that is equal to it there.
    for (std::size_t begin = 0; begin < n;) {
        const auto group = std::min(bins, begin * bins / n + 1);
        auto end = std::max(begin + 1, (group * n + bins - 1) / bins);
        while (end < n && predicted[order[end]] == predicted[order[end - 1]])
            ++end;
        Reliability::Bin bin;
        bin.count = end - begin;
        for (auto i = begin; i < end; ++i) {
            bin.predicted += predicted[order[i]] / static_cast<double>(bin.count);
            bin.actual += actual[order[i]] / static_cast<double>(bin.count);
            out.bin[order[i]] = out.bins.size();
        }
        out.error += static_cast<double>(bin.count) / static_cast<double>(n) * std::fabs(bin.predicted - bin.actual);
        out.bins.push_back(bin);
        begin = end;
    }
    if (n == 0)
        out.error = std::numeric_limits<double>::quiet_NaN();
    return out;
}

} // namespace carousel
