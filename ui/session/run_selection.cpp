// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/run_selection.h"
#include "session/session.h"
#include <algorithm>

namespace carousel::ui {

RunSelection::RunSelection(Session& session) : QObject(&session), m_session(session) {
    connect(&session, &Session::projectChanged, this, [this] {
        m_runs.clear();
        m_comparison.reset();
        m_user = noCode;
        m_chosen = false;
        set(State::none);
        Q_EMIT runsSelected();
    });
    connect(&session, &Session::runsChanged, this, [this] {
        const auto& known = m_session.runs();
        const auto gone = [&](std::int64_t id) { return std::none_of(known.begin(), known.end(), [&](const RunRow& run) { return run.id == id; }); };
        if (std::any_of(m_runs.begin(), m_runs.end(), gone)) {
            auto kept = m_runs;
            std::erase_if(kept, gone);
            select(std::move(kept));
        } else if (!m_chosen && m_runs.empty()) {
            selectNewest();
        }
    });
}

void RunSelection::set(State state) {
    m_state = state;
    Q_EMIT comparisonChanged();
}

void RunSelection::select(std::vector<std::int64_t> runs) {
    m_chosen = !runs.empty();
    m_runs = std::move(runs);
    Q_EMIT runsSelected();
    reload();
}

void RunSelection::selectNewest() {
    std::int64_t study = -1;
    std::vector<std::int64_t> runs;
    for (const auto& run : m_session.runs()) { // newest first
        if (run.state != RunState::complete || (study >= 0 && run.study != study))
            continue;
        study = run.study;
        runs.push_back(run.id);
    }
    std::reverse(runs.begin(), runs.end());
    if (runs == m_runs)
        return;
    m_runs = std::move(runs);
    Q_EMIT runsSelected();
    reload();
}

void RunSelection::reload() {
    m_comparison.reset();
    if (m_runs.empty()) {
        m_session.jobs().cancelKey(QStringLiteral("compare"));
        return set(State::none);
    }
    set(State::loading);
    m_session.jobs().run<StudyComparison>(
        this, {tr("Comparing %1 runs").arg(m_runs.size()), Lane::quick, QStringLiteral("compare")},
        [this, runs = m_runs](const RunControl& control) { return m_session.workbench().compare(runs, control); },
        [this](JobRunner::Shared<StudyComparison> result) {
            if (result) {
                m_comparison = *result;
                return set(State::ready);
            }
            m_error = result.error();
            set(State::failed);
        });
}

void RunSelection::setUser(Code user) {
    if (user == m_user)
        return;
    m_user = user;
    Q_EMIT userChanged();
}

} // namespace carousel::ui
