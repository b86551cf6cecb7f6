// SPDX-License-Identifier: GPL-3.0-or-later
// An interval around an estimate. NaN at both ends: there is none, and the reason is said where it is shown.
#pragma once
#include <limits>

namespace carousel {

struct Interval {
    double low = 0, high = 0;
};
inline Interval noInterval() { return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()}; }

} // namespace carousel
