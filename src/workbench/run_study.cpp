// SPDX-License-Identifier: GPL-3.0-or-later
// Running studies: every strategy becomes a run that is stored user by user, and can be taken up again where it stopped.
#include "experiment/control_strategies.h"
#include "workbench/metered_models.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <mutex>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

class StoreSink : public RunSink {
public:
    // `whenPrepared` is called when a prepared run asks which users are done, before its first request.
    StoreSink(ProjectStore& store, std::int64_t run, std::vector<Code> finished, const std::function<void(std::int64_t, std::int64_t)>& listener,
              std::function<void()> whenPrepared)
        : m_store(store), m_run(run), m_finished(std::move(finished)), m_listener(listener), m_whenPrepared(std::move(whenPrepared)),
          m_done(static_cast<std::int64_t>(m_finished.size())) {}
    std::vector<Code> finishedUsers() override {
        m_whenPrepared();
        return m_finished;
    }
    Result<void> append(const std::vector<UserResult>& users) override {
        CAROUSEL_TRY(m_store.appendUsers(m_run, users));
        m_done += static_cast<std::int64_t>(users.size());
        if (m_listener)
            m_listener(m_run, m_done);
        return {};
    }

private:
    ProjectStore& m_store;
    const std::int64_t m_run;
    const std::vector<Code> m_finished;
    const std::function<void(std::int64_t, std::int64_t)>& m_listener;
    const std::function<void()> m_whenPrepared;
    std::int64_t m_done;
};

// A study that asks afresh: what preparation asks may be kept answers; from the first request on only what this run itself was answered is
// found, as by a service that has just been started. Everything is kept.
class FreshRequests final : public CompletionCache {
public:
    explicit FreshRequests(CompletionCache& kept) : m_kept(kept) {}
    void requestsBegin() {
        std::scoped_lock lock(m_mutex);
        m_asked = true;
    }
    std::map<std::string, std::string> find(const std::vector<std::string>& keys) override {
        std::scoped_lock lock(m_mutex);
        if (!m_asked)
            return m_kept.find(keys);
        std::map<std::string, std::string> out;
        for (const auto& key : keys)
            if (const auto it = m_own.find(key); it != m_own.end())
                out.insert(*it);
        return out;
    }
    Result<void> store(const std::map<std::string, std::string>& answers) override {
        std::scoped_lock lock(m_mutex);
        if (m_asked)
            for (const auto& [key, answer] : answers)
                m_own[key] = answer;
        return m_kept.store(answers);
    }

private:
    CompletionCache& m_kept;
    std::mutex m_mutex; // guards what follows
    bool m_asked = false;
    std::map<std::string, std::string> m_own;
};

nlohmann::json toJson(const Cost& cost) {
    return {{"modelCalls", cost.modelCalls},     {"promptTokens", cost.promptTokens}, {"sharedTokens", cost.sharedTokens},
            {"generatedTokens", cost.generatedTokens}, {"cacheHits", cost.cacheHits},  {"cacheMisses", cost.cacheMisses},
            {"scoredCandidates", cost.scoredCandidates}, {"modelSeconds", cost.modelSeconds}, {"seconds", cost.seconds}};
}

Result<void> runOne(std::int64_t id, const StudySpec& study, const StrategySpec& strategy, DatasetPtr dataset, const Split& split, Workbench& bench,
                    const PluginRegistry& plugins, ModelHost& models, const std::function<void(std::int64_t, std::int64_t)>& listener, const RunControl& control) {
    auto& store = bench.store();
    CostMeter cost;
    FreshRequests fresh(store);
    CompletionCache& cache = study.freshAnswers ? static_cast<CompletionCache&>(fresh) : store;
    MeteredModels metered(models, &cache, cost);
    ExperimentHost host;
    host.plugins = &plugins;
    host.languageModel = [&](const std::string& model) { return metered.get(model); };
    host.cache = &cache;
    host.cost = &cost;
    CAROUSEL_ASSIGN(auto finished, store.finishedUsers(id));
    StoreSink sink(store, id, std::move(finished), listener, [&] { fresh.requestsBegin(); });
    const auto outcome = runExperiment(dataset, split, study, strategy, host, sink, control);
    if (!outcome) {
        // Cancelled, or paused by a server or a budget: what was finished is kept and the rest can be taken up again.
        const bool stopped = outcome.error().kind == ErrorKind::cancelled || outcome.error().kind == ErrorKind::partial;
        CAROUSEL_TRY(store.finishRun(id, stopped ? RunState::interrupted : RunState::failed, "{}", describe(outcome.error())));
        return fail(outcome.error());
    }
    auto notes = outcome->notes;
    notes.insert(notes.end(), split.notes.begin(), split.notes.end());
    notes.push_back(study.evaluation.refitOnValidation ? "Fitted on the training and validation parts, tested on the test part."
                                                       : "Fitted on the training part alone; the validation part is unused.");
    const nlohmann::json record{{"notes", notes},
                                {"preparation", toJson(outcome->preparation)},
                                {"prepareSeconds", outcome->prepareSeconds},
                                {"scoreSeconds", outcome->scoreSeconds},
                                {"models", metered.described()}};
    return store.finishRun(id, RunState::complete, record.dump(), "");
}

} // namespace

