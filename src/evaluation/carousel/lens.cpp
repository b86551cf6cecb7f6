// SPDX-License-Identifier: GPL-3.0-or-later
// The drag path of the lens: one pass over the columns. Each slot needs four sums (reach, reach alpha, reach alpha v, alpha v (1 - reach));
// everything else is one of them times theta, because theta is the same for every carousel. The sums of a block are kept apart and added in
// the order of blocks, so that the figures do not depend on the number of threads.
#include "evaluation/carousel/lens.h"
#include "base/parallel.h"
#include "evaluation/carousel/carousel_value.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace carousel {

namespace {
constexpr std::size_t block = 512; // carousels whose reach stays in the first-level cache
constexpr std::size_t grain = 8 * block;
constexpr std::size_t lanes = 4;
typedef double Doubles __attribute__((vector_size(lanes * sizeof(double)))); // two registers where there is no AVX; the same sums
typedef float Floats __attribute__((vector_size(lanes * sizeof(float))));

auto mismatch(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::input, "CL-8042", what, hint);
}
double total(const Doubles& sums) {
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// One slot of up to `block` carousels. reach: before the slot on entry, before the next one on return. value gains theta reach alpha v.
struct SlotSums {
    double reach = 0, seen = 0, worth = 0, hidden = 0; // sums of reach, reach alpha, reach alpha v, alpha v (1 - reach)
    void add(const SlotSums& other) {
        reach += other.reach;
        seen += other.seen;
        worth += other.worth;
        hidden += other.hidden;
    }
};
SlotSums passSlot(const float* alpha, const float* v, double theta, double onward, std::size_t count, double* reach, double* value) {
    Doubles reachSum{}, seenSum{}, worthSum{}, hiddenSum{};
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        Floats a, w;
        Doubles r, sum;
        std::memcpy(&a, alpha + i, sizeof a);
        std::memcpy(&w, v + i, sizeof w);
        std::memcpy(&r, reach + i, sizeof r);
        std::memcpy(&sum, value + i, sizeof sum);
        const Doubles click = __builtin_convertvector(a, Doubles), price = __builtin_convertvector(w, Doubles);
        const Doubles seen = r * click, worth = seen * price;
        reachSum += r;
        seenSum += seen;
        worthSum += worth;
        hiddenSum += click * price * (1 - r);
        sum += theta * worth;
        r = (r - theta * seen) * onward;
        std::memcpy(reach + i, &r, sizeof r);
        std::memcpy(value + i, &sum, sizeof sum);
    }
    SlotSums sums{total(reachSum), total(seenSum), total(worthSum), total(hiddenSum)};
    for (; i < count; ++i) {
        const double click = static_cast<double>(alpha[i]), price = static_cast<double>(v[i]);
        const double seen = reach[i] * click, worth = seen * price;
        sums.add({reach[i], seen, worth, click * price * (1 - reach[i])});
        value[i] += theta * worth;
        reach[i] = (reach[i] - theta * seen) * onward;
    }
    return sums;
}

inline double figureOf(PositionLens::Figure figure, double reach, double theta, double alpha, double v) {
    switch (figure) {
    case PositionLens::Figure::reach:
        return reach;
    case PositionLens::Figure::examination:
        return reach * theta;
    case PositionLens::Figure::click:
        return reach * theta * alpha;
    case PositionLens::Figure::value:
        return reach * theta * alpha * v;
    case PositionLens::Figure::hidden:
        break;
    }
    return alpha * v * (1 - reach);
}
} // namespace

Result<PositionLens> PositionLens::make(std::size_t slots, std::span<const float> alpha, std::span<const float> v,
                                        std::vector<std::int32_t> segment, std::vector<std::string> segmentNames,
                                        std::vector<std::int32_t> target) {
    if (slots == 0)
        return mismatch("the carousels have no slots", "Give carousels of at least one slot.");
    if (alpha.size() != v.size() || alpha.size() % slots != 0)
        return mismatch(fmt::format("{} attractions and {} values do not make carousels of {} slots", alpha.size(), v.size(), slots),
                        "Pad shorter carousels with attraction 0.");
    PositionLens lens;
    lens.m_slots = slots;
    lens.m_carousels = alpha.size() / slots;
    if (!segment.empty() && segment.size() != lens.m_carousels)
        return mismatch(fmt::format("{} segment codes for {} carousels", segment.size(), lens.m_carousels),
                        "Give one per carousel, or none.");
    for (const auto code : segment)
        if (code >= static_cast<std::int32_t>(segmentNames.size()))
            return mismatch(fmt::format("segment code {} where {} segments have names", code, segmentNames.size()), "Name every segment.");
    if (!target.empty() && target.size() != lens.m_carousels)
        return mismatch(fmt::format("{} ideal items for {} carousels", target.size(), lens.m_carousels), "Give one per carousel, or none.");
    for (std::size_t i = 0; i < alpha.size(); ++i)
        if (!(alpha[i] >= 0 && alpha[i] <= 1) || !(v[i] >= 0) || !std::isfinite(v[i]))
            return fail(
                ErrorKind::input, "CL-8001",
                fmt::format("carousel {} has attraction {} and value {} at position {}", i / slots + 1, alpha[i], v[i], i % slots + 1),
                "An attraction is a probability, 0 to 1; a value is 0 or more.");
    lens.m_alpha.resize(alpha.size());
    lens.m_v.resize(v.size());
    parallelFor(slots, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t slot = begin; slot < end; ++slot)
            for (std::size_t c = 0; c < lens.m_carousels; ++c) {
                lens.m_alpha[slot * lens.m_carousels + c] = alpha[c * slots + slot];
                lens.m_v[slot * lens.m_carousels + c] = v[c * slots + slot];
            }
    });
    lens.m_segment = std::move(segment);
    lens.m_segmentNames = std::move(segmentNames);
    lens.m_target = std::move(target);
    return lens;
}

