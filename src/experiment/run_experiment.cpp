// SPDX-License-Identifier: GPL-3.0-or-later
// The straight path of one experiment. Read runExperiment() from top to bottom.
#include "experiment/run_experiment.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/random.h"
#include "experiment/pipeline.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string traceJson(const Trace& trace) {
    auto list = nlohmann::json::array();
    for (const auto& entry : trace.entries()) {
        auto detail = nlohmann::json::parse(entry.detail, nullptr, false);
        list.push_back({{"stage", entry.stage}, {"step", entry.step}, {"detail", detail.is_discarded() ? nlohmann::json(entry.detail) : detail}});
    }
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A slate must order the user's unseen items without repeats, and its rank score must not rise: what a controller breaks is its bug, and
// is named instead of being measured.
Result<void> checkSlate(const Slate& slate, const std::vector<Code>& unseen, const std::string& controller) {
    auto broken = [&](const std::string& what) {
        return fail(ErrorKind::plugin, "CL-6010", fmt::format("Controller '{}' gave a slate that {}.", controller, what), "Report it to the plugin's author, or use fixed_cascade.");
    };
    if (slate.rankScore.size() != slate.items.size())
        return broken(fmt::format("has {} items but {} rank scores", slate.items.size(), slate.rankScore.size()));
    std::vector<Code> codes;
    codes.reserve(slate.items.size());
    for (std::size_t i = 0; i < slate.items.size(); ++i) {
        codes.push_back(slate.items[i].item);
        if (!std::isfinite(slate.rankScore[i]) || (i > 0 && slate.rankScore[i] > slate.rankScore[i - 1]))
            return broken(fmt::format("has a rising or non-finite rank score at position {}", i + 1));
    }
    std::sort(codes.begin(), codes.end());
    if (std::adjacent_find(codes.begin(), codes.end()) != codes.end())
        return broken("shows an item twice");
    if (!std::includes(unseen.begin(), unseen.end(), codes.begin(), codes.end()))
        return broken("shows an item that the user has seen or that does not exist");
    return {};
}

// Ranks with ties, and AUC = P(target above other) + P(tie)/2 over all ranked items.
void rankTargets(const Slate& slate, UserResult& out) {
    const std::size_t n = slate.items.size();
    out.ranked = static_cast<std::int32_t>(n);
    out.targetRank.assign(out.targets.size(), 0);
    out.targetTies.assign(out.targets.size(), 1);
    double wins = 0;
    std::int64_t found = 0, othersAbove = 0;
    for (std::size_t start = 0; start < n;) {
        std::size_t end = start + 1;
        while (end < n && slate.rankScore[end] == slate.rankScore[start])
            ++end;
        std::int64_t hits = 0;
        for (std::size_t i = start; i < end; ++i) {
            const auto it = std::lower_bound(out.targets.begin(), out.targets.end(), slate.items[i].item);
            if (it == out.targets.end() || *it != slate.items[i].item)
                continue;
            const auto t = static_cast<std::size_t>(it - out.targets.begin());
            out.targetRank[t] = static_cast<std::int32_t>(start + 1);
            out.targetTies[t] = static_cast<std::int32_t>(end - start);
            ++hits;
        }
        const std::int64_t others = static_cast<std::int64_t>(end - start) - hits;
        wins += static_cast<double>(hits) * (static_cast<double>(othersAbove) + 0.5 * static_cast<double>(others)); // others at or above a hit
        found += hits;
        othersAbove += others;
        start = end;
    }
    const std::int64_t others = othersAbove;
    if (found > 0 && others > 0)
        out.auc = 1 - wins / (static_cast<double>(found) * static_cast<double>(others));
}

Result<UserResult> oneRequest(const Pipeline& pipeline, const Split& split, Code user, const StudySpec& study, const StrategySpec& strategy,
                              const ExperimentHost& host, const RunControl& control) {
    const auto start = Clock::now();
    const Cost before = pipeline.sequential ? host.cost->total() : Cost{};
    RequestTools tools(pipeline, user, control);
    CAROUSEL_ASSIGN(const Slate slate, pipeline.controller->compose(tools, control));
    CAROUSEL_TRY(checkSlate(slate, tools.unseen(), strategy.stage(StageKind::controller).plugin));
    UserResult out;
    out.user = user;
    out.targets = split.testTargets[static_cast<std::size_t>(user)];
    std::sort(out.targets.begin(), out.targets.end());
    rankTargets(slate, out);
    const auto depth = std::min(slate.items.size(), static_cast<std::size_t>(study.evaluation.depth));
    out.slate.assign(slate.items.begin(), slate.items.begin() + static_cast<std::ptrdiff_t>(depth));
    out.rankScore.assign(slate.rankScore.begin(), slate.rankScore.begin() + static_cast<std::ptrdiff_t>(depth));
    out.fallback = slate.fallback;
    out.invalid = static_cast<std::int32_t>(tools.notOk());
    if (!slate.note.empty())
        tools.trace().add("controller", "note", nlohmann::json(slate.note).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    out.trace = traceJson(tools.trace());
    if (pipeline.sequential)
        out.cost = host.cost->total() - before;
    out.cost.scoredCandidates = tools.scored();
    out.cost.seconds = secondsSince(start);
    return out;
}

} // namespace

