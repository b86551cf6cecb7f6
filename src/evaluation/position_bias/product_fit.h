// SPDX-License-Identifier: GPL-3.0-or-later
// Maximum likelihood of click probabilities that are products, P(click) = a_row * g_column (* z where a cell is marked): the position-based
// model on item x slot counts, the AllPairs likelihood on slot pairs, and the model with one factor for what was seen after a swipe. The
// likelihood is the one that EM climbs; rows are solved in one dimension and the few columns by Newton's method on the log scale (where
// the likelihood is concave), since EM needs thousands of iterations when clicks are rare.
#pragma once
#include <cstdint>
#include <vector>

namespace carousel::bias {

struct ProductCell {
    std::int32_t row = 0;
    std::int16_t column = 0;
    bool marked = false;
    double impressions = 0, clicks = 0; // may be fractional; clicks <= impressions
};
struct ProductFit {
    std::vector<double> row;    // a; NaN where no cell ties the row to column 0
    std::vector<double> column; // g, column 0 is 1; NaN where no row ties the column to column 0
    double mark = 1;            // z
    double logLikelihood = 0;   // over the cells tied to column 0
    int iterations = 0;
    bool converged = false;
    double probability(const ProductCell& cell) const {
        return row[static_cast<std::size_t>(cell.row)] * column[static_cast<std::size_t>(cell.column)] * (cell.marked ? mark : 1);
    }
};
struct ProductFitOptions {
    bool fitMark = false;
    double tolerance = 1e-9; // largest change of a log column that counts as none
    int maxIterations = 100;
    const ProductFit* start = nullptr; // columns to begin with
};
// Cells are in the order of their rows. a_row * g_column <= 1 for every row and column, as examination and attraction are probabilities.
ProductFit fitProduct(const std::vector<ProductCell>& cells, std::int32_t rows, std::int32_t columns, const ProductFitOptions& options);

// Whether the cells can tell z from rows and columns: no assignment of rows and columns explains the marks by itself.
bool markIdentified(const std::vector<ProductCell>& cells, std::int32_t rows, std::int32_t columns);

} // namespace carousel::bias
