// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/alignment.h"
#include "base/random.h"
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace carousel::plugin {

namespace {

using Rows = Eigen::MatrixXd;

struct Solved {
    Eigen::RowVectorXd from, to;
    Rows weights;
};

Rows chosen(const Matrix& all, std::span<const std::size_t> rows) {
    Rows out(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(all.columns));
    for (std::size_t r = 0; r < rows.size(); ++r)
        for (std::size_t c = 0; c < all.columns; ++c)
            out(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = all.row(rows[r])[c];
    return out;
}

Solved solve(const Rows& from, const Rows& to, double l2) {
    Solved out{from.colwise().mean(), to.colwise().mean(), {}};
    const Rows x = from.rowwise() - out.from;
    Rows square = x.transpose() * x;
    square.diagonal().array() += l2;
    out.weights = square.llt().solve(x.transpose() * (to.rowwise() - out.to));
    return out;
}

} // namespace

Result<Alignment> Alignment::fit(const Matrix& from, const Matrix& to, double l2, std::uint64_t seed) {
    const auto finite = [](const Matrix& m) {
        return std::all_of(m.values.begin(), m.values.end(), [](float v) { return std::isfinite(v); });
    };
    if (from.rows == 0 || from.rows != to.rows || from.columns == 0 || !(l2 > 0) || !finite(from) || !finite(to))
        return fail(
            ErrorKind::input, "CL-6078",
            fmt::format("{} collaborative vectors of width {} cannot be aligned with {} title vectors.", from.rows, from.columns, to.rows),
            "The training part needs users with at least two liked items.");
    std::vector<std::size_t> order(from.rows);
    std::iota(order.begin(), order.end(), std::size_t(0));
    Alignment out;
    out.items = from.rows;
    out.explained = NAN;
    if (from.rows >= 10) {
        RandomStream random(seed, "alignment");
        auto drawn = order;
        for (std::size_t i = drawn.size(); i > 1; --i)
            std::swap(drawn[i - 1], drawn[random.below(i)]);
        out.heldOut = drawn.size() / 5;
        const std::span<const std::size_t> all(drawn);
        const auto solved = solve(chosen(from, all.subspan(out.heldOut)), chosen(to, all.subspan(out.heldOut)), l2);
        const Rows wanted = chosen(to, all.first(out.heldOut)).rowwise() - solved.to;
        const Rows mapped = (chosen(from, all.first(out.heldOut)).rowwise() - solved.from) * solved.weights;
        if (const double spread = wanted.squaredNorm(); spread > 0)
            out.explained = 1 - (wanted - mapped).squaredNorm() / spread;
    }
    const auto solved = solve(chosen(from, order), chosen(to, order), l2);
    out.from.assign(solved.from.begin(), solved.from.end());
    out.to.assign(solved.to.begin(), solved.to.end());
    out.weights = Matrix(from.columns, to.columns);
    for (std::size_t r = 0; r < from.columns; ++r)
        for (std::size_t c = 0; c < to.columns; ++c)
            out.weights.row(r)[c] = static_cast<float>(solved.weights(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)));
    for (std::size_t i = 0; i < to.rows; ++i) {
        double squares = 0;
        for (const float v : to.row(i))
            squares += double(v) * v;
        out.length += std::sqrt(squares) / static_cast<double>(to.rows);
    }
    return out;
}

std::vector<float> Alignment::map(std::span<const float> vector) const {
    std::vector<double> sum = to;
    for (std::size_t r = 0; r < vector.size(); ++r)
        for (std::size_t c = 0; c < sum.size(); ++c)
            sum[c] += (vector[r] - from[r]) * weights.row(r)[c];
    double squares = 0;
    for (const double v : sum)
        squares += v * v;
    const double scale = squares > 0 ? length / std::sqrt(squares) : 0;
    std::vector<float> out;
    for (const double v : sum)
        out.push_back(static_cast<float>(v * scale));
    return out;
}

} // namespace carousel::plugin
