// SPDX-License-Identifier: GPL-3.0-or-later
// Axis ticks at 1, 2, 2.5 or 5 times a power of ten, with as many decimals as they need.
#pragma once
#include <string>
#include <vector>

namespace carousel {

struct Ticks {
    double low = 0, high = 1; // the axis: the first and last tick, or the range asked for when fixed
    std::vector<double> at;
    std::vector<std::string> labels;
};
// `whole`: steps of at least 1 (positions). `fixLow`, `fixHigh`: that end of the axis stays where it was asked.
Ticks niceTicks(double low, double high, int about, bool whole = false, bool fixLow = false, bool fixHigh = false);

} // namespace carousel
