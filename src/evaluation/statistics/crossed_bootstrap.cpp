// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/crossed_bootstrap.h"
#include "base/random.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
std::size_t countOf(std::span<const std::int32_t> codes) { return codes.empty() ? 0 : static_cast<std::size_t>(*std::max_element(codes.begin(), codes.end())) + 1; }

std::vector<double> drawnTimes(RandomStream random, std::size_t n) {
    std::vector<double> out(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        out[static_cast<std::size_t>(random.below(n))] += 1;
    return out;
}
} // namespace

Interval CrossedMeans::interval(std::size_t column, double confidence) const {
    std::vector<double> list;
    for (int d = 0; d < draws; ++d)
        list.push_back(at(d, column));
    return percentileInterval(std::move(list), confidence);
}

double CrossedMeans::standardError(std::size_t column) const {
    double n = 0, sum = 0, squares = 0;
    for (int d = 0; d < draws; ++d)
        if (const double value = at(d, column) - mean[column]; std::isfinite(value))
            n += 1, sum += value, squares += value * value;
    return n > 1 ? std::sqrt(std::max(squares - sum * sum / n, 0.0) / (n - 1)) : std::nan("");
}

Result<CrossedMeans> crossedMeans(std::span<const std::vector<double>> columns, std::span<const std::int32_t> user,
                                  std::span<const std::int32_t> seedOf, int draws, std::uint64_t seed, const RunControl& control) {
    CrossedMeans out;
    out.rows = user.size();
    out.draws = draws;
    const std::size_t users = countOf(user), seeds = countOf(seedOf);
    for (const auto& column : columns) {
        double sum = 0;
        for (const double value : column)
            sum += value;
        out.mean.push_back(out.rows > 0 ? sum / static_cast<double>(out.rows) : std::nan(""));
    }
    out.drawn.resize(static_cast<std::size_t>(draws) * columns.size());
    for (int d = 0; d < draws; ++d) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Redrawing users"));
        const auto key = static_cast<std::uint64_t>(d);
        const std::vector<double> userTimes = drawnTimes(RandomStream(seed, "crossed users", key), users);
        const std::vector<double> seedTimes = seeds > 1 ? drawnTimes(RandomStream(seed, "crossed seeds", key), seeds) : std::vector<double>(seeds, 1.0);
        std::vector<double> weight(out.rows);
        double total = 0;
        for (std::size_t r = 0; r < out.rows; ++r)
            total += weight[r] = userTimes[static_cast<std::size_t>(user[r])] * seedTimes[static_cast<std::size_t>(seedOf[r])];
        for (std::size_t c = 0; c < columns.size(); ++c) {
            double sum = 0;
            for (std::size_t r = 0; r < out.rows; ++r)
                sum += weight[r] * columns[c][r];
            out.drawn[static_cast<std::size_t>(d) * columns.size() + c] = total > 0 ? sum / total : std::nan("");
        }
    }
    return out;
}

} // namespace carousel
