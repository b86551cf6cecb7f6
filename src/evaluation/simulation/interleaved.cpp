// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/interleaved.h"
#include "base/parallel.h"
#include <algorithm>
#include <mutex>
#include <optional>

namespace carousel {

Result<InterleavedVisits> interleave(const SimulationPlan& plan, InterleavingMethod method, const RunControl& control) {
    if (!plan.visitors || plan.arms.size() != 2 || plan.settings.rounds < 1 || plan.settings.slots < 1)
        return fail(ErrorKind::input, "CL-3130", fmt::format("Interleaving takes users and two strategies; {} were given.", plan.arms.size()), "Compare two strategies at a time.");
    const std::size_t users = plan.who.empty() ? plan.visitors->users() : plan.who.size();
    InterleavedVisits out;
    out.clicksA.assign(users, 0), out.clicksB.assign(users, 0);
    std::vector<int> visits(users, 0);
    std::mutex guard; // of `error`
    std::optional<std::pair<std::size_t, Error>> error;
    const auto length = static_cast<std::size_t>(plan.settings.slots);
    const auto work = [&](std::size_t begin, std::size_t end) {
        std::vector<std::int32_t> a(length), b(length), slate(length);
        for (std::size_t u = begin; u < end && !control.stopRequested(); ++u) {
            const std::int32_t who = plan.who.empty() ? static_cast<std::int32_t>(u) : plan.who[u];
            VisitMemory memory;
            for (int round = 0; round < plan.settings.rounds; ++round) {
                RandomStream random(plan.settings.seed, "interleaving", u, static_cast<std::uint64_t>(round));
                plan.arms[0].source->slate(who, memory.clicked, a);
                plan.arms[1].source->slate(who, memory.clicked, b);
                const auto real = [](const std::vector<std::int32_t>& list) {
                    return std::span<const std::int32_t>(list.begin(), std::find(list.begin(), list.end(), -1));
                };
                const Interleaved mixed = method == InterleavingMethod::teamDraft ? teamDraft(real(a), real(b), length, random) : probabilisticInterleave(real(a), real(b), length, random);
                std::fill(std::copy(mixed.items.begin(), mixed.items.end(), slate.begin()), slate.end(), -1);
                const auto happened = plan.visitors->visit(who, slate, memory, random, control);
                if (!happened) {
                    const std::scoped_lock lock(guard);
                    if (!error || u < error->first)
                        error.emplace(u, happened.error());
                    return;
                }
                ++visits[u];
                if (happened->clickSlot < 0)
                    continue;
                const auto slot = static_cast<std::size_t>(happened->clickSlot);
                ++(mixed.team[slot] == 0 ? out.clicksA : out.clicksB)[u];
                if (plan.settings.feedback)
                    memory.clicked.insert(std::lower_bound(memory.clicked.begin(), memory.clicked.end(), mixed.items[slot]), mixed.items[slot]);
            }
        }
    };
    if (plan.visitors->oneAtATime())
        work(0, users);
    else
        parallelFor(users, 256, work);
    if (error)
        return fail(std::move(error->second));
    if (control.stopRequested())
        return fail(RunControl::cancelled("interleaving"));
    for (const int n : visits)
        out.visits += n;
    return out;
}

} // namespace carousel
