// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/ab_test/assignment.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace carousel {

namespace {

std::uint64_t hashOf(std::string_view salt, std::string_view purpose, std::string_view unit) {
    const std::uint64_t seed = XXH3_64bits(salt.data(), salt.size());
    return XXH3_64bits_withSeed(unit.data(), unit.size(), XXH3_64bits_withSeed(purpose.data(), purpose.size(), seed));
}
double fraction(std::uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1p-53; }

std::int32_t byShare(std::span<const double> shares, double at) {
    const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
    double sum = 0;
    for (std::size_t a = 0; a + 1 < shares.size(); ++a)
        if (sum += shares[a] / total; at < sum)
            return static_cast<std::int32_t>(a);
    return static_cast<std::int32_t>(shares.size()) - 1;
}

// The smallest block in which every arm stands a whole number of times.
std::vector<std::int32_t> blockOf(std::span<const double> shares) {
    const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
    std::vector<std::int32_t> out;
    const auto filled = [&](int size, double tolerance) {
        out.clear();
        for (std::size_t a = 0; a < shares.size(); ++a) {
            const double wanted = shares[a] / total * size, whole = std::round(wanted);
            if (std::fabs(wanted - whole) > tolerance)
                return false;
            out.insert(out.end(), static_cast<std::size_t>(whole), static_cast<std::int32_t>(a));
        }
        return !out.empty();
    };
    for (int size = 1; size <= 200; ++size)
        if (filled(size, 1e-9 * size))
            return out;
    filled(1000, 0.5);
    return out;
}

} // namespace

Result<void> checkAssignment(const AssignmentPlan& plan) {
    const auto refused = [](const std::string& what) { return fail(ErrorKind::input, "CL-3136", "Users cannot be assigned: " + what + ".", "Give every arm a positive share, traffic and ramp between 0 and 1, and a ramp that never falls."); };
    if (plan.shares.empty())
        return refused("there are no arms");
    for (const double share : plan.shares)
        if (!(share > 0) || !std::isfinite(share))
            return refused(fmt::format("an arm's share is {}", share));
    if (!(plan.traffic >= 0 && plan.traffic <= 1))
        return refused(fmt::format("the traffic is {}", plan.traffic));
    double last = 0;
    for (const double share : plan.ramp) {
        if (!(share >= last && share <= 1))
            return refused(fmt::format("the ramp goes from {} to {}", last, share));
        last = share;
    }
    return {};
}

double unitHash(std::string_view salt, std::string_view purpose, std::string_view unit) { return fraction(hashOf(salt, purpose, unit)); }

std::int32_t armOf(const AssignmentPlan& plan, std::string_view unit) { return byShare(plan.shares, unitHash(plan.salt, "arm", unit)); }

std::int32_t entersAt(const AssignmentPlan& plan, std::string_view unit) {
    const double at = unitHash(plan.salt, "traffic", unit);
    if (!(at < plan.traffic))
        return -1;
    for (std::size_t round = 0; round < plan.ramp.size(); ++round)
        if (at < plan.traffic * plan.ramp[round])
            return static_cast<std::int32_t>(round);
    return static_cast<std::int32_t>(plan.ramp.size());
}

Result<Assignment> assign(const AssignmentPlan& plan, std::span<const std::string> units) {
    CAROUSEL_TRY(checkAssignment(plan));
    Assignment out;
    for (const std::string& unit : units) {
        out.round.push_back(entersAt(plan, unit));
        out.arm.push_back(out.round.back() < 0 ? -1 : armOf(plan, unit));
    }
    return out;
}

Result<Assignment> assignWithinStrata(const AssignmentPlan& plan, std::span<const std::string> units, std::span<const std::int32_t> stratum) {
    CAROUSEL_TRY(checkAssignment(plan));
    if (stratum.size() != units.size())
        return fail(ErrorKind::input, "CL-3136", fmt::format("Users cannot be assigned: {} units have {} strata.", units.size(), stratum.size()), "Give every unit a stratum.");
    Assignment out;
    out.arm.assign(units.size(), -1);
    std::map<std::int32_t, std::vector<std::pair<std::uint64_t, std::size_t>>> members;
    for (std::size_t u = 0; u < units.size(); ++u) {
        out.round.push_back(entersAt(plan, units[u]));
        if (out.round.back() >= 0)
            members[stratum[u]].emplace_back(hashOf(plan.salt, "arm", units[u]), u);
    }
    const std::vector<std::int32_t> plain = blockOf(plan.shares);
    const std::uint64_t seed = XXH3_64bits(plan.salt.data(), plan.salt.size());
    for (auto& [code, list] : members) {
        std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : units[a.second] < units[b.second]; });
        for (std::size_t first = 0; first < list.size(); first += plain.size()) {
            auto block = plain;
            RandomStream random(seed, "assignment blocks", static_cast<std::uint64_t>(static_cast<std::uint32_t>(code)), first / plain.size());
            for (std::size_t i = block.size(); i > 1; --i)
                std::swap(block[i - 1], block[random.below(i)]);
            for (std::size_t i = first; i < std::min(list.size(), first + plain.size()); ++i)
                out.arm[list[i].second] = block[i - first];
        }
    }
    return out;
}

} // namespace carousel
