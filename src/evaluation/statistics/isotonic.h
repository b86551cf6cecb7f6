// SPDX-License-Identifier: GPL-3.0-or-later
// Isotonic regression: the rising curve that lies nearest to given points, for numbers whose order is right but whose scale is not.
#pragma once
#include <span>
#include <vector>

namespace carousel {

class IsotonicCurve { // safe from any thread
public:
    // A stretch of x that shares one value.
    struct Block {
        double first = 0, last = 0, value = 0, weight = 0;
    };
    // Least squares by pooling adjacent violators (Ayer et al., Ann. Math. Stat. 1955); points of equal x count as their mean. x and y are
    // finite and equally long; their order does not matter.
    static IsotonicCurve fit(std::span<const double> x, std::span<const double> y);

    bool empty() const { return m_blocks.empty(); }
    const std::vector<Block>& blocks() const { return m_blocks; } // ascending x, rising values
    // The block's value inside one, the straight line between two, the outermost value beyond; not for an empty curve.
    double at(double x) const;

private:
    std::vector<Block> m_blocks;
};

} // namespace carousel
