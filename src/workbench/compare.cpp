// SPDX-License-Identifier: GPL-3.0-or-later
// Comparing stored runs: ranking metrics, carousel figures, cost; every number from the stored user results alone.
#include "base/parallel.h"
#include "evaluation/statistics/bootstrap.h"
#include "workbench/chance_levels.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

CatalogueFacts catalogueFacts(const Dataset& dataset, const TrainingView& training) {
    CatalogueFacts facts;
    facts.items = dataset.items.size();
    facts.trainingUsers = training.userCount();
    facts.popularity.resize(facts.items, 0.0f);
    std::vector<float> users(facts.items, 0.0f);
    for (std::size_t u = 0; u < training.userCount(); ++u) {
        const auto user = static_cast<Code>(u);
        const auto items = training.historyItems(user);
        const auto preference = training.historyPreference(user);
        std::vector<Code> liked;
        for (std::size_t i = 0; i < items.size(); ++i)
            if (preference[i] >= training.positiveFrom())
                liked.push_back(items[i]);
        std::sort(liked.begin(), liked.end());
        liked.erase(std::unique(liked.begin(), liked.end()), liked.end());
        for (const Code item : liked)
            users[static_cast<std::size_t>(item)] += 1;
    }
    for (std::size_t i = 0; i < facts.items; ++i)
        facts.popularity[i] = users[i] / static_cast<float>(std::max<std::size_t>(training.userCount(), 1));
    // Tokens that several items share (genres, categories, tags, colours) say how alike two items are; titles and descriptions do not.
    std::int32_t base = 0;
    for (const auto& column : dataset.items.attributes) {
        if (column.isNumeric() || column.dictionary().size() * 3 > facts.items)
            continue;
        if (facts.itemTokens.empty())
            facts.itemTokens.resize(facts.items);
        for (std::size_t i = 0; i < facts.items; ++i)
            for (const auto token : column.tokenCodes(i))
                facts.itemTokens[i].push_back(base + token);
        base += static_cast<std::int32_t>(column.dictionary().size());
    }
    for (auto& tokens : facts.itemTokens) {
        std::sort(tokens.begin(), tokens.end());
        tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    }
    return facts;
}

RankedUser ranked(const UserResult& user) {
    RankedUser out;
    for (const auto& item : user.slate)
        out.items.push_back(item.item);
    out.rankScore = user.rankScore;
    out.targets.assign(user.targets.begin(), user.targets.end());
    out.targetRank = user.targetRank;
    out.targetTies = user.targetTies;
    out.ranked = user.ranked;
    out.auc = user.auc;
    return out;
}

