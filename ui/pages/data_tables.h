// SPDX-License-Identifier: GPL-3.0-or-later
// Users, items, interactions, impressions and reviews of one data set, filtered and sorted on a worker thread.
#pragma once
#include "models/dataset_table_model.h"
#include <QTimer>
#include <QWidget>

class QButtonGroup;
class QLabel;
class QLineEdit;
class QTableView;
class QToolButton;

namespace carousel::ui {

class Session;

class DataTables : public QWidget {
    Q_OBJECT
public:
    explicit DataTables(Session& session, QWidget* parent = nullptr);
    void showDataset(DatasetPtr dataset);
    void showKind(TableKind kind);
    void setFilter(const QString& text);
    bool isBusy() const { return m_busy; }

Q_SIGNALS:
    void rowSelected(const QString& heading, const QStringList& names, const QStringList& values);

private:
    void order();
    void describeRows();
    void selected();
    Session& m_session;
    DatasetPtr m_dataset;
    DatasetTableModel* m_model;
    QTableView* m_table;
    QLineEdit* m_filter;
    QLabel* m_count;
    std::vector<QToolButton*> m_kinds;
    QTimer m_wait;
    int m_sortColumn = -1;
    bool m_ascending = true, m_busy = false;
};

} // namespace carousel::ui
