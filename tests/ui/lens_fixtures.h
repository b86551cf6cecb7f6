// SPDX-License-Identifier: GPL-3.0-or-later
// Lenses over made-up carousels, for the tests and the benchmark of the lens panel.
#pragma once
#include "base/random.h"
#include "workbench/workbench.h"

namespace carousel::test {

inline std::shared_ptr<const RunLens> madeLens(std::size_t carousels, std::size_t slots, std::int64_t run, bool withLog = true) {
    RandomStream random(static_cast<std::uint64_t>(run), "lens");
    std::vector<float> alpha(carousels * slots), v(alpha.size());
    std::vector<std::int32_t> segment(carousels), target(carousels);
    for (std::size_t c = 0; c < carousels; ++c) {
        segment[c] = static_cast<std::int32_t>(c % 4) - (c % 17 == 0 ? 5 : 0); // some are in no segment
        target[c] = static_cast<std::int32_t>(c % (slots + 3));
        for (std::size_t s = 0; s < slots; ++s) {
            alpha[c * slots + s] = static_cast<float>(0.3 * random.uniform());
            v[c * slots + s] = static_cast<float>(1 + random.uniform());
        }
    }
    auto made = std::make_shared<RunLens>();
    made->run = run;
    made->strategy = run == 1 ? "Popularity" : "Sequence rules";
    made->colour = static_cast<int>(run) - 1;
    made->model = CarouselModel::geometric(6, 0.35, 0.85);
    made->segmentField = "device";
    made->note = "made up";
    made->logNote = withLog ? "made up" : "made up: no log";
    made->conversionNote = "made up: no purchases";
    if (withLog)
        for (std::size_t s = 0; s < slots; ++s) {
            const double rate = 0.1 / static_cast<double>(s + 1);
            made->rawCtr.push_back(rate);
            made->correctedCtr.push_back(0.1);
            made->rawInterval.push_back({rate - 0.005, rate + 0.005});
            made->correctedInterval.push_back({0.09, 0.11});
        }
    auto lens = PositionLens::make(slots, alpha, v, segment, {"phone", "tablet", "laptop", "television"}, target);
    if (!lens)
        return nullptr;
    made->lens = std::move(*lens);
    return made;
}

} // namespace carousel::test