Result<LensFigures> PositionLens::figures(const CarouselModel& model) const {
    CAROUSEL_TRY(checkCarousel(model, {}, {}));
    LensFigures figures;
    figures.model = model;
    figures.slots.resize(m_slots);
    figures.valuePerCarousel.assign(m_carousels, 0);
    const std::size_t chunks = (m_carousels + grain - 1) / grain;
    std::vector<SlotSums> sums(chunks * m_slots);
    parallelFor(m_carousels, grain, [&](std::size_t begin, std::size_t end) {
        SlotSums* mine = sums.data() + begin / grain * m_slots;
        std::array<double, block> reach;
        for (std::size_t from = begin; from < end; from += block) {
            const std::size_t count = std::min(block, end - from);
            std::fill_n(reach.begin(), count, 1.0);
            for (std::size_t slot = 0; slot < m_slots; ++slot) {
                const std::size_t at = slot * m_carousels + from;
                const auto part = passSlot(m_alpha.data() + at, m_v.data() + at, thetaAt(model, slot), passOn(model, slot), count,
                                           reach.data(), figures.valuePerCarousel.data() + from);
                mine[slot].add(part);
            }
        }
    });
    if (m_carousels == 0)
        return figures;
    const auto n = static_cast<double>(m_carousels);
    for (std::size_t slot = 0; slot < m_slots; ++slot) {
        SlotSums sum;
        for (std::size_t chunk = 0; chunk < chunks; ++chunk)
            sum.add(sums[chunk * m_slots + slot]);
        const double theta = thetaAt(model, slot);
        auto& out = figures.slots[slot];
        out.reach = sum.reach / n;
        out.examination = theta * out.reach;
        out.click = theta * sum.seen / n;
        out.value = theta * sum.worth / n;
        out.hidden = sum.hidden / n;
        figures.value += out.value;
    }
    return figures;
}

Result<PositionLens::HeatMap> PositionLens::heatMap(const CarouselModel& model, Figure figure) const {
    CAROUSEL_TRY(checkCarousel(model, {}, {}));
    HeatMap map;
    map.slots = m_slots;
    map.segments = m_segment.empty() ? std::vector<std::string>{"all"} : m_segmentNames;
    const std::size_t rows = map.segments.size();
    map.carousels.assign(rows, 0);
    map.mean.assign(rows * m_slots, 0);
    for (std::size_t c = 0; c < m_carousels; ++c)
        if (const auto code = m_segment.empty() ? 0 : m_segment[c]; code >= 0)
            ++map.carousels[static_cast<std::size_t>(code)];
    // Sums per chunk, lane and cell: neighbouring carousels of one segment add to different cells, so that no addition waits for the last.
    const std::size_t chunks = (m_carousels + grain - 1) / grain, cells = rows * m_slots;
    std::vector<double> sums(chunks * lanes * cells, 0.0);
    parallelFor(m_carousels, grain, [&](std::size_t begin, std::size_t end) {
        double* mine = sums.data() + begin / grain * lanes * cells;
        std::array<double, block> reach, shown;
        for (std::size_t from = begin; from < end; from += block) {
            const std::size_t count = std::min(block, end - from);
            std::fill_n(reach.begin(), count, 1.0);
            for (std::size_t slot = 0; slot < m_slots; ++slot) {
                const float *alpha = m_alpha.data() + slot * m_carousels + from, *v = m_v.data() + slot * m_carousels + from;
                const double theta = thetaAt(model, slot), onward = passOn(model, slot);
                for (std::size_t i = 0; i < count; ++i) {
                    const double click = theta * reach[i] * static_cast<double>(alpha[i]);
                    shown[i] = figureOf(figure, reach[i], theta, static_cast<double>(alpha[i]), static_cast<double>(v[i]));
                    reach[i] = (reach[i] - click) * onward;
                }
                for (std::size_t i = 0; i < count; ++i)
                    if (const auto code = m_segment.empty() ? 0 : m_segment[from + i]; code >= 0)
                        mine[(i % lanes * rows + static_cast<std::size_t>(code)) * m_slots + slot] += shown[i];
            }
        }
    });
    for (std::size_t part = 0; part < chunks * lanes; ++part)
        for (std::size_t i = 0; i < cells; ++i)
            map.mean[i] += sums[part * cells + i];
    for (std::size_t i = 0; i < map.mean.size(); ++i)
        map.mean[i] /= static_cast<double>(map.carousels[i / m_slots]); // an empty segment has no mean: NaN
    return map;
}

PositionLens::Landing PositionLens::landing(int window) const {
    Landing landing;
    landing.share.assign(m_slots + 1, 0);
    for (const auto slot : m_target) {
        if (slot < 0)
            continue;
        ++landing.withTarget;
        landing.share[std::min(static_cast<std::size_t>(slot), m_slots)] += 1;
    }
    if (landing.withTarget == 0)
        return landing;
    for (auto& share : landing.share)
        share /= static_cast<double>(landing.withTarget);
    const auto first = static_cast<std::size_t>(std::max(window, 0));
    for (std::size_t slot = first; slot < std::min(first + 4, m_slots); ++slot)
        landing.justOutside += landing.share[slot];
    return landing;
}

} // namespace carousel