Result<void> Workbench::Private::runStrategies(std::int64_t study, const StudySpec& spec, StudyRun& out, Workbench& bench, const RunControl& control) {
    out.study = study;
    CAROUSEL_TRY(endpoints.useStudy(spec.endpoints, control));
    CAROUSEL_ASSIGN(const auto data, bench.dataset(spec.dataset, control));
    CAROUSEL_ASSIGN(const auto parts, split(*data, spec.split, control));
    CAROUSEL_ASSIGN(const auto known, store->runs());
    std::optional<Error> firstError, paused;
    std::size_t failed = 0;
    const auto users = static_cast<std::int64_t>(evaluatedUsers(*parts, spec.evaluation, spec.seed).size());
    for (std::size_t i = 0; i < spec.strategies.size(); ++i) {
        const auto& strategy = spec.strategies[i];
        const auto n = static_cast<double>(spec.strategies.size());
        const RunControl part = control.slice(static_cast<double>(i) / n, static_cast<double>(i + 1) / n);
        const auto earlier = std::find_if(known.begin(), known.end(), [&](const RunRow& row) { return row.study == study && row.strategy == strategy.name; });
        std::int64_t id = 0;
        if (earlier != known.end()) {
            id = earlier->id;
            out.runs.push_back(id);
            if (earlier->state == RunState::complete)
                continue;
            CAROUSEL_TRY(store->reopenRun(id));
        } else {
            RunRow row;
            row.study = study;
            row.studyName = spec.name;
            row.strategy = strategy.name;
            row.dataset = spec.dataset;
            row.datasetDigest = data->digest;
            row.splitDigest = parts->digest;
            row.fingerprint = runFingerprint(*data, *parts, spec, strategy, plugins, modelHashes(strategy));
            row.studyToml = toToml(spec);
            row.strategyJson = canonicalJson(strategy);
            row.provenanceJson = bench.provenance(spec, nullptr);
            row.usersTotal = users;
            CAROUSEL_ASSIGN(id, store->beginRun(row));
            out.runs.push_back(id);
        }
        if (const auto done = runOne(id, spec, strategy, data, *parts, bench, plugins, host(spec.device, spec.compute), commitListener, part); !done) {
            if (done.error().kind == ErrorKind::cancelled) {
                Error error = done.error();
                error.message = fmt::format("Study {} was stopped at strategy '{}'.", study, strategy.name);
                error.hint = fmt::format("What was finished is kept; go on with `resume {}`.", study);
                return fail(std::move(error));
            }
            // Disk full, locked and the like hit every strategy alike: stop here.
            if (done.error().kind == ErrorKind::io || done.error().kind == ErrorKind::project)
                return fail(done.error());
            if (done.error().kind == ErrorKind::partial && !paused)
                paused = Error{ErrorKind::partial, "CL-7016", fmt::format("Study {} is paused at strategy '{}': {} {}", study, strategy.name, done.error().code, done.error().message),
                               fmt::format("What was answered is kept and is not asked for again; go on with `resume {}`.", study)};
            ++failed;
            out.failures.push_back(fmt::format("{}: {}", strategy.name, describe(done.error())));
            if (!firstError)
                firstError = done.error();
        }
    }
    if (paused)
        return fail(*paused);
    if (firstError && failed == spec.strategies.size())
        return fail(*firstError);
    return {};
}

Result<StudyRun> Workbench::runStudy(const StudySpec& asked, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const StudySpec study, withControls(asked, m_d->plugins));
    CAROUSEL_ASSIGN(const auto data, dataset(study.dataset, control));
    CAROUSEL_TRY(m_d->split(*data, study.split, control)); // refuse before anything is written
    CAROUSEL_ASSIGN(const auto id, m_d->store->beginStudy(study.name, toToml(study)));
    StudyRun out;
    CAROUSEL_TRY(m_d->runStrategies(id, study, out, *this, control));
    return out;
}

Result<StudyRun> Workbench::resumeStudy(std::int64_t study, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto toml, m_d->store->studyToml(study));
    CAROUSEL_ASSIGN(const auto spec, parseStudy(toml, m_d->plugins));
    StudyRun out;
    CAROUSEL_TRY(m_d->runStrategies(study, spec, out, *this, control));
    return out;
}

Result<void> Workbench::resumeRun(std::int64_t run, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto row, m_d->store->run(run));
    if (row.state == RunState::complete)
        return {};
    CAROUSEL_ASSIGN(const auto spec, parseStudy(row.studyToml, m_d->plugins));
    const auto strategy = std::find_if(spec.strategies.begin(), spec.strategies.end(), [&](const auto& s) { return s.name == row.strategy; });
    if (strategy == spec.strategies.end())
        return fail(ErrorKind::project, "CL-4007", fmt::format("Run {} names the strategy '{}', which its study does not have.", run, row.strategy), "Run the study again.");
    CAROUSEL_ASSIGN(const auto data, dataset(row.dataset, control));
    if (data->digest != row.datasetDigest)
        return fail(ErrorKind::input, "CL-7011", fmt::format("Data set '{}' is not the one run {} was started on.", row.dataset, run), "Import the old data again, or start a new run.");
    CAROUSEL_ASSIGN(const auto parts, m_d->split(*data, spec.split, control));
    CAROUSEL_TRY(m_d->endpoints.useStudy(spec.endpoints, control));
    CAROUSEL_TRY(m_d->store->reopenRun(run));
    return runOne(run, spec, *strategy, data, *parts, *this, m_d->plugins, m_d->host(spec.device, spec.compute), m_d->commitListener, control);
}

} // namespace carousel
