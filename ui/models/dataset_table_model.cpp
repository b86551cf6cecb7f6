// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/dataset_table_model.h"
#include "widgets/text.h"
#include <algorithm>
#include <climits>

namespace carousel::ui {

namespace {
constexpr qsizetype longestCell = 400; // a cell is a line; the whole text is in the inspector
}

DatasetTableModel::DatasetTableModel(QObject* parent) : QAbstractTableModel(parent) {}

void DatasetTableModel::setTable(DatasetPtr dataset, TableKind kind) {
    beginResetModel();
    m_dataset = std::move(dataset);
    m_kind = kind;
    m_order.reset();
    m_columns.clear();
    m_numeric.clear();
    m_rows = 0;
    if (m_dataset) {
        for (const auto& column : columnNames(*m_dataset, kind)) {
            m_numeric.push_back(columnIsNumeric(*m_dataset, kind, m_numeric.size()));
            m_columns << qs(column);
        }
        m_rows = static_cast<int>(std::min<std::size_t>(carousel::ui::rowCount(*m_dataset, kind), INT_MAX));
    }
    endResetModel();
}

void DatasetTableModel::setOrder(RowOrder order) {
    beginResetModel();
    m_order = std::move(order);
    m_rows = !m_dataset ? 0
             : static_cast<int>(std::min<std::size_t>(m_order ? m_order->size() : carousel::ui::rowCount(*m_dataset, m_kind), INT_MAX));
    endResetModel();
}

std::size_t DatasetTableModel::sourceRow(int row) const {
    return m_order ? (*m_order)[static_cast<std::size_t>(row)] : static_cast<std::size_t>(row);
}

int DatasetTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : m_rows; }
int DatasetTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_columns.size()); }

QVariant DatasetTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || !m_dataset)
        return {};
    const auto column = static_cast<std::size_t>(index.column());
    if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole) {
        ++m_dataCalls;
        return qs(cellText(*m_dataset, m_kind, sourceRow(index.row()), column)).left(longestCell);
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((m_numeric[column] ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

QVariant DatasetTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation == Qt::Vertical)
        return role == Qt::DisplayRole && section < m_rows ? QVariant(static_cast<qulonglong>(sourceRow(section) + 1)) : QVariant();
    if (section < 0 || section >= m_columns.size())
        return {};
    if (role == Qt::DisplayRole)
        return m_columns[section];
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((m_numeric[static_cast<std::size_t>(section)] ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

void DatasetTableModel::sort(int column, Qt::SortOrder order) { Q_EMIT sortRequested(column, order == Qt::AscendingOrder); }

} // namespace carousel::ui
