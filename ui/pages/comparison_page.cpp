// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/comparison_page.h"
#include "widgets/text.h"
#include <algorithm>

namespace carousel::ui {

ComparisonPage::ComparisonPage(Session& session, const QString& id, const QString& icon, const QString& title, const QString& question)
    : Page(session, id, icon, title, question) {}

void ComparisonPage::begin() {
    connect(&session().selection(), &RunSelection::comparisonChanged, this, &ComparisonPage::follow);
    connect(&session(), &Session::projectChanged, this, &ComparisonPage::follow);
    connect(&session(), &Session::runsChanged, this, [this] {
        if (session().selection().state() == RunSelection::State::none)
            follow();
    });
    follow();
}

bool ComparisonPage::isBusy() const { return session().selection().state() == RunSelection::State::loading; }

void ComparisonPage::follow() {
    const auto& selection = session().selection();
    if (!session().hasProject()) {
        state().showEmpty(icon(), tr("No project is open"), tr("Open a sample or a project of your own; what its runs found appears here."),
                          {tr("Go to Home"), [this] { session().goTo(QStringLiteral("home")); }});
        return;
    }
    switch (selection.state()) {
    case RunSelection::State::none: {
        const auto& runs = session().runs();
        const bool complete = std::any_of(runs.begin(), runs.end(), [](const RunRow& run) { return run.state == RunState::complete; });
        if (complete)
            state().showEmpty(icon(), tr("No run is selected"), tr("Select one or more complete runs of the same data set and split."),
                              {tr("Choose runs"), [this] { session().goTo(QStringLiteral("runs")); }});
        else
            state().showEmpty(icon(), tr("No complete run yet"), tr("Define strategies and run them; their results are compared here."),
                              {tr("Go to Strategies"), [this] { session().goTo(QStringLiteral("strategies")); }});
        return;
    }
    case RunSelection::State::loading: state().showLoading(tr("Comparing %1…").arg(plural(static_cast<std::int64_t>(selection.runs().size()), tr("run"), tr("runs")))); return;
    case RunSelection::State::failed:
        state().showFailed(selection.error(), {tr("Choose other runs"), [this] { session().goTo(QStringLiteral("runs")); }});
        return;
    case RunSelection::State::ready: break;
    }
    if (!selection.comparison() || selection.comparison()->strategies.empty())
        return;
    showComparison(selection.comparison());
    const auto& runs = selection.comparison()->strategies;
    const auto partial = std::count_if(runs.begin(), runs.end(), [](const auto& s) { return s.run.state != RunState::complete; });
    state().setPartial(partial ? tr("▲ %1 of these runs are not complete: figures are over the users finished so far.").arg(partial) : QString());
    state().showReady();
}

} // namespace carousel::ui
