// SPDX-License-Identifier: GPL-3.0-or-later
// Scheduling of jobs: three lanes, one thread per running job, everything but the work itself on the GUI thread.
#include "jobs/job_runner.h"
#include <QMetaObject>
#include <QTimer>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int quickAtOnce = 3;
constexpr int progressIntervalMs = 100;
} // namespace

JobRunner::JobRunner(QObject* parent) : QObject(parent) {}

JobRunner::~JobRunner() {
    m_closing = true;
    for (auto& job : m_jobs)
        job->stop.request_stop();
    for (auto& job : m_jobs)
        if (job->thread.joinable())
            job->thread.join();
}

JobNumber JobRunner::run(QObject* receiver, const JobOptions& options, std::function<Result<void>(const RunControl&)> work,
                         std::function<void(Result<void>)> done) {
    const Error refusal = RunControl::cancelled(options.title.toStdString());
    return enqueue(
        receiver, options,
        [work = std::move(work), done](const RunControl& control) -> Delivery {
            auto result = std::make_shared<Result<void>>(guarded<void>(work, control));
            return {[done, result] { done(*result); }, result->has_value() ? Error{} : result->error(), result->has_value()};
        },
        [done, refusal]() -> Delivery { return {[done, refusal] { done(tl::unexpected<Error>(refusal)); }, refusal, false}; });
}

JobNumber JobRunner::enqueue(QObject* receiver, const JobOptions& options, Work work, Refuse refuse) {
    if (!options.key.isEmpty())
        cancelKey(options.key);
    auto job = std::make_unique<Job>();
    job->info.number = ++m_last;
    job->info.title = options.title;
    job->info.lane = options.lane;
    job->key = options.key;
    job->receiver = receiver;
    job->hasReceiver = receiver != nullptr;
    job->work = std::move(work);
    job->refuse = std::move(refuse);
    m_jobs.push_back(std::move(job));
    const JobNumber number = m_last;
    // Started from the event loop, so that the caller has the number before anything can come back.
    QMetaObject::invokeMethod(this, [this] { schedule(); }, Qt::QueuedConnection);
    Q_EMIT changed();
    return number;
}

void JobRunner::schedule() {
    if (m_closing)
        return;
    int quick = 0, task = 0, exclusive = 0;
    for (const auto& job : m_jobs)
        if (job->info.state != JobState::waiting)
            (job->info.lane == Lane::quick ? quick : job->info.lane == Lane::task ? task : exclusive)++;
    for (auto& job : m_jobs) {
        if (exclusive > 0)
            break;
        if (job->info.state != JobState::waiting)
            continue;
        if (job->info.lane == Lane::exclusive) {
            if (quick + task == 0) {
                ++exclusive;
                start(*job);
            }
            break; // nothing overtakes it
        }
        int& running = job->info.lane == Lane::quick ? quick : task;
        if (running < (job->info.lane == Lane::quick ? quickAtOnce : 1)) {
            ++running;
            start(*job);
        }
    }
}

void JobRunner::start(Job& job) {
    job.info.state = JobState::running;
    Job* const raw = &job; // lives until finish(), which joins the thread first
    const JobNumber number = job.info.number;
    RunControl control(job.stop.get_token(), [this, raw, number](const Progress& progress) {
        {
            const std::lock_guard lock(raw->mutex);
            raw->latest = progress;
        }
        if (!raw->posted.exchange(true))
            QMetaObject::invokeMethod(this, [this, number] { QTimer::singleShot(progressIntervalMs, this, [this, number] { takeProgress(number); }); },
                                      Qt::QueuedConnection);
    });
    job.thread = std::thread([this, raw, number, control] {
        auto delivery = std::make_shared<Delivery>(raw->work(control));
        QMetaObject::invokeMethod(this, [this, number, delivery] { finish(number, *delivery); }, Qt::QueuedConnection);
    });
    Q_EMIT started(number);
    Q_EMIT changed();
}

void JobRunner::takeProgress(JobNumber number) {
    Job* job = find(number);
    if (!job)
        return;
    job->posted = false;
    {
        const std::lock_guard lock(job->mutex);
        job->info.progress = job->latest;
    }
    Q_EMIT progressed(number);
}

void JobRunner::finish(JobNumber number, const Delivery& delivery) {
    const auto it = std::find_if(m_jobs.begin(), m_jobs.end(), [&](const auto& job) { return job->info.number == number; });
    if (it == m_jobs.end())
        return;
    const std::unique_ptr<Job> job = std::move(*it);
    m_jobs.erase(it);
    if (job->thread.joinable())
        job->thread.join();
    if (!job->drop && (!job->hasReceiver || job->receiver))
        delivery.call();
    Q_EMIT finished(number, job->info.title, delivery.ok, delivery.ok ? QString() : QString::fromStdString(describe(delivery.error)));
    schedule();
    Q_EMIT changed();
    if (m_jobs.empty())
        Q_EMIT idle();
}

void JobRunner::stop(Job& job) {
    job.stop.request_stop();
    if (job.info.state == JobState::running)
        job.info.state = JobState::cancelling;
}

void JobRunner::cancel(JobNumber number) {
    Job* job = find(number);
    if (!job)
        return;
    if (job->info.state == JobState::waiting) {
        // Never started: its receiver still learns, through the work's own typed answer, that it will not come.
        finish(number, job->refuse());
        return;
    }
    stop(*job);
    Q_EMIT changed();
}

void JobRunner::cancelKey(const QString& key) {
    for (std::size_t i = m_jobs.size(); i-- > 0;)
        if (m_jobs[i]->key == key) {
            m_jobs[i]->drop = true;
            cancel(m_jobs[i]->info.number);
        }
}

void JobRunner::cancelTasks() {
    for (const auto& job : m_jobs)
        if (job->info.lane == Lane::task && job->info.state == JobState::running) {
            cancel(job->info.number);
            return;
        }
    for (std::size_t i = m_jobs.size(); i-- > 0;)
        if (m_jobs[i]->info.lane == Lane::task && m_jobs[i]->info.state == JobState::waiting) {
            cancel(m_jobs[i]->info.number);
            return;
        }
}

void JobRunner::cancelAll() {
    std::vector<JobNumber> numbers;
    for (const auto& job : m_jobs)
        numbers.push_back(job->info.number);
    for (const JobNumber number : numbers)
        cancel(number);
}

bool JobRunner::isActive(JobNumber number) const { return find(number) != nullptr; }

std::vector<JobInfo> JobRunner::jobs() const {
    std::vector<JobInfo> list;
    for (const auto& job : m_jobs)
        list.push_back(job->info);
    return list;
}

JobRunner::Job* JobRunner::find(JobNumber number) const {
    for (const auto& job : m_jobs)
        if (job->info.number == number)
            return job.get();
    return nullptr;
}

} // namespace carousel::ui
