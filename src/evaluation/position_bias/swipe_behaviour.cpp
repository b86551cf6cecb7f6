// SPDX-License-Identifier: GPL-3.0-or-later
// Is an item examined after a swipe as it would be before? In the carousel model with logged reach, P(click | in view, no click on this
// page yet) = attraction x theta(place in the page) x reset on later pages. Rows up to the first click of a page are those where the visit
// is surely on, whatever its chance to go on after a click; the likelihood ratio of reset = 1 over them is chi-square with one degree.
#include "evaluation/position_bias/assumptions.h"
#include "evaluation/position_bias/slot_counts.h"
#include "evaluation/position_bias/words.h"
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

namespace carousel::bias {

AssumptionTest testSwipeBehaviour(const ClickLog& log, const PositionBiasOptions& options) {
    AssumptionTest test;
    test.id = "swipe_behaviour";
    test.question = "Do people behave after a swipe as before?";
    const auto window = static_cast<std::size_t>(options.window);
    if (!log.knowsReach())
        return untestable(std::move(test), "Cannot be tested: the log does not say which positions came into view. From clicks alone, "
                                           "swiping on and looking less after it cannot be told apart.");
    if (static_cast<std::size_t>(log.slots) <= window)
        return untestable(std::move(test), fmt::format("Cannot be tested: the slates hold {} positions and {} are visible without a swipe.",
                                                       log.slots, window));
    const std::size_t places = 2 * window; // per place in the page: first page, later pages
    std::vector<CellCount> counts(static_cast<std::size_t>(log.items) * places);
    std::int64_t before = 0, after = 0, clicksAfter = 0;
    for (std::size_t s = 0; s < log.sessions(); ++s) {
        std::size_t page = 0;
        bool clicked = false;
        for (std::size_t r = log.offsets[s]; r < log.offsets[s + 1]; ++r) {
            const auto slot = static_cast<std::size_t>(log.slot[r]);
            if (slot / window != page)
                page = slot / window, clicked = false;
            if (log.reached[r] != 1 || clicked)
                continue;
            clicked = log.click[r];
            auto& cell = counts[static_cast<std::size_t>(log.item[r]) * places + slot % window + (page > 0 ? window : 0)];
            ++cell.impressions;
            cell.clicks += log.click[r];
            (page > 0 ? after : before) += 1;
            clicksAfter += page > 0 && log.click[r];
        }
    }
    test.n = after;
    std::vector<ProductCell> cells;
    for (std::int32_t item = 0; item < log.items; ++item)
        for (std::size_t place = 0; place < places; ++place)
            if (const auto& cell = counts[static_cast<std::size_t>(item) * places + place]; cell.impressions > 0)
                cells.push_back({item, static_cast<std::int16_t>(place % window), place >= window, static_cast<double>(cell.impressions),
                                 static_cast<double>(cell.clicks)});
    if (clicksAfter < 5 || before == 0)
        return untestable(std::move(test),
                          fmt::format("Cannot be tested: {} behind the fold came into view, with {}; at least 5 clicks are needed.",
                                      count(static_cast<double>(after), "position", "positions"),
                                      count(static_cast<double>(clicksAfter), "click", "clicks")));
    if (!markIdentified(cells, log.items, static_cast<std::int32_t>(window)))
        return untestable(std::move(test),
                          "Cannot be tested: no item was seen both before and after a swipe, so a change of behaviour cannot "
                          "be told from a difference of the items.");
    ProductFitOptions fitting;
    const auto same = fitProduct(cells, log.items, static_cast<std::int32_t>(window), fitting);
    fitting.fitMark = true;
    fitting.start = &same;
    const auto free = fitProduct(cells, log.items, static_cast<std::int32_t>(window), fitting);
    if (!same.converged || !free.converged || !std::isfinite(same.column[0]))
        return untestable(std::move(test),
                          fmt::format("Cannot be tested: the model did not fit these {} positions in view.", before + after));
    test.statistic = std::max(0.0, 2 * (free.logLikelihood - same.logLikelihood));
    test.pValue = boost::math::cdf(boost::math::complement(boost::math::chi_squared(1), test.statistic));
    test.verdict = Assumption::notShown;
    // Wald interval on the log scale by the likelihood ratio itself: statistic = (log reset / se)^2.
    const double change = std::log(free.mark), error = test.statistic > 1e-12 ? std::fabs(change) / std::sqrt(test.statistic) : 0;
    const double reach95 = std::sqrt(boost::math::quantile(boost::math::chi_squared(1), 0.95));
    std::string ends;
    if (error > 0) {
        const double low = std::exp(change - reach95 * error), high = std::exp(change + reach95 * error);
        ends = fmt::format(" (about {:.2f} to {:.2f})", low, high);
        if (low >= 0.9 && high <= 1.1)
            test.verdict = Assumption::holds;
    }
    test.words =
        fmt::format("After a swipe an item in view is looked at {:.2f} times as much as at the same place before{}, over {} in view "
                    "behind the fold with {}.",
                    free.mark, ends, count(static_cast<double>(after), "position", "positions"),
                    count(static_cast<double>(clicksAfter), "click", "clicks"));
    return test;
}

} // namespace carousel::bias
