// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

namespace carousel {

// Solves A x = b in place for a symmetric positive definite A [n, n], by Cholesky; false when it is not positive definite. Only A's lower
// triangle is read; A is overwritten by its factor and b by x.
bool solvePositiveDefinite(std::vector<double>& a, std::vector<double>& b);

} // namespace carousel
