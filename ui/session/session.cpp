// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/session.h"
#include "base/file.h"
#include "base/paths.h"
#include "session/compute_setting.h"
#include "session/model_list.h"
#include "session/run_selection.h"
#include "session/study_draft.h"
#include "widgets/text.h"
#include "workbench/finished_analysis.h"
#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>

namespace carousel::ui {

namespace {
constexpr int mostRecent = 8;
constexpr int pollMs = 1000;

struct Opened {
    bool readOnly = false;
};
struct Lists {
    std::vector<DatasetRow> datasets;
    std::vector<RunRow> runs;
    std::string placement; // verdict of the newest placement study
};
} // namespace

Session::Session(QObject* parent)
    : QObject(parent), m_workbench(std::make_unique<Workbench>()), m_log(new ActivityLog(this)), m_jobs(std::make_unique<JobRunner>()) {
    m_selection = new RunSelection(*this);
    m_draft = new StudyDraft(*this);
    m_models = new ModelList(*this);
    m_compute = new ComputeSetting(*this);
    m_poll.setInterval(pollMs);
    connect(&m_poll, &QTimer::timeout, this, &Session::refresh);
    for (const auto& refused : m_workbench->plugins().refused())
        m_log->add(ActivityLog::Level::warning, tr("Plugin %1 is not used: %2").arg(qs(refused.file), qs(refused.reason)));
    connect(m_jobs.get(), &JobRunner::finished, this, [this](quint64 number, const QString&, bool, const QString&) {
        if (number == m_studyJob) {
            m_studyJob = 0;
            m_poll.stop();
        }
    });
}

Session::~Session() { m_jobs.reset(); }

QString Session::projectName() const { return m_file.isEmpty() ? QString() : QFileInfo(m_file).completeBaseName(); }

void Session::failed(const Error& error) { m_log->add(error); }

void Session::openProject(const QString& file, std::function<void()> then) {
    m_opening = true;
    m_jobs->cancelAll();
    m_jobs->run<Opened>(
        this, {tr("Opening %1").arg(QFileInfo(file).fileName()), Lane::exclusive, QStringLiteral("project")},
        [this, path = ss(file)](const RunControl&) -> Result<Opened> {
            m_workbench->closeProject();
            auto result = m_workbench->openProject(path);
            if (!result && result.error().kind == ErrorKind::locked) { // another window works on it: look, do not touch
                CAROUSEL_TRY(m_workbench->openProject(path, true));
                return Opened{true};
            }
            CAROUSEL_TRY(result);
            return Opened{m_workbench->store().readOnly()};
        },
        [this, file, then](JobRunner::Shared<Opened> result) {
            if (result)
                return opened(file, (*result)->readOnly, then);
            m_opening = false;
            m_file.clear();
            m_datasets.clear();
            m_runs.clear();
            m_placement.clear();
            failed(result.error());
            forgetRecent(file);
            Q_EMIT projectChanged();
            Q_EMIT openFailed(result.error());
        });
}

void Session::createProject(const QString& file, const QString& title, std::function<void()> then) {
    m_opening = true;
    m_jobs->cancelAll();
    m_jobs->run<Opened>(
        this, {tr("Creating %1").arg(QFileInfo(file).fileName()), Lane::exclusive, QStringLiteral("project")},
        [this, path = ss(file), name = ss(title)](const RunControl&) -> Result<Opened> {
            CAROUSEL_TRY(makeFolders(ss(QFileInfo(qs(path)).absolutePath())));
            m_workbench->closeProject();
            CAROUSEL_TRY(m_workbench->createProject(path, name));
            return Opened{};
        },
        [this, file, then](JobRunner::Shared<Opened> result) {
            if (result)
                return opened(file, false, then);
            m_opening = false;
            m_file.clear();
            failed(result.error());
            Q_EMIT projectChanged();
            Q_EMIT openFailed(result.error());
        });
}

void Session::opened(const QString& file, bool readOnly, const std::function<void()>& then) {
    m_file = QFileInfo(file).absoluteFilePath();
    m_readOnly = readOnly;
    m_opening = false;
    m_loaded = false;
    m_datasets.clear();
    m_runs.clear();
    m_placement.clear();
    remember(m_file);
    if (readOnly)
        m_log->add(ActivityLog::Level::warning, tr("%1 is open for reading only: it is in use elsewhere or cannot be written.").arg(m_file));
    else
        say(tr("Opened %1").arg(m_file));
    Q_EMIT projectChanged();
    refresh();
    if (then)
        then();
}

void Session::closeProject() {
    m_jobs->cancelAll();
    m_file.clear();
    m_datasets.clear();
    m_runs.clear();
    m_placement.clear();
    m_loaded = false;
    m_jobs->run(
        this, {tr("Closing the project"), Lane::exclusive, QStringLiteral("project")},
        [this](const RunControl&) -> Result<void> {
            m_workbench->closeProject();
            return {};
        },
        [](Result<void>) {});
    Q_EMIT projectChanged();
}

QStringList Session::recentProjects() {
    QStringList files = QSettings().value(QStringLiteral("recentProjects")).toStringList();
    files.removeIf([](const QString& file) { return !QFileInfo::exists(file); });
    return files;
}

void Session::forgetRecent(const QString& file) {
    QSettings settings;
    QStringList files = settings.value(QStringLiteral("recentProjects")).toStringList();
    files.removeAll(QFileInfo(file).absoluteFilePath());
    settings.setValue(QStringLiteral("recentProjects"), files);
}

void Session::remember(const QString& file) {
    QSettings settings;
    QStringList files = settings.value(QStringLiteral("recentProjects")).toStringList();
    files.removeAll(file);
    files.prepend(file);
    settings.setValue(QStringLiteral("recentProjects"), QStringList(files.mid(0, mostRecent)));
}

std::vector<Sample> Session::samples() {
    const QString data = qs(dataFolder());
    std::vector<Sample> list;
    list.push_back({QStringLiteral("six-of-hundreds"), QStringLiteral("six-of-hundreds"), tr("Six of hundreds"),
                    tr("A shop made by this project: about 400 products, every event kind, logged carousels with positions and propensities, and a known truth."),
                    qs(sampleDataFolder() + "/six_of_hundreds"), sampleDataFolder() + "/six_of_hundreds", false});
    list.push_back({QStringLiteral("ml-100k"), QStringLiteral("recbole"), tr("MovieLens 100K"),
                    tr("100,000 film ratings by 943 people: the set that most papers report. Titles, genres and years are there; positions are not."),
                    data + QStringLiteral("/ml-100k"), dataFolder() + "/ml-100k", false});
    list.push_back({QStringLiteral("open-bandit"), QStringLiteral("open-bandit"), tr("Open Bandit"),
                    tr("Logged carousels of a fashion shop with positions, clicks and the probability that each item was shown."),
                    data + QStringLiteral("/open-bandit"), dataFolder() + "/open-bandit", false});
    for (auto& sample : list)
        sample.available = QFileInfo::exists(qs(sample.path));
    return list;
}

QString Session::sampleProject(const Sample& sample) {
    const QString base = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation);
    return base + QStringLiteral("/carousel-lab/projects/") + sample.id + QStringLiteral(".carousel");
}

