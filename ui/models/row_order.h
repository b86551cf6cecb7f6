// SPDX-License-Identifier: GPL-3.0-or-later
// Filtering and sorting of data set tables as a pure function, so that it can run on a worker thread at any size.
#pragma once
#include "base/run_control.h"
#include "data/dataset.h"

namespace carousel::ui {

enum class TableKind { users, items, interactions, impressions, reviews };
const char* name(TableKind kind);
std::size_t rowCount(const Dataset& dataset, TableKind kind);
std::vector<std::string> columnNames(const Dataset& dataset, TableKind kind);
// How a cell is aligned and compared.
bool columnIsNumeric(const Dataset& dataset, TableKind kind, std::size_t column);
std::string cellText(const Dataset& dataset, TableKind kind, std::size_t row, std::size_t column);
// Not a number where the cell is empty.
double cellNumber(const Dataset& dataset, TableKind kind, std::size_t row, std::size_t column);

struct RowOrderRequest {
    TableKind kind = TableKind::items;
    std::string filter;      // kept: rows with this text in any cell, ASCII case ignored
    int sortColumn = -1;     // negative: order of the file
    bool ascending = true;
};
// Source rows in the order to be shown. Empty cells come last in both directions; equal cells keep the order of the file.
Result<std::vector<std::uint32_t>> rowOrder(const Dataset& dataset, const RowOrderRequest& request, const RunControl& control);

} // namespace carousel::ui
