// SPDX-License-Identifier: GPL-3.0-or-later
// What the lens computes beside the drag: bootstrap intervals, paired what-if comparisons and the best orders. The draws are the same for
// every slot and for both sides of a comparison, since a weight depends on the seed, the draw and the carousel alone.
#include "base/parallel.h"
#include "evaluation/carousel/carousel_value.h"
#include "evaluation/carousel/lens.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "evaluation/statistics/summation.h"
#include <algorithm>
#include <atomic>

namespace carousel {

namespace {
constexpr std::size_t slotsPerPass = 6; // 4 columns each: bounds the memory, and still spreads the cost of drawing weights

// Interval of `scale` times the mean of column `column`.
Interval meanInterval(const BootstrapSums& sums, std::size_t column, double scale, double confidence) {
    std::vector<double> draws(static_cast<std::size_t>(sums.draws));
    for (int draw = 0; draw < sums.draws; ++draw)
        draws[static_cast<std::size_t>(draw)] = scale * sums.at(draw, column) / sums.weight[static_cast<std::size_t>(draw)];
    return percentileInterval(std::move(draws), confidence);
}

Result<Interval> meanInterval(std::span<const double> values, int draws, double confidence, std::uint64_t seed, const RunControl& control) {
    if (values.empty() || draws < 1)
        return noInterval();
    const std::span<const double> columns[]{values};
    CAROUSEL_ASSIGN(const auto sums, bootstrapSums(columns, {}, draws, seed, control));
    return meanInterval(sums, 0, 1, confidence);
}
} // namespace

Result<LensIntervals> PositionLens::intervals(const CarouselModel& model, int draws, double confidence, std::uint64_t seed,
                                              const RunControl& control) const {
    CAROUSEL_TRY(checkCarousel(model, {}, {}));
    LensIntervals out;
    for (auto* per : {&out.reach, &out.examination, &out.click, &out.value, &out.hidden})
        per->assign(m_slots, noInterval());
    out.total = noInterval();
    if (m_carousels == 0 || draws < 1)
        return out;
    const std::size_t passes = (m_slots + slotsPerPass - 1) / slotsPerPass;
    std::vector<double> reach(m_carousels, 1.0);
    for (std::size_t pass = 0; pass < passes; ++pass) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("the lens's intervals"));
        const std::size_t first = pass * slotsPerPass, last = std::min(first + slotsPerPass, m_slots);
        std::vector<std::vector<double>> columns; // per slot: reach, reach alpha, reach alpha v, alpha v (1 - reach)
        for (std::size_t slot = first; slot < last; ++slot) {
            const std::size_t at = columns.size();
            columns.resize(at + 4, std::vector<double>(m_carousels));
            parallelFor(m_carousels, 1 << 14, [&](std::size_t begin, std::size_t end) {
                for (std::size_t c = begin; c < end; ++c) {
                    const double alpha = static_cast<double>(m_alpha[slot * m_carousels + c]);
                    const double worth = alpha * static_cast<double>(m_v[slot * m_carousels + c]);
                    columns[at][c] = reach[c];
                    columns[at + 1][c] = reach[c] * alpha;
                    columns[at + 2][c] = reach[c] * worth;
                    columns[at + 3][c] = worth * (1 - reach[c]);
                    reach[c] = reach[c] * (1 - thetaAt(model, slot) * alpha) * passOn(model, slot);
                }
            });
        }
        const std::vector<std::span<const double>> views(columns.begin(), columns.end());
        const auto part = control.slice(static_cast<double>(pass) / static_cast<double>(passes + 1),
                                        static_cast<double>(pass + 1) / static_cast<double>(passes + 1));
        CAROUSEL_ASSIGN(const auto sums, bootstrapSums(views, {}, draws, seed, part));
        for (std::size_t slot = first; slot < last; ++slot) {
            const std::size_t at = (slot - first) * 4;
            const double theta = thetaAt(model, slot);
            out.reach[slot] = meanInterval(sums, at, 1, confidence);
            out.examination[slot] = {theta * out.reach[slot].low, theta * out.reach[slot].high};
            out.click[slot] = meanInterval(sums, at + 1, theta, confidence);
            out.value[slot] = meanInterval(sums, at + 2, theta, confidence);
            out.hidden[slot] = meanInterval(sums, at + 3, 1, confidence);
        }
    }
    CAROUSEL_ASSIGN(const auto all, figures(model));
    const auto part = control.slice(static_cast<double>(passes) / static_cast<double>(passes + 1), 1);
    CAROUSEL_ASSIGN(out.total, meanInterval(all.valuePerCarousel, draws, confidence, seed, part));
    return out;
}

Result<PositionLens::Change> PositionLens::change(const CarouselModel& before, const CarouselModel& after, int draws, double confidence,
                                                  std::uint64_t seed, const RunControl& control) const {
    CAROUSEL_ASSIGN(const auto first, figures(before));
    CAROUSEL_ASSIGN(const auto second, figures(after));
    Change change{.before = first.value, .after = second.value, .difference = second.value - first.value, .interval = noInterval()};
    std::vector<double> difference(m_carousels);
    for (std::size_t c = 0; c < m_carousels; ++c)
        difference[c] = second.valuePerCarousel[c] - first.valuePerCarousel[c];
    CAROUSEL_ASSIGN(change.interval, meanInterval(difference, draws, confidence, seed, control));
    return change;
}

Result<PositionLens::Missed> PositionLens::missed(const CarouselModel& model, std::size_t stride, int draws, double confidence,
                                                  std::uint64_t seed, const RunControl& control) const {
    CAROUSEL_TRY(checkCarousel(model, {}, {}));
    stride = std::max<std::size_t>(stride, 1);
    Missed out;
    out.carousels = (m_carousels + stride - 1) / stride;
    out.missedInterval = noInterval();
    std::vector<double> best(out.carousels), missed(out.carousels);
    std::atomic<std::size_t> done{0};
    parallelFor(out.carousels, 64, [&](std::size_t begin, std::size_t end) {
        std::vector<double> alpha, v;
        for (std::size_t i = begin; i < end; ++i) {
            if (control.stopRequested())
                return;
            std::size_t items = m_slots;
            while (items > 0 && m_alpha[(items - 1) * m_carousels + i * stride] <= 0)
                --items;
            alpha.resize(items);
            v.resize(items);
            double reach = 1, shown = 0;
            for (std::size_t slot = 0; slot < items; ++slot) {
                alpha[slot] = static_cast<double>(m_alpha[slot * m_carousels + i * stride]);
                v[slot] = static_cast<double>(m_v[slot * m_carousels + i * stride]);
                const double click = reach * thetaAt(model, slot) * alpha[slot];
                shown += click * v[slot];
                reach = (reach - click) * passOn(model, slot);
            }
            best[i] = std::max(shown, bestOrder(model, alpha, v).value);
            missed[i] = best[i] - shown;
        }
        control.report("Best orders", static_cast<double>(done += end - begin), static_cast<double>(out.carousels), "carousels");
    });
    if (control.stopRequested())
        return fail(RunControl::cancelled("the missed value"));
    if (out.carousels == 0)
        return out;
    out.best = meanOfFinite(best).mean;
    out.missed = meanOfFinite(missed).mean;
    CAROUSEL_ASSIGN(out.missedInterval, meanInterval(missed, draws, confidence, seed, control));
    return out;
}

} // namespace carousel
