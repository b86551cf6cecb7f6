// SPDX-License-Identifier: GPL-3.0-or-later
// From the hidden states of a text to one vector.
#pragma once
#include "base/matrix.h"
#include "stages/language_model.h"
#include <span>

namespace carousel {

// Mean of rows [begin, end), or the last of them, scaled to length 1.
void poolAndNormalise(const Matrix& hidden, std::size_t begin, std::size_t end, Pooling pooling, std::span<float> out);

// Mean of rows [begin, end), at their own length; begin < end.
void meanOfRows(const Matrix& hidden, std::size_t begin, std::size_t end, std::span<float> out);

} // namespace carousel
