// SPDX-License-Identifier: GPL-3.0-or-later
// The position lens: what the slots of many carousels are worth under one user model, recomputed while the fold or the swipe probability
// is dragged. Columns are stored slot by slot (all carousels of slot 0, then of slot 1 ...), so that one pass over 100,000 carousels
// is a few vector operations per slot. Columns are floats, sums are doubles: figures equal carouselFigures of the same carousels within
// 1e-6 per unit of v (nothing but the rounding of alpha and v to a float). Thread rule: const members from any thread.
#pragma once
#include "base/run_control.h"
#include "evaluation/carousel/value.h"

namespace carousel {

struct LensFigures {
    CarouselModel model;
    std::vector<SlotFigures> slots;       // means over carousels
    double value = 0;                     // mean V
    std::vector<double> valuePerCarousel; // V of each
};
struct LensIntervals {
    std::vector<Interval> reach, examination, click, value, hidden; // per slot, bootstrap over carousels (users)
    Interval total;                                                 // of mean V
};

class PositionLens {
public:
    // alpha, v: carousels x slots, carousel by carousel; shorter carousels are padded with alpha 0. CL-8001 outside [0,1] or v < 0.
    // segment: per carousel code, or empty; a negative code is in no row of the heat map. target: per carousel 0-based slot of the ideal
    // item, -1 none (not counted by landing()), or slots and beyond. CL-8042 when counts disagree.
    static Result<PositionLens> make(std::size_t slots, std::span<const float> alpha, std::span<const float> v,
                                     std::vector<std::int32_t> segment = {}, std::vector<std::string> segmentNames = {},
                                     std::vector<std::int32_t> target = {});
    std::size_t carousels() const { return m_carousels; }
    std::size_t slots() const { return m_slots; }
    const std::vector<std::string>& segmentNames() const { return m_segmentNames; }

    // One pass; a few milliseconds for 100,000 carousels of 12 slots on 2 cores. The model's examination has one entry per place of a page.
    Result<LensFigures> figures(const CarouselModel& model) const;
    Result<LensIntervals> intervals(const CarouselModel& model, int draws, double confidence, std::uint64_t seed,
                                    const RunControl& control) const;
    // Paired: mean V under `after` minus under `before`, with its bootstrap interval over carousels. "7 visible instead of 6".
    struct Change {
        double before = 0, after = 0, difference = 0;
        Interval interval;
    };
    Result<Change> change(const CarouselModel& before, const CarouselModel& after, int draws, double confidence, std::uint64_t seed,
                          const RunControl& control) const;
    // V of the best order of each carousel's own items, and what is missed. Seconds for 100,000: not on the drag path. stride > 1: an even
    // sample of the carousels. Slots with attraction 0 at the end are padding and not items: no order may put them between items.
    struct Missed {
        double best = 0, missed = 0;
        Interval missedInterval;
        std::size_t carousels = 0;
    };
    Result<Missed> missed(const CarouselModel& model, std::size_t stride, int draws, double confidence, std::uint64_t seed,
                          const RunControl& control) const;
    // Mean figure per segment (rows) and slot (columns), for the heat map.
    enum class Figure { reach, examination, click, value, hidden };
    struct HeatMap {
        std::vector<std::string> segments;
        std::vector<std::int64_t> carousels; // per segment
        std::size_t slots = 0;
        std::vector<double> mean; // segments x slots
    };
    Result<HeatMap> heatMap(const CarouselModel& model, Figure figure) const;
    // Share of carousels whose ideal item stands at position 1 .. slots (last entry: beyond or absent), and "just outside": the share at
    // window + 1 .. window + 4.
    struct Landing {
        std::vector<double> share;
        double justOutside = 0;
        std::int64_t withTarget = 0; // carousels with an ideal item: what the shares are of
    };
    Landing landing(int window) const;

private:
    std::size_t m_carousels = 0, m_slots = 0;
    std::vector<float> m_alpha, m_v; // slot-major
    std::vector<std::int32_t> m_segment, m_target;
    std::vector<std::string> m_segmentNames;
};

} // namespace carousel
