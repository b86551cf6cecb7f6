// SPDX-License-Identifier: GPL-3.0-or-later
// Carousels in two dimensions: several rows on one screen, each a strategy's carousel. nDCG2D (Ferrari Dacrema, Felicioni, Cremonesi,
// UMAP 2021): sum over cells of (2^rel - 1) / log2(alpha i + beta j), i and j 1-based, an item counted once, at its first cell in diagonal
// order (smallest alpha i + beta j, then row), over the ideal that puts the user's relevant items into the cheapest cells first. The ideal
// is defined when there are fewer relevant items than cells (a known tool reads memory that it never wrote there).
#pragma once
#include "base/result.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct GridDiscount {
    double alpha = 1, beta = 1; // alpha + beta >= 2, so that the first cell's discount is at least 1
};
// rows: item codes per row, best first, at most `columns` of each are shown; -1 is an empty cell. relevant: distinct codes, gains 2^rel - 1
// with rel 1 when `relevance` is empty. 0 relevant items: NaN. CL-8041 on a bad discount, CL-8042 on relevance that does not fit.
Result<double> ndcg2d(std::span<const std::vector<std::int32_t>> rows, std::size_t columns, std::span<const std::int32_t> relevant,
                      std::span<const double> relevance, const GridDiscount& discount);

// Which of the candidate rows to show, and in which order, for the highest mean nDCG2D over users: greedy, one row after the other, and
// all ordered choices when there are at most `exhaustiveLimit` of them. The ideal is that of the full grid throughout, rows not yet chosen
// being empty: a further row then never lowers a user's figure. CL-8042 when lists and users or rows and candidates disagree.
struct RowCandidate {
    std::string name;
    std::vector<std::vector<std::int32_t>> lists; // per user
};
struct RowChoice {
    std::vector<std::size_t> greedy, best; // indices of candidates, top row first; best empty when not searched
    std::vector<double> greedyPath;        // mean nDCG2D after 1, 2, ... rows
    double greedyValue = 0, bestValue = 0;
    std::vector<double> perUser; // nDCG2D of the greedy choice
    std::size_t choicesTried = 0;
};
Result<RowChoice> chooseRows(std::span<const RowCandidate> candidates, std::span<const std::vector<std::int32_t>> relevant,
                             std::size_t rows, std::size_t columns, const GridDiscount& discount, std::size_t exhaustiveLimit = 5000);

} // namespace carousel