// Reach, click, value per slot, V and the value missed, averaged over users with bootstrap intervals.
Result<void> carouselPart(const std::vector<UserResult>& users, const Attraction& attraction, const EvaluationSpec& evaluation, std::uint64_t seed, StrategyResult& out) {
    const std::size_t slots = static_cast<std::size_t>(2 * evaluation.window);
    std::vector<std::vector<float>> reach(slots, std::vector<float>(users.size(), 0.0f)), click = reach, value = reach;
    std::vector<SlotFigures> sum(slots);
    std::vector<CarouselFigures> figures(users.size());
    std::optional<Error> error;
    std::mutex mutex;
    parallelFor(users.size(), 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t u = begin; u < end; ++u) {
            const auto cards = cardFigures(users[u], attraction);
            auto made = carouselFigures(attraction.model, cards.alpha, cards.v);
            if (made)
                figures[u] = std::move(*made);
            else {
                std::scoped_lock lock(mutex);
                error = made.error();
            }
        }
    });
    if (error)
        return fail(*error);
    out.value.perUser.resize(users.size());
    out.missed.perUser.resize(users.size());
    for (std::size_t u = 0; u < users.size(); ++u) {
        const auto& f = figures[u];
        out.value.perUser[u] = static_cast<float>(f.value);
        out.missed.perUser[u] = static_cast<float>(f.missed);
        for (std::size_t s = 0; s < slots && s < f.slots.size(); ++s) {
            reach[s][u] = static_cast<float>(f.slots[s].reach);
            click[s][u] = static_cast<float>(f.slots[s].click);
            value[s][u] = static_cast<float>(f.slots[s].value);
            sum[s].reach += f.slots[s].reach;
            sum[s].examination += f.slots[s].examination;
            sum[s].click += f.slots[s].click;
            sum[s].value += f.slots[s].value;
            sum[s].hidden += f.slots[s].hidden;
        }
    }
    const double n = std::max<double>(1, static_cast<double>(users.size()));
    for (auto& s : sum)
        s = {s.reach / n, s.examination / n, s.click / n, s.value / n, s.hidden / n};
    out.slots = sum;
    std::vector<std::vector<float>> columns = reach;
    columns.insert(columns.end(), click.begin(), click.end());
    columns.insert(columns.end(), value.begin(), value.end());
    columns.push_back(out.value.perUser);
    columns.push_back(out.missed.perUser);
    const auto intervals = bootstrapMeans(columns, evaluation.bootstrap, evaluation.confidence, seed);
    auto part = [&](std::size_t from) { return std::vector<Interval>(intervals.begin() + static_cast<std::ptrdiff_t>(from), intervals.begin() + static_cast<std::ptrdiff_t>(from + slots)); };
    out.reachInterval = part(0);
    out.clickInterval = part(slots);
    out.valueInterval = part(2 * slots);
    auto mean = [&](const std::vector<float>& values) {
        double total = 0;
        for (const float v : values)
            total += v;
        return total / n;
    };
    out.value.value = out.value.worst = out.value.best = mean(out.value.perUser);
    out.missed.value = out.missed.worst = out.missed.best = mean(out.missed.perUser);
    out.value.interval = intervals[3 * slots];
    out.missed.interval = intervals[3 * slots + 1];
    out.value.users = out.missed.users = static_cast<std::int64_t>(users.size());

    const auto sample = sensitivitySample(users.size());
    std::vector<SwipeSensitivity> bands(sample.users);
    parallelFor(bands.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto cards = cardFigures(users[i * sample.step], attraction);
            bands[i] = swipeSensitivity(attraction.model, cards.alpha, cards.v, 11);
        }
    });
    if (!bands.empty()) {
        out.sensitivity = bands.front();
        for (std::size_t i = 1; i < bands.size(); ++i)
            for (std::size_t p = 0; p < out.sensitivity.swipe.size(); ++p) {
                out.sensitivity.value[p] += bands[i].value[p];
                out.sensitivity.best[p] += bands[i].best[p];
                out.sensitivity.missed[p] += bands[i].missed[p];
            }
        for (auto* list : {&out.sensitivity.value, &out.sensitivity.best, &out.sensitivity.missed})
            for (double& x : *list)
                x /= static_cast<double>(bands.size());
    }
    return {};
}

void targetPositions(const std::vector<UserResult>& users, StrategyResult& out) {
    out.targetPosition.assign(21, 0.0);
    double targets = 0;
    for (const auto& user : users)
        for (std::size_t t = 0; t < user.targets.size(); ++t) {
            targets += 1;
            // A target in a tie group stands at each of its positions with equal probability.
            for (int i = 0; i < user.targetTies[t]; ++i) {
                const int position = user.targetRank[t] == 0 ? 21 : user.targetRank[t] + i;
                out.targetPosition[static_cast<std::size_t>(std::min(position, 21) - 1)] += 1.0 / user.targetTies[t];
            }
        }
    for (double& share : out.targetPosition)
        share /= std::max(targets, 1.0);
}

