// SPDX-License-Identifier: GPL-3.0-or-later
// Who visits: given a carousel, what a user does. Numbers (a fitted population), the test part played again, or a language model all stand
// behind one interface, so that arms, feedback, statistics and reports are the same for each.
#pragma once
#include "base/random.h"
#include "base/run_control.h"
#include "evaluation/simulation/population.h"
#include <unordered_map>

namespace carousel {

// What a user remembers from visit to visit.
struct VisitMemory {
    std::vector<std::int32_t> clicked;             // ascending
    std::unordered_map<std::int32_t, float> looks; // per item, that led to nothing; with fatigue alone
};

struct Visit {
    int clickSlot = -1, pages = 0; // -1: none; pages that came into view
    bool bought = false;
    bool missed = false; // no click, and the carousel's best item for this user lay on a page that never came into view
    float looks = 0;     // slots looked at; expected ones where a visit does not decide it
};

class Visitors {
public:
    virtual ~Visitors() = default;
    virtual std::size_t users() const = 0;
    virtual std::size_t items() const = 0;
    virtual const Behaviour& behaviour() const = 0; // window, satisfaction and leaving hold for every kind
    virtual double valueOf(std::int32_t item) const { return (void)item, 1; } // of a purchase
    virtual bool oneAtATime() const { return false; } // visit() must not be called from several threads at once
    // `slate`: distinct items, -1 behind the end. Draws from `random` alone.
    virtual Result<Visit> visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                                const RunControl& control) const = 0;
};

// The carousel model of population.h. Holds references: both outlive it.
class NumericVisitors final : public Visitors {
public:
    NumericVisitors(const Population& population, const Behaviour& behaviour) : m_population(population), m_behaviour(behaviour) {}
    std::size_t users() const override { return m_population.users; }
    std::size_t items() const override { return m_population.items; }
    const Behaviour& behaviour() const override { return m_behaviour; }
    double valueOf(std::int32_t item) const override { return m_population.valueOf(item); }
    Result<Visit> visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                        const RunControl& control) const override;

private:
    const Population& m_population;
    const Behaviour& m_behaviour;
};

// What users went on to choose is all they want: an item of their held-out part that is looked at is clicked, no other is. Examination and
// swiping are the behaviour's.
class ReplayVisitors final : public Visitors {
public:
    // wanted: per user, ascending.
    ReplayVisitors(std::vector<std::vector<std::int32_t>> wanted, std::size_t items, std::vector<float> value, const Behaviour& behaviour)
        : m_wanted(std::move(wanted)), m_items(items), m_value(std::move(value)), m_behaviour(behaviour) {}
    std::size_t users() const override { return m_wanted.size(); }
    std::size_t items() const override { return m_items; }
    const Behaviour& behaviour() const override { return m_behaviour; }
    double valueOf(std::int32_t item) const override { return m_value.empty() ? 1.0 : static_cast<double>(m_value[static_cast<std::size_t>(item)]); }
    Result<Visit> visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                        const RunControl& control) const override;

private:
    std::vector<std::vector<std::int32_t>> m_wanted;
    std::size_t m_items;
    std::vector<float> m_value;
    const Behaviour& m_behaviour;
};

} // namespace carousel
