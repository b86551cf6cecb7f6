// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/task_bar.h"
#include "session/activity_log.h"
#include "theme/theme.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

namespace carousel::ui {

QString progressText(const Progress& p) {
    QStringList parts;
    if (!p.stage.empty())
        parts << qs(p.stage);
    if (p.total > 0)
        parts << QStringLiteral("%1 of %2 %3").arg(count(static_cast<std::int64_t>(p.done)), count(static_cast<std::int64_t>(p.total)), qs(p.unit));
    else if (p.done > 0)
        parts << QStringLiteral("%1 %2").arg(count(static_cast<std::int64_t>(p.done)), qs(p.unit));
    if (p.perSecond > 0)
        parts << QStringLiteral("%1 %2/s").arg(figures(p.perSecond), qs(p.unit));
    if (p.remainingSeconds >= 0)
        parts << QObject::tr("%1 left").arg(duration(p.remainingSeconds));
    return parts.join(QStringLiteral(" · "));
}

TaskBar::TaskBar(JobRunner& jobs, ActivityLog& log, QWidget* parent) : QFrame(parent), m_jobs(jobs), m_log(log) {
    setProperty("card", QStringLiteral("foot"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    m_panel = new QWidget;
    auto* panelColumn = new QVBoxLayout(m_panel);
    panelColumn->setContentsMargins(16, 8, 16, 4);
    auto* head = new QHBoxLayout;
    head->addWidget(textLabel(tr("Log"), "heading"), 1);
    auto* copy = new QPushButton(Theme::icon(QStringLiteral("edit-copy")), tr("Copy all"));
    copy->setProperty("kind", QStringLiteral("quiet"));
    copy->setAccessibleName(tr("Copy the log"));
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_log.asText()); });
    head->addWidget(copy);
    panelColumn->addLayout(head);
    m_table = new QTableView;
    setUpTable(m_table, tr("Log"));
    m_table->setModel(&log);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_table->setColumnWidth(0, 80);
    m_table->setColumnWidth(1, 90);
    m_table->setFixedHeight(170);
    panelColumn->addWidget(m_table);
    m_panel->hide();
    column->addWidget(m_panel);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(16, 4, 8, 4);
    row->setSpacing(12);
    m_title = textLabel(tr("No task is running"), "secondary");
    m_bar = new QProgressBar;
    m_bar->setFixedWidth(160);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress of the task"));
    m_detail = textLabel({}, "secondary");
    m_detail->setMinimumWidth(10);
    m_cancel = new QPushButton(tr("Cancel"));
    m_cancel->setToolTip(tr("Stops the task and keeps what is finished (Esc)"));
    m_cancel->setAccessibleName(tr("Cancel the task"));
    m_warnings = new QPushButton;
    m_warnings->setProperty("kind", QStringLiteral("quiet"));
    m_warnings->setToolTip(tr("Show the log"));
    m_toggle = new QPushButton(tr("Log ▴"));
    m_toggle->setProperty("kind", QStringLiteral("quiet"));
    m_toggle->setToolTip(tr("Show or hide the log (Ctrl+L)"));
    m_toggle->setAccessibleName(tr("Show or hide the log"));
    row->addWidget(m_title);
    row->addWidget(m_bar);
    row->addWidget(m_detail, 1);
    row->addWidget(m_cancel);
    row->addWidget(m_warnings);
    row->addWidget(m_toggle);
    column->addLayout(row);

    connect(m_cancel, &QPushButton::clicked, &m_jobs, &JobRunner::cancelTasks);
    connect(m_toggle, &QPushButton::clicked, this, [this] { setLogShown(!logShown()); });
    connect(m_warnings, &QPushButton::clicked, this, [this] { setLogShown(true); });
    connect(&m_jobs, &JobRunner::changed, this, &TaskBar::update);
    connect(&m_jobs, &JobRunner::progressed, this, &TaskBar::update);
    connect(&m_log, &ActivityLog::warningsChanged, this, &TaskBar::update);
    connect(&m_log, &ActivityLog::added, this, [this](int, const QString& text) {
        m_last = QString(text).section(QLatin1Char('\n'), 0, 0);
        m_table->scrollToBottom();
        update();
    });
    update();
}

bool TaskBar::logShown() const { return !m_panel->isHidden(); }

void TaskBar::setLogShown(bool shown) {
    m_panel->setVisible(shown);
    m_toggle->setText(shown ? tr("Log ▾") : tr("Log ▴"));
    if (shown)
        m_log.markSeen();
}

void TaskBar::update() {
    const auto jobs = m_jobs.jobs();
    const JobInfo* shown = nullptr;
    int waiting = 0;
    for (const auto& job : jobs) {
        if (job.lane == Lane::quick)
            continue;
        if (job.state == JobState::waiting)
            ++waiting;
        else if (!shown)
            shown = &job;
    }
    m_bar->setVisible(shown != nullptr);
    m_cancel->setVisible(shown && shown->lane == Lane::task);
    if (shown) {
        const bool stopping = shown->state == JobState::cancelling;
        m_title->setText(shown->title);
        setRole(m_title, "role", QString());
        const double fraction = shown->progress.fraction;
        m_bar->setRange(0, fraction < 0 || shown->progress.stage.empty() ? 0 : 1000);
        m_bar->setValue(static_cast<int>(std::max(0.0, fraction) * 1000));
        QString detail = stopping ? tr("stopping; what is finished is kept") : progressText(shown->progress);
        if (waiting)
            detail += QStringLiteral(" · ") + tr("%1 waiting").arg(waiting);
        m_detail->setText(detail);
        m_cancel->setEnabled(!stopping);
    } else {
        m_title->setText(tr("No task is running"));
        setRole(m_title, "role", QStringLiteral("secondary"));
        m_detail->setText(m_last.isEmpty() ? QString() : QStringLiteral("· ") + m_last);
    }
    const int warnings = m_log.warnings();
    m_warnings->setVisible(warnings > 0);
    m_warnings->setText(QStringLiteral("▲ ") + plural(warnings, tr("warning"), tr("warnings")));
}

} // namespace carousel::ui
