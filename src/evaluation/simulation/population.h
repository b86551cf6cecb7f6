// SPDX-License-Identifier: GPL-3.0-or-later
// The users of a simulation: what they like and how they behave in front of a carousel. Plain numbers; immutable while a simulation runs.
//
// Attraction of an item for a user: sigmoid(base + bias[item] + user vector . item vector - fatigue x earlier looks without a click).
// A visit: the slots of the page in view are looked at with examination[slot]; a slot looked at is clicked with its attraction; the first
// click ends the visit, and a click becomes a purchase with `buy`; after a page without a click the user swipes with `swipe`.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

struct Population {
    std::size_t users = 0, items = 0, rank = 0;
    std::vector<float> userVectors, itemVectors; // users x rank, items x rank
    std::vector<float> itemBias;                 // per item
    float base = 0;
    std::vector<float> value; // of a purchase, per item; empty: 1 each

    double logit(std::int32_t user, std::int32_t item) const {
        const float* const u = userVectors.data() + static_cast<std::size_t>(user) * rank;
        const float* const v = itemVectors.data() + static_cast<std::size_t>(item) * rank;
        float sum = base + itemBias[static_cast<std::size_t>(item)];
        for (std::size_t k = 0; k < rank; ++k)
            sum += u[k] * v[k];
        return static_cast<double>(sum);
    }
    // The same of every item of a slate (0 where it has none), eight sums at a time so that none waits for another: equal to logit().
    void logits(std::int32_t user, std::span<const std::int32_t> slate, std::span<double> out) const;
    double valueOf(std::int32_t item) const { return value.empty() ? 1.0 : static_cast<double>(value[static_cast<std::size_t>(item)]); }
};
Result<void> checkPopulation(const Population& population); // CL-3130: sizes that do not fit, values that are not finite

struct Behaviour {
    int window = 6;                          // slots of a page
    std::vector<double> examination{1};      // per slot of a page, 0..1; the last one holds for the rest
    double swipe = 0.35, buy = 0.15;         // probabilities
    double fatigue = 0;                      // taken from the logit for each earlier look at the same item that led to nothing
    // Satisfaction starts at 0.5 and moves by this share to 1 after a click and to 0 after a visit without one. 0: it does not move.
    double satisfactionRate = 0;
    double leave = 0;                        // chance not to come back after a visit, times 2 (1 - satisfaction): `leave` itself at 0.5
    double examinationAt(int slot) const {
        const auto k = static_cast<std::size_t>(slot % window);
        return examination[std::min(k, examination.size() - 1)];
    }
};
Result<void> checkBehaviour(const Behaviour& behaviour); // CL-3130

} // namespace carousel
