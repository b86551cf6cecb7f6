// SPDX-License-Identifier: GPL-3.0-or-later
// Requests arrive, carousels are shown, users look, click, buy, swipe, tire, come back or stay away. In every round each user who has not
// left visits once; clicks enter the history at once, so that the next carousel of that user leaves them out, and strategies may learn
// between rounds. Random numbers are keyed by (seed, arm, user, round): the same result for any number of threads, and with common random
// numbers the same luck in every arm.
#pragma once
#include "base/run_control.h"
#include "evaluation/simulation/visitors.h"
#include <memory>
#include <string>

namespace carousel {

struct SimulatedClick {
    std::int32_t user = 0, item = 0, round = 0;
    bool bought = false;
};

// One strategy's carousels. slate() is called from many threads; learn() from one, between rounds.
class SlateSource {
public:
    virtual ~SlateSource() = default;
    // Fills `out` with distinct items, best first, without those the user clicked (ascending); shorter: the rest stays -1.
    virtual void slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const = 0;
    // All clicks since the last call, by round and user; users are the visitors', not their copies. Called once with all clicks of several
    // calls it leaves the same source behind: a simulation that is taken up again does that.
    virtual Result<void> learn(std::span<const SimulatedClick> clicks, const RunControl& control) {
        (void)clicks, (void)control;
        return {};
    }
};

// Rankings that were worked out before: users x length, best first, -1 behind the end.
class RankedSource final : public SlateSource {
public:
    RankedSource(std::vector<std::int32_t> rankings, std::size_t length) : m_rankings(std::move(rankings)), m_length(length) {}
    void slate(std::int32_t user, std::span<const std::int32_t> clicked, std::span<std::int32_t> out) const override;

private:
    std::vector<std::int32_t> m_rankings;
    std::size_t m_length;
};

struct SimulationSettings {
    int rounds = 10;
    int slots = 12;            // cards of a carousel: pages of `window`
    int learnEvery = 0;        // rounds between calls of learn(); 0: never
    bool feedback = true;      // clicks leave the user's next carousels; off: every visit is as if it were the first
    bool commonRandomNumbers = true;
    std::uint64_t seed = 1;
};

// What a user did in all rounds.
struct UserTotals {
    float visits = 0, clicks = 0, purchases = 0, value = 0;
    float looks = 0;       // slots looked at; without fatigue: expected ones, see simulate()
    float pages = 0;       // that came into view
    float missed = 0;      // visits that ended without a click while the carousel's most attractive item lay on a page that never came into view
    float satisfaction = 0.5f;
    bool left = false;
};
struct RoundTotals {
    double visits = 0, clicks = 0, purchases = 0, value = 0, missed = 0, satisfaction = 0; // satisfaction: mean over those who visited
    double distinctItems = 0;   // shown to anybody on a first page
    double popularityShare = 0; // of first-page places: the tenth of items that are shown most, how narrow the shop has become
};
struct SimulatedArm {
    std::string name;
    std::vector<UserTotals> users;   // of the population; all zero where the user is not in the arm
    std::vector<RoundTotals> rounds;
    std::vector<double> shown, clicked; // per slot: impressions in view and clicks
};
struct ArmPlan {
    std::string name;
    SlateSource* source = nullptr;
};

struct SimulationPlan {
    const Visitors* visitors = nullptr;
    std::vector<ArmPlan> arms;
    std::vector<std::int32_t> who;        // per simulated user: of whom they are a copy; empty: each visitor once
    std::vector<std::int32_t> armOf;      // per simulated user: the arm that they see; -1: every arm, in each with a life of its own
    std::vector<std::int32_t> firstRound; // per simulated user: from when on they visit; empty: from round 0 on
    // Sessions as the units: per unit the person, 0 .. persons - 1, whose session it is. A unit then visits in its first round alone, and
    // history, satisfaction and staying away are the person's, whichever arms they saw before. Of a person there is at most one unit a round.
    // Empty: every simulated user is one unit, in each of their arms with a life of its own.
    std::vector<std::int32_t> personOf;
    SimulationSettings settings;
};

// Round after round, so that one can look on, stop, keep the state and go on. Not for several threads at once.
class Simulation {
public:
    static Result<Simulation> make(SimulationPlan plan); // CL-3130
    ~Simulation();
    Simulation(Simulation&&) noexcept;
    Simulation& operator=(Simulation&&) noexcept;
    // Errors of visits and of learn(); cancelled before the round or by them. After an error in the middle of a round the arms are no longer
    // of one round: go on from a saved state.
    Result<void> nextRound(const RunControl& control);
    int roundsDone() const;
    const std::vector<SimulatedArm>& arms() const;
    const SimulationPlan& plan() const;
    // Everything that later rounds depend on, for the same plan. restore() gives the sources all clicks that they had learned.
    std::string save() const;
    Result<void> restore(std::string_view state, const RunControl& control); // CL-3132 when it is damaged or of another plan

private:
    struct State;
    explicit Simulation(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};


// All rounds at once for numeric users, each once. Errors: CL-3130; those of learn(); cancelled. Memory: per arm and user some dozens of bytes,
// with fatigue also the items looked at.
Result<std::vector<SimulatedArm>> simulate(const Population& population, const Behaviour& behaviour, std::span<const ArmPlan> arms,
                                           std::span<const std::int32_t> armOf, const SimulationSettings& settings, const RunControl& control);

} // namespace carousel
