// SPDX-License-Identifier: GPL-3.0-or-later
// Logs drawn from a click model, for the tests of fits.
#pragma once
#include "base/random.h"
#include "evaluation/click_models/fit.h"
#include <memory>
#include <numeric>
#include <stdexcept>

namespace carousel {

inline ClickModelParameters someParameters(ClickModelKind kind, std::size_t items, std::size_t slots, int window, std::uint64_t seed) {
    using K = ClickModelKind;
    RandomStream random(seed, "parameters");
    auto some = [&](std::size_t n, double low, double high) {
        std::vector<double> values(n);
        for (double& value : values)
            value = low + (high - low) * random.uniform();
        return values;
    };
    ClickModelParameters p;
    if (kind != K::rankCtr)
        p.attraction = some(items, 0.1, 0.5);
    if (kind == K::sdbn || kind == K::dbn)
        p.satisfaction = some(items, 0.2, 0.8);
    if (kind == K::rankCtr || kind == K::pbm || kind == K::ubm)
        p.examination = some(kind == K::ubm ? slots * (slots + 1) : slots, 0.3, 0.95);
    if (kind == K::dcm || kind == K::dbn || kind == K::ccm)
        p.continuation = some(kind == K::dcm ? slots : kind == K::dbn ? 1 : 3, 0.4, 0.9);
    if (kind == K::carousel) {
        p.window = window;
        p.examination = some(static_cast<std::size_t>(window), 0.4, 0.95);
        p.swipe = 0.55;
        p.continueAfterClick = 0.4;
        p.reset = 0.8;
    }
    return p;
}

// Slates of `slots` different items at random. Reach is kept when `reach` says so and the model has it.
inline ClickLog drawnLog(ClickModelKind kind, const ClickModelParameters& parameters, std::int32_t items, std::int32_t slots,
                         std::size_t sessions, std::uint64_t seed, bool reach = false) {
    const auto model = makeClickModel(kind, parameters, items, slots);
    if (!model)
        throw std::runtime_error(model.error().message);
    ClickLog log;
    log.items = items;
    log.slots = slots;
    const auto n = static_cast<std::size_t>(slots);
    std::vector<std::int32_t> order(static_cast<std::size_t>(items));
    std::vector<std::uint8_t> click(n), reached(n);
    for (std::size_t s = 0; s < sessions; ++s) {
        RandomStream random(seed, "slates", s);
        std::iota(order.begin(), order.end(), 0);
        for (std::size_t k = 0; k < n; ++k) {
            std::swap(order[k], order[k + static_cast<std::size_t>(random.below(order.size() - k))]);
            log.item.push_back(order[k]);
            log.slot.push_back(static_cast<std::int16_t>(k));
        }
        log.click.insert(log.click.end(), n, 0);
        log.offsets.push_back(log.item.size());
        (*model)->draw(session(log, s), seed, s, click, reached);
        std::copy(click.begin(), click.end(), log.click.end() - static_cast<std::ptrdiff_t>(n));
        if (reach)
            log.reached.insert(log.reached.end(), reached.begin(), reached.end());
    }
    return log;
}

} // namespace carousel
