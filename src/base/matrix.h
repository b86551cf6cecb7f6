// SPDX-License-Identifier: GPL-3.0-or-later
// A row-major float matrix: what crosses the border between the plain core and the tensor libraries.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace carousel {

struct Matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<float> values; // rows * columns

    Matrix() = default;
    Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c, 0.0f) {}
    std::span<float> row(std::size_t i) { return {values.data() + i * columns, columns}; }
    std::span<const float> row(std::size_t i) const { return {values.data() + i * columns, columns}; }
    bool empty() const { return rows == 0; }
};

} // namespace carousel
