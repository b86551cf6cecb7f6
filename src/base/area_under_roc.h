// SPDX-License-Identifier: GPL-3.0-or-later
// Area under the ROC curve: the probability that a positive scores above a negative, ties as half (Hanley and McNeil, Radiology 1982). In
// the lowest room since both the training of adapters and the evaluation judge by it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace carousel {

// Places of the scores in ascending order, equal ones as they stand.
std::vector<std::size_t> ascendingOrder(std::span<const double> scores);

// `order`: of the scores; `weight(row)`: how many times a row counts. NaN where one of the two classes has no (weighted) member.
template <class Weight>
double areaUnderRoc(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::size_t> order,
                    Weight weight) {
    double won = 0, negatives = 0, positives = 0;
    for (std::size_t begin = 0; begin < order.size();) {
        double tiedPositives = 0, tiedNegatives = 0;
        std::size_t end = begin;
        for (; end < order.size() && !(scores[order[begin]] < scores[order[end]]); ++end)
            (positive[order[end]] ? tiedPositives : tiedNegatives) += weight(order[end]);
        won += tiedPositives * (negatives + tiedNegatives / 2);
        negatives += tiedNegatives;
        positives += tiedPositives;
        begin = end;
    }
    return positives > 0 && negatives > 0 ? won / (positives * negatives) : std::numeric_limits<double>::quiet_NaN();
}
// `weights`: per row, or empty.
double areaUnderRoc(std::span<const double> scores, std::span<const std::uint8_t> positive, std::span<const std::uint8_t> weights = {});

} // namespace carousel
