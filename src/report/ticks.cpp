// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/ticks.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace carousel {

namespace {
std::string tickLabel(double value, int decimals, double largest) {
    if (value == 0)
        return "0";
    if (largest >= 1e7 || largest < 1e-4)
        return fmt::format("{:.3g}", value);
    if (decimals == 0 && largest >= 1000)
        return withThousands(std::llround(value));
    return fmt::format("{:.{}f}", value, decimals);
}
} // namespace

Ticks niceTicks(double low, double high, int about, bool whole, bool fixLow, bool fixHigh) {
    if (!(high > low)) { // one value, or none
        const double room = low == 0 ? 1 : std::fabs(low) * 0.1;
        if (!fixHigh || fixLow)
            high = low + room;
        if (!fixLow)
            low -= room;
    }
    const double raw = (high - low) / std::max(about, 1);
    const double power = std::pow(10, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double factor : {1.0, 2.0, 2.5, 5.0})
        if (factor * power >= raw * (1 - 1e-9)) {
            step = factor * power;
            break;
        }
    if (whole)
        step = std::max(1.0, std::ceil(step - 1e-9));
    Ticks ticks;
    ticks.low = fixLow ? low : std::floor(low / step + 1e-9) * step;
    ticks.high = fixHigh ? high : std::ceil(high / step - 1e-9) * step;
    int decimals = 0;
    for (double scaled = step; decimals < 9 && std::fabs(scaled - std::round(scaled)) > 1e-6 * scaled; scaled *= 10)
        ++decimals;
    const double largest = std::max(std::fabs(ticks.low), std::fabs(ticks.high));
    for (double i = std::ceil(ticks.low / step - 1e-9); i * step <= ticks.high + step * 1e-9; ++i) {
        const double value = i == 0 ? 0 : i * step;
        ticks.at.push_back(value);
        ticks.labels.push_back(tickLabel(value, decimals, largest));
    }
    return ticks;
}

} // namespace carousel
