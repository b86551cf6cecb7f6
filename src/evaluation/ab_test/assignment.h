// SPDX-License-Identifier: GPL-3.0-or-later
// Who sees which arm: a pure function of the experiment's salt and the unit's name, so that a user keeps the arm on every machine, in every
// round, whoever else takes part. Two hashes of the same name, one for "takes part" and one for "which arm", so that raising the share that
// takes part adds users and moves none. Hash: XXH3, 64 bits, seeded with the hash of the salt; no security. Any thread.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct AssignmentPlan {
    std::string salt;           // another salt: another, independent assignment
    std::vector<double> shares; // of the arms, any positive scale, the control first
    double traffic = 1;         // share of units that take part in the end, 0 .. 1
    std::vector<double> ramp;   // of `traffic`, by round, 0 .. 1, never falling; behind its end: all of it. Empty: all from the first round
};
Result<void> checkAssignment(const AssignmentPlan& plan); // CL-3136

double unitHash(std::string_view salt, std::string_view purpose, std::string_view unit); // [0, 1), 53 bits
std::int32_t armOf(const AssignmentPlan& plan, std::string_view unit);         // whether it takes part or not
// The round (0-based) from which the unit takes part; -1: it never does.
std::int32_t entersAt(const AssignmentPlan& plan, std::string_view unit);

struct Assignment {
    std::vector<std::int32_t> arm;   // per unit; -1: takes no part
    std::vector<std::int32_t> round; // per unit, from which it takes part; -1: never
};
Result<Assignment> assign(const AssignmentPlan& plan, std::span<const std::string> units);
// Balanced inside strata: the units of a stratum that take part stand in the order of their hash, are cut into blocks that hold each arm as
// often as the shares say (shares are rounded to thousandths when no block up to 200 fits them), and each block is shuffled. Arms are then
// equally strong in every stratum, but a unit's arm depends on who else is in it: fix the list of units first. `stratum`: per unit.
Result<Assignment> assignWithinStrata(const AssignmentPlan& plan, std::span<const std::string> units, std::span<const std::int32_t> stratum);

} // namespace carousel
