// SPDX-License-Identifier: GPL-3.0-or-later
// Runs: what was run, how far it is, what it found; resume, remove, tag, compare, and what tells two runs apart.
#pragma once
#include "pages/page.h"
#include <set>

class QLineEdit;
class QSortFilterProxyModel;
class QTableView;

namespace carousel::ui {

class RunsModel;
class TextTableModel;

// One row per setting in which the runs' specifications differ; columns are the runs.
std::vector<QStringList> specificationDifferences(const std::vector<RunRow>& runs);

class RunsPage : public Page {
    Q_OBJECT
public:
    explicit RunsPage(Session& session);
    bool isBusy() const override { return m_busy; }

private:
    std::vector<std::int64_t> selected() const;
    void followRuns();
    void followSelection();
    void readMetrics();
    void compare();
    void removeSelected();

    QAction *m_compare, *m_resume, *m_remove;
    RunsModel* m_model;
    QSortFilterProxyModel* m_proxy;
    QTableView *m_table, *m_differences;
    TextTableModel* m_differenceModel;
    QLabel* m_differenceTitle;
    QLineEdit* m_filter;
    std::set<std::int64_t> m_asked; // studies whose metrics were asked for
    bool m_busy = false, m_sized = false;
};

} // namespace carousel::ui
