// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/task_split.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>
#include <map>

namespace carousel {

Result<TaskSplit> makeTaskSplit(const DatasetPtr& dataset, const TaskSplitSettings& settings, const RunControl& control) {
    SplitSpec spec;
    spec.seed = settings.seed;
    CAROUSEL_ASSIGN(const Split next, makeSplit(*dataset, spec, control.slice(0, 0.5)));
    CAROUSEL_ASSIGN(const EventModel model, presetEventModel(spec.targetModel));
    CAROUSEL_ASSIGN(const TrainingView training, TrainingView::make(dataset, next, model, false));
    const std::size_t users = dataset->users.size();

    TaskSplit out;
    out.history.resize(users), out.seen.resize(users);
    out.validationItem.assign(users, noCode), out.testItem.assign(users, noCode);
    for (std::size_t u = 0; u < users; ++u) {
        if (!next.validationTargets[u].empty())
            out.validationItem[u] = next.validationTargets[u].front();
        if (!next.testTargets[u].empty())
            out.testItem[u] = next.testTargets[u].front();
        for (const Code item : {out.validationItem[u], out.testItem[u]})
            if (item != noCode)
                out.m_heldOut.insert(TaskSplit::key(static_cast<Code>(u), item));
    }

    // A pair is drawn, not a row, so that both reviews of a pair fall to the same side.
    const ReviewTable& reviews = dataset->reviews;
    out.reviewPart.assign(reviews.size(), Part::unused);
    std::map<std::pair<Code, Code>, std::size_t> first;
    for (std::size_t row = 0; row < reviews.size(); ++row) {
        const Code user = reviews.user[row], item = reviews.item[row];
        if (reviews.text[row].empty() && !std::isfinite(reviews.stars[row]))
            continue;
        if (!first.emplace(std::pair{user, item}, row).second)
            continue;
        const double draw = RandomStream(settings.seed, "tasks/review", static_cast<std::uint64_t>(user), static_cast<std::uint64_t>(item)).uniform();
        const bool isTestTarget = out.testItem[static_cast<std::size_t>(user)] == item;
        const bool isValidationTarget = out.validationItem[static_cast<std::size_t>(user)] == item;
        out.reviewPart[row] = isTestTarget || (draw < settings.reviewTestShare && !isValidationTarget) ? Part::test
                              : isValidationTarget || draw < settings.reviewTestShare + settings.reviewValidationShare ? Part::validation
                                                                                                                     : Part::train;
        if (out.reviewPart[row] != Part::train)
            out.m_heldOut.insert(TaskSplit::key(user, item));
    }
    out.heldOutPairs = out.m_heldOut.size();

    for (std::size_t u = 0; u < users; ++u) {
        const Code user = static_cast<Code>(u);
        const auto items = training.historyItems(user);
        const auto preference = training.historyPreference(user);
        std::unordered_set<Code> taken;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (out.heldOut(user, items[i])) {
                ++out.removedEvents;
                continue;
            }
            if (preference[i] >= training.positiveFrom() && taken.insert(items[i]).second)
                out.history[u].push_back(items[i]);
        }
        auto& seen = out.seen[u];
        for (const Code item : training.seenItems(user))
            if (!out.heldOut(user, item))
                seen.push_back(item);
        if (static_cast<int>(out.history[u].size()) < settings.shortestHistory)
            out.validationItem[u] = out.testItem[u] = noCode; // the pairs stay held out
    }
    for (std::size_t row = 0; row < reviews.size(); ++row)
        if (out.reviewPart[row] == Part::train)
            out.seen[static_cast<std::size_t>(reviews.user[row])].push_back(reviews.item[row]);
    for (auto& seen : out.seen) {
        std::sort(seen.begin(), seen.end());
        seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    }
    const auto asked = std::count_if(out.testItem.begin(), out.testItem.end(), [](Code item) { return item != noCode; });
    if (asked == 0 && std::none_of(out.reviewPart.begin(), out.reviewPart.end(), [](Part part) { return part == Part::test; }))
        return fail(ErrorKind::input, "CL-3113",
                    fmt::format("'{}' leaves nothing to test: no customer has {} items and one more, and no review is held out.", dataset->name, settings.shortestHistory),
                    "Use a data set with longer histories or with reviews.");
    return out;
}

} // namespace carousel