std::vector<Code> evaluatedUsers(const Split& split, const EvaluationSpec& evaluation, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, Code>> drawn;
    for (std::size_t u = 0; u < split.testTargets.size(); ++u)
        if (!split.testTargets[u].empty())
            drawn.emplace_back(RandomStream(seed, "evaluated users", u).next64(), static_cast<Code>(u));
    if (evaluation.users > 0 && drawn.size() > static_cast<std::size_t>(evaluation.users)) {
        std::sort(drawn.begin(), drawn.end());
        drawn.resize(static_cast<std::size_t>(evaluation.users));
    }
    std::vector<Code> users;
    for (const auto& [key, user] : drawn)
        users.push_back(user);
    std::sort(users.begin(), users.end());
    return users;
}

Result<RunOutcome> runExperiment(DatasetPtr dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy, const ExperimentHost& host,
                                 RunSink& sink, const RunControl& control) {
    RunOutcome outcome;
    auto start = Clock::now();

    // 1. features, embeddings, fitted scorer, retrievers
    const RunControl preparing = control.slice(0, 0.15), scoring = control.slice(0.15, 1);
    CAROUSEL_ASSIGN(const auto pipeline, Pipeline::prepare(dataset, split, study, strategy, host, preparing));
    outcome.preparation = host.cost->total();
    outcome.prepareSeconds = outcome.preparation.seconds = secondsSince(start);
    outcome.notes = pipeline->notes;

    // 2. who is asked, less those an interrupted run has finished
    const std::vector<Code> all = evaluatedUsers(split, study.evaluation, study.seed);
    std::vector<Code> finished = sink.finishedUsers(), open;
    std::sort(finished.begin(), finished.end());
    std::set_difference(all.begin(), all.end(), finished.begin(), finished.end(), std::back_inserter(open));
    outcome.users = static_cast<std::int64_t>(all.size());

    // 3. candidates, scores and slate of every user, kept batch by batch
    start = Clock::now();
    const std::size_t batch = pipeline->sequential ? 1 : 64;
    const auto total = static_cast<double>(all.size());
    for (std::size_t first = 0; first < open.size();) {
        const auto began = Clock::now();
        std::vector<UserResult> results;
        // A sequential run saves every quarter of a second, so that little is lost and little is waited for.
        while (first < open.size() && (results.empty() || (pipeline->sequential && secondsSince(began) < 0.25))) {
            if (control.stopRequested()) {
                if (!results.empty())
                    CAROUSEL_TRY(sink.append(results));
                return fail(RunControl::cancelled(fmt::format("Strategy '{}'", strategy.name)));
            }
            scoring.report(strategy.name, static_cast<double>(all.size() - open.size() + first), total, "users");
            const std::size_t count = std::min(batch, open.size() - first);
            std::vector<Result<UserResult>> made(count, fail(ErrorKind::internal, "CL-9002", "A request was not made."));
            auto request = [&](std::size_t i) { made[i] = oneRequest(*pipeline, split, open[first + i], study, strategy, host, scoring); };
            if (pipeline->sequential)
                request(0);
            else
                parallelFor(count, 1, [&](std::size_t b, std::size_t e) {
                    for (std::size_t i = b; i < e; ++i)
                        request(i);
                });
            for (auto& result : made) {
                if (!result) {
                    if (!results.empty())
                        CAROUSEL_TRY(sink.append(results));
                    return fail(result.error());
                }
                results.push_back(std::move(*result));
            }
            first += count;
        }
        CAROUSEL_TRY(sink.append(results));
        scoring.report(strategy.name, static_cast<double>(all.size() - open.size() + first), total, "users");
    }
    outcome.scoreSeconds = secondsSince(start);
    return outcome;
}

std::string runFingerprint(const Dataset& dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy, const PluginRegistry& plugins,
                           const std::map<std::string, std::string>& modelSha256) {
    Sha256 hash;
    auto everything = study;
    everything.strategies = {strategy};
    everything.name = "";
    hash.addField("carousel run 1").addField(canonicalJson(everything)).addField(dataset.digest).addField(split.digest);
    for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
        if (const auto entry = plugins.find(kind, strategy.stage(kind).plugin))
            hash.addField((*entry)->manifest.id).addField((*entry)->sha256);
    for (const auto& [id, sha] : modelSha256)
        hash.addField(id).addField(sha);
    return hash.hex();
}

} // namespace carousel
