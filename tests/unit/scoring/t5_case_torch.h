// SPDX-License-Identifier: GPL-3.0-or-later
// The encoder-decoder under training, behind plain numbers.
#pragma once
#include <cstdint>
#include <vector>

namespace carousel {

// A tiny model learns to write its source backwards: mean loss per token before every step of Adam, on fresh texts each time.
std::vector<double> t5LossesWhileLearning(int steps, bool gated, std::uint64_t seed);
// Largest relative error of gradients against differences of the loss of training, over some values of every weight: words counted, parts
// left out, pairs of different lengths, in double. Infinite where the whole-word embedding learns nothing.
double t5GradientError(bool gated);

} // namespace carousel
