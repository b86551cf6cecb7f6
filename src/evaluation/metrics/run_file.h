// SPDX-License-Identifier: GPL-3.0-or-later
// TREC run and qrels files: `user Q0 item rank score tag` and `user 0 item relevance`, one line each, fields apart by white space.
//
// What we write: outside tools sort by score and break ties by item id in ways of their own, so the exported score is not the model's but
// (length of the list - rank + 1), which falls strictly from line to line, as "%.6f". Every tool then sees exactly our order, and the only
// thing that our tie-aware figures can differ by is ties. Ids that hold white space, control characters or '%' are written with %XX.
#pragma once
#include "evaluation/metrics/ranking.h"

namespace carousel {

struct NamedList {
    std::string user;
    std::vector<std::string> items;
    std::vector<double> values; // run: score; qrels: relevance
    bool operator==(const NamedList&) const = default;
};

std::string writeTrecRun(std::span<const NamedList> lists, const std::string& tag); // items best first; values are not read
std::string writeTrecQrels(std::span<const NamedList> lists);
// Users in order of first appearance. Errors CL-8004 with `fileName` and line: wrong number of fields, a score that is not a finite
// number, an item twice for one user.
Result<std::vector<NamedList>> readTrecRun(std::string_view text, const std::string& fileName);
Result<std::vector<NamedList>> readTrecQrels(std::string_view text, const std::string& fileName);

// Users of the qrels, in their order; a user that the run lacks has an empty list and finds nothing. Item codes are positions in itemIds.
struct JoinedRun {
    std::vector<RankedUser> users;
    std::vector<std::string> userIds, itemIds;
    std::int64_t usersOnlyInRun = 0, usersOnlyInQrels = 0;
};
Result<JoinedRun> joinRun(std::span<const NamedList> run, std::span<const NamedList> qrels, std::size_t depth = 1000);

} // namespace carousel
