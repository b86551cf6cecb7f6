// SPDX-License-Identifier: GPL-3.0-or-later
// One split for all families. A pair of a customer and an item is either known or held out, for every task alike: what one family is tested
// on is in no prompt of another (published code splits ratings at random and sequences by time, so that each leaks into the other).
#pragma once
#include "base/run_control.h"
#include "data/split.h"
#include <unordered_set>

namespace carousel {

struct TaskSplitSettings {
    double reviewTestShare = 0.1, reviewValidationShare = 0.05; // of the reviews, drawn by pair
    int shortestHistory = 3; // customers with fewer known items are not asked what comes next
    std::uint64_t seed = 1;
};

// Codes of users and items are those of the data set. Immutable once made.
struct TaskSplit {
    std::vector<std::vector<Code>> history;   // per user: distinct liked items of known pairs, oldest first
    std::vector<std::vector<Code>> seen;      // per user: every item of a known event or review, ascending
    std::vector<Code> validationItem, testItem; // per user, noCode where none: what was chosen next, after the history
    std::vector<Part> reviewPart;             // per review; unused: a second review of a pair, or one without text and stars
    std::size_t removedEvents = 0;            // known events of pairs whose review is held out
    std::size_t heldOutPairs = 0;

    bool heldOut(Code user, Code item) const { return m_heldOut.count(key(user, item)) > 0; }
    static std::uint64_t key(Code user, Code item) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(user)) << 32 | static_cast<std::uint32_t>(item);
    }
    std::unordered_set<std::uint64_t> m_heldOut;
};

// Leave-one-out for what comes next (data/split.h); reviews drawn by pair; both together say which pairs are held out. Errors of makeSplit;
// CL-3113 when nothing is left to learn from or to test.
Result<TaskSplit> makeTaskSplit(const DatasetPtr& dataset, const TaskSplitSettings& settings, const RunControl& control);

} // namespace carousel
