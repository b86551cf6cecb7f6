// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/training/adamw.h"
#include "base/parallel.h"
#include <algorithm>
#include <cmath>

namespace carousel {

AdamW::AdamW(AdamSettings settings, std::size_t values) : m_settings(settings) {
    m_state.mean.assign(values, 0);
    m_state.square.assign(values, 0);
}

void AdamW::step(std::span<float> values, std::span<const float> gradient, double rate) {
    const RatePart whole{values.size(), 1};
    step(values, gradient, rate, {&whole, 1});
}

void AdamW::step(std::span<float> values, std::span<const float> gradient, double rate, std::span<const RatePart> parts) {
    const auto t = static_cast<double>(++m_state.steps);
    const double correction1 = 1 - std::pow(m_settings.beta1, t), correction2 = std::sqrt(1 - std::pow(m_settings.beta2, t));
    const auto beta1 = static_cast<float>(m_settings.beta1), rest1 = static_cast<float>(1 - m_settings.beta1);
    const auto beta2 = static_cast<float>(m_settings.beta2), rest2 = static_cast<float>(1 - m_settings.beta2);
    const auto root = static_cast<float>(correction2);
    const auto epsilon = static_cast<float>(m_settings.epsilon);
    float* const means = m_state.mean.data();
    float* const squares = m_state.square.data();
    const auto update = [&](std::size_t begin, std::size_t end, float keep, float size) {
        for (std::size_t i = begin; i < end; ++i) {
            const float g = gradient[i];
            const float mean = means[i] = beta1 * means[i] + rest1 * g;
            const float square = squares[i] = beta2 * squares[i] + rest2 * g * g;
            values[i] = keep * values[i] - size * mean / (std::sqrt(square) / root + epsilon);
        }
    };
    std::size_t first = 0;
    for (const RatePart& part : parts) {
        const double own = rate * part.factor;
        const auto decay = static_cast<float>(1 - own * m_settings.weightDecay), size = static_cast<float>(own / correction1);
        parallelFor(part.end - first, std::size_t(1) << 16, [&](std::size_t begin, std::size_t end) {
            begin += first, end += first;
            const std::size_t border = std::clamp(m_settings.decayed, begin, end);
            update(begin, border, decay, size);
            update(border, end, 1, size);
        });
        first = part.end;
    }
}

double clipGradient(std::span<float> gradient, double limit) {
    double sum = 0;
    for (const float g : gradient)
        sum += static_cast<double>(g) * g;
    const double norm = std::sqrt(sum);
    if (limit > 0 && norm > limit) {
        const auto scale = static_cast<float>(limit / norm);
        for (float& g : gradient)
            g *= scale;
    }
    return norm;
}

} // namespace carousel
