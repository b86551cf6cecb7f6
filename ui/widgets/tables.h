// SPDX-License-Identifier: GPL-3.0-or-later
// How every table of the program is set up, and a delegate that writes figures on a fixed pitch so that digits stand under each other.
#pragma once
#include <QStyledItemDelegate>

class QTableView;

namespace carousel::ui {

class FigureDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// Whole rows, fixed heights (so that a million rows cost nothing), copying with Ctrl+C, an accessible name.
void setUpTable(QTableView* table, const QString& accessibleName);
// Widths from the header and the first rows, with the last column taking what is left.
void fitColumns(QTableView* table, int widest = 320);
QString selectedAsTsv(const QTableView* table);

} // namespace carousel::ui
