// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/user_bar.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QCompleter>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QToolButton>
#include <algorithm>

namespace carousel::ui {

UserBar::UserBar(Session& session, WhatIf& whatIf) : m_session(session), m_whatIf(whatIf) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    row->addWidget(textLabel(tr("User"), "heading"));
    const auto arrow = [&, row](const char* icon, const QString& text, int by) {
        auto* button = new QToolButton;
        button->setIcon(Theme::icon(QString::fromLatin1(icon)));
        button->setAccessibleName(text);
        button->setToolTip(text + (by < 0 ? QStringLiteral(" (PgUp)") : QStringLiteral(" (PgDown)")));
        connect(button, &QToolButton::clicked, this, [this, by] { step(by); });
        row->addWidget(button);
        return button;
    };
    m_previous = arrow("go-previous", tr("Previous user"), -1);
    m_search = new QLineEdit;
    m_search->setObjectName(QStringLiteral("user-search"));
    m_search->setPlaceholderText(tr("User id"));
    m_search->setAccessibleName(tr("Find a user by id"));
    m_search->setFixedWidth(84);
    row->addWidget(m_search);
    m_next = arrow("go-next", tr("Next user"), 1);
    m_place = textLabel({}, "caption");
    row->addWidget(m_place);
    row->addSpacing(8);
    m_outside = new QCheckBox(tr("Just outside"));
    m_outside->setToolTip(tr("Only users whose ideal item stands at one of the four positions behind the fold"));
    row->addWidget(m_outside);

    connect(m_search, &QLineEdit::returnPressed, this, &UserBar::search);
    connect(m_outside, &QCheckBox::toggled, this, &UserBar::showIndex);
    connect(&whatIf, &WhatIf::changed, this, &UserBar::showOutside); // the filter means other positions now
    connect(&session.selection(), &RunSelection::userChanged, this, [this] {
        if (m_index && m_shown.comparison)
            showUser(m_session.selection().user());
    });
}

void UserBar::forget() {
    m_index.reset();
}

void UserBar::showRuns(const ShownRuns& shown) {
    m_shown = shown;
    const auto runs = shown.runs();
    if (m_index && std::all_of(runs.begin(), runs.end(), [&](auto run) { return m_index->bestRank.count(run) != 0; }))
        return showIndex();
    m_session.jobs().run<UserIndex>(
        this, {tr("Reading the users of the runs"), Lane::quick, QStringLiteral("carousel-index")},
        [&s = m_session, runs, dataset = shown.comparison->strategies.front().run.dataset](const RunControl& control) {
            return readUserIndex(s.workbench(), dataset, runs, control);
        },
        [this, comparison = shown.comparison](JobRunner::Shared<UserIndex> result) {
            if (comparison != m_shown.comparison)
                return;
            if (!result) {
                Q_EMIT failed(result.error());
                return;
            }
            m_index = *result;
            auto* completer = new QCompleter(m_index->ids, m_search);
            completer->setFilterMode(Qt::MatchContains);
            completer->setCaseSensitivity(Qt::CaseInsensitive);
            m_search->setCompleter(completer);
            showIndex();
        });
}

std::vector<int> UserBar::visibleRows() const {
    if (!m_index)
        return {};
    if (m_outside->isChecked())
        return m_index->justOutside(m_shown.runs(), m_whatIf.window());
    std::vector<int> rows(m_index->users.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<int>(i);
    return rows;
}

void UserBar::showOutside() {
    if (!m_index)
        return;
    const auto outside = m_index->justOutside(m_shown.runs(), m_whatIf.window());
    m_outside->setText(tr("Just outside, at %1–%2 (%3)").arg(m_whatIf.window() + 1).arg(m_whatIf.window() + 4).arg(outside.size()));
    m_outside->setEnabled(!outside.empty() || m_outside->isChecked());
}

void UserBar::showIndex() {
    if (!m_index)
        return;
    showOutside();
    const auto outside = m_index->justOutside(m_shown.runs(), m_whatIf.window());
    const auto rows = visibleRows();
    const Code wished = m_session.selection().user();
    const bool known =
        std::any_of(rows.begin(), rows.end(), [&](int row) { return m_index->users[static_cast<std::size_t>(row)] == wished; });
    if (known || rows.empty())
        return showUser(known ? wished : m_index->rowOf(wished) >= 0 ? wished : noCode);
    // The story first: a user whose ideal item nearly made it.
    const int row = !m_outside->isChecked() && !outside.empty() && m_index->rowOf(wished) < 0 ? outside.front() : rows.front();
    m_session.selection().setUser(m_index->users[static_cast<std::size_t>(row)]); // comes back through userChanged
}

void UserBar::step(int by) {
    const auto rows = visibleRows();
    if (rows.empty())
        return;
    const int present = m_index->rowOf(m_session.selection().user());
    // The next row in that direction, whether or not the present one is among those the filter lets through.
    auto next = by > 0 ? std::upper_bound(rows.begin(), rows.end(), present) : std::lower_bound(rows.begin(), rows.end(), present);
    if (by > 0 ? next == rows.end() : next == rows.begin())
        return;
    m_session.selection().setUser(m_index->users[static_cast<std::size_t>(by > 0 ? *next : *(next - 1))]);
}

void UserBar::search() {
    if (!m_index)
        return;
    const int found = m_index->rowOf(m_search->text().trimmed());
    if (found < 0)
        m_session.say(tr("No user of these runs has an id like '%1'.").arg(m_search->text()));
    else
        m_session.selection().setUser(m_index->users[static_cast<std::size_t>(found)]);
    m_search->setText(m_userId);
}

void UserBar::showUser(Code user) {
    const int row = m_index->rowOf(user);
    const auto rows = visibleRows();
    const auto at = std::find(rows.begin(), rows.end(), row);
    m_userId = row >= 0 ? m_index->ids[row] : QString();
    m_search->setText(m_userId);
    m_place->setText(rows.empty()       ? tr("no such user")
                     : at == rows.end() ? tr("– of %1").arg(count(static_cast<std::int64_t>(rows.size())))
                                        : tr("%1 of %2").arg(at - rows.begin() + 1).arg(count(static_cast<std::int64_t>(rows.size()))));
    m_previous->setEnabled(!rows.empty() && row > rows.front());
    m_next->setEnabled(!rows.empty() && row < rows.back());
    if (row >= 0)
        Q_EMIT userShown();
}

} // namespace carousel::ui
