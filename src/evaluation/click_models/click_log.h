// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions of shown items with their clicks, as columns: what click models and position-bias estimators read. Immutable once filled; any
// thread may read it. A session is one slate shown once; its rows are contiguous and in slot order.
#pragma once
#include "base/result.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

constexpr std::uint8_t reachUnknown = 255;

struct ClickLog {
    std::int32_t items = 0;               // item codes are 0..items-1. With segments, a code stands for a pair (segment, item)
    std::int32_t slots = 0;               // 1 + largest slot
    std::vector<std::size_t> offsets{0};  // sessions + 1
    std::vector<std::int32_t> item;       // per row
    std::vector<std::int16_t> slot;       // per row, 0-based, rising in a session
    std::vector<std::uint8_t> click;      // per row, 0 or 1
    std::vector<std::uint8_t> reached;    // per row: 1 in view, 0 not, 255 not logged; or empty: never logged
    std::vector<float> propensity;        // per row: P(item in this slot) under the logging policy, NaN unknown; or empty
    std::vector<std::int32_t> cluster;    // per session: what is resampled together (the user), 0..clusters-1; or empty: every session alone
    std::vector<std::uint8_t> policy;     // per session, code into policies; or empty: one policy
    std::vector<std::string> policies;
    std::vector<std::string> itemNames;   // per code, for people; may be empty

    std::size_t sessions() const { return offsets.size() - 1; }
    std::size_t rows() const { return item.size(); }
    std::size_t clusters() const;         // 1 + largest cluster, or sessions()
    // Every session begins at slot 0 and leaves no slot out: what models with a memory of earlier slots need.
    bool wholeSlates() const;
    bool knowsReach() const;              // some row says 0 or 1
    bool severalClicks() const;           // some session has more than one
};

struct SessionView { // one session; spans of equal length
    std::span<const std::int32_t> item;
    std::span<const std::int16_t> slot;
    std::span<const std::uint8_t> click;
    std::span<const std::uint8_t> reached; // empty when not logged
    std::size_t size() const { return item.size(); }
};
SessionView session(const ClickLog& log, std::size_t index);

// CL-8020 when lengths differ, a code or slot is out of range, slots do not rise, or a click stands on a row logged as not reached
// (naming the session and row). Call once after filling.
Result<void> checkClickLog(const ClickLog& log);
// The sessions of the given indices, in that order.
ClickLog selectSessions(const ClickLog& log, std::span<const std::size_t> sessions);
// Two parts by cluster: clusters drawn with the seed until `share` of them are in the second. Both keep item codes.
struct ClickLogParts {
    ClickLog first, second;
};
ClickLogParts splitByCluster(const ClickLog& log, double share, std::uint64_t seed);

} // namespace carousel
