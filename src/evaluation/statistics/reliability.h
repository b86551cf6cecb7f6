// SPDX-License-Identifier: GPL-3.0-or-later
// Whether predicted numbers are on the scale of what they predict: mean predicted against mean actual, over groups of like predictions
// (reliability diagram: DeGroot and Fienberg, The Statistician 1983; error: Naeini et al., AAAI 2015, here for numbers on any scale).
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace carousel {

struct Reliability {
    struct Bin {
        double predicted = 0, actual = 0; // means
        std::size_t count = 0;
    };
    std::vector<Bin> bins;        // by rising prediction
    std::vector<std::size_t> bin; // per row
    double error = 0;             // sum over bins of count / all * |predicted - actual|; NaN without rows
};
// At most `bins` groups of about equal size; equal predictions stand in one group. Both finite and equally long.
Reliability reliability(std::span<const double> predicted, std::span<const double> actual, std::size_t bins);

} // namespace carousel
