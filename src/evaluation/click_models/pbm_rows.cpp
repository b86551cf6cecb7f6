// SPDX-License-Identifier: GPL-3.0-or-later
// One EM iteration of the PBM that walks every row. For rows without a click both posteriors need 1 / (1 - gamma alpha); with t that inverse,
// alpha's share is alpha (1 - gamma) t = 1 - (1 - alpha) t and gamma's is 1 - (1 - gamma) t, so one sum of t per item and per slot says both.
#include "base/parallel.h"
#include "evaluation/click_models/fit.h"
#include <algorithm>

namespace carousel {

namespace {
struct Sums { // per item or slot: impressions, clicks, sum of t over rows without a click
    std::vector<double> t;
    std::vector<std::uint32_t> shown, clicks;
    explicit Sums(std::size_t n) : t(n, 0.0), shown(n, 0), clicks(n, 0) {}
};
struct Chunk {
    Sums items, slots;
};
} // namespace

void pbmIterationByRows(const ClickLog& log, ClickModelParameters& parameters, double priorClicks, double priorImpressions) {
    const std::size_t rows = log.rows(), items = parameters.attraction.size(), slots = parameters.examination.size();
    const std::size_t wanted = std::clamp<std::size_t>((std::size_t{1} << 23) / (items + slots + 1), 1, 8);
    const std::size_t grain = std::max<std::size_t>(1, (rows + wanted - 1) / wanted);
    std::vector<Chunk> chunks;
    for (std::size_t begin = 0; begin < rows; begin += grain)
        chunks.push_back({Sums(items), Sums(slots)});
    const double* alpha = parameters.attraction.data();
    const double* gamma = parameters.examination.data();
    parallelFor(rows, grain, [&](std::size_t begin, std::size_t end) {
        Sums &byItem = chunks[begin / grain].items, &bySlot = chunks[begin / grain].slots;
        constexpr std::size_t block = 512;
        double t[block];
        for (std::size_t from = begin; from < end; from += block) {
            const std::size_t n = std::min(block, end - from);
            const std::int32_t* item = log.item.data() + from;
            const std::int16_t* slot = log.slot.data() + from;
            const std::uint8_t* click = log.click.data() + from;
            for (std::size_t j = 0; j < n; ++j)
                t[j] = 1 - alpha[item[j]] * gamma[slot[j]];
            for (std::size_t j = 0; j < n; ++j)
                t[j] = (click[j] ? 0.0 : 1.0) / std::max(t[j], 1e-12);
            for (std::size_t j = 0; j < n; ++j) {
                const auto i = static_cast<std::size_t>(item[j]), s = static_cast<std::size_t>(slot[j]);
                byItem.t[i] += t[j];
                bySlot.t[s] += t[j];
                ++byItem.shown[i];
                ++bySlot.shown[s];
                byItem.clicks[i] += click[j];
                bySlot.clicks[s] += click[j];
            }
        }
    });
    auto update = [&](std::vector<double>& p, Sums Chunk::*which) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            double t = 0, shown = 0, clicks = 0;
            for (const Chunk& chunk : chunks) {
                t += (chunk.*which).t[i];
                shown += (chunk.*which).shown[i];
                clicks += (chunk.*which).clicks[i];
            }
            // clicks + sum of (1 - (1 - p) t) over the rows without a click
            const double attracted = shown - (1 - p[i]) * t;
            if (shown + priorImpressions > 0)
                p[i] = std::clamp((attracted + priorClicks) / (shown + priorImpressions), 0.0, 1.0);
        }
    };
    update(parameters.attraction, &Chunk::items);
    update(parameters.examination, &Chunk::slots);
}

} // namespace carousel
