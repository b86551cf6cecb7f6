// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/tables.h"
#include "theme/theme.h"
#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QPainter>
#include <QShortcut>
#include <QTableView>
#include <algorithm>

namespace carousel::ui {

void FigureDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem item = option;
    initStyleOption(&item, index);
    const QString text = item.text;
    const bool number = (item.displayAlignment & Qt::AlignRight) && !text.isEmpty() && text.size() < 32 &&
                        std::any_of(text.begin(), text.end(), [](QChar c) { return c.isDigit(); });
    if (!number) {
        QStyledItemDelegate::paint(painter, option, index);
        return;
    }
    item.text.clear();
    const QStyle* style = item.widget ? item.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    const QFontMetrics metrics(item.font);
    int pitch = 0;
    for (char digit = '0'; digit <= '9'; ++digit)
        pitch = std::max(pitch, metrics.horizontalAdvance(QLatin1Char(digit)));
    painter->save();
    painter->setClipRect(item.rect);
    painter->setFont(item.font);
    painter->setPen(item.palette.color(item.state & QStyle::State_Enabled ? QPalette::Normal : QPalette::Disabled, QPalette::Text));
    const int baseline = item.rect.top() + (item.rect.height() + metrics.ascent() - metrics.descent()) / 2;
    int x = item.rect.right() - 8;
    for (qsizetype i = text.size(); i-- > 0;) {
        const QChar c = text[i];
        const int width = metrics.horizontalAdvance(c);
        const int step = c.isDigit() ? pitch : width;
        x -= step;
        painter->drawText(x + (step - width) / 2, baseline, QString(c));
    }
    painter->restore();
}

void setUpTable(QTableView* table, const QString& accessibleName) {
    table->setAccessibleName(accessibleName);
    table->setItemDelegate(new FigureDelegate(table));
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTextElideMode(Qt::ElideRight);
    table->setTabKeyNavigation(false);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    table->verticalHeader()->setDefaultSectionSize(26);
    table->verticalHeader()->setVisible(false);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setMinimumSectionSize(48);
    table->horizontalHeader()->setSectionsMovable(true);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* copy = new QShortcut(QKeySequence::Copy, table, nullptr, nullptr, Qt::WidgetShortcut);
    QObject::connect(copy, &QShortcut::activated, table, [table] { QApplication::clipboard()->setText(selectedAsTsv(table)); });
}

void fitColumns(QTableView* table, int widest) {
    const auto* model = table->model();
    if (!model)
        return;
    const QFontMetrics metrics(Theme::instance().body());
    const int rows = std::min(model->rowCount(), 40);
    for (int column = 0; column < model->columnCount(); ++column) {
        int width = metrics.horizontalAdvance(model->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString()) + 34;
        for (int row = 0; row < rows; ++row)
            width = std::max(width, metrics.horizontalAdvance(model->index(row, column).data().toString()) + 24);
        table->setColumnWidth(column, std::clamp(width, 60, widest));
    }
    table->horizontalHeader()->setStretchLastSection(true);
}

QString selectedAsTsv(const QTableView* table) {
    if (!table->selectionModel())
        return {};
    QModelIndexList rows = table->selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.row() < b.row(); });
    QString out;
    const auto* model = table->model();
    for (const auto& row : rows) {
        QStringList cells;
        for (int column = 0; column < model->columnCount(); ++column)
            cells << model->index(row.row(), column).data().toString().replace(QLatin1Char('\t'), QLatin1Char(' '));
        out += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    }
    return out;
}

} // namespace carousel::ui