void costPart(const std::vector<UserResult>& users, const std::string& notesJson, StrategyResult& out) {
    double invalid = 0, scored = 0, fallback = 0;
    for (const auto& user : users) {
        out.cost += user.cost;
        invalid += user.invalid;
        scored += static_cast<double>(user.cost.scoredCandidates);
        fallback += user.fallback ? 1 : 0;
    }
    out.invalidShare = scored > 0 ? invalid / scored : 0;
    out.fallbackShare = users.empty() ? 0 : fallback / static_cast<double>(users.size());
    const auto record = nlohmann::json::parse(notesJson, nullptr, false);
    if (record.is_object()) {
        out.seconds = record.value("prepareSeconds", 0.0) + record.value("scoreSeconds", 0.0);
        for (const auto& note : record.value("notes", nlohmann::json::array()))
            if (note.is_string())
                out.notes.push_back(note.get<std::string>());
        const auto preparation = record.value("preparation", nlohmann::json::object());
        out.preparation.modelCalls = preparation.value("modelCalls", std::int64_t(0));
        out.preparation.promptTokens = preparation.value("promptTokens", std::int64_t(0));
        out.preparation.sharedTokens = preparation.value("sharedTokens", std::int64_t(0));
        out.preparation.generatedTokens = preparation.value("generatedTokens", std::int64_t(0));
        out.preparation.cacheHits = preparation.value("cacheHits", std::int64_t(0));
        out.preparation.cacheMisses = preparation.value("cacheMisses", std::int64_t(0));
        out.preparation.modelSeconds = preparation.value("modelSeconds", 0.0);
        out.preparation.seconds = preparation.value("seconds", 0.0);
    }
    // Only candidates that the model really scored count: answers from the cache take no model time.
    if (out.cost.modelSeconds > 0 && out.cost.cacheMisses > 0)
        out.candidatesPerSecond = static_cast<double>(out.cost.cacheMisses) / out.cost.modelSeconds;
}

} // namespace

