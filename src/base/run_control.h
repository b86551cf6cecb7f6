// SPDX-License-Identifier: GPL-3.0-or-later
// RunControl travels through every long function: it says whether to stop and takes progress. Cheap to copy, safe from any thread.
#pragma once
#include "base/result.h"
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace carousel {

struct Progress {
    std::string stage;      // "Scoring", "Importing", ... shown to people
    double fraction = 0;    // 0..1 of the whole job; negative when unknown
    double done = 0;        // units finished in this stage
    double total = 0;       // units of this stage, 0 when unknown
    std::string unit;       // "users", "rows"
    double perSecond = 0;   // units per second in this stage, 0 when unknown
    double remainingSeconds = -1; // negative when unknown
};

class RunControl {
public:
    using Listener = std::function<void(const Progress&)>; // called from worker threads, at most about 20 times a second

    RunControl() = default;
    explicit RunControl(std::stop_token token, Listener listener = {});

    bool stopRequested() const { return m_token.stop_requested(); }
    // The error a function returns when it stopped because it was asked to: kind cancelled, code CL-7001.
    static Error cancelled(const std::string& what);
    // Reports `done` of `total` units of this stage; throttled. Rate and remaining time are worked out here.
    void report(const std::string& stage, double done, double total, const std::string& unit) const;
    // A part of this job: progress of the child fills [from, to] of the parent's bar.
    RunControl slice(double from, double to) const;
    // Stops with this job and reports nothing: for one of many small calls whose sum is reported by the caller.
    RunControl quiet() const { return RunControl(m_token); }

private:
    struct Shared;
    std::stop_token m_token;
    std::shared_ptr<Shared> m_shared;
    double m_from = 0, m_to = 1;
};

} // namespace carousel
