// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/factorial/factorial.h"
#include <bit>

namespace carousel {

FactorialDesign fullDesign(int places) {
    FactorialDesign out{.places = places, .half = false, .runs = {}};
    for (std::uint32_t mask = 0; mask < (1u << places); ++mask)
        out.runs.push_back(mask);
    return out;
}

FactorialDesign halfDesign(int places) {
    FactorialDesign out{.places = places, .half = true, .runs = {}};
    // The product of all signs is +: an even number of places is off.
    for (std::uint32_t mask = 0; mask < (1u << places); ++mask)
        if ((places - std::popcount(mask)) % 2 == 0)
            out.runs.push_back(mask);
    return out;
}

std::uint32_t aliasOf(const FactorialDesign& design, std::uint32_t mask) { return ((1u << design.places) - 1) ^ mask; }

std::vector<double> factorialEffects(const FactorialDesign& design, std::span<const double> responses) {
    const auto runs = design.runs.size();
    std::vector<double> out(std::size_t(1) << design.places, 0.0);
    for (std::uint32_t mask = 0; mask < out.size(); ++mask) {
        double contrast = 0;
        for (std::size_t r = 0; r < runs; ++r)
            contrast += std::popcount(mask & ~design.runs[r]) % 2 == 0 ? responses[r] : -responses[r];
        const bool isMean = mask == 0 || (design.half && mask + 1 == out.size());
        out[mask] = contrast / (isMean ? static_cast<double>(runs) : static_cast<double>(runs) / 2);
    }
    return out;
}

std::vector<double> shapleyShares(std::span<const double> values) {
    const int places = std::countr_zero(values.size());
    // Orders in which exactly the places of a set of that size come first: size! (places - 1 - size)! of places!.
    std::vector<double> weight(static_cast<std::size_t>(places));
    for (int size = 0; size < places; ++size) {
        double choose = 1; // places - 1 over size
        for (int i = 0; i < size; ++i)
            choose = choose * (places - 1 - i) / (i + 1);
        weight[static_cast<std::size_t>(size)] = 1 / (places * choose);
    }
    std::vector<double> out(static_cast<std::size_t>(places), 0.0);
    for (std::uint32_t mask = 0; mask < values.size(); ++mask)
        for (int place = 0; place < places; ++place)
            if (const std::uint32_t bit = 1u << place; !(mask & bit))
                out[static_cast<std::size_t>(place)] += weight[static_cast<std::size_t>(std::popcount(mask))] * (values[mask | bit] - values[mask]);
    return out;
}

} // namespace carousel
