// SPDX-License-Identifier: GPL-3.0-or-later
// The runs of the open project as a table: state, strategy, data set, progress, main metrics of complete runs.
#pragma once
#include "workbench/workbench.h"
#include <QAbstractTableModel>
#include <map>

namespace carousel::ui {

QString stateText(RunState state);   // "complete", with its shape: "● complete"
QColor stateColour(RunState state);

class RunsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { State, Strategy, Study, Data, Users, Ndcg, HitRate, Created, Tag, ColumnCount };
    enum Role { SortRole = Qt::UserRole + 1, RunIdRole };

    explicit RunsModel(QObject* parent = nullptr);
    void setRuns(std::vector<RunRow> runs); // keeps rows that did not change, so that selections stay
    void setMetrics(const StudyComparison& comparison); // fills the metric cells of its runs
    bool hasMetrics(std::int64_t run) const { return m_metrics.count(run) != 0; }
    const std::vector<RunRow>& runs() const { return m_runs; }
    const RunRow* run(std::int64_t id) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override; // the tag

Q_SIGNALS:
    void tagEdited(qint64 run, const QString& tag);

private:
    struct Figures {
        double ndcg = 0, hitRate = 0;
        QString ndcgInterval, hitInterval;
    };
    std::vector<RunRow> m_runs;
    std::map<std::int64_t, Figures> m_metrics;
};

} // namespace carousel::ui
