// SPDX-License-Identifier: GPL-3.0-or-later
// The open project as the window sees it: its data sets and runs, and the work that changes them. All calls return at once; the work runs
// on job threads and ends in a signal. Selections and the study being edited live in RunSelection and StudyDraft.
#pragma once
#include "jobs/job_runner.h"
#include "session/activity_log.h"
#include "workbench/workbench.h"
#include <QElapsedTimer>
#include <QTimer>

namespace carousel::ui {

class ComputeSetting;
class ModelList;
class RunSelection;
class StudyDraft;

// A data set that one click brings into a project of its own.
struct Sample {
    QString id, kind, title, summary, source; // source: where its files must lie; shown when they are missing
    std::string path;
    bool available = false;
};

class Session : public QObject {
    Q_OBJECT
public:
    explicit Session(QObject* parent = nullptr);
    ~Session() override;

    Workbench& workbench() { return *m_workbench; }
    JobRunner& jobs() { return *m_jobs; }
    ActivityLog& log() { return *m_log; }
    RunSelection& selection() { return *m_selection; }
    StudyDraft& draft() { return *m_draft; }
    ModelList& models() { return *m_models; }
    ComputeSetting& compute() { return *m_compute; }

    bool hasProject() const { return !m_file.isEmpty(); }
    bool isOpening() const { return m_opening; }
    bool isIdle() const { return m_jobs->isIdle(); }
    const QString& projectFile() const { return m_file; }
    QString projectName() const;
    bool readOnly() const { return m_readOnly; }
    const std::vector<DatasetRow>& datasets() const { return m_datasets; }
    const std::vector<RunRow>& runs() const { return m_runs; }
    const QString& placementVerdict() const { return m_placement; } // first sentence of the newest placement study; empty: none
    bool loaded() const { return m_loaded; } // the lists have been read at least once for this project
    bool isRunningStudy() const { return m_studyJob != 0; }

    void openProject(const QString& file, std::function<void()> then = {});
    void createProject(const QString& file, const QString& title, std::function<void()> then = {});
    void closeProject();
    static QStringList recentProjects();
    static void forgetRecent(const QString& file);
    static std::vector<Sample> samples();
    static QString sampleProject(const Sample& sample); // where its project lies
    void openSample(const Sample& sample);              // creates and imports when it is not there yet

    void refresh(); // reads data sets and runs again
    void importData(const Workbench::ImportRequest& request, std::function<void(const Result<ImportReport>&)> done = {});
    void removeDataset(const QString& name);
    // Loads (or finds) a data set; `done` is called on the GUI thread while `receiver` lives.
    void requestDataset(const QString& name, QObject* receiver, std::function<void(Result<DatasetPtr>)> done);
    void runStudy(const StudySpec& study);
    void resumeRuns(const std::vector<std::int64_t>& runs);
    void removeRuns(const std::vector<std::int64_t>& runs);
    void tagRun(std::int64_t run, const QString& tag);

    void goTo(const QString& page) { Q_EMIT pageWanted(page); }
    void say(const QString& text) { log().add(ActivityLog::Level::note, text); }

Q_SIGNALS:
    void projectChanged();             // opened, closed or another one
    void openFailed(const carousel::Error& error);
    void datasetsChanged();
    void runsChanged();
    void imported(const QString& dataset);
    void studyStarted();
    void studyEnded(bool complete);
    void pageWanted(const QString& page);
    void showItemWanted(const QString& text); // the data page filters the items by this
    void analysisWanted(const QString& kind); // the experiments page sets up this kind

private:
    void opened(const QString& file, bool readOnly, const std::function<void()>& then);
    void failed(const Error& error);
    void remember(const QString& file);
    void trackStudy(JobNumber number);

    std::unique_ptr<Workbench> m_workbench;
    ActivityLog* m_log;
    RunSelection* m_selection;
    StudyDraft* m_draft;
    ModelList* m_models;
    ComputeSetting* m_compute;
    std::unique_ptr<JobRunner> m_jobs; // last: stops before what its jobs use goes away
    QString m_file;
    bool m_readOnly = false, m_opening = false, m_loaded = false;
    std::vector<DatasetRow> m_datasets;
    std::vector<RunRow> m_runs;
    QString m_placement;
    JobNumber m_studyJob = 0;
    QTimer m_poll; // run list while a study runs
};

} // namespace carousel::ui
