// SPDX-License-Identifier: GPL-3.0-or-later
// Bootstrap intervals of means over users: seeded, counter-based, the same for any thread count.
#pragma once
#include "evaluation/metrics/ranking.h"

namespace carousel {

// Percentile interval of the mean of the finite values. With n = 0 both ends are NaN.
Interval bootstrapMean(std::span<const float> values, int resamples, double confidence, std::uint64_t seed);
// The same resamples for several columns at once (rows of users), so that intervals and differences share their draws.
std::vector<Interval> bootstrapMeans(std::span<const std::vector<float>> columns, int resamples, double confidence, std::uint64_t seed);

} // namespace carousel
