// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/rank_agreement.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace carousel {

namespace {

std::vector<double> ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
    std::vector<double> out(values.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin + 1;
        while (end < order.size() && values[order[end]] == values[order[begin]])
            ++end;
        for (std::size_t i = begin; i < end; ++i)
            out[order[i]] = static_cast<double>(begin + end - 1) / 2;
        begin = end;
    }
    return out;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const auto n = static_cast<double>(a.size());
    const double meanA = std::accumulate(a.begin(), a.end(), 0.0) / n, meanB = std::accumulate(b.begin(), b.end(), 0.0) / n;
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - meanA) * (b[i] - meanB);
        aa += (a[i] - meanA) * (a[i] - meanA);
        bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : std::numeric_limits<double>::quiet_NaN();
}

int sign(double value) {
    return (value > 0) - (value < 0);
}

} // namespace

RankAgreement rankAgreement(std::span<const double> a, std::span<const double> b) {
    const std::size_t n = std::min(a.size(), b.size());
    RankAgreement out;
    std::int64_t score = 0, differA = 0, differB = 0;
    for (std::size_t i = 0; i < n; ++i) {
        out.largestDifference = std::max(out.largestDifference, std::fabs(a[i] - b[i]));
        for (std::size_t j = 0; j < i; ++j) {
            const int signA = sign(a[i] - a[j]), signB = sign(b[i] - b[j]);
            score += signA * signB;
            differA += signA != 0;
            differB += signB != 0;
        }
    }
    out.kendall = differA > 0 && differB > 0
                      ? static_cast<double>(score) / std::sqrt(static_cast<double>(differA) * static_cast<double>(differB))
                      : std::numeric_limits<double>::quiet_NaN();
    out.spearman = correlation(ranks(a.first(n)), ranks(b.first(n)));
    return out;
}

} // namespace carousel
