// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/row_study.h"
#include "evaluation/statistics/bootstrap.h"
#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace carousel::ui {

namespace {
std::vector<std::vector<std::int32_t>> rowsOf(const RowStudy& study, std::span<const std::size_t> order, std::size_t user) {
    std::vector<std::vector<std::int32_t>> rows;
    for (const auto candidate : order)
        rows.push_back(study.candidates[candidate].lists[user]);
    rows.resize(std::max(rows.size(), study.question.rows)); // the ideal is that of the full grid
    return rows;
}

Result<Interval> intervalOf(const RowStudy& study, std::span<const std::size_t> order) {
    std::vector<float> perUser;
    for (std::size_t user = 0; user < study.users.size(); ++user) {
        CAROUSEL_ASSIGN(const double value, userFigure(study, order, user));
        perUser.push_back(static_cast<float>(value));
    }
    return bootstrapMean(perUser, study.question.draws, study.question.confidence, study.question.seed);
}
} // namespace

int RowStudy::rowOf(Code user) const {
    const auto it = std::lower_bound(users.begin(), users.end(), user);
    return it != users.end() && *it == user ? static_cast<int>(it - users.begin()) : -1;
}

Result<RowStudy> studyRows(Workbench& workbench, const RowQuestion& question, const RunControl& control) {
    RowStudy study;
    study.question = question;
    if (question.rows == 0 || question.rows > question.runs.size())
        study.question.rows = question.runs.size();
    std::vector<std::vector<UserResult>> results;
    for (const auto id : question.runs) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("Reading the rows"));
        CAROUSEL_ASSIGN(const auto run, workbench.store().run(id));
        CAROUSEL_ASSIGN(auto users, workbench.store().userResults(id));
        study.candidates.push_back({run.strategy, {}});
        results.push_back(std::move(users));
        if (!study.dataset) {
            CAROUSEL_ASSIGN(study.dataset, workbench.dataset(run.dataset, control));
        }
    }
    // Only users that every run has, so that all rows are of the same people.
    for (const auto& first : results.empty() ? std::vector<UserResult>{} : results.front()) {
        std::vector<const UserResult*> same;
        for (const auto& users : results) {
            const auto it = std::lower_bound(users.begin(), users.end(), first.user, [](const UserResult& a, Code code) { return a.user < code; });
            if (it != users.end() && it->user == first.user)
                same.push_back(&*it);
        }
        if (same.size() != results.size())
            continue;
        study.users.push_back(first.user);
        study.relevant.emplace_back(first.targets.begin(), first.targets.end());
        for (std::size_t c = 0; c < same.size(); ++c) {
            auto& list = study.candidates[c].lists.emplace_back();
            for (std::size_t i = 0; i < same[c]->slate.size() && i < question.columns; ++i)
                list.push_back(same[c]->slate[i].item);
        }
    }
    CAROUSEL_ASSIGN(study.choice,
                    chooseRows(study.candidates, study.relevant, study.question.rows, question.columns, question.discount));
    CAROUSEL_ASSIGN(study.interval, intervalOf(study, study.choice.greedy));
    study.bestInterval = study.interval;
    if (!study.choice.best.empty() && study.choice.best != study.choice.greedy) {
        CAROUSEL_ASSIGN(study.bestInterval, intervalOf(study, study.choice.best));
    }
    return study;
}

Result<double> userFigure(const RowStudy& study, std::span<const std::size_t> order, std::size_t user) {
    const auto rows = rowsOf(study, order, user);
    return ndcg2d(rows, study.question.columns, study.relevant[user], {}, study.question.discount);
}

std::vector<std::vector<GridCell>> gridOf(const RowStudy& study, std::span<const std::size_t> order, std::size_t user) {
    const auto rows = rowsOf(study, order, user);
    std::vector<std::vector<GridCell>> grid(rows.size(), std::vector<GridCell>(study.question.columns));
    struct Place {
        double cost = 0;
        std::size_t row = 0, column = 0;
    };
    std::vector<Place> places;
    for (std::size_t r = 0; r < grid.size(); ++r)
        for (std::size_t c = 0; c < grid[r].size(); ++c)
            places.push_back({study.question.discount.alpha * static_cast<double>(r + 1) + study.question.discount.beta * static_cast<double>(c + 1), r, c});
    std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.cost < b.cost; }); // equal cost: upper row first
    std::unordered_set<std::int32_t> seen;
    const auto& relevant = study.relevant[user];
    for (const auto& place : places) {
        if (place.column >= rows[place.row].size() || rows[place.row][place.column] < 0)
            continue;
        auto& cell = grid[place.row][place.column];
        cell.item = rows[place.row][place.column];
        cell.repeated = !seen.insert(cell.item).second;
        cell.relevant = std::find(relevant.begin(), relevant.end(), cell.item) != relevant.end();
        if (cell.relevant && !cell.repeated)
            cell.gain = 1 / std::log2(place.cost);
    }
    return grid;
}

} // namespace carousel::ui
