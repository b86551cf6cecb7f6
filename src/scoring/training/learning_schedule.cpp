// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/learning_schedule.h"
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace carousel {

double learningRate(const ScheduleSettings& schedule, std::int64_t step, std::int64_t steps) {
    const auto warmUp = std::min<std::int64_t>(std::llround(schedule.warmUpShare * static_cast<double>(steps)), steps - 1);
    if (step <= warmUp)
        return schedule.rate * static_cast<double>(step) / static_cast<double>(warmUp);
    const double passed = static_cast<double>(step - 1 - warmUp) / static_cast<double>(steps - warmUp);
    switch (schedule.shape) {
    case RateShape::constant:
        break;
    case RateShape::linear:
        return schedule.rate * (1 - passed * (1 - schedule.finalShare));
    case RateShape::cosine:
        return schedule.rate * (schedule.finalShare + (1 - schedule.finalShare) * (1 + std::cos(std::numbers::pi * passed)) / 2);
    }
    return schedule.rate;
}

double areaUnderCurve(std::span<const double> scores, std::span<const std::uint8_t> positive) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    double positives = 0, won = 0, negativesBelow = 0;
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        double tiedPositives = 0;
        for (; end < order.size() && !(scores[order[begin]] < scores[order[end]]); ++end)
            tiedPositives += positive[order[end]] ? 1 : 0;
        const double tiedNegatives = static_cast<double>(end - begin) - tiedPositives;
        won += tiedPositives * (negativesBelow + tiedNegatives / 2);
        positives += tiedPositives;
        negativesBelow += tiedNegatives;
        begin = end;
    }
    return positives > 0 && negativesBelow > 0 ? won / (positives * negativesBelow) : std::numeric_limits<double>::quiet_NaN();
}

bool EarlyStopping::add(double value, std::int64_t step) {
    const bool first = m_bestStep < 0 && !std::isnan(value);
    const bool better = first || (m_metric == ValidationMetric::loss ? value < m_best : value > m_best);
    if (better) {
        m_best = value;
        m_bestStep = step;
        m_without = 0;
    } else {
        ++m_without;
    }
    return better;
}

} // namespace carousel
