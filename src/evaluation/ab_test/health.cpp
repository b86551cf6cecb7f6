// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/health.h"
#include "evaluation/ab_test/corrections.h"
#include <boost/math/distributions/chi_squared.hpp>
#include <unordered_map>

namespace carousel {

HealthTest sampleRatio(std::span<const double> found, std::span<const double> planned) {
    HealthTest out;
    double total = 0, weight = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        total += found[i], weight += planned[i];
    out.degrees = static_cast<int>(found.size()) - 1;
    if (out.degrees < 1 || !(total > 0) || !(weight > 0))
        return out;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double expected = total * planned[i] / weight;
        out.statistic += (found[i] - expected) * (found[i] - expected) / expected;
    }
    out.pValue = boost::math::cdf(boost::math::complement(boost::math::chi_squared(out.degrees), out.statistic));
    return out;
}

std::vector<double> prePeriodBalance(std::span<const std::vector<double>> control, std::span<const std::vector<double>> treatment) {
    std::vector<double> out;
    for (std::size_t c = 0; c < control.size(); ++c)
        out.push_back(welch(momentsOf(control[c]), momentsOf(treatment[c]), 0.95).pValue);
    return bonferroni(out);
}

MultipleExposure multipleExposure(std::span<const std::int32_t> user, std::span<const std::int32_t> arm) {
    MultipleExposure out;
    std::unordered_map<std::int32_t, std::int32_t> first; // arm, or -1 once a second one was seen
    for (std::size_t i = 0; i < user.size(); ++i) {
        const auto [it, isNew] = first.emplace(user[i], arm[i]);
        out.users += isNew;
        if (!isNew && it->second >= 0 && it->second != arm[i]) {
            it->second = -1;
            ++out.inSeveral;
        }
    }
    return out;
}

} // namespace carousel
