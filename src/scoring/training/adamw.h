// SPDX-License-Identifier: GPL-3.0-or-later
// AdamW (Loshchilov and Hutter, 2019, arXiv 1711.05101, algorithm 2) on plain fp32 values:
//   p -= rate * decay * p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//   p -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// LibTorch has an optimiser of that name; it is not used since its state is keyed differently in 1.13 and 2.x, and a checkpoint must
// hold that state to the last bit. The values are few (an adapter), and stay on the host as the fp32 masters of what the device computes.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace carousel {

struct AdamSettings {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0;
    std::size_t decayed = std::numeric_limits<std::size_t>::max(); // the first values; those behind, such as norms, do not decay
};
// Values [.., end) from the part before on, whose rate is multiplied by `factor`.
struct RatePart {
    std::size_t end = 0;
    double factor = 1;
};
struct AdamState {
    std::int64_t steps = 0;
    std::vector<float> mean, square; // m and v
};

class AdamW {
public:
    AdamW(AdamSettings settings, std::size_t values);
    void step(std::span<float> values, std::span<const float> gradient, double rate);
    // Parts in order; the last one ends with the values.
    void step(std::span<float> values, std::span<const float> gradient, double rate, std::span<const RatePart> parts);
    const AdamState& state() const { return m_state; }
    void restore(AdamState state) { m_state = std::move(state); } // of as many values

private:
    AdamSettings m_settings;
    AdamState m_state;
};

// Euclidean norm, summed in an order that does not depend on threads; beyond `limit` (above 0) the gradient is scaled down to it.
double clipGradient(std::span<float> gradient, double limit);

} // namespace carousel
