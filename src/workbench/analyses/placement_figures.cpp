// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement_figures.h"
#include "evaluation/statistics/cluster_bootstrap.h"
#include "evaluation/statistics/crossed_bootstrap.h"
#include "llm/model_memory.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel::analyses {

namespace {

constexpr std::size_t fewestRows = 10;

struct Row {
    Code user = noCode;
    std::int32_t seed = 0;
    std::size_t events = 0; // that the user is known by
    bool coldItem = false;  // a held-out item is hardly known
    std::vector<double> ndcg, value; // per strategy
};
// What a row says of every run of the design.
using Answers = std::function<std::vector<double>(const Row&)>;

// Of each run the strategy `of` it, less what `less` names when there is any.
Answers answers(bool byValue, std::vector<std::size_t> of, std::vector<std::size_t> less = {}) {
    return [=](const Row& row) {
        const std::vector<double>& y = byValue ? row.value : row.ndcg;
        std::vector<double> out(of.size());
        for (std::size_t r = 0; r < of.size(); ++r)
            out[r] = y[of[r]] - (less.empty() ? 0 : y[less[r]]);
        return out;
    };
}

Result<PlacementGains> gainsOf(const FactorialDesign& design, const std::vector<const Row*>& rows, const Answers& answersOf, const AnalysisSpec& spec, const RunControl& control) {
    const std::size_t runs = design.runs.size(), effects = std::size_t(1) << design.places;
    const std::size_t ofGain = runs + effects, ofTotal = ofGain + 4;
    std::vector<std::vector<double>> columns(ofTotal + 1, std::vector<double>(rows.size()));
    std::map<Code, std::int32_t> users;
    std::vector<std::int32_t> user, seed;
    PlacementGains out;
    out.rows = rows.size();
    out.reachesNothing.fill(true);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const std::vector<double> y = answersOf(*rows[r]);
        user.push_back(users.emplace(rows[r]->user, static_cast<std::int32_t>(users.size())).first->second);
        seed.push_back(rows[r]->seed);
        for (std::size_t i = 0; i < runs; ++i)
            columns[i][r] = y[i];
        const std::vector<double> effect = factorialEffects(design, y);
        for (std::size_t e = 0; e < effects; ++e)
            columns[runs + e][r] = effect[e];
        const std::vector<double> shares = design.half ? std::vector<double>{effect[1], effect[2], effect[4], effect[8]} : shapleyShares(y);
        for (std::size_t p = 0; p < 4; ++p) {
            columns[ofGain + p][r] = shares[p];
            for (std::size_t e = 1; e < effects; ++e)
                if ((e >> p & 1) && std::fabs(effect[e]) > 1e-12)
                    out.reachesNothing[p] = false;
        }
        columns[ofTotal][r] = y.back() - y.front();
    }
    // Seeds of a slice may be fewer than those of the study.
    std::map<std::int32_t, std::int32_t> dense;
    for (auto& each : seed)
        each = dense.emplace(each, static_cast<std::int32_t>(dense.size())).first->second;
    const double confidence = spec.options.number("confidence");
    CAROUSEL_ASSIGN(const CrossedMeans means, crossedMeans(columns, user, seed, static_cast<int>(spec.options.integer("draws")), spec.seed, control));
    const auto estimate = [&](std::size_t column) { return PlacementEstimate{means.mean[column], means.standardError(column), means.interval(column, confidence)}; };
    for (std::size_t i = 0; i < runs; ++i)
        out.levels.push_back(estimate(i));
    for (std::size_t e = 0; e < effects; ++e)
        out.effects.push_back(estimate(runs + e));
    out.total = estimate(ofTotal);
    out.totalIsClear = out.total.interval.low > 0 || out.total.interval.high < 0;
    for (std::size_t p = 0; p < 4; ++p) {
        out.gain[p] = estimate(ofGain + p);
        out.share[p].value = out.total.value != 0 ? out.gain[p].value / out.total.value : std::nan("");
        std::vector<double> drawn;
        for (int d = 0; d < means.draws; ++d)
            drawn.push_back(means.at(d, ofTotal) != 0 ? means.at(d, ofGain + p) / means.at(d, ofTotal) : std::nan(""));
        out.share[p].interval = percentileInterval(std::move(drawn), confidence);
    }
    return out;
}

