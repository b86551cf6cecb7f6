// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/isotonic.h"
#include <algorithm>
#include <utility>

namespace carousel {

namespace {
IsotonicCurve::Block pooled(const IsotonicCurve::Block& a, const IsotonicCurve::Block& b) {
    const double weight = a.weight + b.weight;
    return {a.first, b.last, (a.value * a.weight + b.value * b.weight) / weight, weight};
}
} // namespace

IsotonicCurve IsotonicCurve::fit(std::span<const double> x, std::span<const double> y) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < x.size(); ++i)
        points.emplace_back(x[i], y[i]);
    std::sort(points.begin(), points.end());
    IsotonicCurve out;
    auto& blocks = out.m_blocks;
    for (std::size_t i = 0; i < points.size();) {
        Block next{points[i].first, points[i].first, points[i].second, 1};
        for (++i; i < points.size() && points[i].first == next.first; ++i)
            next = pooled(next, {next.first, next.last, points[i].second, 1});
        // Equal neighbours are pooled too, so that values rise from block to block.
        while (!blocks.empty() && blocks.back().value >= next.value) {
            next = pooled(blocks.back(), next);
            blocks.pop_back();
        }
        blocks.push_back(next);
    }
    return out;
}

double IsotonicCurve::at(double x) const {
    const auto after = std::upper_bound(m_blocks.begin(), m_blocks.end(), x, [](double v, const Block& block) { return v < block.first; });
    if (after == m_blocks.begin())
        return after->value;
    const auto& before = *(after - 1);
    if (after == m_blocks.end() || x <= before.last)
        return before.value;
    return before.value + (after->value - before.value) * (x - before.last) / (after->first - before.last);
}

} // namespace carousel
