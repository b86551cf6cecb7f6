// SPDX-License-Identifier: GPL-3.0-or-later
// One user's carousel as stored, and why an item stands where it stands.
#include "base/text.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

std::string subtitle(const Dataset& dataset, Code item) {
    std::vector<std::string> parts;
    for (const char* field : {"category", "class", "genre", "genres", "brand", "release_year", "price"}) {
        const auto* column = dataset.items.attribute(field);
        if (!column || column->missing(static_cast<std::size_t>(item)))
            continue;
        parts.push_back(column->text(static_cast<std::size_t>(item)));
        if (parts.size() == 3)
            break;
    }
    return fmt::format("{}", fmt::join(parts, " · "));
}

std::vector<std::string> likes(const Dataset& dataset, const TrainingView& training, Code user) {
    std::vector<std::string> out;
    const auto items = training.historyItems(user);
    const auto preference = training.historyPreference(user);
    std::vector<Code> shown;
    for (std::size_t i = items.size(); i-- > 0 && out.size() < 12;)
        if (preference[i] >= training.positiveFrom() && std::find(shown.begin(), shown.end(), items[i]) == shown.end()) {
            shown.push_back(items[i]);
            out.push_back(dataset.items.displayName(items[i]));
        }
    return out;
}

Result<UserResult> storedUser(ProjectStore& store, std::int64_t run, Code user) {
    CAROUSEL_ASSIGN(auto users, store.userResults(run));
    const auto it = std::lower_bound(users.begin(), users.end(), user, [](const UserResult& a, Code code) { return a.user < code; });
    if (it == users.end() || it->user != user)
        return fail(ErrorKind::input, "CL-7014", fmt::format("Run {} has no result for this user (code {}).", run, user), "Choose one of the users of the run.");
    return std::move(*it);
}

} // namespace

Result<std::vector<Code>> Workbench::runUsers(std::int64_t run) {
    if (!isOpen())
        return fail(noProject());
    return m_d->store->finishedUsers(run);
}

Result<UserCarousel> Workbench::carousel(std::int64_t run, Code user) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto row, m_d->store->run(run));
    CAROUSEL_ASSIGN(const auto result, storedUser(*m_d->store, run, user));
    CAROUSEL_ASSIGN(const auto study, parseStudy(row.studyToml, m_d->plugins));
    CAROUSEL_ASSIGN(const auto data, dataset(row.dataset));
    CAROUSEL_ASSIGN(const auto parts, m_d->split(*data, study.split, {}));
    CAROUSEL_ASSIGN(const auto model, presetEventModel(study.split.targetModel));
    CAROUSEL_ASSIGN(const auto training, TrainingView::make(data, *parts, model, study.evaluation.refitOnValidation));
    CAROUSEL_ASSIGN(const auto attraction, estimateAttraction(*data, study.evaluation));
    UserCarousel out;
    out.user = user;
    out.run = run;
    out.userId = data->users.ids.id(user);
    out.likes = likes(*data, training, user);
    out.trace = result.trace;
    for (std::size_t t = 0; t < result.targets.size(); ++t)
        out.targetPositions.push_back(result.targetRank[t]);
    for (std::size_t i = 0; i < result.slate.size() && i < 30; ++i) {
        const auto& scored = result.slate[i];
        const auto index = static_cast<std::size_t>(scored.item);
        CarouselCard card;
        card.item = scored.item;
        card.title = data->items.displayName(scored.item);
        card.subtitle = subtitle(*data, scored.item);
        card.score = scored.score;
        card.status = scored.status;
        card.isTarget = std::binary_search(result.targets.begin(), result.targets.end(), scored.item);
        card.attraction = card.isTarget ? 1.0 : attraction.item[index];
        card.value = attraction.value[index];
        out.cards.push_back(std::move(card));
    }
    return out;
}

Result<std::string> Workbench::explain(std::int64_t run, Code user, Code item) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto row, m_d->store->run(run));
    CAROUSEL_ASSIGN(const auto result, storedUser(*m_d->store, run, user));
    CAROUSEL_ASSIGN(const auto data, dataset(row.dataset));
    const auto it = std::find_if(result.slate.begin(), result.slate.end(), [&](const ScoredItem& s) { return s.item == item; });
    if (it == result.slate.end())
        return fail(ErrorKind::input, "CL-7014", fmt::format("'{}' is not among the {} items stored for this user.", data->items.displayName(item), result.slate.size()),
                    "Raise evaluation.depth to store longer lists.");
    const auto position = static_cast<std::size_t>(it - result.slate.begin());
    const auto strategy = nlohmann::json::parse(row.strategyJson, nullptr, false);
    nlohmann::json steps = nlohmann::json::array();
    auto trace = nlohmann::json::parse(result.trace, nullptr, false);
    if (trace.is_array())
        for (const auto& entry : trace)
            steps.push_back(entry);
    const nlohmann::json out{{"item", data->items.ids.id(item)},
                             {"title", data->items.displayName(item)},
                             {"position", position + 1},
                             {"score", it->score},
                             {"status", name(it->status)},
                             {"rankScore", result.rankScore[position]},
                             {"tiedWith", std::count(result.rankScore.begin(), result.rankScore.end(), result.rankScore[position]) - 1},
                             {"heldOut", std::binary_search(result.targets.begin(), result.targets.end(), item)},
                             {"strategy", strategy.is_discarded() ? nlohmann::json(row.strategy) : strategy},
                             {"steps", steps},
                             {"modelTokens", result.cost.promptTokens + result.cost.generatedTokens}};
    return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace carousel
