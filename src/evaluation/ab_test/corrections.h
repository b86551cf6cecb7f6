// SPDX-License-Identifier: GPL-3.0-or-later
// Many comparisons at once: adjusted p values, in the order given, at most 1. Pure functions.
#pragma once
#include <span>
#include <vector>

namespace carousel {

std::vector<double> bonferroni(std::span<const double> p);
std::vector<double> holm(std::span<const double> p);              // family-wise error; Holm, Scandinavian Journal of Statistics 1979
std::vector<double> benjaminiHochberg(std::span<const double> p); // false discovery rate; Benjamini and Hochberg, JRSS B 1995

} // namespace carousel
