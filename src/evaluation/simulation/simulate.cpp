// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/simulation/simulate.h"
#include "base/parallel.h"
#include "base/random.h"
#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

namespace carousel {

namespace {

constexpr std::size_t usersAtOnce = 256;
constexpr char stateMark[] = "simulation 2";

// Sums of a chunk of users; added up in the order of the chunks, so that threads do not matter.
struct ChunkSums {
    RoundTotals totals;
    std::vector<double> shown, clicked;
    std::vector<std::int32_t> firstPage; // items, with repeats
    std::vector<SimulatedClick> clicks;
    std::optional<Error> error;
};

void addUp(const ChunkSums& chunk, RoundTotals& round, SimulatedArm& arm) {
    round.visits += chunk.totals.visits, round.clicks += chunk.totals.clicks, round.purchases += chunk.totals.purchases;
    round.value += chunk.totals.value, round.missed += chunk.totals.missed, round.satisfaction += chunk.totals.satisfaction;
    for (std::size_t slot = 0; slot < chunk.shown.size(); ++slot)
        arm.shown[slot] += chunk.shown[slot], arm.clicked[slot] += chunk.clicked[slot];
}

void sayHowNarrow(const std::vector<ChunkSums>& sums, std::size_t items, RoundTotals& totals) {
    std::vector<std::int64_t> shownOf(items, 0);
    for (const ChunkSums& chunk : sums)
        for (const std::int32_t item : chunk.firstPage)
            ++shownOf[static_cast<std::size_t>(item)];
    std::int64_t places = 0, most = 0;
    for (const std::int64_t n : shownOf)
        totals.distinctItems += n > 0, places += n;
    std::sort(shownOf.begin(), shownOf.end(), std::greater<>());
    for (std::size_t i = 0; i < std::max<std::size_t>(1, items / 10) && i < items; ++i)
        most += shownOf[i];
    totals.popularityShare = places > 0 ? static_cast<double>(most) / static_cast<double>(places) : 0;
}

// ---- the saved state: plain values one after the other, in the order in which they are written and read ---------------------------------
class Writer {
public:
    template <class T> void value(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        m_out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    template <class T> void values(const std::vector<T>& values) {
        value(static_cast<std::uint64_t>(values.size()));
        for (const T& each : values)
            value(each);
    }
    std::string take() { return std::move(m_out); }

private:
    std::string m_out;
};
class Reader {
public:
    explicit Reader(std::string_view in) : m_in(in) {}
    template <class T> bool value(T& value) {
        if (m_in.size() < sizeof value)
            return m_good = false;
        std::memcpy(&value, m_in.data(), sizeof value);
        m_in.remove_prefix(sizeof value);
        return m_good;
    }
    template <class T> bool values(std::vector<T>& values) {
        std::uint64_t count = 0;
        if (!value(count) || count > m_in.size() / sizeof(T))
            return m_good = false;
        values.resize(count);
        for (T& each : values)
            value(each);
        return m_good;
    }
    bool done() const { return m_good && m_in.empty(); }

private:
    std::string_view m_in;
    bool m_good = true;
};

// Structs with padding are written field by field, so that the same state is the same bytes.
void write(Writer& out, const UserTotals& u) {
    for (const float x : {u.visits, u.clicks, u.purchases, u.value, u.looks, u.pages, u.missed, u.satisfaction})
        out.value(x);
    out.value(static_cast<std::uint8_t>(u.left));
}
bool read(Reader& in, UserTotals& u) {
    for (float* const x : {&u.visits, &u.clicks, &u.purchases, &u.value, &u.looks, &u.pages, &u.missed, &u.satisfaction})
        in.value(*x);
    std::uint8_t left = 0;
    const bool good = in.value(left);
    u.left = left != 0;
    return good;
}
void write(Writer& out, const SimulatedClick& c) { out.value(c.user), out.value(c.item), out.value(c.round), out.value(static_cast<std::uint8_t>(c.bought)); }
bool read(Reader& in, SimulatedClick& c) {
    std::uint8_t bought = 0;
    const bool good = in.value(c.user) && in.value(c.item) && in.value(c.round) && in.value(bought);
    c.bought = bought != 0;
    return good;
}
void write(Writer& out, const VisitMemory& memory) {
    out.values(memory.clicked);
    std::vector<std::pair<std::int32_t, float>> looks(memory.looks.begin(), memory.looks.end());
    std::sort(looks.begin(), looks.end());
    out.value(static_cast<std::uint64_t>(looks.size()));
    for (const auto& [item, count] : looks)
        out.value(item), out.value(count);
}
bool read(Reader& in, VisitMemory& memory) {
    std::uint64_t looks = 0;
    bool good = in.values(memory.clicked) && in.value(looks);
    for (std::uint64_t i = 0; i < looks && good; ++i) {
        std::int32_t item = 0;
        float count = 0;
        good = in.value(item) && in.value(count);
        memory.looks[item] = count;
    }
    return good;
}

} // namespace

void RankedSource::slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const {
    const std::int32_t* const ranking = m_rankings.data() + static_cast<std::size_t>(user) * m_length;
    std::size_t filled = 0;
    // Few clicks are compared one by one: a search would be guessed wrong at every step.
    constexpr std::size_t few = 32;
    const auto isClicked = [&](std::int32_t item) {
        if (clicked.size() > few)
            return std::binary_search(clicked.begin(), clicked.end(), item);
        bool found = false;
        for (const std::int32_t each : clicked)
            found |= each == item;
        return found;
    };
    for (std::size_t i = 0; i < m_length && filled < out.size() && ranking[i] >= 0; ++i)
        if (!isClicked(ranking[i]))
            out[filled++] = ranking[i];
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(filled), out.end(), -1);
}

struct Simulation::State {
    SimulationPlan plan;
    int done = 0;
    std::vector<SimulatedArm> arms;
    std::vector<std::vector<VisitMemory>> memory; // per arm, per simulated user; with feedback
    struct Person {
        VisitMemory memory;
        float satisfaction = UserTotals().satisfaction;
        bool left = false;
    };
    std::vector<Person> persons; // where sessions are the units
    struct Clicks {
        std::vector<SimulatedClick> learned, waiting; // waiting: since the last call of learn()
    };
    std::vector<Clicks> clicks; // per arm

