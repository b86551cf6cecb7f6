// SPDX-License-Identifier: GPL-3.0-or-later
// Whole runs as flat columns, evaluated at speed: ids are joined, scores may be in any order, nothing is sorted but the few relevant items.
// A relevant item's rank is 1 + the scores above its own; its tie group is the scores equal to it.
#pragma once
#include "base/result.h"
#include "evaluation/metrics/tie_expectation.h"
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// Rows of users: user u owns [offsets[u], offsets[u + 1]) of the other columns. Ids are any numbers, distinct per user.
struct ColumnarRun {
    std::vector<std::int64_t> users;
    std::vector<std::size_t> offsets{0};
    std::vector<std::int32_t> items;
    std::vector<float> scores;
};
struct ColumnarTruth {
    std::vector<std::int64_t> users;
    std::vector<std::size_t> offsets{0};
    std::vector<std::int32_t> items;
    std::vector<float> gains; // empty: all 1
};
struct ColumnarFigures {
    std::vector<RankingFigures> perUser; // in the order of truth.users; a user that the run lacks found nothing
    std::vector<std::uint8_t> counted;   // 0: no relevant item
    RankingFigures mean;                 // over the users counted
    std::int64_t users = 0, excluded = 0, notInRun = 0;
};
// Errors: CL-8002 a score that is not a number (names user and item), CL-8003 offsets or lengths that disagree, or a user that stands
// twice.
Result<ColumnarFigures> evaluateColumns(const ColumnarRun& run, const ColumnarTruth& truth, int k);
// Several cuts from one pass over the lists, in their order.
Result<std::vector<ColumnarFigures>> evaluateColumns(const ColumnarRun& run, const ColumnarTruth& truth, std::span<const int> cuts);

} // namespace carousel
