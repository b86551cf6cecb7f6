// SPDX-License-Identifier: GPL-3.0-or-later
// Which runs and which user the pages look at, shared by Runs, Carousel, Metrics and Report; and the comparison of those runs.
#pragma once
#include "jobs/job_runner.h"
#include "workbench/workbench.h"
#include <QObject>

namespace carousel::ui {

class Session;
using ComparisonPtr = std::shared_ptr<const StudyComparison>;

class RunSelection : public QObject {
    Q_OBJECT
public:
    enum class State { none, loading, failed, ready };
    explicit RunSelection(Session& session);

    const std::vector<std::int64_t>& runs() const { return m_runs; } // in the order chosen
    void select(std::vector<std::int64_t> runs);
    // The complete runs of the newest study that has some; done by itself when a project opens and nothing is chosen.
    void selectNewest();
    State state() const { return m_state; }
    const ComparisonPtr& comparison() const { return m_comparison; } // null unless ready
    const Error& error() const { return m_error; }
    void reload();

    Code user() const { return m_user; }
    void setUser(Code user);

Q_SIGNALS:
    void runsSelected();
    void comparisonChanged(); // state, comparison or error
    void userChanged();

private:
    void set(State state);
    Session& m_session;
    std::vector<std::int64_t> m_runs;
    State m_state = State::none;
    ComparisonPtr m_comparison;
    Error m_error;
    Code m_user = noCode;
    bool m_chosen = false; // by the analyst; then new runs do not change it
};

} // namespace carousel::ui
