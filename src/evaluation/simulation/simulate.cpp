// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/simulate.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace carousel {

namespace {

constexpr std::size_t usersAtOnce = 256;

// What is remembered of a user between visits.
struct Memory {
    std::vector<std::int32_t> clicked; // ascending
    std::unordered_map<std::int32_t, float> looks; // without a click; with fatigue only
};

struct Visit {
    int clickSlot = -1, pages = 0;
    bool bought = false, missed = false;
    float looks = 0;
};

double attractionOf(double logit) { return 1 / (1 + std::exp(-logit)); }

// One draw per slot decides whether it is looked at and clicked; with fatigue a second one says whether an item that was not clicked was
// looked at, since that is remembered.
Visit visit(const Population& population, const Behaviour& behaviour, std::int32_t user, std::span<const std::int32_t> slate, Memory& memory,
            RandomStream& random) {
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
            const double theta = behaviour.examinationAt(slot);
            double logit = population.logit(user, item);
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
            const double lookedAt = theta * (1 - alpha) / (1 - theta * alpha); // given that it was not clicked
            if (tires) {
                if (draw < theta) { // the same draw: between theta alpha and theta it was looked at and not clicked
                    out.looks += 1;
                    memory.looks[item] += 1;
                }
            } else {
                out.looks += static_cast<float>(lookedAt);
            }
        }
    }
    if (out.clickSlot < 0) { // was the best one on a page that never came into view?
        const int seen = out.pages * behaviour.window;
        for (int slot = seen; slot < slots && slate[static_cast<std::size_t>(slot)] >= 0; ++slot)
            if (const double logit = population.logit(user, slate[static_cast<std::size_t>(slot)]); logit > best)
                best = logit, bestSlot = slot;
        out.missed = bestSlot >= seen;
    }
    return out;
}

// Sums of a chunk of users; added up in the order of the chunks, so that threads do not matter.
struct ChunkSums {
    RoundTotals totals;
    std::vector<double> shown, clicked;
    std::vector<std::int32_t> firstPage; // items, with repeats
    std::vector<SimulatedClick> clicks;
};

void addUp(const ChunkSums& chunk, RoundTotals& round, SimulatedArm& arm) {
    round.visits += chunk.totals.visits, round.clicks += chunk.totals.clicks, round.purchases += chunk.totals.purchases;
    round.value += chunk.totals.value, round.missed += chunk.totals.missed, round.satisfaction += chunk.totals.satisfaction;
    for (std::size_t slot = 0; slot < chunk.shown.size(); ++slot)
        arm.shown[slot] += chunk.shown[slot], arm.clicked[slot] += chunk.clicked[slot];
}

} // namespace

void RankedSource::slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const {
    const std::int32_t* const ranking = m_rankings.data() + static_cast<std::size_t>(user) * m_length;
    std::size_t filled = 0;
    for (std::size_t i = 0; i < m_length && filled < out.size() && ranking[i] >= 0; ++i)
        if (clicked.empty() || !std::binary_search(clicked.begin(), clicked.end(), ranking[i]))
            out[filled++] = ranking[i];
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(filled), out.end(), -1);
}

