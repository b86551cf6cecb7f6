// SPDX-License-Identifier: GPL-3.0-or-later
// A project is one SQLite file in WAL mode: data sets, split digests, studies, runs (immutable once complete), user results, cached model
// answers, settings. One ProjectStore holds the writer connection and the instance lock; readers open their own through reader().
// Errors: CL-4001 not a project, CL-4002 made by a newer version (both numbers), CL-4003 damaged, CL-4004 locked by another instance
// (kind locked), CL-4005 read-only place (kind io), CL-4006 disk full (kind io), CL-4007 unknown run, study or data set, CL-4008 the disk failed,
// CL-4009 a complete run cannot change, CL-4011 data that runs use, CL-4012 a value that is not a number.
// Thread rule: a ProjectStore object serialises its calls with one mutex; it may be used from any thread.
#pragma once
#include "data/dataset.h"
#include "experiment/run_experiment.h"
#include <nlohmann/json_fwd.hpp>

namespace carousel {

enum class RunState { running, interrupted, complete, failed };
const char* name(RunState state);

struct DatasetRow {
    std::string name, title, digest, importedAt;
    std::int64_t users = 0, items = 0, interactions = 0, impressions = 0, reviews = 0;
    std::string reportJson; // ImportReport and sources
};
struct RunRow {
    std::int64_t id = 0;
    std::int64_t study = 0;             // runs of one study are compared together
    std::string studyName, strategy;    // strategy name
    std::string dataset, datasetDigest, splitDigest;
    std::string fingerprint;
    RunState state = RunState::running;
    std::string createdAt, finishedAt;  // UTC
    std::string studyToml;              // resolved specification of the study
    std::string strategyJson;           // canonical
    std::string provenanceJson;
    std::string notesJson;              // warnings and notes, costs of preparation, seconds
    std::int64_t usersDone = 0, usersTotal = 0;
    std::string error;                  // described, when failed
    std::string tag;                    // analyst's own
};

// A finished analysis: immutable.
struct AnalysisRow {
    std::int64_t id = 0;
    std::string kind, title, dataset, createdAt, verdict; // verdict: the first line of its lead
    std::string light;                                    // "", "supported", "weak", "not supported"
};

class ProjectStore : public CompletionCache {
public:
    // create: fails when the file exists (CL-5005). Both take the lock `FILE.lock` (flock; PID and host inside).
    static Result<std::unique_ptr<ProjectStore>> create(const std::string& file, const std::string& title);
    static Result<std::unique_ptr<ProjectStore>> open(const std::string& file, bool readOnly = false);
    ~ProjectStore() override;

    const std::string& file() const;
    bool readOnly() const;
    int schemaVersion() const;
    Result<void> integrityCheck();

    Result<void> saveDataset(const Dataset& dataset, const ImportReport& report, const RunControl& control); // one transaction; replaces the name
    Result<std::shared_ptr<Dataset>> loadDataset(const std::string& name, const RunControl& control);
    Result<std::vector<DatasetRow>> datasets();
    Result<ImportReport> importReport(const std::string& name);
    Result<void> removeDataset(const std::string& name); // refused while runs use it

    Result<std::int64_t> beginStudy(const std::string& name, const std::string& toml);
    Result<std::string> studyToml(std::int64_t study);   // CL-4007
    Result<std::int64_t> latestStudy();                  // 0 when there is none
    Result<std::int64_t> beginRun(const RunRow& row);    // state running
    Result<void> finishRun(std::int64_t id, RunState state, const std::string& notesJson, const std::string& error);
    Result<void> reopenRun(std::int64_t id);             // interrupted or failed -> running, keeps its users
    Result<std::vector<RunRow>> runs();                  // newest first; runs found "running" at open are "interrupted"
    Result<RunRow> run(std::int64_t id);
    Result<void> removeRun(std::int64_t id);
    Result<void> tagRun(std::int64_t id, const std::string& tag);

    Result<void> appendUsers(std::int64_t run, const std::vector<UserResult>& users); // one transaction, durable when it returns
    Result<std::vector<Code>> finishedUsers(std::int64_t run);
    Result<std::vector<UserResult>> userResults(std::int64_t run); // ascending user code

    Result<std::int64_t> saveAnalysis(const AnalysisRow& row, const std::string& documentJson); // id and createdAt are given here
    Result<std::vector<AnalysisRow>> analyses();                        // newest first
    Result<std::string> analysisDocument(std::int64_t id);              // JSON; CL-4007
    Result<void> removeAnalysis(std::int64_t id);

    Result<std::string> setting(const std::string& key);  // "" when unset
    Result<void> setSetting(const std::string& key, const std::string& value);

    std::map<std::string, std::string> find(const std::vector<std::string>& keys) override;
    Result<void> store(const std::map<std::string, std::string>& answers) override;
    std::int64_t cachedAnswers();

private:
    struct Private;
    explicit ProjectStore(std::unique_ptr<Private> d);
    std::unique_ptr<Private> m_d;
};

} // namespace carousel
