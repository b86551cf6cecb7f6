// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/run_control.h"
#include <algorithm>
#include <chrono>
#include <mutex>

namespace carousel {

using Clock = std::chrono::steady_clock;

struct RunControl::Shared {
    Listener listener;
    std::mutex mutex; // guards what follows
    std::string stage;
    Clock::time_point stageStart;
    double stageFirstDone = 0;
    Clock::time_point lastReport;
};

RunControl::RunControl(std::stop_token token, Listener listener) : m_token(std::move(token)) {
    if (listener) {
        m_shared = std::make_shared<Shared>();
        m_shared->listener = std::move(listener);
    }
}

Error RunControl::cancelled(const std::string& what) {
    return {ErrorKind::cancelled, "CL-7001", what + " was stopped as asked.", "What was finished is kept; start again or resume."};
}

void RunControl::report(const std::string& stage, double done, double total, const std::string& unit) const {
    if (!m_shared)
        return;
    Progress progress;
    {
        std::scoped_lock lock(m_shared->mutex);
        const auto now = Clock::now();
        const bool newStage = stage != m_shared->stage;
        if (newStage) {
            m_shared->stage = stage;
            m_shared->stageStart = now;
            m_shared->stageFirstDone = done;
        } else if (done < total && now - m_shared->lastReport < std::chrono::milliseconds(50)) {
            return;
        }
        m_shared->lastReport = now;
        const double seconds = std::chrono::duration<double>(now - m_shared->stageStart).count();
        const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0.0;
        progress.stage = stage;
        progress.done = done;
        progress.total = total;
        progress.unit = unit;
        progress.fraction = total > 0 ? m_from + (m_to - m_from) * share : -1;
        if (seconds > 0.2 && done > m_shared->stageFirstDone) {
            progress.perSecond = (done - m_shared->stageFirstDone) / seconds;
            if (total > 0)
                progress.remainingSeconds = (total - done) / progress.perSecond;
        }
    }
    m_shared->listener(progress);
}

RunControl RunControl::slice(double from, double to) const {
    RunControl child = *this;
    child.m_from = m_from + (m_to - m_from) * from;
    child.m_to = m_from + (m_to - m_from) * to;
    return child;
}

} // namespace carousel