Result<std::vector<SimulatedArm>> simulate(const Population& population, const Behaviour& behaviour, std::span<const ArmPlan> arms,
                                           std::span<const std::int32_t> armOf, const SimulationSettings& settings, const RunControl& control) {
    CAROUSEL_TRY(checkPopulation(population));
    CAROUSEL_TRY(checkBehaviour(behaviour));
    if (armOf.size() != population.users || arms.empty() || settings.rounds < 1 || settings.slots < 1)
        return fail(ErrorKind::input, "CL-3130",
                    fmt::format("The simulation cannot be set up: {} arms, {} rounds, {} slots, and arms for {} of {} users.", arms.size(), settings.rounds, settings.slots, armOf.size(), population.users),
                    "Give at least one of each, and an arm for every user.");
    std::vector<SimulatedArm> out(arms.size());
    const std::size_t chunks = (population.users + usersAtOnce - 1) / usersAtOnce;
    for (std::size_t a = 0; a < arms.size(); ++a) {
        SimulatedArm& arm = out[a];
        arm.name = arms[a].name;
        arm.users.assign(population.users, {});
        arm.shown.assign(static_cast<std::size_t>(settings.slots), 0);
        arm.clicked.assign(static_cast<std::size_t>(settings.slots), 0);
        std::vector<Memory> memory(population.users);
        std::vector<SimulatedClick> unlearned;
        for (int round = 0; round < settings.rounds; ++round) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("the simulation"));
            std::vector<ChunkSums> sums(chunks);
            parallelFor(chunks, 1, [&](std::size_t begin, std::size_t end) {
                std::vector<std::int32_t> slate(static_cast<std::size_t>(settings.slots));
                const std::vector<std::int32_t> nothing;
                Memory fresh;
                for (std::size_t c = begin; c < end; ++c) {
                    ChunkSums& chunk = sums[c];
                    chunk.shown.assign(slate.size(), 0), chunk.clicked.assign(slate.size(), 0);
                    for (std::size_t u = c * usersAtOnce; u < std::min(population.users, (c + 1) * usersAtOnce); ++u) {
                        UserTotals& user = arm.users[u];
                        if ((armOf[u] >= 0 && armOf[u] != static_cast<std::int32_t>(a)) || user.left)
                            continue;
                        const auto code = static_cast<std::int32_t>(u);
                        Memory& own = settings.feedback ? memory[u] : fresh;
                        arms[a].source->slate(code, settings.feedback ? own.clicked : nothing, slate);
                        RandomStream random(settings.seed, "simulation", settings.commonRandomNumbers ? u : u + (a + 1) * 0x100000000ull, static_cast<std::uint64_t>(round));
                        const Visit happened = visit(population, behaviour, code, slate, own, random);
                        if (!settings.feedback)
                            fresh.looks.clear();
                        user.visits += 1, user.pages += static_cast<float>(happened.pages), user.looks += happened.looks;
                        user.missed += happened.missed ? 1.0f : 0.0f;
                        chunk.totals.visits += 1, chunk.totals.missed += happened.missed;
                        const std::size_t inView = std::min(slate.size(), static_cast<std::size_t>(happened.pages * behaviour.window));
                        for (std::size_t slot = 0; slot < inView && slate[slot] >= 0; ++slot) {
                            chunk.shown[slot] += 1;
                            if (slot < static_cast<std::size_t>(behaviour.window))
                                chunk.firstPage.push_back(slate[slot]);
                        }
                        if (happened.clickSlot >= 0) {
                            const std::int32_t item = slate[static_cast<std::size_t>(happened.clickSlot)];
                            user.clicks += 1, chunk.totals.clicks += 1, chunk.clicked[static_cast<std::size_t>(happened.clickSlot)] += 1;
                            if (happened.bought) {
                                const double worth = population.valueOf(item);
                                user.purchases += 1, user.value += static_cast<float>(worth);
                                chunk.totals.purchases += 1, chunk.totals.value += worth;
                            }
                            if (settings.feedback)
                                own.clicked.insert(std::lower_bound(own.clicked.begin(), own.clicked.end(), item), item);
                            if (settings.learnEvery > 0)
                                chunk.clicks.push_back({code, item, round, happened.bought});
                        }
                        if (behaviour.satisfactionRate > 0)
                            user.satisfaction += static_cast<float>(behaviour.satisfactionRate * ((happened.clickSlot >= 0 ? 1.0 : 0.0) - static_cast<double>(user.satisfaction)));
                        chunk.totals.satisfaction += static_cast<double>(user.satisfaction);
                        if (behaviour.leave > 0)
                            user.left = random.uniform() < behaviour.leave * 2 * (1 - static_cast<double>(user.satisfaction));
                    }
                }
            });
            RoundTotals totals;
            std::vector<std::int64_t> shownOf(population.items, 0);
            for (ChunkSums& chunk : sums) {
                addUp(chunk, totals, arm);
                for (const std::int32_t item : chunk.firstPage)
                    ++shownOf[static_cast<std::size_t>(item)];
                unlearned.insert(unlearned.end(), chunk.clicks.begin(), chunk.clicks.end());
            }
            totals.satisfaction = totals.visits > 0 ? totals.satisfaction / totals.visits : 0;
            std::int64_t places = 0;
            for (const std::int64_t n : shownOf)
                totals.distinctItems += n > 0, places += n;
            std::sort(shownOf.begin(), shownOf.end(), std::greater<>());
            std::int64_t most = 0;
            for (std::size_t i = 0; i < std::max<std::size_t>(1, population.items / 10); ++i)
                most += shownOf[i];
            totals.popularityShare = places > 0 ? static_cast<double>(most) / static_cast<double>(places) : 0;
            arm.rounds.push_back(totals);
            if (settings.learnEvery > 0 && (round + 1) % settings.learnEvery == 0 && round + 1 < settings.rounds) {
                CAROUSEL_TRY(arms[a].source->learn(unlearned, control.quiet()));
                unlearned.clear();
            }
            control.report(fmt::format("Simulating '{}'", arm.name), static_cast<double>(a) * settings.rounds + round + 1, static_cast<double>(arms.size()) * settings.rounds, "rounds");
        }
    }
    return out;
}

} // namespace carousel
