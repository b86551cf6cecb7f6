// SPDX-License-Identifier: GPL-3.0-or-later
// A small table of texts: first rows of a file, rejected rows, table twins of plots, differences of specifications.
#pragma once
#include <QAbstractTableModel>
#include <QStringList>
#include <vector>

namespace carousel::ui {

class TextTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    explicit TextTableModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setTable(const QStringList& columns, std::vector<QStringList> rows, std::vector<bool> rightAligned = {});
    // The rows of CSV text as report/plot.h writes it (first line: column names).
    void setCsv(const QString& csv);
    const QStringList& columns() const { return m_columns; }
    const std::vector<QStringList>& rows() const { return m_rows; }
    QString toTsv() const;

    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
    int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_columns.size()); }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QStringList m_columns;
    std::vector<QStringList> m_rows;
    std::vector<bool> m_right;
};

// Fields of one CSV record after another: quoted fields may hold separators, quotes and line ends.
std::vector<QStringList> csvRecords(const QString& csv);

} // namespace carousel::ui