void Session::openSample(const Sample& sample) {
    const QString file = sampleProject(sample);
    const auto importThen = [this, sample] {
        Workbench::ImportRequest request;
        request.kind = ss(sample.kind);
        request.path = sample.kind == QLatin1String("six-of-hundreds") ? std::string() : sample.path;
        request.name = ss(sample.id);
        importData(request, [this, sample](const Result<ImportReport>& imported) {
            // What comes with the sample, finished: to look at before anything has run here.
            const QDir folder(qs(sampleDataFolder() + "/results"));
            if (imported && sample.kind == QLatin1String("six-of-hundreds"))
                for (const auto& name : folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name))
                    m_jobs->run<std::int64_t>(
                        this, {tr("Adding a finished analysis"), Lane::quick, {}}, [this, file = ss(folder.filePath(name))](const RunControl&) { return addFinishedAnalysis(*m_workbench, file); },
                        [this](JobRunner::Shared<std::int64_t> added) { added ? refresh() : failed(added.error()); });
        });
        goTo(QStringLiteral("data"));
    };
    if (!QFileInfo::exists(file))
        return createProject(file, sample.title, importThen);
    openProject(file, [this] { goTo(QStringLiteral("data")); });
}

void Session::refresh() {
    if (!hasProject())
        return;
    m_jobs->run<Lists>(
        this, {tr("Reading the project"), Lane::quick, QStringLiteral("lists")},
        [this](const RunControl&) -> Result<Lists> {
            Lists lists;
            CAROUSEL_ASSIGN(lists.datasets, m_workbench->store().datasets());
            CAROUSEL_ASSIGN(lists.runs, m_workbench->store().runs());
            CAROUSEL_ASSIGN(const auto analyses, m_workbench->store().analyses());
            for (const auto& row : analyses)
                if (lists.placement.empty() && row.kind == name(AnalysisKind::placement))
                    lists.placement = row.verdict;
            return lists;
        },
        [this](JobRunner::Shared<Lists> result) {
            if (!result)
                return failed(result.error());
            m_loaded = true;
            m_datasets = (*result)->datasets;
            m_runs = (*result)->runs;
            m_placement = qs((*result)->placement);
            Q_EMIT datasetsChanged();
            Q_EMIT runsChanged();
        });
}

