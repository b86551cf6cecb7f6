// SPDX-License-Identifier: GPL-3.0-or-later
// The Poisson bootstrap where users' values repeat, as counts do: users of equal values are drawn together, since the sum of n independent
// Poisson(1) weights is Poisson(n). The same distribution as cluster_bootstrap.h's, without its rounding, at the cost of distinct rows times
// draws instead of rows times draws. Any thread; the same numbers for any thread count and any order of rows.
#pragma once
#include "base/random.h"
#include "evaluation/statistics/cluster_bootstrap.h"

namespace carousel {

// As bootstrapSums() without clusters. More than an eighth of the rows distinct: bootstrapSums() itself. Otherwise the weights are other ones
// than its, so that draws of both do not belong together. Error: kind cancelled.
Result<BootstrapSums> groupedBootstrapSums(std::span<const std::span<const double>> columns, int draws, std::uint64_t seed, const RunControl& control);

// One Poisson variate, mean >= 0. Below 10: inversion; above: transformed rejection (Hörmann, Insurance: Mathematics and Economics 1993, PTRS).
double poissonVariate(double mean, RandomStream& random);

} // namespace carousel
