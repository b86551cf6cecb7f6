// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/experiments/analysis_list.h"
#include "pages/experiments/analysis_needs.h"
#include "theme/theme.h"
#include "widgets/document_view.h"
#include "widgets/text.h"
#include <QApplication>
#include <QPainter>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int rowHeight = 58, padding = 8;

QColor lightColour(const QString& light) {
    const Palette& c = Theme::instance().colours();
    if (light == QLatin1String(name(Light::green)))
        return c.good;
    if (light == QLatin1String(name(Light::amber)))
        return c.warning;
    return light == QLatin1String(name(Light::red)) ? c.bad : c.secondary;
}

// "2026-11-23 21:24" of "2026-11-23T21:24:05Z"
QString minute(const std::string& time) { return qs(time).left(16).replace(QLatin1Char('T'), QLatin1Char(' ')); }
} // namespace

void AnalysisListModel::setRows(std::vector<AnalysisRow> rows) {
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

QVariant AnalysisListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const AnalysisRow& row = m_rows[static_cast<std::size_t>(index.row())];
    const QString kind = analysisTitle(row.kind);
    switch (role) {
    case IdRole: return static_cast<qlonglong>(row.id);
    case KindRole: return kind;
    case DatasetRole: return qs(row.dataset);
    case TimeRole: return minute(row.createdAt);
    case VerdictRole: return qs(row.verdict);
    case LightRole: return qs(row.light);
    case Qt::DisplayRole: return QStringLiteral("%1 · %2").arg(kind, row.dataset.empty() ? qs(row.title) : qs(row.dataset));
    case Qt::AccessibleTextRole:
        return tr("%1, %2, %3, %4. %5").arg(kind, qs(row.dataset), minute(row.createdAt), row.light.empty() ? tr("no light") : qs(row.light), qs(row.verdict));
    case Qt::ToolTipRole:
        return plainToolTip(QStringLiteral("%1\n%2 · %3 UTC · %4\n\n%5").arg(qs(row.title), kind, minute(row.createdAt), tr("analysis %1").arg(row.id), qs(row.verdict)));
    default: return {};
    }
}

void AnalysisDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem item = option;
    initStyleOption(&item, index);
    item.text.clear();
    const QStyle* style = item.widget ? item.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
    const Palette& c = Theme::instance().colours();
    painter->save();
    QRect room = option.rect.adjusted(padding, 6, -padding, -6);
    const int line = 17;
    const QString time = index.data(AnalysisListModel::TimeRole).toString();
    painter->setFont(Theme::instance().caption());
    const int timeWidth = painter->fontMetrics().horizontalAdvance(time);
    painter->setPen(c.secondary);
    painter->drawText(QRect(room.right() - timeWidth, room.top(), timeWidth + 1, line), Qt::AlignVCenter | Qt::AlignRight, time);
    painter->setFont(Theme::instance().strong());
    painter->setPen(c.text);
    const QRect head(room.left(), room.top(), room.width() - timeWidth - 8, line);
    painter->drawText(head, Qt::AlignVCenter | Qt::AlignLeft, painter->fontMetrics().elidedText(index.data(AnalysisListModel::KindRole).toString(), Qt::ElideRight, head.width()));

    const QString light = index.data(AnalysisListModel::LightRole).toString();
    painter->setFont(Theme::instance().caption());
    QRect second(room.left(), room.top() + line, room.width(), 14);
    if (!light.isEmpty()) {
        const QString words = lightWords(light);
        painter->setPen(lightColour(light));
        painter->drawText(second, Qt::AlignVCenter | Qt::AlignLeft, words);
        second.setLeft(second.left() + painter->fontMetrics().horizontalAdvance(words) + 8);
    }
    painter->setPen(c.secondary);
    painter->drawText(second, Qt::AlignVCenter | Qt::AlignLeft, painter->fontMetrics().elidedText(index.data(AnalysisListModel::DatasetRole).toString(), Qt::ElideRight, second.width()));
    const QRect third(room.left(), room.top() + line + 14, room.width(), 15);
    painter->setPen(c.text);
    painter->drawText(third, Qt::AlignVCenter | Qt::AlignLeft, painter->fontMetrics().elidedText(index.data(AnalysisListModel::VerdictRole).toString(), Qt::ElideRight, third.width()));
    painter->restore();
}

QSize AnalysisDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {120, rowHeight}; }

AnalysisList::AnalysisList(QWidget* parent) : QListView(parent), m_model(new AnalysisListModel(this)) {
    setAccessibleName(tr("Analyses of this project"));
    setModel(m_model);
    setItemDelegate(new AnalysisDelegate(this));
    setUniformItemSizes(true);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setMinimumHeight(rowHeight + 4);
    connect(selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
        if (!m_filling && index.isValid())
            Q_EMIT openWanted(index.data(AnalysisListModel::IdRole).toLongLong());
    });
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (!m_filling)
            Q_EMIT selectedChanged();
    });
    connect(this, &QListView::clicked, this, [this](const QModelIndex& index) { // back from a comparison to the one that is current all the time
        if (selectionModel()->selectedIndexes().size() == 1)
            Q_EMIT openWanted(index.data(AnalysisListModel::IdRole).toLongLong());
    });
    connect(this, &QListView::activated, this, [this](const QModelIndex& index) { Q_EMIT openWanted(index.data(AnalysisListModel::IdRole).toLongLong()); });
}

void AnalysisList::setRows(std::vector<AnalysisRow> rows) {
    const auto before = current();
    m_filling = true;
    m_model->setRows(std::move(rows));
    m_filling = false;
    setCurrent(before);
}

std::int64_t AnalysisList::current() const { return currentIndex().isValid() ? currentIndex().data(AnalysisListModel::IdRole).toLongLong() : 0; }

std::vector<AnalysisRow> AnalysisList::selected() const {
    std::vector<int> at;
    for (const QModelIndex& index : selectionModel()->selectedIndexes())
        at.push_back(index.row());
    std::sort(at.begin(), at.end());
    std::vector<AnalysisRow> out;
    for (const int row : at)
        out.push_back(m_model->rows()[static_cast<std::size_t>(row)]);
    return out;
}

void AnalysisList::setCurrent(std::int64_t id) {
    if (id != 0 && id == current() && selectionModel()->isSelected(currentIndex()))
        return; // others that are selected with it stay so
    m_filling = true;
    QModelIndex found;
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (m_model->rows()[static_cast<std::size_t>(row)].id == id)
            found = m_model->index(row);
    setCurrentIndex(found);
    if (!found.isValid())
        clearSelection();
    m_filling = false;
    Q_EMIT selectedChanged();
}

} // namespace carousel::ui
