// SPDX-License-Identifier: GPL-3.0-or-later
// A table of a report in the window: estimates with their intervals, notes below, a strategy's marker, sorting by value, copying. As high as its rows.
#pragma once
#include "report/html_report.h"
#include "widgets/tables.h"
#include <QAbstractTableModel>
#include <QWidget>

class QSortFilterProxyModel;
class QTableView;

namespace carousel::ui {

class DocumentTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role { NoteRole = Qt::UserRole + 1, SortRole };
    explicit DocumentTableModel(ReportTable table, QObject* parent = nullptr) : QAbstractTableModel(parent), m_table(std::move(table)) {}
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_table.rows.size()); }
    int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_table.columns.size()); }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    ReportTable m_table;
};

// The cell's text as in every table, and its note below in the size of captions.
class DocumentCellDelegate : public FigureDelegate {
    Q_OBJECT
public:
    using FigureDelegate::FigureDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

class DocumentTable : public QWidget {
    Q_OBJECT
public:
    explicit DocumentTable(const ReportTable& table, QWidget* parent = nullptr);
    QString toTsv() const; // header and all rows, in the order shown
    const ReportTable& table() const { return m_table; }

Q_SIGNALS:
    // "Where does this come from?" of a cell, by the table's own row and column: Enter, a double click, or the menu.
    void originWanted(int row, int column);

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    void fit();
    void wantOrigin(const QModelIndex& shown);
    void openMenu(const QPoint& at);
    ReportTable m_table;
    QTableView* m_view;
    QSortFilterProxyModel* m_proxy;
    std::vector<int> m_wished; // width of every column for one line, before it is capped
};

} // namespace carousel::ui