// What preparing a strategy cost when it was done with the least from kept answers: an earlier study of the project, with fewer users say,
// may have done the work.
Result<Cost> preparationOf(Workbench& bench, const StrategyResult& strategy) {
    Cost out = strategy.preparation;
    CAROUSEL_ASSIGN(const auto rows, bench.store().runs());
    for (const RunRow& row : rows) {
        if (row.state != RunState::complete || row.strategyJson != strategy.run.strategyJson || row.datasetDigest != strategy.run.datasetDigest)
            continue;
        const auto record = nlohmann::json::parse(row.notesJson, nullptr, false);
        const auto preparation = record.is_object() ? record.value("preparation", nlohmann::json::object()) : nlohmann::json::object();
        if (preparation.value("modelCalls", std::int64_t(0)) <= out.modelCalls)
            continue;
        out.modelCalls = preparation.value("modelCalls", std::int64_t(0));
        out.promptTokens = preparation.value("promptTokens", std::int64_t(0));
        out.generatedTokens = preparation.value("generatedTokens", std::int64_t(0));
        out.modelSeconds = preparation.value("modelSeconds", 0.0);
        out.seconds = preparation.value("seconds", 0.0);
    }
    return out;
}

// The notes of a run that its plugins wrote: they begin with their ids.
Result<std::vector<std::string>> pluginReports(Workbench& bench, std::int64_t run, const PlacementPlan& plan) {
    CAROUSEL_ASSIGN(const RunRow row, bench.store().run(run));
    const auto record = nlohmann::json::parse(row.notesJson, nullptr, false);
    std::vector<std::string> out;
    for (const auto& note : record.is_object() ? record.value("notes", nlohmann::json::array()) : nlohmann::json::array())
        if (note.is_string() && std::any_of(plan.titleOn.begin(), plan.titleOn.end(), [&](const std::string& id) {
                const auto text = note.get<std::string>();
                return text.starts_with(id + ":") || text.starts_with(id + ",");
            }))
            out.push_back(note.get<std::string>());
    return out;
}

