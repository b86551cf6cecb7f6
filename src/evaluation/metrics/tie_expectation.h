// SPDX-License-Identifier: GPL-3.0-or-later
// The exact expectation of the top-k metrics over random orders inside tie groups, for one user, from the places of the relevant items
// alone: nothing is sorted but those few. The irrelevant items matter only through the size of each group.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct TargetPlace {
    std::int32_t rank = 0; // 1-based, best rank of its tie group; 0: not ranked
    std::int32_t ties = 1; // items in that group, itself included
    float gain = 1;        // above 0
};

struct RankingFigures {
    double hitRate = 0, ndcg = 0, mrr = 0, map = 0, recall = 0, precision = 0;
};
struct TieFigures {
    RankingFigures expected, worst, best;
};

class RankKernel {
public:
    explicit RankKernel(int k);
    int k() const { return m_k; }
    // `places` (at least one) are sorted in place. Relevant items that were not ranked count in |R| and are never found.
    TieFigures figures(std::span<TargetPlace> places) const;
    // The same without worst and best, for whole runs at speed.
    RankingFigures expected(std::span<TargetPlace> places) const;

private:
    struct Sums;
    double discountSum(std::int64_t first, std::int64_t count) const;
    double idealDcg(std::span<const TargetPlace> places) const;
    RankingFigures normalised(const Sums& sums, std::size_t relevant, double ideal) const;
    Sums strictOrder(std::span<const TargetPlace> places, bool worst) const;
    Sums expectedOrder(std::span<const TargetPlace> places) const;

    int m_k;
    std::vector<double> m_discount;   // by rank 1..k: 1 / log2(1 + rank)
    std::vector<double> m_cumulative; // m_cumulative[r]: sum of the first r discounts
};

} // namespace carousel
