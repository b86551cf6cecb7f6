// SPDX-License-Identifier: GPL-3.0-or-later
// A table of a data set for views. Cells are read straight from the columns when they are painted: no object per row, whatever the size.
// Filter and sort arrive as a finished row order (see row_order.h); sort() only announces what is wanted.
#pragma once
#include "models/row_order.h"
#include <QAbstractTableModel>
#include <QStringList>

namespace carousel::ui {

using RowOrder = std::shared_ptr<const std::vector<std::uint32_t>>;

class DatasetTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    explicit DatasetTableModel(QObject* parent = nullptr);

    void setTable(DatasetPtr dataset, TableKind kind); // shows it in the order of the file
    void setOrder(RowOrder order);                     // null: order of the file
    const DatasetPtr& dataset() const { return m_dataset; }
    TableKind kind() const { return m_kind; }
    std::size_t sourceRow(int row) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

    std::int64_t dataCalls() const { return m_dataCalls; } // for the test that scrolling asks only for what is seen

Q_SIGNALS:
    void sortRequested(int column, bool ascending);

private:
    DatasetPtr m_dataset;
    TableKind m_kind = TableKind::items;
    RowOrder m_order;
    QStringList m_columns;
    std::vector<bool> m_numeric;
    int m_rows = 0;
    mutable std::int64_t m_dataCalls = 0;
};

} // namespace carousel::ui
