// SPDX-License-Identifier: GPL-3.0-or-later
// The users of the runs that are looked at: their ids, and where the item that they went on to choose landed in each run.
#pragma once
#include "workbench/workbench.h"
#include <QStringList>
#include <map>
#include <memory>

namespace carousel::ui {

struct UserIndex {
    std::vector<Code> users;                                    // ascending
    QStringList ids;                                            // same order
    std::map<std::int64_t, std::vector<std::int32_t>> bestRank; // per run: best rank of a held-out item, 1-based; 0: not ranked

    int rowOf(Code user) const;         // -1 when it is not among them
    int rowOf(const QString& id) const; // exact id, else the first that starts with it, else the first that contains it; -1: none
    // Rows of users with a held-out item at positions window + 1 to window + 4 in any of the runs.
    std::vector<int> justOutside(const std::vector<std::int64_t>& runs, int window) const;
};
using UserIndexPtr = std::shared_ptr<const UserIndex>;

Result<UserIndex> readUserIndex(Workbench& workbench, const std::string& dataset, const std::vector<std::int64_t>& runs,
                                const RunControl& control);

} // namespace carousel::ui