// Adds a seed's rows: per user the metric under every combination, and what is known of user and target.
Result<void> addSeed(Workbench& bench, const AnalysisSpec& spec, const StudySpec& study, const PlacementStudy& done, std::int32_t seed, std::vector<Row>& rows, PlacementFigures& out,
                     const RunControl& control) {
    CAROUSEL_ASSIGN(const StudyComparison comparison, bench.compare(done.runs, control));
    CAROUSEL_ASSIGN(const auto users, bench.runUsers(done.runs.front()));
    CAROUSEL_ASSIGN(const auto data, bench.dataset(study.dataset, control));
    CAROUSEL_ASSIGN(const Split split, makeSplit(*data, study.split, control));
    CAROUSEL_ASSIGN(const EventModel events, presetEventModel(study.split.targetModel));
    CAROUSEL_ASSIGN(const TrainingView training, TrainingView::make(data, split, events, study.evaluation.refitOnValidation));
    std::vector<std::size_t> known(training.itemCount(), 0);
    for (std::size_t u = 0; u < training.userCount(); ++u)
        for (const Code item : training.historyItems(static_cast<Code>(u)))
            ++known[static_cast<std::size_t>(item)];
    std::size_t ndcg = 0;
    for (std::size_t m = 0; m < comparison.definitions.size(); ++m)
        if (comparison.definitions[m].metric == Metric::ndcg)
            ndcg = m;
    const auto coldItem = static_cast<std::size_t>(spec.options.integer("coldItem"));
    for (std::size_t u = 0; u < users.size(); ++u) {
        Row row;
        row.user = users[u];
        row.seed = seed;
        row.events = training.historyItems(users[u]).size();
        for (const Code target : split.testTargets[static_cast<std::size_t>(users[u])])
            row.coldItem = row.coldItem || known[static_cast<std::size_t>(target)] <= coldItem;
        for (const StrategyResult& strategy : comparison.strategies) {
            row.ndcg.push_back(static_cast<double>(strategy.metrics[ndcg].perUser[u]));
            row.value.push_back(static_cast<double>(strategy.value.perUser[u]));
        }
        rows.push_back(std::move(row));
    }
    if (seed == 0) {
        out.datasetTitle = comparison.datasetTitle;
        out.datasetUsers = data->users.size();
        out.users = users.size();
        out.metricTitle = comparison.definitions[ndcg].label;
        out.valueNote = comparison.attractionNote;
        out.valueTitle = "Value shown";
        for (const StrategyResult& strategy : comparison.strategies) {
            CAROUSEL_ASSIGN(Cost preparation, preparationOf(bench, strategy));
            out.preparation.push_back(preparation);
        }
        CAROUSEL_ASSIGN(out.reports, pluginReports(bench, done.runs[out.plan.design.runs.size() - 1], out.plan));
        if (out.plan.shots > 0) {
            CAROUSEL_ASSIGN(out.fewShotReports, pluginReports(bench, done.runs[out.plan.fewShotRuns.back()], out.plan));
        }
    }
    for (const StrategyResult& strategy : comparison.strategies) {
        if (strategy.invalidShare > 0.05)
            out.warnings.push_back(fmt::format("{}{}: {:.1f} % of the scores were invalid, missing, truncated or replaced; they are counted, none was dropped.", strategy.strategy.name,
                                               seed > 0 ? fmt::format(" (seed {})", study.seed) : "", 100 * strategy.invalidShare));
        if (strategy.fallbackShare > 0.5)
            out.warnings.push_back(fmt::format("{}{}: the controller fell back to its rule for {:.0f} % of the users.", strategy.strategy.name,
                                               seed > 0 ? fmt::format(" (seed {})", study.seed) : "", 100 * strategy.fallbackShare));
    }
    return {};
}

// What a place adds, from the requests that were asked afresh; `of`: the strategy that stands for each run of the design.
std::array<PlaceCost, 4> costsOf(Workbench& bench, const AnalysisSpec& spec, const PlacementFigures& out, const std::vector<std::size_t>& of) {
    std::array<PlaceCost, 4> costs;
    const FactorialDesign& design = out.plan.design;
    std::vector<double> seconds, tokens;
    for (std::size_t r = 0; r < design.runs.size(); ++r) {
        seconds.push_back(out.meanSeconds(of[r]));
        tokens.push_back(out.meanTokens(of[r]));
    }
    const auto ofSeconds = factorialEffects(design, seconds), ofTokens = factorialEffects(design, tokens);
    const double price = spec.options.number("pricePerMillion"), watts = spec.options.number("watts");
    const auto shelf = bench.models();
    for (std::size_t p = 0; p < 4; ++p) {
        PlaceCost& cost = costs[p];
        cost.seconds = ofSeconds[std::size_t(1) << p];
        cost.tokens = ofTokens[std::size_t(1) << p];
        cost.money = price > 0 ? cost.tokens * 1000 * price / 1e6 : std::nan("");
        cost.wattHours = cost.seconds * 1000 * watts / 3600;
        std::vector<double> off, on;
        for (std::size_t r = 0; r < design.runs.size(); ++r)
            for (const RequestCost& each : out.requests[of[r]])
                (design.runs[r] >> p & 1 ? on : off).push_back(each.seconds);
        cost.medianOff = quantileOf(off, 0.5), cost.p95Off = quantileOf(std::move(off), 0.95);
        cost.medianOn = quantileOf(on, 0.5), cost.p95On = quantileOf(std::move(on), 0.95);
        for (const auto& model : shelf) {
            if (out.plan.model[p].empty() || model.model.id != out.plan.model[p])
                continue;
            cost.modelBytes = static_cast<double>(model.bytes());
            if (model.model.dimensions.parameters > 0)
                cost.memoryBytes = static_cast<double>(memoryNeeded(model.model, out.plan.costs.compute, usualContextTokens).total());
        }
    }
    return costs;
}

