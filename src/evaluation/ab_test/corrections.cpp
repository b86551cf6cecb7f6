// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/corrections.h"
#include <algorithm>
#include <numeric>

namespace carousel {

namespace {
std::vector<std::size_t> ascending(std::span<const double> p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    return order;
}
} // namespace

std::vector<double> bonferroni(std::span<const double> p) {
    std::vector<double> out;
    for (const double each : p)
        out.push_back(std::min(1.0, each * static_cast<double>(p.size())));
    return out;
}

std::vector<double> holm(std::span<const double> p) {
    const auto order = ascending(p);
    std::vector<double> out(p.size());
    double highest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        highest = std::max(highest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
        out[order[i]] = highest;
    }
    return out;
}

std::vector<double> benjaminiHochberg(std::span<const double> p) {
    const auto order = ascending(p);
    std::vector<double> out(p.size());
    double lowest = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        lowest = std::min(lowest, p[order[i]] * static_cast<double>(p.size()) / static_cast<double>(i + 1));
        out[order[i]] = lowest;
    }
    return out;
}

} // namespace carousel
