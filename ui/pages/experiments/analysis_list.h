// SPDX-License-Identifier: GPL-3.0-or-later
// The analyses that the project keeps, newest first: kind, data set, time, and the verdict with its light as shape and word.
#pragma once
#include "store/project_store.h"
#include <QAbstractListModel>
#include <QListView>
#include <QStyledItemDelegate>

namespace carousel::ui {

class AnalysisListModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role { IdRole = Qt::UserRole + 1, KindRole, DatasetRole, TimeRole, VerdictRole, LightRole };
    using QAbstractListModel::QAbstractListModel;
    void setRows(std::vector<AnalysisRow> rows);
    const std::vector<AnalysisRow>& rows() const { return m_rows; }
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
    QVariant data(const QModelIndex& index, int role) const override;

private:
    std::vector<AnalysisRow> m_rows;
};

class AnalysisDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

class AnalysisList : public QListView {
    Q_OBJECT
public:
    explicit AnalysisList(QWidget* parent = nullptr);
    void setRows(std::vector<AnalysisRow> rows); // keeps what is selected
    const std::vector<AnalysisRow>& rows() const { return m_model->rows(); }
    std::int64_t current() const; // 0: none
    std::vector<AnalysisRow> selected() const; // one or several (Ctrl, Shift), as listed
    void setCurrent(std::int64_t id); // without asking to open it

Q_SIGNALS:
    void openWanted(qint64 id);
    void selectedChanged();

private:
    AnalysisListModel* m_model;
    bool m_filling = false;
};

} // namespace carousel::ui
