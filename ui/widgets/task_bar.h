// SPDX-License-Identifier: GPL-3.0-or-later
// The line at the bottom: the task under way with stage, rate and remaining time, cancel, warnings, and the log that folds up.
#pragma once
#include "jobs/job_runner.h"
#include <QFrame>

class QLabel;
class QProgressBar;
class QPushButton;
class QTableView;
class QToolButton;

namespace carousel::ui {

class ActivityLog;

// "Scoring  143 of 200 users · 31 users/s · 2 min left"
QString progressText(const Progress& progress);

class TaskBar : public QFrame {
    Q_OBJECT
public:
    TaskBar(JobRunner& jobs, ActivityLog& log, QWidget* parent = nullptr);
    void setLogShown(bool shown);
    bool logShown() const;

private:
    void update();
    JobRunner& m_jobs;
    ActivityLog& m_log;
    QLabel *m_title, *m_detail;
    QProgressBar* m_bar;
    QPushButton *m_cancel, *m_warnings, *m_toggle;
    QWidget* m_panel;
    QTableView* m_table;
    QString m_last;
};

} // namespace carousel::ui