PlacementEvidence evidenceOf(const PlacementGains& gains, const PlaceCost& cost, std::size_t place, const AnalysisSpec& spec) {
    return {.gain = gains.gain[place].value,
            .interval = gains.gain[place].interval,
            .standardError = gains.gain[place].standardError,
            .users = static_cast<double>(gains.rows),
            .smallestGain = spec.options.number("smallestGain"),
            .seconds = cost.seconds,
            .money = cost.money,
            .mostSeconds = spec.options.number("mostSeconds"),
            .mostMoney = spec.options.number("mostMoney")};
}

} // namespace

double quantileOf(std::vector<double> values, double share) {
    if (values.empty())
        return std::nan("");
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    return below + 1 < values.size() ? values[below] + (place - static_cast<double>(below)) * (values[below + 1] - values[below]) : values.back();
}

const PlacementEstimate& PlacementFigures::level(std::size_t strategy) const {
    const std::size_t run = plan.runOf(strategy);
    return strategy == run ? gains.levels[run] : fewShot->gains.levels[run];
}
const PlacementEstimate& PlacementFigures::otherLevel(std::size_t strategy) const {
    const std::size_t run = plan.runOf(strategy);
    return strategy == run ? other.levels[run] : fewShot->other.levels[run];
}
double PlacementFigures::meanSeconds(std::size_t strategy) const {
    double sum = 0;
    for (const RequestCost& each : requests[strategy])
        sum += each.seconds;
    return requests[strategy].empty() ? std::nan("") : sum / static_cast<double>(requests[strategy].size());
}
double PlacementFigures::meanTokens(std::size_t strategy) const {
    double sum = 0;
    for (const RequestCost& each : requests[strategy])
        sum += each.tokens;
    return requests[strategy].empty() ? std::nan("") : sum / static_cast<double>(requests[strategy].size());
}

std::vector<std::size_t> PlacementFigures::front() const {
    std::vector<std::size_t> order(plan.strategies()), out;
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const double x = std::round(1000 * meanSeconds(a)), y = std::round(1000 * meanSeconds(b)); // less than a millisecond is no difference
        return x != y ? x < y : level(a).value > level(b).value;
    });
    for (const std::size_t run : order)
        if (out.empty() || level(run).value > level(out.back()).value)
            out.push_back(run);
    return out;
}