    std::size_t users() const { return plan.armOf.size(); }
    std::int32_t visitor(std::size_t u) const { return plan.who.empty() ? static_cast<std::int32_t>(u) : plan.who[u]; }
    bool ofSessions() const { return !plan.personOf.empty(); }
    bool visits(std::size_t u, std::size_t arm) const {
        if (ofSessions())
            return plan.armOf[u] == static_cast<std::int32_t>(arm) && plan.firstRound[u] == done && !persons[static_cast<std::size_t>(plan.personOf[u])].left;
        return (plan.armOf[u] < 0 || plan.armOf[u] == static_cast<std::int32_t>(arm)) && (plan.firstRound.empty() || plan.firstRound[u] <= done) &&
               !arms[arm].users[u].left;
    }

    Result<void> visitOf(std::size_t u, std::size_t a, std::span<std::int32_t> slate, VisitMemory& fresh, ChunkSums& chunk, const RunControl& control) {
        static const std::vector<std::int32_t> nothing;
        const SimulationSettings& settings = plan.settings;
        const Behaviour& behaviour = plan.visitors->behaviour();
        UserTotals& user = arms[a].users[u];
        const std::int32_t who = visitor(u);
        Person* const person = ofSessions() ? &persons[static_cast<std::size_t>(plan.personOf[u])] : nullptr;
        VisitMemory& own = !settings.feedback ? fresh : person ? person->memory : memory[a][u];
        if (person)
            user.satisfaction = person->satisfaction;
        plan.arms[a].source->slate(who, settings.feedback ? own.clicked : nothing, slate);
        RandomStream random(settings.seed, "simulation", settings.commonRandomNumbers ? u : u + (a + 1) * 0x100000000ull, static_cast<std::uint64_t>(done));
        CAROUSEL_ASSIGN(const Visit happened, plan.visitors->visit(who, slate, own, random, control));
        if (!settings.feedback)
            fresh.looks.clear();
        user.visits += 1, user.pages += static_cast<float>(happened.pages), user.looks += happened.looks;
        user.missed += happened.missed ? 1.0f : 0.0f;
        chunk.totals.visits += 1, chunk.totals.missed += happened.missed;
        const std::size_t inView = std::min(slate.size(), static_cast<std::size_t>(happened.pages * behaviour.window));
        std::size_t shown = 0;
        while (shown < inView && slate[shown] >= 0)
            chunk.shown[shown++] += 1;
        chunk.firstPage.insert(chunk.firstPage.end(), slate.begin(),
                               slate.begin() + static_cast<std::ptrdiff_t>(std::min(shown, static_cast<std::size_t>(behaviour.window))));
        if (happened.clickSlot >= 0) {
            const std::int32_t item = slate[static_cast<std::size_t>(happened.clickSlot)];
            user.clicks += 1, chunk.totals.clicks += 1, chunk.clicked[static_cast<std::size_t>(happened.clickSlot)] += 1;
            if (happened.bought) {
                const double worth = plan.visitors->valueOf(item);
                user.purchases += 1, user.value += static_cast<float>(worth);
                chunk.totals.purchases += 1, chunk.totals.value += worth;
            }
            if (settings.feedback)
                own.clicked.insert(std::lower_bound(own.clicked.begin(), own.clicked.end(), item), item);
            if (settings.learnEvery > 0)
                chunk.clicks.push_back({who, item, done, happened.bought});
        }
        if (behaviour.satisfactionRate > 0)
            user.satisfaction += static_cast<float>(behaviour.satisfactionRate * ((happened.clickSlot >= 0 ? 1.0 : 0.0) - static_cast<double>(user.satisfaction)));
        chunk.totals.satisfaction += static_cast<double>(user.satisfaction);
        if (behaviour.leave > 0)
            user.left = random.uniform() < behaviour.leave * 2 * (1 - static_cast<double>(user.satisfaction));
        if (person)
            person->satisfaction = user.satisfaction, person->left = user.left;
        return {};
    }