void Session::importData(const Workbench::ImportRequest& request, std::function<void(const Result<ImportReport>&)> done) {
    const QString name = qs(request.name);
    m_jobs->run<ImportReport>(
        this, {tr("Importing %1").arg(name), Lane::task, {}}, [this, request](const RunControl& control) { return m_workbench->importData(request, control); },
        [this, name, done](JobRunner::Shared<ImportReport> result) {
            if (!result) {
                failed(result.error());
            } else {
                const auto& report = **result;
                say(tr("Imported %1: %2 of %3 rows kept").arg(name, count(report.rowsKept), count(report.rowsRead)));
                for (const auto& warning : report.warnings)
                    m_log->add(ActivityLog::Level::warning, qs(warning));
                refresh();
                Q_EMIT imported(name);
            }
            if (done)
                done(result ? Result<ImportReport>(**result) : Result<ImportReport>(tl::unexpected<Error>(result.error())));
        });
}

void Session::removeDataset(const QString& name) {
    m_jobs->run(
        this, {tr("Removing %1").arg(name), Lane::task, {}}, [this, name](const RunControl&) { return m_workbench->store().removeDataset(ss(name)); },
        [this](Result<void> result) {
            if (!result)
                failed(result.error());
            refresh();
        });
}

void Session::requestDataset(const QString& name, QObject* receiver, std::function<void(Result<DatasetPtr>)> done) {
    m_jobs->run<DatasetPtr>(
        receiver, {tr("Loading %1").arg(name), Lane::quick, {}}, [this, name](const RunControl& control) { return m_workbench->dataset(ss(name), control); },
        [done](JobRunner::Shared<DatasetPtr> result) { done(result ? Result<DatasetPtr>(**result) : Result<DatasetPtr>(tl::unexpected<Error>(result.error()))); });
}

void Session::trackStudy(JobNumber number) {
    m_studyJob = number;
    m_poll.start();
    Q_EMIT studyStarted();
}

void Session::runStudy(const StudySpec& study) {
    trackStudy(m_jobs->run<StudyRun>(
        this, {qs(study.name), Lane::task, {}}, [this, study](const RunControl& control) { return m_workbench->runStudy(study, control); },
        [this](JobRunner::Shared<StudyRun> result) {
            if (!result)
                failed(result.error());
            refresh();
            if (result)
                m_selection->select((*result)->runs);
            Q_EMIT studyEnded(result.has_value());
        }));
}

void Session::resumeRuns(const std::vector<std::int64_t>& runs) {
    trackStudy(m_jobs->run(
        this, {runs.size() == 1 ? tr("Resuming run %1").arg(runs.front()) : tr("Resuming %1 runs").arg(runs.size()), Lane::task, {}},
        [this, runs](const RunControl& control) -> Result<void> {
            for (std::size_t i = 0; i < runs.size(); ++i) {
                const double n = static_cast<double>(runs.size());
                CAROUSEL_TRY(m_workbench->resumeRun(runs[i], control.slice(static_cast<double>(i) / n, static_cast<double>(i + 1) / n)));
            }
            return {};
        },
        [this](Result<void> result) {
            if (!result)
                failed(result.error());
            refresh();
            Q_EMIT studyEnded(result.has_value());
        }));
}

void Session::removeRuns(const std::vector<std::int64_t>& runs) {
    m_jobs->run(
        this, {tr("Removing runs"), Lane::quick, {}},
        [this, runs](const RunControl&) -> Result<void> {
            for (const auto run : runs)
                CAROUSEL_TRY(m_workbench->store().removeRun(run));
            return {};
        },
        [this](Result<void> result) {
            if (!result)
                failed(result.error());
            refresh();
        });
}

void Session::tagRun(std::int64_t run, const QString& tag) {
    m_jobs->run(
        this, {tr("Tagging"), Lane::quick, {}}, [this, run, tag](const RunControl&) { return m_workbench->store().tagRun(run, ss(tag)); },
        [this](Result<void> result) {
            if (!result)
                failed(result.error());
            refresh();
        });
}

} // namespace carousel::ui