Result<PlacementFigures> placementFigures(Workbench& bench, const AnalysisSpec& spec, PlacementPlan plan, const RunControl& control) {
    PlacementFigures out;
    out.plan = std::move(plan);
    out.byValue = spec.options.text("metric") == "value";
    out.seeds = out.plan.studies.size();
    std::vector<Row> rows;
    // Work: users times seeds for the metric, and the timed requests, which cost more each.
    const double timed = 2.0 * out.plan.costs.evaluation.users, metric = static_cast<double>(spec.options.integer("users")) * static_cast<double>(out.seeds);
    const double until = 0.9 * metric / (metric + timed);
    for (std::size_t s = 0; s < out.seeds; ++s) {
        const auto part = control.slice(until * static_cast<double>(s) / static_cast<double>(out.seeds), until * static_cast<double>(s + 1) / static_cast<double>(out.seeds));
        CAROUSEL_ASSIGN(const PlacementStudy study, placementStudy(bench, out.plan.studies[s], part.slice(0, 0.97)));
        out.computedRuns += study.computed;
        out.allRuns += study.runs.size();
        CAROUSEL_TRY(addSeed(bench, spec, out.plan.studies[s], study, static_cast<std::int32_t>(s), rows, out, part.slice(0.97, 1)));
    }
    CAROUSEL_ASSIGN(const PlacementStudy timing, placementStudy(bench, out.plan.costs, control.slice(until, 0.9)));
    out.computedRuns += timing.computed;
    out.allRuns += timing.runs.size();
    for (const std::int64_t run : timing.runs) {
        CAROUSEL_ASSIGN(const auto users, bench.store().userResults(run));
        std::vector<RequestCost> list;
        for (const UserResult& each : users)
            list.push_back({each.cost.seconds, each.cost.modelSeconds, static_cast<double>(each.cost.promptTokens + each.cost.generatedTokens)});
        out.requests.push_back(std::move(list));
    }
    const RunControl rest = control.slice(0.9, 1);
    std::vector<const Row*> all;
    for (const Row& row : rows)
        all.push_back(&row);
    const FactorialDesign& design = out.plan.design;
    std::vector<std::size_t> zeroShot(design.runs.size());
    std::iota(zeroShot.begin(), zeroShot.end(), std::size_t(0));
    const std::vector<std::size_t>& fewShot = out.plan.fewShotRuns;
    CAROUSEL_ASSIGN(out.gains, gainsOf(design, all, answers(out.byValue, zeroShot), spec, rest.slice(0, 0.2)));
    CAROUSEL_ASSIGN(out.other, gainsOf(design, all, answers(!out.byValue, zeroShot), spec, rest.slice(0.2, 0.4)));
    if (out.plan.shots > 0) {
        FewShotFigures few;
        CAROUSEL_ASSIGN(few.gains, gainsOf(design, all, answers(out.byValue, fewShot), spec, rest.slice(0.4, 0.5)));
        CAROUSEL_ASSIGN(few.other, gainsOf(design, all, answers(!out.byValue, fewShot), spec, rest.slice(0.5, 0.6)));
        CAROUSEL_ASSIGN(few.change, gainsOf(design, all, answers(out.byValue, fewShot, zeroShot), spec, rest.slice(0.6, 0.7)));
        out.fewShot = std::move(few);
    }
    const auto coldUser = static_cast<std::size_t>(spec.options.integer("coldUser"));
    const auto slice = [&](const char* id, std::string title, const auto& takes) -> Result<void> {
        PlacementSlice each{.id = id, .title = std::move(title), .users = 0, .gains = {}, .fewShot = {}};
        std::vector<const Row*> some;
        for (const Row& row : rows)
            if (takes(row))
                some.push_back(&row);
        each.users = some.size();
        if (some.size() >= fewestRows) {
            CAROUSEL_ASSIGN(each.gains, gainsOf(design, some, answers(out.byValue, zeroShot), spec, rest.slice(0.7, 1)));
            if (out.fewShot) {
                CAROUSEL_ASSIGN(each.fewShot, gainsOf(design, some, answers(out.byValue, fewShot), spec, rest.slice(0.7, 1)));
            }
        }
        out.slices.push_back(std::move(each));
        return {};
    };
    CAROUSEL_TRY(slice("cold-users", fmt::format("New users (at most {} events)", coldUser), [&](const Row& row) { return row.events <= coldUser; }));
    CAROUSEL_TRY(slice("warm-users", fmt::format("Known users (more than {} events)", coldUser), [&](const Row& row) { return row.events > coldUser; }));
    CAROUSEL_TRY(slice("cold-items", fmt::format("What they chose is new (at most {} events)", spec.options.integer("coldItem")), [](const Row& row) { return row.coldItem; }));
    out.cost = costsOf(bench, spec, out, zeroShot);
    if (out.fewShot)
        out.fewShot->cost = costsOf(bench, spec, out, fewShot);
    for (std::size_t p = 0; p < 4; ++p) {
        out.evidence[p] = evidenceOf(out.gains, out.cost[p], p, spec);
        out.verdict[p] = placementVerdict(out.evidence[p]);
        if (out.fewShot)
            out.fewShot->verdict[p] = placementVerdict(evidenceOf(out.fewShot->gains, out.fewShot->cost[p], p, spec));
    }
    return out;
}

} // namespace carousel::analyses
