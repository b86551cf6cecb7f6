// SPDX-License-Identifier: GPL-3.0-or-later
// Carousels in several rows, worked out from stored runs: which of them to show, in which order, and what each user gets from that.
#pragma once
#include "evaluation/carousel/grid.h"
#include "workbench/workbench.h"

namespace carousel::ui {

struct RowQuestion {
    std::vector<std::int64_t> runs; // two to eight, of one data set and split
    std::size_t rows = 0;           // 0: as many as runs
    std::size_t columns = 6;
    GridDiscount discount;
    int draws = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
struct RowStudy {
    RowQuestion question;
    std::vector<RowCandidate> candidates; // in the order of the runs
    std::vector<Code> users;              // in all of the runs, ascending
    std::vector<std::vector<std::int32_t>> relevant;
    RowChoice choice;
    Interval interval, bestInterval;      // of the mean nDCG2D of the greedy and of the best choice
    DatasetPtr dataset;

    int rowOf(Code user) const; // -1: not in all of the runs
    const std::vector<std::size_t>& shown(bool best) const { return best && !choice.best.empty() ? choice.best : choice.greedy; }
};
Result<RowStudy> studyRows(Workbench& workbench, const RowQuestion& question, const RunControl& control);

// One user's cells as they count: an item at its first cell in the order of the discount, elsewhere it is a repetition.
struct GridCell {
    Code item = noCode; // noCode: empty
    bool relevant = false, repeated = false;
    double gain = 0; // its share of the sum over cells, 1 / discount when it is relevant and counts
};
std::vector<std::vector<GridCell>> gridOf(const RowStudy& study, std::span<const std::size_t> order, std::size_t user);
Result<double> userFigure(const RowStudy& study, std::span<const std::size_t> order, std::size_t user);

} // namespace carousel::ui