    Result<void> round(std::size_t a, const RunControl& control) {
        const SimulationSettings& settings = plan.settings;
        const std::size_t chunks = (users() + usersAtOnce - 1) / usersAtOnce;
        std::vector<ChunkSums> sums(chunks);
        const auto work = [&](std::size_t begin, std::size_t end) {
            std::vector<std::int32_t> slate(static_cast<std::size_t>(settings.slots));
            VisitMemory fresh;
            for (std::size_t c = begin; c < end; ++c) {
                ChunkSums& chunk = sums[c];
                chunk.shown.assign(slate.size(), 0), chunk.clicked.assign(slate.size(), 0);
                for (std::size_t u = c * usersAtOnce; u < std::min(users(), (c + 1) * usersAtOnce) && !chunk.error; ++u)
                    if (visits(u, a))
                        if (auto visited = visitOf(u, a, slate, fresh, chunk, control); !visited)
                            chunk.error = std::move(visited.error());
            }
        };
        if (plan.visitors->oneAtATime()) {
            for (std::size_t c = 0; c < chunks && (c == 0 || !sums[c - 1].error); ++c)
                work(c, c + 1);
        } else {
            parallelFor(chunks, 1, work);
        }
        RoundTotals totals;
        for (ChunkSums& chunk : sums) {
            if (chunk.error)
                return fail(std::move(*chunk.error));
            addUp(chunk, totals, arms[a]);
            clicks[a].waiting.insert(clicks[a].waiting.end(), chunk.clicks.begin(), chunk.clicks.end());
        }
        totals.satisfaction = totals.visits > 0 ? totals.satisfaction / totals.visits : 0;
        sayHowNarrow(sums, plan.visitors->items(), totals);
        arms[a].rounds.push_back(totals);
        return {};
    }
};

Simulation::Simulation(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;
int Simulation::roundsDone() const { return m_state->done; }
const std::vector<SimulatedArm>& Simulation::arms() const { return m_state->arms; }
const SimulationPlan& Simulation::plan() const { return m_state->plan; }

Result<Simulation> Simulation::make(SimulationPlan plan) {
    const auto refused = [](const std::string& what) {
        return fail(ErrorKind::input, "CL-3130", fmt::format("The simulation cannot be set up: {}.", what), "Give users, arms, rounds and slots that fit each other.");
    };
    if (!plan.visitors)
        return refused("there are no users");
    CAROUSEL_TRY(checkBehaviour(plan.visitors->behaviour()));
    const std::size_t users = plan.armOf.size();
    if (plan.arms.empty() || plan.settings.rounds < 1 || plan.settings.slots < 1)
        return refused(fmt::format("{} arms, {} rounds, {} slots", plan.arms.size(), plan.settings.rounds, plan.settings.slots));
    if ((plan.who.empty() ? plan.visitors->users() : plan.who.size()) != users)
        return refused(fmt::format("{} users, and arms for {}", plan.who.empty() ? plan.visitors->users() : plan.who.size(), users));
    for (const std::int32_t who : plan.who)
        if (who < 0 || static_cast<std::size_t>(who) >= plan.visitors->users())
            return refused(fmt::format("a copy of user {} of {}", who, plan.visitors->users()));
    for (const std::int32_t arm : plan.armOf)
        if (arm < -1 || arm >= static_cast<std::int32_t>(plan.arms.size()))
            return refused(fmt::format("a user in arm {} of {}", arm, plan.arms.size()));
    if (!plan.firstRound.empty() && plan.firstRound.size() != users)
        return refused(fmt::format("{} users, and first rounds for {}", users, plan.firstRound.size()));
    std::size_t persons = 0;
    if (!plan.personOf.empty()) {
        if (plan.personOf.size() != users || plan.firstRound.size() != users)
            return refused(fmt::format("{} sessions, with persons for {} and rounds for {}", users, plan.personOf.size(), plan.firstRound.size()));
        std::vector<std::pair<std::int32_t, std::int32_t>> sessions;
        for (std::size_t u = 0; u < users; ++u) {
            if (plan.personOf[u] < 0 || plan.armOf[u] < 0)
                return refused("a session without a person or without an arm");
            sessions.emplace_back(plan.personOf[u], plan.firstRound[u]);
            persons = std::max(persons, static_cast<std::size_t>(plan.personOf[u]) + 1);
        }
        std::sort(sessions.begin(), sessions.end());
        if (std::adjacent_find(sessions.begin(), sessions.end()) != sessions.end())
            return refused("a person with two sessions in one round");
    }
    auto state = std::make_unique<State>();
    state->persons.resize(persons);
    for (const ArmPlan& arm : plan.arms) {
        SimulatedArm made;
        made.name = arm.name;
        made.users.assign(users, {});
        made.shown.assign(static_cast<std::size_t>(plan.settings.slots), 0);
        made.clicked.assign(static_cast<std::size_t>(plan.settings.slots), 0);
        state->arms.push_back(std::move(made));
        state->memory.emplace_back(plan.settings.feedback && persons == 0 ? users : 0);
        state->clicks.emplace_back();
    }
    state->plan = std::move(plan);
    return Simulation(std::move(state));
}

Result<void> Simulation::nextRound(const RunControl& control) {
    State& s = *m_state;
    const SimulationSettings& settings = s.plan.settings;
    if (control.stopRequested())
        return fail(RunControl::cancelled("the simulation"));
    for (std::size_t a = 0; a < s.arms.size(); ++a) {
        CAROUSEL_TRY(s.round(a, control));
        auto& clicks = s.clicks[a];
        if (settings.learnEvery > 0 && (s.done + 1) % settings.learnEvery == 0 && s.done + 1 < settings.rounds) {
            CAROUSEL_TRY(s.plan.arms[a].source->learn(clicks.waiting, control.quiet()));
            clicks.learned.insert(clicks.learned.end(), clicks.waiting.begin(), clicks.waiting.end());
            clicks.waiting.clear();
        }
    }
    ++s.done;
    control.report("Simulating", s.done, settings.rounds, "rounds");
    return {};
}

std::string Simulation::save() const {
    const State& s = *m_state;
    Writer out;
    for (const char c : stateMark)
        out.value(c);
    out.value(static_cast<std::uint64_t>(s.users())), out.value(static_cast<std::uint64_t>(s.arms.size()));
    out.value(s.plan.settings.slots), out.value(static_cast<std::uint8_t>(s.plan.settings.feedback)), out.value(s.done);
    for (std::size_t a = 0; a < s.arms.size(); ++a) {
        const SimulatedArm& arm = s.arms[a];
        for (const UserTotals& user : arm.users)
            write(out, user);
        out.values(arm.rounds); // doubles alone: no padding
        out.values(arm.shown), out.values(arm.clicked);
        for (const VisitMemory& memory : s.memory[a])
            write(out, memory);
        for (const auto* list : {&s.clicks[a].learned, &s.clicks[a].waiting}) {
            out.value(static_cast<std::uint64_t>(list->size()));
            for (const SimulatedClick& click : *list)
                write(out, click);
        }
    }
    for (const State::Person& person : s.persons) {
        write(out, person.memory);
        out.value(person.satisfaction), out.value(static_cast<std::uint8_t>(person.left));
    }
    return out.take();
}

Result<void> Simulation::restore(std::string_view state, const RunControl& control) {
    const auto damaged = [] {
        return fail(ErrorKind::input, "CL-3132", "The saved state of the simulation is damaged or belongs to another one.", "Delete it; the simulation then begins anew.");
    };
    State& s = *m_state;
    Reader in(state);
    bool good = true;
    for (const char c : stateMark) {
        char found = 0;
        good = in.value(found) && found == c && good;
    }
    std::uint64_t users = 0, armCount = 0;
    int slots = 0, done = 0;
    std::uint8_t feedback = 0;
    in.value(users), in.value(armCount), in.value(slots), in.value(feedback);
    if (!in.value(done) || !good || users != s.users() || armCount != s.arms.size() || slots != s.plan.settings.slots || feedback != s.plan.settings.feedback || done < 0)
        return damaged();
    auto arms = s.arms;
    std::vector<std::vector<VisitMemory>> memories;
    std::vector<State::Clicks> clicks(arms.size());
    for (std::size_t a = 0; a < arms.size(); ++a) {
        for (UserTotals& user : arms[a].users)
            if (!read(in, user))
                return damaged();
        if (!in.values(arms[a].rounds) || !in.values(arms[a].shown) || !in.values(arms[a].clicked) || arms[a].rounds.size() != static_cast<std::size_t>(done) ||
            arms[a].shown.size() != static_cast<std::size_t>(slots) || arms[a].clicked.size() != arms[a].shown.size())
            return damaged();
        for (VisitMemory& own : memories.emplace_back(s.memory[a].size()))
            if (!read(in, own))
                return damaged();
        for (auto* list : {&clicks[a].learned, &clicks[a].waiting}) {
            std::uint64_t count = 0;
            if (!in.value(count))
                return damaged();
            for (std::uint64_t i = 0; i < count; ++i) {
                SimulatedClick click;
                if (!read(in, click))
                    return damaged();
                list->push_back(click);
            }
        }
    }
    std::vector<State::Person> persons(s.persons.size());
    for (State::Person& person : persons) {
        std::uint8_t left = 0;
        if (!read(in, person.memory) || !in.value(person.satisfaction) || !in.value(left))
            return damaged();
        person.left = left != 0;
    }
    if (!in.done())
        return damaged();
    for (std::size_t a = 0; a < arms.size(); ++a)
        if (!clicks[a].learned.empty())
            CAROUSEL_TRY(s.plan.arms[a].source->learn(clicks[a].learned, control.quiet()));
    s.arms = std::move(arms), s.memory = std::move(memories), s.clicks = std::move(clicks), s.persons = std::move(persons), s.done = done;
    return {};
}

Result<std::vector<SimulatedArm>> simulate(const Population& population, const Behaviour& behaviour, std::span<const ArmPlan> arms,
                                           std::span<const std::int32_t> armOf, const SimulationSettings& settings, const RunControl& control) {
    CAROUSEL_TRY(checkPopulation(population));
    const NumericVisitors visitors(population, behaviour);
    CAROUSEL_ASSIGN(Simulation simulation, Simulation::make({&visitors, {arms.begin(), arms.end()}, {}, {armOf.begin(), armOf.end()}, {}, {}, settings}));
    while (simulation.roundsDone() < settings.rounds)
        CAROUSEL_TRY(simulation.nextRound(control));
    return simulation.arms();
}

} // namespace carousel
