// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers of a plot as a table: one row per x with a column (and its interval) per series when the series share their x, else one row
// per point. A heat map: one row per row of it.
#pragma once
#include "report/plot.h"

namespace carousel {

struct PlotTable {
    std::vector<std::string> header;
    std::vector<bool> numeric;
    struct Cell {
        std::string text; // of a column that is not numeric
        double value = 0, low = 0, high = 0;
        bool interval = false;
    };
    std::vector<std::vector<Cell>> rows;
    std::vector<bool> hasInterval; // per column
};
PlotTable plotTable(const PlotSpec& plot);

} // namespace carousel
