// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/visitors.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

double attractionOf(double logit) { return 1 / (1 + std::exp(-logit)); }

// Per slot, kept from visit to visit by each thread.
std::vector<double>& roomFor(std::size_t slots) {
    thread_local std::vector<double> room;
    room.resize(slots);
    return room;
}

// One draw per slot decides whether it is looked at and clicked; with fatigue the same draw says whether an item that was not clicked was
// looked at, since that is remembered. `logits`: per slot, anything behind the end of the slate.
Visit walk(std::span<const double> logits, const Behaviour& behaviour, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random) {
    Visit out;
    const int slots = static_cast<int>(slate.size());
    double best = -1e300;
    int bestSlot = -1;
    const bool tires = behaviour.fatigue > 0;
    for (int first = 0; first < slots && out.clickSlot < 0; first += behaviour.window) {
        if (first > 0 && !(random.uniform() < behaviour.swipe))
            break;
        ++out.pages;
        const int end = std::min(slots, first + behaviour.window);
        for (int slot = first; slot < end; ++slot) {
            const std::int32_t item = slate[static_cast<std::size_t>(slot)];
            if (item < 0)
                break;
            const double theta = behaviour.examinationAt(slot - first); // each page begins anew
            double logit = logits[static_cast<std::size_t>(slot)];
            if (logit > best)
                best = logit, bestSlot = slot;
            if (tires)
                if (const auto it = memory.looks.find(item); it != memory.looks.end())
                    logit -= behaviour.fatigue * static_cast<double>(it->second);
            const double alpha = attractionOf(logit), draw = random.uniform();
            if (draw < theta * alpha) {
                out.looks += 1;
                out.clickSlot = slot;
                out.bought = random.uniform() < behaviour.buy;
                break;
            }
            if (tires) {
                if (draw < theta) { // between theta alpha and theta: looked at and not clicked
                    out.looks += 1;
                    memory.looks[item] += 1;
                }
            } else {
                out.looks += static_cast<float>(theta * (1 - alpha) / (1 - theta * alpha)); // given that it was not clicked
            }
        }
    }
    if (out.clickSlot < 0) { // was the best one on a page that never came into view?
        const int seen = out.pages * behaviour.window;
        for (int slot = seen; slot < slots && slate[static_cast<std::size_t>(slot)] >= 0; ++slot)
            if (const double logit = logits[static_cast<std::size_t>(slot)]; logit > best)
                best = logit, bestSlot = slot;
        out.missed = bestSlot >= seen;
    }
    return out;
}

} // namespace

Result<Visit> NumericVisitors::visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                                     const RunControl&) const {
    std::vector<double>& logits = roomFor(slate.size());
    m_population.logits(user, slate, logits);
    return walk(logits, m_behaviour, slate, memory, random);
}

Result<Visit> ReplayVisitors::visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                                    const RunControl&) const {
    constexpr double certain = 50; // on the logit scale
    const auto& wanted = m_wanted[static_cast<std::size_t>(user)];
    const auto logit = [&](std::int32_t item) { return std::binary_search(wanted.begin(), wanted.end(), item) ? certain : -certain; };
    std::vector<double>& logits = roomFor(slate.size());
    for (std::size_t slot = 0; slot < slate.size(); ++slot)
        logits[slot] = slate[slot] >= 0 ? logit(slate[slot]) : 0;
    Visit out = walk(logits, m_behaviour, slate, memory, random);
    if (out.missed) // nothing that is wanted was in the carousel: there was nothing to miss
        out.missed = std::any_of(logits.begin(), logits.end(), [](double each) { return each > 0; });
    return out;
}

} // namespace carousel
