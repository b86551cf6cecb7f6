// SPDX-License-Identifier: GPL-3.0-or-later
// What changes while a model is trained: the learning rate from step to step, and whether going on is worth it.
#pragma once
#include "llm/fine_tune.h"
#include <cstdint>
#include <limits>
#include <span>

namespace carousel {

// Rate of step `step` (1-based) of `steps`. With w = round(warmUpShare * steps): rate * step / w for step <= w; afterwards, with
// p = (step - 1 - w) / (steps - w), constant: rate; linear: rate * (1 - p (1 - final)); cosine: rate * (final + (1 - final) (1 + cos(pi p))
// / 2). The first step after the warm-up has the whole rate; the final rate would be that of a step after the last, so no step is wasted on
// 0.
double learningRate(const ScheduleSettings& schedule, std::int64_t step, std::int64_t steps);

// Keeps the best of a metric; a loss is better when smaller, an area when larger. Not a number is never better.
class EarlyStopping {
public:
    EarlyStopping(ValidationMetric metric, int patience) : m_metric(metric), m_patience(patience) {}
    bool add(double value, std::int64_t step); // true: the best so far
    bool shouldStop() const { return m_patience > 0 && m_without >= m_patience; }
    std::int64_t bestStep() const { return m_bestStep; } // -1: none yet

private:
    ValidationMetric m_metric;
    int m_patience, m_without = 0;
    double m_best = std::numeric_limits<double>::quiet_NaN();
    std::int64_t m_bestStep = -1;
};

} // namespace carousel
