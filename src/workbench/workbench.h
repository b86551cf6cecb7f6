// SPDX-License-Identifier: GPL-3.0-or-later
// The one object that the command line and the window share: open, import, run, compare, report. All functions are synchronous; the
// window calls them from its job threads. Safe from several threads (the store serialises; data sets are shared and immutable).
#pragma once
#include "data/import.h"
#include "evaluation/carousel/lens.h"
#include "evaluation/metrics/ranking.h"
#include "experiment/analysis_specification.h"
#include "experiment/run_experiment.h"
#include "llm/model_shelf.h"
#include "report/analysis_document.h"
#include "store/project_store.h"
#include "workbench/tasks/task_desk.h"

namespace carousel::server {
class Endpoints;
}

namespace carousel {

// What a strategy's own shortlist reaches in random order (workbench/chance_levels.h).
struct ShortlistLevel {
    int count = 0;   // candidates that its scorer puts in order; 0: all, and nothing else is set
    double ndcg = 0; // of the same candidates in random order
    PairedDifference above; // the strategy's nDCG less that
};
struct StrategyResult {
    RunRow run;
    StrategySpec strategy;
    int colour = 0;
    std::vector<MetricValue> metrics;        // order of metricDefinitions(k)
    std::vector<PairedDifference> toBaseline;// same order; empty for the baseline itself
    ShortlistLevel shortlist;
    Cost cost;                               // of all requests
    Cost preparation;
    double seconds = 0, candidatesPerSecond = 0; // language model candidates per second of model time; 0 when none
    double invalidShare = 0, fallbackShare = 0;
    std::vector<std::string> notes;
    std::vector<SlotFigures> slots;          // mean over users, first 2 * window slots
    std::vector<Interval> reachInterval, clickInterval, valueInterval; // per slot
    MetricValue value, missed;               // V and missed value per user
    SwipeSensitivity sensitivity;            // means over users
    std::vector<double> targetPosition;      // share of targets at position 1..20, last entry: beyond
};
struct StudyComparison {
    StudySpec study;
    std::string datasetTitle;
    std::vector<MetricDefinition> definitions;
    std::vector<StrategyResult> strategies;  // in the order of the study; the first named "popularity", else the first, is the baseline
    std::size_t baseline = 0;
    std::vector<double> chance;              // per definition, mean over users; NaN where it has no meaning
    std::int64_t users = 0;
    std::string attractionNote;              // how alpha and v were estimated, in words
    std::vector<std::string> warnings;
};

// A user's carousel for one run, with everything a page shows under a card.
struct CarouselCard {
    Code item = noCode;
    std::string title, subtitle;             // subtitle: category, price, year
    float score = 0;
    ScoreStatus status = ScoreStatus::ok;
    bool isTarget = false;
    double attraction = 0, value = 1;        // alpha, v
};
struct UserCarousel {
    Code user = noCode;
    std::int64_t run = 0;
    std::string userId;
    std::vector<std::string> likes;          // last liked titles, newest first, at most 12
    std::vector<CarouselCard> cards;         // first 30 of the slate
    std::string trace;                       // JSON
    std::vector<std::int32_t> targetPositions; // 1-based
};

struct StudyRun {
    std::int64_t study = 0;
    std::vector<std::int64_t> runs;       // in the order of the study's strategies; those that failed included
    std::vector<std::string> failures;    // one description per strategy that failed; the others are complete
};

// All carousels of a run as the position lens needs them. Built once, then dragged; holds nothing of the project.
struct RunLens {
    std::int64_t run = 0;
    std::string strategy;
    int colour = 0;
    PositionLens lens;
    CarouselModel model;                     // as the study has it
    std::string segmentField;                // user attribute behind the segments; empty: none
    // From the log, per position; empty without one: clicks per shown slate, and the same divided by the examination of the fitted carousel model
    // (relative to position 1).
    std::vector<double> rawCtr, correctedCtr;
    std::vector<Interval> rawInterval, correctedInterval;
    std::string note;                        // where alpha and v come from
    std::string logNote;                     // where the rates come from, or why there are none
    // What the carousel model measures on the log, in the terms of a study's [evaluation]; NaN where the log cannot tell.
    double measuredSwipe = std::numeric_limits<double>::quiet_NaN(), measuredExamination = measuredSwipe;
    std::vector<Code> users;                 // of the carousels, in their order: ascending
    // The same carousels with v = purchases per click of the item, so that "value" is the chance of a purchase. Empty: the note says why.
    std::optional<PositionLens> conversion;
    std::string conversionNote;
};

class Workbench {
public:
    // Plugins are read once. No model is loaded here.
    Workbench();
    ~Workbench();
    const PluginRegistry& plugins() const;

