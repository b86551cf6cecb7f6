// SPDX-License-Identifier: GPL-3.0-or-later
// Poisson(1) weights of a bootstrap: counter-based (Philox 4x32-10), so a weight is a pure function of seed, draw and unit, and the same on
// every machine. P(weight >= k) is a multiple of 2^-16, rounded so that the mean is exactly 1; the variance is 1 - 3e-5, the largest weight 8.
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace carousel {

// Poisson(1) weight of unit `unit` in draw `draw`: 0, 1, 2 ... A pure function of its arguments.
std::uint8_t poissonWeight(std::uint64_t seed, std::uint32_t draw, std::uint64_t unit);
// The weights of units first .. first + out.size() - 1 in one draw; equal to poissonWeight one by one, many times as fast.
void poissonWeights(std::uint64_t seed, std::uint32_t draw, std::uint64_t first, std::span<std::uint8_t> out);

// One draw, for who asks for its weights in parts.
class PoissonDraw {
public:
    PoissonDraw(std::uint64_t seed, std::uint32_t draw);
    void weights(std::uint64_t first, std::span<std::uint8_t> out) const; // as poissonWeights

private:
    std::array<std::array<std::uint64_t, 2>, 10> m_roundKeys;
};

} // namespace carousel
