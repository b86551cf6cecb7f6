// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/user_index.h"
#include "widgets/text.h"
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int justOutsideCards = 4;
}

int UserIndex::rowOf(Code user) const {
    const auto it = std::lower_bound(users.begin(), users.end(), user);
    return it != users.end() && *it == user ? static_cast<int>(it - users.begin()) : -1;
}

int UserIndex::rowOf(const QString& id) const {
    if (id.isEmpty())
        return -1;
    if (const auto exact = ids.indexOf(id); exact >= 0)
        return static_cast<int>(exact);
    const auto first = [&](auto matches) {
        const auto it = std::find_if(ids.begin(), ids.end(), matches);
        return it == ids.end() ? -1 : static_cast<int>(it - ids.begin());
    };
    const int starts = first([&](const QString& known) { return known.startsWith(id, Qt::CaseInsensitive); });
    return starts >= 0 ? starts : first([&](const QString& known) { return known.contains(id, Qt::CaseInsensitive); });
}

std::vector<int> UserIndex::justOutside(const std::vector<std::int64_t>& runs, int window) const {
    std::vector<int> rows;
    for (std::size_t row = 0; row < users.size(); ++row)
        for (const auto run : runs) {
            const auto it = bestRank.find(run);
            if (it != bestRank.end() && it->second[row] > window && it->second[row] <= window + justOutsideCards) {
                rows.push_back(static_cast<int>(row));
                break;
            }
        }
    return rows;
}

Result<UserIndex> readUserIndex(Workbench& workbench, const std::string& dataset, const std::vector<std::int64_t>& runs,
                                const RunControl& control) {
    UserIndex index;
    CAROUSEL_ASSIGN(const auto data, workbench.dataset(dataset, control));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Reading the users"));
        CAROUSEL_ASSIGN(const auto results, workbench.store().userResults(runs[i]));
        if (i == 0)
            for (const auto& result : results) {
                index.users.push_back(result.user);
                index.ids << qs(std::string(data->users.ids.id(result.user)));
            }
        std::vector<std::int32_t> best(index.users.size(), 0);
        for (const auto& result : results) {
            const int row = index.rowOf(result.user);
            if (row < 0)
                continue;
            auto& rank = best[static_cast<std::size_t>(row)];
            for (const auto found : result.targetRank)
                if (found > 0 && (rank == 0 || found < rank))
                    rank = found;
        }
        index.bestRank[runs[i]] = std::move(best);
    }
    return index;
}

} // namespace carousel::ui