Result<StudyComparison> Workbench::compare(const std::vector<std::int64_t>& ids, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    if (ids.empty())
        return fail(ErrorKind::usage, "CL-7012", "There is no run to compare.", "Name at least one complete run.");
    StudyComparison out;
    std::vector<RunRow> rows;
    for (const auto id : ids) {
        CAROUSEL_ASSIGN(auto row, m_d->store->run(id));
        if (row.state != RunState::complete)
            return fail(ErrorKind::partial, "CL-7013", fmt::format("Run {} ('{}') is {}: {} of {} users are done.", id, row.strategy, name(row.state), row.usersDone, row.usersTotal),
                        fmt::format("Finish it first with `run --resume {}`.", id));
        if (!rows.empty() && (row.datasetDigest != rows[0].datasetDigest || row.splitDigest != rows[0].splitDigest))
            return fail(ErrorKind::input, "CL-7010", fmt::format("Runs {} and {} were made on different data or splits and cannot be compared.", rows[0].id, id),
                        "Compare runs of one study, or run both on the same data and split.");
        rows.push_back(std::move(row));
    }
    CAROUSEL_ASSIGN(out.study, parseStudy(rows[0].studyToml, m_d->plugins));
    CAROUSEL_ASSIGN(const auto data, dataset(rows[0].dataset, control));
    if (data->digest != rows[0].datasetDigest)
        return fail(ErrorKind::input, "CL-7011", fmt::format("Data set '{}' is not the one run {} was made on.", rows[0].dataset, rows[0].id), "Import the old data again.");
    CAROUSEL_ASSIGN(const auto parts, m_d->split(*data, out.study.split, control));
    CAROUSEL_ASSIGN(const auto model, presetEventModel(out.study.split.targetModel));
    CAROUSEL_ASSIGN(const auto training, TrainingView::make(data, *parts, model, out.study.evaluation.refitOnValidation));
    const auto facts = catalogueFacts(*data, training);
    CAROUSEL_ASSIGN(const auto attraction, estimateAttraction(*data, out.study.evaluation));
    const auto& evaluation = out.study.evaluation;
    const MetricOptions options{evaluation.k, evaluation.bootstrap, evaluation.confidence, out.study.seed};
    out.datasetTitle = data->title.empty() ? data->name : data->title;
    out.definitions = metricDefinitions(evaluation.k);
    out.attractionNote = attraction.note;

    std::vector<std::vector<UserResult>> all;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("The comparison"));
        control.report("Comparing", static_cast<double>(r), static_cast<double>(rows.size()), "strategies");
        CAROUSEL_ASSIGN(auto users, m_d->store->userResults(rows[r].id));
        StrategyResult result;
        result.run = rows[r];
        CAROUSEL_ASSIGN(const auto study, parseStudy(rows[r].studyToml, m_d->plugins));
        // A run keeps its place in its study as its colour, also when it is looked at alone.
        for (std::size_t s = 0; s < study.strategies.size(); ++s)
            if (study.strategies[s].name == rows[r].strategy) {
                result.strategy = study.strategies[s];
                result.colour = static_cast<int>(s);
            }
        if (rows[r].study != rows[0].study)
            result.colour = static_cast<int>(r);
        std::vector<RankedUser> lists;
        lists.reserve(users.size());
        for (const auto& user : users)
            lists.push_back(ranked(user));
        result.metrics = evaluateRanking(lists, facts, options);
        if (const int count = shortlistOf(result.strategy); count > 0)
            for (const auto& value : result.metrics)
                if (value.metric == Metric::ndcg)
                    result.shortlist = shortlistLevel(lists, count, value, options);
        CAROUSEL_TRY(carouselPart(users, attraction, evaluation, out.study.seed, result));
        targetPositions(users, result);
        costPart(users, rows[r].notesJson, result);
        out.strategies.push_back(std::move(result));
        all.push_back(std::move(users));
    }
    for (std::size_t r = 1; r < all.size(); ++r) {
        bool same = all[r].size() == all[0].size();
        for (std::size_t u = 0; same && u < all[r].size(); ++u)
            same = all[r][u].user == all[0][u].user;
        if (!same)
            return fail(ErrorKind::input, "CL-7010", fmt::format("Runs {} and {} evaluate different users and cannot be compared user by user.", rows[0].id, rows[r].id),
                        "Use the same evaluation.users and seed for both.");
    }
    for (std::size_t r = 0; r < out.strategies.size(); ++r)
        if (out.strategies[r].strategy.stage(StageKind::scorer).plugin == "popularity") {
            out.baseline = r;
            break;
        }
    const auto& base = out.strategies[out.baseline];
    for (std::size_t r = 0; r < out.strategies.size(); ++r) {
        if (r == out.baseline)
            continue;
        for (std::size_t m = 0; m < out.definitions.size(); ++m)
            out.strategies[r].toBaseline.push_back(out.definitions[m].perUser ? pairedDifference(base.metrics[m].perUser, out.strategies[r].metrics[m].perUser, options)
                                                                              : PairedDifference{});
    }
    out.users = static_cast<std::int64_t>(all[0].size());
    for (const auto& definition : out.definitions) {
        double sum = 0;
        for (const auto& user : all[0])
            sum += chanceLevel(definition.metric, evaluation.k, static_cast<int>(user.targets.size()), user.ranked);
        out.chance.push_back(all[0].empty() ? std::nan("") : sum / static_cast<double>(all[0].size()));
    }
    out.warnings = chanceWarnings(out);
    if (out.users < 100)
        out.warnings.push_back(fmt::format("Only {} users are evaluated: intervals are wide.", out.users));
    for (const auto& result : out.strategies) {
        if (result.invalidShare > 0)
            out.warnings.push_back(fmt::format("{}: {:.1f} % of the scores were invalid, missing, truncated or replaced; they are counted, none was dropped.", result.strategy.name, 100 * result.invalidShare));
        if (result.fallbackShare > 0)
            out.warnings.push_back(fmt::format("{}: the controller fell back to its rule for {:.1f} % of the users.", result.strategy.name, 100 * result.fallbackShare));
    }
    control.report("Comparing", static_cast<double>(rows.size()), static_cast<double>(rows.size()), "strategies");
    return out;
}

} // namespace carousel
