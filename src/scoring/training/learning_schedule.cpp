// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/learning_schedule.h"
#include <algorithm>
#include <cmath>
#include <numbers>

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
