// SPDX-License-Identifier: GPL-3.0-or-later
// One EM iteration of the PBM that walks every row and keeps nothing for the next. What a row adds depends on its item, slot and click
// only, so the walk tallies rows and clicks per (item, slot), one packed addition each, and the posteriors follow per cell.
#include "base/parallel.h"
#include "evaluation/click_models/fit.h"
#include <algorithm>

namespace carousel {

void pbmIterationByRows(const ClickLog& log, ClickModelParameters& parameters, double priorClicks, double priorImpressions) {
    const std::size_t rows = log.rows(), items = parameters.attraction.size(), slots = parameters.examination.size(), cells = items * slots;
    // Few chunks, so that a tally is filled many times over before it is added up.
    const std::size_t chunks = std::clamp<std::size_t>(rows / (4 * cells + 1), 1, 4);
    const std::size_t grain = std::max<std::size_t>(1, (rows + chunks - 1) / chunks);
    std::vector<std::vector<std::uint64_t>> tallies((rows + grain - 1) / grain); // rows, and clicks from bit 32 on
    parallelFor(rows, grain, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint64_t>& tally = tallies[begin / grain];
        tally.assign(cells, 0);
        const std::int32_t* item = log.item.data();
        const std::int16_t* slot = log.slot.data();
        const std::uint8_t* click = log.click.data();
        std::uint64_t* at = tally.data();
        const auto width = static_cast<std::uint32_t>(slots);
        for (std::size_t r = begin; r < end; ++r)
            at[static_cast<std::uint32_t>(item[r]) * std::size_t{width} + static_cast<std::uint32_t>(slot[r])] +=
                1 + (static_cast<std::uint64_t>(click[r]) << 32);
    });

    struct Looks {
        std::vector<double> successes, trials;
    };
    const std::size_t itemGrain = std::max<std::size_t>(1, 65536 / std::max<std::size_t>(slots, 1));
    std::vector<Looks> looks((items + itemGrain - 1) / itemGrain);
    std::vector<double> attraction(items);
    parallelFor(items, itemGrain, [&](std::size_t begin, std::size_t end) {
        Looks& look = looks[begin / itemGrain];
        look.successes.assign(slots, 0.0);
        look.trials.assign(slots, 0.0);
        for (std::size_t i = begin; i < end; ++i) {
            const double alpha = parameters.attraction[i];
            double successes = 0, trials = 0;
            for (std::size_t k = 0; k < slots; ++k) {
                double shown = 0, clicks = 0;
                for (const auto& tally : tallies) {
                    const std::uint64_t both = tally[i * slots + k];
                    shown += static_cast<double>(both & 0xFFFFFFFF);
                    clicks += static_cast<double>(both >> 32);
                }
                // Without a click: alpha (1 - gamma) t = 1 - (1 - alpha) t with t = 1 / (1 - alpha gamma), and the same for gamma.
                const double gamma = parameters.examination[k], t = (shown - clicks) / std::max(1 - alpha * gamma, 1e-12);
                successes += shown - (1 - alpha) * t;
                trials += shown;
                look.successes[k] += shown - (1 - gamma) * t;
                look.trials[k] += shown;
            }
            attraction[i] =
                trials + priorImpressions > 0 ? std::clamp((successes + priorClicks) / (trials + priorImpressions), 0.0, 1.0) : alpha;
        }
    });
    parameters.attraction = std::move(attraction);
    for (std::size_t k = 0; k < slots; ++k) {
        double successes = 0, trials = 0;
        for (const Looks& look : looks) {
            successes += look.successes[k];
            trials += look.trials[k];
        }
        if (trials + priorImpressions > 0)
            parameters.examination[k] = std::clamp((successes + priorClicks) / (trials + priorImpressions), 0.0, 1.0);
    }
}

} // namespace carousel
