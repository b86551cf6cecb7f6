// SPDX-License-Identifier: GPL-3.0-or-later
// Means that do not lose digits over a million rows (Neumaier's compensated sum), in the order given.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

namespace carousel {

class CompensatedSum {
public:
    void add(double value) {
        const double next = m_sum + value;
        m_lost += std::fabs(m_sum) >= std::fabs(value) ? (m_sum - next) + value : (value - next) + m_sum;
        m_sum = next;
    }
    double total() const { return m_sum + m_lost; }

private:
    double m_sum = 0, m_lost = 0;
};

struct MeanOfFinite {
    double mean = std::numeric_limits<double>::quiet_NaN();
    std::int64_t count = 0;
};
template <class Values> MeanOfFinite meanOfFinite(const Values& values) {
    CompensatedSum sum;
    MeanOfFinite result;
    for (const auto value : values)
        if (std::isfinite(value)) {
            sum.add(static_cast<double>(value));
            ++result.count;
        }
    if (result.count > 0)
        result.mean = sum.total() / static_cast<double>(result.count);
    return result;
}

} // namespace carousel