    Result<void> createProject(const std::string& file, const std::string& title);
    Result<void> openProject(const std::string& file, bool readOnly = false);
    void closeProject();
    bool isOpen() const;
    ProjectStore& store(); // isOpen() must hold

    // kind: "recbole", "open-bandit", "csv", "six-of-hundreds"; path may be empty for the known samples. name: in the project.
    struct ImportRequest {
        std::string kind, path, name, campaign = "all";
        TableMapping mapping;
        ImportLimits limits;
    };
    Result<ImportReport> importData(const ImportRequest& request, const RunControl& control);
    Result<DatasetPtr> dataset(const std::string& name, const RunControl& control = {}); // cached

    // Called after every durable commit of a run with the users finished in it so far (for test harnesses).
    void setCommitListener(std::function<void(std::int64_t run, std::int64_t usersDone)> listener);

    // Runs every strategy of the study and the controls that it lacks (experiment/control_strategies.h); each run is stored as it goes. One strategy's failure leaves the others to run; only when all fail
    // is it an error. Cancelled: error of kind cancelled that names the study to resume.
    Result<StudyRun> runStudy(const StudySpec& study, const RunControl& control);
    Result<StudyRun> resumeStudy(std::int64_t study, const RunControl& control);
    Result<void> resumeRun(std::int64_t run, const RunControl& control);

    Result<StudyComparison> compare(const std::vector<std::int64_t>& runs, const RunControl& control); // one data set and split; else CL-7010
    Result<UserCarousel> carousel(std::int64_t run, Code user);
    Result<std::vector<Code>> runUsers(std::int64_t run);
    Result<std::string> explain(std::int64_t run, Code user, Code item); // JSON steps: retriever rank, score, rank

    // ---- position effects: what a log and runs say about slots (src/workbench/analyses) -------------------------------------------------
    // Runs the analysis and keeps its document in the project (not when the project is read-only: then id is 0).
    struct FinishedAnalysis {
        std::int64_t id = 0;
        AnalysisDocument document;
        bool partial = false; // ab-test: stopped before its last round; asked for again it goes on
    };
    // `onPartial`: kinds that can show what they know so far (ab-test) call it now and then, from the thread of the call.
    Result<FinishedAnalysis> analyse(const AnalysisSpec& spec, const RunControl& control, const std::function<void(const AnalysisDocument&)>& onPartial = {});
    Result<AnalysisDocument> analysis(std::int64_t id); // stored; CL-4007
    Result<AnalysisDocument> compareAnalyses(std::span<const std::int64_t> ids); // two or more experiments side by side; not kept. CL-4007, CL-7021
    // ---- text-to-text models of the task families, as `analyse` of kind tasks trains and keeps them beside the project ----------------------
    std::vector<KeptTaskModel> taskModels(); // newest first
    // CL-3117 when the project has no data set that the model was trained on.
    Result<std::shared_ptr<const TaskDesk>> taskDesk(const KeptTaskModel& model, const RunControl& control);
    Result<TaskCard> askTask(const TaskDesk& desk, TaskCard card, const RunControl& control); // by the processor
    // `slots`: cards per carousel that count (default two pages); `segment`: user attribute or empty.
    Result<std::shared_ptr<const RunLens>> lens(std::int64_t run, int slots, const std::string& segment, const RunControl& control);

    Result<void> writeReport(const std::vector<std::int64_t>& runs, const std::string& htmlFile, bool withPng, const RunControl& control);
    // as: "csv" (per user metrics), "json", "jsonl" (slates), "trec" (run file; qrels written beside as .qrels)
    Result<void> exportRun(std::int64_t run, const std::string& as, const std::string& file);
    std::string provenance(const StudySpec& study, const RunRow* run) const; // JSON block

    // Models: what is on the shelf, and the reason when one cannot be used (llm/model_shelf.h, llm/model_intake.h). These need no project.
    std::vector<ModelStatus> models() const;
    Result<LanguageModel*> languageModel(const std::string& id); // also "server:NAME"
    server::Endpoints& endpoints();                              // servers: list, add, remove, test, consent, keys for this process

private:
    struct Private;
    std::unique_ptr<Private> m_d;
};

// Plots of a comparison, the same in the window and in reports.
std::vector<PlotSpec> comparisonPlots(const StudyComparison& comparison);

} // namespace carousel
