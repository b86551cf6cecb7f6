// SPDX-License-Identifier: GPL-3.0-or-later
// Runs work away from the GUI thread. A job gets a RunControl (stop, progress), and its result comes back on the GUI thread as
// Result<shared_ptr<const T>>. Every job has a number; a result whose job was cancelled, superseded or whose receiver is gone is dropped.
#pragma once
#include "base/run_control.h"
#include <QObject>
#include <QPointer>
#include <QString>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace carousel::ui {

using JobNumber = quint64;

// quick: loads and small computations, a few at a time. task: imports, runs, reports; one after another, shown in the task bar.
// exclusive: alone, waits for everything before it (switching the project).
enum class Lane { quick, task, exclusive };

struct JobOptions {
    QString title;      // "Importing MovieLens 100K"
    Lane lane = Lane::quick;
    QString key;        // a new job with the same key cancels the one before; empty: none
};

enum class JobState { waiting, running, cancelling };

struct JobInfo {
    JobNumber number = 0;
    QString title;
    Lane lane = Lane::quick;
    JobState state = JobState::waiting;
    Progress progress;
};

class JobRunner : public QObject {
    Q_OBJECT
public:
    template <class T> using Shared = Result<std::shared_ptr<const T>>;

    explicit JobRunner(QObject* parent = nullptr);
    ~JobRunner() override; // stops all work and waits for it

    // `work` runs on a worker thread and must not touch widgets; `done` is called on the GUI thread while `receiver` lives.
    template <class T>
    JobNumber run(QObject* receiver, const JobOptions& options, std::function<Result<T>(const RunControl&)> work, std::function<void(Shared<T>)> done) {
        const Error refusal = RunControl::cancelled(options.title.toStdString());
        return enqueue(
            receiver, options,
            [work = std::move(work), done](const RunControl& control) -> Delivery {
                auto result = guarded<T>(work, control);
                auto boxed = std::make_shared<Shared<T>>(result ? Shared<T>(std::make_shared<const T>(std::move(*result)))
                                                                : Shared<T>(tl::unexpected<Error>(std::move(result.error()))));
                return {[done, boxed] { done(*boxed); }, boxed->has_value() ? Error{} : boxed->error(), boxed->has_value()};
            },
            [done, refusal]() -> Delivery { return {[done, refusal] { done(tl::unexpected<Error>(refusal)); }, refusal, false}; });
    }
    // The same for work that has no value to bring back.
    JobNumber run(QObject* receiver, const JobOptions& options, std::function<Result<void>(const RunControl&)> work, std::function<void(Result<void>)> done);

    void cancel(JobNumber number);
    void cancelKey(const QString& key);
    void cancelTasks(); // Esc: the running task, or the last waiting one
    void cancelAll();
    bool isIdle() const { return m_jobs.empty(); }
    bool isActive(JobNumber number) const;
    std::vector<JobInfo> jobs() const;

Q_SIGNALS:
    void started(quint64 number);
    void progressed(quint64 number); // at most ten times a second per job
    void finished(quint64 number, const QString& title, bool ok, const QString& error); // after `done`
    void changed();                  // the set of jobs or their states
    void idle();

private:
    struct Delivery {
        std::function<void()> call;
        Error error;
        bool ok = true;
    };
    using Work = std::function<Delivery(const RunControl&)>;
    using Refuse = std::function<Delivery()>; // the answer of a job that never started
    struct Job {
        JobInfo info;
        QString key;
        QPointer<QObject> receiver;
        bool hasReceiver = false, drop = false;
        Work work;
        Refuse refuse;
        std::stop_source stop;
        std::thread thread;
        std::mutex mutex;          // guards `latest`
        Progress latest;
        std::atomic<bool> posted{false};
    };

    template <class T> static Result<T> guarded(const std::function<Result<T>(const RunControl&)>& work, const RunControl& control) {
        try {
            return work(control);
        } catch (const std::bad_alloc&) {
            return fail(ErrorKind::internal, "CL-9002", "Not enough memory for this work.", "Close other programs, or use fewer users or rows.");
        } catch (const std::exception& error) {
            return fail(ErrorKind::internal, "CL-9001", std::string("Unexpected failure: ") + error.what(), "Please report this with the log.");
        }
    }
    JobNumber enqueue(QObject* receiver, const JobOptions& options, Work work, Refuse refuse);
    void schedule();
    void start(Job& job);
    void takeProgress(JobNumber number);
    void finish(JobNumber number, const Delivery& delivery);
    void stop(Job& job);
    Job* find(JobNumber number) const;

    std::deque<std::unique_ptr<Job>> m_jobs; // in order of arrival
    JobNumber m_last = 0;
    bool m_closing = false;
};

} // namespace carousel::ui
