// SPDX-License-Identifier: GPL-3.0-or-later
#include "scoring/pooling.h"
#include <cmath>

namespace carousel {

void poolAndNormalise(const Matrix& hidden, std::size_t begin, std::size_t end, Pooling pooling, std::span<float> out) {
    std::vector<double> sums(out.size(), 0.0);
    for (std::size_t row = pooling == Pooling::last ? end - 1 : begin; row < end; ++row)
        for (std::size_t i = 0; i < out.size(); ++i)
            sums[i] += hidden.row(row)[i];
    double squares = 0;
    for (const double value : sums)
        squares += value * value;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0; // the count of a mean cancels out
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<float>(sums[i] * scale);
}

void meanOfRows(const Matrix& hidden, std::size_t begin, std::size_t end, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        double sum = 0;
        for (std::size_t row = begin; row < end; ++row)
            sum += hidden.row(row)[i];
        out[i] = static_cast<float>(sum / static_cast<double>(end - begin));
    }
}

} // namespace carousel
