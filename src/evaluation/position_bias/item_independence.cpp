// SPDX-License-Identifier: GPL-3.0-or-later
// Is click = attraction of the item x examination of the slot? Pearson's X^2 of item x slot cells against the fitted product. Its null
// distribution comes from logs drawn from the fit and fitted again (parametric bootstrap); tails beyond the draws from a gamma
// distribution with their mean and variance, as X^2 under such a null is close to one.
#include "base/parallel.h"
#include "base/random.h"
#include "base/text.h"
#include "evaluation/position_bias/assumptions.h"
#include "evaluation/position_bias/slot_counts.h"
#include "evaluation/position_bias/words.h"
#include <boost/math/distributions/gamma.hpp>
#include <cmath>

namespace carousel::bias {

namespace {
constexpr double enoughClicks = 3;

// Binomial(n, p) by inversion, in parts small enough that the probability of 0 is not lost.
std::uint32_t drawBinomial(RandomStream& random, std::uint32_t n, double p) {
    if (p > 0.5)
        return n - drawBinomial(random, n, 1 - p);
    if (p <= 0)
        return 0;
    const auto part = static_cast<std::uint32_t>(std::max(1.0, 100 / p));
    std::uint32_t total = 0;
    for (std::uint32_t left = n; left > 0;) {
        const std::uint32_t size = std::min(left, part);
        double mass = std::exp(size * std::log1p(-p)), u = random.uniform();
        std::uint32_t x = 0;
        while (u > mass && x < size) {
            u -= mass;
            mass *= static_cast<double>(size - x) / (x + 1) * p / (1 - p);
            ++x;
        }
        total += x;
        left -= size;
    }
    return total;
}

struct Residuals {
    double statistic = 0;
    std::int64_t cells = 0;
    double largest = 0; // standardised
    ProductCell worst;
    double worstExpected = 0;
};
Residuals residuals(const std::vector<ProductCell>& cells, const ProductFit& fit) {
    Residuals result;
    for (const auto& cell : cells) {
        const double p = fit.probability(cell), expected = cell.impressions * p;
        if (!(expected >= enoughClicks && cell.impressions - expected >= enoughClicks))
            continue;
        const double z = (cell.clicks - expected) / std::sqrt(expected * (1 - p));
        result.statistic += z * z;
        ++result.cells;
        if (std::fabs(z) > std::fabs(result.largest))
            result.largest = z, result.worst = cell, result.worstExpected = expected;
    }
    return result;
}
} // namespace

AssumptionTest testItemIndependence(const ClickLog& log, const PositionBiasOptions& options, const RunControl& control) {
    AssumptionTest test;
    test.id = "item_independence";
    test.question = "Does examination depend on the item?";
    const auto index = indexCells(log);
    std::vector<CellCount> counts;
    countCells(log, index, {}, counts);
    const auto cells = productCells(index, counts);
    ProductFitOptions fitting;
    const auto fit = fitProduct(cells, index.items, index.slots, fitting);
    const auto observed = residuals(cells, fit);
    std::vector<char> rows(static_cast<std::size_t>(index.items), 0), columns(static_cast<std::size_t>(index.slots), 0);
    std::int64_t parameters = -1;
    for (const auto& cell : cells)
        if (const double p = fit.probability(cell); std::isfinite(p) && cell.impressions * p >= enoughClicks) {
            parameters += !rows[static_cast<std::size_t>(cell.row)]++;
            parameters += !columns[static_cast<std::size_t>(cell.column)]++;
        }
    test.n = observed.cells;
    if (observed.cells <= std::max<std::int64_t>(parameters, 1))
        return untestable(
            std::move(test),
            fmt::format("Cannot be tested: {} of item and position have enough clicks (at least {:.0f} expected), no more than "
                        "the model has free values ({}). Items must be shown at several positions.",
                        count(static_cast<double>(observed.cells), "cell", "cells"), enoughClicks, std::max<std::int64_t>(parameters, 0)));
    const auto draws = static_cast<std::size_t>(std::max(options.draws, 50));
    std::vector<double> drawn(draws, 0);
    parallelFor(draws, 1, [&](std::size_t begin, std::size_t end) {
        auto copy = cells;
        for (std::size_t d = begin; d < end && !control.stopRequested(); ++d) {
            RandomStream random(options.seed, "item independence", d);
            for (std::size_t c = 0; c < cells.size(); ++c) {
                const double p = fit.probability(cells[c]);
                copy[c].clicks = std::isfinite(p) ? drawBinomial(random, static_cast<std::uint32_t>(cells[c].impressions), std::min(p, 1.0))
                                                  : cells[c].clicks;
            }
            ProductFitOptions again;
            again.start = &fit;
            again.tolerance = 1e-5;
            // Cells are those with enough expected clicks under the refit, as in the log itself; X^2 is per cell so that their number
            // may differ.
            const auto one = residuals(copy, fitProduct(copy, index.items, index.slots, again));
            drawn[d] = one.cells > 0 ? one.statistic / static_cast<double>(one.cells) : 0;
        }
    });
    test.statistic = observed.statistic;
    const double perCell = observed.statistic / static_cast<double>(observed.cells);
    double mean = 0, variance = 0;
    std::size_t atLeast = 0;
    for (const double value : drawn) {
        mean += value / static_cast<double>(draws);
        atLeast += value >= perCell;
    }
    for (const double value : drawn)
        variance += (value - mean) * (value - mean) / static_cast<double>(draws - 1);
    const double counted = static_cast<double>(atLeast + 1) / static_cast<double>(draws + 1);
    test.pValue = counted;
    if (atLeast < 10 && mean > 0 && variance > 0)
        test.pValue = std::min(counted, boost::math::cdf(boost::math::complement(
                                            boost::math::gamma_distribution<>(mean * mean / variance, variance / mean), perCell)));
    const auto item = static_cast<std::size_t>(observed.worst.row);
    test.words =
        fmt::format("Squared gaps between clicks and attraction times examination are {:.2f} times what chance gives, over {} of item and "
                    "position. The largest gap: {} at position {}, {:.0f} clicks where {:.1f} are expected.",
                    perCell / mean, count(static_cast<double>(observed.cells), "cell", "cells"),
                    item < log.itemNames.size() ? quotedForMessage(log.itemNames[item]) : fmt::format("item {}", item),
                    observed.worst.column + 1, observed.worst.clicks, observed.worstExpected);
    test.verdict = Assumption::notShown;
    return test;
}

} // namespace carousel::bias
